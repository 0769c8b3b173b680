"""Tests that cannot be split: the test and the program never share a process, and honest ones still work."""

# ruff: noqa: E501

import pytest

from gradus.verifiers.base import verify
from gradus.verifiers.program.literal import literal


def judge(program: str, test: str, **spec):
    return verify("code", f"```python\n{program}\n```", {"tests": [test], **spec})


STACK = """
class Empty(Exception): pass
class Stack:
    limit = 10
    def __init__(self, items=()): self.items = list(items)
    def push(self, x): self.items.append(x)
    def pop(self):
        if not self.items: raise Empty("nothing there")
        return self.items.pop()
    def __len__(self): return len(self.items)
    def __iter__(self): return iter(self.items)
    def __getitem__(self, i): return self.items[i]
    def __eq__(self, other): return self.items == other.items
    def __str__(self): return f"Stack{self.items}"
    def copy(self): return Stack(self.items)
"""


@pytest.mark.parametrize(
    "test",
    [
        "s = Stack()\ns.push(1)\nassert s.pop() == 1\ns.push(2)\ns.push(3)\nassert len(s) == 2\nassert list(s) == [2, 3]",
        "s = Stack([1, 2])\nassert s[0] == 1 and s.items[1] == 2\nassert 2 in s and 5 not in s",
        "assert Stack([1]) == Stack([1])\nassert not Stack([1]) == Stack([2])\nassert Stack.limit == 10",
        "try:\n    Stack().pop()\n    assert False\nexcept Empty as error:\n    assert str(error) == 'nothing there'",
        "s = Stack()\nfor i in range(5):\n    s.push(i * i)\nassert [x for x in s] == [0, 1, 4, 9, 16]",
        "s = Stack()\nt = s.copy()\nt.push(1)\nassert not s and len(t) == 1\nassert isinstance(t, Stack)",
        "s = Stack([1])\ns.limit = 5\nassert s.limit == 5\nassert str(s) == 'Stack[1]' and f'{s.limit:03}' == '005'",
        "from solution import Stack as S\nassert S([3]).pop() == 3\nassert len(S([1, 2])) > 1\nassert S([1])[0] * 2 == 2",
    ],
)
def test_a_test_that_uses_objects_of_the_program(test):
    assert judge(STACK, test).outcome == "pass"
    changes = {"append(x)": "append(x + 7)", "items.pop()": "items.pop(0) + 1", "limit = 10": "limit = 9"}
    changes |= {"[i]": "[-i - 1]", "items = list(items)": "items = [7, *items]", "Empty(": "ValueError("}
    wrong = STACK
    for old, new in changes.items():
        wrong = wrong.replace(old, new)
    assert judge(wrong, test).outcome == "fail"


TREE = """
class Node:
    def __init__(self, v, kids=()):
        self.v, self.kids = v, list(kids)
    def walk(self):
        yield self
        for kid in self.kids: yield from kid.walk()
def build(n): return Node(n, [Node(i) for i in range(n)])
"""
UNITTEST = """
import io, unittest
class T(unittest.TestCase):
    def test_it(self):
        self.assertEqual(build(3).v, 3)
        self.assertAlmostEqual(build(2).kids[1].v, 1.0)
cases = unittest.defaultTestLoader.loadTestsFromTestCase(T)
assert unittest.TextTestRunner(stream=io.StringIO()).run(cases).wasSuccessful()
"""


@pytest.mark.parametrize(
    "test",
    [
        "t = build(3)\nassert [n.v for n in t.kids] == [0, 1, 2]\nassert sum(n.v for n in t.walk()) == 6",
        "t = build(2)\nassert max(n.v for n in t.kids) == 1\nassert {n.v for n in t.kids} == {0, 1}",
        "assert [n.v for k in (1, 2) for n in build(k).walk()] == [1, 0, 2, 0, 1]\nassert not hasattr(build(1), 'w')",
        UNITTEST,
    ],
)
def test_a_test_that_walks_through_objects(test):
    assert judge(TREE, test).outcome == "pass"
    assert judge(TREE.replace("self.kids = v,", "self.kids = v + 1,"), test).outcome == "fail"


