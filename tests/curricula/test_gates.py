"""A gate closes when a teacher's fit is certainly beyond a bound, and says what it found in any case."""

import math
import random
from statistics import NormalDist, fmean, stdev

import pytest

from gradus.api import steps
from gradus.curricula import gates
from gradus.curricula.chat import Renderer
from gradus.curricula.gates import GateConfig
from gradus.curricula.manifest import read_shard
from gradus.curricula.recipe import load_recipe
from gradus.curricula.verify import verify
from gradus.engine.parts import write_part
from gradus.engine.records import Drop, Trace, TraceFit
from gradus.engine.store import open_store
from gradus.errors import ConfigError, DataError

TEMPLATE = "0123456789abcdef"
DEFINITION = "window 4, rank <= 100, template 0123456789ab"


def trace(teacher, number, *, domain="math", copy=0):
    turns = ({"role": "user", "content": f"{domain} {number}?"}, {"role": "assistant", "content": f"{teacher} {copy}"})
    return Trace(
        kind="cot",
        domain=domain,
        messages=turns,
        learn=(False, True),
        problem_id=f"{domain}-{number}",
        attempt_id="",
        failed_attempt_id=None,
        teacher=teacher,
    )


def fit(of, nll, *, definition=DEFINITION, student="pupil"):
    counts = {"num_tokens": 10 + round(10 * nll), "num_steps": 3}
    means = {"nll": nll, "rank": 3 * nll, "local_nll": nll / 2}
    return TraceFit(trace_id=of.id, model_id=student, definition=definition, scorer="torch", **counts, **means)


def measured(teacher, nlls, **where):
    """Return the traces of a teacher, one a problem, and how the student reads them."""
    traces = [trace(teacher, number, **where) for number in range(len(nlls))]
    return traces, [fit(one, nll) for one, nll in zip(traces, nlls, strict=True)]


@pytest.fixture
def applied(workspace):
    """Return a function that puts records into the workspace and applies gates to them."""

    def apply(records, *configs, student="pupil", template=TEMPLATE):
        for some in records:
            if some:
                write_part(workspace.parts, "test", some)
        with open_store(workspace) as store:
            return gates.apply(store, configs, student=student, template=template)

    return apply


GOOD = measured("kind", [1.0 + 0.01 * i for i in range(30)])
BAD = measured("harsh", [3.0 + 0.01 * i for i in range(30)])


def test_a_teacher_whose_interval_is_beyond_a_bound_is_excluded_with_the_numbers(applied):
    found, weights = applied([*GOOD, *BAD], GateConfig(metric="nll", high=2.0))
    assert weights == {("harsh", "math"): 0.0}
    harsh, kind = found
    assert (harsh.teacher, harsh.action, harsh.weight, harsh.num_traces) == ("harsh", "exclude", 0.0, 30)
    assert harsh.reason == f"certainly above 2 over 30 problems ({DEFINITION})"
    assert (kind.teacher, kind.action, kind.weight) == ("kind", "keep", 1.0)
    nlls = [3.0 + 0.01 * i for i in range(30)]
    reach = NormalDist().inv_cdf(0.975) * stdev(nlls) / math.sqrt(30)
    assert (harsh.value, harsh.low, harsh.high) == pytest.approx(
        (fmean(nlls), fmean(nlls) - reach, fmean(nlls) + reach), abs=2e-6
    )


def test_a_gate_may_weigh_instead_and_the_least_weight_counts(applied):
    weigh = [GateConfig(metric="nll", high=2.0, weight=0.5), GateConfig(metric="local_nll", high=1.2, weight=0.3)]
    found, weights = applied([*GOOD, *BAD], *weigh)
    assert weights == {("harsh", "math"): 0.3}
    assert [(gate.metric, gate.action) for gate in found if gate.teacher == "harsh"] == [
        ("nll", "weigh"),
        ("local_nll", "weigh"),
    ]


def test_a_low_bound_closes_from_below(applied):
    found, weights = applied([*GOOD, *BAD], GateConfig(metric="nll", low=2.0))
    assert weights == {("kind", "math"): 0.0}
    assert found[1].reason.startswith("certainly below 2 over")


def test_an_interval_that_holds_the_bound_leaves_the_gate_open(applied):
    spread = [1.0, 5.0] * 15
    found, weights = applied(measured("wild", spread), GateConfig(metric="nll", high=2.9))
    assert not weights
    assert found[0].value == 3.0
    assert found[0].low < 2.9
    assert found[0].reason.startswith("beyond the bounds, but not certainly so, over 30 problems")


