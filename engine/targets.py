"""Ask a problem until so many attempts passed, and not once more.

A problem's next attempt is asked for only while the passes it has and the attempts that may yet pass (in flight, or
not judged) are fewer than wanted. So whatever order answers come in, however often the run is killed, the
attempts in the end are the same: the shortest run of indices from 0 that holds the passes, or all up to the cap.
Where a recipe has styles, each is counted by itself.
A budget of passes is kept in the same way, over all problems together.

An attempt passes when its verifier says so and the model came to its own end: what was cut off makes no trace.
Pass rates of attempts made so are not c / n: stopping at a pass favours it. Their sampler's name says `until`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from gradus.engine.records import Attempt, JudgedAttempt, Problem
from gradus.engine.sample import Ask, SampleConfig, ask_for, drop_id
from gradus.engine.store import Store
from gradus.verifiers.base import Verdict, version_of
from gradus.verifiers.pool import Judges

UNJUDGED_AT_MOST = 2048
"""Where verifiers are slower than the teacher, the teacher waits."""


@dataclass(frozen=True, slots=True)
class Past:
    """An attempt that an earlier run made; answer is set only where its verifier, as it is now, has yet to judge."""

    id: str
    sampler: str
    index: int
    finish_reason: str
    outcome: str | None
    answer: str = ""


def past_attempts(
    store: Store, problems: Sequence[Problem], config: SampleConfig, model_id: str
) -> dict[str, list[Past]]:
    """Return the attempts of this model and these samplers, by problem."""
    by_id = {problem.id: problem for problem in problems}
    found: dict[str, list[Past]] = {}
    for row in store.named("past_attempts", {"model": model_id}):
        problem = by_id.get(row["problem_id"])
        if problem and row["sampler"] in config.samplers(problem.domain):
            found.setdefault(problem.id, []).append(_past(store, row, problem))
    return found


def _past(store: Store, row: dict[str, Any], problem: Problem) -> Past:
    version = version_of(problem.verifier, problem.spec)
    for verdict in row["verdicts"] or ():
        if verdict["version"] == version:
            return Past(row["id"], row["sampler"], row["index"], row["finish_reason"], verdict["outcome"])
    (answer,) = store.rows("SELECT answer FROM attempts WHERE id = $id", {"id": row["id"]})
    return Past(row["id"], row["sampler"], row["index"], row["finish_reason"], None, answer["answer"])


@dataclass(slots=True, eq=False)
class _Goal:
    """How far one problem is, in one style."""

    problem: Problem
    style: str
    unasked: deque[int]
    unmade: int
    passed: int = 0
    open: int = 0
    """In flight, or not judged."""
    queued: bool = False


class Targeted:
    """A feed that judges what it is told of, and asks again where too little passed."""

    def __init__(self, config: SampleConfig, judges: Judges, *, model_id: str, refused: set[str]) -> None:
        self._config, self._judges = config, judges
        self._model_id, self._refused = model_id, refused
        self._wanted = config.until_passed or math.inf
        self._goals: dict[tuple[str, str], _Goal] = {}
        self._ready: deque[_Goal] = deque()
        self._judging: dict[int, tuple[_Goal, str, str]] = {}
        self._names = count()
        self.passed = self.there = self._open = 0

    def add(self, problem: Problem, past: Sequence[Past]) -> None:
        """Take on a problem, with the attempts that there are."""
        for style in self._config.styles_of(problem.domain):
            sampler = self._config.sampler(problem.domain, style)
            self._add(problem, style, sampler, [attempt for attempt in past if attempt.sampler == sampler])

    def _add(self, problem: Problem, style: str, sampler: str, past: Sequence[Past]) -> None:
        made = {attempt.index for attempt in past}
        indices = (i for i in range(self._config.num_attempts) if i not in made)
        unasked = deque(index for index in indices if not self._is_refused(problem, index, style))
        goal = self._goals[problem.id, sampler] = _Goal(problem, style, unasked, unmade=len(unasked))
        self.there += self._config.num_attempts - len(unasked)
        for attempt in past:
            if attempt.outcome is None:
                self._count_open(goal, 1)
                self._judge(goal, attempt.id, attempt.finish_reason, attempt.answer)
            else:
                self._count_pass(goal, attempt.outcome, attempt.finish_reason)
        self._queue(goal)

    @property
    def judging(self) -> bool:
        return bool(self._judging)

    @property
    def satisfied(self) -> str:
        most = self._config.budget.passed
        return f"{most:,} passed attempts" if 0 < most <= self.passed else ""

    @property
    def left(self) -> int:
        """How many attempts are still to be made, at least."""
        return sum(int(max(0, min(goal.unmade, self._wanted - goal.passed))) for goal in self._goals.values())

    def take(self) -> Ask | None:
        most = self._config.budget.passed or math.inf
        if self._judges.pending >= UNJUDGED_AT_MOST or self.passed + self._open >= most or not self._ready:
            return None
        goal = self._ready.popleft()
        goal.queued = False
        self._count_open(goal, 1)
        ask = ask_for(goal.problem, self._config, goal.unasked.popleft(), goal.style)
        self._queue(goal)  # at the end: a teacher that caches prefixes then computes each prompt once
        return ask

    def made(self, ask: Ask, attempt: Attempt) -> None:
        goal = self._goals[ask.problem_id, ask.sampler]
        goal.unmade -= 1
        self._judge(goal, attempt.id, attempt.finish_reason, attempt.answer)

    def refused(self, ask: Ask) -> None:
        goal = self._goals[ask.problem_id, ask.sampler]
        goal.unmade -= 1
        self._count_open(goal, -1)
        self._queue(goal)

    def judged(self, wait_s: float) -> list[JudgedAttempt]:
        found = []
        for name, verdict in self._judges.collect(wait_s):
            goal, attempt_id, finish_reason = self._judging.pop(name)
            self._count_open(goal, -1)
            self._count_pass(goal, verdict.outcome, finish_reason)
            self._queue(goal)
            found.append(_judged(goal.problem, attempt_id, verdict))
        return found

    def _judge(self, goal: _Goal, attempt_id: str, finish_reason: str, answer: str) -> None:
        name = next(self._names)
        self._judging[name] = goal, attempt_id, finish_reason
        self._judges.submit(name, (goal.problem.verifier, answer, goal.problem.spec))

    def _queue(self, goal: _Goal) -> None:
        """Line a problem up if it may be asked once more."""
        if goal.unasked and not goal.queued and goal.passed + goal.open < self._wanted:
            goal.queued = True
            self._ready.append(goal)

    def _count_open(self, goal: _Goal, change: int) -> None:
        goal.open += change
        self._open += change

    def _count_pass(self, goal: _Goal, outcome: str, finish_reason: str) -> None:
        passed = outcome == "pass" and finish_reason == "stop"
        goal.passed += passed
        self.passed += passed

    def _is_refused(self, problem: Problem, index: int, style: str) -> bool:
        if not self._refused:
            return False
        return drop_id(ask_for(problem, self._config, index, style), self._model_id) in self._refused


def _judged(problem: Problem, attempt_id: str, verdict: Verdict) -> JudgedAttempt:
    return JudgedAttempt(
        attempt_id=attempt_id,
        verifier=problem.verifier,
        version=version_of(problem.verifier, problem.spec),
        outcome=verdict.outcome,
        score=verdict.score,
        reason=verdict.reason,
        seconds=verdict.seconds,
    )
