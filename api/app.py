"""The HTTP application: one router a resource, one error shape (RFC 9457), OpenAPI at /docs."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse

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

    @app.get("/", include_in_schema=False)
    def page() -> HTMLResponse:
        return HTMLResponse((WEB / "index.html").read_text())

    return app


def _problem(status: int, detail: str) -> JSONResponse:
    body = {"type": "about:blank", "title": "request refused", "status": status, "detail": detail}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")
