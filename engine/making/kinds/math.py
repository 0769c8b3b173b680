"""Kinds of wrong answers in mathematics, by the equations that they state (verifiers/equations.py).

`arithmetic slip`: one of them does not hold. `wrong conclusion`: none fails, and the right side of the last that holds
would have passed, but another answer is given. `wrong plan`: none fails otherwise. `no work shown`: there is none.
Not covered: slips in words, and in equations that cannot be decided; both look like wrong plans.
"""

from __future__ import annotations

from gradus.engine.making.kinds.base import Failed, Kind, kinds
from gradus.verifiers.base import verify
from gradus.verifiers.equations import stated

NUMERIC = ("math", "math_verify")


@kinds("math", version=1)
def math(failed: Failed) -> Kind:
    """Look for the first equation that fails."""
    equations = stated(failed.text)
    if wrong := next((equation.text for equation in equations if equation.holds is False), ""):
        return Kind(("arithmetic slip",), wrong)
    if not equations:
        return Kind(("no work shown",), failed.reason)
    last = next((equation.text for equation in reversed(equations) if equation.holds), "")
    result = last.rpartition("=")[2].strip()
    if failed.verifier in NUMERIC and result and verify(failed.verifier, result, failed.spec).outcome == "pass":
        return Kind(("wrong conclusion",), last)
    return Kind(("wrong plan",), failed.reason)
