"""What a step of a training run learnt from: from a point of the loss curve back to traces, or to rollouts.

Supervised: which traces a step takes follows from the manifest and the run's settings alone, so it can be told of any
step, taken or not. Reinforcement: the rollouts that the run kept of that step. Not covered: the loss of each trace.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from gradus.api.runs import describe, find_run, read_metrics
from gradus.config import build
from gradus.curricula import manifest as manifests
from gradus.curricula.find import find_manifest
from gradus.engine.workspace import Workspace
from gradus.errors import DataError
from gradus.trainer.config import SFTConfig
from gradus.trainer.data import CurriculumData
from gradus.trainer.run import EVENTS, read_rows

ROLLOUT_COLUMNS = ["problem_id", "domain", "index", "outcome", "score", "advantage", "used"]


def blame(workspace: Workspace, name: str, step: int) -> dict[str, Any]:
    """Return what was measured at a step, what happened there, and the traces or rollouts that it learnt from."""
    folder = find_run(workspace, name)
    record = describe(folder)
    if "kind" not in record:
        raise DataError(f"{folder}: there is no run.json; the run has not begun")
    found = {
        "run": name,
        "step": step,
        "metrics": next((row for row in read_metrics(folder) if row["step"] == step), None),
        "events": [event for event in read_rows(folder / EVENTS) if event["step"] == step],
    }
    if record["kind"] == "rl":
        return found | {"rollouts": _rollouts(folder, step)}
    path = find_manifest(workspace, record["manifest"])
    data = CurriculumData(path, manifests.read(path), build(SFTConfig, record["config"], str(folder / "run.json")))
    if not 1 <= step <= data.num_steps:
        raise DataError(f"run {name} has no step {step}; its steps are 1 to {data.num_steps}")
    return found | {"stage": data.plan(step).name, "traces": data.traces(step).to_pylist()}


def _rollouts(folder: Path, step: int) -> list[dict[str, Any]]:
    path = folder / "rollouts" / f"step-{step:04d}.parquet"
    if not path.exists():
        raise DataError(f"{path}: there is none; the run has not taken step {step}")
    rows: list[dict[str, Any]] = pq.read_table(path, columns=ROLLOUT_COLUMNS).to_pylist()
    return rows
