"""Ranks on a Ray cluster of two nodes, on this machine; skipped where ray is not installed."""

import json
import os
import sys
from pathlib import Path

import pytest
from marking import Marking, silent

from gradus.api.cli import main
from gradus.engine.pipeline.executors import ExecutorConfig
from gradus.engine.pipeline.lead import lead
from gradus.engine.store import open_snapshot
from gradus.errors import WorkspaceError

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
NODE = {"num_cpus": 1, "memory": 3 * 2**30, "object_store_memory": 100 * 2**20}


@pytest.fixture(scope="module")
def address():
    """Return the address of a cluster of two nodes with one CPU each."""
    pytest.importorskip("ray", reason="ray is not installed: requirements/peers.txt has it")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        # Ray's workers see neither the test's path nor the interpreter's.
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
        cluster = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
        cluster.add_node(**NODE)
        yield cluster.address
        cluster.shutdown()


@pytest.fixture
def config(address):
    return ExecutorConfig(kind="ray", tasks=2, options={"address": address, "mem_per_cpu_gb": 1})


def test_ranks_work_on_both_nodes_at_once(config, marked, faults):
    (faults / "meet").touch()
    assert lead(marked, Marking(marked, faults), config, progress=silent) == {"in": 40, "marked": 40}
    nodes = {path.read_text() for path in faults.glob("worked-*")}
    assert len(nodes) == 2
    assert "" not in nodes


def test_a_rank_that_fails_is_named_and_done_again(config, marked, faults):
    (faults / "raise-1").touch()
    with pytest.raises(WorkspaceError, match="rank 1: ValueError: the test says so"):
        lead(marked, Marking(marked, faults), config, progress=silent)
    assert lead(marked, Marking(marked, faults), config, progress=silent) == {"in": 40, "marked": 40}


def test_commands_run_on_the_cluster(address, world, capsys):
    flags = ("--executor", "ray", "--tasks", "2", "--executor-option", f"address={address}", "--json")
    flags += ("--executor-option", "mem_per_cpu_gb=1")
    recording = world.recipe_path.parent / "student.jsonl"
    teacher = ("teacher.kind=replay", f"teacher.model={recording}")
    assert main(world.step("sample", "--recipe", str(world.recipe_path), *teacher, *flags)) == 0
    sampled = json.loads(capsys.readouterr().out)
    assert (sampled["attempts"], sampled["made"], sampled["left"]) == (140, 140, 0)
    assert main(world.step("judge", *flags)) == 0
    assert json.loads(capsys.readouterr().out)["judged"] == 140
    assert main(world.step("dedupe", "--near", *flags)) == 0
    assert json.loads(capsys.readouterr().out)["in"] == 40
    with open_snapshot(world.workspace) as store:
        assert store.rows("SELECT count(*) AS n FROM judged") == [{"n": 140}]
