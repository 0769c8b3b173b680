"""Every problem is active, in reserve, or left out for one reason; who is in is decided by the posterior."""

import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mpmath import betainc

from gradus.api import steps
from gradus.api.cli import main
from gradus.curricula import manifest as m
from gradus.curricula.chat import Renderer
from gradus.curricula.recipe import Recipe, RLConfig, load_recipe
from gradus.curricula.rl import rl_section
from gradus.curricula.verify import verify
from gradus.engine.parts import write_part
from gradus.engine.records import HELDOUT, Drop, Problem
from gradus.engine.store import open_store
from gradus.engine.workspace import Workspace
from tests.conftest import copy_of


def problem(number, domain="math", tags=()):
    return Problem(
        prompt=f"{domain} {number}", domain=domain, verifier="math", spec={"expected": "1"}, source="t", tags=tags
    )


def chance(num_passed, num_attempts, low, high):
    """Return P(low ≤ p ≤ high) by another library."""
    a, b = num_passed + 0.5, num_attempts - num_passed + 0.5
    return float(betainc(a, b, low, high, regularized=True))


@pytest.fixture(scope="module")
def renderer(student):
    return Renderer(student)


@pytest.fixture
def section(renderer, workspace):
    """Return a function that builds the RL section of the workspace, and its rows by problem."""

    def make(at: Workspace = workspace, *, seed=0, **config):
        recipe = Recipe(name="t", seed=seed, rl=RLConfig(**config))
        with open_store(at) as store:
            found = rl_section(at.curricula, store, recipe, renderer, "pupil")
            total = store.rows("SELECT count(*) AS n FROM problems")[0]["n"]
        rows = m.read_shard(at.manifests / "x.json", found.problems).to_pylist()
        assert len(rows) + sum(found.left_out.values()) == total
        assert [row["problem_id"] for row in rows] == sorted(row["problem_id"] for row in rows)
        return found, {row["problem_id"]: row for row in rows}

    return make


@pytest.mark.parametrize(
    "band", [(0.1, 0.7), (0.2, 0.8), (0.1, 0.9), (0.25, 0.75), (0.0, 0.25), (0.5, 1.0), (0.0, 1.0)]
)
@pytest.mark.parametrize("confidence", [0.3, 0.5, 0.8])
def test_a_problem_is_in_if_its_rate_is_surely_enough_in_the_band(tried, section, band, confidence):
    counts = [(c, n) for n in (1, 4, 8) for c in range(n + 1)]
    problems = [problem(i) for i in range(len(counts))]
    tried(problems, counts)
    _, rows = section(band=band, confidence=confidence)
    for one, (c, n) in zip(problems, counts, strict=True):
        assert (one.id in rows) == (chance(c, n, *band) >= confidence)
        if row := rows.get(one.id):
            assert row["in_band"] == pytest.approx(chance(c, n, *band), abs=1e-8)
            assert (row["num_passed"], row["num_attempts"], row["pass_rate"]) == (c, n, c / n)
            assert row["role"] == "active"


def test_by_default_four_attempts_say_what_their_quotient_says(tried, section):
    """So the demo, and whoever measures with four attempts, finds the problems that the quotient would find."""
    problems = [problem(i) for i in range(5)]
    tried(problems, [(c, 4) for c in range(5)])
    for band in ((0.1, 0.7), (0.2, 0.8), (0.1, 0.9)):
        _, rows = section(band=band)
        assert {row["pass_rate"] for row in rows.values()} == {c / 4 for c in range(5) if band[0] <= c / 4 <= band[1]}


def test_more_attempts_make_sure_what_few_leave_open(tried, section):
    few, many = problem(0), problem(1)
    tried([few, many], [(1, 4), (16, 64)])
    found, rows = section(band=(0.1, 0.7), confidence=0.9)
    assert set(rows) == {many.id}
    assert found.left_out == {"pass rate in the band, but with a probability below 0.9": 1}


def test_every_reason_is_told(tried, section, workspace):
    problems = [problem(i) for i in range(6)]
    tried(problems, [(0, 8), (8, 8), (4, 8), (2, 4), (4, 8), (0, 0)])
    others = [problem(9, tags=(HELDOUT,)), problem(9, "code")]
    drops = [Drop(record_id=problems[4].id, step="dedupe/1", reason="x")]
    marked = [Drop(record_id="", step="dedupe/1", reason="looked at 6")]
    for some in (others, drops, marked):
        write_part(workspace.parts, "test", some)
    found, rows = section(band=(0.2, 0.8), confidence=0.9, quotas={"math": 1})
    assert set(rows) == {problems[2].id}
    assert found.left_out == {
        "held out for evaluation": 1,
        "no quota for code": 1,
        "pass rate not measured": 1,
        "pass rate probably below 0.2": 1,
        "pass rate probably above 0.8": 1,
        "pass rate in the band, but with a probability below 0.9": 1,
        "dropped: dedupe": 1,
    }


