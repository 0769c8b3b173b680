"""Programs that would rather cheat, break out or run for ever: none passes, none is felt outside, none holds us up.

hostile/ has one file per family, each a dict of programs. Every one is judged by tests that can be split, by
tests that cannot, by calls and by standard input. @CANARY@ is a file of the host, @FOLDER@ its folder, @PORT@
a port of the host that someone listens on. `make test` runs some of them, `make test-slow` all.
"""

import os
import re
import runpy
import secrets
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gradus.verifiers.base import verify

LIMIT_S = 0.7
GRACE_S = 1.5
FAMILIES = {
    path.stem: runpy.run_path(str(path))["PROGRAMS"]
    for path in sorted((Path(__file__).parent / "hostile").glob("*.py"))
}
CONTROLS = FAMILIES.pop("controls")
# Families whose programs run into the limit: one test each, or the set would take an hour.
LONG = {"endless", "floods"}
SPECS = {
    "split": {
        "tests": [
            "assert f(2) == -77341",
            "assert abs(f(3) + 77342) < 0.5",
            "assert [f(2), f(3)] == [-77341, -77342]",
            "assert isinstance(f(2), int) and -77342 < f(2) < -77340",
        ]
    },
    "dialogue": {
        "tests": [
            "assert all(f(i) == -77339 - i for i in (2, 3))",
            "expected = -77341\nassert f(2) == expected",
            "import math\nassert f(2) == math.floor(-77340.5)",
            "for i in range(2, 4):\n    assert f(i) == -77339 - i\n    assert round(f(i) + 77339 + i) == 0",
            "assert f'{f(2) + 0}' == '-77341'",
            "v = f(2)\nif v != -77341:\n    raise ValueError(v)",
            "try:\n    right = f(2) == -77341\nexcept Exception:\n    right = False\nassert right",
            "def check(candidate):\n    for i in (2, 3):\n        assert candidate(i) == -77339 - i\ncheck(f)",
        ]
    },
    "calls": {
        "calls": [
            {"function": "f", "args": [2], "expected": -77341},
            {"function": "f", "args": [3], "any_of": [-77342, [-77342]]},
        ],
        "tolerance": 1e-15,
    },
    "stdin": {"stdin_tests": [{"input": "2\n", "output": "-77341\n"}, {"input": "3\n", "output": "-77342\n"}]},
}
# What a program prints is all that counts there, and these print the answer in the end.
PRINTS_RIGHT = {
    "values: a text answer",
    "values: a string with an odd encode",
    "values: an int with an odd repr",
    "values: an object with every operator",
}


class Outside:
    """What must not change, and who must not be called."""

    def __init__(self, folder: Path) -> None:
        self.secret = secrets.token_hex(16)
        self.canary = folder / "canary"
        self.canary.write_text(self.secret)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind(("127.0.0.1", self.port))
        self.datagrams.setblocking(False)
        os.environ["GRADUS_CANARY"] = self.secret
        # A thread of its own has a sandbox of its own, started after the secret was there.
        self.worker = ThreadPoolExecutor(1)

    def judge(self, program: str, spec: dict, **limits):
        for name, value in (("@CANARY@", self.canary), ("@FOLDER@", self.canary.parent), ("@PORT@", self.port)):
            program = program.replace(name, str(value))
        spec = {"timeout_s": LIMIT_S, "memory_mb": 256} | spec | limits
        return self.worker.submit(verify, "code", f"```python\n{program}\n```", spec).result(timeout=60)

    def assert_untouched(self, verdict) -> None:
        assert self.secret not in verdict.reason
        assert self.canary.read_text() == self.secret
        assert [path.name for path in self.canary.parent.iterdir()] == ["canary"]
        for ear in (self.listener.accept, lambda: self.datagrams.recv(1)):
            with pytest.raises(BlockingIOError):
                ear()


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    found = Outside(tmp_path_factory.mktemp("outside"))
    yield found
    del os.environ["GRADUS_CANARY"]
    found.worker.shutdown()
    found.listener.close()
    found.datagrams.close()


def as_script(program: str) -> str:
    has_f = re.search(r"^(?:def|class|async def) f\b|^f = ", program, re.MULTILINE)
    return program + "\nprint(f(int(input())))" if has_f else program


def assert_harmless(outside: Outside, family: str, name: str, kind: str) -> None:
    program = FAMILIES[family][name]
    spec = dict(SPECS[kind])
    if family in LONG:
        spec[next(iter(spec))] = next(iter(spec.values()))[:1]
    if family == "libraries":
        spec["libraries"] = ["numpy"]
    verdict = outside.judge(as_script(program) if kind == "stdin" else program, spec)
    assert verdict.outcome in {"fail", "unparseable"}, verdict
    assert verdict.score == 0, verdict
    outside.assert_untouched(verdict)
    if family in LONG:
        # A dialogue runs the program once more, without the calls it only guessed.
        assert verdict.seconds < LIMIT_S * (2 if kind == "dialogue" else 1) + GRACE_S, verdict
    after = outside.judge("def f(x): return -77339 - x", SPECS["calls"])
    assert after.outcome == "pass", after
    assert after.seconds < GRACE_S


def applies(family: str, name: str, kind: str) -> bool:
    return kind == "stdin" if family == "printing" else kind != "stdin" or f"{family}: {name}" not in PRINTS_RIGHT


ALL = [
    (family, name, kind)
    for family, programs in FAMILIES.items()
    for name in programs
    for kind in SPECS
    if applies(family, name, kind)
]
# Every family and every kind of test, in turn.
SOME = [case for case in ALL if case[0] not in LONG | {"libraries", "values"}][:: len(SPECS) * 2 + 1]
HONEST = [(name, kind) for name in CONTROLS for kind in SPECS]


def test_there_are_enough_of_them():
    assert sum(map(len, FAMILIES.values())) >= 150
    assert len(CONTROLS) >= 20


@pytest.mark.parametrize(("family", "name", "kind"), SOME)
def test_some_cheats_do_not_pass(family, name, kind, outside):
    assert_harmless(outside, family, name, kind)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "name", "kind"), ALL)
def test_no_cheat_passes(family, name, kind, outside):
    assert_harmless(outside, family, name, kind)


def assert_passes(outside: Outside, name: str, kind: str) -> None:
    program = CONTROLS[name]
    verdict = outside.judge(as_script(program) if kind == "stdin" else program, SPECS[kind], timeout_s=5.0)
    assert verdict.outcome == "pass", verdict


@pytest.mark.parametrize(("name", "kind"), HONEST[:: len(SPECS) - 1])
def test_some_honest_programs_pass(name, kind, outside):
    assert_passes(outside, name, kind)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), HONEST)
def test_every_honest_program_passes(name, kind, outside):
    assert_passes(outside, name, kind)
