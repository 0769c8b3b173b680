"""engine/sql/measured.sql: pass@k is unbiased, the interval is Wilson's, and only first tries count."""

import itertools
import math
import statistics

import duckdb
import pytest

from gradus.engine.store import Store

OUTCOMES = ("pass", "fail", "unparseable", "verifier_error")


@pytest.fixture
def store(workspace):
    with duckdb.connect(str(workspace.database)) as connection:
        yield Store(connection)


def add(store, problem, outcomes, *, model="m", sampler="s", correction=False, version="1"):
    """Put in a problem, attempts at it and what a version of the verifier says of them; what is there stays."""
    add_all(store, {problem: outcomes}, model=model, sampler=sampler, correction=correction, version=version)


def add_all(store, tried, *, model="m", sampler="s", correction=False, version="1"):
    """Put in many problems at once: problem -> outcomes."""
    rows = [(problem, index, outcome) for problem, outcomes in tried.items() for index, outcome in enumerate(outcomes)]
    problems, places, outcomes = map(list, zip(*rows, strict=True))
    names = [f"{problem}/{model}/{sampler}/{correction}/{index}" for problem, index, _ in rows]
    new = "FROM (SELECT unnest($problems) AS id, 'p', 'math', 'math', '{}', 's', [], []) AS new"
    store.rows(
        f"INSERT INTO problems {new} WHERE NOT EXISTS (FROM problems WHERE id = new.id)", {"problems": list(tried)}
    )
    store.rows(
        """INSERT INTO attempts SELECT
           id, problem, $model, '', $sampler, place, 0, '{}', '[]', '', [], [], 0, 0, 0, 'stop', $failed
           FROM (SELECT unnest($names) AS id, unnest($problems) AS problem, unnest($places) AS place) AS new
           WHERE NOT EXISTS (FROM attempts WHERE id = new.id)""",
        {"names": names, "problems": problems, "places": places, "model": model, "sampler": sampler}
        | {"failed": "other" if correction else None},
    )
    values = {"names": names, "outcomes": outcomes, "version": version}
    store.rows("INSERT INTO verdicts SELECT unnest($names), 'math', $version, unnest($outcomes), 0, '', 0", values)


def difficulty(store):
    store.refresh_difficulty()
    return {row["problem_id"]: row for row in store.rows("FROM difficulty")}


def pass_at(k, n, c):
    """Chen et al. 2021, equation 1."""
    return 1 - math.comb(n - c, k) / math.comb(n, k) if n >= k else None


def wilson(n, c):
    """The closed form, with z from the normal distribution."""
    z = statistics.NormalDist().inv_cdf(0.975)
    centre, spread = c + z * z / 2, z * math.sqrt(c * (n - c) / n + z * z / 4)
    return (centre - spread) / (n + z * z), (centre + spread) / (n + z * z)


def test_pass_at_k_and_the_interval_agree_with_their_references(store):
    cases = {f"{n}-{c}": (n, c) for n in (*range(1, 13), 40, 200) for c in {0, 1, 2, n // 2, n - 1, n} if c <= n}
    rows = [(name, n, c, index) for name, (n, c) in cases.items() for index in range(n)]
    values = ", ".join(f"('{name}', '{name}/{index}', '{OUTCOMES[index >= c]}')" for name, n, c, index in rows)
    store.rows(f"CREATE TEMP TABLE made AS FROM (VALUES {values}) AS t(problem, id, outcome)")
    store.rows("INSERT INTO problems SELECT DISTINCT problem, 'p', 'math', 'math', '{}', 's', [], [] FROM made")
    store.rows(
        """INSERT INTO attempts SELECT id, problem, 'm', '', 's', 0, 0, '{}', '[]', '', [], [], 0, 0, 0, 'stop', NULL
           FROM made"""
    )
    store.rows("INSERT INTO verdicts SELECT id, 'math', '1', outcome, 0, '', 0 FROM made")
    found = difficulty(store)
    assert found.keys() == cases.keys()
    for name, (n, c) in cases.items():
        row = found[name]
        assert (row["num_attempts"], row["num_passed"]) == (n, c)
        for k in (1, 2, 4, 8, 16):
            assert row[f"pass_at_{k}"] == pytest.approx(pass_at(k, n, c), abs=1e-12), (n, c, k)
        assert (row["wilson_low"], row["wilson_high"]) == pytest.approx(wilson(n, c), abs=1e-12), (n, c)


def test_an_attempt_that_could_not_be_judged_does_not_count(store):
    add(store, "p", ["pass", "verifier_error", "fail", "verifier_error"])
    row = difficulty(store)["p"]
    assert (row["num_attempts"], row["num_passed"], row["pass_at_1"]) == (2, 1, 0.5)


def test_a_problem_that_could_never_be_judged_has_no_difficulty(store):
    add(store, "p", ["verifier_error"] * 3)
    assert difficulty(store) == {}


def test_an_unparseable_answer_counts_as_not_passed(store):
    add(store, "p", ["pass", "unparseable", "unparseable", "fail"])
    row = difficulty(store)["p"]
    assert (row["num_attempts"], row["num_passed"], row["num_unparseable"], row["pass_at_1"]) == (4, 1, 2, 0.25)


def test_a_correction_does_not_count(store):
    add(store, "p", ["fail", "fail"])
    add(store, "p", ["pass", "pass"], correction=True)
    row = difficulty(store)["p"]
    assert (row["num_attempts"], row["num_passed"]) == (2, 0)


@pytest.mark.parametrize(
    ("name", "old", "new", "other"), [("model_id", "m", "n", {"model": "n"}), ("sampler", "s", "t", {"sampler": "t"})]
)
def test_models_and_samplers_are_kept_apart(store, name, old, new, other):
    add(store, "p", ["fail"])
    add(store, "p", ["pass"], **other)
    store.refresh_difficulty()
    rates = store.rows(f"SELECT {name}, pass_at_1 FROM difficulty ORDER BY 1")
    assert rates == [{name: old, "pass_at_1": 0.0}, {name: new, "pass_at_1": 1.0}]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1", "2"),
        ("9", "10"),
        ("rc", "1"),
        ("9.6", "10"),
    ],
)
def test_a_later_version_of_the_verifier_replaces_the_earlier_verdict(store, old, new):
    add(store, "p", ["fail"], version=old)
    add(store, "p", ["pass"], version=new)
    assert difficulty(store)["p"]["pass_at_1"] == 1.0


