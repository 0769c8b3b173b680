"""The HTTP application: one router a resource, one error shape (RFC 9457), OpenAPI at /docs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from gradus.api.routes import difficulty, manifests, problems, runs, sql
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, DataError, GradusError, MachineError, WorkspaceError

WEB = Path(__file__).parent / "web"
STATUS = {ConfigError: 422, DataError: 422, WorkspaceError: 409, MachineError: 503}


def create_app(workspace: Workspace) -> FastAPI:
    """Return the application of one workspace."""
    app = FastAPI(title="Gradus", version=version("gradus"), description="Curate, query and train on reasoning data.")
    app.state.workspace = workspace
    for module in (problems, difficulty, sql, manifests, runs):
        app.include_router(module.router, prefix="/v1")

    @app.exception_handler(GradusError)
    def explain(_: Request, error: GradusError) -> JSONResponse:
        return _problem(STATUS.get(type(error), 500), str(error))

    @app.exception_handler(HTTPException)
    def refuse(_: Request, error: HTTPException) -> JSONResponse:
        return _problem(error.status_code, error.detail, error.headers)

    @app.exception_handler(RequestValidationError)
    def correct(_: Request, error: RequestValidationError) -> JSONResponse:
        wrong = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return _problem(422, "; ".join(wrong))

    @app.get("/", include_in_schema=False)
    def page() -> HTMLResponse:
        return HTMLResponse((WEB / "index.html").read_text())

    return app


def _problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    body = {"type": "about:blank", "title": "request refused", "status": status, "detail": detail}
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")
