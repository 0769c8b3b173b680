"""The sandbox without namespaces, commands, and the test it makes of itself."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradus.verifiers.sandbox import landlock, launch, local, probes, seccomp
from gradus.verifiers.sandbox.client import Case, Job, available, run
from gradus.verifiers.sandbox.launch import SandboxUnavailableError

WAYS = (launch.with_namespaces, launch.without_namespaces)
COMMANDS = launch.Kind((), True)


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def way(request, monkeypatch):
    """Both ways to keep a program in; a machine that forbids namespaces fails half of these tests."""
    for kind in (local.PLAIN, COMMANDS):
        local.forget(kind)
    monkeypatch.setattr(local, "WAYS", (request.param,))
    yield request.param
    for kind in (local.PLAIN, COMMANDS):
        local.forget(kind)


def script(source, **limits):
    return run(Job(mode="script", source=source, **{"timeout_s": 3.0, **limits}))[0]


def shell(line, **more):
    return run(Job(mode="command", command=("/bin/sh", "-c", line), **{"timeout_s": 3.0, **more}))[0]


def test_every_way_out_is_shut(way):
    layers, found = local.test()
    assert layers["namespaces"] is (way is launch.with_namespaces)
    assert [one.name for one in found if not one.shut] == []
    assert len(found) > 25


def test_the_test_of_itself_is_quick():
    local.test()
    start = time.perf_counter()
    local.test()
    assert time.perf_counter() - start < 2


def test_a_sandbox_that_does_not_hold_is_refused_unless_told(monkeypatch):
    local.forget()
    monkeypatch.setattr(local, "_holds", False)
    monkeypatch.setitem(probes.STATEMENTS, "arithmetic", "1 + 1")
    assert "not refused arithmetic" in available()
    with pytest.raises(SandboxUnavailableError, match="local:degraded"):
        script("print(1)")
    monkeypatch.setenv("GRADUS_SANDBOX_URL", "local:degraded")
    assert script("print(1)").stdout == "1\n"


def test_a_missing_layer_shows_in_the_probes(monkeypatch):
    """Without namespaces and Landlock, the files of the machine are open, and it says so."""
    local.forget()
    monkeypatch.setattr(local, "WAYS", (launch.without_namespaces,))
    monkeypatch.setattr(local, "_holds", False)
    blind = "from gradus.verifiers.sandbox import landlock\nlandlock.version = lambda: 0\n"
    monkeypatch.setattr(launch, "MAIN", launch.MAIN.replace("from gradus", blind + "from gradus", 1))
    reason = available()
    local.forget()
    assert reason
    assert "files of the machine" in reason
    assert "network" not in reason


@pytest.mark.parametrize(
    "source",
    [
        "while True: pass",
        "import time\ntime.sleep(60)",
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
        "import signal\nfor s in {*range(1, 32)} - {9, 19}: signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
    ],
)
def test_time_is_up_when_it_is_up(way, source):
    script("pass")
    start = time.perf_counter()
    assert not script(source, timeout_s=0.3).in_time
    assert time.perf_counter() - start < 1.3


@pytest.mark.parametrize(
    "source",
    [
        "import os\nfor i in range(60):\n    os.mkdir('d')\n    os.chdir('d')",
        "import os\nos.mkdir('a')\nopen('a/b', 'w').write('x')\nos.symlink('/usr', 'a/c')\nos.link('a/b', 'd')",
        "import os\nos.mkdir('a', 0)\nos.mkdir('b', 0)",
        "for i in range(3000): open(str(i), 'w')",
        "import os\nos.mkfifo('p')",
    ],
)
def test_what_a_program_leaves_is_gone(way, source):
    script(source)
    assert script("import os\nprint(os.listdir())").stdout == "[]\n"


def test_a_full_scratch_folder_ends_the_program(way):
    source = "import itertools\nfor i in itertools.count(): open(f'{i}', 'wb').write(bytes(4_000_000))"
    assert script(source, timeout_s=20.0).exit_code != 0
    assert script("import os\nprint(os.listdir())").stdout == "[]\n"


@pytest.mark.skipif(not shutil.which("g++", path="/usr/bin"), reason="no g++ in /usr/bin")
def test_a_compiler_runs_and_so_does_what_it_made(way):
    source = b"#include <iostream>\nint main() { long x; std::cin >> x; std::cout << x * 2 << std::endl; }"
    compiled = run(
        Job(
            mode="command",
            files=(("main.cpp", source),),
            command=("g++", "-o", "program", "main.cpp"),
            keep=("program",),
            timeout_s=30.0,
        )
    )[0]
    assert compiled.exit_code == 0, compiled.stderr
    files = (("program", compiled.files["program"]),)
    done = run(Job(mode="command", files=files, command=("./program",), cases=(Case(stdin="4"), Case(stdin="-5"))))
    assert [one.stdout for one in done] == ["8\n", "-10\n"]


@pytest.mark.skipif(not shutil.which("node", path="/usr/bin"), reason="no node in /usr/bin")
def test_node_runs(way):
    done = run(Job(mode="command", files=(("a.js", b"console.log(6 * 7)"),), command=("node", "a.js"), timeout_s=20.0))
    assert done[0].stdout == "42\n", done


@pytest.mark.parametrize(
    "line",
    [
        "cat /etc/passwd",
        "cat /proc/1/environ",
        "echo x > /usr/x",
        "echo x > /dev/shm/x",
        "ls /root/",
        "unshare -U true",
        "mount -t tmpfs x /tmp",
        "kill -0 1",
        "python3 -c 'import socket; socket.socket()'",
    ],
)
def test_a_command_is_refused_it(way, line):
    assert shell(line).exit_code != 0


@pytest.mark.parametrize("line", ["f() { f | f & }; f; sleep 9", "sleep 60 & sleep 60", "setsid sh -c 'sleep 60 &'"])
def test_a_commands_processes_end_with_it(way, line):
    shell("true")
    start = time.perf_counter()
    shell(line, timeout_s=0.5)
    assert time.perf_counter() - start < 4
    assert shell("echo next").stdout == "next\n"
    (zygote,) = _children(local._mine(COMMANDS).started.process.pid)
    end = time.monotonic() + 2
    while _below(zygote) and time.monotonic() < end:
        time.sleep(0.02)
    assert not _below(zygote)


def test_a_shared_anonymous_flood_is_refused_to_commands(way):
    source = "import mmap\nmmap.mmap(-1, 1 << 20)"
    assert shell(f'python3 -c "{source}"').exit_code != 0 or shutil.which("python3", path="/usr/bin") is None


def test_libraries_are_there_when_asked_for(way):
    job = Job(mode="script", source="import numpy\nprint(numpy.arange(4).sum())", libraries=("numpy",))
    assert run(job)[0].stdout == "6\n"
    local.forget(launch.Kind(("numpy",), False))
    assert "ModuleNotFoundError" in script("import numpy").result
    with pytest.raises(SandboxUnavailableError, match="pip install no_such_package"):
        run(Job(mode="script", libraries=("no_such_package",)))


def test_descriptors_do_not_leak():
    script("pass")
    before = _num_open()
    for number in range(100):
        script(f"import os\nos.dup(1)\nprint({number})", timeout_s=1.0)
    assert _num_open() == before
    seen = {script("import os\nprint(os.open('/dev/null', 0))").stdout for _ in range(20)}
    assert seen == {"4\n"}


def test_a_killed_owner_leaves_no_process(way):
    code = "import sys, time\nfrom gradus.verifiers.sandbox import client, launch, local\n"
    code += f"local.WAYS = (launch.{way.__name__},)\nassert client.available() is None\n"
    code += "started = local._mine(local.PLAIN).started\nprint(started.process.pid, started.scratch, flush=True)\n"
    code += "client.run(client.Job(mode='script', source='while True: pass', timeout_s=60.0))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
        root, left = owner.stdout.readline().split()
        root = int(root)
        time.sleep(0.3)
        tree = _below(root) | {root}
        assert len(tree) >= 3
        owner.kill()
    end = time.monotonic() + 5
    while any(_runs(pid) for pid in tree) and time.monotonic() < end:
        time.sleep(0.02)
    assert not any(_runs(pid) for pid in tree)
    if left != "None":
        shutil.rmtree(left)


def test_the_filter_knows_both_machines(monkeypatch):
    for machine in ("x86_64", "aarch64"):
        monkeypatch.setattr(seccomp.platform, "machine", lambda machine=machine: machine)
        for kind in ("program", "mother", "command"):
            assert seccomp.prepare(kind, signals=False, metadata=False).length < 400
    monkeypatch.setattr(seccomp.platform, "machine", lambda: "riscv64")
    assert seccomp.prepare("program", signals=False, metadata=False) is None


def test_a_kernel_without_landlock_is_noticed(monkeypatch):
    monkeypatch.setattr(landlock, "version", lambda: 0)
    assert landlock.prepare(["/usr"], "/tmp", command=False) is None


def test_the_zygote_does_not_grow():
    local.forget()
    script("pass")
    (zygote,) = _children(local._mine(local.PLAIN).started.process.pid)
    before = _memory_kb(zygote)
    for number in range(150):
        script(f"print('x' * {number * 1000})\nraise ValueError({number})")
    assert _memory_kb(zygote) < before + 4096


def test_a_zygote_that_does_not_answer_is_replaced(monkeypatch):
    script("pass")
    (zygote,) = _children(local._mine(local.PLAIN).started.process.pid)
    os.kill(zygote, signal.SIGSTOP)
    monkeypatch.setattr(local, "GRACE_S", 0.2)
    assert script("print('again')", timeout_s=1.0).stdout == "again\n"
    assert not _runs(zygote)


def test_noise_of_any_kind_comes_back_as_text():
    done = script(
        "import os\nos.write(1, bytes(range(256)) * 1000)\nos.write(2, b'\\xff' * 99)\nos.write(3, b'\\x00\\xfe')"
    )
    assert len(done.stdout) >= 128_000
    assert done.stderr == "\ufffd" * 99
    assert run(Job(mode="script", source="print(ascii(input()))", cases=(Case(stdin="\udcff"),)))[0].exit_code == 1


def _num_open():
    return len(list(Path("/proc/self/fd").iterdir()))


def _processes():
    return {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()}


def _memory_kb(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4


def _children(started):
    """Return the process of the sandbox that forks: bubblewrap's child, or the zygote itself."""
    below = {pid for pid in _below(started) if _parent(pid) == started}
    return sorted(below) or [started]


def _below(root):
    found, ahead = set(), [root]
    while ahead:
        above = ahead.pop()
        new = {pid for pid in _processes() if _parent(pid) == above}
        found |= new
        ahead += new
    return found


def _parent(pid):
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
