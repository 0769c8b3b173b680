"""The command line: the main job step by step, and one line on standard error for what a user did wrong."""

import json
import os

import pytest

from gradus.api.cli import main, parser
from gradus.api.commands.base import commands
from gradus.curricula.find import list_manifests
from gradus.curricula.manifest import shard_path
from gradus.curricula.verify import verify

ROW = {"prompt": "Which?", "domain": "stem", "verifier": "choice", "spec": {"expected": "B"}, "source": "me"}


@pytest.fixture
def gradus(capsys):
    """Return a function that runs one command and gives its status, output and errors."""

    def run(*argv):
        status = main([str(word) for word in argv])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def unsampled(new_world, tmp_path_factory):
    """Return a workspace with problems only, for commands that must not change it."""
    return new_world(tmp_path_factory.mktemp("unsampled"))


def said(result, words, *, status=None):
    """Check that a command failed with one line that holds the words."""
    code, out, err = result
    assert code not in (0, None)
    assert status in (None, code)
    assert out == ""
    assert len(err.splitlines()) == 1, err
    assert words in err


def test_the_main_job_from_nothing_to_a_manifest(gradus, new_world, tmp_path):
    world = new_world(tmp_path)
    step = world.step
    recipe = ("--recipe", world.recipe_path)
    assert gradus(*step("init"))[1] == f"workspace {world.workspace.root} is ready\n"
    assert gradus(*step("sample", *recipe))[1].startswith("140 attempts made, 0 were there already; 35 problems")
    assert gradus(*step("sample", *recipe))[1].startswith("0 attempts made, 140 were there already")
    assert gradus(*step("judge", "--workers", "1"))[1] == (
        "140 judged (66 fail, 70 pass, 4 unparseable), 0 were judged already\n"
    )
    status, out, _ = gradus(*step("score"))
    assert status == 0
    assert "35 problems" in out
    assert world.student in out
    status, out, _ = gradus(*step("correct", *recipe, "--workers", "1", *world.teacher))
    assert out.startswith("28 failures: 28 corrections asked for, 0 were there already; 14 of 28 pass\n")
    status, out, _ = gradus(*step("curriculum", "build", *recipe))
    assert status == 0
    (path,) = list_manifests(world.workspace)
    assert f"wrote {path}" in out
    assert "left out: " in out
    assert gradus(*step("curriculum", "show"))[1].startswith(out.partition("\n")[2].rstrip())
    assert gradus(*step("curriculum", "verify"))[1].startswith(f"{path}: 5 files of ")
    assert len(verify(path).stages) == 2


@pytest.mark.parametrize(
    "argv",
    [
        ("init",),
        ("problems", "list"),
        ("problems", "generate", "--generator", "arithmetic", "--num", "3"),
        ("sample", "--recipe", "RECIPE"),
        ("judge", "--workers", "1"),
        ("score",),
        ("correct", "--workers", "1", "--recipe", "RECIPE", "TEACHER"),
        ("curriculum", "build", "--recipe", "RECIPE"),
        ("curriculum", "show"),
        ("curriculum", "verify"),
        ("sql", "SELECT domain, pass_at_1, wilson_low FROM difficulty"),
        ("sql", "SELECT 'nan'::DOUBLE AS x, DATE '2026-01-01' AS d, NULL AS n"),
    ],
)
def test_json_is_one_object_on_standard_output(gradus, spoilable, argv):
    words = [
        word
        for part in argv
        for word in (
            [str(spoilable.recipe_path)] if part == "RECIPE" else spoilable.teacher if part == "TEACHER" else [part]
        )
    ]
    status, out, _ = gradus(*spoilable.step(*words, "--json"))
    assert status == 0
    assert json.loads(out) is not None


def test_problems_come_back_as_they_were_listed(gradus, world, tmp_path):
    _, out, _ = gradus(*world.step("problems", "list", "--limit", "100", "--json"))
    path = tmp_path / "again.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in json.loads(out)))
    other = tmp_path / "other"
    gradus("init", "--workspace", other)
    assert gradus("problems", "import", path, "--format", "jsonl", "--workspace", other)[1].startswith(
        "40 problems added"
    )
    assert gradus("problems", "list", "--limit", "100", "--json", "--workspace", other)[1] == out


