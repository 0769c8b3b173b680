"""Ask a teacher, keep attempts in parts as they come, and let go of nothing that was paid for.

Every ask ends as an attempt, as a Drop that says why the teacher will never answer it, or as one that failed now and
is still to be made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Protocol

from gradus.engine.parts import write_part
from gradus.engine.records import Attempt, Drop, JudgedAttempt, Message
from gradus.engine.sample import Ask, drop_id
from gradus.engine.spending import Purse
from gradus.engine.teachers.base import Completion, Refusal, Request, Teacher

FLUSH_S = 5.0
"""A kill loses at most this much sampling, and what the cache holds is not paid for again."""
FLUSH_RECORDS = 10_000
"""So many are 50 MB or more."""
WAIT_S, WAIT_WHILE_JUDGING_S = 1.0, 0.05


class Feed(Protocol):
    """Says what to ask next, and is told what became of it."""

    def take(self) -> Ask | None:
        """Return the next ask; None for none now."""

    def made(self, ask: Ask, attempt: Attempt) -> None:
        """Note the attempt that an ask led to."""

    def refused(self, ask: Ask) -> None:
        """Note an ask that will never be answered."""

    def judged(self, wait_s: float) -> list[JudgedAttempt]:
        """Return the verdicts that have come in; wait up to wait_s for the first, if any is outstanding."""

    @property
    def judging(self) -> bool:
        """Whether any verdict is outstanding."""

    @property
    def satisfied(self) -> str:
        """What has been reached, so that nothing more need be asked; empty: nothing yet."""

    @property
    def left(self) -> int:
        """How many attempts are still to be made, at least."""

    @property
    def there(self) -> int:
        """How many had been made, or refused for good, before."""


class Listed:
    """Asks for so many as are left, as they come; nothing is judged on the way."""

    judging, satisfied = False, ""

    def __init__(self, asks: Iterable[Ask], *, left: int, there: int = 0) -> None:
        self._asks = iter(asks)
        self.left, self.there = left, there

    def take(self) -> Ask | None:
        return next(self._asks, None)

    def made(self, ask: Ask, attempt: Attempt) -> None:  # noqa: ARG002
        self.left -= 1

    def refused(self, ask: Ask) -> None:  # noqa: ARG002
        self.left -= 1

    def judged(self, wait_s: float) -> list[JudgedAttempt]:  # noqa: ARG002
        return []


@dataclass(slots=True, kw_only=True)
class Sampled:
    """What a run made."""

    made: int = 0
    refused: int = 0
    """Attempts that the teacher will never answer; each is a Drop."""
    failed: int = 0
    """Attempts that could not be made now; the next run asks again."""
    failure: str = ""
    """The last of them."""
    stopped: str = ""
    """What ended the run before all was asked."""


class Sink:
    """Writes what a run makes into parts, under its name; those that write at once have different ranks."""

    def __init__(self, parts: Path, run: str, *, rank: int = 0) -> None:
        self.run, self._rank = run, rank
        self._parts = parts
        self.attempts: list[Attempt] = []
        self.drops: list[Drop] = []
        self.verdicts: list[JudgedAttempt] = []
        self._flushed = time.monotonic()

    @property
    def due(self) -> bool:
        return time.monotonic() - self._flushed > FLUSH_S or len(self.attempts) >= FLUSH_RECORDS

    def flush(self) -> None:
        """Write what there is; a verdict never before its attempt."""
        for records in (self.attempts, self.drops, self.verdicts):
            write_part(self._parts, self.run, records, rank=self._rank)
            records.clear()
        self._flushed = time.monotonic()


def sample(
    feed: Feed, teacher: Teacher, sink: Sink, *, purse: Purse, advance: Callable[[int], None] = lambda _: None
) -> Sampled:
    """Make the attempts that feed asks for; advance(n) reports progress."""
    sampling = _Sampling(teacher, sink, purse)
    try:
        sampling.run(feed, advance)
    finally:  # an interrupted run keeps what it has paid for
        purse.ledger.write()
        sink.flush()
        teacher.cancel()
    return sampling.result


class _Sampling:
    """One run: asks go out, answers come back."""

    def __init__(self, teacher: Teacher, sink: Sink, purse: Purse) -> None:
        self.result = Sampled()
        self._teacher, self._sink, self._purse = teacher, sink, purse
        self._flying: dict[int, Ask] = {}
        self._names = count()
        self._held: Ask | None = None
        """Taken, but not affordable yet."""

    def run(self, feed: Feed, advance: Callable[[int], None]) -> None:
        while True:
            more = self._send(feed)
            if not (more or self._flying or feed.judging):
                return
            if self._flying:
                advance(self._receive(feed, WAIT_WHILE_JUDGING_S if feed.judging else WAIT_S))
            elif more:  # the teacher wants to be left alone for a while
                time.sleep(WAIT_WHILE_JUDGING_S)
            self._sink.verdicts += feed.judged(0.0 if more or self._flying else WAIT_S)
            if self._sink.due:
                self._sink.flush()

    def _send(self, feed: Feed) -> bool:
        """Submit while there is room and money; return whether only room was lacking."""
        while self._teacher.room > 0:  # asked anew each time: behind a cache the room shows with the first miss
            self.result.stopped = feed.satisfied
            ask = None if self.result.stopped else self._held or feed.take()
            self._held = None
            if ask is None:
                return False
            name, request = next(self._names), Request(messages=ask.messages, sampling=ask.sampling, seed=ask.seed)
            if not self._purse.hold(name, request):
                self._held = ask
                if not self._flying:  # nothing is on its way that could cost less than was put aside
                    self.result.stopped = self._purse.limit
                return False
            self._flying[name] = ask
            self._teacher.submit(name, request)
        return True

    def _receive(self, feed: Feed, wait_s: float) -> int:
        answers = self._teacher.collect(wait_s)
        self._purse.settle(answers)
        for name, answer in answers:
            ask = self._flying.pop(name)
            if isinstance(answer, Completion):
                attempt = _attempt(ask, answer, self._teacher.model_id)
                self._sink.attempts.append(attempt)
                self.result.made += 1
                feed.made(ask, attempt)
            else:
                self._miss(feed, ask, answer)
        return len(answers)

    def _miss(self, feed: Feed, ask: Ask, answer: Refusal) -> None:
        if answer.final:
            record_id = drop_id(ask, self._teacher.model_id)
            reason = f"refused: problem {ask.problem_id[:12]}, attempt {ask.index}: {answer.reason}"
            self._sink.drops.append(Drop(record_id=record_id, step=self._sink.run, reason=reason))
            self.result.refused += 1
            feed.refused(ask)
        else:
            self.result.failed += 1
            self.result.failure = answer.reason


def _attempt(ask: Ask, completion: Completion, model_id: str) -> Attempt:
    answer = Message(role="assistant", content=completion.text)
    if completion.reasoning:
        answer["reasoning"] = completion.reasoning
    return Attempt(
        problem_id=ask.problem_id,
        model_id=model_id,
        sampler=ask.sampler,
        index=ask.index,
        seed=ask.seed,
        sampling=asdict(ask.sampling),
        messages=(*ask.messages, answer),
        token_ids=completion.token_ids,
        token_logprobs=completion.token_logprobs,
        tokens_in=completion.tokens_in,
        tokens_out=completion.tokens_out,
        seconds=completion.seconds,
        finish_reason=completion.finish_reason,
        failed_attempt_id=ask.failed_attempt_id,
    )
