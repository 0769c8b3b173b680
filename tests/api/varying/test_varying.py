"""New problems from old: only what independent solutions agree on is kept; every try is counted."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from storyteller import solve, stories, story, story_problem

from gradus.api import steps, varying
from gradus.api.cli import main
from gradus.engine.records import HELDOUT, Problem
from gradus.engine.sources.base import generate_problems
from gradus.engine.spending import Budget
from gradus.engine.store import open_snapshot
from gradus.engine.teachers.base import TeacherConfig
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError
from gradus.verifiers.base import verify


def run(workspace, recipe, **changes):
    return varying.vary(workspace, replace(recipe, vary=replace(recipe.vary, **changes)), workers=1)


def kept(workspace):
    with open_snapshot(workspace) as store:
        return store.problems("len(parents) > 0")


def tries(workspace):
    with open_snapshot(workspace) as store:
        return store.rows("FROM variants ORDER BY id")


def balanced(counts):
    return counts["in"] == counts["kept"] + sum(counts["dropped"].values()) + counts["open"]


def test_every_way_makes_problems_whose_answers_are_right(told, workspace):
    recipe, _ = told(stories(9))
    counts = run(workspace, recipe, num=18, solutions=4, agree=3)
    assert counts["kept"] == counts["added"] == 18
    assert balanced(counts)
    made = kept(workspace)
    assert Counter(p.tags[0] for p in made) == {"varied:numbers": 6, "varied:rewrite": 6, "varied:compose": 6}
    for problem in made:
        assert float(problem.spec["expected"]) == solve(problem.prompt)
        assert len(problem.parents) == (2 if "varied:compose" in problem.tags else 1)
        assert problem.source == "varied/stories"


def test_a_finished_run_asks_and_adds_nothing(told, workspace):
    recipe, server = told(stories(6))
    first = run(workspace, recipe, num=9, solutions=4, agree=3)
    asked, before = len(server.seen), (kept(workspace), tries(workspace))
    again = run(workspace, recipe, num=9, solutions=4, agree=3)
    assert len(server.seen) == asked
    assert (kept(workspace), tries(workspace)) == before
    assert (again["in"], again["kept"], again["dropped"], again["added"]) == (9, 9, first["dropped"], 0)


def test_more_wanted_goes_on_where_the_last_run_ended(told, workspace):
    recipe, _ = told(stories(6))
    run(workspace, recipe, num=4, solutions=4, agree=3)
    few = {p.id for p in kept(workspace)}
    counts = run(workspace, recipe, num=7, solutions=4, agree=3)
    assert (counts["kept"], counts["added"]) == (7, 3)
    assert few < {p.id for p in kept(workspace)}


def test_solutions_that_scatter_make_no_problem(told, workspace):
    recipe, _ = told(stories(5), blunder=lambda asked: asked.right + asked.seed)
    counts = run(workspace, recipe, num=4, ways=("numbers",), tries=1, solutions=4, agree=3)
    assert (counts["kept"], counts["dropped"]) == (0, {"no agreement": 4})
    assert kept(workspace) == []
    assert {row["num_agreed"] for row in tries(workspace)} == {0}


def test_the_share_that_agrees_is_stored(told, workspace):
    recipe, _ = told(stories(5), blunder=lambda asked: asked.right + (asked.seed == 2))
    counts = run(workspace, recipe, num=3, ways=("numbers",), solutions=4, agree=3)
    assert counts["mean_share"] == 0.75
    assert {(row["num_solutions"], row["num_agreed"], row["share"]) for row in tries(workspace)} == {(4, 3, 0.75)}


def test_solutions_are_asked_for_in_two_styles_at_least(told, workspace):
    recipe, server = told(stories(3))
    run(workspace, recipe, num=1, ways=("numbers",), solutions=4, agree=3)
    asks = [(body["messages"][-1]["content"], body["seed"]) for _, _, body in server.seen]
    assert len(set(asks)) == 4
    assert len({text for text, _ in asks}) == 2


def test_a_rewriting_with_another_answer_is_rejected(told, workspace):
    # What the teacher tells anew it solves wrongly, always in the same way.
    recipe, _ = told(stories(5), blunder=lambda asked: asked.right + ("Tim" not in asked.text))
    counts = run(workspace, recipe, num=4, ways=("rewrite",), tries=1, solutions=4, agree=3)
    assert (counts["kept"], counts["dropped"]) == (0, {"another answer": 4})


def test_what_has_no_answer_is_rejected(told, workspace):
    recipe, _ = told(stories(5), blunder=lambda _: None)
    counts = run(workspace, recipe, num=4, ways=("numbers",), tries=1, solutions=4, agree=3)
    assert (counts["kept"], counts["dropped"]) == (0, {"unsolvable": 4})


def test_a_count_stays_a_count(told, workspace):
    recipe, _ = told(stories(5), blunder=lambda asked: asked.right + 0.5)
    counts = run(workspace, recipe, num=4, ways=("numbers",), tries=1, solutions=4, agree=3)
    assert counts["dropped"] == {"another kind of answer": 4}


def test_rejections_are_drops_with_reasons(told, workspace):
    recipe, _ = told(stories(5), blunder=lambda asked: asked.right + asked.seed)
    run(workspace, recipe, num=2, ways=("numbers",), tries=1, solutions=4, agree=3)
    with open_snapshot(workspace) as store:
        drops = store.rows("SELECT reason FROM dropped WHERE step = 'vary'")
        funnel = {row["step"]: row["records"] for row in store.rows("FROM funnel")}
    assert {row["reason"] for row in drops} == {"no agreement: at most 1 of 4 solutions agree, 3 are needed"}
    assert funnel["dropped: vary: no agreement"] == 2


def test_a_program_s_answer_can_be_trusted_without_asking(told, workspace):
    recipe, server = told(generate_problems("arithmetic", 10, seed=1))
    counts = run(workspace, recipe, num=10, ways=("numbers",), trust_computed=True)
    assert (counts["kept"], len(server.seen)) == (10, 0)
    for problem in kept(workspace):
        expression = problem.prompt.removeprefix("What is ").removesuffix("?")
        assert verify("math", f"\\boxed{{{eval(expression)}}}", problem.spec).outcome == "pass"
        assert problem.source.startswith("reasoning-gym/")
        with open_snapshot(workspace) as store:
            (parent,) = store.problems("id = $id", {"id": problem.parents[0]})
        assert parent.tags[0] in problem.tags  # the level
        assert parent.source == problem.source


def test_variants_are_not_varied_and_held_out_problems_neither(told, workspace):
    recipe, _ = told([replace(p, tags=(HELDOUT,) if i % 2 else ()) for i, p in enumerate(stories(8))])
    run(workspace, recipe, num=6, ways=("numbers",), solutions=4, agree=3)
    run(workspace, recipe, num=12, ways=("numbers",), solutions=4, agree=3)
    with open_snapshot(workspace) as store:
        parents = {parent for problem in store.problems("len(parents) > 0") for parent in problem.parents}
        assert all(not p.tags for p in store.problems() if p.id in parents)
    assert len(parents) == 4


def test_only_tagged_problems_are_varied(told, workspace):
    recipe, _ = told([replace(p, tags=("mine",) if i < 2 else ()) for i, p in enumerate(stories(6))])
    run(workspace, recipe, num=4, ways=("numbers",), tag="mine", solutions=4, agree=3)
    assert {parent for p in kept(workspace) for parent in p.parents} == {p.id for p in stories(6)[:2]}


def test_a_budget_leaves_tries_open_and_a_larger_one_ends_them(told, workspace):
    recipe, _ = told(stories(6))
    small = run(workspace, recipe, num=6, ways=("numbers",), solutions=4, agree=3, budget=Budget(tokens=2550))
    assert small["open"] > 0
    assert "tokens" in small["stopped"]
    assert balanced(small)
    done = run(workspace, recipe, num=6, ways=("numbers",), solutions=4, agree=3)
    assert (done["kept"], done["open"]) == (6, 0)
    fresh = {p.id for p in kept(workspace)}
    assert len(fresh) == 6


@pytest.mark.parametrize("written", [0, 1, 2])
def test_a_run_that_ends_amid_writing_comes_to_the_same_end(told, workspace, monkeypatch, written):
    recipe, server = told(stories(6), blunder=lambda asked: asked.right + (asked.seed if "Tima" in asked.text else 0))
    real, left = varying.write_part, [written]

    def failing(*args, **named):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(*args, **named)

    monkeypatch.setattr(varying, "write_part", failing)
    with pytest.raises(KeyboardInterrupt):
        run(workspace, recipe, num=6, ways=("numbers",), solutions=4, agree=3)
    monkeypatch.undo()
    asked = len(server.seen)
    counts = run(workspace, recipe, num=5, ways=("numbers",), solutions=4, agree=3)
    assert len(server.seen) == asked
    assert (counts["in"], counts["kept"], counts["dropped"]) == (6, 5, {"no agreement": 1})
    assert len(kept(workspace)) == 5


def test_a_variant_that_is_known_is_no_new_problem(told, workspace):
    recipe, _ = told(generate_problems("functions", 20, seed=0))
    counts = run(workspace, recipe, num=20, ways=("numbers",), tries=2, trust_computed=True)
    assert counts["dropped"]["there already"] > 0  # there are 28 functions in all
    assert counts["added"] == counts["kept"] <= 8
    assert balanced(counts)


def test_code_is_told_anew_and_must_still_be_solvable(told, workspace):
    from loopback import chat

    problem = Problem(
        prompt="Write a Python function add(a, b) that returns the sum of a and b.",
        domain="code",
        verifier="code",
        spec={"tests": ["assert add(1, 2) == 3", "assert add(-4, 9) == 5"]},
        source="mine",
    )
    recipe, server = told([problem])

    def say(number, body):
        if body["messages"][-1]["content"].startswith("Rewrite"):
            return chat({"content": "<problem>A till takes costs. add(a, b) gives what they come to.</problem>"})
        return chat({"content": f"```python\ndef add(a, b):\n    return a {'-' if body['seed'] == 0 else '+'} b\n```"})

    server.say = say
    counts = run(workspace, recipe, num=1, ways=("rewrite",), solutions=4, agree=3)
    (new,) = kept(workspace)
    assert (counts["kept"], counts["mean_share"]) == (1, 0.75)
    assert new.spec == problem.spec
    assert "till" in new.prompt


def test_what_no_way_can_vary_is_a_clear_error(told, workspace):
    row = {"prompt": "Say hi.", "domain": "instruction", "verifier": "instruction", "source": "mine"}
    spec = {"instructions": [{"id": "punctuation:no_comma", "kwargs": {}}], "prompt": "Say hi."}
    recipe, _ = told([Problem(**row, spec=spec)])
    with pytest.raises(ConfigError, match=r"no problem can be varied: numbers: 1 instruction.*rewrite: 1 .*wording"):
        run(workspace, recipe)


def test_the_command_shows_a_plan_then_keeps_to_it(told, workspace, tmp_path, capsys):
    _, server = told(stories(4))
    recipe = tmp_path / "vary.toml"
    recipe.write_text(
        'name = "mine"\n[teacher]\nkind = "openai"\nmodel = "big"\n'
        f'options.base_url = "{server.url}"\n[vary]\nnum = 50\nsolutions = 4\nagree = 3\n'
    )
    argv = ["vary", "--recipe", str(recipe), "--num", "4", "--way", "rewrite", "--way", "numbers"]
    argv += ["--workers", "1", "--workspace", str(workspace.root), "--json"]
    assert main([*argv, "--dry-run"]) in (0, None)
    plan = json.loads(capsys.readouterr().out)
    assert (plan["wanted"], plan["first_round"]) == (4, {"rewrite": 2, "numbers": 2})
    assert server.seen == []
    assert main([*argv]) in (0, None)
    counts = json.loads(capsys.readouterr().out)
    assert (counts["in"], counts["kept"], counts["dropped"]) == (4, 4, {})
    assert counts["ways"] == {"numbers": {"tried": 2, "kept": 2}, "rewrite": {"tried": 2, "kept": 2}}
    assert main(["vary", "vary.agree=2", "vary.solutions=4", "--workspace", str(workspace.root)]) == 2
    assert "more than half" in capsys.readouterr().err
    query = (
        "SELECT way, count(*) AS n, avg(share) AS share FROM variants WHERE problem_id <> '' GROUP BY way ORDER BY way"
    )
    assert main(["sql", query, "--workspace", str(workspace.root), "--json"]) in (0, None)
    rows = json.loads(capsys.readouterr().out)
    assert "numbers" in str(rows)
    assert "rewrite" in str(rows)


def test_a_story_that_is_planted_twice_counts_once(told, workspace):
    twice = [story_problem(story("Ann", "apples", ("starts with", 20), ("gets", 5), ("loses", 3)))]
    recipe, _ = told(twice)
    counts = run(workspace, recipe, num=8, ways=("rewrite",), tries=4, solutions=4, agree=3)
    assert len({p.prompt for p in kept(workspace)}) == counts["kept"] == 8
    steps.judge(workspace, workers=1)
    with open_snapshot(workspace) as store:  # what chose a problem does not measure it
        assert store.rows("FROM difficulty") == []


def test_teachers_solve_in_turn(told, workspace):
    recipe, right = told(stories(4))
    other, wrong = told([], blunder=lambda asked: asked.right + 1)
    second = replace(other.teacher, options=other.teacher.options | {"model_id": "blunderer"})
    teachers = (recipe.teacher, second)
    counts = run(workspace, recipe, num=3, ways=("numbers",), solutions=6, agree=4, teachers=teachers)
    assert counts["kept"] == 3
    assert (len(right.seen), len(wrong.seen)) == (12, 6)
    counts = run(workspace, recipe, num=3, ways=("numbers",), tries=1, solutions=4, agree=3, teachers=teachers)
    assert counts["dropped"] == {"no agreement": 3}


def test_a_recording_of_the_teacher_gives_the_same_problems(told, workspace, tmp_path):
    recipe, server = told(stories(6), blunder=lambda asked: asked.right if "Timb" in asked.text else None)
    settings = {"num": 6, "ways": ("numbers",), "tries": 1, "solutions": 4, "agree": 3}
    want = run(workspace, recipe, **settings)
    path = tmp_path / "said.jsonl"
    asks = {body["messages"][-1]["content"] for _, _, body in server.seen}
    path.write_text("".join(json.dumps({"ask": ask, "answers": [server.say.says(ask, 0)]}) + "\n" for ask in asks))
    again = Workspace.create(tmp_path / "again")
    steps.add_problems(again, stories(6), "stories")
    replayed = replace(recipe, teacher=TeacherConfig(kind="replay", model=str(path)))
    counts = run(again, replayed, **settings)
    assert (counts["kept"], counts["dropped"]) == (want["kept"], want["dropped"]) == (1, {"unsolvable": 5})
    assert kept(again) == kept(workspace)
