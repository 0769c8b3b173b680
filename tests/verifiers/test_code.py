"""Verifier "code": right programs and wrong ones. Those that would rather cheat are in test_code_hostile.py."""

import pytest

from gradus.verifiers.base import SpecError, check_spec, explain, verify
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


def test_a_program_may_not_define_a_name_that_a_test_of_another_needs():
    program = "def abs(x): return 0\ndef f(x): return 7"
    assert judge(program, "assert abs(f(2) - 1.41) < 0.1").outcome == "fail"


def test_tests_that_pass_only_after_each_other_are_run_apart():
    program = "import sys\ndef f(x):\n    sys.n = getattr(sys, 'n', 0) + 1\n    return x if sys.n == 1 else 0"
    assert judge(program, "assert f(1) == 1", "assert f(2) == 2", "assert f(3) == 3").outcome == "pass"


@pytest.mark.parametrize(
    ("test", "value"),
    [
        ("assert set(f(2)) == {1}", "[n * (2**61 - 1) for n in range(60_000)]"),
        ("assert f(2) == {1}", "{n * (2**61 - 1) for n in range(9_000)}"),
        ("assert f(2) % 7 == f(3) // 3", "3 << 14_000_000"),
        ("assert 'a' * f(2) == ''", "10**12"),
        ("assert 2 ** f(2) == 1", "10**12"),
        ("assert list(range(f(2))) == []", "10**12"),
    ],
)
def test_no_value_keeps_the_judge_busy(test, value):
    verdict = judge(f"def f(x): return {value}", test)
    assert verdict.outcome == "fail"
    assert verdict.seconds < 4


def test_after_three_tests_without_an_end_the_others_are_not_tried():
    verdict = judge("def f(x):\n    while True: pass", *TESTS * 10, timeout_s=0.2)
    assert verdict.score == 0
    assert verdict.seconds < 3


def test_a_library_of_the_spec_is_there():
    tests = ["assert f(2).tolist() == [1, 1]", "import numpy as np\nassert np.allclose(f(2), [1, 1])"]
    verdict = judge("import numpy as np\ndef f(n): return np.ones(n)", *tests, libraries=["numpy"])
    assert verdict.outcome == "pass", verdict


HUMANEVAL_LIKE = """
METADATA = {'author': 'x'}
def check(candidate):
    assert True, "for debugging"
    assert candidate(2) == 4
    assert candidate(3) == 9, "three"
    for x in range(4, 20):
        assert candidate(x) == x * x
check(f)
"""


def test_a_test_of_humanevals_form_counts_each_assert():
    assert judge("def f(x): return x * x", HUMANEVAL_LIKE).reason == "passed all 3 tests"
    assert judge("def f(x): return 4", HUMANEVAL_LIKE).score == pytest.approx(1 / 3)


def test_an_explanation_names_each_test():
    verdict, steps = explain("code", "def f(x): return 4", {"tests": TESTS})
    assert verdict.outcome == "fail"
    assert next(step for step in steps if step.startswith("test ")) == "test 1: passed"
    assert any("f(3) gave 4" in step for step in steps)


def test_the_expected_value_stays_outside():
    parts = split("assert abs(f([1, 2]) - 41.5) < 0.25")
    assert parts.leaves == ("f([1, 2])",)


@pytest.mark.parametrize(
    "test",
    [
        "assert all(f(i) == 3 for i in range(2))",
        "expected = 3\nassert f(2) == expected",
        "import math\nassert f(2) == math.floor(3.5)",
        "import numpy\nassert numpy.allclose(f(2), 3)",
        "assert 'abc'.index(f(2)) == 1",
        "y = abs(f(2) - 41)\nassert y < 0.5",
        "try:\n    f(-1)\n    ok = False\nexcept ValueError:\n    ok = True\nassert ok",
        "assert True",
    ],
)
def test_what_the_program_could_decide_is_not_split(test):
    with pytest.raises(UnsplittableError):
        split(test, {"f", "abs", "math"})


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
        {"tests": TESTS, "language": "cpp"},
        {"tests": TESTS, "language": "cobol"},
        {"tests": TESTS, "checker": "lines"},
        {"tests": TESTS, "libraries": ["../x"]},
        {"calls": [{"function": "f(1)", "args": [], "expected": 1}]},
        {"calls": [{"function": "f", "args": []}]},
        {"calls": [{"function": "f", "args": [], "expected": 1, "hope": 2}]},
        {"calls": [{"function": "f", "args": [], "expected": 1, "timeout_s": -1}]},
        {"stdin_tests": [{"input": "", "output": ""}], "checker": "exact"},
        {"stdin_tests": [{"input": "", "output": ""}], "checker_source": "def look(a, b): return 1"},
        {"stdin_tests": [{"input": "", "output": ""}], "checker_source": "def check("},
        {"stdin_tests": [{"input": "", "any_of": []}]},
        {"stdin_tests": [{"input": "", "output": ""}], "tolerance": 2},
    ],
)
def test_a_useless_spec_is_refused(spec):
    with pytest.raises(SpecError):
        check_spec("code", spec)
