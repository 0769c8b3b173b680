"""Why a trace or problem came, went, moved, or is used more or less often: the first reason that holds.

What people said of it or its problem between the two manifests (the labels up to each one's moment), what a cleaning
step says of it now, its length, a gate for its teacher, else the recipe, what was measured of its problem, or that what
stands before it in the stages changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradus.curricula.diff_sides import Drawn, Side
from gradus.engine.store import Store


def dropped_by(store: Store) -> dict[str, str]:
    """Return what steps other than curation say now of what they dropped."""
    query = "SELECT record_id, step || ': ' || split_part(reason, ':', 1) AS why FROM dropped WHERE step <> 'curate'"
    return {row["record_id"]: row["why"] for row in store.rows(query)}


class Reasons:
    """Finds the reason of a change."""

    def __init__(self, a: Side, b: Side, dropped: Mapping[str, str], settings: Sequence[Mapping[str, Any]]) -> None:
        self._a, self._b, self._dropped = a, b, dropped
        keys = [row["key"] for row in settings if row["key"].startswith(("recipe.", "seed"))]
        self._recipe = f"the recipe differs: {', '.join(keys[:3])}{', …' if len(keys) > 3 else ''}" if keys else ""
        self._longest = max((stage.context_length for stage in b.manifest.stages), default=0)
        self._gates = [{(gate.teacher, gate.domain): gate for gate in side.manifest.gates} for side in (a, b)]

    def __call__(self, section: str, record: str, a: Drawn | None, b: Drawn | None) -> str:
        either = b or a
        assert either is not None
        for one in dict.fromkeys([record, either.problem_id]):
            if reason := self._said(one, either.problem_id if section == "traces" else ""):
                return reason
            if b is None and one in self._dropped:
                return f"dropped by {self._dropped[one]}"
        if b is None and section == "traces" and either.num_tokens > self._longest:
            return f"longer than every stage ({self._longest} tokens)"
        gated = self._gate(either) if section == "traces" else ""
        return gated or self._recipe or self._measured(record, either, a, b) or _otherwise(section, a, b)

    def _said(self, record: str, problem: str) -> str:
        """Return what people said of a record between the two manifests."""
        before, after = self._a.said.get(record), self._b.said.get(record)
        excluded = [bool(one and one["excluded"]) for one in (before, after)]
        what = "its problem was " if record == problem else ""
        if excluded[0] != excluded[1] and after:
            verb = "excluded" if excluded[1] else "restored"
            return f"{what}{verb} by {after['excluded_by']}: {after['excluded_why']}"
        weights = [one["weight"] if one else 1.0 for one in (before, after)]
        if weights[0] != weights[1] and after:
            verb = f"{what or 'was '}given the weight {weights[1]:g} (before: {weights[0]:g})"
            return f"{verb} by {after['weighed_by']}: {after['weighed_why']}"
        return ""

    def _gate(self, drawn: Drawn) -> str:
        """Return what a gate says now of the teacher, if it said something else before."""
        before, after = (gates.get((drawn.teacher, drawn.domain)) for gates in self._gates)
        weights = [gate.weight if gate else 1.0 for gate in (before, after)]
        if weights[0] == weights[1]:
            return ""
        why = f": {after.reason}" if after else ""
        return f"the gate gives {drawn.teacher} in {drawn.domain} the weight {weights[1]:g}, not {weights[0]:g}{why}"

    def _measured(self, record: str, either: Drawn, a: Drawn | None, b: Drawn | None) -> str:
        """Return what was measured anew of a record's problem."""
        before = a or self._of_problem(self._a, either.problem_id, record)
        after = b or self._of_problem(self._b, either.problem_id, record)
        if before is None or after is None or not _differ(before, after):
            return ""
        bands = self._a.band(before), self._b.band(after)
        if all(bands) and bands[0] != bands[1]:
            return f"its problem was measured anew and went from {bands[0]} to {bands[1]}"
        return "its pass rate was measured anew"

    @staticmethod
    def _of_problem(side: Side, problem: str, record: str) -> Drawn | None:
        return side.traces.get(record) or side.problems.get(problem)


def _differ(a: Drawn, b: Drawn) -> bool:
    """Say whether another pass rate was measured, or by more attempts; format 2 knew no counts."""
    if a.measured[1] is None or b.measured[1] is None:
        return a.measured[2] != b.measured[2]
    return a.measured != b.measured


def _otherwise(section: str, a: Drawn | None, b: Drawn | None) -> str:
    if section == "rl":
        if a and b:
            return "others are surer to lie in the band, or less sure"
        return "its pass rate came into the band" if b else "its pass rate left the band"
    if a is None:
        return "new, or outside the budget before"
    return "other traces take more or less of the budget"
