"""Verifier "all_of": every part passes.

The score is the least of the parts'. Fails if any part failed, else is unparseable if any is. A part that fails with
score 0 ends it: later parts are not run, and one before it that could not be judged does not matter. Otherwise
`verifier_error` of a part is that of the whole. Not covered: see composite/parts.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradus.verifiers.base import Verdict, failed, verifier
from gradus.verifiers.composite.parts import Part, because, check, judged, version


@verifier("all_of", version=version, check=check)
def all_of(answer: str, *, parts: Sequence[Part]) -> Verdict:
    """Pass when every part passes."""
    found: list[Verdict] = []
    for verdict in judged(answer, parts):
        found.append(verdict)
        if verdict.outcome == "fail" and verdict.score == 0:
            return failed(because(parts, found, len(found) - 1))
    for outcome in ("verifier_error", "fail", "unparseable"):
        if worst := [i for i, verdict in enumerate(found) if verdict.outcome == outcome]:
            score = 0.0 if outcome == "verifier_error" else min(verdict.score for verdict in found)
            return Verdict(outcome, because(parts, found, worst[0]), score)
    return Verdict("pass", f"all {len(found)} parts pass", min(verdict.score for verdict in found))
