"""Where the student stands, problem by problem: its attempts and passes, and those of an earlier checkpoint.

A checkpoint is a model that `gradus eval` or `gradus sample` asked, by its id or its folder, or `RUN/step-N`, a
policy whose rollouts were taken in. Of the earlier checkpoint only those attempts count that were made in a way, prompt
and sampling, in which the student tried the same problem: `standing.sql`. Attempts at corrections never count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gradus.curricula.candidates import Ints
from gradus.curricula.chance import ID_BYTES
from gradus.engine.models import model_id, resolve_model
from gradus.engine.store import SQL, Store
from gradus.errors import DataError

COUNTS = ("num_attempts", "num_passed", "earlier_attempts", "earlier_passed")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights that answered: a model, or a run's policy after some steps."""

    model: str
    policy_version: str = ""

    @property
    def name(self) -> str:
        return "/".join(filter(None, (self.model, self.policy_version)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Columns of one length, in the order of problem ids."""

    problem_ids: npt.NDArray[np.bytes_]
    num_attempts: Ints
    num_passed: Ints
    earlier_attempts: Ints
    earlier_passed: Ints

    def of(self, problem_ids: npt.NDArray[np.bytes_]) -> dict[str, Ints]:
        """Return the columns COUNTS for these problems; zeros where the student made no attempt."""
        if not len(self.problem_ids):
            return {name: np.zeros(len(problem_ids), np.int64) for name in COUNTS}
        rows = np.searchsorted(self.problem_ids, problem_ids).clip(max=len(self.problem_ids) - 1)
        known = self.problem_ids[rows] == problem_ids
        return {name: np.where(known, getattr(self, name)[rows], 0) for name in COUNTS}


def standing(store: Store, student: Checkpoint, earlier: Checkpoint | None = None) -> Standing:
    """Return what the store knows of both."""
    before = earlier or Checkpoint("")
    frame = store.frame(
        (SQL / "standing.sql").read_text(),
        {
            "model": student.model,
            "policy_version": student.policy_version,
            "earlier_model": before.model,
            "earlier_version": before.policy_version,
        },
    )
    ids = np.array(frame["problem_id"].to_list(), f"S{ID_BYTES}")
    return Standing(problem_ids=ids, **{name: frame[name].to_numpy().astype(np.int64) for name in COUNTS})


def find_checkpoint(store: Store, name: str) -> Checkpoint:
    """Return the checkpoint of a name, or of a model's folder; DataError lists those that the store has attempts of."""
    if found := known_checkpoint(store, name):
        return found
    try:
        return Checkpoint(model_id(resolve_model(name)))
    except DataError:
        some = ", ".join(checkpoints(store)) or "none yet; `gradus eval` measures one"
        raise DataError(f"no checkpoint {name!r}: neither a model's folder nor one of {some}") from None


def known_checkpoint(store: Store, name: str) -> Checkpoint | None:
    """Return the checkpoint that has this name, or whose name alone begins so."""
    known = checkpoints(store)
    fitting = [point for other, point in known.items() if name and other.startswith(name)]
    return known.get(name) or (fitting[0] if len(fitting) == 1 else None)


def checkpoints(store: Store) -> dict[str, Checkpoint]:
    """Return, by name, those that the store has attempts of."""
    query = "SELECT DISTINCT model_id, policy_version FROM difficulty ORDER BY ALL"
    known = [Checkpoint(*row.values()) for row in store.rows(query)]
    return {point.name: point for point in known}
