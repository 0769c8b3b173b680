"""The equations that a mathematical text states, each checked: which steps of a solution hold?

An equation is a chain of sides joined by `=`, `≈`, `<`, `≤`, `>`, `≥` or `≠`, in LaTeX or plain notation; it may run
over lines that begin with the sign. Numbers may bear currency signs, thousands commas, percent and units.

It holds where neighbouring sides agree, as far as they can be compared; it fails where two of them differ however they
are read; else it is undecided (None). Sides of numbers alone are compared exactly. Sides with variables agree as
identities, or say nothing: `x = 5` is undecided. A right step must not be called wrong, so what may be a rounding, a
change of unit, a supposition, a question, or part of a sentence's own arithmetic ("half of 48 + 2 = 26") is undecided
when its numbers differ: statements/excuses.py has the list.

Not covered: code, tables, matrices, integrals, congruences, numerals in other bases, statements in words ("48 and 24
make 72"). Bounded: the first 200,000 characters and 2,000 equations are read, each in a few milliseconds at most.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradus.verifiers.statements.excuses import excused
from gradus.verifiers.statements.holding import holds
from gradus.verifiers.statements.sides import Chain, chains

MAX_EQUATIONS = 2000


@dataclass(frozen=True, slots=True)
class Equation:
    """What stands at text[start:end], and whether it holds; None: it cannot be decided."""

    text: str
    start: int
    end: int
    holds: bool | None


def stated(text: str) -> tuple[Equation, ...]:
    """Return the equations a text states, in order."""
    found = []
    for chain in chains(text):
        found.append(Equation(text[chain.start : chain.end], chain.start, chain.end, _checked(text, chain)))
        if len(found) == MAX_EQUATIONS:
            break
    return tuple(found)


def _checked(text: str, chain: Chain) -> bool | None:
    pairs = zip(chain.sides, chain.signs, chain.sides[1:], strict=False)
    verdicts = {holds(left, sign, right) for left, sign, right in pairs}
    if False in verdicts:
        return None if excused(text, chain) else False
    return True if True in verdicts else None
