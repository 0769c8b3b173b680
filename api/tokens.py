"""The bearer tokens of a workspace: `server/tokens.json`, which never holds a token itself.

A token is `gradus_<id>_<secret>`; the secret is 256 random bits and only its salted SHA-256 is kept. A slow hash is for
passwords, which can be guessed; nobody guesses 256 bits, and a slow hash would let strangers burn our processor. The
file is read again when it has changed, so a token that is revoked ends at once in a server that runs. Once a token has
been made, requests need one: revoking the last does not open the door again.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

from gradus.engine.parts import atomic_file
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, WorkspaceError

SCOPES = ("read", "curate", "query", "train", "admin")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
TOKEN = re.compile(r"gradus_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a token; times are ISO 8601 in UTC, "" for never."""

    id: str
    name: str
    scopes: tuple[str, ...]
    salt: str
    hash: str
    created: str
    expires: str = ""
    revoked: str = ""

    @property
    def state(self) -> str:
        """Return active, expired or revoked."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires and datetime.fromisoformat(self.expires) <= datetime.now(UTC) else "active"

    def fits(self, secret: str) -> bool:
        """Compare in a time that does not depend on the secret."""
        return hmac.compare_digest(_digest(self.salt, secret), self.hash)


NOBODY = Token(id="", name="", scopes=(), salt="", hash="0" * 64, created="", revoked="always")
"""Compared with where no token has the id, so that an unknown id takes as long as a wrong secret."""


class Tokens:
    """The tokens of a workspace; safe to use from several processes."""

    def __init__(self, workspace: Workspace) -> None:
        self.path = workspace.root / "server" / "tokens.json"
        self._seen: tuple[int, int, int] | None = None
        self._known: dict[str, Token] = {}

    def all(self) -> list[Token]:
        """Return every token ever made, oldest first."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            self._seen, self._known = None, {}
            return []
        seen = (status.st_mtime_ns, status.st_ino, status.st_size)
        if seen != self._seen:
            self._known = {token.id: token for token in self._read()}
            self._seen = seen
        return list(self._known.values())

    def find(self, text: str) -> Token | None:
        """Return the active token that text is."""
        self.all()
        if not (found := TOKEN.fullmatch(text)):
            return None
        token = self._known.get(found[1], NOBODY)
        return token if token.fits(found[2]) and token.state == "active" else None

    def create(self, name: str, scopes: Sequence[str], lifetime: timedelta | None) -> tuple[Token, str]:
        """Make a token; return it with its text, which cannot be had again."""
        if not NAME.fullmatch(name):
            raise ConfigError(f"--name {name!r}: letters, digits and ._@- are, at most 64 of them")
        with self._changing() as tokens:
            if any(token.name == name and token.state == "active" for token in tokens):
                raise ConfigError(f"--name {name}: an active token has it; the audit log could not tell them apart")
            short, salt, secret = secrets.token_hex(6), secrets.token_hex(16), secrets.token_urlsafe(32)
            now = datetime.now(UTC).replace(microsecond=0)
            token = Token(
                id=short,
                name=name,
                scopes=tuple(scope for scope in SCOPES if scope in scopes),
                salt=salt,
                hash=_digest(salt, secret),
                created=now.isoformat(),
                expires=(now + lifetime).isoformat() if lifetime is not None else "",
            )
            tokens.append(token)
        return token, f"gradus_{short}_{secret}"

    def revoke(self, which: str) -> Token:
        """End the active token of this id or name, at once."""
        with self._changing() as tokens:
            fitting = [at for at, token in enumerate(tokens) if which in (token.id, token.name)]
            active = [at for at in fitting if tokens[at].state == "active"]
            if not active:
                known = ", ".join(token.name for token in tokens if token.state == "active") or "none"
                raise ConfigError(f"no active token {which!r}; there are: {known}")
            now = datetime.now(UTC).isoformat(timespec="seconds")
            tokens[active[0]] = token = replace(tokens[active[0]], revoked=now)
        return token

    def _read(self) -> list[Token]:
        try:
            rows = json.loads(self.path.read_text())["tokens"]
            return [Token(**(row | {"scopes": tuple(row["scopes"])})) for row in rows]
        except (ValueError, TypeError, KeyError) as error:
            raise WorkspaceError(f"{self.path}: not a list of tokens ({error}); put it back, or remove it") from None

    @contextmanager
    def _changing(self) -> Iterator[list[Token]]:
        """Hand out the tokens to change, and write them whole; the next process waits."""
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tokens = self._read() if self.path.exists() else []
            yield tokens
            with atomic_file(self.path) as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(json.dumps({"tokens": [asdict(token) for token in tokens]}, indent=1).encode())


def _digest(salt: str, secret: str) -> str:
    return hashlib.sha256(f"{salt}{secret}".encode()).hexdigest()
