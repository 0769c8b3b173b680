"""For a validation set: more of what the student fails there, and no copy of it."""

from dataclasses import replace

import pytest
from storyteller import Storyteller, solve, stories, story, story_problem

from gradus.api import steps, varying
from gradus.api.cli import main
from gradus.engine.models import model_id
from gradus.engine.parts import write_part
from gradus.engine.records import Attempt
from gradus.engine.sources.base import generate_problems
from gradus.engine.store import open_snapshot
from gradus.errors import ConfigError


def attempted(workspace, recipe, student, problems, share):
    """Store four attempts of the student at each problem, of which share(problem) fail, and judge them."""
    attempts = [
        Attempt(
            problem_id=problem.id,
            model_id=model_id(student),
            sampler=recipe.evaluate.sampler(problem.domain),
            index=index,
            seed=index,
            sampling={},
            messages=(
                {"role": "user", "content": problem.prompt},
                {
                    "role": "assistant",
                    "content": f"\\boxed{{{problem.spec['expected'] if index >= 4 * share(problem) else -1}}}",
                },
            ),
            token_ids=(),
            token_logprobs=(),
            tokens_in=1,
            seconds=0.0,
            finish_reason="stop",
        )
        for problem in problems
        for index in range(4)
    ]
    write_part(workspace.parts, "test", attempts)
    steps.judge(workspace, workers=1)


def right(problem):
    return problem.spec["expected"]


@pytest.fixture
def asked(told, workspace, student):
    """Return a function that stores training and validation problems, the student's attempts, and starts a teacher."""

    def start(training, validation, share, **settings):
        recipe, server = told([*training, *validation], aligned="val", **settings)
        recipe = replace(recipe, student=str(student))
        attempted(workspace, recipe, student, validation, share)
        return recipe, server

    return start


def test_more_is_made_of_what_is_failed_more(asked, workspace):
    validation = generate_problems("arithmetic", 20, seed=1, tags=("val",))
    training = generate_problems("arithmetic", 30, seed=2)

    def share(problem):
        return {"level:5": 1.0, "level:4": 0.25}.get(problem.tags[0], 0.0)

    recipe, server = asked(training, validation, share, num=12, ways=("numbers",), trust_computed=True)
    counts = varying.vary(workspace, recipe, workers=1)
    assert counts["kept"] == 12
    assert server.seen == []
    skills = counts["skills"]
    assert [skill["name"].rpartition(" ")[2] for skill in skills] == ["level:5", "level:4"]
    assert [(skill["problems"], skill["failure_rate"]) for skill in skills] == [(4, 1.0), (4, 0.25)]
    assert skills[0]["kept"] > skills[1]["kept"] > 0
    assert sum(skill["kept"] for skill in skills) == 12
    with open_snapshot(workspace) as store:
        made = store.problems("list_contains(tags, 'aligned:val')")
        parents = {parent for problem in made for parent in problem.parents}
    assert len(made) == 12
    assert parents <= {problem.id for problem in training}


def test_the_command_lists_the_skills(asked, workspace, student, tmp_path, capsys):
    validation = [replace(problem, tags=("val",)) for problem in stories(5)]
    asked(stories(9)[5:], validation, lambda _: 0.5)
    recipe = tmp_path / "mine.toml"
    recipe.write_text(f'name = "mine"\nstudent = "{student}"\n[vary]\ntrust_computed = true\ncompose = "template"\n')
    argv = ["vary", "--aligned", "val", "--way", "compose", "--num", "2", "--recipe", str(recipe), "--workers", "1"]
    assert main([*argv, "vary.seed=1", "--dry-run", "--workspace", str(workspace.root)]) in (0, None)
    plan = capsys.readouterr().out
    assert "2 wanted, 8 tries at most" in plan
    assert "failure_rate" in plan
    assert main([*argv, "--workspace", str(workspace.root)]) in (0, None)
    text = capsys.readouterr().out
    assert "2 variants: 2 kept (2 of them new), 0 dropped, 0 open" in text
    assert "math like 'Tim" in text


def test_planted_copies_of_the_validation_set_are_dropped(asked, workspace):
    validation = [replace(problem, tags=("val",)) for problem in stories(8)]
    settings = {"ways": ("compose",), "compose": "teacher", "solutions": 4, "agree": 3}
    recipe, server = asked(stories(13)[8:], validation, lambda _: 0.5, num=10, tries=4, **settings)
    planted = set()

    class Copyist(Storyteller):
        """Gives away a validation problem, a little dressed up, for every second story."""

        def says(self, ask, seed):
            if ask.startswith("Below") and seed % 2:
                planted.add(validation[seed // 2 % 8].prompt)
                return f"<problem>Listen well. {validation[seed // 2 % 8].prompt.replace('more.', 'more!')}</problem>"
            return super().says(ask, seed)

    server.say = Copyist()
    counts = varying.vary(workspace, recipe, workers=1)
    assert len(planted) >= 2
    assert counts["kept"] == 10
    with open_snapshot(workspace) as store:
        made = store.problems("list_contains(tags, 'aligned:val')")
        tries = store.rows("SELECT prompt, reason FROM variants")
    copies = [row["reason"] for row in tries if row["prompt"].startswith("Listen")]
    assert len(copies) >= 2
    assert all(reason.startswith(("gives away a problem for evaluation: ", "there already: ")) for reason in copies)
    assert counts["dropped"]["gives away a problem for evaluation"] == sum("evaluation/" in reason for reason in copies)
    assert not any(problem.prompt.startswith("Listen") for problem in made)


def test_the_validation_set_is_only_drawn_from_by_its_generator(asked, workspace):
    validation = [
        *generate_problems("arithmetic", 5, seed=1, tags=("val",)),
        *(replace(problem, tags=("val",)) for problem in stories(3)),
    ]
    other = [story_problem(story("Bo", "wagons", ("starts with", 50), ("gets", 9)).replace("in the end", "now"))]
    recipe, _ = asked(other, validation, lambda _: 1.0, num=5, trust_computed=True, solutions=4, agree=3)
    counts = varying.vary(workspace, recipe, workers=1)
    with open_snapshot(workspace) as store:
        made = store.problems("list_contains(tags, 'aligned:val')")
    told_of = {problem.id for problem in validation[5:]}
    assert made
    assert not any(parent in told_of for problem in made for parent in problem.parents)
    assert any(skill["tried"] == 0 or skill["to_vary"] for skill in counts["skills"])
    assert all(solve(p.prompt) is not None or p.source.startswith("reasoning-gym") for p in made)


def test_a_set_that_is_not_there_or_not_tried_says_what_to_do(told, workspace, student):
    recipe, _ = told([*stories(3), *generate_problems("arithmetic", 5, seed=1, tags=("val",))])
    recipe = replace(recipe, student=str(student))
    with pytest.raises(ConfigError, match=r"no problem has the tag 'vals'; `gradus problems import FILE --tag vals`"):
        varying.vary(workspace, replace(recipe, vary=replace(recipe.vary, aligned="vals")), workers=1)
    with pytest.raises(ConfigError, match=r"has not been tried .* run `gradus eval --tag val --model"):
        varying.vary(workspace, replace(recipe, vary=replace(recipe.vary, aligned="val")), workers=1)


def test_a_student_who_fails_nothing_needs_nothing(asked, workspace):
    validation = [replace(problem, tags=("val",)) for problem in stories(3)]
    recipe, _ = asked([], validation, lambda _: 0.0)
    with pytest.raises(ConfigError, match="the student fails nothing there"):
        varying.vary(workspace, recipe, workers=1)
