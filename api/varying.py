"""Make new problems from old: plan, let teachers write and solve round by round, and keep what they agree on.

All that a teacher said is in the workspace's attempts, and a round's problems, tries and drops are written when it is
settled: a run that is killed goes on where it was, and a finished one has nothing to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, fields
from itertools import islice
from typing import Any

from gradus.api.asking import Open
from gradus.api.crew import RUN, Crew, held_open
from gradus.api.steps import opened
from gradus.api.vary_plan import kept_for_evaluation, planned
from gradus.curricula.recipe import Recipe
from gradus.engine.clean.leaks import LeakIndex
from gradus.engine.clean.runs import reason_kinds
from gradus.engine.parts import write_part
from gradus.engine.records import Drop, Problem, Variant, content_id
from gradus.engine.store import Store, open_store
from gradus.engine.varying.aligned import Need
from gradus.engine.varying.asks import key_of
from gradus.engine.varying.checks import evaluation_index
from gradus.engine.varying.plan import Idea, Plan
from gradus.engine.varying.trials import Trial, leave_out_known, leave_out_twins, settle, variant_id
from gradus.engine.workspace import Workspace


def vary(workspace: Workspace, recipe: Recipe, *, workers: int, opening: Open = opened) -> dict[str, Any]:
    """Make new problems until there are as many as the recipe wants, or as many tries as it allows."""
    with workspace.writing(), held_open(opening) as held, open_store(workspace) as store:
        plan, found = planned(store, recipe)
        index = evaluation_index(kept_for_evaluation(store, recipe.vary.aligned))
        rounds = _Rounds(Crew(workspace, recipe, held, store), index, workers)
        rounds.run(plan)
    return rounds.counts() | {"refused_problems": _told_refused(plan), "skills": _told_skills(found, rounds.tried)}


def show_plan(workspace: Workspace, recipe: Recipe) -> dict[str, Any]:
    """Return what `vary` would try first, and ask; nothing is written."""
    config = recipe.vary
    with workspace.writing(), open_store(workspace) as store:
        plan, found = planned(store, recipe)
        crew = Crew(workspace, recipe, opened, store)
    first = list(islice(plan.ideas(config.seed), config.num))
    every = {problem.id for by_way in plan.suited.values() for suited in by_way.values() for problem in suited}
    return {
        "teachers": list(crew.model_ids),
        "wanted": config.num,
        "tries_at_most": config.num * config.tries,
        "first_round": dict(Counter(idea.way for idea in first)),
        "solutions_each": config.solutions,
        "agree": config.agree,
        "problems": len(every),
        "refused_problems": _told_refused(plan),
        "skills": _told_skills(found, []) if config.aligned else [],
    }


class _Rounds:
    """Ideas go in, and come out as problems or drops."""

    def __init__(self, crew: Crew, index: LeakIndex | None, workers: int) -> None:
        self.tried: list[Variant] = []
        self._crew, self._index, self._workers = crew, index, workers
        self._config = crew.recipe.vary
        self._rules = _rules(crew)
        self._taken: set[str] = set()
        self._open = self._added = 0

    @property
    def kept(self) -> int:
        return sum(1 for variant in self.tried if variant.problem_id)

    def run(self, plan: Plan) -> None:
        """Take round after round until enough are kept, all tries are made, or answers are missing."""
        ideas, most = plan.ideas(self._config.seed), self._config.num * self._config.tries
        while self.kept < self._config.num and len(self.tried) < most and not self._open:
            missing = self._config.num - self.kept
            self._take(list(islice(ideas, min(missing, most - len(self.tried)))))

    def counts(self) -> dict[str, Any]:
        """Return the funnel, by reason and by way, and what asking came to."""
        ways: dict[str, Counter[str]] = {}
        for variant in self.tried:
            ways.setdefault(variant.way, Counter(tried=0, kept=0)).update(tried=1, kept=bool(variant.problem_id))
        shares = [variant.share for variant in self.tried if variant.problem_id and variant.share is not None]
        crew = self._crew
        return {
            "in": len(self.tried) + self._open,
            "kept": self.kept,
            "dropped": reason_kinds({v.id: v.reason for v in self.tried if not v.problem_id}),
            "open": self._open,
            "added": self._added,
            "ways": {name: dict(found) for name, found in sorted(ways.items())},
            "mean_share": sum(shares) / len(shares) if shares else None,
            **{name: crew.asked[name] for name in ("made", "refused", "failed", "left")},
            "failure": crew.failure,
            "stopped": crew.stopped,
            "spent": asdict(crew.spent),
        }

    def _take(self, ideas: Sequence[Idea]) -> None:
        there = _stored(self._crew.store, [variant_id(idea, self._rules) for idea in ideas])
        self._taken |= {variant.problem_id for variant in there.values() if variant.problem_id}
        trials = [Trial(idea, self._config) for idea in ideas if variant_id(idea, self._rules) not in there]
        self._draft(trials)
        num_teachers = len(self._crew.teachers)
        said = self._crew.ask([ask for trial in trials for ask in trial.solving(num_teachers)])
        settle(trials, said, num_teachers, workers=self._workers)
        self.tried += [*there.values(), *self._keep(trials)]

    def _draft(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            trial.begin()
        said = self._crew.ask([ask for trial in trials for ask in trial.writing])
        for trial in trials:
            for one in trial.writing:
                if answer := said.get(key_of(*one)):
                    trial.read(answer)
        leave_out_twins(trials)

    def _keep(self, trials: Sequence[Trial]) -> list[Variant]:
        """Write what is settled, the problems first: a try is settled only when its problem is there."""
        store, parts = self._crew.store, self._crew.workspace.parts
        known = _problems(store, [trial.problem.id for trial in trials if trial.problem])
        leave_out_known(trials, self._index, known, self._taken)
        settled = [trial.variant(self._rules) for trial in trials if trial.problem or trial.reason]
        fresh = [trial.problem for trial in trials if trial.problem and trial.problem.id not in known]
        write_part(parts, RUN, fresh)
        write_part(parts, RUN, [Drop(record_id=v.id, step=RUN, reason=v.reason) for v in settled if v.reason])
        write_part(parts, RUN, settled)
        store.sync(parts)
        self._added += len(fresh)
        self._open += len(trials) - len(settled)
        return settled


def _rules(crew: Crew) -> str:
    """Name what decides about a try; how many are wanted, and the budget, do not."""
    without = {"num", "tries", "budget", "teachers", "ways", "tag"}
    config = crew.recipe.vary
    return content_id(
        {f.name: _plain(getattr(config, f.name)) for f in fields(config) if f.name not in without}, crew.model_ids
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: [asdict(style) for style in styles] for key, styles in value.items()}
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value


def _stored(store: Store, ids: Sequence[str]) -> dict[str, Variant]:
    rows = store.rows("FROM variants WHERE id IN (SELECT unnest($ids))", {"ids": list(ids)})
    return {row["id"]: Variant(**(row | {"parents": tuple(row["parents"])})) for row in rows}


def _problems(store: Store, ids: Sequence[str]) -> dict[str, Problem]:
    return {problem.id: problem for problem in store.problems("id IN (SELECT unnest($ids))", {"ids": list(ids)})}


def _told_refused(plan: Plan) -> dict[str, dict[str, int]]:
    return {way: dict(why) for way, why in plan.refused.items() if why}


def _told_skills(found: Sequence[Need], tried: Sequence[Variant]) -> list[dict[str, Any]]:
    """Return the skills with what was tried and kept for each."""
    kept = Counter(variant.group for variant in tried if variant.problem_id)
    every = Counter(variant.group for variant in tried)
    return [
        asdict(need.skill)
        | {"to_vary": len(need.group.problems) if need.group else 0}
        | {"tried": every[need.skill.name], "kept": kept[need.skill.name]}
        for need in found
    ]
