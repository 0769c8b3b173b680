import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from slurm_cluster import slurm  # noqa: F401 - a fixture


@pytest.mark.slow
def test_a_batch_script_runs_on_the_cluster(slurm, tmp_path):  # noqa: F811
    out = tmp_path / "out.txt"
    command = ["sbatch", "--wait", f"--output={out}", "--wrap", "echo ran as job $SLURM_JOB_ID"]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    assert out.read_text() == "ran as job 1\n"
    assert os.environ["SLURM_CONF"] == str(slurm)
