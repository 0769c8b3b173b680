"""A workspace's held-out problems in a run's folder, for a trainer that has no database.

They are put as the manifest's recipe puts them to the student, the first by id of each domain, and are written once: a
run that goes on is evaluated on the same.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from gradus.config import build
from gradus.curricula import manifest as manifests
from gradus.engine.parts import atomic_file
from gradus.engine.records import HELDOUT, Problem
from gradus.engine.sample import SampleConfig
from gradus.engine.store import open_snapshot
from gradus.engine.workspace import Workspace
from gradus.errors import DataError
from gradus.trainer.heldout import FILE


def write_heldout(workspace: Workspace, manifest: Path, folder: Path) -> None:
    """Write the file, unless it is there."""
    if (folder / FILE).exists():
        return
    config = build(SampleConfig, manifests.read(manifest).recipe.get("evaluate", {}), f"{manifest}: recipe.evaluate")
    with open_snapshot(workspace) as store:
        problems = store.problems("list_contains(tags, $tag)", {"tag": HELDOUT})
    if not problems:
        raise DataError(
            f"{workspace.root}: no held-out problems to evaluate on; `gradus problems generate --heldout N` makes "
            "some. Or give evaluate.problems=FILE, or evaluate.attempts=0."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_file(folder / FILE) as file:
        for problem in problems:
            file.write(f"{json.dumps(_row(problem, config))}\n".encode())


def _row(problem: Problem, config: SampleConfig) -> dict[str, object]:
    asked = config.domain(problem.domain)
    return {
        "problem_id": problem.id,
        "domain": problem.domain,
        "verifier": problem.verifier,
        "spec": problem.spec,
        "messages": asked.prompt.messages(problem.prompt),
        "sampling": asdict(asked.sampling),
    }
