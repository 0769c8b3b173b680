"""Who asks, and what they may: bearer tokens by header only, so no page elsewhere can borrow one.

Without any token configured everybody who reaches the server is "local" and may do everything; `gradus serve` then
listens on loopback alone. Scopes do not contain each other, except that `admin` holds all. How often somebody may ask
is decided where it is known who asks: a token has a rate of its own, strangers have one for each address.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from starlette.types import ASGIApp, Receive, Scope, Send

from gradus.api.faults import Fault, problem_response
from gradus.api.limits import Buckets
from gradus.api.settings import Settings
from gradus.api.tokens import SCOPES, Token, Tokens
from gradus.errors import WorkspaceError

ScopeName = Literal["read", "curate", "query", "train", "admin"]
SAFE = ("GET", "HEAD", "OPTIONS")
CHALLENGE = 'Bearer realm="gradus"'
STRANGERS_PER_S, STRANGERS_BURST = 20.0, 100
"""Of one address without a valid token: enough for the page's own files."""
BEARER = HTTPBearer(auto_error=False, description="`gradus token create` makes one; none is needed before the first")
NEEDED = "this needs a token: `Authorization: Bearer gradus_…`; `gradus token create` makes one"
WRONG = "the token is unknown, expired or revoked; `gradus token list` shows those there are"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks."""

    name: str
    scopes: frozenset[str]


LOCAL = Actor("local", frozenset(SCOPES))


class Authenticated:
    """Middleware: put the actor into the request's state; None is a stranger, who may see what is public."""

    def __init__(self, app: ASGIApp, tokens: Tokens, settings: Settings) -> None:
        self.app, self.tokens, self.settings = app, tokens, settings
        self._actors = Buckets(settings.requests_per_s, settings.burst)
        self._strangers = Buckets(STRANGERS_PER_S, STRANGERS_BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a wrong token and who asks too often, whatever is asked."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            scope.setdefault("state", {})["actor"] = self._actor(scope)
        except Fault as fault:
            response = problem_response(fault.status_code, fault.detail, fault.headers, instance=scope["path"])
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _actor(self, scope: Scope) -> Actor | None:
        try:
            configured = bool(self.tokens.all()) or self.settings.tokens_required
        except (WorkspaceError, OSError) as error:
            raise Fault(503, str(error)) from None
        if not configured:
            return LOCAL
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
        token = self._token(given)
        if token is None:
            _slow_down(self._strangers.take(scope["client"][0] if scope["client"] else ""))
            if given:
                raise Fault(401, WRONG, {"WWW-Authenticate": CHALLENGE + ', error="invalid_token"'})
            return None
        _slow_down(self._actors.take(token.id))
        return Actor(token.name, frozenset(SCOPES if "admin" in token.scopes else token.scopes))

    def _token(self, given: list[str]) -> Token | None:
        if len(given) != 1:
            return None
        kind, _, text = given[0].partition(" ")
        return self.tokens.find(text.strip()) if kind.lower() == "bearer" else None


def _slow_down(wait_s: float) -> None:
    if wait_s:
        seconds = max(1, math.ceil(wait_s))
        raise Fault(429, f"too many requests; ask again in {seconds} s", {"Retry-After": str(seconds)})


def needs(change: ScopeName) -> Any:
    """Return the dependency of a router: reading it needs `read`, anything else the scope named."""

    async def check(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]) -> None:
        wanted = "read" if request.method in SAFE else change
        request.state.scope_needed = wanted
        actor: Actor | None = request.state.actor
        if actor is None:
            raise Fault(401, NEEDED, {"WWW-Authenticate": CHALLENGE})
        if wanted not in actor.scopes:
            raise Fault(403, f"the token {actor.name} may {', '.join(sorted(actor.scopes))}; this needs {wanted}")

    return Depends(check)


async def _actor_of(request: Request) -> Actor:
    actor: Actor | None = request.state.actor
    if actor is None:
        raise Fault(401, NEEDED, {"WWW-Authenticate": CHALLENGE})
    return actor


ActorDep = Annotated[Actor, Depends(_actor_of)]
