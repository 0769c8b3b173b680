"""Traces: what training sees, made from verified attempts in the student's own template."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradus.engine.parts import write_part
from gradus.engine.prompts import PromptConfig
from gradus.engine.records import HELDOUT, Message, Problem, Trace
from gradus.engine.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceConfig:
    """Which verified attempts become traces, and how they are put."""

    per_problem: int = 2
    """At most this many different passing answers of each problem and kind."""
    feedback: str = "That is not correct. Try again."
    """Said between the failed attempt and its correction."""
    prompts: dict[str, PromptConfig] = field(default_factory=dict)
    """The student's template by domain; `default` serves those not named."""

    def prompt(self, domain: str) -> PromptConfig:
        return self.prompts.get(domain) or self.prompts.get("default") or PromptConfig()


def harvest(store: Store, parts: Path, config: TraceConfig, *, run: str) -> list[Trace]:
    """Make traces of the passing attempts, write those that are new, and return all that cleaning did not drop."""
    problems = {problem.id: problem for problem in store.problems()}
    rows = store.named("passing", {"per_problem": config.per_problem, "heldout": HELDOUT})
    traces = {trace.id: trace for trace in (to_trace(row, problems[row["problem_id"]], config) for row in rows)}
    known = {row["id"] for row in store.rows("SELECT id FROM traces")}
    write_part(parts, run, [trace for trace in traces.values() if trace.id not in known])
    dropped = {row["record_id"] for row in store.rows("SELECT record_id FROM dropped")}
    return [trace for trace in traces.values() if trace.id not in dropped]


def to_trace(row: dict[str, Any], problem: Problem, config: TraceConfig) -> Trace:
    """Put a passing attempt, a row of `passing.sql`, in the student's template."""
    said = config.prompt(problem.domain).messages(problem)
    if row["failed_answer"] is not None:
        failed = Message(role="assistant", content=row["failed_answer"])
        said = (*said, failed, Message(role="user", content=config.feedback))
    answer: Message = json.loads(row["messages"])[-1]
    return Trace(
        kind="cot" if row["failed_answer"] is None else "correction",
        domain=problem.domain,
        messages=(*said, answer),
        learn=(*(False for _ in said), True),
        problem_id=problem.id,
        attempt_id=row["id"],
        failed_attempt_id=row["failed_attempt_id"],
        teacher=row["model_id"],
    )
