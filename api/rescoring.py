"""Which problems need more attempts of the student before the RL band can tell, and have them made.

That is where the rate lies in the band with a probability strictly between UNSURE's ends; and where only the earlier
checkpoint that the recipe names was measured. They are attempted until each has so many in the recipe's way of asking.
Attempts count once they are judged, so a run that was killed goes on with the same problems; what has become sure by
then is not asked again. Not covered: problems that nobody tried, which `gradus sample` attempts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gradus.api import steps
from gradus.api.asking import Open
from gradus.curricula import posterior
from gradus.curricula.recipe import Recipe
from gradus.curricula.standing import Checkpoint, find_checkpoint, standing
from gradus.engine.models import model_id, resolve_model
from gradus.engine.records import HELDOUT
from gradus.engine.store import Store
from gradus.engine.unmade import Chosen
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError

UNSURE = (0.1, 0.9)


def rescore(
    workspace: Workspace, recipe: Recipe, num_attempts: int, *, workers: int, opening: Open = steps.opened
) -> dict[str, Any]:
    """Attempt each problem whose place in the band is unsure until it has so many attempts of the student."""
    if num_attempts < 1:
        raise ConfigError(f"--rescore must be at least 1, not {num_attempts}")
    student = model_id(resolve_model(recipe.student))
    asking = steps.asking_of(workspace, recipe, recipe.teacher, "sample", opening)
    if asking.model_id != student:
        raise ConfigError(
            f"--rescore measures the student, {student}, but the recipe's teacher is {asking.model_id}; "
            "give the student's folder as teacher.model"
        )
    config = replace(recipe.sample, num_attempts=num_attempts, until_passed=0)
    return steps.attempt(
        replace(asking, budget=config.budget), config, lambda store: unsure(store, recipe, student), workers=workers
    )


def unsure(store: Store, recipe: Recipe, student: str) -> Chosen:
    """Return the problems that need more attempts, of domains that have a quota."""
    now = standing(store, Checkpoint(student))
    in_band = posterior.inside(now.num_passed, now.num_attempts, *recipe.rl.band).round(posterior.DIGITS)
    ids = now.problem_ids[(UNSURE[0] < in_band) & (in_band < UNSURE[1])]
    if recipe.earlier:
        before = standing(store, find_checkpoint(store, recipe.earlier))
        ids = np.union1d(ids, np.setdiff1d(before.problem_ids, now.problem_ids))
    among = "id IN (SELECT unnest($ids::VARCHAR[])) AND domain IN (SELECT unnest($domains::VARCHAR[]))"
    named = {"tag": HELDOUT, "ids": [name.decode() for name in ids.tolist()], "domains": list(recipe.rl.quotas)}
    return Chosen(store, f"{steps.TRAINABLE} AND {among}", named)
