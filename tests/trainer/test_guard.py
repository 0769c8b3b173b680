import json
import math

import pytest

from gradus.errors import DataError
from gradus.trainer.config import GuardConfig
from gradus.trainer.guard import Guard, threshold
from gradus.trainer.run import EVENTS, Run, read_rows

pytestmark = pytest.mark.usefixtures("platform")


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def traces(step):
    return [f"trace-{step}-{i}" for i in range(2)]


def seasoned(run, policy, **config):
    """Return a guard that took 30 steps of losses about 2 and norms about 1."""
    guard = Guard(GuardConfig(policy=policy, **config), run, traces)
    for step in range(1, 31):
        assert guard.judge(step, 2 + 0.1 * math.sin(step), 1 + 0.1 * math.cos(step)) == "take"
    return guard


@pytest.mark.parametrize("policy", ["off", "skip", "rewind"])
@pytest.mark.parametrize(("loss", "norm"), [(math.nan, 1.0), (2.0, math.inf), (-math.inf, math.nan)])
def test_what_is_not_finite_is_skipped_under_every_policy(policy, loss, norm, run):
    guard = Guard(GuardConfig(policy=policy), run, traces)
    assert guard.judge(1, loss, norm) == "skip"
    assert guard.judge(2, 2.0, 1.0) == "take"


@pytest.mark.parametrize(("policy", "verdict"), [("off", "take"), ("skip", "skip"), ("rewind", "rewind")])
@pytest.mark.parametrize(("loss", "norm"), [(4.0, 1.0), (2.0, 3.0)])
def test_a_spike_is_treated_as_the_policy_says(policy, verdict, loss, norm, run):
    assert seasoned(run, policy).judge(31, loss, norm) == verdict


def test_a_fall_and_a_ripple_are_taken(run):
    guard = seasoned(run, "skip")
    assert guard.judge(31, 0.1, 0.01) == "take"
    assert guard.judge(32, 2.3, 1.3) == "take"


def test_a_flat_loss_makes_no_spike_of_a_ripple(run):
    guard = Guard(GuardConfig(policy="skip", min_steps=5), run, traces)
    for step in range(10):
        guard.judge(step, 2.0, 1.0)
    assert guard.judge(10, 2.1, 1.05) == "take"
    assert guard.judge(11, 2.3, 1.0) == "skip"


def test_what_was_not_taken_is_no_measure_for_the_next(run):
    guard = seasoned(run, "skip")
    assert [guard.judge(step, 4.0, 1.0) for step in range(31, 34)] == ["skip"] * 3


def test_the_first_steps_of_a_stage_are_not_judged_by_the_stage_before(run):
    guard = seasoned(run, "skip")
    guard.forget()
    assert guard.judge(31, 9.0, 9.0) == "take"


def test_the_run_ends_after_too_many_in_a_row(run):
    guard = seasoned(run, "skip", max_in_a_row=3)
    for step in (31, 32):
        guard.judge(step, math.nan, 1.0)
    guard.judge(33, 2.0, 1.0)
    for step in (34, 35):
        guard.judge(step, math.nan, 1.0)
    with pytest.raises(DataError, match=r"step 36: 3 steps in a row .* the loss is nan; `gradus runs blame \S+ 36`"):
        guard.judge(36, math.nan, 1.0)


def test_each_is_written_down_with_its_traces(run):
    guard = seasoned(run, "rewind")
    guard.judge(31, 5.0, 1.0)
    guard.judge(32, math.nan, math.inf)
    first, second = read_rows(run.folder / EVENTS)
    assert first["kind"] == "rewind"
    assert first["reason"].startswith("the loss is 5, over ")
    assert first["traces"] == traces(31)
    assert second == {
        "step": 32,
        "kind": "skip",
        "reason": "the loss is nan; the gradient's norm is inf",
        "traces": traces(32),
    }


def test_a_run_that_goes_on_forgets_what_happened_later(run):
    guard = seasoned(run, "skip")
    guard.judge(31, 5.0, 1.0)
    guard.judge(33, 5.0, 1.0)
    run.begin(step=32, num_steps=40)
    assert [event["step"] for event in read_rows(run.folder / EVENTS)] == [31]


def test_a_resumed_guard_judges_as_the_first_would_have(run, tmp_path):
    first = seasoned(run, "skip")
    first.judge(31, 5.0, 1.0)
    second = Guard(GuardConfig(policy="skip"), Run(tmp_path / "other"), traces)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert second.state_dict() == first.state_dict()
    (tmp_path / "other").mkdir()
    for step, loss in enumerate((2.2, 2.9, 3.4, 2.0), start=32):
        assert first.judge(step, loss, 1.0) == second.judge(step, loss, 1.0)


def test_a_threshold_lies_so_many_standard_deviations_above_the_median():
    assert threshold([1.0, 2.0, 3.0, 4.0, 100.0], 2.0) == pytest.approx(3 + 2 * 1.4826)


@pytest.mark.parametrize("wrong", [{"deviations": 0.0}, {"min_steps": 1}, {"window": 5}, {"max_in_a_row": 0}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="are needed"):
        GuardConfig(**wrong)
