"""How many requests may be in flight to a server that is not ours: additive increase, multiplicative decrease.

The limit grows by one an answer until the server first pushes back: says that it is busy, or has become so slow that
the mean answer takes half of what would be a time-out. It is then cut by a third, at most once per round trip, and from
there grows by a twentieth of itself per round trip. It never grows beyond twice what has been in flight. A single late
answer is no sign (some answers are long), nor is a lost connection.
"""

from __future__ import annotations

import math
import time

FIRST = 64
CUT = 0.67
STEP = 0.05
SMOOTHING = 1 / 32
"""The share of the newest answer in the mean."""


class Pace:
    """The limit, and until when the server asked to be left alone. Used by one thread, read by others."""

    def __init__(self, most: int, *, slow_s: float) -> None:
        self.most = most
        self.limit = float(min(FIRST, most))
        self.resume_at = 0.0
        """On the monotonic clock."""
        self._slow_s = slow_s
        self._threshold = math.inf
        self._cut_at = 0.0
        self._peak = 0
        self._mean_s = 0.0

    def sent(self, in_flight: int) -> None:
        """Note how many requests are in flight."""
        self._peak = max(self._peak, in_flight)

    def answered(self, sent_at: float) -> None:
        """Note an answer to a request that was sent at sent_at."""
        self.waited(sent_at)
        if self._mean_s <= self._slow_s and self.limit < 2 * self._peak:
            self.limit = min(self.most, self.limit + (1.0 if self.limit < self._threshold else STEP))

    def waited(self, sent_at: float) -> None:
        """Note how long a request that was sent at sent_at has waited, for an answer or in vain."""
        self._mean_s += SMOOTHING * (time.monotonic() - sent_at - self._mean_s)
        if self._mean_s > self._slow_s:
            self.pushed_back(sent_at)

    def pushed_back(self, sent_at: float, wait_s: float = 0.0) -> None:
        """Note that the server could not keep up with a request that was sent at sent_at."""
        now = time.monotonic()
        self.resume_at = max(self.resume_at, now + wait_s)
        if sent_at >= self._cut_at:  # of the requests of one round trip, the first cuts
            self.limit = self._threshold = max(1.0, self.limit * CUT)
            self._cut_at = now

    def room(self, in_flight: int) -> int:
        """Return how many more requests may go."""
        return 0 if time.monotonic() < self.resume_at else max(0, int(self.limit) - in_flight)
