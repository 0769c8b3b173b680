"""`gradus verify` killed: what a second run of the same command makes of it, and what a worker's death costs."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

NUM_LINES = 12_000
STARTED_S = 60.0


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    path = tmp_path_factory.mktemp("killed") / "answers.jsonl"
    write_lines(path, NUM_LINES)
    return path


def write_lines(path, num):
    with path.open("w") as file:
        for n in range(num):
            said = f"{n} is a number.\n" * 20 + ("The answer is B.", "Answer: C", "no idea")[n % 3]
            row = {"id": f"r{n}", "verifier": "choice", "answer": said, "spec": {"expected": "B"}}
            file.write(json.dumps(row) + "\n")


def start(answers, target):
    command = ["-m", "gradus", "verify", "--input", str(answers), "--output", str(target), "--workers", "2"]
    return subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process):
    out, error = process.communicate(timeout=STARTED_S)
    assert process.returncode == 0, error
    return out


def until(found):
    """Wait for a condition and return what it found."""
    deadline = time.monotonic() + STARTED_S
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return value


def lines(path):
    """Return the verdicts without their times, which no two runs share."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


@pytest.fixture(scope="module")
def undisturbed(answers):
    target = answers.with_name("undisturbed.jsonl")
    finished(start(answers, target))
    return lines(target)


def test_the_undisturbed_run_judges_every_line(undisturbed):
    assert [row["id"] for row in undisturbed] == [f"r{n}" for n in range(NUM_LINES)]
    assert {row["outcome"] for row in undisturbed} == {"pass", "fail", "unparseable"}


def test_a_killed_run_goes_on_and_ends_the_same(answers, undisturbed, tmp_path):
    target, state = tmp_path / "out.jsonl", tmp_path / ".out.jsonl.state"
    process = start(answers, target)
    until(state.exists)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not target.exists()
    kept = json.loads(state.read_text())
    assert 0 < kept["read_bytes"] < answers.stat().st_size
    before = (tmp_path / ".out.jsonl.part").read_bytes()[: kept["written_bytes"]]
    said = finished(start(answers, target))
    assert lines(target) == undisturbed
    assert target.read_bytes().startswith(before)
    assert said.startswith(f"{sum(row['outcome'] == 'fail' for row in undisturbed)} fail, ")
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_no_worker_outlives_a_killed_run(answers, tmp_path):
    process = start(answers, tmp_path / "out.jsonl")
    children = until(lambda: len(workers(process)) == 2 and workers(process))
    process.kill()
    process.wait()
    psutil.wait_procs(children, timeout=STARTED_S)
    assert not any(child.is_running() for child in children)


@pytest.mark.slow
def test_a_killed_worker_costs_no_verdict(answers, undisturbed, tmp_path):
    target = tmp_path / "out.jsonl"
    process = start(answers, target)
    until((tmp_path / ".out.jsonl.state").exists)
    os.kill(workers(process)[0].pid, signal.SIGKILL)
    finished(process)
    assert lines(target) == undisturbed


def workers(process):
    return [p for p in psutil.Process(process.pid).children() if "spawn_main" in " ".join(p.cmdline())]


PEAK = """
import resource
import subprocess
import sys

subprocess.run([sys.executable, "-m", "gradus", "verify", *sys.argv[1:]], check=True, capture_output=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_times_the_lines_take_no_more_memory(tmp_path):
    peaks = []
    for num in (20_000, 200_000):
        write_lines(tmp_path / "in.jsonl", num)
        files = ["--input", str(tmp_path / "in.jsonl"), "--output", str(tmp_path / "out.jsonl"), "--workers", "2"]
        done = subprocess.run([sys.executable, "-c", PEAK, *files], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] < 1.1 * peaks[0]
