"""Failure-driven correction: show a teacher a failed attempt, and keep what then passes.

The teacher sees the failed attempt, the verdict's reason and, where the problem has one, the reference answer. What
training sees has none of these hints: making/revise.py refuses corrections that speak of them, and making/forms.py says
how the others are put. Whose failures are corrected is the student's, or a finder's: a model that fails otherwise.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase

from gradus.engine.calls import written
from gradus.engine.making.locate import first_wrong_step, numbered
from gradus.engine.making.reply import REPLY_FORM
from gradus.engine.prompts import Shot, opening
from gradus.engine.records import HELDOUT, Message, Problem, ToolCall, content_id
from gradus.engine.sample import Ask
from gradus.engine.spending import Budget
from gradus.engine.store import Store, to_problem
from gradus.engine.teachers.base import SamplingConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectDomainConfig:
    """How a correction is asked for, in one domain. Shots are whole questions, as `ask` would put them."""

    system: str = ""
    shots: tuple[Shot, ...] = ()
    ask: str = "{prompt}\n\nThis answer is wrong:\n{answer}\n\nReason: {reason}.\n{hint}Write a right answer."
    """Besides: `{steps}`, the answer's steps with numbers; `{located}`, the first that states a wrong equation, if one
    does; `{form}`, the request to name the first wrong step and to go on from there (making/reply.py)."""
    hint: str = "The right answer is {expected}.\n"
    """Fills `{hint}` where the problem has a reference answer; else that is empty."""
    sampling: SamplingConfig = SamplingConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectConfig:
    """Which failures are corrected, and how often it is tried."""

    failures_per_problem: int = 1
    tries: int = 1
    seed: int = 1000
    finder: str = ""
    """Whose failures: a model's folder, or its id in the workspace; empty: the student's."""
    most: dict[str, int] = field(default_factory=dict)
    """At most so many failures of a kind, by `domain/kind`; the first pattern that fits counts, `*` stands for any."""
    budget: Budget = Budget()
    domains: dict[str, CorrectDomainConfig] = field(default_factory=dict)

    def domain(self, name: str) -> CorrectDomainConfig:
        return self.domains.get(name) or self.domains.get("default") or CorrectDomainConfig()

    def __post_init__(self) -> None:
        if self.budget.passed:
            raise ValueError("correct takes a budget of tokens or money, not of passes")
        if min(self.most.values(), default=0) < 0:
            raise ValueError("most must not hold a negative number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failed attempt (parseable, and wrong) with its problem."""

    attempt_id: str
    answer: str
    reason: str
    kind: str
    problem: Problem

    @property
    def component(self) -> str:
        return f"{self.problem.domain}/{self.kind}"


def failures(store: Store, model_id: str, per_problem: int) -> list[Failure]:
    """Return up to per_problem failed attempts of each problem, with different answers; they have kinds by now."""
    parameters = {"model": model_id, "per_problem": per_problem, "heldout": HELDOUT}
    return [
        Failure(
            attempt_id=row.pop("attempt_id"),
            answer=row.pop("answer"),
            reason=row.pop("reason"),
            kind=row.pop("kind"),
            problem=to_problem(row),
        )
        for row in store.named("failures", parameters)
    ]


def limited(found: Sequence[Failure], most: dict[str, int], done: set[tuple[str, str, int]]) -> list[Failure]:
    """Return the failures less those of which there are too many; what has been corrected counts first."""
    begun = {attempt_id for attempt_id, _, _ in done}
    taken: Counter[str] = Counter()
    kept = []
    for failure in sorted(found, key=lambda failure: failure.attempt_id not in begun):
        pattern = next((pattern for pattern in most if fnmatchcase(failure.component, pattern)), None)
        if pattern is None or taken[failure.component] < most[pattern]:
            taken[failure.component] += 1
            kept.append(failure)
    return kept


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
    fill = {
        "prompt": failure.problem.prompt,
        "answer": failure.answer,
        "reason": failure.reason.rstrip("."),
        "hint": _hint(failure.problem, domain.hint),
        "steps": numbered(failure.answer),
        "located": _located(failure.answer) if "{located}" in domain.ask else "",
        "form": REPLY_FORM,
    }
    # One pass: what a model wrote may itself hold braces.
    ask = re.sub(rf"\{{({'|'.join(fill)})\}}", lambda match: fill[match[1]], domain.ask)
    return (*opening(domain.system, domain.shots), Message(role="user", content=ask))


def _hint(problem: Problem, hint: str) -> str:
    """Return the hint with the reference answer, calls as a model writes them; empty where there is none."""
    expected = problem.spec.get("expected")
    if expected is None:
        return ""
    if problem.verifier == "tool_call":
        calls = (ToolCall(name=call["name"], arguments=call.get("arguments", {})) for call in expected)
        expected = "\n".join(map(written, calls)) or "to call nothing"
    return hint.replace("{expected}", str(expected))


def _located(answer: str) -> str:
    """Return a line that names the first wrong step, where an equation shows it."""
    if not (found := first_wrong_step(answer)):
        return ""
    number, equation = found
    return f"Step {number} is the first wrong one: {equation.text} does not hold.\n"


def corrections_done(store: Store, teacher_id: str) -> set[tuple[str, str, int]]:
    """Return (failed attempt id, sampler, index) of the corrections that a teacher has been asked for."""
    query = (
        'SELECT failed_attempt_id, sampler, "index" FROM attempts '
        "WHERE failed_attempt_id IS NOT NULL AND model_id = $teacher"
    )
    rows = store.rows(query, {"teacher": teacher_id})
    return {(row["failed_attempt_id"], row["sampler"], row["index"]) for row in rows}
