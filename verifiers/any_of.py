"""Verifier "any_of": one part passes.

The score is the greatest of the parts'. Unparseable if all parts are, else fails. A part that passes with score 1 ends
it: later parts are not run, and one before it that could not be judged does not matter. Otherwise `verifier_error`
of a part is that of the whole. Not covered: see composite/parts.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradus.verifiers.base import Verdict, passed, unparseable, verifier
from gradus.verifiers.composite.parts import Part, because, check, judged, version


@verifier("any_of", version=version, check=check)
def any_of(answer: str, *, parts: Sequence[Part]) -> Verdict:
    """Pass when one part passes."""
    found: list[Verdict] = []
    for verdict in judged(answer, parts):
        found.append(verdict)
        if verdict.outcome == "pass" and verdict.score == 1:
            return passed(because(parts, found, len(found) - 1))
    for outcome in ("verifier_error", "pass", "fail"):
        if those := [i for i, verdict in enumerate(found) if verdict.outcome == outcome]:
            best = max(those, key=lambda i: found[i].score)
            return Verdict(
                outcome, because(parts, found, best), 0.0 if outcome == "verifier_error" else found[best].score
            )
    return unparseable(because(parts, found, 0))
