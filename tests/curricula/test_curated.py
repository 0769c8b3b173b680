"""Curation changes the next curriculum, and the difference between two says what changed and why."""

from collections import Counter

import pytest

from gradus.api import steps
from gradus.curricula import manifest as m
from gradus.curricula.diff import diff
from gradus.curricula.verify import verify
from gradus.engine.labels import Filter, Said, curate, matching
from gradus.engine.store import open_snapshot
from gradus.errors import ConfigError, DataError


def say(world, action, *ids, value="", reason="looked at it"):
    return curate(world.workspace, ids, Said(action=action, value=value, actor="ada", reason=reason))


def build(world, **changes):
    return steps.build(world.workspace, world.recipe)


def drawn(path):
    """Return how often each trace is used in a manifest, and of which problem it is."""
    used = Counter()
    problems = {}
    for stage in verify(path).stages:
        rows = [row for shard in stage.shards for row in m.read_shard(path, shard).to_pylist()]
        problems |= {row["trace_id"]: row["problem_id"] for row in rows}
        for sequence in m.read_shard(path, stage.packing).to_pylist():
            used.update(rows[row]["trace_id"] for row in sequence["rows"])
    return used, problems


def compare(world, a, b):
    with open_snapshot(world.workspace) as store:
        return diff(store, a, b)


def only(changes, section):
    return {(c["change"], c["reason"]): c["num"] for c in changes if c["section"] == section}


def test_an_excluded_trace_is_in_no_stage_and_comes_back_when_restored(spoilable):
    before = build(spoilable)
    traces, _ = drawn(before)
    one = min(traces)
    assert say(spoilable, "exclude", one, reason="rambles") == {"in": 1, "kept": 1, "dropped": {}, "visible": True}
    without = build(spoilable)
    assert without != before
    assert one not in drawn(without)[0]
    assert m.read(without).curation.num_excluded == 1
    found = compare(spoilable, before, without)
    assert only(found["changes"], "traces")["removed", "excluded by ada: rambles"] == 1
    say(spoilable, "restore", one, reason="it does not")
    again = build(spoilable)
    assert drawn(again)[0] == traces
    assert ("added", "restored by ada: it does not") in only(compare(spoilable, without, again)["changes"], "traces")


def test_an_excluded_problem_takes_its_traces_and_its_place_in_the_rl_section_along(spoilable):
    before = build(spoilable)
    traces, problem_of = drawn(before)
    rl = {row["problem_id"] for row in m.read_shard(before, m.read(before).rl.problems).to_pylist()}
    problem = min(rl & set(problem_of.values()))
    say(spoilable, "exclude", problem, reason="unclear")
    after = build(spoilable)
    assert problem not in drawn(after)[1].values()
    assert m.read(after).rl.left_out["dropped: curate"] == 1
    changes = compare(spoilable, before, after)["changes"]
    of_problem = sum(problem_of[trace] == problem for trace in traces)
    assert only(changes, "traces")["removed", "its problem was excluded by ada: unclear"] == of_problem
    assert only(changes, "rl") == {("removed", "excluded by ada: unclear"): 1}


def test_a_weight_says_how_often_a_trace_is_drawn(spoilable):
    before = build(spoilable)
    twice, never = sorted(drawn(before)[0])[:2]
    say(spoilable, "weight", twice, value="2", reason="rare kind")
    say(spoilable, "weight", never, value="0")
    after = build(spoilable)
    counts = drawn(after)[0]
    assert counts[twice] == 2
    assert never not in counts
    assert m.read(after).dropped["not drawn: weight 0"] == 1
    assert m.read(after).curation.num_weighed == 2
    changes = only(compare(spoilable, before, after)["changes"], "traces")
    assert changes["drawn more often", "was given the weight 2 (before: 1) by ada: rare kind"] == 1


def test_a_fraction_is_a_chance_that_depends_on_the_seed_and_the_trace_alone(spoilable):
    ids = sorted(drawn(build(spoilable))[0])
    say(spoilable, "weight", *ids, value="0.5")
    half = drawn(build(spoilable))[0]
    assert 0.2 * len(ids) < len(half) < 0.8 * len(ids)
    assert drawn(build(spoilable))[0] == half
    say(spoilable, "weight", ids[0], value="1")
    assert drawn(build(spoilable))[0].keys() == half.keys() | {ids[0]}


