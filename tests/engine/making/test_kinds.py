"""A failed answer's kind, from the verdicts of the real verifiers."""

import pytest

from gradus.engine.making.kinds.base import Failed, classifiers, kind_of
from gradus.engine.records import DOMAINS
from gradus.verifiers.base import verify

ONE_CALL = {"calls": [{"function": "f", "args": [1], "expected": 2}], "timeout_s": 0.5}
CALL = {"expected": [{"name": "f", "arguments": {"a": 1}}]}


def kind(domain, verifier, answer, spec, finish_reason="stop"):
    verdict = verify(verifier, answer, spec)
    assert verdict.outcome in ("fail", "unparseable"), verdict
    failed = Failed(
        answer=answer,
        outcome=verdict.outcome,
        reason=verdict.reason,
        finish_reason=finish_reason,
        verifier=verifier,
        spec=spec,
    )
    return kind_of(domain, failed)


def python(body):
    return f"```python\n{body}\n```"


@pytest.mark.parametrize(
    ("answer", "names", "detail"),
    [
        ("7 * 8 = 54. The answer is 54.", ["arithmetic slip"], "7 * 8 = 54"),
        ("3 + 4 = 7. 7 * 7 = 48. So 48 + 1 = 49 is the answer: 49.", ["arithmetic slip"], "7 * 7 = 48"),
        ("7 + 8 = 15. The answer is 15.", ["wrong plan"], "got 15, expected 56: differs by 41"),
        ("x + 8 = 15, so x = 7. The answer is 7.", ["wrong plan"], None),
        ("7 * 8 = 56. The answer is 65.", ["wrong conclusion"], "7 * 8 = 56"),
        ("The answer is 54.", ["no work shown"], "got 54, expected 56: differs by 2"),
        ("I cannot say.", ["format"], None),
    ],
)
def test_kinds_of_mathematics(answer, names, detail):
    found = kind("math", "math", answer, {"expected": "56"})
    assert list(found.names) == names
    assert detail in (None, found.detail)


def test_a_slip_in_the_thoughts_counts():
    failed = Failed(
        answer="54",
        reasoning="7 * 8 = 54.",
        outcome="fail",
        reason="got 54, expected 56",
        finish_reason="stop",
        verifier="math",
        spec={"expected": "56"},
    )
    assert kind_of("math", failed).names == ("arithmetic slip",)


@pytest.mark.parametrize(
    ("body", "spec", "name", "detail"),
    [
        ("def f(x):\n    return y", {"tests": ["assert f(1) == 1"]}, "exception", "NameError"),
        ("def f(x):\n    return 2", {"tests": ["assert f(1) == 1"]}, "wrong output", None),
        ("def f(x):\n    while 1: pass", {"tests": ["assert f(1) == 1"], "timeout_s": 0.5}, "time-out", None),
        ("def f(x):\n    import os; os._exit(3)", {"tests": ["assert f(1) == 1"]}, "exception", None),
        (
            "def f(x):\n    return 3",
            {"tests": ["for i in range(2):\n    x = f(i)\n    assert x == 1"]},
            "wrong output",
            None,
        ),
        (
            "def f(x):\n    return [][x]",
            {"tests": ["for i in range(2):\n    x = f(i)\n    assert x == 1"]},
            "exception",
            "IndexError",
        ),
        ("def f(x):\n    return 'a: KeyError: b'", ONE_CALL, "wrong output", None),
        ("def f(x):\n    raise ValueError('it gave 2, expected 3')", ONE_CALL, "exception", "ValueError"),
        ("def f(x):\n    while 1: pass", ONE_CALL, "time-out", None),
        ("print('KeyError: 1')", {"stdin_tests": [{"input": "1", "output": "3"}]}, "wrong output", None),
        ("print(1 / 0)", {"stdin_tests": [{"input": "1", "output": "3"}]}, "exception", "ZeroDivisionError"),
    ],
)
def test_kinds_of_programs(body, spec, name, detail):
    found = kind("code", "code", python(body), spec)
    assert found.names == (name,)
    assert detail in (None, found.detail)


def test_every_instruction_that_is_not_followed_is_a_kind():
    ids = ["punctuation:no_comma", "change_case:english_lowercase", "startend:quotation"]
    spec = {"instructions": [{"id": one, "kwargs": None} for one in ids]}
    assert kind("instruction", "instruction", '"Hi, there"', spec).names == tuple(ids[:2])


def test_an_answer_cannot_name_its_own_kind():
    spec = {"instructions": [{"id": "startend:end_checker", "kwargs": {"end_phrase": "Bye."}}]}
    found = kind("instruction", "instruction", "It ends with punctuation:no_comma (", spec)
    assert found.names == ("startend:end_checker",)


def test_the_part_of_a_composite_says_what_failed():
    part = {"verifier": "instruction", "spec": {"instructions": [{"id": "punctuation:no_comma", "kwargs": None}]}}
    assert kind("instruction", "all_of", "Hi, there", {"parts": [part]}).names == ("punctuation:no_comma",)


@pytest.mark.parametrize(
    ("verifier", "answer", "spec", "name"),
    [
        ("choice", "The answer is (B).", {"expected": "C"}, "wrong choice"),
        ("choice", "The answer is A or C.", {"expected": "C"}, "several choices"),
        ("choice", "The force is 3 * 4 = 14 N. The answer is (B).", {"expected": "C"}, "arithmetic slip"),
        ("math", "5 * 2 = 10. The answer is 10.", {"expected": "12"}, "wrong plan"),
    ],
)
def test_kinds_of_science(verifier, answer, spec, name):
    assert kind("stem", verifier, answer, spec).names == (name,)


@pytest.mark.parametrize(
    ("answer", "spec", "name"),
    [
        ('{"name": "g", "arguments": {}}', CALL, "wrong tool"),
        ('{"name": "f", "arguments": {}}', CALL, "missing argument"),
        ('{"name": "f", "arguments": {"a": 1, "b": 2}}', CALL, "unknown argument"),
        ('{"name": "f", "arguments": {"a": 2}}', CALL, "wrong value"),
        ('{"name": "f", "arguments": {"a": 2}}', CALL | {"ordered": True}, "wrong value"),
        ('[{"name": "f", "arguments": {"a": 1}}, {"name": "g", "arguments": {}}]', CALL, "call too many"),
        ('{"name": "f", "arguments": {"a": 1}}', {"expected": []}, "needless call"),
    ],
)
def test_kinds_of_calls(answer, spec, name):
    assert kind("tool", "tool_call", answer, spec).names == (name,)


def test_json_that_breaks_its_schema():
    assert kind("tool", "json_schema", '{"a": "x"}', {"schema": {"properties": {"a": {"type": "integer"}}}}).names == (
        "breaks the schema",
    )


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_was_cut_off_is_incomplete_in_every_domain(domain):
    assert kind(domain, "math", "The answer is 5.", {"expected": "6"}, "length").names == ("incomplete",)


def test_every_domain_has_its_kinds():
    assert classifiers.names() == sorted(DOMAINS)
