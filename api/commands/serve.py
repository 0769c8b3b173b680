"""`gradus serve`: REST, the page, and metrics, guarded as docs/rest.md says."""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
from collections.abc import Iterator
from pathlib import Path

from gradus.api.commands.base import Result, command
from gradus.api.settings import Settings
from gradus.api.tokens import Tokens
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, WorkspaceError
from gradus.log import logger

GRACE_S = 10
"""For answers that have begun when the server is told to stop."""
KEEP_ALIVE_S = 15


def _arguments(parser: argparse.ArgumentParser) -> None:
    defaults = Settings()
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; beyond loopback a token is needed")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one (default: 8000)")
    parser.add_argument("--log-format", choices=("text", "json"), default="text", help="of the lines on standard error")
    guards = parser.add_argument_group("guards")
    guards.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="a name that clients reach this server by"
    )
    guards.add_argument(
        "--allow-origin", action="append", default=[], metavar="ORIGIN", help="let pages of https://NAME ask (CORS)"
    )
    guards.add_argument(
        "--requests-per-s",
        type=float,
        default=defaults.requests_per_s,
        help=f"of one token, in the long run; 0 for no limit (default: {defaults.requests_per_s:g})",
    )
    guards.add_argument(
        "--max-body-mb", type=float, default=defaults.max_body_bytes / 2**20, help="of a request (default: 2)"
    )
    guards.add_argument(
        "--max-upload-mb", type=float, default=1024, help="of a file sent to /v1/imports (default: 1024)"
    )
    guards.add_argument("--certificate", type=Path, metavar="PEM", help="serve HTTPS with this certificate (chain)")
    guards.add_argument("--key", type=Path, metavar="PEM", help="the certificate's private key")


@command("serve", 11, _arguments)
def serve(args: argparse.Namespace) -> Result:
    """Serve the workspace over HTTP: REST, SQL, the page and metrics."""
    import uvicorn

    from gradus.api.app import create_app
    from gradus.api.logs import log_to_stderr
    from gradus.api.wire import Limited

    workspace = Workspace.find(args.workspace)
    settings = _settings(args, workspace)
    log_to_stderr(args.log_format)
    _bring_up_to_date(workspace)
    config = uvicorn.Config(
        create_app(workspace, settings),
        host=args.host,
        port=args.port,
        http=Limited,
        ws="none",
        access_log=False,  # ours has the request's id
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=args.certificate,
        ssl_keyfile=args.key,
    )
    with _naming_a_taken_port(args):
        uvicorn.Server(config).run()
    return Result({}, "stopped")


def _settings(args: argparse.Namespace, workspace: Workspace) -> Settings:
    """Check the options, say who may come, and return the guards."""
    tokens = [token for token in Tokens(workspace).all() if token.state == "active"]
    local = _is_loopback(args.host)
    if not local and not tokens:
        raise ConfigError(
            f"--host {args.host}: no token is configured, so anybody who reaches this address could do anything; "
            "`gradus token create --name NAME --scope read` makes one, or leave --host 127.0.0.1"
        )
    if args.requests_per_s < 0 or args.max_body_mb <= 0 or args.max_upload_mb <= 0:
        raise ConfigError("--requests-per-s is at least 0, --max-body-mb and --max-upload-mb are more")
    if (args.certificate is None) != (args.key is None):
        raise ConfigError("--certificate and --key go together")
    for origin in args.allow_origin:
        if not origin.startswith(("http://", "https://")) or origin.count("/") != 2 or "*" in origin:
            raise ConfigError(f"--allow-origin {origin}: an origin is http(s)://NAME[:PORT], without a path or *")
    if tokens:
        logger.info("%d active tokens: every request but the page's own files needs one", len(tokens))
        if not local and not args.certificate:
            logger.warning(
                "tokens cross the network in plain text: give --certificate and --key, or a TLS proxy before"
            )
    else:
        logger.info("no token is configured: only this machine is served, and whoever is on it may do anything")
    return Settings(
        hosts=tuple(args.allow_host),
        origins=tuple(origin.rstrip("/") for origin in args.allow_origin),
        tokens_required=not local,
        requests_per_s=args.requests_per_s or None,
        burst=max(1, round(2 * args.requests_per_s)),
        max_body_bytes=round(args.max_body_mb * 2**20),
        uploads={path: round(args.max_upload_mb * 2**20) for path in Settings().uploads},
    )


def _bring_up_to_date(workspace: Workspace) -> None:
    """Publish what parts and migrations the newest snapshot lacks, unless somebody else is writing and will."""
    from gradus.engine.store import open_store

    if not workspace.database.exists():
        return
    try:
        with workspace.writing(), open_store(workspace):
            pass
    except WorkspaceError as error:
        logger.warning("the newest snapshot is served as it is: %s", error)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextlib.contextmanager
def _naming_a_taken_port(args: argparse.Namespace) -> Iterator[None]:
    """Turn uvicorn's exit into our error; what went wrong is in its log."""
    try:
        yield
    except SystemExit as error:
        if error.code:
            raise WorkspaceError(
                f"--host {args.host} --port {args.port}: cannot be listened on; see the line above, or take --port 0"
            ) from None
