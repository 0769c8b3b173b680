"""sympy decides where numbers at points cannot."""

import pytest

from gradus.verifiers.base import verify
from gradus.verifiers.formula.parse import parse
from gradus.verifiers.formula.symbolic import same_symbolically


@pytest.mark.parametrize(
    ("expected", "answer", "outcome"),
    [
        ("x^{2024}+1", "1+x x^{2023}", "pass"),
        ("x^{2024}+1", "x^{2024}-1", "fail"),
        (r"\frac{x^{9999}}{x^{9998}}", "x", "pass"),
        ("x^{9999}", "x^{9998}", "fail"),
    ],
)
def test_powers_too_large_for_numbers_are_compared(expected, answer, outcome):
    assert verify("math", rf"\boxed{{{answer}}}", {"expected": expected}).outcome == outcome


def test_what_could_take_long_is_not_tried():
    large = "+".join(f"x^{{{n}}}" for n in range(60))
    assert not same_symbolically(parse(large), parse(large))
    assert not same_symbolically(parse("(x+1)^{99}"), parse("(1+x)^{99}"))
