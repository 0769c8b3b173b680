"""A policy offers every candidate, in an order that is its own and nobody else's business."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.curricula import posterior
from gradus.curricula.candidates import Candidates
from gradus.curricula.policies.base import policies
from gradus.errors import ConfigError

NAMES = ("math/cot/large/easy", "math/correction/large/hard", "code/imported/a/b/unmeasured", "math/cot/small/easy")
ROW = st.tuples(
    st.integers(0, len(NAMES) - 1),
    st.integers(0, 5),
    st.integers(1, 80_000),
    st.integers(0, 8).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.integers(0, 8).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
)


def candidates_of(rows):
    """Each row: component, problem, tokens, (passed, attempts), (earlier passed, earlier attempts)."""
    component, problem, tokens, now, earlier = zip(*rows, strict=True) if rows else ((),) * 5
    # A problem has one standing, whatever its traces are.
    now, earlier = ([list(found)[list(problem).index(p)] for p in problem] for found in (now, earlier))
    n = len(rows)
    return Candidates(
        names=NAMES,
        trace_ids=np.array([f"{i:04}" for i in range(n)], "S64"),
        part=np.zeros(n, np.int32),
        places=np.arange(n),
        num_tokens=np.array(tokens, np.int64),
        component=np.array(component, np.int32),
        problem=np.array(problem, np.int64),
        num_attempts=np.array([a for _, a in now], np.int64),
        num_passed=np.array([c for c, _ in now], np.int64),
        earlier_attempts=np.array([a for _, a in earlier], np.int64),
        earlier_passed=np.array([c for c, _ in earlier], np.int64),
        weight=np.ones(n),
    )


REVIEWED = ("easy_to_hard", "motif", "self_paced")
CANDIDATES = st.lists(ROW, max_size=40).map(candidates_of)


def measured(*counts, component=0, tokens=100):
    """Return a candidate of a problem of its own for each (passed, attempts)."""
    return candidates_of([(component, i, tokens, count, (0, 0)) for i, count in enumerate(counts)])


def ordered(name, candidates, **options):
    """Return rows in the order of training, sorted strictly."""
    strictly = {"review": 0.0} if name in REVIEWED else {}
    plan = policies[name](candidates, strictly | options)
    return plan.rows[np.argsort(plan.order, kind="stable")].tolist()


@pytest.mark.parametrize("name", policies.names())
@settings(max_examples=40, deadline=None)
@given(candidates=CANDIDATES)
def test_a_policy_offers_every_candidate_and_invents_none(name, candidates):
    plan = policies[name](candidates, {})
    assert len(plan.rows) == len(plan.order)
    assert set(plan.rows.tolist()) == set(range(len(candidates)))
    assert np.isfinite(plan.order).all()
    if plan.spread is not None:
        assert ((plan.order >= 0) & (plan.spread >= 0) & (plan.order + plan.spread <= 1)).all()
    if name != "spaced":
        assert len(plan.rows) == len(candidates)
    if plan.preference is not None:
        assert len(plan.preference) == len(plan.rows)
        assert np.isfinite(plan.preference).all()


@pytest.mark.parametrize("name", policies.names())
@settings(max_examples=40, deadline=None)
@given(candidates=CANDIDATES, data=st.data())
def test_numbers_of_problems_and_components_say_nothing(name, candidates, data):
    other = replace(
        candidates,
        names=(*reversed(NAMES), "stem/cot/x/y"),
        component=(len(NAMES) - 1 - candidates.component).astype(np.int32),
        problem=np.array(data.draw(st.permutations(range(6))), np.int64)[candidates.problem],
    )
    first, second = (policies[name](made, {}) for made in (candidates, other))
    for column in ("order", "spread", "preference"):
        one, two = getattr(first, column), getattr(second, column)
        if one is not None:
            assert sorted(zip(first.rows, one, strict=True)) == sorted(zip(second.rows, two, strict=True))


def relative(plan, kept):
    """Return for each pair of rows which comes first, equals together."""
    order = [plan.order[plan.rows == row].min() for row in kept]
    return np.sign(np.subtract.outer(order, order)).tolist()


# self_paced's diversity is defined by ranks within a problem, and a problem's visits of spaced take turns.
@pytest.mark.parametrize("name", policies.names())
@settings(max_examples=40, deadline=None)
@given(candidates=CANDIDATES, data=st.data())
def test_without_one_candidate_the_others_keep_their_order(name, candidates, data):
    if not len(candidates):
        return
    gone = data.draw(st.integers(0, len(candidates) - 1))
    rest = np.delete(np.arange(len(candidates)), gone)
    same = candidates.problem[rest] == candidates.problem[gone]
    compared = np.flatnonzero(~same) if name in ("self_paced", "spaced") else np.arange(len(rest))
    before, after = policies[name](candidates, {}), policies[name](candidates.take(rest), {})
    assert relative(before, rest[compared]) == relative(after, compared)


@settings(max_examples=40, deadline=None)
@given(candidates=CANDIDATES, data=st.data())
def test_self_paced_without_diversity_keeps_the_order_of_all_others(candidates, data):
    if not len(candidates):
        return
    rest = np.delete(np.arange(len(candidates)), data.draw(st.integers(0, len(candidates) - 1)))
    before, after = (policies["self_paced"](made, {"diversity": 0.0}) for made in (candidates, candidates.take(rest)))
    assert relative(before, rest) == relative(after, np.arange(len(rest)))


@pytest.mark.parametrize("name", REVIEWED)
def test_what_was_admitted_may_come_until_the_end_and_nothing_before_its_share_has_passed(name):
    candidates = measured(*[(c, 8) for c in range(7) for _ in range(10)])
    plan = policies[name](candidates, {})
    np.testing.assert_allclose(plan.order + plan.spread, 1)
    strict = policies[name](candidates, {"review": 0.0})
    assert not strict.spread.any()
    assert sorted(set(strict.order.round(9))) == [round(i / 7, 9) for i in range(7)]


def test_the_last_tenth_of_a_reviewed_stage_holds_easy_problems_too():
    candidates = measured(*[(c, 8) for c in (8, 0) for _ in range(1000)])
    plan = policies["easy_to_hard"](candidates, {})
    place = plan.order + plan.spread * np.random.default_rng(0).random(2000)
    easy = candidates.num_passed[np.argsort(place)] == 8
    assert easy[:400].all()
    assert 0.25 < easy[-200:].mean() < 0.42


@pytest.mark.parametrize("name", policies.names())
def test_settings_that_a_policy_does_not_know_are_refused(name):
    with pytest.raises(ConfigError, match=rf"settings of policy '{name}': \w+ has no 'speed'"):
        policies[name](measured((1, 4)), {"speed": 2})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("motif", {"lengths": [2, 1]}),
        ("motif", {"focus": "both"}),
        ("motif", {"review": 2.0}),
        ("easy_to_hard", {"review": -0.1}),
        ("self_paced", {"review": 1.1}),
        ("self_paced", {"diversity": -1.0}),
        ("spaced", {"repeats": 0}),
        ("spaced", {"span": 1.0}),
    ],
)
def test_absurd_settings_are_refused(name, options):
    with pytest.raises(ConfigError, match=name):
        policies[name](measured((1, 4)), options)


def test_an_unknown_policy_lists_the_known_ones():
    known = "easy_to_hard, frontier, motif, self_paced, spaced, uniform"
    with pytest.raises(ConfigError, match=rf"no policy 'hard_first'\. Known: {known}\."):
        policies["hard_first"]


def test_uniform_finds_all_equal():
    plan = policies["uniform"](measured((0, 4), (4, 4), (0, 0)), {})
    assert plan.order.tolist() == [0, 0, 0]
    assert plan.preference is None


@settings(max_examples=40, deadline=None)
@given(candidates=CANDIDATES)
def test_easy_to_hard_never_goes_back_to_an_easier_problem(candidates):
    rates = posterior.mean(candidates.num_passed, candidates.num_attempts)[ordered("easy_to_hard", candidates)]
    assert (np.diff(rates) <= 0).all()


def test_easy_to_hard_trusts_four_of_four_more_than_one_of_one():
    assert ordered("easy_to_hard", measured((1, 1), (0, 4), (4, 4), (0, 0), (2, 4))) == [2, 0, 3, 4, 1]


def test_easy_to_hard_leaves_what_is_taken_to_chance():
    assert policies["easy_to_hard"](measured((1, 4)), {}).preference is None


def test_frontier_takes_one_half_first_and_the_unmeasured_stand_between():
    plan = policies["frontier"](measured((0, 64), (0, 4), (0, 0), (1, 4), (2, 4), (4, 4), (32, 64)), {})
    assert np.argsort(plan.preference, kind="stable").tolist() == [6, 4, 3, 2, 1, 5, 0]
    assert not plan.order.any()


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 64), data=st.data())
def test_frontier_prefers_of_two_rates_of_as_many_attempts_the_one_nearer_one_half(n, data):
    near, far = sorted((data.draw(st.integers(0, n)) for _ in range(2)), key=lambda c: abs(2 * c - n))
    preference = policies["frontier"](measured((near, n), (far, n)), {}).preference
    assert preference[0] <= preference[1]
    assert (preference[0] == preference[1]) == (abs(2 * near - n) == abs(2 * far - n))


def test_motif_orders_by_breadth_then_length_then_difficulty():
    rows = [
        (1, 0, 100, (4, 4), (0, 0)),  # a correction
        (0, 1, 100, (0, 8), (0, 0)),  # hard
        (0, 2, 20_000, (4, 4), (0, 0)),  # long
        (0, 3, 16_384, (2, 4), (0, 0)),
        (0, 4, 1, (3, 4), (0, 0)),
        (2, 5, 90_000, (0, 0), (0, 0)),  # longer than every band
    ]
    assert ordered("motif", candidates_of(rows)) == [4, 3, 2, 5, 0, 1]


@settings(max_examples=40, deadline=None)
@given(candidates=CANDIDATES)
def test_motif_never_goes_back_to_a_shorter_band_among_equally_broad_traces(candidates):
    rows = np.array(ordered("motif", candidates, hard=0.0), int)
    special = candidates.component[rows] == 1
    assert (np.diff(special.astype(int)) >= 0).all()
    for part in (rows[special], rows[~special]):
        band = np.searchsorted([16384, 32768, 65536], candidates.num_tokens[part])
        assert (np.diff(band) >= 0).all()


def test_a_foundation_takes_every_problem_once_before_any_twice():
    rows = [(0, problem, 100, (2, 4), (0, 0)) for problem in (0, 0, 0, 1, 1, 2)]
    assert policies["motif"](candidates_of(rows), {}).preference.tolist() == [0, 1, 2, 0, 1, 0]


def test_a_specialisation_takes_corrections_and_hard_problems_first():
    rows = [
        (0, 0, 100, (4, 4), (0, 0)),
        (0, 1, 100, (2, 4), (0, 0)),
        (0, 2, 100, (0, 8), (0, 0)),
        (1, 3, 100, (4, 4), (0, 0)),
    ]
    plan = policies["motif"](candidates_of(rows), {"focus": "specialisation"})
    assert np.argsort(plan.preference).tolist() == [2, 3, 1, 0]


def test_self_paced_begins_with_what_the_student_can_nearly_do_and_ends_with_what_it_masters():
    assert ordered("self_paced", measured((8, 8), (0, 8), (3, 4), (1, 4), (0, 0))) == [2, 4, 3, 1, 0]


@settings(max_examples=40, deadline=None)
@given(candidates=CANDIDATES)
def test_self_paced_without_diversity_never_goes_back_to_a_lesser_loss(candidates):
    rows = ordered("self_paced", candidates, diversity=0.0, mastered=1.0)
    loss = posterior.loss(candidates.num_passed, candidates.num_attempts)[rows]
    assert (np.diff(loss) >= -1e-9).all()


def test_diversity_brings_another_problem_before_the_second_trace_of_an_easier_one():
    rows = [(0, 0, 100, (7, 9), (0, 0)), (0, 0, 100, (7, 9), (0, 0)), (0, 1, 100, (6, 9), (0, 0))]
    assert ordered("self_paced", candidates_of(rows), diversity=0.0) == [0, 1, 2]
    assert ordered("self_paced", candidates_of(rows), diversity=0.5) == [0, 2, 1]


def test_diversity_over_components_leaves_the_difficulty_band_out():
    rows = [(0, i, 100, (7, 9), (0, 0)) for i in range(3)] + [(3, 3, 100, (6, 9), (0, 0))]
    assert ordered("self_paced", candidates_of(rows), groups="component").index(3) == 1


@settings(max_examples=40, deadline=None)
@given(candidates=CANDIDATES, diversity=st.floats(0, 5))
def test_traces_of_one_problem_are_admitted_one_by_one_as_the_closed_form_says(candidates, diversity):
    plan = policies["self_paced"](candidates, {"diversity": diversity, "mastered": 1.0})
    loss = posterior.loss(candidates.num_passed, candidates.num_attempts)
    for problem in set(candidates.problem.tolist()):
        rows = candidates.problem == problem
        rank = np.arange(1, rows.sum() + 1)
        threshold = loss[rows] - diversity / (np.sqrt(rank) + np.sqrt(rank - 1))
        np.testing.assert_allclose(plan.preference[rows], threshold, atol=1e-8)


def regressed(num_traces, others=0):
    """Return traces of one problem that fell from 8 to 0 of 8, and others of problems that did not."""
    rows = [(0, 0, 100, (0, 8), (8, 8))] * num_traces
    return candidates_of(rows + [(0, 1 + i, 100, (4, 8), (4, 8)) for i in range(others)])


def test_what_fell_comes_again_at_growing_distances():
    plan = policies["spaced"](regressed(1), {"repeats": 4, "growth": 3.0, "span": 0.5})
    assert plan.rows.tolist() == [0] * 5
    times = np.sort(plan.order)
    np.testing.assert_allclose(np.diff(times)[1:] / np.diff(times)[:-1], 3.0)
    assert 0 <= times[0] < times[-1] < 1
    assert times[-1] - times[0] == pytest.approx(0.5)


@pytest.mark.parametrize("traces", [1, 2, 3, 4, 7])
def test_traces_of_a_problem_that_fell_take_turns(traces):
    plan = policies["spaced"](regressed(traces), {})
    uses = np.bincount(plan.rows, minlength=traces)
    assert uses.sum() == max(4, traces)
    assert uses.max() - uses.min() <= 1
    if traces <= 4:
        visits = plan.rows[np.argsort(plan.order)]
        assert visits.tolist() == [i % traces for i in range(4)]


def test_what_did_not_fall_comes_once_spread_over_the_stage():
    plan = policies["spaced"](regressed(1, others=2000), {})
    once = plan.order[plan.rows > 0]
    assert len(once) == 2000
    assert np.abs(np.sort(once) - np.linspace(0, 1, 2000)).max() < 0.05


@pytest.mark.parametrize(("now", "earlier", "visits"), [((1, 4), (2, 4), 1), ((0, 4), (3, 4), 4), ((4, 4), (0, 4), 1)])
def test_only_a_fall_that_chance_hardly_explains_counts(now, earlier, visits):
    assert len(policies["spaced"](candidates_of([(0, 0, 100, now, earlier)]), {}).rows) == visits


@pytest.mark.parametrize(("now", "earlier"), [((0, 8), (0, 0)), ((0, 0), (8, 8))])
def test_what_was_not_measured_twice_has_not_fallen(now, earlier):
    assert len(policies["spaced"](candidates_of([(0, 0, 100, now, earlier)]), {}).rows) == 1


def test_spaced_prefers_what_fell():
    plan = policies["spaced"](regressed(2, others=3), {})
    assert plan.preference[plan.rows < 2].max() < plan.preference[plan.rows >= 2].min()


@pytest.mark.parametrize("name", policies.names())
def test_a_policy_is_one_file(name):
    assert policies[name].__module__ == f"gradus.curricula.policies.{name}"
