"""Verifier "choice": was the right option of a multiple-choice question named?

expected is a label ("B"), or the right option's text, so that choices may be shuffled; a list of them where several
are right. choices is a list of texts, labelled A, B, …, or {label: text} with any labels (1, 2, …; i, ii, …).

Covered: boxes, "the answer is (B)", "so the second one is right", "C because …", options by label, place or text,
"not B, but C", several options. The last statement counts; two options in one statement pass only where exactly
these are right; "A or C" never passes. Several right options give partial credit: those named and right over all
that are named or right. Not covered: an option paraphrased, or left over when all others are denied; an order
("C, then A"); matching; languages other than English.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradus.verifiers.base import SpecError, Verdict, failed, passed, unparseable, verifier
from gradus.verifiers.choices.claims import last_claim
from gradus.verifiers.choices.options import Choices, Options, plain

MAX_CHOICES = 26


def check(spec: Mapping[str, Any]) -> None:
    """Refuse choices that are none, and an expected answer that is no label or text of the choices."""
    expected, choices = spec["expected"], spec.get("choices")
    if choices is not None:
        texts = list(choices.values()) if isinstance(choices, Mapping) else choices
        if not isinstance(texts, Sequence) or isinstance(texts, str) or not 2 <= len(texts) <= MAX_CHOICES:
            raise SpecError(
                f"choice: choices must be 2 to {MAX_CHOICES} texts, or {{label: text}}, not {choices!r:.60}"
            )
        if not all(isinstance(text, str) for text in texts):
            raise SpecError("choice: every choice must be text")
        labels = [str(label).casefold() for label in choices] if isinstance(choices, Mapping) else []
        if len(set(labels)) < len(labels) or not all(label.isalnum() and len(label) <= 4 for label in labels):
            raise SpecError(
                f"choice: labels must be different and of 1 to 4 letters or digits, not {', '.join(labels)}"
            )
    if isinstance(expected, list) and (not expected or len(set(map(str, expected))) < len(expected)):
        raise SpecError(f"choice: expected must be options, each once, not {expected!r}")
    _right(expected, choices)


@verifier("choice", version="2", check=check)
def choice(answer: str, *, expected: str | Sequence[str], choices: Choices | None = None) -> Verdict:
    """Pass when the last statement names exactly what is expected."""
    right = _right(expected, choices)
    claim = last_claim(answer, Options.of(choices, several=not isinstance(expected, str)))
    if claim is None:
        return unparseable("no option named: end with \\boxed{} and the option's letter")
    said = f"named {claim}, expected {' and '.join(sorted(right))}"
    if claim.either and len(claim.labels) > 1:
        return failed(f"{said}: one statement must not leave it open")
    if claim.labels == right:
        return passed(said)
    return failed(said, len(claim.labels & right) / len(claim.labels | right) if len(right) > 1 else 0.0)


def _right(expected: Any, choices: Choices | None) -> frozenset[str]:
    """Return the labels of the right options."""
    wanted = [expected] if isinstance(expected, str) else expected
    if not isinstance(wanted, list | tuple):
        raise SpecError(f"choice: expected must be a label or a list of them, not {expected!r}")
    options = Options.of(choices)
    return frozenset(_label(one, options) for one in wanted)


def _label(wanted: Any, options: Options) -> str:
    text = plain(str(wanted))
    by_text = [label for label, known in zip(options.labels, options.texts, strict=False) if known == text]
    by_label = [wanted] if wanted in options.labels else []
    if not isinstance(wanted, str) or len({*by_text, *by_label}) != 1:
        known = ", ".join(options.labels)
        fault = "is both a label and another option's text" if by_text and by_label else "is none, or several, of them"
        raise SpecError(f"choice: expected must be one of {known}, or one option's text; {wanted!r} {fault}")
    return [*by_label, *by_text][0]
