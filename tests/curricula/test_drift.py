"""Drift is told from noise: bands, mean changes with their intervals, and how many problems would seem to change."""

from math import comb

import numpy as np
import polars as pl
import pytest

from gradus.curricula import drift as drifting
from gradus.curricula import posterior
from gradus.curricula.drift import by_chance, drift
from gradus.curricula.recipe import BANDS
from gradus.curricula.standing import Checkpoint
from gradus.engine.records import Problem
from gradus.engine.store import open_store
from gradus.errors import ConfigError

A, B = Checkpoint("old"), Checkpoint("new")


def make(num, domain="math"):
    return [
        Problem(prompt=f"{domain} {i}", domain=domain, verifier="math", spec={"expected": "1"}, source="t")
        for i in range(num)
    ]


@pytest.fixture
def compared(workspace, tried):
    """Return a function that stores what two checkpoints did at problems, and compares the two."""

    def compare(problems, before, after, **more):
        tried(problems, before, model="old")
        tried(problems, after, model="new")
        for model, counts in more.items():
            tried(problems, counts, model=model, sampler="another")
        with open_store(workspace) as store:
            return drift(store, A, B, BANDS)

    return compare


def test_problems_that_truly_changed_are_found_and_those_that_did_not_are_not(compared):
    problems = make(6)
    found = compared(
        problems, [(0, 8), (8, 8), (4, 8), (4, 8), (0, 8), (8, 8)], [(7, 8), (1, 8), (4, 8), (5, 8), (0, 8), (8, 8)]
    )
    assert [one.problem_id for one in found.improved] == [problems[0].id]
    assert [one.problem_id for one in found.regressed] == [problems[1].id]
    one = found.improved[0]
    assert (one.passed_a, one.attempts_a, one.passed_b, one.attempts_b) == (0, 8, 7, 8)
    assert one.probability == pytest.approx(float(posterior.greater(7, 8, 0, 8)), abs=1e-8)
    (math,) = found.domains
    assert (math.improved, math.regressed) == (1, 1)


def test_moves_are_from_the_band_for_a_to_the_band_for_b(compared):
    found = compared(make(4), [(0, 8), (0, 8), (8, 8), (4, 8)], [(0, 8), (8, 8), (4, 8), (4, 8)])
    (math,) = found.domains
    # hard, medium, easy
    assert math.moves == ((1, 0, 1), (0, 1, 0), (0, 1, 0))
    assert math.moved == 2
    assert found.bands == ("hard", "medium", "easy")


def test_every_problem_is_compared_or_left_out_with_a_reason(compared):
    problems = make(5)
    none = (0, 0)
    before, after = [(1, 4), (1, 4), none, none, none], [(2, 4), none, (1, 4), none, none]
    differently = [none, (1, 4), none, none, (1, 4)]
    found = compared(problems, before, after, new=differently)
    assert found.left_out == {"tried by new alone": 2, "tried by both, but not in the same way": 1}
    assert (found.problems, found.compared) == (4, 1)
    assert found.problems == found.compared + sum(found.left_out.values())


def test_only_attempts_made_in_the_same_way_are_compared(compared):
    found = compared(make(1), [(1, 4)], [(2, 4)], new=[(8, 8)])
    (math,) = found.domains
    assert (math.overall.rate_a, math.overall.rate_b, math.overall.change) == (0.25, 0.5, 0.25)


def test_domains_are_told_apart(compared):
    problems = [*make(2), *make(1, "code")]
    found = compared(problems, [(0, 4)] * 3, [(0, 4), (4, 4), (4, 4)])
    assert [(one.domain, one.overall.problems, one.overall.change) for one in found.domains] == [
        ("code", 1, 1.0),
        ("math", 2, 0.5),
    ]


def test_a_mean_over_equal_outcomes_is_not_certain(compared):
    found = compared(make(3), [(0, 4)] * 3, [(0, 4)] * 3)
    overall = found.domains[0].overall
    assert overall.change == 0
    assert overall.high == -overall.low > 0.05


def frame(rng, rates_a, rates_b, n_a, n_b):
    """Draw what two checkpoints of known rates do."""
    c_a, c_b = rng.binomial(n_a, rates_a), rng.binomial(n_b, rates_b)
    num = len(rates_a)
    return pl.DataFrame(
        {
            "attempts_a": np.full(num, n_a),
            "passed_a": c_a,
            "attempts_b": np.full(num, n_b),
            "passed_b": c_b,
            "rate_a": c_a / n_a,
            "rate_b": c_b / n_b,
        }
    )


@pytest.mark.parametrize(("n_a", "n_b"), [(4, 4), (8, 4), (16, 16)])
@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_the_interval_of_the_mean_change_covers_it(n_a, n_b, shift):
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        before = rng.beta(0.6, 0.9, 60)
        after = np.clip(before + shift, 0, 1)
        found = drifting._change("", frame(rng, before, after, n_a, n_b))
        covered += found.low <= float((after - before).mean()) <= found.high
    # 95% wanted of 200: fewer than 183 would have a chance of 1%.
    assert covered >= 183


@pytest.mark.parametrize(("n_a", "n_b"), [(8, 8), (4, 16)])
def test_nothing_seems_to_change_by_band_if_nothing_did(n_a, n_b):
    rng = np.random.default_rng(1)
    rates = rng.beta(0.5, 0.5, 20_000)
    some = frame(rng, rates, rates, n_a, n_b)
    sure = posterior.greater(some["passed_b"], n_b, some["passed_a"], n_a).round(posterior.DIGITS)
    found = drifting._domain("math", some.with_columns(sure=pl.Series(sure)), BANDS)
    assert [change.band for change in found.by_band] == ["hard", "medium", "easy"]
    for change in found.by_band:
        assert abs(change.change) < 0.01
    # As many move, improve and regress as chance is said to give.
    assert found.moved == pytest.approx(found.moved_by_chance, rel=0.05)
    assert found.improved == pytest.approx(found.improved_by_chance, rel=0.2)
    assert found.regressed == pytest.approx(found.regressed_by_chance, rel=0.2)


def test_what_chance_gives_is_hypergeometric():
    n_a, n_b, passed = 5, 7, 6
    want = {"moved": 0.0, "improved": 0.0, "regressed": 0.0}
    for c_a in range(n_a + 1):
        weight = comb(n_a, c_a) * comb(n_b, passed - c_a) / comb(n_a + n_b, passed) if c_a <= passed else 0
        if not weight:
            continue
        c_b = passed - c_a
        sure = float(posterior.greater(c_b, n_b, c_a, n_a))
        want["improved"] += weight * (sure >= 0.95)
        want["regressed"] += weight * (sure <= 0.05)
        want["moved"] += weight * (int(posterior.band_of(c_a, n_a, BANDS)) != int(posterior.band_of(c_b, n_b, BANDS)))
    counts = (np.array([n] * 3) for n in (n_a, n_b, passed))
    assert by_chance(*counts, BANDS) == pytest.approx({name: 3 * value for name, value in want.items()})


def test_nothing_compared_is_no_error_but_no_bands_are(compared, workspace):
    found = compared(make(2), [(1, 4), (0, 0)], [(0, 0), (1, 4)])
    assert (found.compared, found.domains) == (0, ())
    with open_store(workspace) as store, pytest.raises(ConfigError, match="bands"):
        drift(store, A, B, {})
