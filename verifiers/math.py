"""Verifier "math": is the final answer equal to the expected one?

Spec: `expected`; `tolerance`, a relative error (default: none, but 1e-9 where a decimal point occurs);
`order_matters`, true or false, overrides what the notation says (tuples ordered, lists and sets not); `units`, the
unit the expected value is in: an answer in another unit is converted by table, a bare number is taken to be in it;
`choices`, the texts of the options A, B, C …, of which `expected` is one, or its letter.

Covered: integers, fractions, decimals (also repeating), percent, mixed numbers, roots, powers, logarithms,
trigonometry, factorials, binomials, complex numbers, variables, finite sums and products, definite integrals, tuples,
sets, set builders, intervals, inequalities, equations, piecewise functions, matrices, units, currency, ratios, times,
dates, number words, labelled answers, "no solution", short text. formula/equal.py lists what counts as equal,
formula/extract.py where the answer is looked for. Not covered: limits, indefinite integrals, infinite sums, conclusions
in prose: these pass only when they are written alike. Rounded answers to exact questions need a `tolerance`.

Bounded: limits on the text, a work budget counted in operations, and a last question to sympy in a process that is
killed (formula/symbolic.py): a verdict takes less than 250 ms on any thread and does not depend on the machine's
load, but for the first question to sympy, which waits for it to start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from gradus.verifiers.base import SpecError, Verdict, failed, passed, unparseable, verifier
from gradus.verifiers.formula.compare import Terms
from gradus.verifiers.formula.equal import same_answer
from gradus.verifiers.formula.extract import MAX_SHORT_CHARS, only_number, shown, stated
from gradus.verifiers.formula.fuel import OutOfFuelError
from gradus.verifiers.formula.options import chosen, lettered, same_option
from gradus.verifiers.formula.parse import Reading, decimal_comma, read
from gradus.verifiers.formula.prose import letters, same_prose
from gradus.verifiers.formula.quick import plain_number, same_plain
from gradus.verifiers.formula.report import difference, shortfall
from gradus.verifiers.formula.syntax import MAX_CHARS, Node
from gradus.verifiers.trail import note


def check(spec: Mapping[str, Any]) -> None:
    """Refuse a spec that could judge nothing: no answer in expected, or an argument of the wrong kind."""
    expected, tolerance = spec["expected"], spec.get("tolerance")
    units, choices, order = spec.get("units"), spec.get("choices"), spec.get("order_matters")
    if not isinstance(expected, str) or len(expected) > MAX_CHARS * 4 or not (letters(expected) or readings(expected)):
        raise SpecError(f"math: expected must be a text with an answer in it, not {expected!r}")
    if tolerance is not None and (isinstance(tolerance, bool) or not isinstance(tolerance, int | float)):
        raise SpecError(f"math: tolerance must be a relative error in [0, 1), not {tolerance!r}")
    if tolerance is not None and not 0 <= tolerance < 1:
        raise SpecError(f"math: tolerance must be a relative error in [0, 1), not {tolerance!r}")
    if order is not None and not isinstance(order, bool):
        raise SpecError(f"math: order_matters must be true or false, not {order!r}")
    if units is not None and not (isinstance(units, str) and units.strip()):
        raise SpecError(f"math: units must be a unit's text such as 'cm', not {units!r}")
    if choices is not None:
        _check_choices(expected, choices)


def _check_choices(expected: str, choices: Any) -> None:
    if isinstance(choices, str) or not isinstance(choices, Sequence) or not 2 <= len(choices) <= 26:
        raise SpecError(f"math: choices must be a list of 2 to 26 texts, not {choices!r}")
    if not all(isinstance(choice, str) and choice.strip() for choice in choices):
        raise SpecError(f"math: choices must be a list of texts, not {choices!r}")
    if chosen(expected, choices, partial(_same_text, Terms())) is None:
        raise SpecError(f"math: expected must be one of the choices or its letter, not {expected!r}")


@verifier("math", version="2", check=check)
def math(
    answer: str,
    *,
    expected: str,
    tolerance: float | None = None,
    order_matters: bool | None = None,
    units: str | None = None,
    choices: Sequence[str] | None = None,
) -> Verdict:
    """Pass when the last answer given in the text equals expected."""
    expected = _expected(expected)
    found = _found(answer, expected)
    if found is None:
        return unparseable("no final answer in the text: put it in \\boxed{}")
    note("the answer found is {}", found)
    said = f"got {_brief(found)}, expected {_brief(expected)}"
    terms = Terms(tolerance, order_matters)
    try:
        if choices:
            right, picked = (chosen(text, choices, partial(_same_text, terms)) for text in (expected, found))
            return passed(said) if picked == right else failed(said if picked else f"{said}: names no single option")
        if _same(expected, found, terms, units):
            return passed(said)
        score, why = _shortfall(expected, found, terms, units)
    except OutOfFuelError as error:
        note("out of fuel")
        return failed(f"{said}: {error}")
    return failed(f"{said}: {why}" if why else said, score)


@lru_cache(maxsize=4096)
def _expected(text: str) -> str:
    """Return the expected answer itself, where a whole solution with a box is given."""
    if "\\boxed" in text or "####" in text:
        return stated(text) or text.rpartition("\\boxed{")[2]
    # A whole solution with its answer in words: what it states is what it expects.
    return text.strip() if readings(text) else stated(text) or text.strip()


def _found(answer: str, expected: str) -> str | None:
    """Return the marked answer; of a sentence, where mathematics is expected, its only number."""
    found = stated(answer)
    if found is None:
        return _shown(answer, expected)
    if (
        plain_number(found) is not None
        or readings(found)
        or not readings(expected)
        or letters(found) == letters(expected)
        or lettered(found)
    ):
        return found
    return only_number(found) or found


def _shown(answer: str, expected: str) -> str | None:
    """Return the answer of a text that does not mark it: mathematics if mathematics is expected."""
    if readings(expected):
        return next((part for part in shown(answer) if readings(part) or lettered(part)), None)
    short = answer.strip()
    return short if 0 < len(short) <= MAX_SHORT_CHARS else None


def readings(text: str) -> list[Reading]:
    """Return the ways to read a text as mathematics, likeliest first."""
    first, second, _ = read(text)
    return [reading for reading in (first, second) if reading]


def _same(expected: str, found: str, terms: Terms, units: str | None) -> bool:
    """Go down the ladder: plain numbers, the same prose, an option, then the same mathematics."""
    plain = same_plain(expected, found, terms.tolerance)
    if plain is not None:
        note("compared as plain numbers")
        return plain
    if same_prose(expected, found):
        note("the same text")
        return True
    option = same_option(expected, found, partial(_same_text, terms))
    if option is not None:
        note("compared as options of a multiple choice")
        return option
    for want in readings(expected):
        for got in readings(found):
            if same_answer(_in_units(want, units), got, terms):
                return True
    return _same_with_comma(expected, found, terms)


def _same_with_comma(expected: str, found: str, terms: Terms) -> bool:
    """Compare 2,74 as 2.74 with a number."""
    want, got = decimal_comma(expected), decimal_comma(only_number(found) or found)
    if (want is None) == (got is None):
        return False
    wants, gots = ([one] if one else readings(text) for one, text in ((want, expected), (got, found)))
    return any(same_answer(a, b, terms) for a in wants for b in gots)


def _same_text(terms: Terms, expected: str, found: str) -> bool:
    """Whether two texts say the same, as options of a choice are compared."""
    return same_prose(expected, found) or any(
        same_answer(want, got, terms) for want in readings(expected) for got in readings(found)
    )


def _in_units(want: Reading, units: str | None) -> Reading:
    """Give the expected value the unit the spec names."""
    if units is None or want.tree.head == "unit":
        return want
    return Reading(Node("unit", (want.tree,), units), want.condition)


def _shortfall(expected: str, found: str, terms: Terms, units: str | None) -> tuple[float, str]:
    """Return partial credit and what is wrong."""
    a, b = plain_number(expected), plain_number(found)
    if a is not None and b is not None:
        return 0.0, difference(a, b)
    want, got = readings(expected), readings(found)
    if not want:
        return 0.0, ""
    if not got:
        return 0.0, "the answer cannot be read as mathematics" if read(found)[2] else ""
    return shortfall(_in_units(want[0], units), got[0], terms)


def _brief(text: str) -> str:
    text = " ".join(text[:400].split())
    return text if len(text) <= 80 else text[:77] + "…"
