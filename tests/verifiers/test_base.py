"""The contract: finding verifiers, refusing specs, and what becomes of exceptions."""

import pytest

from gradus.verifiers import base
from gradus.verifiers.base import SpecError, Verdict, check_spec, find, names, verifier, verify


def test_every_file_is_found():
    assert {"choice", "code", "instruction", "math", "math_verify"} <= set(names())


def test_every_verifier_says_what_it_does_not_cover():
    for name in ("choice", "code", "instruction", "math"):
        text = __import__(find(name).judge.__module__, fromlist=["x"]).__doc__
        assert "not covered" in text.lower(), name


def test_an_unknown_name_lists_the_known():
    with pytest.raises(SpecError, match="choice, code"):
        find("mahts")


@pytest.mark.parametrize("spec", [{}, {"expected": "1", "extra": 2}])
def test_missing_and_unknown_arguments_are_refused(spec):
    with pytest.raises(SpecError, match="math"):
        check_spec("math", spec)


def test_an_exception_is_a_verifier_error_and_not_a_failure(monkeypatch):
    monkeypatch.setattr(base, "_verifiers", dict(base._verifiers))

    @verifier("broken", version="1")
    def broken(answer: str) -> Verdict:
        raise ZeroDivisionError(answer)

    verdict = verify("broken", "x", {})
    assert (verdict.outcome, verdict.score, verdict.reason) == ("verifier_error", 0.0, "ZeroDivisionError: x")


def test_the_seconds_are_measured():
    assert verify("math", r"\boxed{1}", {"expected": "1"}).seconds > 0