def test_several_traces_of_a_problem_are_not_several_witnesses(applied):
    rng = random.Random(0)
    means = [rng.gauss(2.3, 1.0) for _ in range(25)]
    traces = [trace("twin", i, copy=copy) for i in range(25) for copy in range(20)]
    fits = [fit(one, abs(means[i // 20])) for i, one in enumerate(traces)]
    found, weights = applied([traces, fits], GateConfig(metric="nll", high=2.0))
    # As 500 witnesses they would be certain.
    assert found[0].value - 1.96 * stdev(means) / math.sqrt(500) > 2.0
    assert not weights
    assert found[0].num_traces == 500


def test_the_ratio_is_of_sums_as_compare_teachers_has_it(applied):
    nlls = [1.0, 2.0, 9.0]
    traces = [trace("one", i) for i in range(3)]
    counts = {"num_tokens": 5, "num_steps": 1}
    fits = [
        TraceFit(
            trace_id=t.id, model_id="pupil", definition=DEFINITION, scorer="x", nll=n, rank=r, local_nll=n, **counts
        )
        for t, n, r in zip(traces, nlls, (2.0, 3.0, 4.0), strict=True)
    ]
    found, _ = applied([traces, fits], GateConfig(metric="rsr", high=9.0, min_problems=2))
    assert found[0].value == 0.75


@pytest.mark.parametrize(
    ("template", "student", "min_problems", "said"),
    [
        ("ffffffffffffffff", "pupil", 20, "not measured with the student's present template"),
        (TEMPLATE, "another", 20, "not measured with the student's present template"),
        (TEMPLATE, "pupil", 31, "measured on 30 problems, needs 31"),
    ],
)
def test_what_is_not_measured_is_kept_and_said_or_refused(applied, template, student, min_problems, said):
    gate = {"metric": "nll", "high": 2.0, "min_problems": min_problems}
    found, weights = applied(BAD, GateConfig(**gate), template=template, student=student)
    assert not weights
    assert [(one.action, one.value, one.low, one.high, one.reason) for one in found] == [
        ("keep", None, None, None, said)
    ]
    with pytest.raises(DataError, match=r"harsh in math .*compare-teachers"):
        applied([], GateConfig(**gate, unmeasured="refuse"), template=template, student=student)


def test_a_gate_is_about_the_teachers_and_domains_it_names(applied):
    elsewhere = measured("harsh", [3.0 + 0.01 * i for i in range(30)], domain="code")
    records = [*GOOD, *BAD, *elsewhere]
    found, weights = applied(records, GateConfig(metric="nll", high=0.5, teacher="h*", domain="code"))
    assert [(one.teacher, one.domain) for one in found] == [("harsh", "code")]
    assert weights == {("harsh", "code"): 0.0}
    with pytest.raises(ConfigError, match=r"no traces of teacher 'nobody'.*harsh in code"):
        applied([], GateConfig(metric="nll", high=0.5, teacher="nobody"))


def test_what_cleaning_dropped_is_not_measured(applied):
    traces, fits = BAD
    drops = [Drop(record_id=one.id, step="dedupe/1", reason="x") for one in traces[:20]]
    marked = [Drop(record_id="", step="dedupe/1", reason="looked at 30")]
    found, _ = applied([traces, fits, drops, marked], GateConfig(metric="nll", high=2.0))
    assert (found[0].num_traces, found[0].reason) == (10, "measured on 10 problems, needs 20")


def test_of_several_windows_the_one_with_most_traces_counts(applied):
    traces, fits = BAD
    wide = [fit(one, 1.0, definition=DEFINITION.replace("window 4", "window 9")) for one in traces[:25]]
    found, _ = applied([traces, fits, wide], GateConfig(metric="nll", high=2.0))
    assert found[0].action == "exclude"
    assert "window 4" in found[0].reason


def test_no_gate_finds_nothing(applied):
    assert applied(BAD) == ((), {})


def test_a_manifest_leaves_out_what_a_gate_closes_to_and_says_why(spoilable, student):
    recipe = load_recipe(str(spoilable.recipe_path))
    definition = f"window 4, rank <= 100, template {Renderer(student, recipe.render).definition[:12]}"
    with open_store(spoilable.workspace) as store:
        traces = store.rows("SELECT id, kind, teacher FROM traces ORDER BY id")
    teachers = {row["kind"]: row["teacher"] for row in traces}
    assert len(set(teachers.values())) == 2
    fits = [
        TraceFit(
            trace_id=row["id"],
            model_id=spoilable.student,
            definition=definition,
            scorer="x",
            num_tokens=10,
            num_steps=1,
            nll=2.0 if row["kind"] == "correction" else 1.0,
            rank=1.0,
            local_nll=1.0,
        )
        for row in traces
    ]
    write_part(spoilable.workspace.parts, "test", fits)
    gate = 'gates=[{metric = "nll", high = 1.5, min_problems = 2}]'
    override = "stages=[{name = 's', context_length = 256, token_budget = 99999, mixture = {'*' = 1}}]"
    path = steps.build(spoilable.workspace, load_recipe(str(spoilable.recipe_path), [gate, override]))
    found = verify(path)
    kinds = {row["kind"] for shard in found.stages[0].shards for row in read_shard(path, shard).to_pylist()}
    assert kinds == {"cot"}
    num = sum(row["kind"] == "correction" for row in traces)
    assert found.dropped[f"gated: {teachers['correction']} in math"] == num
    assert {(one.teacher, one.action, one.value, one.low, one.high) for one in found.gates} == {
        (teachers["cot"], "keep", 1.0, 1.0, 1.0),
        (teachers["correction"], "exclude", 2.0, 2.0, 2.0),
    }


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "needs low, high or both"),
        ({"low": 2.0, "high": 1.0}, "low must be below its high"),
        ({"high": 1.0, "weight": 1.0}, "at least 0 and below 1"),
        ({"high": 1.0, "min_problems": 1}, "at least 2"),
    ],
)
def test_a_gate_that_makes_no_sense_is_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        GateConfig(metric="nll", **settings)
