"""Fixtures of the trainer's tests; their helpers are imported from this folder by name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "curricula"))

import tiny

from gradus.kernels import max_logit, poly_norm, token_logprob
from gradus.trainer import platform as platforms
from gradus.trainer.losses import cross_entropy


@pytest.fixture(scope="module", autouse=True)
def _as_without_the_interpreter():
    """Train as a user does: on a CPU with the references, which are hundreds of times faster there."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (token_logprob, poly_norm, max_logit, cross_entropy):
            patch.setattr(module, "runs_triton", lambda tensor: tensor.is_cuda)
        yield


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return tiny.make_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def platform():
    """Join a process group of this process alone; leave it, so that a command can join its own."""
    yield platforms.start()
    platforms.stop()


@pytest.fixture(scope="session")
def python():
    """Start this Python with arguments, like a user would."""
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}

    def start(*arguments):
        command = [sys.executable, *map(str, arguments)]
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    return start