def test_the_histogram_counts_every_problem_once(store):
    add_all(store, {f"p{number}": ["pass"] * number + ["fail"] * (10 - number) for number in range(11)})
    store.refresh_difficulty()
    tenths = {row["tenth"]: row["problems"] for row in store.named("histogram")}
    assert tenths == dict.fromkeys(range(9), 1) | {9: 2}


def ends_at_a_pass(wanted, cap):
    """Yield every way that attempts until so many passes, or the cap, may come out: 1 is a pass."""
    for marks in itertools.product((0, 1), repeat=cap):
        taken = list(itertools.accumulate(marks))
        length = next((i + 1 for i, passes in enumerate(taken) if passes == wanted), cap)
        if not any(marks[length:]):  # each way once
            yield marks[:length]


PLANS = [(1, 1), (1, 4), (2, 2), (2, 3), (2, 7), (3, 9), (5, 8)]


@pytest.mark.parametrize(("wanted", "cap"), PLANS)
def test_the_pass_rate_is_unbiased_though_sampling_stops_at_a_pass(store, wanted, cap):
    ways = list(ends_at_a_pass(wanted, cap))
    tried = {f"p{number}": [OUTCOMES[1 - mark] for mark in way] for number, way in enumerate(ways)}
    add_all(store, tried, sampler=f"s-until-{wanted}")
    found = difficulty(store)
    for rate in (0.0, 0.05, 0.3, 0.5, 0.77, 1.0):
        chances = [math.prod(rate if mark else 1 - rate for mark in way) for way in ways]
        assert math.fsum(chances) == pytest.approx(1, abs=1e-12)
        mean = math.fsum(c * found[f"p{i}"]["pass_at_1"] for i, c in enumerate(chances))
        assert mean == pytest.approx(rate, abs=1e-12)
    assert all(row[f"pass_at_{k}"] is None for row in found.values() for k in (2, 4, 8))


@pytest.mark.parametrize(("wanted", "cap"), [(1, 8), (2, 12), (4, 16), (8, 40)])
def test_the_interval_covers_though_sampling_stops_at_a_pass(store, wanted, cap):
    ways = {(length, wanted): math.comb(length - 1, wanted - 1) for length in range(wanted, cap + 1)}
    ways |= {(cap, passes): math.comb(cap, passes) for passes in range(wanted)}
    tried = {f"{n}/{c}": ["fail"] * (n - c) + ["pass"] * c for n, c in ways}
    add_all(store, tried, sampler=f"s-until-{wanted}")
    found = difficulty(store)
    covered = []
    for rate in (number / 100 for number in range(1, 100)):
        rows = {way: found[f"{way[0]}/{way[1]}"] for way in ways}
        inside = [way for way, row in rows.items() if row["wilson_low"] <= rate <= row["wilson_high"]]
        covered.append(math.fsum(ways[n, c] * rate**c * (1 - rate) ** (n - c) for n, c in inside))
    assert statistics.fmean(covered) > 0.95
    assert min(covered) > 0.84


def test_a_pass_that_was_cut_off_does_not_stop_sampling_and_counts(store):
    add(store, "p", ["pass", "fail", "pass", "pass"], sampler="s-until-2")
    store.rows("UPDATE attempts SET finish_reason = 'length' WHERE \"index\" = 0")
    row = difficulty(store)["p"]
    assert (row["num_attempts"], row["num_passed"]) == (4, 3)
    assert row["pass_at_1"] == pytest.approx(2 / 3)


def test_the_rate_of_a_fixed_number_goes_before_that_of_sampling_until_a_pass(store):
    add(store, "both", ["pass", "fail", "fail", "fail", "fail"])
    add(store, "both", ["pass"], sampler="s-until-1")
    add(store, "until", ["fail", "pass", "pass"], sampler="s-until-2")
    store.refresh_difficulty()
    rates = {row["problem_id"]: row["pass_rate"] for row in store.named("pass_counts", {"model": "m"})}
    assert rates == {"both": 0.2, "until": 0.5}


def test_policy_versions_are_kept_apart_and_out_of_the_histogram(store):
    add(store, "p", ["fail"])
    store.rows(
        """INSERT INTO attempts
           SELECT * EXCLUDE (step) REPLACE (id || '/' || step AS id, 'step-' || step AS policy_version)
           FROM attempts, range(3) AS t(step)"""
    )
    store.rows("INSERT INTO verdicts SELECT id, 'math', '1', 'pass', 1, '', 0 FROM attempts WHERE policy_version <> ''")
    store.refresh_difficulty()
    rows = store.rows("SELECT policy_version, pass_at_1 FROM difficulty ORDER BY ALL")
    assert [tuple(row.values()) for row in rows] == [("", 0.0), ("step-0", 1.0), ("step-1", 1.0), ("step-2", 1.0)]
    assert store.named("histogram") == [{"model_id": "m", "domain": "math", "tenth": 0, "problems": 1}]
