"""Failure-driven correction: show a teacher a failed attempt, and keep what then passes.

The teacher sees the failed attempt, the verdict's reason and, where the problem has one, the reference
answer. The trace that training sees has none of these hints: the failed attempt, a plain remark that it
is wrong, and the corrected answer.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field

from gradus.engine.prompts import Shot, opening
from gradus.engine.records import HELDOUT, Message, Problem, content_id
from gradus.engine.sample import Ask
from gradus.engine.store import Store
from gradus.engine.teachers.base import SamplingConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectDomainConfig:
    """How a correction is asked for, in one domain. Shots are whole questions, as `ask` would put them."""

    system: str = ""
    shots: tuple[Shot, ...] = ()
    ask: str = "{prompt}\n\nThis answer is wrong:\n{answer}\n\nReason: {reason}.\n{hint}Write a right answer."
    hint: str = "The right answer is {expected}.\n"
    """Fills `{hint}` where the problem has a reference answer; else that is empty."""
    sampling: SamplingConfig = SamplingConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectConfig:
    """Which failures are corrected, and how often it is tried."""

    failures_per_problem: int = 1
    tries: int = 1
    seed: int = 1000
    domains: dict[str, CorrectDomainConfig] = field(default_factory=dict)

    def domain(self, name: str) -> CorrectDomainConfig:
        return self.domains.get(name) or self.domains.get("default") or CorrectDomainConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failed attempt (parseable, and wrong) with its problem."""

    attempt_id: str
    answer: str
    reason: str
    problem: Problem


def failures(store: Store, model_id: str, per_problem: int) -> list[Failure]:
    """Return up to per_problem failed attempts of each problem, with different answers."""
    parameters = {"model": model_id, "per_problem": per_problem, "heldout": HELDOUT}
    problems = {problem.id: problem for problem in store.problems()}
    return [
        Failure(attempt_id=r["id"], answer=r["answer"], reason=r["reason"], problem=problems[r["problem_id"]])
        for r in store.named("failures", parameters)
    ]


def plan_corrections(found: list[Failure], config: CorrectConfig, done: set[tuple[str, str, int]]) -> list[Ask]:
    """Return the corrections to ask for; done holds (failed attempt id, sampler, index)."""
    asks = []
    for index in range(config.tries):
        for failure in found:
            domain = config.domain(failure.problem.domain)
            sampler = "correct-" + content_id(asdict(domain))[:12]
            if (failure.attempt_id, sampler, index) not in done:
                asks.append(
                    Ask(
                        problem_id=failure.problem.id,
                        messages=messages(failure, domain),
                        sampler=sampler,
                        sampling=domain.sampling,
                        seed=config.seed + index,
                        index=index,
                        failed_attempt_id=failure.attempt_id,
                    )
                )
    return asks


def messages(failure: Failure, domain: CorrectDomainConfig) -> tuple[Message, ...]:
    """Return the conversation that asks for a correction."""
    expected = failure.problem.spec.get("expected")
    fill = {
        "prompt": failure.problem.prompt,
        "answer": failure.answer,
        "reason": failure.reason.rstrip("."),
        "hint": domain.hint.replace("{expected}", str(expected)) if expected is not None else "",
    }
    # One pass: what a model wrote may itself hold braces.
    ask = re.sub(r"\{(prompt|answer|reason|hint)\}", lambda match: fill[match[1]], domain.ask)
    return (*opening(domain.system, domain.shots), Message(role="user", content=ask))


def corrections_done(store: Store, teacher_id: str) -> set[tuple[str, str, int]]:
    """Return (failed attempt id, sampler, index) of the corrections that a teacher has been asked for."""
    query = (
        'SELECT failed_attempt_id, sampler, "index" FROM attempts '
        "WHERE failed_attempt_id IS NOT NULL AND model_id = $teacher"
    )
    rows = store.rows(query, {"teacher": teacher_id})
    return {(row["failed_attempt_id"], row["sampler"], row["index"]) for row in rows}
