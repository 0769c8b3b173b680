"""The same store and recipe give the same manifest, and held-out problems are in no part of it."""

import json
import shutil
from collections import Counter

import pytest

from gradus.api import steps
from gradus.curricula import manifest as m
from gradus.curricula.chat import Renderer
from gradus.curricula.find import find_manifest
from gradus.curricula.recipe import load_recipe
from gradus.engine.records import HELDOUT
from gradus.engine.store import open_snapshot
from gradus.errors import ConfigError, DataError
from gradus.verifiers.base import check_spec


@pytest.fixture(scope="module")
def path(finished):
    return find_manifest(finished.workspace, "latest")


@pytest.fixture(scope="module")
def manifest(path):
    return m.verify(path)


def rows(path, shard):
    return m.read_shard(path, shard).to_pylist()


def stage_rows(path, manifest):
    return {stage.name: [row for shard in stage.shards for row in rows(path, shard)] for stage in manifest.stages}


def heldout(world):
    with open_snapshot(world.workspace) as store:
        return {problem.id for problem in store.problems("list_contains(tags, $tag)", {"tag": HELDOUT})}


def rebuild(world, *overrides):
    return steps.build(world.workspace, load_recipe(str(world.recipe_path), overrides))


def test_building_again_gives_the_same_manifest(spoilable, path):
    before = path.read_bytes()
    assert rebuild(spoilable).name == path.name
    assert path.read_bytes() == before
    assert len(list(spoilable.workspace.manifests.iterdir())) == 1


def test_another_workspace_with_the_same_records_gives_the_same_manifest(spoilable, path):
    for name in ("gradus.duckdb", "manifests", "curricula", "snapshots"):
        target = spoilable.workspace.root / name
        target.unlink() if target.is_file() else shutil.rmtree(target)
    type(spoilable.workspace).create(spoilable.workspace.root)
    assert rebuild(spoilable).name == path.name


@pytest.mark.parametrize("override", ["seed=1", "name=other", "rl.group_size=8", "rl.band=[0.3, 0.8]"])
def test_another_recipe_gives_another_manifest(spoilable, path, override):
    assert rebuild(spoilable, override).name != path.name


def test_another_seed_keeps_the_order_from_easy_to_hard(spoilable):
    new = rebuild(spoilable, "seed=1")
    found = [row["pass_rate"] for row in stage_rows(new, m.read(new))["foundation"]]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) > 1


def test_held_out_problems_are_in_no_stage(finished, path, manifest):
    used = {row["problem_id"] for made in stage_rows(path, manifest).values() for row in made}
    assert used
    assert not used & heldout(finished)


def test_held_out_problems_are_not_in_rl(finished, path, manifest):
    used = {row["problem_id"] for row in rows(path, manifest.rl.problems)}
    assert used
    assert not used & heldout(finished)


def test_no_trace_is_in_two_stages(path, manifest):
    ids = [row["trace_id"] for made in stage_rows(path, manifest).values() for row in made]
    assert len(set(ids)) == len(ids)


def test_every_trace_is_in_a_stage_or_dropped_with_a_reason(finished, manifest):
    with open_snapshot(finished.workspace) as store:
        total = store.rows("SELECT count(*) AS n FROM traces")[0]["n"]
    assert sum(stage.num_traces for stage in manifest.stages) + sum(manifest.dropped.values()) == total


def test_stages_hold_to_their_context_and_budget(path, manifest):
    for stage in manifest.stages:
        assert stage.num_tokens <= stage.token_budget
        lengths = [row["num_tokens"] for row in stage_rows(path, manifest)[stage.name]]
        assert sum(lengths) == stage.num_tokens
        assert max(lengths) <= stage.context_length
        assert stage.utilisation == pytest.approx(
            stage.num_tokens / (stage.num_sequences * stage.context_length), abs=1e-6
        )


def test_the_mixture_is_what_came_out(path, manifest):
    for stage in manifest.stages:
        tokens = Counter()
        for row in stage_rows(path, manifest)[stage.name]:
            tokens[f"{row['domain']}/{row['kind']}"] += row["num_tokens"]
        shares = {name: count / stage.num_tokens for name, count in tokens.items()}
        assert stage.mixture == pytest.approx(shares, abs=1e-6)


