"""Parts appear whole or not at all, numbered, and say what was put into them."""

import json
import subprocess
import sys
import textwrap

import pyarrow.parquet as pq
import pytest

from gradus.api.cli import main
from gradus.engine.parts import SCHEMAS, list_parts, write_atomically, write_part
from gradus.engine.records import Drop
from gradus.engine.store import open_snapshot, open_store


def test_no_records_write_no_part(tmp_path):
    assert write_part(tmp_path, "run", []) is None
    assert not list(tmp_path.iterdir())


def test_parts_are_numbered_within_run_and_rank(tmp_path, problems):
    drops = [Drop(record_id="a", step="b", reason="c")]
    paths = [write_part(tmp_path, *args) for args in [("r", drops), ("r", problems), ("r", drops), ("q", drops)]]
    paths += [write_part(tmp_path, "r", drops, rank=rank) for rank in (1, 10, 1)]
    assert [str(path.relative_to(tmp_path)) for path in paths] == [
        "drops/r/0-0.parquet",
        "problems/r/0-0.parquet",
        "drops/r/0-1.parquet",
        "drops/q/0-0.parquet",
        "drops/r/1-0.parquet",
        "drops/r/10-0.parquet",
        "drops/r/1-1.parquet",
    ]


def test_a_gap_is_not_filled(tmp_path):
    """A number is never given twice: the store would think that the part is in."""
    drops = [Drop(record_id="a", step="b", reason="c")]
    first, second = (write_part(tmp_path, "r", drops) for _ in range(2))
    first.unlink()
    assert write_part(tmp_path, "r", drops).name == "0-2.parquet"
    assert second.exists()


def test_a_problem_comes_back_as_it_went_in(workspace, problems):
    write_part(workspace.parts, "r", problems)
    with open_store(workspace) as store:
        assert store.problems() == sorted(problems, key=lambda problem: problem.id)


def test_a_part_has_its_tables_schema(tmp_path, problems):
    path = write_part(tmp_path, "r", problems)
    assert pq.read_schema(path).equals(SCHEMAS["problems"])


def test_an_unfinished_part_is_not_listed(tmp_path, problems):
    path = write_part(tmp_path, "r", problems)
    (path.parent / ".0-1.parquet.123.tmp").write_bytes(b"half")
    (path.parent / ".0-1.parquet").write_bytes(b"half")
    assert list(list_parts(tmp_path)) == [("problems", path)]


def test_a_write_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(AttributeError):
        write_atomically(tmp_path / "0-0.parquet", "no table")
    assert not list(tmp_path.iterdir())


FULL_DISK = """
    import resource, sys
    from gradus.api.cli import main
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
    sys.exit(main(sys.argv[2:]))
"""


def on_a_full_disk(limit_bytes, argv):
    command = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(limit_bytes), *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def everything(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != ".lock"}


@pytest.fixture
def many(tmp_path):
    rows = (
        {"prompt": f"What is {i}?", "domain": "math", "verifier": "math", "spec": {"expected": f"{i}"}, "source": "s"}
        for i in range(300)
    )
    path = tmp_path / "many.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    "limit_bytes",
    [
        pytest.param(4_000, id="the part does not fit"),
        pytest.param(40_000, id="the database does not fit"),
    ],
)
def test_a_full_disk_is_one_line_and_harms_nothing(world, many, capfd, limit_bytes):
    argv = world.step("problems", "import", str(many), "--format", "jsonl")
    before = everything(world.workspace.root)
    done = on_a_full_disk(limit_bytes, argv)
    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert not list(world.workspace.root.rglob("*.tmp"))
    lost = {name for name, data in before.items() if everything(world.workspace.root).get(name) != data}
    assert lost <= {"gradus.duckdb"}

    assert main(argv) == 0
    with open_snapshot(world.workspace) as store:
        assert len(store.problems()) == 340


def test_a_checkpoint_that_does_not_fit_hides_nothing(world, many):
    argv = world.step("problems", "import", str(many), "--format", "jsonl")
    on_a_full_disk(2_000_000, argv)
    assert main(argv) == 0
    with open_snapshot(world.workspace) as store:
        assert len(store.problems()) == 340
