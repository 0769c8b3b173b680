"""Take what a policy answered while it was trained into the workspace: attempts and verdicts of a run's rollouts.

The model of such an attempt is the run, by its folder's name; the policy version says after how many steps its weights
answered (`step-0`: those that the run began with). Verdicts stand under the version that gave the reward.

Steps after the newest checkpoint of a run that is not finished are left out: the run will make them again. Not taken
in: advantages, and which rollouts were learnt from; they stay in the run's folder.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gradus.engine.parts import write_part
from gradus.engine.records import Attempt, JudgedAttempt, content_id
from gradus.engine.store import Store
from gradus.errors import DataError

THERE = "there already"
NO_PROBLEM = "its problem is not in the workspace"
UNSETTLED = "after the newest checkpoint: the run will make it again"
NEEDED = ("problem_id", "policy_version", "messages", "verifier", "verifier_version", "verdict_seconds")


def rollout_files(run: Path) -> list[Path]:
    """Return the files of a run, one a step; DataError where there is none."""
    files = sorted((run / "rollouts").glob("step-*.parquet"))
    if not files:
        raise DataError(f"{run / 'rollouts'}: no step-*.parquet; `gradus train rl` makes them")
    return files


def import_rollouts(
    files: Iterable[Path], store: Store, parts: Path, *, advance: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """Write what is new as parts, a file at a time; every rollout is kept, or dropped with a reason."""
    intake = _Intake(store, parts)
    for path in files:
        intake.take(path)
        advance(1)
    dropped = dict(sorted(intake.dropped.items()))
    return {"in": intake.kept + sum(dropped.values()), "kept": intake.kept, "dropped": dropped}


class _Intake:
    def __init__(self, store: Store, parts: Path) -> None:
        self._parts = parts
        self._problems = {row["id"] for row in store.rows("SELECT id FROM problems")}
        query = "SELECT id FROM attempts WHERE policy_version <> ''"
        self._attempts = {row["id"] for row in store.rows(query)}
        query = f"SELECT attempt_id, verifier, version FROM verdicts WHERE attempt_id IN ({query})"
        self._verdicts = {tuple(row.values()) for row in store.rows(query)}
        self.kept = 0
        self.dropped: Counter[str] = Counter()

    def take(self, path: Path) -> None:
        """Take in one step."""
        run = path.parent.parent
        rows = _read(path)
        if int(path.stem.removeprefix("step-")) > _settled(run):
            self.dropped[UNSETTLED] += len(rows)
            return
        attempts, verdicts = [], []
        for row in rows:
            attempt = _attempt(row, run.name)
            verdict = _verdict(row, attempt.id)
            if attempt.problem_id not in self._problems:
                self.dropped[NO_PROBLEM] += 1
                continue
            if attempt.id in self._attempts:
                self.dropped[THERE] += 1
            else:
                attempts.append(attempt)
            if (verdict.attempt_id, verdict.verifier, verdict.version) not in self._verdicts:
                verdicts.append(verdict)
        name = f"rollouts-{run.name}"
        write_part(self._parts, name, attempts)
        write_part(self._parts, name, verdicts)  # after a kill before this line, the next run writes them
        self.kept += len(attempts)


def _settled(run: Path) -> float:
    """Return the last step that the run will not make again."""
    record = run / "run.json"
    if record.exists() and json.loads(record.read_text())["state"] == "finished":
        return float("inf")
    return max((int(path.name.removeprefix("step-")) for path in (run / "checkpoints").glob("step-*")), default=0)


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    if missing := [name for name in NEEDED if name not in table.column_names]:
        raise DataError(
            f"{path}: no column {missing[0]!r}: an earlier version of Gradus wrote it; train again to keep it"
        )
    return table.to_pylist()


def _attempt(row: dict[str, Any], run: str) -> Attempt:
    sampling = json.loads(row["sampling"])
    return Attempt(
        problem_id=row["problem_id"],
        model_id=run,
        policy_version=row["policy_version"],
        sampler="rollout-" + content_id(sampling)[:12],
        index=row["index"],
        seed=row["seed"],
        sampling=sampling,
        messages=tuple(json.loads(row["messages"])),
        token_ids=tuple(row["token_ids"]),
        token_logprobs=tuple(row["token_logprobs"]),
        tokens_in=len(row["prompt_token_ids"]),
        seconds=row["seconds"],
        finish_reason=row["finish_reason"],
    )


def _verdict(row: dict[str, Any], attempt_id: str) -> JudgedAttempt:
    return JudgedAttempt(
        attempt_id=attempt_id,
        verifier=row["verifier"],
        version=row["verifier_version"],
        outcome=row["outcome"],
        score=row["score"],
        reason=row["reason"],
        seconds=row["verdict_seconds"],
    )
