"""What the reply of an OpenAI-compatible server means: an answer, a refusal, a reason to try again, or the end.

Tried again: 408, 409, 425, 429 (unless the account's quota is spent), 5xx, and replies that are not JSON. A request of
its own fault (too long for the model, refused by a content filter) is a Refusal. Any other status ends the run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from gradus.engine.teachers.base import Refusal
from gradus.errors import DataError

PASSING = {408, 409, 425, 429}
BUSY = {429, 529}
OWN_FAULT = {400, 413, 422}
OWN_FAULT_WORDS = re.compile(
    r"context.{0,10}(length|window)|too (long|large|many tokens)|maximum.{0,40}(token|length)"
    r"|content.?(filter|policy|management)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A JSON object with `choices`, and the seconds from sending the request that it answers."""

    data: dict[str, Any]
    seconds: float


class PassingError(Exception):
    """What went wrong may go right another time. wait_s is what the server asks for; busy: it has too much to do."""

    def __init__(self, reason: str, wait_s: float | None = None, *, busy: bool = False) -> None:
        super().__init__(reason)
        self.wait_s, self.busy = wait_s, busy


@dataclass(frozen=True, slots=True)
class Server:
    """As whom we ask: the key, and the environment's variable that it came from. Errors name only that."""

    url: str
    key: str
    key_name: str

    def read(self, status: int, headers: Mapping[str, str], raw: bytes, seconds: float) -> Reply | Refusal:
        """Return what came; PassingError asks for another try, a DataError ends the run."""
        data = _parse(raw)
        status = _status(status, data)
        if status != 200:
            return self._refuse(status, _message(data, raw), headers)
        if not data or not data.get("choices"):
            raise PassingError("a reply without choices" if data else "a reply that is not a JSON object")
        return Reply(data, seconds)

    def _refuse(self, status: int, message: str, headers: Mapping[str, str]) -> Refusal:
        if self.key:  # some servers repeat it
            message = message.replace(self.key, "***")
        said = f"HTTP {status}: {message[:300]}"
        if status in OWN_FAULT and OWN_FAULT_WORDS.search(message):
            return Refusal(said, final=True)
        if (status in PASSING or status >= 500) and "insufficient_quota" not in message:
            wait_s = retry_after(headers, datetime.now(UTC))
            raise PassingError(said, wait_s, busy=status in BUSY or wait_s is not None)
        if status in (401, 403):
            said += f" (the key in ${self.key_name} {'is not accepted' if self.key else 'is not set'})"
        raise DataError(f"{self.url}: {said}")


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that `Retry-After` asks for, whether as a number or as a date; None without it."""
    value = headers.get("Retry-After", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):  # no date, or one without a zone
        return None


def _parse(raw: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(raw)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _status(status: int, data: dict[str, Any] | None) -> int:
    """Some gateways say 200 and put the status into the body."""
    error = data.get("error") if data and status == 200 else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else status


def _message(data: dict[str, Any] | None, raw: bytes) -> str:
    """Return what an error's body says, on one line."""
    error = (data or {}).get("error", data)
    if isinstance(error, dict):
        error = " ".join(str(error[name]) for name in ("message", "code", "detail") if error.get(name))
    return " ".join(str(error or raw[:300].decode(errors="replace")).split())
