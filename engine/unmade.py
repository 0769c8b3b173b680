"""What has yet to be attempted, read from a store a batch at a time: memory does not depend on how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gradus.engine.records import Problem
from gradus.engine.sample import Ask, SampleConfig, plan
from gradus.engine.store import SQL, Store, to_problem


@dataclass(frozen=True, slots=True)
class Chosen:
    """The problems of an open store that meet a condition, in the order of their ids."""

    store: Store
    where: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(self.by_domain().values())

    def by_domain(self) -> dict[str, int]:
        """Return how many problems of each domain there are."""
        query = f"SELECT domain, count(*) AS n FROM problems WHERE {self.where} GROUP BY domain"
        return {row["domain"]: row["n"] for row in self.store.rows(query, dict(self.parameters))}

    def __iter__(self) -> Iterator[Problem]:
        query = f"SELECT * FROM problems WHERE {self.where} ORDER BY id"
        for rows in self.store.batches(query, dict(self.parameters)):
            yield from map(to_problem, rows)

    def unmade(self, config: SampleConfig, model_id: str) -> Iterator[Ask]:
        """Yield the attempts that a model has not made, a batch of problems after the other."""
        made = (SQL / "made_attempts.sql").read_text()
        query = (
            "SELECT problems.*, made.attempts FROM problems "
            f"LEFT JOIN ({made}) AS made ON made.problem_id = problems.id "
            f"WHERE {self.where} ORDER BY problems.id"
        )
        for rows in self.store.batches(query, {**self.parameters, "model": model_id}):
            attempts = {row["id"]: row.pop("attempts") or () for row in rows}
            done = {(name, one["sampler"], one["index"]) for name, some in attempts.items() for one in some}
            yield from plan([to_problem(row) for row in rows], config, done)