@pytest.mark.parametrize(
    ("test", "right", "wrong"),
    [
        ("assert list(f(3)) == [0, 1, 2]", "(i for i in range(x))", "(i for i in range(x + 1))"),
        ("assert list(f(3)) == [0, 1, 2]\nassert sum(f(2)) == 1", "range(x)", "range(x + 1)"),
        (
            "from fractions import Fraction\nassert f(3) == Fraction(1, 3)",
            "__import__('fractions').Fraction(1, x)",
            "1",
        ),
        ("assert f(3) == (3, 4)", "__import__('collections').namedtuple('P', 'a b')(x, 4)", "[3, 4]"),
        ("from collections import deque\nassert f(1) == deque([1])", "__import__('collections').deque([x])", "[x]"),
        ("x = [3, 1, 2]\nf(x)\nassert x == [1, 2, 3]\nassert len(x) == 3", "x.sort()", "sorted(x)"),
        ("for i in f(4):\n    assert f(i) is not None\nassert len(list(f(4))) == 4", "range(x)", "range(x - 1)"),
        ("try:\n    f(0)\nexcept ZeroDivisionError:\n    pass\nelse:\n    raise AssertionError", "1 // x", "x"),
        ("def g(n):\n    return n * n\nassert all(f(i) == g(i) for i in range(50))", "x * x", "x + x"),
        ("import random\nfor _ in range(9):\n    n = random.randint(0, 99)\n    assert f(n) == n + 1", "x + 1", "x"),
        ("assert type(f(2)) == int", "x", "float(x)"),
        ("assert f(f(2)) == 4\nassert f(len(str(f(9)))) > 0", "x + 1", "x + 2"),
        ("assert f'{f(2):.2f}' == '1.41'", "2 ** 0.5", "2"),
        ("import re\nassert re.fullmatch('a+', f(3))", "'a' * x", "'b'"),
        ("a, b = f(3)\nassert a == 3\nassert b == 4", "(x, x + 1)", "(x, x)"),
        ("assert {i: f(i) for i in (1, 2)} == {1: 1, 2: 4}", "x * x", "x"),
        ("assert f(float('inf')) == float('-inf')\nassert f(10**5000) < 0", "-x", "x"),
    ],
)
def test_an_unsplittable_test_tells_right_from_wrong(test, right, wrong):
    verdict = judge(f"def f(x): return {right}", test)
    assert verdict.outcome == "pass", verdict
    assert judge(f"def f(x): return {wrong}", test).outcome == "fail"


@pytest.mark.parametrize("program", ["def f(x): return 1", "raise SystemExit(0)", "import os\nos._exit(0)", "1 / 0"])
def test_a_test_without_a_call_still_needs_a_program_that_loads(program):
    wanted = "pass" if program.startswith("def") else "fail"
    assert judge(program, "x = 1\nassert x == 1").outcome == wanted


def test_a_test_that_cannot_be_judged_is_our_fault():
    verdict = judge("def f(g): return g(1)", "def g(n):\n    return n\nfor _ in range(2):\n    assert f(g) == 1")
    assert verdict.outcome == "verifier_error"
    assert "function" in verdict.reason


@pytest.mark.slow
def test_a_test_that_never_ends_is_our_fault():
    assert judge("def f(x): return x", "while True:\n    pass").outcome == "verifier_error"


@pytest.mark.parametrize(
    "value",
    [None, True, -1, 10**5000, 0.1, float("inf"), 1 - 2j, "ä\ud800", b"\x00", [(1, [2])]],
    ids=lambda value: type(value).__name__,
)
def test_a_literal_makes_its_value_again(value):
    assert eval(literal(value)) == value


def test_what_is_no_number_is_a_literal_too():
    assert repr(eval(literal([complex("nan+infj"), float("-inf"), -0.0]))) == "[(nan+infj), -inf, -0.0]"


def test_sets_and_dicts_are_literals_too():
    value = {1: {2, 3}, (4,): frozenset()}
    assert eval(literal(value)) == value
