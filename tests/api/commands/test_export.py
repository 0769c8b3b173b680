"""`gradus export` writes what is there, whole or not at all, in forms that others read."""

import json

import datasets
import pyarrow.parquet as pq
import pytest

from gradus.api.cli import main
from gradus.engine.export import files, folder
from gradus.engine.export.tables import COLUMNS
from gradus.engine.parts import write_part
from gradus.engine.records import HELDOUT, Drop, Message, Origin, Problem, Trace
from gradus.engine.store import open_snapshot, open_store
from gradus.engine.workspace import Workspace
from tests.conftest import copy_of


def problem(i, *tags):
    spec = {"expected": str(i)}
    return Problem(prompt=f"{i} + 0?", domain="math", verifier="math", spec=spec, source="made", tags=tags)


def trace(of, answer, kind="cot"):
    said = (Message(role="user", content=of.prompt), Message(role="assistant", content=answer, reasoning="Add 0."))
    return Trace(
        kind=kind, domain="math", messages=said, learn=(False, True), problem_id=of.id, attempt_id="a", teacher="T"
    )


@pytest.fixture(scope="module")
def five(empty, tmp_path_factory):
    """Return a workspace with five problems, one held out, a trace of each, and two drops. Only to be copied."""
    workspace = copy_of(empty, tmp_path_factory.mktemp("five") / "workspace")
    problems = [problem(i) for i in range(4)] + [problem(4, HELDOUT)]
    traces = [trace(p, f"It is {i}.", "imported" if i == 2 else "cot") for i, p in enumerate(problems)]
    write_part(workspace.parts, "r", problems)
    write_part(workspace.parts, "r", traces)
    drops = {problems[0].id: "near duplicate: of another", traces[1].id: "overlap: 0.9 of gsm8k/7: It is 1"}
    steps = ("dedupe problems/1", "decontaminate gsm8k/1")
    named = zip(drops.items(), steps, strict=True)
    write_part(workspace.parts, "d", [Drop(record_id=r, step=step, reason=why) for (r, why), step in named])
    write_part(workspace.parts, "o", [Origin(record_id=traces[2].id, source="x/y", row="train/9", licence="MIT")])
    with open_store(workspace):
        pass
    return workspace


@pytest.fixture
def filled(five, tmp_path):
    return copy_of(five, tmp_path / "workspace")


