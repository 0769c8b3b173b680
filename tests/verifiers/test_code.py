"""Verifier "code": right programs, wrong ones, and programs that would rather cheat.

Needs user namespaces: without them every test here fails, because nothing else would isolate the programs.
"""

import pytest

from gradus.verifiers.base import SpecError, check_spec, verify
from gradus.verifiers.program.assertions import UnsplittableError, split

TESTS = ["assert f(2) == 4", "assert f(3) == 9", "assert f(-4) == 16"]


def judge(program: str, *tests: str, **spec):
    return verify("code", f"Here:\n```python\n{program}\n```\n", {"tests": list(tests or TESTS), **spec})


def judge_stdin(program: str, **spec):
    pairs = [{"input": "1 2\n", "output": "3\n"}, {"input": "5 7\n", "output": "12"}]
    return verify("code", f"```python\n{program}\n```", {"stdin_tests": pairs, **spec})


def test_a_right_program_passes():
    verdict = judge("def f(x):\n    return x * x")
    assert (verdict.outcome, verdict.score, verdict.reason) == ("pass", 1.0, "passed all 3 tests")


def test_a_wrong_program_gets_its_share_and_hears_what_it_returned():
    verdict = judge("def f(x):\n    return x + x")
    assert (verdict.outcome, verdict.score) == ("fail", pytest.approx(1 / 3))
    assert "assert f(3) == 9: f(3) gave 6" in verdict.reason


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("def f(x): raise ValueError('no')", "ValueError: no"),
        ("def g(x): return 1", "NameError"),
        ("def f(x):\n    while True: pass", "no end within 0.5 s"),
        ("def f(x): return 'a' * 10**10", "MemoryError"),
        ("import numpy\ndef f(x): return x * x", "ModuleNotFoundError"),
    ],
)
def test_the_reason_says_how_it_broke(program, reason):
    verdict = judge(program, "assert f(2) == 4", timeout_s=0.5)
    assert verdict.outcome == "fail"
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("```python\ndef f(x): return 0\n```\nBetter:\n```python\ndef f(x): return x * x\n```", "pass"),
        ("```\ndef f(x): return x * x\n```", "pass"),
        ("def f(x): return x * x", "pass"),
        ("```python\ndef f(x): return x * x\n```\n```bash\npip install f\n```", "pass"),
        ("```python\ndef f(x) return x\n```", "unparseable"),
        ("I would square it.", "unparseable"),
        ("", "unparseable"),
        ("```python\n" + "(" * 20_000 + "\n```", "unparseable"),
    ],
)
def test_the_program_is_the_last_block_that_compiles(answer, wanted):
    assert verify("code", answer, {"tests": TESTS}).outcome == wanted


@pytest.mark.parametrize(
    ("test", "right", "wrong"),
    [
        ("assert f(2)", "1", "0"),
        ("assert not f(2)", "[]", "[0]"),
        ("assert abs(f(2) - 1.41) < 0.01", "1.414", "1.3"),
        ("assert math.isclose(f(2), 1.41, rel_tol=0.01)", "1.414", "1.3"),
        ("assert 1 < f(2) <= 3 and f(3) != 7", "2", "7"),
        ("assert f(2) is None", "None", "0"),
        ("assert f(2) in (1, 2)", "2", "3"),
        ("assert sorted(f(2)) == [1, 2]", "{2, 1}", "[2]"),
        ("assert f(2) == {'a': (1, [2.5]), None: b'x'}", "{'a': (1, [2.5]), None: b'x'}", "{'a': (1, [2.5])}"),
        ("assert isinstance(f(2), (int, str))", "'x'", "2.0"),
        ("assert [f(i) for i in range(2)] == [3, 3]", "3", "4"),
        ("assert all(f(i) == 3 for i in range(2))", "3", "4"),
        ("y = f(2)\nassert y == 3", "3", "4"),
        ("import math\nassert f(2) == math.floor(3.5)", "3", "4"),
        ("assert f(2) == 10**5000", "10**5000", "10**5000 + 1"),
        (
            "assert f(2) == {'a': 2}",
            "__import__('collections').Counter('aa')",
            "__import__('collections').Counter('a')",
        ),
    ],
)
def test_every_form_of_assertion_tells_right_from_wrong(test, right, wrong):
    assert judge(f"def f(x): return {right}", test).outcome == "pass"
    assert judge(f"def f(x): return {wrong}", test).outcome == "fail"


def test_a_program_may_define_a_name_that_python_has():
    assert judge("def sum(a, b): return a * b", "assert sum(10, 15) == 150").outcome == "pass"


def test_the_expected_value_stays_outside():
    parts = split("assert abs(f([1, 2]) - 41.5) < 0.25")
    assert parts.leaves == ("f([1, 2])",)
    with pytest.raises(UnsplittableError):
        split("assert all(f(i) == 3 for i in range(2))")


