"""Several processes under torchrun end in one error, and with the trainer's own status."""

import pytest
import tiny


@pytest.fixture
def started(model, tmp_path, python):
    """Start two processes on a small curriculum with settings; return the status and what was said."""
    manifest = tiny.make_manifest(tmp_path, model, stages=[tiny.make_stage(tmp_path, "one")])
    (tmp_path / "run").mkdir()

    def start(*settings):
        launch = ["-m", "gradus.trainer.processes", "--standalone", "--nproc-per-node=2", "-m", "gradus.trainer.sft"]
        where = ["--manifest", manifest, "--model", model, "--run", tmp_path / "run"]
        process = python(*launch, "--", *where, *settings)
        _, said = process.communicate(timeout=120)
        return process.returncode, said

    return start


@pytest.mark.slow
def test_what_every_process_refuses_is_said_once_and_kept(started, tmp_path):
    status, said = started("parallel.context=3")
    assert status == 2
    assert said.count("error: ") == 1, said
    assert "Traceback" not in said
    assert "do not multiply to 2, the number of processes" in (tmp_path / "run" / "error.json").read_text()
