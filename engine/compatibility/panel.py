"""What is measured of one teacher's traces of one domain under one student.

`rsr` is the rank-surprisal ratio, mean token rank over mean NLL, ranks above 100 counted as 100 (Yang et al. 2026,
arXiv 2601.14249): low where a student finds the tokens surprising, yet near the top of what it would say itself.
`local_nll` is local naturalness with its sign turned (see reading.py). Both are better when lower. `nll` is shown, but
prefers whatever sounds like the student: it is no reason for anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from gradus.engine.calls import with_calls
from gradus.engine.compatibility.intervals import Ratio
from gradus.engine.compatibility.style import StyleDistance, style_distance
from gradus.engine.records import Trace, TraceFit


@dataclass(frozen=True, slots=True)
class ScoredTrace:
    """A trace, and how the student reads it."""

    trace: Trace
    fit: TraceFit

    @property
    def problem(self) -> str:
        return self.trace.problem_id or self.trace.id

    @property
    def said(self) -> str:
        """What training learns to say."""
        turns = zip(self.trace.messages, self.trace.learn, strict=True)
        return "\n".join(with_calls(message)["content"] for message, learned in turns if learned)


METRICS: dict[str, tuple[Callable[[TraceFit], float], Callable[[TraceFit], float]]] = {
    "rsr": (lambda fit: fit.rank, lambda fit: fit.nll),
    "local_nll": (lambda fit: fit.local_nll, lambda _: 1),
    "nll": (lambda fit: fit.nll, lambda _: 1),
    "tokens": (lambda fit: fit.num_tokens, lambda _: 1),
    "steps": (lambda fit: fit.num_steps, lambda _: 1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One teacher in one domain."""

    teacher: str
    domain: str
    own: bool
    """The student's own answers: a yardstick, not a teacher."""
    num_traces: int
    metrics: dict[str, Ratio]
    style: StyleDistance | None

    @property
    def num_problems(self) -> int:
        return len(self.metrics["nll"].names)

    def mean(self, metric: str) -> float:
        return self.metrics[metric].estimate().value

    def row(self) -> dict[str, Any]:
        """Return the panel for a table: every metric with its interval."""
        row: dict[str, Any] = {"teacher": self.teacher, "domain": self.domain, "own": self.own}
        row |= {"traces": self.num_traces, "problems": self.num_problems}
        for name, ratio in self.metrics.items():
            found = ratio.estimate()
            known = found.num_problems > 1
            row |= {name: found.value, f"{name}_low": found.low if known else None}
            row[f"{name}_high"] = found.high if known else None
        style = self.style
        row |= {"style": style and style.distance, "style_low": style and style.low}
        return row | {"style_high": style and style.high, "style_floor": style and style.floor}


def make_panels(scored: Iterable[ScoredTrace], student: str) -> list[Panel]:
    """Return a panel for every teacher and domain, in the order of domains, then teachers."""
    groups: dict[tuple[str, str], list[ScoredTrace]] = defaultdict(list)
    for one in scored:
        groups[one.trace.domain, one.trace.teacher].append(one)
    return [
        _panel(found, groups.get((domain, student), []), own=teacher == student)
        for (domain, teacher), found in sorted(groups.items())
    ]


def _panel(found: list[ScoredTrace], by_student: list[ScoredTrace], *, own: bool) -> Panel:
    problems = [one.problem for one in found]
    metrics = {
        name: Ratio(problems, [above(one.fit) for one in found], [below(one.fit) for one in found])
        for name, (above, below) in METRICS.items()
    }
    return Panel(
        teacher=found[0].trace.teacher,
        domain=found[0].trace.domain,
        own=own,
        num_traces=len(found),
        metrics=metrics,
        style=None if own else style_distance([one.said for one in by_student], [one.said for one in found]),
    )
