"""Every example of the guides to REST runs, against a server of the finished workspace."""

import re
import subprocess
import threading
import time
from pathlib import Path

import pytest
import uvicorn

from gradus.api.app import create_app

DOCS = Path(__file__).parent.parent / "docs"
GUIDES = ("rest.md", "curation.md", "page.md")
ADDRESS = "http://127.0.0.1:8000"
CURL = 'curl() { command curl --fail-with-body --max-time 60 "$@"; }\n'


def examples(language):
    """Return the blocks of a language, each with the name of its guide and its line."""
    for guide in GUIDES:
        text = (DOCS / guide).read_text()
        for found in re.finditer(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, found.start()) + 1
            yield pytest.param(found[1], id=f"{guide}:{line}")


@pytest.fixture
def address(spoilable):
    server = uvicorn.Server(uvicorn.Config(create_app(spoilable.workspace), port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("block", examples("console"))
def test_every_console_example_is_answered(address, tmp_path, block):
    assert "curl" in block
    script = "set -euo pipefail\n" + CURL + block.replace(ADDRESS, address)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", examples("python"))
def test_every_python_example_runs(address, block):
    exec(compile(block.replace(ADDRESS, address), "example", "exec"), {})
