"""How much work one verdict may cost, counted in operations, so that it is the same on every machine.

One unit is about a microsecond of one core of 2020 without gmpy2. Every evaluation and comparison spends before it
works; when the tank is empty the question stays unsettled, which does not pass.
"""

from __future__ import annotations

FUEL_PER_VERDICT = 40_000


class OutOfFuelError(ValueError):
    """The work one verdict may cost is used up."""


class Fuel:
    """A tank that only empties."""

    def __init__(self, units: int = FUEL_PER_VERDICT) -> None:
        self.left = units

    def spend(self, units: int) -> None:
        self.left -= units
        if self.left < 0:
            raise OutOfFuelError("the answer is too much work to compare")
