"""What every request passes before its route, from the outside in.

Observed numbers, times and logs it; Guarded checks host and origin, and secures the answer; Authenticated says who asks
and how often they may; Bounded limits the body; Audited writes changes down; Apologising answers where a route fails.
"""

from __future__ import annotations

from fastapi import FastAPI

from gradus.api.audit import Audited
from gradus.api.audit_log import AuditLog
from gradus.api.auth import Authenticated
from gradus.api.headers import Guarded
from gradus.api.limits import Bounded
from gradus.api.logs import Apologising, Observed
from gradus.api.metrics import Metrics
from gradus.api.settings import Settings
from gradus.api.tokens import Tokens
from gradus.engine.workspace import Workspace


def guard(app: FastAPI, workspace: Workspace, settings: Settings) -> None:
    """Put the guards before app's routes; the last that is added is the first that is passed."""
    app.state.metrics = Metrics(workspace)
    app.add_middleware(Apologising)
    app.add_middleware(Audited, log=AuditLog(workspace))
    app.add_middleware(Bounded, settings=settings)
    app.add_middleware(Authenticated, tokens=Tokens(workspace), settings=settings)
    app.add_middleware(Guarded, settings=settings)
    app.add_middleware(Observed, count=app.state.metrics.count)
