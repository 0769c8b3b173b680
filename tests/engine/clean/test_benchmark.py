"""A benchmark's columns are found by their names, in JSONL and Parquet."""

import json

import polars as pl
import pytest

from gradus.engine.clean.benchmark import read_benchmark
from gradus.errors import DataError


def lines(tmp_path, *rows):
    path = tmp_path / "own.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("row", "text", "answer", "functions"),
    [
        ({"question": "How many?", "answer": "2 + 1 = 3\n#### 3"}, "How many?", "3", set()),
        ({"problem": "Find it.", "solution": r"So \boxed{1{,}250} it is."}, "Find it.", "1250", set()),
        ({"problem": "Find it.", "solution": r"So \boxed{12} it is."}, "Find it.", "12", set()),
        ({"prompt": "P", "spec": {"expected": "7.0"}}, "P", "7", set()),
        ({"prompt": "P", "spec": '{"expected": "B"}'}, "P", "b", set()),
        ({"text": "Write f.", "test_list": ["assert min_cost(1) == 2"], "task_id": 4}, "Write f.", "", {"mincost"}),
        ({"prompt": "Add two.", "entry_point": "add_two", "test": "def check(c): ..."}, "Add two.", "", {"addtwo"}),
        ({"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]}, "U", "", set()),
        ({"Body": "Two hens.", "Question": "How many?", "Answer": 2.0}, "Two hens. How many?", "2", set()),
        ({"question": "Q", "answer": "word " * 40}, "Q", "", set()),
    ],
)  # fmt: skip
def test_prompt_answer_and_functions_are_found(tmp_path, row, text, answer, functions):
    (item,) = read_benchmark(lines(tmp_path, row))
    assert (item.text, item.answer, item.functions) == (text, answer, functions)


def test_an_item_is_named_by_its_id_or_its_line(tmp_path):
    names = [item.name for item in read_benchmark(lines(tmp_path, {"question": "A"}, {"question": "B", "id": "x7"}))]
    assert names == ["1", "x7"]


def test_parquet_is_read_too(tmp_path):
    pl.DataFrame({"question": ["A?", "B?"], "answer": ["1", "2"]}).write_parquet(tmp_path / "own.parquet")
    assert [item.answer for item in read_benchmark(tmp_path / "own.parquet")] == ["1", "2"]


def test_a_file_without_prompts_says_what_it_has(tmp_path):
    with pytest.raises(DataError, match=r"row 1: no column with a prompt among foo, bar; known: prompt"):
        read_benchmark(lines(tmp_path, {"foo": 1, "bar": "x"}))


@pytest.mark.parametrize(("name", "content"), [("own.jsonl", b""), ("own.parquet", b"no parquet"), ("own.jsonl", b"{")])
def test_a_file_that_is_no_benchmark_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        read_benchmark(tmp_path / name)
