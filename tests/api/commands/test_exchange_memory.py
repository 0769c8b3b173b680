"""Importing and exporting 200,000 rows takes the memory of 100,000: once the database's cache is full it stays so."""

import json
import shutil
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gradus.engine.exchange.memory import WRITING_MB

NUM_ROWS = (10_000, 100_000, 200_000)
ROW_CHARS = 5_000
NOISE_MB = 150
"""Of which 50 are the indexes of 500,000 more records; 100,000 more rows are 500 MB."""
MEASURED = """
import json, resource, sys
from gradus.api.cli import main
status = main(sys.argv[1:])
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
sys.exit(status)
"""


def row(i):
    steps = f"Step {i}: {i} and {i + 1} are {2 * i + 1}. "
    return {
        "problem": f"What is {i} + 1?",
        "expected_answer": str(i + 1),
        "problem_type": "has_answer_extracted",
        "generated_solution": f"<think>{steps * (ROW_CHARS // len(steps))}</think>It is \\boxed{{{i + 1}}}.",
        "generation_model": "QwQ-32B",
        "inference_mode": "cot",
        "pass_rate_72b_tir": "0.25",
    }


def write_rows(path, num):
    with pq.ParquetWriter(path, pa.Table.from_pylist([row(0)]).schema) as writer:
        for start in range(0, num, 1000):
            writer.write_table(pa.Table.from_pylist([row(i) for i in range(start, start + 1000)]))


def peak_mb(*argv):
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, argv)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_memory_does_not_grow_with_the_rows(tmp_path):
    peaks = {}
    for num in NUM_ROWS:
        root, path = tmp_path / "w", tmp_path / "in.parquet"
        write_rows(path, num)
        where = ("--workspace", root, "--json")
        peak_mb("init", *where)
        forms = ("datasets", "jsonl")
        peaks[num] = [peak_mb("problems", "import", path, "--format", "open-math-reasoning", *where)]
        peaks[num] += [peak_mb("export", "--to", tmp_path / form, "--format", form, *where) for form in forms]
        shutil.rmtree(root)
    print(peaks)
    few, some, many = peaks.values()
    assert all(large - small < NOISE_MB for small, large in zip(some, many, strict=True)), peaks
    assert all(large - small < WRITING_MB + NOISE_MB for small, large in zip(few, many, strict=True)), peaks
