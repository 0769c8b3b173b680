"""What ranks make is what one process makes, and the commands say so with the same counts."""

import json

import pytest

from gradus.api import steps
from gradus.api.cli import main
from gradus.engine.records import HELDOUT, Problem
from gradus.engine.store import open_snapshot
from tests.conftest import copy_of

RANKS = ("--executor", "local", "--tasks", "2")
NUM = 30


def problem(prompt, expected, *tags):
    return Problem(prompt=prompt, domain="math", verifier="math", spec={"expected": expected}, source="t", tags=tags)


def make_problems():
    """Return problems of which some are copies, nearly copies, or held out."""
    story = "{} baker makes {} loaves of rye bread before noon and 12 loaves of rye bread after noon. How many in all?"
    own = [problem(story.format("A", i), str(i + 12)) for i in range(NUM)]
    copies = [problem(story.format("A", i).upper(), str(i + 12)) for i in range(0, NUM, 3)]
    near = [problem(story.format("Some", i), str(i + 12)) for i in range(0, NUM, 5)]
    heldout = [problem(story.format("The", 7), "19", HELDOUT), problem("What is 3 times 4 plus 100?", "112", HELDOUT)]
    return own + copies + near + heldout


@pytest.fixture(scope="module")
def made(empty, tmp_path_factory):
    """Return a workspace with the problems. Only to be copied."""
    workspace = copy_of(empty, tmp_path_factory.mktemp("made") / "workspace")
    steps.add_problems(workspace, make_problems(), "t")
    return workspace


@pytest.fixture
def twins(made, tmp_path, capsys):
    """Return a function that runs a command in two equal workspaces, on ranks in one, and gives what both print."""
    recording, recipe = tmp_path / "said.jsonl", tmp_path / "twins.toml"
    lines = [
        {"ask": p.prompt, "answers": [f"The answer is {p.spec['expected']}.", "The answer is 0.5.", "Well."]}
        for p in make_problems()
    ]
    recording.write_text("\n".join(json.dumps(line) for line in lines))
    recipe.write_text(f'name = "t"\n[teacher]\nkind = "replay"\nmodel = "{recording}"\n[sample]\nnum_attempts = 3\n')
    both = [copy_of(made, tmp_path / name) for name in ("alone", "ranks")]

    def run(*argv):
        found = []
        for workspace, flags in zip(both, ((), RANKS), strict=True):
            words = [word.replace("RECIPE", str(recipe)) for word in argv]
            assert main([*words, *flags, "--json", "--workspace", str(workspace.root)]) == 0
            found.append(json.loads(capsys.readouterr().out))
        return found

    run.workspaces = both
    return run


def records(workspace, table):
    with open_snapshot(workspace) as store:
        columns = "* EXCLUDE (seconds)" if table in ("attempts", "verdicts") else "*"
        return store.rows(f"SELECT {columns} FROM {table} ORDER BY ALL")


def test_ranks_make_what_one_process_makes(twins):
    for command, table in (("sample", "attempts"), ("judge", "verdicts")):
        argv = [command, "--recipe", "RECIPE"] if command == "sample" else [command]
        alone, ranks = twins(*argv)
        assert ranks == alone
        one, other = (records(workspace, table) for workspace in twins.workspaces)
        assert other == one
        assert len(one) == 3 * (len(make_problems()) - 2)


@pytest.mark.slow
def test_ranks_correct_what_one_process_corrects(new_world, tmp_path, capsys):
    found, tables = [], []
    for name, flags in (("alone", ()), ("ranks", RANKS)):
        (tmp_path / name).mkdir()
        world = new_world(tmp_path / name)
        steps.sample(world.workspace, world.recipe)
        steps.judge(world.workspace, workers=1)
        argv = world.step("correct", "--recipe", str(world.recipe_path), *world.teacher, *flags, "--json")
        assert main(argv) == 0
        found.append(json.loads(capsys.readouterr().out))
        tables.append([records(world.workspace, table) for table in ("attempts", "verdicts", "drops")])
    assert found[0] == found[1]
    assert found[0]["made"] > 20
    assert tables[0] == tables[1]


@pytest.mark.parametrize("flags", [pytest.param(("--near",), marks=pytest.mark.slow), ("--semantic",)])
def test_ranks_find_the_same_duplicates(twins, flags):
    alone, ranks = twins("dedupe", *flags)
    assert ranks == alone
    assert sum(alone["dropped"].values()) > NUM // 3
    one, other = (records(workspace, "dropped") for workspace in twins.workspaces)
    assert other == one


def test_ranks_find_the_same_leaks(twins):
    alone, ranks = twins("decontaminate", "--against", HELDOUT)
    assert ranks == alone
    assert sum(alone["dropped"].values()) >= 1
    one, other = (records(workspace, "dropped") for workspace in twins.workspaces)
    assert other == one


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--tasks", "2"), "need --executor"),
        (("--executor", "ray"), "needs --tasks"),
        (("--executor", "local", "--tasks", "0"), "tasks must be at least 1"),
        (("--executor", "local", "--executor-option", "partition=x"), "no option partition"),
        (("--executor", "local", "sample.budget.passed=3"), "leave out --executor"),
    ],
)
def test_what_makes_no_sense_is_refused(twins, capsys, flags, said):
    recipe = str(twins.workspaces[0].root.parent / "twins.toml")
    assert main(["sample", "--recipe", recipe, *flags, "--workspace", str(twins.workspaces[0].root)]) == 2
    assert said in capsys.readouterr().err
