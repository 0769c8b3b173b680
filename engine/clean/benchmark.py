"""Benchmarks as lists of items: a JSONL or Parquet file, or the workspace's own held-out problems.

The columns are found by their names. A `messages` column gives its first user turn. An answer that ends with
`#### 18`, as GSM8K's do, or holds `\\boxed{18}`, is cut to that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from gradus.engine.calls import asked
from gradus.engine.clean.guard import answer_of, called, defined, plain, plain_name
from gradus.engine.clean.leaks import Item
from gradus.engine.clean.texts import Text
from gradus.engine.sources.base import read_jsonl
from gradus.errors import DataError

PROMPTS = ("prompt", "question", "problem", "Problem", "Question", "instruction", "text", "Body", "input", "query")
ANSWERS = ("expected_answer", "final_answer", "answer", "Answer", "target", "gold", "solution", "output")
TESTS = ("test_list", "tests", "test", "assertions")
NAMES = ("task_id", "id", "name", "uid", "uuid")
FINAL = re.compile(r"####\s*(.+?)\s*$|\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}", re.MULTILINE)
LONGEST_ANSWER = 80
"""Characters; what is longer is a solution, not an answer."""


def read_benchmark(path: Path) -> list[Item]:
    """Read a file of problems; DataError names what is missing."""
    rows = _parquet(path) if path.suffix == ".parquet" else (row for _, row in read_jsonl(path))
    items = [_item(row, number, path) for number, row in enumerate(rows, 1)]
    if not items:
        raise DataError(f"{path}: no problem in it")
    return items


def heldout_items(texts: Iterable[Text]) -> list[Item]:
    """Return the held-out problems as a benchmark."""
    return [
        Item(name=text.id[:8], text=asked(text.text), answer=text.answer, functions=text.names)
        for text in texts
        if text.fixed
    ]


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    try:
        file = pq.ParquetFile(path)
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        raise DataError(f"{path}: cannot be read: {error}") from None
    for batch in file.iter_batches(1024):
        yield from batch.to_pylist()


def _item(row: Mapping[str, Any], number: int, path: Path) -> Item:
    text = _prompt(row)
    if not text:
        known = ", ".join((*PROMPTS, "messages"))
        raise DataError(f"{path}, row {number}: no column with a prompt among {', '.join(row)}; known: {known}")
    tests = next((row[name] for name in TESTS if row.get(name)), ())
    functions = called(tests if isinstance(tests, str) else [str(test) for test in tests]) | defined(text)
    if row.get("entry_point"):
        functions.add(plain_name(str(row["entry_point"])))
    name = next((str(row[name]) for name in NAMES if row.get(name) is not None), str(number))
    return Item(name=name, text=asked(text), answer=_answer(row), functions=frozenset(functions))


def _prompt(row: Mapping[str, Any]) -> str:
    if isinstance(row.get("messages"), list):
        return next((str(turn["content"]) for turn in row["messages"] if turn.get("role") == "user"), "")
    found = [row[name] for name in PROMPTS if isinstance(row.get(name), str) and row[name].strip()]
    if isinstance(row.get("Body"), str) and isinstance(row.get("Question"), str):  # SVAMP's two halves
        return f"{row['Body']} {row['Question']}"
    return found[0] if found else ""


def _answer(row: Mapping[str, Any]) -> str:
    if row.get("spec"):
        spec = row["spec"]
        return answer_of(json.loads(spec) if isinstance(spec, str) else spec)
    value = next((row[name] for name in ANSWERS if row.get(name) is not None), "")
    found = FINAL.findall(str(value))
    text = next(part for part in found[-1] if part) if found and any(found[-1]) else str(value)
    return plain(text) if len(text) <= LONGEST_ANSWER else ""
