"""What every answer says to browsers, and which requests of browsers are refused.

The page's own files are all that it may load or talk to (CSP without inline script or style). A Host that is neither an
IP address, localhost nor one of ours is refused: so a name that somebody else points at this machine (DNS rebinding)
reaches nothing. A change that a page of another origin asks for is refused by Origin and Sec-Fetch-Site. CORS is off;
the origins of an allow-list may ask, with their token in a header: there are no cookies.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gradus.api.auth import SAFE
from gradus.api.faults import problem_response
from gradus.api.settings import Settings

CSP = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
SECURE = {
    b"content-security-policy": CSP.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
    b"cache-control": b"no-store",
}
"""cache-control only where an answer does not say otherwise."""
EXPOSED = ("ETag", "Gradus-Rows", "Gradus-Truncated", "Link", "Location", "Retry-After", "X-Request-ID")
HOST = re.compile(r"(?:\[(?P<address>[^\]]+)\]|(?P<name>[^:]+))(?::\d+)?")
TAKEN = ("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "X-Request-ID")


class Guarded:
    """Middleware: secure headers on every answer; strange hosts and changes asked for by other sites are refused."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.settings = settings
        self.app = _cors(app, settings.origins) if settings.origins else app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the request's headers, and add to those of the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *((n, v) for n, v in SECURE.items() if n not in there)]
            await send(message)

        if refusal := self._refusal(scope):
            status, detail = refusal
            await problem_response(status, detail, instance=scope["path"])(scope, receive, send_secured)
            return
        await self.app(scope, receive, send_secured)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if self.settings.hosts is not None and not _known(host, self.settings.hosts):
            return 421, f"Host {host!r} is not served here; `gradus serve --allow-host NAME` allows it"
        if scope["method"] in SAFE:
            return None
        origin = headers.get(b"origin")
        if origin is None:
            foreign = headers.get(b"sec-fetch-site", "none") not in ("none", "same-origin")
        else:
            foreign = origin.rstrip("/") not in (f"http://{host}", f"https://{host}", *self.settings.origins)
        if foreign:
            return 403, f"origin {origin or 'of another site'!r} may not change anything here"
        return None


def _known(host: str, names: Iterable[str]) -> bool:
    """Tell whether a Host header is an IP address, localhost, or one of the names."""
    if not (found := HOST.fullmatch(host)):
        return False
    name = (found["address"] or found["name"]).lower()
    if name in ("localhost", *(one.lower() for one in names)):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _cors(app: ASGIApp, origins: tuple[str, ...]) -> ASGIApp:
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE")
    return CORSMiddleware(
        app, allow_origins=origins, allow_methods=methods, allow_headers=TAKEN, expose_headers=EXPOSED
    )
