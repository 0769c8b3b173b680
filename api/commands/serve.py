"""`gradus serve`: REST, the page, and OpenAPI at /docs."""

from __future__ import annotations

import argparse

from gradus.api.commands.base import Result, command
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="loopback only: there are no tokens yet")
    parser.add_argument("--port", type=int, default=8000)


@command("serve", 11, _arguments)
def serve(args: argparse.Namespace) -> Result:
    """Serve the workspace over HTTP, on this machine alone."""
    import uvicorn

    from gradus.api.app import create_app

    if args.host not in LOOPBACK:
        raise ConfigError(f"--host {args.host}: requests are not authenticated, so only {', '.join(LOOPBACK)} is taken")
    uvicorn.run(create_app(Workspace.find(args.workspace)), host=args.host, port=args.port, log_level="info")
    return Result({})
