"""Way "rewrite": a teacher tells the problem in another story; every number and the question stay.

The text between `<problem>` and `</problem>` is taken if it has just the parent's numbers, in digits or in words; the
word "one" does not count. Mathematics and STEM that ask for one value keep the answer, multiple choice its options word
for word, code its tests and the names of its functions: what does not is no draft. Refused: instructions, where the
wording is what is judged, and tool calls, which quote their schemas; the way `numbers` draws new ones of both.
"""

from __future__ import annotations

import re

from gradus.engine.clean.guard import called, plain_name
from gradus.engine.clean.text import is_number, tokens
from gradus.engine.records import Problem
from gradus.engine.varying.base import (
    Draft,
    Question,
    Task,
    UnusableError,
    Way,
    has_one_value,
    user,
    varied_source,
    ways,
)

ASK = """Rewrite the problem below so that it tells of other people, things and places, in other words and with other
sentences. Keep every number exactly as it is, in digits where it is in digits, and use no other number. Ask for the
same quantity, so that the answer stays the same. {more}Do not solve it.
Write nothing but the new problem, between <problem> and </problem>.

<problem>
{prompt}
</problem>"""
MORE = {
    "code": "Keep the names of functions, their arguments and every given test word for word. ",
    "choice": "Keep the options word for word, in their order. ",
}
ONE = re.compile(r"(?<!-)\bone\b", re.IGNORECASE)
WRITTEN = re.compile(r"<problem>(.*?)</problem>", re.DOTALL)
LENGTHS = (0.3, 4.0)
"""Of the new text, in lengths of the old."""


def refuses(problem: Problem) -> str:
    """Say why a problem cannot be told otherwise."""
    if has_one_value(problem) or problem.verifier in ("code", "choice"):
        return ""
    return f"{problem.domain} with the verifier {problem.verifier}: its wording is part of what is judged"


def begin(parents: tuple[Problem, ...], task: Task) -> Question:  # noqa: ARG001
    """Ask for another story."""
    (problem,) = parents
    ask = ASK.replace("{more}", MORE.get(problem.verifier, "")).replace("{prompt}", problem.prompt)
    return Question(user(ask), lambda answer: _read(problem, answer))


def _read(problem: Problem, answer: str) -> Draft:
    text = written(answer)
    shortest, longest = (factor * len(problem.prompt) for factor in LENGTHS)
    if not shortest <= len(text) <= longest:
        raise UnusableError(f"another length: {len(text)} characters instead of {len(problem.prompt)}")
    if change := _changed(_numbers(problem.prompt), _numbers(text)):
        raise UnusableError(f"other numbers: {change}")
    if lost := next((part for part in _fixed(problem) if part not in _squeezed(text)), ""):
        raise UnusableError(f"something left out: {lost!r}")
    return Draft(
        prompt=text,
        domain=problem.domain,
        verifier=problem.verifier,
        spec=problem.spec,
        source=varied_source(problem),
        answer="kept",
    )


def written(answer: str) -> str:
    """Return the problem that a teacher wrote."""
    found = WRITTEN.findall(answer)
    if len(found) != 1 or not found[0].strip():
        raise UnusableError(f"no problem written: {len(found)} texts between <problem> and </problem>")
    return str(found[0]).strip()


def _numbers(text: str) -> set[str]:
    # "One of them" counts nothing.
    return set(filter(is_number, tokens(ONE.sub("", text))))


def _changed(old: set[str], new: set[str]) -> str:
    """Say which numbers are gone and which are new."""
    gone, added = sorted(old - new), sorted(new - old)
    return "; ".join([f"{', '.join(gone)} gone"] * bool(gone) + [f"{', '.join(added)} new"] * bool(added))


def _fixed(problem: Problem) -> list[str]:
    """Return what must occur in any wording."""
    if problem.verifier == "choice":
        choices = problem.spec.get("choices") or ()
        texts = choices.values() if isinstance(choices, dict) else choices
        return [_squeezed(str(text)) for text in texts]
    if problem.verifier == "code":
        tests = problem.spec.get("tests", ())
        names = called(tests) | {plain_name(str(call["function"])) for call in problem.spec.get("calls", ())}
        return [name for name in sorted(names) if name in _squeezed(problem.prompt)]
    return []


def _squeezed(text: str) -> str:
    return plain_name("".join(text.split()))


ways.register("rewrite")(Way(refuses, begin))
