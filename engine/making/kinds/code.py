"""Kinds of wrong programs, by the first test that failed.

`exception` (detail: its name, where there is one), `time-out`, `does not build` (compiled languages), `wrong output`
for the rest.
"""

from __future__ import annotations

import re

from gradus.engine.making.kinds.base import WRONG, Failed, Kind, kinds, own_reason

RAN_OUT = re.compile(r": no end within [\d.e+-]+ s$|\btests had run out of time$")
RETURNED = re.compile(r": (?:.* gave |printed |the checker gives )|^[\w.]+\(.*\) gave |: AssertionError\b")
RAISED = re.compile(r": (?!Assertion)([A-Za-z_][\w.]*(?:Error|Exception|Warning|Exit|Interrupt|Iteration))(?=: |$)")


@kinds("code", version=1)
def code(failed: Failed) -> Kind:
    """Read the first failure; what comes first in it decides, for values and messages may hold anything."""
    reason = own_reason(failed.reason)
    failure = reason.partition("first failure: ")[2].partition(" (last call: ")[0]
    if "program does not build" in reason:
        return Kind(("does not build",), reason.partition("does not build: ")[2])
    if RAN_OUT.search(failure):
        return Kind(("time-out",), failure)
    returned, raised = RETURNED.search(failure), RAISED.search(failure)
    if raised and not (returned and returned.start() < raised.start()):
        return Kind(("exception",), raised[1])
    if returned:
        return Kind(("wrong output",), failure)
    return Kind(("exception",), failure) if failure else Kind((WRONG,), reason)
