"""Way "compose": two problems become one, whose second part needs the first one's answer.

For mathematics and STEM that ask for one value. By template: where both answers are rational and the second text has a
number that can be changed, that number becomes X and a difference, X being the first answer, so the second answer
stays; else the result is a multiple of the first answer and the second one added, computed exactly. By a teacher, who
merges both stories: then the answer is found by agreement. The recipe's `vary.compose` says which. Refused: code,
instructions, multiple choice and tool calls.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

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
from gradus.engine.varying.numerals import Numeral, numerals, replaced
from gradus.engine.varying.rewrite import written
from gradus.verifiers.formula.exact import exact
from gradus.verifiers.math import readings

ASK = """Below are two problems. Write one new problem out of both: a single story, in which the answer of the first
must be found and is then needed to answer the second. Of the second problem, leave out the number that the answer of
the first takes the place of. Ask one question at the end, for one value. Do not solve it.
Write nothing but the new problem, between <problem> and </problem>.

First problem:
{first}

Second problem:
{second}"""
CHAIN = """First question: {first}

Let {name} be the answer to the first question, as a number without a unit.

Second question: {second}

Give the answer to the second question."""
JOIN = """First question: {first}

Second question: {second}

Multiply the answer to the first question by {factor}, then add the answer to the second question, both as numbers \
without units. What is the result?"""
NAMES = "XYZNKM"
MAX_DIGITS = 12


def refuses(problem: Problem) -> str:
    """Say why a problem can be no part of another."""
    if has_one_value(problem):
        return ""
    return f"{problem.domain} with the verifier {problem.verifier}: it has no single value that another could need"


def begin(parents: tuple[Problem, ...], task: Task) -> Draft | Question:
    """Fill a template, or ask for one story."""
    first, second = parents
    by_template = task.config.compose == "template" or (task.config.compose == "both" and task.rng.random() < 0.5)
    if by_template and (draft := _chained(first, second, task) or _joined(first, second, task)):
        return draft
    if task.config.compose == "template":
        raise UnusableError("no template fits: an answer is not a rational number")
    # Not by format: problems hold braces of their own.
    before, between = ASK.split("{first}")
    ask = before + first.prompt + between.replace("{second}", second.prompt)
    return Question(user(ask), lambda answer: _draft(second, written(answer), None))


def _chained(first: Problem, second: Problem, task: Task) -> Draft | None:
    """Say one number of the second problem by the first answer."""
    given, numbers = value_of(first), numerals(second.prompt)
    name = next((name for name in NAMES if name not in first.prompt + second.prompt), "")
    if given is None or not numbers or not name:
        return None
    number = task.rng.choice(numbers)
    said = _by_difference(name, number, given)
    if not said:
        return None
    text = CHAIN.replace("{name}", name).replace("{second}", replaced(second.prompt, {number.text: said}))
    return _draft(second, text.replace("{first}", first.prompt), str(second.spec["expected"]))


def _by_difference(name: str, number: Numeral, given: Fraction) -> str:
    difference = number.value - given
    size = decimal(abs(difference))
    if not size:
        return ""
    return f"({name} {'-' if difference < 0 else '+'} {size})" if difference else name


def _joined(first: Problem, second: Problem, task: Task) -> Draft | None:
    """Ask for a multiple of the first answer and the second one added."""
    a, b = value_of(first), value_of(second)
    factor = task.rng.randint(2, 9)
    if a is None or b is None:
        return None
    text = JOIN.replace("{factor}", str(factor)).replace("{second}", second.prompt).replace("{first}", first.prompt)
    total = factor * a + b
    return _draft(second, text, decimal(total) or f"{total.numerator}/{total.denominator}")


def _draft(second: Problem, text: str, expected: str | None) -> Draft:
    return Draft(
        prompt=text,
        domain=second.domain,
        verifier=second.verifier,
        spec={**second.spec, "expected": expected} if expected else _terms(second),
        source=varied_source(second),
        answer="computed" if expected else "open",
    )


def _terms(problem: Problem) -> dict[str, Any]:
    return {name: value for name, value in problem.spec.items() if name not in ("expected", "units", "tolerance")}


def value_of(problem: Problem) -> Fraction | None:
    """Return a problem's answer, where that is a rational number without a unit."""
    found = readings(str(problem.spec["expected"]))
    return exact(found[0].tree) if found else None


def decimal(value: Fraction) -> str:
    """Write a number that ends after a few decimals; empty for others."""
    for places in range(MAX_DIGITS):
        whole = value * 10**places
        if whole.denominator == 1 and abs(value) < 10**MAX_DIGITS:
            return f"{Decimal(whole.numerator).scaleb(-places):f}"
    return ""


ways.register("compose")(Way(refuses, begin, num_parents=2))
