"""`gradus traces`: what is made, measured and left out, and that the counts add up."""

import json

import pytest

from gradus.api import steps
from gradus.api.cli import main
from gradus.curricula.recipe import load_recipe
from gradus.engine.store import open_snapshot, open_store
from gradus.engine.traces import kept_traces


@pytest.fixture
def gradus(spoilable, capsys):
    """Return a function that runs `gradus traces` in the finished workspace, and gives back the JSON."""

    def run(*overrides: str):
        argv = ["traces", *overrides, "--recipe", str(spoilable.recipe_path)]
        assert main([*argv, "--json", "--workspace", str(spoilable.workspace.root)]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def funnel(workspace):
    with open_snapshot(workspace) as store:
        return {row["step"]: row["records"] for row in store.rows("FROM funnel")}


def test_traces_are_made_and_measured_once(gradus):
    first = gradus()
    assert first["in"] == first["kept"] > 0
    assert first["dropped"] == {}
    again = gradus()
    assert (again["new"], again["measured"]) == (0, 0)
    assert again["shapes"] == first["shapes"]


def test_the_table_counts_every_trace(gradus, spoilable):
    shapes = gradus()["shapes"]
    with open_snapshot(spoilable.workspace) as store:
        (total,) = store.rows("SELECT count(*) AS n FROM traces")
    assert sum(row["traces"] for row in shapes) == total["n"]
    (cot,) = [row for row in shapes if row["kind"] == "cot"]
    assert cot["domain"] == "math"
    assert cot["share_holding"] == 1.0
    assert cot["equations"] >= cot["traces"]
    assert cot["steps_10"] <= cot["steps_50"] <= cot["steps_90"]


def test_the_text_names_teachers_and_counts(spoilable, capsys):
    assert main(spoilable.step("traces", "--recipe", str(spoilable.recipe_path))) == 0
    out = capsys.readouterr().out
    assert "kept, 0 dropped" in out
    assert "100.0%" in out


def test_what_is_beyond_a_limit_is_dropped_with_its_reason(gradus, spoilable):
    before = gradus()
    counts = gradus("traces.limits.math.min_steps=3")
    assert counts["in"] == counts["kept"] + sum(counts["dropped"].values())
    assert counts["dropped"]["too few steps"] > 0
    assert funnel(spoilable.workspace)["dropped: traces: too few steps"] == counts["dropped"]["too few steps"]
    recipe = load_recipe(str(spoilable.recipe_path), ["traces.limits.math.min_steps=3"])
    with open_store(spoilable.workspace) as store:
        assert len(list(kept_traces(store, recipe.traces))) == counts["kept"] < before["kept"]
        reasons = {row["reason"] for row in store.rows("SELECT reason FROM dropped WHERE step = 'traces'")}
    assert any(reason.startswith("too few steps: 2, asked for 3") for reason in reasons)


def test_limits_are_taken_back_by_a_recipe_without(gradus, spoilable):
    before = gradus()
    gradus("traces.limits.math.min_steps=9")
    assert gradus()["kept"] == before["kept"]
    assert not [step for step in funnel(spoilable.workspace) if step.startswith("dropped: traces")]


def test_with_limits_as_many_as_wanted_come_of_those_that_meet_them(gradus):
    """A problem's first answers may fail a limit that its later ones meet."""
    counts = gradus("traces.limits.default.max_failed_equations=0", "traces.per_problem=1")
    assert counts["dropped"] == {"enough of its problem": counts["in"] - counts["kept"]}
    assert counts["kept"] == gradus("traces.per_problem=1")["kept"]


def test_a_trace_that_states_a_wrong_equation_is_left_out(gradus, spoilable):
    with open_store(spoilable.workspace) as store:
        wrong = "7 + 1 = 9, but the answer is right."
        (one,) = store.rows(
            "SELECT id, messages FROM judged WHERE outcome = 'pass' AND failed_attempt_id IS NULL LIMIT 1"
        )
        turns = json.loads(one["messages"])
        turns[-1]["content"] = wrong
        store.rows(
            "UPDATE attempts SET messages = $messages, answer = $answer WHERE id = $id",
            {"messages": json.dumps(turns), "answer": wrong, "id": one["id"]},
        )
    counts = gradus("traces.limits.math.max_failed_equations=0", "traces.per_problem=9")
    assert counts["dropped"].get("wrong equations") == 1


def test_a_curriculum_leaves_out_what_the_limits_reject(spoilable):
    with_limits = load_recipe(str(spoilable.recipe_path), ["traces.limits.math.min_steps=99"])
    with pytest.raises(Exception, match="no trace"):
        steps.build(spoilable.workspace, with_limits)


@pytest.mark.parametrize(
    "query",
    [
        "FROM trace_shapes",
        "SELECT style, avg(num_steps), avg(share_holding) FROM shaped_traces GROUP BY style",
        "SELECT style_of(sampler) AS style, count(*) FROM attempts GROUP BY ALL",
    ],
)
def test_shapes_are_there_for_anybodys_sql(spoilable, capsys, query):
    assert main(spoilable.step("traces", "--recipe", str(spoilable.recipe_path))) == 0
    capsys.readouterr()
    assert main(spoilable.step("sql", query, "--json")) == 0
    assert json.loads(capsys.readouterr().out)
