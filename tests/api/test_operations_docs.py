"""What docs/operations.md shows is what happens."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def shown():
    """Yield every command of the page with the output it is shown with."""
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL):
        for command, _, output in (part.partition("\n") for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]):
            yield command, output


def matches(expected, found):
    """Compare, … standing for anything; a line that is … alone for any lines."""
    pattern = re.escape(expected.strip()).replace("…", ".*").replace(r"\ ", r"\s+")
    return re.fullmatch(pattern + r"\s*", found.strip(), re.DOTALL)


@pytest.mark.slow
def test_the_commands_of_the_page_do_what_it_shows(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in ("init", "problems generate --generator arithmetic --num 5"):
        subprocess.run(["gradus", *command.split()], cwd=tmp_path, env=environment, check=True, capture_output=True)
    serve = ["gradus", "serve", "--port", str(port)]
    shell = subprocess.Popen(
        ["bash"],
        cwd=tmp_path,
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with subprocess.Popen(serve, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(200):
                with socket.socket() as knock:
                    if knock.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            for command, output in shown():
                shell.stdin.write(command.replace("8000", str(port)) + "\necho; echo END\n")
                shell.stdin.flush()
                found = "".join(iter(shell.stdout.readline, "END\n"))
                assert matches(output, found), f"{command}\n--- the page\n{output}\n--- in truth\n{found}"
        finally:
            shell.kill()
            shell.communicate()
            server.terminate()