def test_a_name_alone_changes_no_curriculum(spoilable):
    before = build(spoilable)
    say(spoilable, "label", min(drawn(before)[0]), value="nice")
    assert build(spoilable) == before
    assert compare(spoilable, before, before)["text"][0].endswith("are the same manifest.")


def test_another_recipe_is_named_as_the_reason(spoilable, tmp_path):
    before = build(spoilable)
    text = spoilable.recipe_path.read_text()
    recipe = tmp_path / "smaller.toml"
    recipe.write_text(text.replace("token_budget = 4000", "token_budget = 1500"))
    from gradus.curricula.recipe import load_recipe

    after = steps.build(spoilable.workspace, load_recipe(str(recipe)))
    found = compare(spoilable, before, after)
    assert found["settings"] == [{"key": "recipe.stages[foundation].token_budget", "a": 4000, "b": 1500}]
    assert "recipe.stages[foundation].token_budget: 4000 became 1500." in found["text"]
    reasons = {reason for _, reason in only(found["changes"], "traces")}
    assert reasons == {"the recipe differs: recipe.stages[foundation].token_budget"}


def test_a_changed_shard_is_not_compared(spoilable):
    path = build(spoilable)
    shard = m.shard_path(path, m.read(path).stages[0].shards[0])
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(DataError, match="content has hash"):
        compare(spoilable, path, path)


def test_records_are_found_by_what_they_are_like(spoilable):
    def found(kind, **conditions):
        return matching(spoilable.workspace, kind, Filter(**conditions))

    assert len(found("problem", max_rate=0)) == 8
    assert len(found("problem", text="WHAT IS 7 +")) == 1
    assert set(found("trace", trace_kind="correction")) < set(found("trace", domain="math"))
    one = found("problem", text="what is 7 +")[0]
    say(spoilable, "label", one, value="seven")
    assert found("problem", label="seven") == [one]
    assert found("trace", label="seven") == []
    with pytest.raises(ConfigError, match="without conditions"):
        found("problem")


def test_what_is_so_already_is_not_said_again(spoilable):
    one = matching(spoilable.workspace, "problem", Filter(max_rate=0))[0]
    assert say(spoilable, "exclude", one[:10])["kept"] == 1
    assert say(spoilable, "exclude", one) == {
        "in": 1,
        "kept": 0,
        "dropped": {"as it was already": 1},
        "visible": True,
    }


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"action": "delete"}, "no action 'delete'"),
        ({"action": "label"}, "the label's name"),
        ({"action": "exclude", "value": "x"}, "takes no value"),
        ({"action": "weight", "value": "many"}, "number from 0 to 100"),
        ({"action": "weight", "value": "-1"}, "number from 0 to 100"),
        ({"action": "weight", "value": "nan"}, "number from 0 to 100"),
        ({"action": "exclude", "reason": " "}, "needs a reason"),
        ({"action": "exclude", "actor": ""}, "needs a actor"),
    ],
)
def test_what_makes_no_sense_is_refused(said, words):
    with pytest.raises(ConfigError, match=words):
        Said(**{"actor": "ada", "reason": "because"} | said)


@pytest.mark.parametrize("ids", [["ffffffffffff"], ["abc"], [""]])
def test_one_unknown_id_refuses_all(spoilable, ids):
    known = matching(spoilable.workspace, "problem", Filter(max_rate=0))
    with pytest.raises(DataError, match="nothing was changed"):
        say(spoilable, "exclude", *known, *ids)
    with open_snapshot(spoilable.workspace) as store:
        assert store.rows("FROM labels") == []


def test_a_label_is_kept_while_another_process_writes_and_shows_when_that_is_done(spoilable):
    one = matching(spoilable.workspace, "problem", Filter(max_rate=0))[0]
    with spoilable.workspace.writing():
        assert say(spoilable, "exclude", one)["visible"] is False
    steps.score(spoilable.workspace)
    with open_snapshot(spoilable.workspace) as store:
        assert [row["record_id"] for row in store.rows("FROM curated WHERE excluded")] == [one]
