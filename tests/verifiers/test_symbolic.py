"""sympy decides where numbers at points cannot, in a process that is bounded, shared by threads, not by forks."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gradus.verifiers.base import verify
from gradus.verifiers.formula.fuel import Fuel
from gradus.verifiers.formula.parse import parse
from gradus.verifiers.formula.symbolic import same_symbolically, warm_up

SLOW = (
    r"\sin(x)^{8}+\cos(y)^{8}+(x+y)^{8}(x-y)^{7}(1+\tan(x+y))^{8}(x^3+y+\sin y)^{8}",
    r"(\tan(x)+\sqrt{x+\sqrt{y}})^{7}",
)


def settled(want: str, got: str) -> bool:
    return same_symbolically(parse(want).tree, parse(got).tree, Fuel())


@pytest.mark.parametrize(
    ("expected", "answer", "outcome"),
    [
        ("x^{2024}+1", "1+x x^{2023}", "pass"),
        ("x^{2024}+1", "x^{2024}-1", "fail"),
        (r"\frac{x^{9999}}{x^{9998}}", "x", "pass"),
        ("x^{9999}", "x^{9998}", "fail"),
    ],
)
def test_powers_too_large_for_numbers_are_compared(expected, answer, outcome):
    assert verify("math", rf"\boxed{{{answer}}}", {"expected": expected}).outcome == outcome


def test_sympy_settles_what_it_can_and_only_that():
    assert settled(r"\ln(x^{9999})", r"9999 \ln x")
    assert not settled(r"\ln(x^{9999})", r"9998 \ln x")


def test_what_could_take_long_is_not_tried():
    large = "+".join(f"x^{{{n}}}" for n in range(60))
    assert not settled(large, large)
    assert not settled("(x+1)^{99}", "(1+x)^{99}")


def test_a_slow_question_ends_in_time_and_the_next_is_answered():
    warm_up()
    start = time.monotonic()
    assert not settled(*SLOW)
    assert time.monotonic() - start < 1
    assert settled(r"\ln(x^{9999})", r"9999 \ln x")


def test_threads_take_turns():
    found = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(settled(rf"\ln(x^{{{n}}})", rf"{n} \ln x"))) for n in (5, 6, 7)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 3


def test_a_forked_process_starts_its_own_worker():
    warm_up()
    child = os.fork()
    if child == 0:
        os._exit(0 if settled(r"\ln(x^{5})", r"5 \ln x") else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert settled(r"\ln(x^{6})", r"6 \ln x")


def test_the_worker_ends_with_a_parent_that_is_killed():
    program = (
        "import os, signal; from gradus.verifiers.formula import symbolic; symbolic.warm_up();"
        "print(symbolic._worker.process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, text=True).stdout
    status = Path(f"/proc/{int(said)}/status")
    deadline = time.monotonic() + 10
    while status.exists() and "State:\tZ" not in status.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
