"""`gradus problems import` streams files and data sets, counts every row, and can be killed and run again."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gradus.api import steps
from gradus.api.cli import main
from gradus.curricula.manifest import read
from gradus.curricula.recipe import load_recipe
from gradus.engine.exchange import take_in
from gradus.engine.parts import list_parts, write_part
from gradus.engine.records import Drop, Prior, Problem
from gradus.engine.store import open_snapshot

TURN = pa.struct({"role": pa.string(), "content": pa.string()})
MIXTURE = pa.schema({"messages": pa.list_(TURN), "num_tokens": pa.int64(), "source": pa.string()})


def mixture(i, source="open-r1/OpenR1-Math-220k"):
    said = [
        {"role": "user", "content": f"What is {i} + 1?"},
        {"role": "assistant", "content": f"<think>\nOne more than {i}.\n</think>\nIt is {i + 1}."},
    ]
    return {"messages": said, "num_tokens": 9, "source": source}


def open_math(i, **other):
    return {
        "problem": f"What is {i} + 1?",
        "expected_answer": str(i + 1),
        "problem_type": "has_answer_extracted",
        "generated_solution": f"<think>Count.</think>It is \\boxed{{{i + 1}}}.",
        "generation_model": "QwQ-32B",
        "inference_mode": "cot",
        "pass_rate_72b_tir": "0.25",
    } | other


def write_jsonl(path, rows):
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def write_parquet(path, rows, schema=MIXTURE):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


@pytest.fixture
def gradus(workspace, capsys):
    def run(*argv):
        status = main([*map(str, argv), "--workspace", str(workspace.root)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def rows(workspace):
    def query(sql):
        with open_snapshot(workspace) as store:
            return store.rows(sql)

    return query


def imported(gradus, *argv):
    status, out, err = gradus("problems", "import", *argv, "--json")
    assert status == 0, err
    counts = json.loads(out)
    assert counts["in"] == counts["kept"] + sum(counts["dropped"].values())
    return counts


def test_a_parquet_file_gives_traces_with_their_origin(gradus, rows, tmp_path):
    path = write_parquet(tmp_path / "moe.parquet", [mixture(i) for i in range(5)])
    found = imported(gradus, path, "--format", "mixture-of-thoughts", "--licence", "apache-2.0")
    assert found == {"in": 5, "kept": 5, "dropped": {}, "problems": 0, "traces": 5}
    assert {row["kind"] for row in rows("FROM traces")} == {"imported"}
    origins = rows('SELECT origins.* FROM origins JOIN traces ON traces.id = record_id ORDER BY "row"')
    assert [(row["source"], row["row"], row["licence"]) for row in origins] == [
        ("moe.parquet", f"row {i}", "apache-2.0") for i in range(1, 6)
    ]


def test_importing_again_adds_nothing(gradus, rows, tmp_path, workspace):
    lines = [open_math(1), open_math(1), open_math(2), open_math(3, problem_type="converted_proof"), "no JSON"]
    path = write_jsonl(tmp_path / "in.jsonl", lines)
    argv = (path, "--format", "open-math-reasoning")
    dropped = {"there already": 1, "converted proof": 1, "not a row": 1}
    assert imported(gradus, *argv) == {"in": 5, "kept": 2, "dropped": dropped, "problems": 2, "traces": 2}
    parts = list(list_parts(workspace.parts))
    again = {"in": 5, "kept": 0, "dropped": dropped | {"there already": 3}, "problems": 0, "traces": 0}
    assert imported(gradus, *argv) == again
    assert list(list_parts(workspace.parts)) == parts
    assert [row["record_id"] for row in rows("FROM dropped ORDER BY record_id")] == [
        "in.jsonl/line 4",
        "in.jsonl/line 5",
    ]


def test_a_second_solution_of_a_problem_is_a_trace_of_the_same_problem(gradus, rows, tmp_path):
    lines = [open_math(1), open_math(1, generated_solution="Add: \\boxed{2}.")]
    counts = imported(gradus, write_jsonl(tmp_path / "in.jsonl", lines), "--format", "open-math-reasoning")
    assert (counts["kept"], counts["problems"], counts["traces"]) == (2, 1, 2)
    assert rows("SELECT count(*) AS n FROM traces JOIN problems ON problems.id = problem_id") == [{"n": 2}]


def test_a_prior_is_kept_apart_from_what_is_measured(gradus, rows, tmp_path):
    path = write_jsonl(tmp_path / "in.jsonl", [open_math(1), open_math(2, pass_rate_72b_tir="n/a")])
    imported(gradus, path, "--format", "open-math-reasoning")
    assert rows("FROM difficulty") == []
    (row,) = rows("FROM seeded_difficulty")
    assert (row["basis"], row["pass_rate"]) == ("prior", 0.25)
    assert row["model_id"].startswith("Qwen2.5-Math-72B")


def test_a_measurement_takes_the_place_of_a_prior(spoilable, tmp_path):
    """The world asks what 1 + 2 is, and its student was measured on it."""
    path = write_jsonl(tmp_path / "in.jsonl", [open_math(1, problem="What is 1 + 2?", expected_answer="3")])
    write_part(spoilable.workspace.parts, "r", [prior_of("What is 1 + 2?", "3")])
    assert main(spoilable.step("problems", "import", str(path), "--format", "open-math-reasoning")) == 0
    with open_snapshot(spoilable.workspace) as store:
        assert store.rows("SELECT count(*) AS n FROM priors") == [{"n": 1}]
        assert store.rows("SELECT DISTINCT basis FROM seeded_difficulty") == [{"basis": "measured"}]


def prior_of(prompt, expected):
    problem = Problem(prompt=prompt, domain="math", verifier="math", spec={"expected": expected}, source="")
    return Prior(problem_id=problem.id, model_id="m", pass_rate=0.5, source="s")


def test_a_recipe_that_asks_for_imported_traces_gets_them(spoilable, tmp_path):
    """All but the one that cleaning has dropped and the one that answers a held-out problem."""
    lines = [open_math(i) for i in range(4)]
    path = write_jsonl(tmp_path / "in.jsonl", [*lines, open_math(38, problem="What is 38 + 39?", expected_answer="77")])
    assert main(spoilable.step("problems", "import", str(path), "--format", "open-math-reasoning")) == 0
    with open_snapshot(spoilable.workspace) as store:
        dropped = store.rows("SELECT id FROM traces WHERE kind = 'imported' AND messages LIKE '%What is 0 +%'")[0]["id"]
    write_part(spoilable.workspace.parts, "d", [Drop(record_id=dropped, step="by hand", reason="bad")])
    stages = load_recipe(str(spoilable.recipe_path)).stages
    asked = replace(stages[0], mixture={"math/imported": 1.0})
    recipe = replace(load_recipe(str(spoilable.recipe_path)), stages=(asked, *stages[1:]))
    manifest = read(steps.build(spoilable.workspace, recipe))
    assert (manifest.stages[0].num_traces, list(manifest.stages[0].mixture)) == (
        3,
        ["math/imported/QwQ-32B/unmeasured"],
    )
    assert "math/imported" not in manifest.stages[1].mixture


def test_the_text_names_every_reason(gradus, tmp_path):
    lines = [open_math(1), open_math(2, inference_mode="genselect"), open_math(3, generated_solution="<think>")]
    out = gradus("problems", "import", write_jsonl(tmp_path / "in.jsonl", lines), "--format", "open-math-reasoning")[1]
    assert out.splitlines() == [
        "1 problems and 1 traces added, 0 were there already; 2 of 3 rows dropped",
        "         1 cut off",
        "         1 genselect",
    ]


def test_rows_of_another_format_are_refused_as_a_whole(gradus, workspace, tmp_path):
    path = write_jsonl(tmp_path / "in.jsonl", [open_math(i) for i in range(3)])
    status, out, err = gradus("problems", "import", path, "--format", "nemotron")
    assert (status, out) == (3, "")
    assert "no row fits the format nemotron: line 1: no column: 'category'; it has problem, " in err
    assert list(list_parts(workspace.parts)) == []


def test_rows_of_the_format_that_give_nothing_are_counted(gradus, tmp_path):
    path = write_jsonl(tmp_path / "in.jsonl", [open_math(i, inference_mode="genselect") for i in range(3)])
    counts = imported(gradus, path, "--format", "open-math-reasoning")
    assert counts == {"in": 3, "kept": 0, "dropped": {"genselect": 3}, "problems": 0, "traces": 0}


def test_a_column_of_the_wrong_type_costs_its_row_only(gradus, tmp_path):
    lines = [open_math(1), open_math(2, problem=3), open_math(3, problem="\ud800")]
    counts = imported(gradus, write_jsonl(tmp_path / "in.jsonl", lines), "--format", "open-math-reasoning")
    assert counts["dropped"] == {"malformed": 1, "not text": 1}


@pytest.fixture
def folder(tmp_path):
    """Return a data set of two splits, as a folder that its Hub repository could be downloaded to."""
    folder = tmp_path / "moe"
    write_parquet(folder / "all" / "train-0.parquet", [mixture(i) for i in range(3)])
    write_parquet(folder / "all" / "more-0.parquet", [mixture(i, "x/codeforces") for i in range(2, 6)])
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: all\n  data_files:\n  - split: train\n    path: all/train-*\n"
        "  - split: more\n    path: all/more-*\n---\n"
    )
    return folder


def test_a_folder_is_read_by_datasets_with_all_its_splits(gradus, rows, folder):
    counts = imported(gradus, folder, "--format", "mixture-of-thoughts")
    assert counts == {"in": 7, "kept": 6, "dropped": {"there already": 1}, "problems": 0, "traces": 6}
    assert {row["row"] for row in rows("FROM origins")} == {f"train/{i}" for i in (1, 2, 3)} | {
        f"more/{i}" for i in (2, 3, 4)
    }


def test_one_split_of_one_configuration(gradus, folder):
    counts = imported(gradus, folder, "--format", "mixture-of-thoughts", "--config", "all", "--split", "more")
    assert counts["in"] == 4


@pytest.mark.parametrize("flags", [("--split", "none"), ("--config", "none")])
def test_an_unknown_split_is_one_line(gradus, folder, flags):
    status, _, err = gradus("problems", "import", folder, "--format", "mixture-of-thoughts", *flags)
    assert status == 3
    assert len(err.splitlines()) == 1
    assert f"{folder}: cannot be read: " in err


def test_without_a_network_the_message_says_what_to_do(workspace):
    argv = ["problems", "import", "open-r1/Mixture-of-Thoughts", "--format", "mixture-of-thoughts"]
    done = subprocess.run(
        [sys.executable, "-m", "gradus", *argv, "--workspace", str(workspace.root)],
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "open-r1/Mixture-of-Thoughts: cannot be read: " in done.stderr
    assert "Without a network, name a folder" in done.stderr


def test_old_forms_are_read_from_parquet_too_and_stay_strict(gradus, workspace, tmp_path):
    schema = pa.schema({"question": pa.string(), "answer": pa.string()})
    good = {"question": "1 + 1?", "answer": "#### 2"}
    path = write_parquet(tmp_path / "good.parquet", [good], schema)
    assert imported(gradus, path, "--format", "gsm8k")["problems"] == 1
    before = list(list_parts(workspace.parts))
    path = write_parquet(tmp_path / "bad.parquet", [good | {"question": "2?"}, good | {"answer": "2"}], schema)
    status, _, err = gradus("problems", "import", path, "--format", "gsm8k")
    assert status == 3
    assert "bad.parquet, row 2: answer does not end in '#### N'" in err
    assert list(list_parts(workspace.parts)) == before


def test_small_batches_give_the_same(gradus, rows, tmp_path, monkeypatch):
    monkeypatch.setattr(take_in, "BATCH_ROWS", 3)
    lines = [open_math(i % 7) for i in range(20)]
    counts = imported(gradus, write_jsonl(tmp_path / "in.jsonl", lines), "--format", "open-math-reasoning")
    assert counts == {"in": 20, "kept": 7, "dropped": {"there already": 13}, "problems": 7, "traces": 7}
    assert rows("SELECT count(*) AS n FROM origins") == [{"n": 14}]


KILLED = """
    import os, sys
    from gradus.api.cli import main
    from gradus.engine.exchange import take_in
    take_in.BATCH_ROWS = 10
    sys.exit(main(sys.argv[1:]))
