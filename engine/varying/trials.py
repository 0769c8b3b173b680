"""One try to make a new problem, from the idea to a problem or to the reason why there is none."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gradus.engine.clean.leaks import LeakIndex
from gradus.engine.records import Problem, Variant, content_id
from gradus.engine.sample import Ask
from gradus.engine.varying.agreement import Agreed, Solved, agreements
from gradus.engine.varying.asks import Answer, Key, key_of, solving_asks, writing_ask
from gradus.engine.varying.base import Draft, Question, Task, UnusableError, ways
from gradus.engine.varying.checks import EVALUATION, check_against_parents, leaks
from gradus.engine.varying.config import VaryConfig
from gradus.engine.varying.plan import VARIED, Idea
from gradus.verifiers.base import MALFORMED, SpecError, check_spec

STOPPED = "stop"
"""The finish reason of an answer that came to its own end."""


@dataclass(slots=True)
class Trial:
    """An idea on its way to a problem, or to the reason why there is none; with neither it is open."""

    idea: Idea
    config: VaryConfig
    question: Question | None = None
    draft: Draft | None = None
    problem: Problem | None = None
    reason: str = ""
    num_solutions: int = 0
    num_agreed: int = 0

    def begin(self) -> None:
        """Draft, or find out what to ask."""
        rng = random.Random(self.idea.id)
        task = Task(config=self.config, rng=rng, fits=self.idea.fits)
        self._take(lambda: ways[self.idea.way].begin(self.idea.parents, task))

    @property
    def writing(self) -> list[tuple[int, Ask]]:
        """Return what is to be asked for a draft."""
        return [(0, writing_ask(self.idea.id, self.question.messages, self.config))] if self.question else []

    def read(self, answer: Answer) -> None:
        """Make a draft of what a teacher wrote."""
        question = self.question
        assert question
        if answer.finish_reason == STOPPED:
            self._take(lambda: question.read(answer.text))
        else:
            self.reason = f"no problem written: the teacher's answer ended by {answer.finish_reason}"

    def solving(self, num_teachers: int) -> list[tuple[int, Ask]]:
        """Return what is to be asked for solutions."""
        if not self.draft or self.reason or (self.config.trust_computed and self.draft.answer == "computed"):
            return []
        return solving_asks(self.draft, self.config, num_teachers)

    def decide(self, agreed: Agreed | UnusableError, num_solutions: int) -> None:
        """Take the solutions' agreement, or the lack of it."""
        self.num_solutions = num_solutions
        if isinstance(agreed, UnusableError):
            self.reason = str(agreed)
        else:
            self.num_agreed = agreed.num
            self._accept(agreed.spec)

    def variant(self, rules: str) -> Variant:
        """Return the record of it."""
        return Variant(
            id=variant_id(self.idea, rules),
            way=self.idea.way,
            group=self.idea.group,
            parents=tuple(parent.id for parent in self.idea.parents),
            prompt=self.draft.prompt if self.draft else "",
            problem_id=self.problem.id if self.problem else "",
            reason=self.reason,
            num_solutions=self.num_solutions,
            num_agreed=self.num_agreed,
            share=self.num_agreed / self.num_solutions if self.num_solutions else None,
        )

    def _take(self, make: Callable[[], Draft | Question]) -> None:
        try:
            made = make()
            if isinstance(made, Draft):
                self.draft = made
                check_against_parents(made, self.idea.parents)
            else:
                self.question = made
        except UnusableError as error:
            self.reason = str(error)

    def _accept(self, spec: Mapping[str, object]) -> None:
        draft = self.draft
        assert draft
        try:
            check_spec(draft.verifier, spec)
        except (SpecError, *MALFORMED) as error:
            self.reason = f"verifier spec refused: {error}"
            return
        self.problem = Problem(
            prompt=draft.prompt,
            domain=draft.domain,
            verifier=draft.verifier,
            spec=spec,
            source=draft.source,
            parents=tuple(parent.id for parent in self.idea.parents),
            tags=(
                *draft.tags,
                VARIED + self.idea.way,
                *([f"aligned:{self.config.aligned}"] * bool(self.config.aligned)),
            ),
        )


def variant_id(idea: Idea, rules: str) -> str:
    """Name a try: another rule of acceptance is another try."""
    return content_id(idea.id, rules)


def leave_out_twins(trials: Iterable[Trial]) -> None:
    """Let only the first of equal drafts go on."""
    first: dict[str, Trial] = {}
    for trial in trials:
        if trial.draft and not trial.reason:
            other = first.setdefault(trial.draft.id, trial)
            if other is not trial:
                trial.reason = "there already: another variant of this run says the same"


def settle(trials: Sequence[Trial], said: Mapping[Key, Answer], num_teachers: int, *, workers: int) -> None:
    """Let the solutions decide, where all are there."""
    ready: list[tuple[Trial, Solved]] = []
    for trial in trials:
        asks = trial.solving(num_teachers)
        given = [said.get(key_of(teacher, ask)) for teacher, ask in asks]
        ended = tuple(answer.text for answer in given if answer and answer.finish_reason == STOPPED)
        if asks and all(given):
            assert trial.draft
            ready.append((trial, Solved(trial.draft, ended, len(asks))))
        elif trial.draft and not trial.reason and not asks:
            trial.decide(Agreed(0, dict(trial.draft.spec)), 0)
    found = agreements([solved for _, solved in ready], ready[0][0].config.agree if ready else 0, workers=workers)
    for (trial, solved), agreed in zip(ready, found, strict=True):
        trial.decide(agreed, solved.num)


def leave_out_known(
    trials: Iterable[Trial], index: LeakIndex | None, known: Mapping[str, Problem], taken: set[str]
) -> None:
    """Reject problems that give away one for evaluation, or are there already: known by id, or taken by this run."""
    accepted = [trial for trial in trials if trial.problem]
    leaking = leaks((trial.problem for trial in accepted if trial.problem), index)
    for trial in accepted:
        assert trial.problem
        name = trial.problem.id
        if name in leaking:
            trial.reason = f"gives away a problem for {EVALUATION}: {leaking[name]}"
        elif name in taken or (name in known and not _same_origin(known[name], trial.problem)):
            trial.reason = f"there already: problem {name[:8]}"
        taken.add(name)
        if trial.reason:
            trial.problem = None


def _same_origin(one: Problem, other: Problem) -> bool:
    """Whether a problem is what a run that was killed had stored of this very try."""
    return (one.parents, one.tags) == (other.parents, other.tags)