@pytest.fixture
def run(filled, capsys):
    def export(*argv, root=filled.root):
        status = main(["export", *map(str, argv), "--workspace", str(root)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return export


def exported(run, *argv, **where):
    status, out, err = run(*argv, "--json", **where)
    assert status == 0, err
    counts = json.loads(out)
    assert counts["in"] == counts["kept"] + sum(counts["dropped"].values())
    return counts


def everything(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_a_data_set_loads_with_its_splits(run, tmp_path):
    out = tmp_path / "mine"
    counts = exported(run, "--to", out)
    assert counts == {
        "in": 5,
        "kept": 3,
        "dropped": {"near duplicate": 1, "overlap": 1},
        "splits": {"train": 1, HELDOUT: 1},
    }
    found = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in found.items()} == {"train": 2, HELDOUT: 1}
    row = next(row for row in found["train"] if row["kind"] == "imported")
    said = {name: value for name, value in row["messages"][1].items() if value is not None}
    assert said == {"role": "assistant", "content": "It is 2.", "reasoning": "Add 0."}
    assert (row["learn"], row["source"], row["row"], row["licence"]) == ([False, True], "x/y", "train/9", "MIT")


def test_the_card_tells_counts_licences_teachers_and_what_was_left_out(run, tmp_path):
    out = tmp_path / "mine"
    exported(run, "--to", out)
    card = (out / "README.md").read_text()
    for line in (
        "| train | math | cot | 1 | 20 |",
        "| train | math | imported | 1 | 20 |",
        "| heldout | math | cot | 1 | 20 |",
        "| x/y | MIT | 1 |",
        "| made | not stated | 2 |",
        "| T | 3 |",
        "| decontaminate gsm8k |  | overlap | 1 |",
        "| dedupe problems |  | near duplicate | 1 |",
        "| problems | 5 |",
        "![plots/lengths.png](plots/lengths.png)",
    ):
        assert line in card, line
    assert "\nlicense:" not in card
    assert (out / "plots/lengths.png").read_bytes().startswith(b"\x89PNG")


def test_the_licence_stands_in_the_head_if_it_is_the_only_one(run, tmp_path):
    lines = [{"prompt": "a", "response": "b"}]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    root = tmp_path / "w"
    main(["init", "--workspace", str(root)])
    flags = ["--format", "chat", "--licence", "CC-BY-4.0", "--workspace", str(root)]
    assert main(["problems", "import", str(path), *flags]) == 0
    run("--to", tmp_path / "mine", root=root)
    assert '\nlicense: "cc-by-4.0"\n' in (tmp_path / "mine" / "README.md").read_text()


@pytest.mark.parametrize("what", ["traces", "problems", "attempts"])
def test_every_kind_is_written_in_every_form(finished, run, tmp_path, what):
    root = finished.workspace.root
    for form in ("parquet", "jsonl", "datasets"):
        counts = exported(run, "--to", tmp_path / form, "--format", form, "--what", what, root=root)
        assert counts["kept"] == counts["in"] > 0
    table = pq.read_table(tmp_path / "parquet" / "train-00000.parquet")
    assert table.schema.equals(COLUMNS[what])
    lines = (tmp_path / "jsonl" / "train-00000.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == table["id"].to_pylist()
    loaded = datasets.load_dataset(str(tmp_path / "datasets"), cache_dir=str(tmp_path / "cache"))["train"]
    assert loaded["id"] == table["id"].to_pylist()
    assert sum(len(pq.read_table(p)) for p in (tmp_path / "parquet").glob("*.parquet")) == counts["kept"]


def test_attempts_come_with_their_verdict_and_problems_with_their_difficulty(finished, run, tmp_path):
    root = finished.workspace.root
    exported(run, "--to", tmp_path / "a", "--what", "attempts", "--format", "parquet", root=root)
    attempts = pq.read_table(tmp_path / "a" / "train-00000.parquet").to_pylist()
    with open_snapshot(finished.workspace) as store:
        judged = {row["id"]: row["outcome"] for row in store.rows("FROM judged")}
        measured = store.rows("SELECT count(*) AS n FROM difficulty")[0]["n"]
    assert {row["id"]: row["outcome"] for row in attempts}.items() <= judged.items()
    assert all(row["verifier_version"] for row in attempts)
    exported(run, "--to", tmp_path / "p", "--what", "problems", "--format", "parquet", root=root)
    problems = [row for p in (tmp_path / "p").glob("*.parquet") for row in pq.read_table(p).to_pylist()]
    assert sum(len(row["difficulty"]) for row in problems) == measured > 0


def test_a_manifests_traces_are_its_stages_in_their_order(finished, run, tmp_path):
    root = finished.workspace.root
    counts = exported(run, "--to", tmp_path / "m", "--manifest", "latest", "--format", "parquet", root=root)
    assert set(counts["splits"]) == {"foundation", "correction"}
    (path,) = (root / "manifests").glob("*.json")
    for stage in json.loads(path.read_text())["stages"]:
        files = [*stage["shards"], stage["packing"]]
        *shards, packing = (pq.read_table(root / "curricula" / f"{one['sha256']}.parquet") for one in files)
        ids = [name for shard in shards for name in shard["trace_id"].to_pylist()]
        used = [ids[row] for rows in packing["rows"].to_pylist() for row in rows]
        written = pq.read_table(tmp_path / "m" / f"{stage['name']}-00000.parquet")
        assert written["id"].to_pylist() == list(dict.fromkeys(used))
    counts = exported(run, "--to", tmp_path / "rl", "--manifest", path.stem[:8], "--what", "problems", root=root)
    assert (set(counts["splits"]), counts["kept"]) == (
        {"rl"},
        json.loads(path.read_text())["rl"]["problems"]["num_rows"],
    )
    assert f"manifest `{path.stem}`" in (tmp_path / "rl" / "README.md").read_text()


def test_a_manifest_names_no_attempts(finished, run, tmp_path):
    argv = ("--to", tmp_path / "m", "--manifest", "latest", "--what", "attempts")
    status, _, err = run(*argv, root=finished.workspace.root)
    assert status == 2
    assert "--what attempts takes no --manifest" in err


def test_an_earlier_export_is_replaced_and_equal(run, tmp_path):
    out = tmp_path / "mine"
    exported(run, "--to", out)
    first = everything(out)
    exported(run, "--to", out)
    assert everything(out) == first
    exported(run, "--to", out, "--format", "jsonl")
    assert sorted(everything(out)) == ["gradus-export.json", f"{HELDOUT}-00000.jsonl", "train-00000.jsonl"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("spoil", ["foreign folder", "foreign file in ours", "a file", "a mark that is none"])
def test_what_is_not_ours_is_not_replaced(run, tmp_path, spoil):
    out = tmp_path / "mine"
    if spoil == "foreign file in ours":
        exported(run, "--to", out)
        (out / "notes.txt").write_text("mine")
    elif spoil == "a file":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / ("notes.txt" if spoil == "foreign folder" else folder.MARK)).write_text("mine")
    before = everything(tmp_path)
    status, _, err = run("--to", out)
    assert status == 2
    assert str(out) in err
    assert {name: data for name, data in everything(tmp_path).items() if "workspace" not in name} == {
        name: data for name, data in before.items() if "workspace" not in name
    }


def test_an_empty_folder_is_filled(run, tmp_path):
    (tmp_path / "mine").mkdir()
    assert exported(run, "--to", tmp_path / "mine")["kept"] == 3


def test_an_export_that_fails_leaves_the_earlier_one(run, tmp_path, monkeypatch):
    out = tmp_path / "mine"
    exported(run, "--to", out)
    before = everything(out)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.ParquetRows, "write", full)
    status, _, err = run("--to", out)
    assert (status, len(err.splitlines())) == (4, 1)
    assert everything(out) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_a_killed_export_left_is_taken_up(run, tmp_path):
    """Killed while writing, and killed between the two renames."""
    out = tmp_path / "mine"
    exported(run, "--to", out)
    before = everything(out)
    (tmp_path / ".mine.part" / "data").mkdir(parents=True)
    (tmp_path / ".mine.part" / "data" / "train-00000.parquet").write_bytes(b"half")
    out.rename(tmp_path / ".mine.old")
    exported(run, "--to", out)
    assert everything(out) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_two_exports_into_one_folder_do_not_meet(run, tmp_path):
    with folder.replacing(tmp_path / "mine"):
        status, _, err = run("--to", tmp_path / "mine")
    assert status == 4
    assert "another export is writing it" in err


def test_nothing_to_export_is_said(run, tmp_path, filled):
    status, _, err = run("--to", tmp_path / "mine", "--what", "attempts")
    assert status == 3
    assert "there are no attempts to export" in err
    assert not (tmp_path / "mine").exists()


def test_long_splits_are_cut_into_files(run, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "FILE_BYTES", 1)
    monkeypatch.setattr("gradus.engine.store.BATCH_ROWS", 1)
    counts = exported(run, "--to", tmp_path / "mine")
    assert counts["splits"] == {"train": 2, HELDOUT: 1}
    found = datasets.load_dataset(str(tmp_path / "mine"), cache_dir=str(tmp_path / "cache"))
    assert len(found["train"]) == 2


def test_the_mark_names_every_file_with_its_hash(run, tmp_path):
    out = tmp_path / "mine"
    exported(run, "--to", out)
    mark = json.loads((out / folder.MARK).read_text())
    assert mark["files"] == {name: files.sha256_of(out / name) for name in everything(out) if name != folder.MARK}
    assert (mark["what"], mark["format"], mark["kept"]) == ("traces", "datasets", 3)


def test_what_was_exported_can_be_imported(run, tmp_path):
    exported(run, "--to", tmp_path / "mine", "--format", "jsonl")
    root = tmp_path / "other"
    main(["init", "--workspace", str(root)])
    path = tmp_path / "mine" / "train-00000.jsonl"
    assert main(["problems", "import", str(path), "--format", "chat", "--workspace", str(root), "--json"]) == 0
    with open_snapshot(Workspace(root)) as store:
        row = store.rows("SELECT messages, domain FROM traces ORDER BY messages")[0]
    assert json.loads(row["messages"])[1]["reasoning"] == "Add 0."
