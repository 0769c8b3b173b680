"""Way "numbers": the same problem with other numbers.

What came out of a generator is drawn again by it (`redraw.py`): of any domain, so instructions get other instructions
and tools other calls. In other mathematics and STEM problems that ask for one value, the numbers of the text are drawn
anew (`numerals.py`), and what then comes out is found by agreement. Refused: imported code, instructions, multiple
choice and tool calls, whose tests and options would no longer hold.
"""

from __future__ import annotations

from gradus.engine.records import Problem
from gradus.engine.varying.base import Draft, Task, UnusableError, Way, has_one_value, varied_source, ways
from gradus.engine.varying.numerals import numerals, redrawn
from gradus.engine.varying.redraw import level_of, redraw


def refuses(problem: Problem) -> str:
    """Say why the numbers of a problem cannot be changed."""
    if level_of(problem):
        return ""
    if not has_one_value(problem):
        return f"{problem.domain} with the verifier {problem.verifier}, not from a generator: its spec fits its numbers"
    return "" if numerals(problem.prompt) else "no number in it that could be changed"


def begin(parents: tuple[Problem, ...], task: Task) -> Draft:
    """Draw again, or change the numbers of the text."""
    (problem,) = parents
    if level_of(problem):
        return redraw(problem, task)
    text = redrawn(problem.prompt, task.rng)
    if text is None:
        raise UnusableError("nothing drawn: no other numbers of the same kind and order")
    terms = {name: value for name, value in problem.spec.items() if name != "expected"}
    return Draft(
        prompt=text,
        domain=problem.domain,
        verifier=problem.verifier,
        spec=terms,
        source=varied_source(problem),
        answer="open",
        like=str(problem.spec["expected"]),
    )


ways.register("numbers")(Way(refuses, begin))
