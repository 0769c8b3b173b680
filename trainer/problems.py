"""Which problems a step of reinforcement takes: exact quotas, a function of the seed and the step."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradus.config import build
from gradus.curricula.manifest import Manifest, RLSection, read_shard
from gradus.engine.records import Message
from gradus.engine.teachers.base import SamplingConfig
from gradus.errors import ConfigError, DataError


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
        rows = read_shard(manifest_path, section.problems).to_pylist()
        sampling = {row["domain"]: _sampling(section, row["domain"]) for row in rows}
        self._by_domain: dict[str, list[RLProblem]] = {}
        for row in rows:
            self._by_domain.setdefault(row["domain"], []).append(_problem(row, sampling[row["domain"]]))
        # Never more than there are: a batch holds no problem twice.
        self.quotas = {name: min(quota, self.available(name)) for name, quota in section.quotas.items()}
        if not any(self.quotas.values()):
            raise DataError(f"{manifest_path}: its RL quotas {section.quotas} meet no problem")

    def available(self, domain: str) -> int:
        return len(self._by_domain.get(domain, ()))

    def take(self, step: int) -> list[RLProblem]:
        """Return the problems of a step, counted from 1; all are seen about equally often."""
        return [problem for domain, quota in self.quotas.items() for problem in self._take(domain, quota, step)]

    def _take(self, domain: str, quota: int, step: int) -> list[RLProblem]:
        if not quota:
            return []
        problems = self._by_domain[domain]
        steps_per_pass = len(problems) // quota
        number, position = divmod(step - 1, steps_per_pass)
        order = random.Random(f"{self._seed} {domain} {number}").sample(problems, len(problems))
        return order[position * quota : (position + 1) * quota]


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
