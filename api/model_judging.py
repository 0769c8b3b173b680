"""The step in which a model is asked about answers that rules could not settle; nobody takes it unasked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from gradus.api.progress import progress
from gradus.engine import model_judge
from gradus.engine.store import open_store
from gradus.engine.teachers.base import TeacherConfig, open_teacher, teachers
from gradus.engine.workspace import Workspace


def judge_by_model(workspace: Workspace, config: TeacherConfig, outcomes: Sequence[str]) -> dict[str, Any]:
    """Ask a model about every attempt on which rules came to one of outcomes, and it has not spoken yet."""
    name = teachers[config.kind].identify(config)
    with workspace.writing():
        with open_store(workspace) as store:
            rows = model_judge.unsettled(store, name, outcomes)
        counts: dict[str, int] = {}
        if rows:
            with closing(open_teacher(config)) as teacher, progress("judge", len(rows)) as advance:
                counts = dict(model_judge.judge(rows, teacher, workspace.parts, advance=advance))
            with open_store(workspace):
                pass
    return {"judge": name, "judged": len(rows), "outcomes": counts}
