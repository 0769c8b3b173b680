"""What hostile SQL could harm: a folder with a secret, a workspace, a server on the network; and a server to ask."""

import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

SECRET = "the-secret-of-this-test"


@dataclass
class Danger:
    """Where harm would be seen."""

    folder: Path
    workspace: Path
    listener: socket.socket
    callers: list = field(default_factory=list)

    @property
    def names(self):
        """Return what the statements of hostile.py call things."""
        return {
            "out": self.folder / "out",
            "file": self.folder / "secret.csv",
            "folder": self.folder,
            "snapshot": (self.workspace / "snapshots/current.duckdb").resolve(),
            "url": f"http://127.0.0.1:{self.listener.getsockname()[1]}",
        }

    def fill(self, sql):
        """Return a statement of hostile.py with the names put in."""
        for name, value in self.names.items():
            sql = sql.replace("{" + name + "}", str(value))
        return sql

    def state(self):
        """Return what would change by any effect: every file of folder and workspace, and who called."""
        files = [path for root in (self.folder, self.workspace) for path in root.rglob("*") if path.is_file()]
        return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in files}, list(self.callers)

    def digest(self):
        """Return a hash of the snapshot."""
        return hashlib.sha256(self.names["snapshot"].read_bytes()).hexdigest()

    def listen(self):
        while True:
            try:
                caller, address = self.listener.accept()
            except OSError:
                return
            self.callers.append(address)
            caller.close()


@pytest.fixture(scope="session")
def danger(finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("canary")
    (folder / "secret.csv").write_text(SECRET)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Danger(folder, finished.workspace.root, listener)
        threading.Thread(target=found.listen, daemon=True).start()
        yield found
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="session")
def server(finished):
    """Start `gradus serve` with a secret in its environment, and return a client of it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gradus",
        "serve",
        "--port",
        str(port),
        "--workspace",
        str(finished.workspace.root),
    ]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=os.environ | {"GRADUS_TEST_SECRET": SECRET}, **quiet)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            for _ in range(600):
                try:
                    client.post("/v1/sql", json={"query": "SELECT 1"}).raise_for_status()
                    break
                except httpx.HTTPError:
                    assert process.poll() is None, "the server ended"
                    time.sleep(0.1)
            yield client
    finally:
        process.terminate()
        process.wait()