"""


# Ten rows a part: more parts than the kills below wait for.
NUM_KILLED = 300


def num_parts(workspace):
    return len(list((workspace.parts / "problems").rglob("*.parquet")))


@pytest.mark.parametrize("after", [(2, 9), pytest.param((1, 2, 5, 10), marks=pytest.mark.slow)])
def test_killed_at_any_point_it_goes_on_to_the_same_end(gradus, rows, workspace, tmp_path, after):
    path = write_jsonl(tmp_path / "in.jsonl", [open_math(i) for i in range(NUM_KILLED)])
    argv = ["problems", "import", str(path), "--format", "open-math-reasoning", "--workspace", str(workspace.root)]
    kills = 0
    for more in after:
        parts = num_parts(workspace) + more
        process = subprocess.Popen([sys.executable, "-c", "\n".join(map(str.strip, KILLED.splitlines())), *argv])
        while num_parts(workspace) < parts and process.poll() is None:
            time.sleep(0.002)
        process.kill()
        kills += process.wait() != 0
    assert kills
    imported(gradus, path, "--format", "open-math-reasoning")
    assert rows("SELECT count(*) AS n FROM problems") == [{"n": NUM_KILLED}]
    assert rows("SELECT count(*) AS n FROM traces") == [{"n": NUM_KILLED}]
    assert rows("SELECT count(*) AS n FROM priors") == [{"n": NUM_KILLED}]
    assert rows("SELECT count(DISTINCT record_id) AS n FROM origins") == [{"n": 2 * NUM_KILLED}]
