"""Which problems a step of reinforcement takes: exact quotas, a function of the seed, the step and what was replaced.

Every active problem has a place, and a pass takes every place at most once. A problem whose answers all scored the
same teaches nothing: the next of its domain's reserve takes its place, from the next pass on, and it goes to the
reserve's end, for the policy moves on. The reserve begins with the surest to lie in the band. What was replaced follows
from the groups of the steps before, in their order, so that a resumed run has only to look at those again.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradus.config import build
from gradus.curricula.manifest import Manifest, RLSection
from gradus.curricula.verify_rl import problem_rows
from gradus.engine.records import Message
from gradus.engine.teachers.base import SamplingConfig
from gradus.errors import ConfigError, DataError
from gradus.log import logger

Group = tuple[str, Sequence[float | None]]
"""A problem's id and what its answers scored: None where one could not be judged."""
RESERVE = "reserve"


@dataclass(frozen=True, slots=True, kw_only=True)
class RLProblem:
    """A row of the RL section: what is asked, and what judges the answers."""

    problem_id: str
    domain: str
    verifier: str
    spec: Mapping[str, Any]
    messages: tuple[Message, ...]
    sampling: SamplingConfig


class ProblemBatches:
    """The problems of an RL section, in batches of exact quotas."""

    def __init__(self, manifest_path: Path, manifest: Manifest, *, seed: int) -> None:
        section = manifest.rl
        if section is None:
            raise DataError(f"{manifest_path}: no RL section; build the curriculum with problems inside its band")
        self._seed = seed
        rows = list(problem_rows(manifest_path, section, manifest.format))
        sampling = {row["domain"]: _sampling(section, row["domain"]) for row in rows}
        self._active: dict[str, list[RLProblem]] = {}
        self._reserve: dict[str, list[RLProblem]] = {}
        for row in sorted(rows, key=_turn):
            side = self._active if row.get("role") != RESERVE else self._reserve
            side.setdefault(row["domain"], []).append(_problem(row, sampling[row["domain"]]))
        self._places = {
            problem.problem_id: (problems, place)
            for problems in self._active.values()
            for place, problem in enumerate(problems)
        }
        # Never more than there are: a batch holds no problem twice.
        self.quotas = {name: min(quota, self.available(name)) for name, quota in section.quotas.items()}
        if not any(self.quotas.values()):
            raise DataError(f"{manifest_path}: its RL quotas {section.quotas} meet no problem")
        for name, quota in section.quotas.items():
            if self.quotas[name] < quota:
                logger.warning("minibatches hold %d of %s, not %d: no more problems", self.quotas[name], name, quota)

    def available(self, domain: str) -> int:
        return len(self._active.get(domain, ()))

    @property
    def num_reserve(self) -> int:
        return sum(map(len, self._reserve.values()))

    def take(self, step: int) -> list[RLProblem]:
        """Return the problems of a step, counted from 1; all places are seen about equally often."""
        return [problem for domain, quota in self.quotas.items() for problem in self._take(domain, quota, step)]

    def replace_settled(self, groups: Iterable[Group]) -> int:
        """Replace the problems whose groups are settled, where any are in reserve; return how many were."""
        settled = [problem_id for problem_id, scores in groups if is_settled(scores)]
        replaced = [problem for problem in map(self._replace, settled) if problem]
        # Only now: what has just been replaced takes no place at once.
        for problem in replaced:
            self._reserve[problem.domain].append(problem)
        return len(replaced)

    def _replace(self, problem_id: str) -> RLProblem | None:
        """Let the first of the reserve take an active problem's place, and return the latter; None if nobody waits."""
        problems, place = self._places[problem_id]
        problem = problems[place]
        waiting = self._reserve.get(problem.domain)
        if not waiting:
            return None
        problems[place] = waiting.pop(0)
        self._places[problems[place].problem_id] = self._places.pop(problem_id)
        return problem

    def _take(self, domain: str, quota: int, step: int) -> list[RLProblem]:
        if not quota:
            return []
        problems = self._active[domain]
        steps_per_pass = len(problems) // quota
        number, position = divmod(step - 1, steps_per_pass)
        order = random.Random(f"{self._seed} {domain} {number}").sample(problems, len(problems))
        return order[position * quota : (position + 1) * quota]


def is_settled(scores: Sequence[float | None]) -> bool:
    """Say whether more than half of a group could be judged, and all that could scored the same."""
    judged = [score for score in scores if score is not None]
    return 2 * len(judged) > len(scores) and len(set(judged)) == 1


def _turn(row: Mapping[str, Any]) -> float:
    """Sort the reserve by how surely the rate lies in the band; the active ones keep their order."""
    return -float(row["in_band"]) if row.get("role") == RESERVE else 0.0


def _sampling(section: RLSection, domain: str) -> SamplingConfig:
    settings = section.sampling.get(domain, {})
    sampling = build(SamplingConfig, settings | {"logprobs": True}, f"the manifest's sampling of {domain}")
    if sampling.temperature <= 0:
        raise ConfigError(f"the manifest's sampling of {domain} is greedy: equal answers teach nothing")
    return sampling


def _problem(row: dict[str, Any], sampling: SamplingConfig) -> RLProblem:
    return RLProblem(
        problem_id=row["problem_id"],
        domain=row["domain"],
        verifier=row["verifier"],
        spec=json.loads(row["spec"]),
        messages=tuple(json.loads(row["messages"])),
        sampling=sampling,
    )
