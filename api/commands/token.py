"""`gradus token create|list|revoke`: who may use the server of a workspace."""

from __future__ import annotations

import argparse
from datetime import timedelta

from gradus.api.audit_log import AuditLog
from gradus.api.commands.base import Result, age, command
from gradus.api.commands.table import table
from gradus.api.tokens import SCOPES, Token, Tokens
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError
from gradus.log import logger


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("create", "list", "revoke"))
    parser.add_argument("which", nargs="?", help="revoke: the name or id of an active token")
    parser.add_argument("--name", help="create: who will use it; the audit log calls them so")
    parser.add_argument(
        "--scope", action="append", choices=SCOPES, default=[], help="create: what it may; may be given again"
    )
    parser.add_argument(
        "--expires",
        type=_lifetime,
        default="90d",
        metavar="AGE",
        help="create: after 12h, 90d, 52w, or never (default: 90d)",
    )


@command("token", 14, _arguments)
def token(args: argparse.Namespace) -> Result:
    """Make, list or revoke the tokens that requests are allowed by."""
    workspace = Workspace.find(args.workspace)
    return {"create": _create, "list": _list, "revoke": _revoke}[args.action](args, workspace)


def _create(args: argparse.Namespace, workspace: Workspace) -> Result:
    if not args.name or not args.scope:
        raise ConfigError("`token create` needs --name and at least one --scope")
    made, text = Tokens(workspace).create(args.name, args.scope, args.expires)
    AuditLog(workspace).by_hand(f"token create {made.id} {made.name} {','.join(made.scopes)}")
    logger.info("shown this once; send it as `Authorization: Bearer %s…`", text[:12])
    return Result(_shown(made) | {"token": text}, text)


def _list(_: argparse.Namespace, workspace: Workspace) -> Result:
    rows = [_shown(one) for one in Tokens(workspace).all()]
    return Result(rows, table(rows) if rows else "no token; whoever is on this machine may do anything")


def _revoke(args: argparse.Namespace, workspace: Workspace) -> Result:
    if not args.which:
        raise ConfigError("`token revoke` needs the name or id of an active token")
    ended = Tokens(workspace).revoke(args.which)
    AuditLog(workspace).by_hand(f"token revoke {ended.id} {ended.name}")
    return Result(_shown(ended), f"revoked {ended.name} ({ended.id}), in a running server too")


def _shown(one: Token) -> dict[str, str]:
    rows = {"id": one.id, "name": one.name, "scopes": " ".join(one.scopes), "state": one.state}
    return rows | {"created": one.created, "expires": one.expires or "never"}


def _lifetime(text: str) -> timedelta | None:
    return None if text == "never" else timedelta(seconds=min(age(text), 1e9))  # 30 years
