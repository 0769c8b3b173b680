"""Function-call tests and the ways of comparing outputs."""

import pytest

from gradus.verifiers.base import verify
from gradus.verifiers.program.checkers import TEXT, VALUES


def judge(program: str, *calls, **spec):
    return verify("code", f"```python\n{program}\n```", {"calls": list(calls), **spec})


def test_calls_take_json_and_say_what_they_gave():
    calls = [{"function": "f", "args": [[1, 2], "x"], "kwargs": {"k": None}, "expected": {"1": [True, "x"]}}]
    assert judge("def f(a, b, k=0): return {1: (k is None, b)}", *calls).outcome == "pass"
    verdict = judge("def f(a, b, k=0): return 5", *calls)
    assert verdict.reason.endswith("f(list([0x1, 0x2]), 'x', k=None) gave 5, expected {'1': [True, 'x']}")


def test_a_method_is_called_on_a_new_object():
    program = "class Solution:\n    n = 0\n    def f(self, x):\n        self.n += x\n        return self.n"
    calls = [
        {"function": "Solution.f", "args": [2], "expected": 2},
        {"function": "Solution.f", "args": [3], "expected": 3},
    ]
    assert judge(program, *calls).outcome == "pass"


@pytest.mark.parametrize(
    ("program", "outcome"),
    [
        ("def f(): return (1, 2)", "pass"),
        ("def f(): return [1.0, 2]", "pass"),
        ("def f():\n    yield 1\n    yield 2", "pass"),
        ("def f(): return __import__('collections').deque([1, 2])", "pass"),
        ("def f(): return [True, 2]", "fail"),
        ("def f(): return [1, 2, 3]", "fail"),
        ("def f(): return [1, '2']", "fail"),
        ("def f(): return {1, 2}", "fail"),
        ("def f(): return None", "fail"),
        ("def f(): raise ValueError('no')", "fail"),
        ("class C: pass\ndef f(): return C()", "fail"),
    ],
)
def test_a_value_is_what_json_would_write(program, outcome):
    assert judge(program, {"function": "f", "args": [], "expected": [1, 2]}).outcome == outcome


def test_numpy_values_are_numbers_and_lists():
    program = "import numpy as np\ndef f(n): return np.arange(n)\ndef g(n): return np.float64(n)"
    calls = [{"function": "f", "args": [3], "expected": [0, 1, 2]}, {"function": "g", "args": [3], "expected": 3}]
    assert judge(program, *calls, libraries=["numpy"]).outcome == "pass"


def test_a_call_may_have_several_right_results_or_a_tolerance():
    call = {"function": "f", "args": [], "any_of": [[1, 2], [2, 1]]}
    assert judge("def f(): return [2, 1]", call).outcome == "pass"
    assert judge("def f(): return [2, 2]", call).outcome == "fail"
    half = {"function": "f", "args": [], "expected": [0.5]}
    assert judge("def f(): return [0.5000001]", half).outcome == "fail"
    assert judge("def f(): return [0.5000001]", half, tolerance=1e-6).outcome == "pass"


def test_limits_may_differ_by_test():
    slow = {"function": "f", "args": [0.4], "expected": 0.4}
    program = "import time\ndef f(x):\n    time.sleep(x)\n    return x"
    assert judge(program, slow, timeout_s=0.2).outcome == "fail"
    assert judge(program, slow | {"timeout_s": 2}, timeout_s=0.2).outcome == "pass"


@pytest.mark.parametrize(
    ("checker", "got", "want", "right"),
    [
        ("lines", "a \nb\n\n", "a\nb", True),
        ("lines", "a b", "a  b", False),
        ("lines", "\na", "a", False),
        ("lines", "a\x0b", "a", False),
        ("tokens", " a\n\n b ", "a b", True),
        ("tokens", "b a", "a b", False),
        ("unordered_lines", "b\na\n", "a\nb", True),
        ("unordered_lines", "a\na\nb", "a\nb\nb", False),
        ("float", "0.3333333 yes", "0.33333331 yes", True),
        ("float", "1e3", "1000", True),
        ("float", "0.334", "0.333", False),
        ("float", "1\n2", "1 2", False),
        ("float", "nan", "1", False),
        ("float", "inf", "1e999", False),
        ("float", "1_0", "10", False),
        ("float", "１", "1", False),
        ("float", "1000001", "1000000", True),
        ("float", "1000002", "1000000", False),
        ("float", "no", "yes", False),
    ],
)
def test_printed_text_is_compared_as_the_checker_says(checker, got, want, right):
    assert TEXT[checker](got, want, 1e-6) is right


@pytest.mark.parametrize(
    ("got", "want", "right"),
    [([2, [1]], [[1], 2], True), ({1, 2}, [2, 1], True), ([1, 1], [1, 2], False), ([1], [1, 1], False), (3, 3, True)],
)
def test_unordered_values_are_paired(got, want, right):
    assert VALUES["unordered"](got, want, 0.0) is right


def test_large_whole_numbers_are_not_rounded_together():
    assert not VALUES["exact"](10**17 + 1, 10**17, 0.0)
    assert not VALUES["exact"](10**400, 10**400 + 1, 0.0)


PERMUTATION = """
def check(input, output):
    n = int(input)
    numbers = [int(word) for word in output.split()]
    return len(set(numbers) & set(range(1, n + 1))) / n if len(numbers) == n else 0.0
"""


@pytest.mark.parametrize(
    ("program", "score"),
    [
        ("print(*range(int(input()), 0, -1))", 1.0),
        ("input()\nprint(1, 2, 2, 2)", 0.5),
        ("input()\nprint(1)", 0.0),
        ("input()\nprint('x')", 0.0),
        ("import sys\nsys.modules.clear()\ncheck = lambda a, b: 1\nprint('check')", 0.0),
    ],
)
def test_the_authors_checker_decides_in_a_process_of_its_own(program, score):
    spec = {"stdin_tests": [{"input": "4\n", "output": ""}], "checker_source": PERMUTATION}
    assert verify("code", f"```python\n{program}\n```", spec).score == score


def test_printed_output_may_have_several_right_forms():
    spec = {"stdin_tests": [{"input": "", "any_of": ["yes", "YES"]}]}
    assert verify("code", "print('YES')", spec).outcome == "pass"
    assert verify("code", "print('Yes')", spec).reason.endswith("expected 'yes' or another")
