"""The same store and recipe give the same manifest, and held-out problems are in no part of it."""

import json
import shutil
from collections import Counter

import pytest

from gradus.api import steps
from gradus.curricula import manifest as m
from gradus.curricula import posterior
from gradus.curricula.chat import Renderer
from gradus.curricula.find import find_manifest
from gradus.curricula.policies.base import policies
from gradus.curricula.recipe import load_recipe
from gradus.curricula.verify import verify
from gradus.engine.records import HELDOUT
from gradus.engine.store import open_snapshot
from gradus.errors import ConfigError, DataError
from gradus.verifiers.base import check_spec


@pytest.fixture(scope="module")
def path(finished):
    return find_manifest(finished.workspace, "latest")


@pytest.fixture(scope="module")
def manifest(path):
    return verify(path)


def rows(path, shard):
    return m.read_shard(path, shard).to_pylist()


def stage_rows(path, manifest):
    return {stage.name: [row for shard in stage.shards for row in rows(path, shard)] for stage in manifest.stages}


def heldout(world):
    with open_snapshot(world.workspace) as store:
        return {problem.id for problem in store.problems("list_contains(tags, $tag)", {"tag": HELDOUT})}


def stage(*more):
    """Return a stage of the recipe's mixture, as an override."""
    return "{name = 's', context_length = 192, mixture = {'math/cot' = 1}, " + ", ".join(more) + "}"


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
    new = rebuild(
        spoilable,
        "seed=1",
        "stages=[" + stage("token_budget = 99999", "window = 1", "settings = { review = 0.0 }") + "]",
    )
    manifest = m.read(new)
    made, packing = stage_rows(new, manifest)["s"], rows(new, manifest.stages[0].packing)
    found = [made[row]["pass_rate"] for sequence in packing for row in sequence["rows"]]
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
        slack = max(stage.token_budget // 1000, 100)
        assert stage.num_tokens <= stage.token_budget + slack
        assert stage.notes or stage.num_tokens >= stage.token_budget - slack
        lengths = [row["num_tokens"] for row in stage_rows(path, manifest)[stage.name]]
        assert sum(lengths) == stage.num_tokens
        assert max(lengths) <= stage.context_length
        assert stage.utilisation == pytest.approx(
            stage.num_tokens / (stage.num_sequences * stage.context_length), abs=1e-6
        )


def test_the_mixture_is_what_came_out(finished, path, manifest):
    for stage in manifest.stages:
        tokens = Counter()
        for row in stage_rows(path, manifest)[stage.name]:
            band = posterior.band_of([row["num_passed"]], [row["num_attempts"]], manifest.bands)[0]
            name = posterior.band_names(manifest.bands)[band]
            tokens[f"{row['domain']}/{row['kind']}/{row['teacher']}/{name}"] += row["num_tokens"]
        shares = {name: count / stage.num_tokens for name, count in tokens.items()}
        assert stage.mixture == pytest.approx(shares, abs=1e-6)
    assert f"math/cot/{finished.student}/easy" in manifest.stages[0].mixture


def test_entries_add_up_to_the_stage(manifest):
    for stage in manifest.stages:
        for what in ("num_sequences", "num_tokens", "num_documents"):
            assert sum(getattr(entry, what) for entry in stage.entries.values()) == getattr(stage, what)
        assert stage.entries.keys() == stage.schedule.start.keys() == stage.schedule.end.keys()
    assert [stage.max_passes for stage in manifest.stages] == [1, 1]


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
        for row in made:
            assert row["pass_rate"] == pytest.approx(rates[row["problem_id"]])
            assert row["num_passed"] == row["pass_rate"] * row["num_attempts"]


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
        "pass rate probably below 0.2": 7,
        "pass rate probably above 0.8": 7,
    }
    assert manifest.rl.problems.num_rows + sum(manifest.rl.left_out.values()) == 40


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


def test_a_mixture_moves_within_a_stage_and_its_manifest_proves_it(spoilable):
    moving = "mixture = {'*/cot' = 1, '*/correction' = 1}, mixture_end = {'*/cot/*/hard' = 1, '*/correction' = 3}"
    one = f"{{name = 's', context_length = 256, token_budget = 5000, schedule = 'cosine', {moving}}}"
    found = verify(rebuild(spoilable, f"stages=[{one}]")).stages[0]
    assert found.schedule.kind == "cosine"
    assert found.schedule.start["*/cot"] > found.schedule.end["*/cot"]
    assert found.schedule.start["*/correction"] < found.schedule.end["*/correction"]


