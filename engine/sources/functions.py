"""Small Python functions with assertion tests; the tests are made by running our own solution.

Four levels: one operator, one built-in, one loop or condition, two ideas together.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from gradus.engine.records import Problem
from gradus.engine.sources.base import Level, generators

Task = tuple[str, str, Callable[..., Any], Callable[[random.Random], tuple[Any, ...]]]
"""Name, what it returns, our solution, and a draw of arguments."""

NUM_TESTS = 4


def _number(rng: random.Random) -> tuple[int]:
    return (rng.randint(-9, 20),)


def _two(rng: random.Random) -> tuple[int, int]:
    return rng.randint(-9, 20), rng.randint(1, 9)


def _list(rng: random.Random) -> tuple[list[int]]:
    return ([rng.randint(-9, 20) for _ in range(rng.randint(2, 6))],)


def _word(rng: random.Random) -> tuple[str]:
    return (rng.choice(("apple", "Banana", "level", "kiwi", "Anna", "tree", "noon", "Data")),)


LEVELS: tuple[tuple[Task, ...], ...] = (
    (
        ("add(a, b)", "the sum of a and b", lambda a, b: a + b, _two),
        ("multiply(a, b)", "the product of a and b", lambda a, b: a * b, _two),
        ("subtract(a, b)", "a minus b", lambda a, b: a - b, _two),
        ("square(n)", "n squared", lambda n: n * n, _number),
        ("double(n)", "two times n", lambda n: 2 * n, _number),
        ("add_ten(n)", "n plus 10", lambda n: n + 10, _number),
        ("cube(n)", "n to the power of 3", lambda n: n**3, _number),
    ),
    (
        ("is_even(n)", "True if n is even, else False", lambda n: n % 2 == 0, _number),
        ("is_positive(n)", "True if n is greater than 0, else False", lambda n: n > 0, _number),
        ("largest(numbers)", "the largest number in the list", max, _list),
        ("smallest(numbers)", "the smallest number in the list", min, _list),
        ("total(numbers)", "the sum of the list", sum, _list),
        ("size(numbers)", "how many numbers are in the list", len, _list),
        ("shout(word)", "the word in upper case", str.upper, _word),
    ),
    (
        ("reverse(word)", "the word with its letters reversed", lambda w: w[::-1], _word),
        ("first(numbers)", "the first number in the list", lambda x: x[0], _list),
        ("last(numbers)", "the last number in the list", lambda x: x[-1], _list),
        ("distance(a, b)", "the absolute difference of a and b", lambda a, b: abs(a - b), _two),
        ("ascending(numbers)", "the list sorted in ascending order", sorted, _list),
        ("average(numbers)", "the mean of the list", lambda x: sum(x) / len(x), _list),
        ("remainder(a, b)", "the remainder of a divided by b", lambda a, b: a % b, _two),
    ),
    (
        ("evens(numbers)", "a list of the even numbers in the list", lambda x: [n for n in x if n % 2 == 0], _list),
        ("is_palindrome(word)", "True if the word reads the same backwards", lambda w: w == w[::-1], _word),
        ("vowels(word)", "how many vowels the word has", lambda w: sum(c in "aeiouAEIOU" for c in w), _word),
        ("descending(numbers)", "the list sorted from largest to smallest", lambda x: sorted(x)[::-1], _list),
        ("squares(numbers)", "a list of the squares of the numbers", lambda x: [n * n for n in x], _list),
        ("sum_positive(numbers)", "the sum of the positive numbers", lambda x: sum(n for n in x if n > 0), _list),
        ("spread(numbers)", "the largest number minus the smallest", lambda x: max(x) - min(x), _list),
    ),
)


def _cases(draws: list[tuple[Any, ...]], solve: Callable[..., Any]) -> list[tuple[Any, ...]]:
    """Return the first different draws, the last exchanged if all had one result: a constant would pass."""
    cases = list({repr(case): case for case in draws}.values())
    chosen = cases[:NUM_TESTS]
    results = [solve(*case) for case in cases]
    if all(result == results[0] for result in results[:NUM_TESTS]):
        chosen[-1] = next(case for case, result in zip(cases, results, strict=True) if result != results[0])
    return chosen


def _level(tasks: tuple[Task, ...]) -> Level:
    def draw(rng: random.Random) -> Problem:
        signature, returns, solve, arguments = rng.choice(tasks)
        name = signature.partition("(")[0]
        rng = random.Random(signature)  # one task, one set of tests: a problem is not asked twice
        tests = [
            f"assert {name}({', '.join(map(repr, case))}) == {solve(*case)!r}"
            for case in _cases([arguments(rng) for _ in range(50)], solve)
        ]
        prompt = f"Write a Python function {signature} that returns {returns}."
        return Problem(prompt=prompt, domain="code", verifier="code", spec={"tests": tests}, source="functions")

    return draw


@generators.register("functions")
def levels() -> tuple[Level, ...]:
    """From one-line functions to loops with conditions."""
    return tuple(_level(tasks) for tasks in LEVELS)
