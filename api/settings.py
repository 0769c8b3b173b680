"""How the server guards itself; `gradus serve` sets these from its options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The guards of one server."""

    hosts: tuple[str, ...] | None = None
    """Names that a Host header may have beside IP addresses and localhost; None leaves it unchecked, for tests."""
    origins: tuple[str, ...] = ()
    """Other origins whose pages may ask, as https://notes.example; CORS is off without any."""
    tokens_required: bool = False
    """Demand a token even before the first one is made: the server can be reached from other machines."""
    requests_per_s: float | None = 100.0
    """Of one token, in the long run; None for no limit. Without any token configured there is none."""
    burst: int = 200
    """Requests that one token may send at once."""
    max_body_bytes: int = 2 << 20
    uploads: Mapping[str, int] = field(default_factory=lambda: {"/v1/imports": 1 << 30})
    """Paths that take a file of any content type, each with the size it may have."""
    body_timeout_s: float = 30.0
    """The longest wait for the next piece of a body, and for a client to take the next piece of an answer."""