@pytest.mark.parametrize("policy", policies.names())
def test_what_any_policy_makes_is_proven(spoilable, policy):
    more = [f"policy = '{policy}'", "token_budget = 5000", "batch_sequences = 4", "balance_ranks = [2]"]
    found = verify(rebuild(spoilable, f"stages=[{stage(*more)}]")).stages[0]
    assert found.policy == policy
    assert found.num_traces > 20
    assert found.balance.keys() == {"2"}


def test_used_again_a_trace_is_still_in_a_shard_once(spoilable):
    path = rebuild(spoilable, "stages=[" + stage("token_budget = 15000", "shortage = 'repeat'", "max_passes = 3") + "]")
    found = verify(path).stages[0]
    assert (found.num_traces, found.max_passes) == (49, 3)
    assert found.num_documents > 2 * found.num_traces
    assert abs(found.num_tokens - 15_000) <= 100


def test_a_teacher_that_does_not_fit_is_left_out_with_the_reason(spoilable):
    gate = "{metric = 'nll', high = 0.1, unmeasured = 'keep'}"
    found = m.read(rebuild(spoilable, f"gates=[{gate}]"))
    assert {gate.action for gate in found.gates} == {"keep"}
    assert all("not measured" in gate.reason for gate in found.gates)


def test_a_dry_run_says_what_would_be_taken_and_writes_nothing(spoilable, manifest):
    before = {path: path.stat().st_mtime_ns for path in spoilable.workspace.root.rglob("*")}
    with open_snapshot(spoilable.workspace) as store:
        found = steps.plan(store, spoilable.recipe, named="small")
    assert {path: path.stat().st_mtime_ns for path in spoilable.workspace.root.rglob("*")} == before
    for planned, built in zip(found["stages"], manifest.stages, strict=True):
        for name in ("num_traces", "num_documents", "num_tokens", "num_sequences", "utilisation"):
            assert planned[name] == getattr(built, name)
        assert tuple(planned["lacking"]) == built.notes
    assert found["in"] == found["kept"] + sum(found["dropped"].values())
    assert found["missing"] == [
        {
            "what": "tokens of */correction in stage correction",
            "num": 4000 - manifest.stages[1].entries["*/correction"].available_tokens,
            "command": "gradus correct --recipe small",
        },
        {
            "what": "tokens of */cot in stage correction",
            "num": 2000 - manifest.stages[1].entries["*/cot"].available_tokens,
            "command": "gradus sample --recipe small",
        },
    ]


def test_a_dry_run_for_a_student_nobody_measured_says_how_to_measure_it(spoilable, student, tmp_path):
    shutil.copytree(student, tmp_path / "other")
    recipe = load_recipe(
        str(spoilable.recipe_path), [f"student={tmp_path / 'other'}", "gates=[{metric='nll', high=1}]"]
    )
    with open_snapshot(spoilable.workspace) as store:
        missing = {need["what"]: need for need in steps.plan(store, recipe, named="small")["missing"]}
    named = [need for what, need in missing.items() if what.startswith("problems for RL without a pass rate of other@")]
    assert [(need["num"], need["command"]) for need in named] == [
        (35, f"gradus sample --recipe small teacher.kind=vllm teacher.model={tmp_path / 'other'}")
    ]
    assert any("whose nll is not known" in what for what in missing)


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
        (
            "stages=[" + stage("token_budget = 99999", "shortage = 'refuse'") + "]",
            DataError,
            "stage 's': math/cot: wanted 99999 tokens, there are 49 traces of 5957 tokens; 5957 of 99999 tokens",
        ),
        ("earlier=nobody", DataError, "no checkpoint 'nobody'"),
    ],
)
def test_a_recipe_that_gives_nothing_says_why(spoilable, override, error, said):
    before = sorted(spoilable.workspace.manifests.iterdir())
    with pytest.raises(error) as caught:
        rebuild(spoilable, override)
    assert said in str(caught.value)
    assert sorted(spoilable.workspace.manifests.iterdir()) == before
