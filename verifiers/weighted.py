"""Verifier "weighted": the parts' scores, weighed.

Every part has a `weight` above 0. The score is the weighted mean, in which an unparseable part counts 0; it passes from
`threshold` on, 1 by default. Unparseable if all parts are. A part that could not be judged always matters: the
whole is then a `verifier_error`. Not covered: see composite/parts.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum, isfinite
from typing import Any

from gradus.verifiers.base import SpecError, Verdict, failed, verifier
from gradus.verifiers.composite.parts import Part, because, check_parts, judged, version


def check(spec: Mapping[str, Any]) -> None:
    """Refuse parts that could not be judged, weights that are not above 0, and a threshold outside (0, 1]."""
    check_parts(spec["parts"], {"verifier", "spec", "weight"})
    for part in spec["parts"]:
        if not _is_number(part["weight"]) or part["weight"] <= 0:
            raise SpecError(f"weighted: a weight must be a number above 0, not {part['weight']!r}")
    threshold = spec.get("threshold", 1.0)
    if not _is_number(threshold) or not 0 < threshold <= 1:
        raise SpecError(f"weighted: threshold must be above 0 and at most 1, not {threshold!r}")


@verifier("weighted", version=version, check=check)
def weighted(answer: str, *, parts: Sequence[Part], threshold: float = 1.0) -> Verdict:
    """Pass when the weighted mean of the parts' scores reaches threshold."""
    found = list(judged(answer, parts))
    for outcome in ("verifier_error", "unparseable"):
        those = [i for i, verdict in enumerate(found) if verdict.outcome == outcome]
        if those and (outcome == "verifier_error" or len(those) == len(found)):
            return Verdict(outcome, because(parts, found, those[0]))
    weights = [part["weight"] for part in parts]
    score = fsum(w * verdict.score for w, verdict in zip(weights, found, strict=True)) / fsum(weights)
    worst = min(range(len(found)), key=lambda i: found[i].score)
    said = f"{score:.3g} of 1, {threshold:g} needed; {because(parts, found, worst)}"
    # A mean of whole scores may miss 1 by rounding.
    return Verdict("pass", said, min(score, 1.0)) if score >= threshold - 1e-12 else failed(said, score)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
