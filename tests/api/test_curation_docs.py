"""What docs/curation.md shows works as it stands there: every request against a server, every command line parsed."""

import json
import re
import shlex
import subprocess
import threading
import time
from pathlib import Path

import pytest
import uvicorn

from gradus.api.app import create_app
from gradus.api.cli import parser

TEXT = (Path(__file__).parents[2] / "docs" / "curation.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]


@pytest.fixture
def server(spoilable):
    """Serve a finished workspace; yield the address."""
    server = uvicorn.Server(uvicorn.Config(create_app(spoilable.workspace), port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_every_request_is_answered(server):
    for block in BLOCKS:
        assert "http://127.0.0.1:8000" in block
        words = block.replace("http://127.0.0.1:8000", server).replace("curl -s", "curl -s --fail-with-body")
        done = subprocess.run(["bash", "-o", "pipefail", "-c", words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (block, done.stdout, done.stderr)
        json.loads(done.stdout)
    excluded = json.loads(subprocess.run(["curl", "-s", f"{server}/v1/labels"], capture_output=True, check=True).stdout)
    assert len(excluded["rows"]) == 8


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_line_is_one_of_ours(line):
    words = shlex.split(line)
    assert parser().parse_args(words[1:]).command == words[1]