def test_a_row_is_its_trace_in_the_students_words(finished, student, path, manifest):
    renderer = Renderer(student)
    with open_snapshot(finished.workspace) as store:
        traces = {row["id"]: row for row in store.rows("FROM traces")}
    for row in stage_rows(path, manifest)["correction"]:
        trace = traces[row["trace_id"]]
        ids, mask = renderer.trace(json.loads(trace["messages"]), trace["learn"])
        assert (row["token_ids"], row["loss_mask"], row["num_tokens"]) == (list(ids), list(mask), len(ids))
        assert (row["kind"], row["problem_id"]) == (trace["kind"], trace["problem_id"])


def test_a_rows_pass_rate_is_the_students(finished, path, manifest):
    with open_snapshot(finished.workspace) as store:
        rates = {row["problem_id"]: row["pass_at_1"] for row in store.rows("FROM difficulty")}
    for made in stage_rows(path, manifest).values():
        assert all(row["pass_rate"] == pytest.approx(rates[row["problem_id"]]) for row in made)


def test_rl_problems_are_inside_the_band(path, manifest):
    made = rows(path, manifest.rl.problems)
    low, high = manifest.rl.band
    assert {row["pass_rate"] for row in made} == {0.25, 0.5, 0.75}
    for row in made:
        assert low <= row["pass_rate"] == row["num_passed"] / row["num_attempts"] <= high
        check_spec(row["verifier"], json.loads(row["spec"]))


def test_an_rl_problem_can_be_asked_as_it_stands(student, path, manifest):
    renderer = Renderer(student)
    for row in rows(path, manifest.rl.problems):
        assert renderer.prompt(json.loads(row["messages"])) == row["prompt_token_ids"]


def test_what_rl_leaves_out_adds_up_to_all_problems(manifest):
    assert manifest.rl.left_out == {
        "held out for evaluation": 5,
        "pass rate below 0.2": 7,
        "pass rate above 0.8": 7,
    }
    assert manifest.rl.problems.num_rows + sum(manifest.rl.left_out.values()) == 40


@pytest.mark.parametrize(
    ("band", "rates"),
    [("[0.25, 0.75]", {0.25, 0.5, 0.75}), ("[0.0, 0.25]", {0.0, 0.25}), ("[0.26, 0.74]", {0.5}), ("[0, 1]", None)],
)
def test_both_ends_of_the_band_are_included(spoilable, band, rates):
    new = rebuild(spoilable, f"rl.band={band}")
    found = {row["pass_rate"] for row in rows(new, m.read(new).rl.problems)}
    assert found == (rates or {0.0, 0.25, 0.5, 0.75, 1.0})


def test_a_domain_without_a_quota_is_left_out(spoilable):
    section = m.read(rebuild(spoilable, "rl.quotas={code = 2}")).rl
    assert (section.problems.num_rows, section.quotas) == (0, {})
    assert section.left_out == {"held out for evaluation": 5, "no quota for math": 35}


def test_a_student_that_was_never_measured_has_no_rl_problems(spoilable, student, tmp_path):
    shutil.copytree(student, tmp_path / "other")
    section = m.read(rebuild(spoilable, f"student={tmp_path / 'other'}")).rl
    assert section.left_out == {"held out for evaluation": 5, "pass rate not measured": 35}


def test_a_trace_longer_than_every_stage_is_dropped_with_that_reason(spoilable):
    one = "{name = 's', context_length = 150, token_budget = 99999, mixture = {'*' = 1}}"
    found = m.read(rebuild(spoilable, f"stages=[{one}]"))
    assert found.dropped["longer than every stage"] > 0
    assert found.stages[0].num_traces > 0


@pytest.mark.parametrize(
    ("override", "error", "said"),
    [
        ("stages=[]", DataError, "recipe 'small' has no"),
        ("student=nowhere", DataError, "nowhere: not a model"),
        (
            "stages=[{name = 's', context_length = 3, token_budget = 9, mixture = {'*' = 1}}]",
            DataError,
            "stage 's': no trace of * fits 3 tokens and its budget of 9",
        ),
        (
            "stages=[{name = 's', context_length = 256, token_budget = 999, mixture = {'code/*' = 1}}]",
            DataError,
            "stage 's': no trace of code/*",
        ),
        (
            "stages=[{name = 's', context_length = 256, token_budget = 999, mixture = {'*' = 1}, policy = 'x'}]",
            ConfigError,
            "no policy 'x'",
        ),
    ],
)
def test_a_recipe_that_gives_nothing_says_why(spoilable, override, error, said):
    before = sorted(spoilable.workspace.manifests.iterdir())
    with pytest.raises(error) as caught:
        rebuild(spoilable, override)
    assert said in str(caught.value)
    assert sorted(spoilable.workspace.manifests.iterdir()) == before