ALWAYS_EQUAL = """
class Same({base}):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return 0
    __rsub__ = __sub__
    def __abs__(self): return self
    def __lt__(self, other): return True
    __le__ = __ge__ = __gt__ = __lt__
    __hash__ = object.__hash__
def f(x): return Same()
"""
CHEATS = {
    "exit": "import sys\nsys.exit(0)",
    "exit in the call": "import sys\ndef f(x): sys.exit(0)",
    "hard exit": "import os\nos._exit(0)",
    "hard exit in the call": "import os\ndef f(x): os._exit(0)",
    "exit at exit": "import atexit, os\natexit.register(os._exit, 0)\ndef f(x): return None",
    "equal to all": ALWAYS_EQUAL.format(base="object"),
    "an int equal to all": ALWAYS_EQUAL.format(base="int"),
    "a list equal to all": ALWAYS_EQUAL.format(base="list"),
    "a float equal to all": ALWAYS_EQUAL.format(base="float"),
    "another class's name": ALWAYS_EQUAL.format(base="object") + "Same.__class__ = int",
    "printed result": 'print(\'{"values": [["bool", true]]}\')\nprint("passed")\ndef f(x): return None',
    "written result": """
import os
def f(x):
    os.write(3, b'{"values": [["bool", true]], "nonce": ""}')
    os._exit(0)
""",
    "results on every descriptor": """
import os
for fd in range(64):
    try: os.write(fd, b'{"in_time": true, "exit_code": 0, "result": "{}"}')
    except OSError: pass
os._exit(0)
""",
    "replaced built-ins": """
import builtins
for name in ("all", "abs", "len", "sorted", "isinstance", "bool"):
    setattr(builtins, name, lambda *a, **k: True)
def f(x): return None
""",
    "replaced encoder": """
import sys, json
json.dumps = lambda *a, **k: '{"values": [["bool", true]]}'
sys.modules["gradus.verifiers.sandbox.child"].encode = lambda *a: ["bool", True]
def f(x): return None
""",
    "replaced assertion error": "import builtins\nbuiltins.AssertionError = None\ndef f(x): return None",
    "trace": "import sys\nsys.settrace(lambda *a: None)\nsys.excepthook = lambda *a: None\ndef f(x): return None",
    "search for the expected value": """
import gc, sys
def f(x):
    frame, seen = sys._getframe(), []
    while frame:
        seen += [v for v in frame.f_locals.values()]
        frame = frame.f_back
    for thing in seen + gc.get_objects():
        if "14377"[::-1] in repr(thing)[:10_000]: return -int("14377"[::-1])
    return 0
""",
    "pickle": "class P:\n    def __reduce__(self): return (print, ())\ndef f(x): return P()",
    "surrogates and null bytes": "def f(x): return '\\ud800\\x00' * 3",
    "endless nesting": "def f(x):\n    a = []\n    a.append(a)\n    return a",
    "half a message": "import os\ndef f(x):\n    os.write(3, b'{\"values\": [')\n    os._exit(0)",
    "crash": "import ctypes\ndef f(x): return ctypes.string_at(0)",
    "deep message": "import os\ndef f(x):\n    os.write(3, b'[' * 100_000)\n    os._exit(0)",
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_does_not_pass(cheat):
    tests = ["assert f(2) == -77341", "assert abs(f(2) - 41) < 0.5", "assert f(2) == [1]"]
    verdict = judge(CHEATS[cheat], *tests, timeout_s=2.0)
    assert (verdict.outcome, verdict.score) == ("fail", 0.0), verdict


@pytest.mark.parametrize(
    "cheat",
    [
        "exit",
        "exit in the call",
        "hard exit",
        "hard exit in the call",
        "exit at exit",
        "printed result",
        "written result",
        "results on every descriptor",
        "replaced built-ins",
        "replaced encoder",
        "replaced assertion error",
        "trace",
    ],
)
def test_a_cheat_does_not_pass_a_test_that_runs_inside(cheat):
    test = "assert all(f(i) == -77341 for i in range(2))"
    assert judge(CHEATS[cheat], test, timeout_s=2.0).outcome == "fail"


def test_printed_answers_are_compared_by_line():
    assert judge_stdin("print(sum(map(int, input().split())))").outcome == "pass"
    assert judge_stdin("a, b = map(int, input().split())\nprint(a + b, '')\nprint()").outcome == "pass"


@pytest.mark.parametrize(
    "program",
    [
        "print(3)",
        "print(3)\nprint(12)",
        "print(sum(map(int, input().split())))\nraise SystemExit(1)",
        "import os\nprint(3, flush=True)\nos.kill(os.getpid(), 9)",
        "import sys\nsys.exit(0)",
        "print('1 2 3 12')",
        "print(sum(map(int, input().split())))\nprint('more')",
    ],
)
def test_a_wrong_printer_fails(program):
    assert judge_stdin(program).outcome == "fail"


def test_the_reason_shows_what_was_printed():
    assert "printed '3', expected '12'" in judge_stdin("print(3)").reason


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"tests": []},
        {"tests": ["assert f(1) = 2"]},
        {"tests": [3]},
        {"tests": TESTS, "stdin_tests": [{"input": "", "output": ""}]},
        {"stdin_tests": [{"input": ""}]},
        {"tests": TESTS, "timeout_s": 0},
        {"tests": TESTS, "memory_mb": 1},
    ],
)
def test_a_useless_spec_is_refused(spec):
    with pytest.raises(SpecError):
        check_spec("code", spec)
