"""Which teacher fits a student best in a domain, if the numbers can say so, and why.

A probe decides if there is one and it is certain: it trained the student. Else a teacher is best if, beside every
other, the rank-surprisal ratio or local naturalness certainly speaks for it and neither certainly against it. Certain
means 95%, corrected for the number of comparisons in the domain (Bonferroni). Mean NLL decides nothing: studies found
it misleading across teachers. Both signals predict; their authors tried them on larger students and longer traces
than many will have, so where much depends on it, run the probe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from gradus.engine.compatibility.intervals import Difference, Ratio, difference
from gradus.engine.compatibility.panel import Panel

MIN_PROBLEMS = 20
FAR_LONGER = 2.0
SIGNALS = {"rsr": "rank-surprisal ratio", "local_nll": "local NLL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FitVerdict:
    """best is None where the numbers do not say."""

    domain: str
    best: str | None
    reasons: tuple[str, ...]


def decide(panels: Sequence[Panel], probed: Mapping[str, Ratio]) -> FitVerdict:
    """Judge the panels of one domain; probed: passes over attempts by held-out problem, after training on a teacher."""
    reasons = []
    for panel in panels:
        if not panel.own and panel.num_problems < MIN_PROBLEMS:
            reasons.append(f"{panel.teacher} is left out: {panel.num_problems} problems, {MIN_PROBLEMS} are needed")
    teachers = [panel for panel in panels if not panel.own and panel.num_problems >= MIN_PROBLEMS]
    own = next((panel for panel in panels if panel.own), None)
    domain = panels[0].domain
    if len(teachers) < 2:
        reasons.append("there are not two teachers to compare")
        return FitVerdict(domain=domain, best=None, reasons=tuple(reasons))
    best, why = _by_probe(probed)
    if best is None:
        found, more = _by_signals(teachers)
        best, why = found, why + more
    reasons += why + _remarks(teachers, best, own)
    return FitVerdict(domain=domain, best=best, reasons=tuple(reasons))


def _by_probe(probed: Mapping[str, Ratio]) -> tuple[str | None, list[str]]:
    if len(probed) < 2:
        return None, []
    fewest = min(len(ratio.names) for ratio in probed.values())
    if fewest < MIN_PROBLEMS:
        return None, [f"probe: {fewest} held-out problems are too few to tell; {MIN_PROBLEMS} are needed"]
    pairs = list(combinations(probed, 2))
    better = {(a, b): _signs(probed[a], probed[b], len(pairs))[1] for a, b in pairs}
    better |= {(b, a): -sign for (a, b), sign in better.items()}
    rates = {name: ratio.estimate().value for name, ratio in probed.items()}
    for name in probed:
        if all(better[name, other] > 0 for other in probed if other != name):
            return name, [
                f"probe: trained on {name} the student passes {rates[name]:.1%}, certainly more than on any other"
            ]
    return None, [f"probe: pass rates of {_listed(rates, '.1%')} are not certainly different"]


def _by_signals(teachers: Sequence[Panel]) -> tuple[str | None, list[str]]:
    num = len(list(combinations(teachers, 2))) * len(SIGNALS)
    found = {
        (signal, a.teacher, b.teacher): _signs(a.metrics[signal], b.metrics[signal], num)
        for signal in SIGNALS
        for a, b in combinations(teachers, 2)
    }
    names = [panel.teacher for panel in teachers]
    # Lower is better.
    better = {(s, a, b): -sign for (s, a, b), (_, sign) in found.items()}
    better |= {(s, b, a): -sign for (s, a, b), sign in better.items()}
    reasons = [_said(signal, teachers, better) for signal in SIGNALS]
    if any(not one.shared for one, _ in found.values()):
        reasons.append(f"not all teachers share {MIN_PROBLEMS} problems: part of any difference may be the problems'")
    for name in names:
        beside = [[better[signal, name, other] for signal in SIGNALS] for other in names if other != name]
        if all(max(signs) > 0 and min(signs) >= 0 for signs in beside):
            return name, reasons
    against = any(min(b) < 0 < max(b) for b in _by_pair(better, names))
    reasons.append(
        "the two contradict each other: only a probe can tell"
        if against
        else "no teacher is certainly better than every other: more traces, or a probe, may tell"
    )
    return None, reasons


def _by_pair(better: Mapping[tuple[str, str, str], int], names: Sequence[str]) -> list[list[int]]:
    return [[better[signal, a, b] for signal in SIGNALS] for a, b in combinations(names, 2)]


def _said(signal: str, teachers: Sequence[Panel], better: Mapping[tuple[str, str, str], int]) -> str:
    """Say who is lowest, and beside whom that is certain."""
    means = {panel.teacher: panel.mean(signal) for panel in teachers}
    first, *others = sorted(means, key=lambda name: means[name])
    sure = [name for name in others if better[signal, first, name] > 0]
    how = "than all others" if len(sure) == len(others) else f"than {', '.join(sure)}" if sure else "than none"
    return f"{SIGNALS[signal]} (lower is better): {_listed(means, '.3f')}; {first} is certainly lower {how}"


def _remarks(teachers: Sequence[Panel], best: str | None, own: Panel | None) -> list[str]:
    """Say what does not decide."""
    remarks = []
    lowest = min(teachers, key=lambda panel: panel.mean("nll"))
    if best and lowest.teacher != best:
        remarks.append(f"mean NLL would have chosen {lowest.teacher} ({lowest.mean('nll'):.3f}); it decides nothing")
    chosen = next((panel for panel in teachers if panel.teacher == best), None)
    if chosen and own:
        times = chosen.mean("tokens") / own.mean("tokens")
        if times > FAR_LONGER:
            remarks.append(f"{best} writes {times:.1f} times as long as the student: check the context length")
    if chosen and chosen.style and chosen.style.low > chosen.style.floor:
        distance, floor = chosen.style.distance, chosen.style.floor
        remarks.append(f"{best}'s wording is {distance:.3f} bits from the student's own ({floor:.3f} within itself)")
    return remarks


def _signs(one: Ratio, other: Ratio, num_comparisons: int) -> tuple[Difference, int]:
    found = difference(one, other, min_shared=MIN_PROBLEMS)
    return found, found.sign(num_comparisons)


def _listed(values: Mapping[str, float], form: str) -> str:
    return ", ".join(f"{name} {value:{form}}" for name, value in sorted(values.items(), key=lambda item: item[1]))
