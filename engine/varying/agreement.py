"""Whether independent solutions agree on a draft's answer, and on which.

Solutions agree when the draft's verifier passes them for the same answer: 1/2 and 0.5 are one answer. Where the answer
is open, every answer that a solution marks (a box, "the answer is") is tried against all solutions, and the one that
most of them pass is the answer, written as the shortest of its forms. Where it is known, enough must pass. More than
half must agree, so no two different answers can. A solution that was cut off, or refused, agrees with none.

What this cannot see: an error that most solutions share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gradus.engine.clean.guard import plain
from gradus.engine.varying.base import Draft, UnusableError
from gradus.verifiers.base import MALFORMED, SpecError, check_spec
from gradus.verifiers.formula.extract import stated
from gradus.verifiers.formula.quick import plain_number
from gradus.verifiers.pool import Task, verify_all

IMPOSSIBLE = ("impossible", "no solution", "no answer", "undefined", "unknown", "cannot be determined", "indeterminate")
MAX_ANSWER_CHARS = 200


@dataclass(frozen=True, slots=True)
class Agreed:
    """How many solutions agree, and on which arguments of the verifier."""

    num: int
    spec: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Solved:
    """A draft with the solutions that came to their own end; num counts the others too."""

    draft: Draft
    answers: tuple[str, ...]
    num: int


def agreements(solved: Sequence[Solved], least: int, *, workers: int) -> Iterator[Agreed | UnusableError]:
    """Yield for each draft what at least so many solutions agree on, or why there is no such answer."""
    candidates = [_candidates(one) for one in solved]
    tasks = (
        task for one, specs in zip(solved, candidates, strict=True) for spec in specs for task in _tasks(one, spec)
    )
    verdicts = verify_all(tasks, workers=workers)
    for one, specs in zip(solved, candidates, strict=True):
        passes = [sum(v.outcome == "pass" for v in islice(verdicts, len(one.answers))) for _ in specs]
        yield _decided(one, list(zip(passes, specs, strict=True)), least)


def _candidates(solved: Solved) -> list[dict[str, Any]]:
    """Return the arguments to try: the known ones first, then one for each different answer."""
    draft = solved.draft
    known = [] if draft.answer == "open" else [dict(draft.spec)]
    if draft.verifier != "math" or draft.spec.get("choices"):
        return known
    found = dict.fromkeys(text.strip() for answer in solved.answers if (text := stated(answer)))
    short = sorted((text for text in found if 0 < len(text) <= MAX_ANSWER_CHARS), key=lambda text: (len(text), text))
    tried = [{**draft.spec, "expected": text} for text in short]
    return known + [spec for spec in tried if _usable(draft.verifier, spec)]


def _usable(verifier: str, spec: dict[str, Any]) -> bool:
    try:
        check_spec(verifier, spec)
    except (SpecError, *MALFORMED):
        return False
    return True


def _tasks(solved: Solved, spec: dict[str, Any]) -> Iterator[Task]:
    return ((solved.draft.verifier, answer, spec) for answer in solved.answers)


def _decided(solved: Solved, found: list[tuple[int, dict[str, Any]]], least: int) -> Agreed | UnusableError:
    """Choose among the candidates, known ones and shorter ones first."""
    draft = solved.draft
    if draft.answer != "open" and found[0][0] >= least:
        return Agreed(*found[0])
    num, spec = max(found, key=lambda one: one[0], default=(0, {}))
    text = str(spec.get("expected", ""))
    if not any(stated(answer) for answer in solved.answers) and draft.verifier == "math":
        return UnusableError(f"unsolvable: none of {solved.num} solutions gives an answer")
    if not found:
        return UnusableError("verifier spec refused: no solution's answer can be an expected one")
    if num >= least and plain(text) in IMPOSSIBLE:
        return UnusableError(f"unsolvable: {num} of {solved.num} solutions say {text}")
    if num < least:
        return UnusableError(f"no agreement: at most {num} of {solved.num} solutions agree, {least} are needed")
    if draft.answer != "open":
        return UnusableError(f"another answer: {num} of {solved.num} solutions say {text}")
    if change := _other_kind(draft.like, text):
        return UnusableError(f"another kind of answer: {change}")
    return Agreed(num, spec)


def _other_kind(old: str, new: str) -> str:
    """Say how an answer differs in kind from its parent's: a count stays a count."""
    was, now = plain_number(old.replace(",", "")), plain_number(new.replace(",", "").lstrip("$"))
    if was is None or now is None:
        return ""
    if was.denominator == 1 and now.denominator != 1:
        return f"{new} is no integer, as {old} was"
    return f"{new} is negative, which {old} was not" if was >= 0 > now else ""
