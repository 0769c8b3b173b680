"""A stage is complete when its counts say so, whatever its ranks, markers and writers do."""

import fcntl
import os

import pytest
from marking import Marking, silent

from gradus.engine.parts import write_part
from gradus.engine.pipeline.executors import ExecutorConfig
from gradus.engine.pipeline.lead import lead
from gradus.engine.pipeline.rank import Launch, RankStep
from gradus.engine.records import Drop
from gradus.engine.store import open_snapshot
from gradus.errors import ConfigError, WorkspaceError

TWO = ExecutorConfig(tasks=2)


@pytest.fixture
def run(marked, faults):
    """Return a function that runs the marking stage on two ranks."""

    def start(settings="as ever", config=TWO):
        return lead(marked, Marking(marked, faults, settings), config, progress=silent)

    return start


@pytest.fixture
def done(marked):
    """Return the workspace with all problems marked, so that no rank writes anything."""
    with open_snapshot(marked) as store:
        problems = store.problems()
    write_part(marked.parts, "by-hand", [Drop(record_id=p.id, step="mark", reason="by hand") for p in problems])
    return marked


def num_marked(workspace):
    with open_snapshot(workspace) as store:
        return store.rows("SELECT count(*) AS n FROM drops WHERE step = 'mark'")[0]["n"]


def folder(workspace):
    (found,) = (workspace.root / "pipeline/mark").iterdir()
    return found


def mark_complete(workspace, *ranks):
    """Leave datatrove's markers, which a launch that ended well has not."""
    (folder(workspace) / "completions").mkdir()
    for rank in ranks:
        (folder(workspace) / f"completions/{rank:05d}").touch()


@pytest.mark.slow
def test_ranks_do_all_of_it_once(run, marked, faults):
    assert run() == {"in": 40, "marked": 40}
    assert run() == {"in": 40, "marked": 40}
    assert len(list(marked.parts.glob("drops/mark/*.parquet"))) == 4  # two a rank, none of the second run


@pytest.mark.slow
def test_a_writer_that_loses_a_row_is_found_out(run, marked, faults):
    (faults / "swallow-1").touch()
    with pytest.raises(WorkspaceError, match="wrote 40 records, but the database took in 39"):
        run()
    assert run() == {"in": 40, "marked": 40}


@pytest.mark.slow
def test_a_rank_that_fails_leaves_the_others_alone(run, marked, faults):
    (faults / "raise-1").touch()
    with pytest.raises(WorkspaceError, match="rank 1: ValueError: the test says so"):
        run()
    assert 0 < num_marked(marked) < 40  # all of rank 0, and what rank 1 had written
    assert run() == {"in": 40, "marked": 40}


@pytest.mark.slow
def test_a_rank_that_is_killed_is_missed(run, marked, faults):
    (faults / "kill-0").touch()
    with pytest.raises(WorkspaceError, match="rank 0 with exit code -9; rank 0 left no report"):
        run()
    assert run() == {"in": 40, "marked": 40}


def test_a_marker_of_datatrove_proves_nothing(run, done):
    run()
    mark_complete(done, 0)
    (folder(done) / "reports/00000.json").unlink()
    with pytest.raises(WorkspaceError, match="rank 0 left no report"):
        run()
    assert run() == {"in": 40, "marked": 40}


def test_what_was_done_counts_only_for_the_same_settings(run, done, faults):
    run()
    mark_complete(done, 0, 1)  # as when the leader is killed at the very end
    run()
    assert len(list(faults.glob("worked-*"))) == 2
    run("otherwise")
    assert len(list(faults.glob("worked-*"))) == 4


def test_nobody_leads_while_ranks_of_before_are_at_work(run, marked):
    root = marked.root / "pipeline"
    root.mkdir()
    with (root / ".ranks").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        with pytest.raises(WorkspaceError, match="still at work"):
            run()


def test_a_rank_of_before_gives_up(marked, faults):
    root = marked.root / "pipeline"
    (root / "mark/key").mkdir(parents=True)
    (root / "current").write_text("of now")
    late = Launch(
        id="of before",
        key="key",
        root=root,
        stage="mark",
        snapshot=marked.snapshots / "current.duckdb",
        cores=1,
        directory=os.getcwd(),  # noqa: PTH109 - as the launch has it
    )
    with pytest.raises(WorkspaceError, match="given up"):
        list(RankStep(Marking(marked, faults), late).run(rank=0, world_size=2))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (ExecutorConfig(options={"partition": "x"}), "has no option partition"),
        (ExecutorConfig(kind="slurm", options={"partition": "x"}), "needs --executor-option time=…"),
    ],
)
def test_wrong_options_are_refused_before_anything_starts(run, config, said):
    with pytest.raises(ConfigError, match=said):
        run(config=config)
