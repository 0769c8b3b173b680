"""The pool: order, constant memory, and answers at which a worker dies, hangs, or cannot even be asked."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from itertools import islice
from pathlib import Path

import pytest

from gradus.verifiers.base import SpecError
from gradus.verifiers.pool import in_order, verify_all

TASK = ("choice", "Answer: B", {"expected": "B"})


def strange(item):
    """Do what the item says; run in a worker."""
    match item:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            sys.exit(3)
        case "hang":
            time.sleep(1000)
        case "raise":
            raise SpecError("as asked")
        case "odd":
            raise type("Odd", (Exception,), {})("no module has this class")
        case ("die once", path):
            if not Path(path).exists():
                Path(path).touch()
                os.kill(os.getpid(), signal.SIGKILL)
        case ("sleep", seconds):
            time.sleep(seconds)
        case "pid":
            return os.getpid()
    return item


def ran(items, *, workers=2, timeout_s=600.0):
    return list(in_order(strange, items, lost=lambda _, reason: ("lost", reason), workers=workers, timeout_s=timeout_s))


def test_results_come_in_order_though_some_take_longer():
    items = [("sleep", 0.3) if i % 50 == 7 else i for i in range(120)]
    assert ran(items) == items


@pytest.mark.parametrize("how", ["die", "exit"])
def test_a_worker_that_dies_costs_one_answer(how):
    found = ran([*range(30), how, *range(30, 60), how])
    assert [one for one in found if not isinstance(one, tuple)] == list(range(60))
    assert found[30] == found[61] == ("lost", "the verifier's process died on this answer")


def test_a_worker_killed_from_outside_costs_nothing(tmp_path):
    items = [*range(40), ("die once", str(tmp_path / "died")), *range(40)]
    assert ran(items) == items
    assert (tmp_path / "died").exists()


def test_an_answer_that_takes_too_long_is_given_up():
    start = time.monotonic()
    found = ran([1, "hang", 2, 3], timeout_s=1.0)
    assert found == [1, ("lost", "took longer than 1 s"), 2, 3]
    assert time.monotonic() - start < 15


def test_what_cannot_be_sent_is_given_up():
    found = ran([1, 2, lambda: 3, 4])
    assert [found[0], found[1], found[3]] == [1, 2, 4]
    assert found[2][1].startswith("cannot be sent to a worker: ")


@pytest.mark.parametrize(("how", "kind"), [("raise", SpecError), ("odd", RuntimeError)])
def test_an_exception_is_raised_in_its_turn(how, kind):
    results = in_order(strange, [1, 2, how, 3], lost=min, workers=2)
    assert list(islice(results, 2)) == [1, 2]
    with pytest.raises(kind):
        next(results)


def test_the_source_is_read_only_a_little_ahead():
    taken = []

    def source():
        for i in range(100_000):
            taken.append(i)
            yield i

    results = in_order(strange, source(), lost=min, workers=2)
    assert next(results) == 0
    time.sleep(0.5)
    assert len(taken) < 5_000
    results.close()


def test_no_process_is_left_behind():
    results = in_order(strange, ["pid"] * 2000, lost=min, workers=2)
    pids = set(islice(results, 1000))
    results.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_nothing_to_do_is_no_result():
    assert ran([]) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_verdicts_are_the_same_with_any_number_of_workers(workers):
    tasks = [TASK, ("choice", "C", {"expected": "B"}), ("choice", "", {"expected": "B"})] * 20
    outcomes = [verdict.outcome for verdict in verify_all(tasks, workers=workers)]
    assert outcomes == ["pass", "fail", "unparseable"] * 20


def test_an_unknown_verifier_is_an_error_and_no_verdict():
    with pytest.raises(SpecError, match="no verifier 'nope'"):
        list(verify_all([TASK, ("nope", "", {})], workers=2))


SCRIPT = """
    from gradus.verifiers.pool import in_order
    def work(item):
        return item
    if __name__ == "__main__":
        {}
"""


def script(tmp_path, line):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT).format(line))
    return subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=60)


def test_a_program_that_forgets_the_results_ends(tmp_path):
    done = script(tmp_path, "r = in_order(work, range(9), lost=min, workers=2); print(next(r))")
    assert (done.returncode, done.stdout) == (0, "0\n")


def test_workers_that_cannot_start_are_one_error():
    code = "from gradus.verifiers.pool import in_order\nlist(in_order(len, ['a'], lost=min, workers=1))"
    done = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "workers do not start" in done.stderr
