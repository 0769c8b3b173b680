"""Verifier "math_verify": the wrapped package, also outside the main thread."""

import threading

import pytest

from gradus.verifiers.base import SpecError, check_spec, verify

pytest.importorskip("math_verify")


@pytest.mark.parametrize(
    ("answer", "wanted"), [(r"\boxed{0.5}", "pass"), (r"\boxed{2}", "fail"), ("no idea", "unparseable")]
)
def test_verdicts_come_from_the_package(answer, wanted):
    assert verify("math_verify", answer, {"expected": r"\frac{1}{2}"}).outcome == wanted


def test_it_works_outside_the_main_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(verify("math_verify", r"\boxed{4}", {"expected": "2+2"})))
    thread.start()
    thread.join()
    assert found[0].outcome == "pass"


def test_an_unreadable_expected_answer_is_refused():
    with pytest.raises(SpecError):
        check_spec("math_verify", {"expected": ""})
