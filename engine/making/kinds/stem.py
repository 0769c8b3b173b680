"""Kinds of wrong answers to questions of science.

`arithmetic slip` where a stated equation fails; else `wrong choice` or `several choices` of a multiple-choice question,
and mathematics' kinds for answers that are numbers.
"""

from __future__ import annotations

from gradus.engine.making.kinds.base import Failed, Kind, kinds, own_reason
from gradus.engine.making.kinds.math import math


@kinds("stem", version=1)
def stem(failed: Failed) -> Kind:
    """Look at the calculation, then at the choice."""
    reason, calculation = own_reason(failed.reason), math(failed)
    if calculation.names == ("arithmetic slip",) or not reason.startswith("named "):
        return calculation
    named, _, _ = reason.removeprefix("named ").partition(", expected ")
    several = " and " in named or " or " in named or reason.endswith("must not leave it open")
    return Kind(("several choices" if several else "wrong choice",), reason)
