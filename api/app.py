"""The HTTP application: one router a resource, one error shape (RFC 9457), OpenAPI at /openapi.json."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from types import ModuleType

from fastapi import APIRouter, FastAPI

from gradus.api import pages
from gradus.api.auth import ScopeName, needs
from gradus.api.faults import answer_errors
from gradus.api.guards import guard
from gradus.api.idempotency import Answers, KeepAnswers
from gradus.api.jobs.queue import Queue
from gradus.api.methods import Methods
from gradus.api.openapi import describe, operation_id
from gradus.api.routes import (
    attempts,
    curricula,
    difficulty,
    drift,
    exports,
    imports,
    jobs,
    labels,
    manifests,
    operations,
    problems,
    queries,
    runs,
    sql,
    traces,
    verdicts,
    views,
)
from gradus.api.settings import Settings
from gradus.api.snapshots import Snapshots
from gradus.engine.workspace import Workspace

ROUTES: dict[ScopeName, tuple[ModuleType, ...]] = {
    "read": (problems, attempts, verdicts, traces, difficulty, drift, views),
    "curate": (manifests, curricula, labels, imports, exports),
    "query": (sql, queries),
    "train": (runs, jobs),
}
"""Which scope it takes to change something by a resource; to read any takes `read`."""
DEFAULTS = Settings()


def create_app(workspace: Workspace, settings: Settings = DEFAULTS) -> FastAPI:
    """Return the application of one workspace."""
    app = FastAPI(
        title="Gradus",
        version=version("gradus"),
        description="Curate, query and train on reasoning data.",
        docs_url=None,  # they load scripts from elsewhere; the page has a reference of its own
        redoc_url=None,
        lifespan=_router().lifespan_context,
    )
    app.state.workspace = workspace
    app.state.snapshots = Snapshots(workspace)
    app.state.answers = Answers(workspace)
    app.state.queue = Queue(workspace)
    answer_errors(app)
    describe(app)
    app.add_middleware(Methods)
    app.add_middleware(KeepAnswers, answers=app.state.answers)
    guard(app, workspace, settings)
    app.router.routes.extend(_router().routes)
    return app


@cache
def _router() -> APIRouter:
    """Return every route, made once: they know no workspace, and take most of the time that an application does."""
    router = APIRouter(generate_unique_id_function=operation_id)
    for change, modules in ROUTES.items():
        for module in modules:
            router.include_router(module.router, prefix="/v1", dependencies=[needs(change)])
    router.include_router(operations.router)
    router.include_router(pages.router)
    return router
