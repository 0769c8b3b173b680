"""A verdict is given only where the numbers are certain and agree, and never for the mean NLL alone."""

import numpy as np
import pytest

from gradus.engine.compatibility.intervals import Ratio
from gradus.engine.compatibility.panel import ScoredTrace, make_panels
from gradus.engine.compatibility.verdict import decide
from gradus.engine.records import Trace, TraceFit

STUDENT = "student@0"


def traces(teacher, *, num=60, nll=1.0, rank=4.0, local=1.5, tokens=100, noise=0.05, seed=0, word="plain"):
    """Return traces of one teacher on the problems 0 to num."""
    rng = np.random.default_rng([seed, *teacher.encode()])
    found = []
    for i in range(num):
        answer = {"role": "assistant", "content": f"{word} words about {word} things {'again ' * (i % 3)}{i}"}
        trace = Trace(
            kind="cot",
            domain="math",
            messages=({"role": "user", "content": "?"}, answer),
            learn=(False, True),
            problem_id=f"p{i}",
            attempt_id=f"{teacher} {i}",
            teacher=teacher,
        )
        wobble = 1 + noise * rng.standard_normal(3)
        fit = TraceFit(
            trace_id=trace.id,
            model_id=STUDENT,
            definition="d",
            scorer="s",
            num_tokens=tokens,
            num_steps=4,
            nll=nll * wobble[0],
            rank=rank * wobble[1],
            local_nll=local * wobble[2],
        )
        found.append(ScoredTrace(trace, fit))
    return found


def verdict(*groups, probed=None):
    panels = make_panels([one for group in groups for one in group], STUDENT)
    return decide(panels, probed or {})


def test_a_teacher_whom_both_signals_prefer_is_best():
    found = verdict(traces("good", rank=2, local=1.0), traces("poor"))
    assert found.best == "good"
    assert found.domain == "math"
    assert "good is certainly lower than all others" in found.reasons[0]


def test_one_signal_is_enough_where_the_other_is_silent():
    assert verdict(traces("good", local=1.0), traces("poor")).best == "good"


def test_signals_that_contradict_each_other_give_no_verdict():
    found = verdict(traces("near", local=1.0), traces("sharp", rank=2))
    assert found.best is None
    assert "the two contradict each other: only a probe can tell" in found.reasons


def test_mean_nll_alone_never_decides():
    # Rank follows NLL, so that their ratio is the same: only the NLL tells the two apart.
    found = verdict(traces("likely", nll=0.2, rank=0.8), traces("unlikely", nll=2.0, rank=8.0))
    assert found.best is None
    assert any("no teacher is certainly better" in reason for reason in found.reasons)


def test_it_is_said_when_mean_nll_would_have_chosen_another():
    found = verdict(traces("good", nll=2.0, rank=4, local=1.0), traces("likely", nll=0.5, rank=2))
    assert found.best == "good"
    assert any(reason.startswith("mean NLL would have chosen likely") for reason in found.reasons)


def test_equal_teachers_get_no_verdict():
    assert verdict(traces("one", seed=1), traces("other", seed=2), traces("third", seed=3)).best is None


def test_the_best_of_three_beats_both_others():
    assert verdict(traces("good", rank=2, local=1.0), traces("fair", rank=3), traces("poor")).best == "good"
    assert verdict(traces("good", rank=2), traces("twin", rank=2, seed=5), traces("poor")).best is None


def test_few_problems_are_left_out_with_a_reason():
    found = verdict(traces("good", rank=2), traces("poor"), traces("tiny", num=19, rank=1))
    assert found.best == "good"
    assert found.reasons[0] == "tiny is left out: 19 problems, 20 are needed"


def test_one_teacher_is_not_compared():
    found = verdict(traces("only"), traces(STUDENT))
    assert (found.best, found.reasons[-1]) == (None, "there are not two teachers to compare")


def test_the_student_is_a_yardstick_not_a_teacher():
    found = verdict(traces(STUDENT, rank=1, local=0.1, tokens=20), traces("good", rank=2, word="wild"), traces("poor"))
    assert found.best == "good"
    assert any("good writes 5.0 times as long as the student" in reason for reason in found.reasons)
    assert any("good's wording is" in reason for reason in found.reasons)


def rates(passes, num=100):
    return Ratio([str(i) for i in range(num)], [float(i < passes) for i in range(num)], [1.0] * num)


def test_a_certain_probe_decides_against_the_signals():
    groups = traces("good", rank=2, local=1.0), traces("poor")
    found = verdict(*groups, probed={"good": rates(20), "poor": rates(60)})
    assert found.best == "poor"
    assert found.reasons[0].startswith("probe: trained on poor the student passes 60.0%")


def test_an_uncertain_probe_leaves_it_to_the_signals():
    groups = traces("good", rank=2, local=1.0), traces("poor")
    found = verdict(*groups, probed={"good": rates(40), "poor": rates(42)})
    assert found.best == "good"
    assert found.reasons[0] == "probe: pass rates of good 40.0%, poor 42.0% are not certainly different"


def test_a_probe_on_few_problems_is_not_certain():
    groups = traces("good", rank=2, local=1.0), traces("poor")
    found = verdict(*groups, probed={"good": rates(0, num=19), "poor": rates(19, num=19)})
    assert found.best == "good"
    assert found.reasons[0] == "probe: 19 held-out problems are too few to tell; 20 are needed"


def test_problems_that_are_not_shared_are_mentioned():
    apart = traces("poor")
    apart = [
        ScoredTrace(
            Trace(
                kind=one.trace.kind,
                domain="math",
                messages=one.trace.messages,
                learn=one.trace.learn,
                problem_id=f"other {one.trace.problem_id}",
                attempt_id="",
                teacher="poor",
            ),
            one.fit,
        )
        for one in apart
    ]
    found = verdict(traces("good", rank=2, local=1.0), apart)
    assert found.best == "good"
    assert any("share 20 problems" in reason for reason in found.reasons)


def test_a_panels_row_has_every_metric_with_its_interval():
    (panel,) = make_panels(traces("good", num=50, nll=2.0, rank=4.0), STUDENT)
    row = panel.row()
    assert row["rsr"] == pytest.approx(2.0, rel=0.05)
    for metric in ("rsr", "nll", "local_nll"):
        assert row[f"{metric}_low"] < row[metric] < row[f"{metric}_high"]
    assert (row["tokens"], row["steps"], row["traces"], row["problems"]) == (100, 4, 50, 50)
    assert row["style"] is None
