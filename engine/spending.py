"""What answers cost: tokens, seconds, money; and budgets that end a run before it costs more.

The ledger of a workspace, `spending.jsonl`, has a line for every second in which answers were paid for; answers out of
the cache cost nothing. A kill loses a second of it at most. Ranks that spend at once, maybe on several hosts, write a
ledger each, `spending/<rank>.jsonl`; all are read together. What a server charges for requests that failed is not
known to us.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from gradus.engine.teachers.base import Completion, Refusal, Request
from gradus.errors import ConfigError

FILE = "spending.jsonl"
WRITE_EVERY_S = 1.0
TEMPLATE_TOKENS = 16
"""At most about so many a message, for the chat template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Money per million tokens, in any one currency."""

    input: float
    output: float

    def of(self, tokens_in: int, tokens_out: int) -> float:
        """Return what so many tokens cost."""
        return (tokens_in * self.input + tokens_out * self.output) / 1e6


FREE = Price(input=0.0, output=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Where to stop; 0 is no limit. All runs of one command with one model in a workspace count together."""

    tokens: int = 0
    """Of prompts and answers."""
    money: float = 0.0
    passed: int = 0
    """Attempts that their verifier passed, and that came to their own end."""

    def __post_init__(self) -> None:
        if min(self.tokens, self.money, self.passed) < 0:
            raise ValueError("a budget must not be negative; 0 is no limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What answers cost. seconds are summed over answers that were made at the same time."""

    answers: int = 0
    cached: int = 0
    """Answers that were found, and cost nothing."""
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    money: float = 0.0

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out

    def __add__(self, other: Spent) -> Spent:
        return Spent(**{field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(self)})


def cost(answers: Iterable[Completion], price: Price) -> Spent:
    """Return what a batch of answers cost."""
    batch = list(answers)
    paid = [answer for answer in batch if not answer.cached]
    tokens_in, tokens_out = sum(a.tokens_in for a in paid), sum(a.tokens_out for a in paid)
    return Spent(
        answers=len(paid),
        cached=len(batch) - len(paid),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        seconds=sum(answer.seconds for answer in paid),
        money=price.of(tokens_in, tokens_out),
    )


class Ledger:
    """What one command has spent on one model in a workspace, in all its runs; of a rank, what it spends now."""

    def __init__(self, path: Path, *, run: str, model_id: str, rank: int = 0) -> None:
        self._path, self._of = path.with_suffix("") / f"{rank}.jsonl" if rank else path, {"run": run, "model": model_id}
        self._path.parent.mkdir(exist_ok=True)
        earlier = () if rank else read_ledger(path)
        self._before = sum((spent for of, spent in earlier if of == self._of), Spent())
        self.now = Spent()
        """This run's share."""
        self._unwritten, self._written_at = Spent(), time.monotonic()

    @property
    def total(self) -> Spent:
        return self._before + self.now

    def add(self, spent: Spent) -> None:
        """Count what a batch of answers cost; a line says it a second later at the latest."""
        self.now += spent
        self._unwritten += spent
        if time.monotonic() - self._written_at > WRITE_EVERY_S:
            self.write()

    def write(self) -> None:
        """Write down what no line says yet."""
        if self._unwritten.answers:
            append_line(self._path, {"time": round(time.time(), 3), **self._of, **asdict(self._unwritten)})
        self._unwritten, self._written_at = Spent(), time.monotonic()


def append_line(path: Path, line: dict[str, Any]) -> None:
    """Add a line in one piece; it begins a new one even after a write that was cut off."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        os.write(handle, (b"\n" if torn else b"") + json.dumps(line).encode() + b"\n")
    finally:
        os.close(handle)


def read_ledger(path: Path) -> Iterator[tuple[dict[str, str], Spent]]:
    """Yield (run and model, what was spent) of every line, ranks' too; one that was cut off is passed over."""
    names = [field.name for field in fields(Spent)]
    for ledger in [path, *sorted(path.with_suffix("").glob("*.jsonl"))]:
        for line in ledger.read_text(encoding="utf-8").splitlines() if ledger.exists() else ():
            try:
                row = json.loads(line)
                yield {"run": row["run"], "model": row["model"]}, Spent(**{name: row[name] for name in names})
            except ValueError:
                continue


def spending(path: Path) -> list[dict[str, Any]]:
    """Return what has been spent, by command and model."""
    totals: dict[tuple[str, str], Spent] = {}
    for of, spent in read_ledger(path):
        key = of["run"], of["model"]
        totals[key] = totals.get(key, Spent()) + spent
    return [{"run": run, "model": model, **asdict(spent)} for (run, model), spent in sorted(totals.items())]


class Purse:
    """Holds a budget against what is spent and what is in flight: a request goes out only if it can be paid.

    What a request may cost at most is held back until its answer is there: max_tokens of answer, and a token for each
    byte of prompt. So as a budget runs out fewer requests are in flight at once, and it is never overspent.
    """

    def __init__(self, budget: Budget, price: Price, ledger: Ledger) -> None:
        if budget.money and price == FREE:
            raise ConfigError(
                'a budget of money needs a price: [prices."MODEL"] with input and output per million tokens'
            )
        self.ledger = ledger
        self._budget, self._price = budget, price
        self._held: dict[int, tuple[int, int]] = {}
        self._tokens_in = self._tokens_out = 0

    def hold(self, name: int, request: Request) -> bool:
        """Put aside what a request may cost at most; False: there is not so much left."""
        tokens_in = sum(len(m["content"].encode()) + TEMPLATE_TOKENS for m in request.messages)
        tokens_out = request.sampling.max_tokens
        total = self.ledger.total
        most_in, most_out = self._tokens_in + tokens_in, self._tokens_out + tokens_out
        if 0 < self._budget.tokens < total.tokens + most_in + most_out:
            return False
        if 0 < self._budget.money < total.money + self._price.of(most_in, most_out):
            return False
        self._held[name] = tokens_in, tokens_out
        self._tokens_in, self._tokens_out = most_in, most_out
        return True

    def settle(self, answers: Sequence[tuple[int, Completion | Refusal]]) -> None:
        """Take answers for what they cost in the end."""
        for name, _ in answers:
            tokens_in, tokens_out = self._held.pop(name)
            self._tokens_in, self._tokens_out = self._tokens_in - tokens_in, self._tokens_out - tokens_out
        self.ledger.add(cost((answer for _, answer in answers if isinstance(answer, Completion)), self._price))

    @property
    def limit(self) -> str:
        """Return which limit holds requests back."""
        return " and ".join(
            [f"{self._budget.tokens:,} tokens"] * bool(self._budget.tokens)
            + [f"{self._budget.money:g} of money"] * bool(self._budget.money)
        )


def share(budget: Budget, spent: Spent, ranks: int) -> Budget:
    """Return what each of several ranks may spend, of what is left of a budget."""
    # Not 0, which is no limit.
    tokens = max(1, (budget.tokens - spent.tokens) // ranks) if budget.tokens else 0
    money = max(1e-9, (budget.money - spent.money) / ranks) if budget.money else 0.0
    return replace(budget, tokens=tokens, money=money)


def open_purse(
    root: Path, run: str, model_id: str, *, budget: Budget = Budget(), price: Price = FREE, rank: int = 0
) -> Purse:
    """Open the purse of one command and one model in the workspace at root; a rank has its own, with its own budget."""
    return Purse(budget, price, Ledger(root / FILE, run=run, model_id=model_id, rank=rank))
