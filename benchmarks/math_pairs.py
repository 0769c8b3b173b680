"""Labelled answers from data sets, for bench_math.py: readers, each from a path to Labelled pairs."""

from __future__ import annotations

import ast
import json
import math
import tarfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import reasoning_gym  # type: ignore[import-untyped]

STYLES = ("The answer is {}.", r"So we get $\boxed{{{}}}$.", "#### {}", "{}")
GENERATORS = (
    *("advanced_geometry", "basic_arithmetic", "chain_sum", "coin_flip", "complex_arithmetic", "count_primes"),
    *("decimal_arithmetic", "decimal_chain_sum", "dice", "fraction_simplification", "gcd", "gsm_symbolic"),
    *("intermediate_integration", "lcm", "leg_counting", "number_sequence", "polynomial_equations"),
    *("polynomial_multiplication", "power_function", "products", "simple_equations", "simple_geometry"),
    *("simple_integration", "time_intervals"),
)


class Labelled(NamedTuple):
    """A response beside the expected answer; right says whether it should pass. tolerance is the spec's."""

    expected: str
    response: str
    right: bool
    tolerance: float | None = None


def hardverify(path: Path) -> Iterator[Labelled]:
    """Read HardVerify-Math (TinyV): per problem one right answer that is hard to recognise, and one wrong one."""
    for row in json.loads(path.read_text()):
        yield Labelled(row["ground_truth"], rf"\boxed{{{row['fn_output']}}}", True)
        yield Labelled(row["ground_truth"], rf"\boxed{{{row['tn_output']}}}", False)


def suite(sdist: Path) -> list[Labelled]:
    """Read math-verify's own labelled pairs out of the test files in its source distribution.

    Of the 275, two pairs carry both labels, for two settings of its flags, and 1 + 1/e is labelled right for
    1 - 1/e: nobody gets more than 273, and nobody right more than 272.
    """
    found: list[Labelled] = []
    with tarfile.open(sdist) as archive:
        for name in sorted(archive.getnames()):
            if "/tests/test_" in name and (file := archive.extractfile(name)):
                found += _suite_file(ast.parse(file.read()))
    return found


def _suite_file(tree: ast.Module) -> Iterator[Labelled]:
    """Yield the (gold, pred, label, …) rows of every parametrize decorator."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and len(node.args) == 2):
        names = [name.strip() for name in str(getattr(call.args[0], "value", "")).split(",")]
        label = next((name for name in names if name in {"expected", "result"}), None)
        if names[:2] != ["gold", "pred"] or label is None or not isinstance(call.args[1], ast.List):
            continue
        for row in call.args[1].elts:
            # Not literal_eval: one row formats a square root. The package's own tests would run this code too.
            values = eval(compile(ast.Expression(row), "suite", "eval"), {"math": math})
            cells = dict(zip(names, values, strict=True))
            places = cells.get("precision", 6)
            yield Labelled(cells["gold"], cells["pred"], bool(cells[label]), None if places == 6 else 10.0**-places)


def word_problems(path: Path) -> Iterator[Labelled]:
    """Read GSM8K (`answer` ends in `#### N`), SVAMP (`Answer`) or MAWPS (`target`), one JSON object a line."""
    for index, line in enumerate(path.read_text().splitlines()):
        row = json.loads(line)
        if "####" in str(row.get("answer")):
            reasoning, _, expected = row["answer"].rpartition("####")
            right = row["answer"]
            wrong = f"{reasoning}#### {_other(expected)}"
        else:
            expected = f"{row.get('Answer', row.get('target'))}".removesuffix(".0")
            style = STYLES[index % len(STYLES)]
            right, wrong = style.format(expected), style.format(_other(expected))
        yield Labelled(expected.strip(), right, True)
        yield Labelled(expected.strip(), wrong, False)


def _other(number: str) -> str:
    """Return a number one off, as an integer or a decimal."""
    value = Fraction(number.replace(",", "")) + 1
    return str(value) if value.denominator == 1 else str(float(value))


def generated(num: int, seed: int = 0) -> Iterator[Labelled]:
    """Ask reasoning-gym for that many problems of each generator; a wrong answer is that of another problem."""
    for name in GENERATORS:
        made = reasoning_gym.create_dataset(name, size=num, seed=seed)
        entries = list(made)
        for index, (entry, after) in enumerate(zip(entries, entries[1:] + entries[:1], strict=True)):
            style, expected = STYLES[index % 2], str(entry["answer"])
            yield Labelled(expected, style.format(expected), True)
            if _differs(made, entry, str(after["answer"])):
                yield Labelled(expected, style.format(after["answer"]), False)


def _differs(made: Any, entry: dict[str, Any], answer: str) -> bool:
    return bool(made.score_answer(answer, entry) < 1)