def test_imported_problems_are_tagged_and_listed_by_domain(gradus, world, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    argv = world.step("problems", "import", str(path), "--format", "jsonl", "--tag", "heldout", "--tag", "mine")
    assert gradus(*argv)[1] == "1 problems added, 0 were there already\n"
    assert gradus(*argv)[1] == "0 problems added, 1 were there already\n"
    (row,) = json.loads(gradus(*world.step("problems", "list", "--domain", "stem", "--json"))[1])
    assert (row["tags"], row["spec"]) == (["heldout", "mine"], {"expected": "B"})


def test_generating_again_adds_nothing_and_another_seed_adds_more(gradus, tmp_path):
    gradus("init", "--workspace", tmp_path / "w")
    argv = [
        "problems",
        "generate",
        "--generator",
        "arithmetic",
        "--num",
        10,
        "--heldout",
        2,
        "--workspace",
        tmp_path / "w",
    ]
    assert gradus(*argv)[1] == "arithmetic: 12 problems added, 0 were there already\n"
    assert gradus(*argv)[1] == "arithmetic: 0 problems added, 12 were there already\n"
    assert "arithmetic: 0 problems" not in gradus(*argv, "--seed", 1)[1]


def test_a_recipe_generates_all_that_it_asks_for(gradus, tmp_path):
    gradus("init", "--workspace", tmp_path / "w")
    _, out, _ = gradus("problems", "generate", "--recipe", "demo", "--json", "--workspace", tmp_path / "w")
    assert {name: counts["kept"] for name, counts in json.loads(out).items()} == {
        "arithmetic": 60,
        "functions": 28,
        "constraints": 32,
    }


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("sample",), "not a workspace; `gradus init --workspace"),
        (("judge",), "not a workspace"),
        (("score",), "not a workspace"),
        (("curriculum", "show"), "not a workspace"),
        (("problems", "list"), "not a workspace"),
        (("sql", "SELECT 1"), "not a workspace"),
        (("serve",), "not a workspace"),
        (("train", "sft"), "not a workspace"),
        (("eval",), "not a workspace"),
    ],
)
def test_a_missing_workspace_is_one_line(gradus, tmp_path, argv, words):
    said(gradus(*argv, "--workspace", tmp_path / "none"), words, status=4)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("argv", "words", "status"),
    [
        (("sample", "--recipe", "fast"), "no recipe 'fast'. Known: cot, default, demo", 2),
        (("sample", "--recipe", "none.toml"), "none.toml: no such recipe", 2),
        (("sample", "--recipe", "demo", "sample.nums=3"), "SampleConfig has no 'nums'. Fields: num_attempts", 2),
        (("sample", "--recipe", "demo", "sample.num_attempts=x"), "num_attempts must be a whole number, not 'x'", 2),
        (("sample", "--recipe", "demo", "words"), "'words' is not key=value", 2),
        (("sample", "teacher.kind=oracle"), "no teacher 'oracle'. Known: ", 2),
        (("sample", "teacher.kind=replay", "teacher.model=none.jsonl"), "none.jsonl: no such recording", 3),
        (("sample", "teacher.model=nowhere"), "nowhere: not a model", 3),
        (("curriculum", "show", "--manifest", "ffff"), "no manifest 'ffff'; there are: none", 3),
        (("curriculum", "verify"), "no manifest 'latest'", 3),
        (("curriculum", "build"), "stage 'foundation'", 3),
        (("train", "sft", "--manifest", "ffff"), "no manifest 'ffff'", 3),
        (("problems", "import"), "needs --format and a file", 2),
        (("problems", "import", "none.jsonl", "--format", "jsonl"), "none.jsonl: no such file", 3),
        (("problems", "generate"), "needs --recipe, or --generator", 2),
        (("problems", "generate", "--generator", "arithmetic", "--num", "0"), "--num above 0", 2),
        (("problems", "generate", "--generator", "functions", "--num", "120"), "ask for less", 3),
        (("sql", "DELETE FROM problems"), "only a SELECT is taken here", 3),
        (("serve", "--host", "0.0.0.0"), "no token is configured", 2),
        (("sql", "SELECT nothing FROM problems"), "nothing", 3),
    ],
)
def test_what_a_user_did_wrong_is_one_line(gradus, unsampled, student, argv, words, status):
    student_words = [f"student={student}"] if argv == ("curriculum", "build") else []
    said(gradus(*unsampled.step(*argv, *student_words)), words, status=status)


def test_a_bad_third_line_stores_nothing(gradus, workspace, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text(f"{json.dumps(ROW)}\n" * 2 + "{\n")
    said(
        gradus("problems", "import", path, "--format", "jsonl", "--workspace", workspace.root),
        "in.jsonl, line 3",
        status=3,
    )
    assert not list(workspace.parts.iterdir())


def test_a_busy_workspace_is_one_line(gradus, world):
    with world.workspace.writing():
        said(gradus(*world.step("score")), f"process {os.getpid()} is writing here", status=4)


def test_a_changed_file_is_found(gradus, spoilable):
    (path,) = list_manifests(spoilable.workspace)
    file = shard_path(path, verify(path).stages[0].shards[0])
    file.write_bytes(file.read_bytes()[:-1])
    said(gradus(*spoilable.step("curriculum", "verify")), f"{file}: content has hash", status=3)


@pytest.mark.parametrize(
    "argv",
    [
        ("problems", "import", "--format", "jsonl", "in.jsonl"),
        ("curriculum", "build", "--recipe", "demo", "seed=1"),
        ("train", "sft", "--recipe", "sft-demo", "steps=3"),
        ("eval", "seed=1", "--recipe", "demo", "evaluate.seed=3"),
    ],
)
def test_arguments_may_follow_options(argv):
    parser().parse_args(argv)


@pytest.mark.parametrize("argv", [("cook",), (), ("problems", "cook"), ("curriculum",), ("verify",)])
def test_what_is_no_command_shows_the_usage(argv, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    assert stopped.value.code == 2
    assert "usage: gradus" in capsys.readouterr().err


@pytest.mark.parametrize("name", commands.names())
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    out = " ".join(capsys.readouterr().out.split())
    assert commands[name].summary in out
    assert "--workspace" in out


def test_sql_prints_a_table(gradus, finished):
    query = "SELECT domain, count(*) AS problems FROM problems GROUP BY 1"
    assert gradus(*finished.step("sql", query))[1] == "domain  problems\n──────  ────────\nmath          40\n"
    assert gradus(*finished.step("sql", "SELECT 1 AS x WHERE false"))[1] == "(no rows)\n"


def test_sql_says_when_there_are_more_rows(gradus, finished):
    _, out, err = gradus(*finished.step("sql", "SELECT id FROM problems", "--max-rows", "3"))
    assert len(out.splitlines()) == 5
    assert "only the first 3 rows" in err


def test_doctor_says_what_is_there_and_what_is_missing(gradus):
    status, out, _ = gradus("doctor", "--json")
    rows = json.loads(out)
    assert [row["check"] for row in rows] == ["python", "machine", "sandbox", "training", "sampling", "model"]
    assert status == (0 if all(row["ok"] for row in rows) else 5)
    assert all(row["detail"] for row in rows)
    assert next(row for row in rows if row["check"] == "python")["ok"]


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("gradus 0.")
