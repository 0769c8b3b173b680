"""The page: HTML, style and scripts out of `api/web`, and nothing else. Its data come over REST, as anyone's would."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

WEB = Path(__file__).parent / "web"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
PAGE = WEB / "index.html"
ASSETS = {path.name: path for path in sorted(WEB.iterdir()) if path.suffix in TYPES and path.suffix != ".html"}

router = APIRouter(include_in_schema=False)


@router.get("/")
def page(request: Request) -> Response:
    """Return the page; what it shows is told apart behind the `#`."""
    return _file(PAGE, request)


@router.get("/web/{name}")
def asset(name: str, request: Request) -> Response:
    """Return one file of the page. Names are looked up, so none leads elsewhere."""
    if name not in ASSETS:
        raise HTTPException(404, f"the page has no file {name!r}")
    return _file(ASSETS[name], request)


def _file(path: Path, request: Request) -> Response:
    content = path.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=TYPES[path.suffix], headers=headers)
