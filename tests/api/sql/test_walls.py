"""Behind the allow-list stand other walls: each holds without the one before it."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from gradus.api.sql import walls

HOSTILE = runpy.run_path(str(Path(__file__).parent / "hostile.py"))
SECRET = "the-secret-of-this-test"
# A process for each text on standard input, walled like a query's: what it says, or how it ended, a line each.
EACH = """
import io, json, os, sys
from gradus.api.sql import walls, zygote
import duckdb
snapshot, folder, limits, texts = json.load(sys.stdin)
walls.give_up_privileges()
refusing = walls.call_filter()
connection = duckdb.connect(":memory:", config=zygote.SETTINGS)
for text in texts:
    reader, writer = os.pipe()
    if os.fork() == 0:
        walls.enclose(snapshot, folder, limits, refusing)
        try:
            said = run(text)
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writer, str(said)[:60000].encode("utf-8", "replace"))
        os._exit(0)
    os.close(writer)
    with io.FileIO(reader) as pipe:
        print(json.dumps(pipe.readall().decode("utf-8", "replace")))
    os.wait()
"""
# DuckDB may do what it likes.
OPEN_QUERY = "def run(text):\n    return connection.execute(text).fetchall()\n"
QUERY = OPEN_QUERY.replace(":\n", ":\n    zygote._open(connection, snapshot, folder, limits)\n")
PYTHON = "import socket, subprocess, signal, pathlib\ndef run(text):\n    return eval(text)\n"


@pytest.fixture
def behind_walls(danger, tmp_path):
    """Return a function that runs texts behind the walls, and says for each what came of it."""

    def run(how, texts, **changes):
        limits = {"timeout_s": 2.0, "memory_mb": 256, "temp_mb": 16, "max_bytes": 1 << 20, "max_rows": 100} | changes
        request = [str(danger.names["snapshot"]), str(tmp_path), limits, texts]
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-c", how + EACH],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.mark.parametrize("how", [QUERY, OPEN_QUERY], ids=["DuckDB's settings hold", "the kernel holds"])
@pytest.mark.parametrize("every", [6, pytest.param(1, marks=pytest.mark.slow)])
def test_without_the_allow_list_there_is_still_no_effect(behind_walls, danger, how, every):
    before, digest = danger.state(), danger.digest()
    harmful = [sql for sql in HOSTILE["REFUSED"] if "GRADUS_TEST_SECRET" not in sql and "sleep" not in sql]
    texts = [danger.fill(sql) for sql in harmful[::every]]
    said = behind_walls(how, texts)
    assert len(said) == len(texts)
    assert not [text for text, words in zip(texts, said, strict=True) if SECRET in words or "root:" in words]
    assert (danger.state(), danger.digest()) == (before, digest)


REFUSED = [
    "open('/etc/passwd').read()",
    "open('{file}').read()",
    "open('/proc/self/environ').read()",
    "open('/proc/1/environ').read()",
    "os.listdir('/')",
    "os.listdir('{folder}')",
    "open('{out}', 'w')",
    "open('{snapshot}', 'r+')",
    "os.truncate('{snapshot}', 0)",
    "os.unlink('{snapshot}')",
    "os.unlink('{file}')",
    "os.rename('{file}', '{out}')",
    "os.chmod('{file}', 0)",
    "os.utime('{file}')",
    "os.mkdir('{out}')",
    "os.symlink('{file}', '{out}')",
    "open('/dev/shm/gradus-probe', 'w')",
    "socket.socket()",
    "socket.socket(socket.AF_UNIX)",
    "socket.create_connection(('127.0.0.1', 9), 0.1)",
    "socket.getaddrinfo('localhost', 80) and socket.socket()",
    "os.fork()",
    "os.execv('/bin/true', ['true'])",
    "subprocess.run(['/bin/true'])",
    "os.posix_spawn('/bin/true', ['true'], {{}})",
    "os.kill(os.getppid(), 0)",
    "os.kill(1, 0)",
    "signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 0)",
    "os.memfd_create('x')",
    "os.setuid(1)",
    "os.chroot('/')",
    "bytearray(2 << 30)",
    "walls.resource.setrlimit(walls.resource.RLIMIT_AS, (-1, -1))",
    "[os.open('/dev/null', 0) for _ in range(100)]",
    "pathlib.Path(folder, 'x').write_bytes(bytes(64 << 20))",
]


def test_python_itself_is_walled_in(behind_walls, danger):
    before = danger.state()
    said = behind_walls(PYTHON, [danger.fill(text.replace("{{}}", "{}")) for text in REFUSED], timeout_s=60.0)
    shut = ("PermissionError", "OSError", "MemoryError", "ValueError")
    escaped = [(text, words) for text, words in zip(REFUSED, said, strict=True) if not words.startswith(shut)]
    assert not escaped
    assert danger.state() == before


def test_what_a_query_needs_is_there(behind_walls, danger):
    allowed = [
        f"len(open({str(danger.names['snapshot'])!r}, 'rb').read(100))",
        "pathlib.Path(folder, 'x').write_text('y')",
        "len(bytearray(100 << 20)) >> 20",
        "walls.missing(network_left=True, privileges_dropped=True)",
    ]
    assert behind_walls(PYTHON, allowed, timeout_s=60.0) == ["100", "1", "100", "[]"]


def test_the_kernel_ends_a_query_that_the_server_forgets(behind_walls):
    assert behind_walls(PYTHON, ["[0 for _ in iter(int, 1)]"], timeout_s=0.3) == [""]


def test_what_a_machine_lacks_is_said(monkeypatch):
    assert walls.missing(network_left=False, privileges_dropped=True) == []
    monkeypatch.setattr(walls.landlock, "version", lambda: 0)
    monkeypatch.setattr(walls.seccomp, "prepare", lambda *_, **__: None)
    said = walls.missing(network_left=False, privileges_dropped=False)
    assert [words.partition(":")[0] for words in said] == ["other files", "system calls", "the network", "privileges"]