def test_the_surest_are_active_and_the_others_wait(tried, section):
    counts = [(1, 4), (2, 4), (8, 16), (32, 64), (3, 4), (30, 64)]
    problems = [problem(i) for i in range(6)]
    tried(problems, counts)
    found, rows = section(band=(0.2, 0.8), active={"math": 3}, quotas={"math": 2})
    assert {p.id for p in problems if rows[p.id]["role"] == "active"} == {problems[i].id for i in (2, 3, 5)}
    assert found.reserve == {"math": 3}
    assert found.left_out == {}


def test_among_equally_sure_ones_the_seed_decides(tried, section):
    problems = [problem(i) for i in range(40)]
    tried(problems, [(2, 4)] * 40)

    def active(seed):
        _, rows = section(seed=seed, active={"math": 20}, quotas={"math": 2})
        return {name for name, row in rows.items() if row["role"] == "active"}

    assert active(0) == active(0)
    assert len(active(0)) == 20
    assert active(0) != active(1)


def test_what_may_be_in_the_band_waits_in_reserve(tried, section):
    problems = [problem(i) for i in range(5)]
    tried(problems, [(c, 4) for c in range(5)])
    found, rows = section(band=(0.1, 0.7), confidence=0.5, reserve=0.3)
    roles = {row["num_passed"]: row["role"] for row in rows.values()}
    assert roles == {0: "reserve", 1: "active", 2: "active", 3: "reserve"}
    assert found.reserve == {"math": 2}
    assert found.left_out == {"pass rate probably above 0.7": 1}


def test_a_quota_that_too_few_problems_can_meet_is_lowered_and_said(tried, section):
    problems = [*(problem(i) for i in range(5)), problem(0, "code")]
    tried(problems, [(2, 4)] * 6)
    found, _ = section(quotas={"math": 3, "code": 2, "instruction": 1})
    assert found.quotas == {"math": 3, "code": 1}
    assert found.notes == (
        "quota of code: 1 instead of 2, for no more problems are active",
        "quota of instruction: 0 instead of 1, for no more problems are active",
    )


def test_attempts_of_other_models_say_nothing(tried, section):
    problems = [problem(i) for i in range(3)]
    tried(problems, [(2, 4)] * 3, model="another")
    assert section()[0].left_out == {"pass rate not measured": 3}


def test_a_dry_run_tells_what_the_manifest_will_hold(spoilable, capsys):
    settings = ["rl.active={math = 5}", "rl.quotas={math = 4, code = 1}", "rl.reserve=0.15"]
    argv = spoilable.step("curriculum", "build", "--recipe", str(spoilable.recipe_path), *settings)
    assert main([*argv, "--dry-run", "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)["rl"]
    path = steps.build(spoilable.workspace, load_recipe(str(spoilable.recipe_path), settings))
    found = verify(path).rl
    # 21 of the 35 are inside, 14 may be: 0 of 4, or 4 of 4.
    assert planned["active"] == {"math": 5}
    assert planned["reserve"] == found.reserve == {"math": 30}
    assert planned["quotas"] == found.quotas == {"math": 4}
    assert planned["left_out"] == found.left_out == {"held out for evaluation": 5}
    assert (
        tuple(planned["lacking"]) == found.notes == ("quota of code: 0 instead of 1, for no more problems are active",)
    )
    assert main([*argv, "--dry-run"]) == 0
    assert "RL: 5 problems active, 30 in reserve" in capsys.readouterr().out


@given(
    made=st.lists(
        st.tuples(st.sampled_from(["math", "code", "stem"]), st.integers(0, 6), st.integers(0, 6), st.booleans()),
        max_size=12,
    ),
    band=st.sampled_from([(0.1, 0.7), (0.2, 0.8), (0.4, 0.6)]),
    confidence=st.sampled_from([0.4, 0.5, 0.9]),
    active=st.dictionaries(st.sampled_from(["math", "code"]), st.integers(2, 4)),
    reserve=st.sampled_from([None, 0.1, 0.4]),
)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_problem_is_counted_once(
    renderer, empty, tmp_path_factory, tried, section, made, band, confidence, active, reserve
):
    at = copy_of(empty, tmp_path_factory.mktemp("counted") / "workspace")
    problems = [problem(i, domain, (HELDOUT,) * held) for i, (domain, _, _, held) in enumerate(made)]
    tried(problems, [(min(c, n), n) for _, c, n, _ in made], at=at)
    found, rows = section(
        at, band=band, confidence=confidence, active=active, reserve=reserve, quotas={"math": 2, "code": 1}
    )
    roles = Counter((row["domain"], row["role"]) for row in rows.values())
    for domain in ("math", "code"):
        num = roles[domain, "active"]
        assert num <= active.get(domain, num)
        assert found.quotas.get(domain, 0) == min({"math": 2, "code": 1}[domain], num)
        assert found.reserve.get(domain, 0) == roles[domain, "reserve"]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"confidence": 1.0}, "confidence must lie between 0 and 1"),
        ({"reserve": 0.6}, "reserve must lie between 0 and confidence"),
        ({"group_size": 1}, "group_size must be at least 2"),
        ({"quotas": {"math": -1}}, "quotas at least 0"),
        ({"active": {"math": 1}, "quotas": {"math": 2}}, "active.math = 1 is too few for its quota 2"),
    ],
)
def test_settings_that_make_no_sense_are_refused(config, said):
    with pytest.raises(ValueError, match=said):
        RLConfig(**config)
