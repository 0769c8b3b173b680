"""The sandbox: what a program cannot reach, what it cannot use up, and that nothing stays behind."""

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gradus.verifiers.sandbox import launch, local, zygote
from gradus.verifiers.sandbox.client import Job, available, run
from gradus.verifiers.sandbox.plain import NotPlainError, decode, encode


def script(source: str, **limits):
    return run(Job(mode="script", source=source, **{"timeout_s": 3.0, **limits}))[0]


def refused(statement: str) -> bool:
    """Whether the statement raises OSError, or ValueError for a limit, inside."""
    body = "\n    ".join(statement.splitlines())
    done = script(
        f"import os, socket, subprocess, ctypes\ntry:\n    {body}\n    print('done')"
        "\nexcept (OSError, ValueError): print('refused')"
    )
    assert done.stdout.strip() in {"done", "refused"}, done
    return done.stdout.strip() == "refused"


def test_it_works_here():
    assert available() is None


def test_nothing_of_the_machine_is_there():
    for path in ("/proc", "/sys", "/home", "/etc/passwd", str(Path(__file__).resolve())):
        assert script(f"import os\nprint(os.path.exists({path!r}))").stdout == "False\n"
    assert script("import os\nprint(os.listdir('.'))").stdout == "[]\n"


@pytest.mark.parametrize(
    "statement",
    [
        "open('/etc/passwd').read()",
        "open('/proc/self/environ').read()",
        f"open({str(Path(__file__).resolve())!r}).read()",
        "open('/escape', 'w')",
        "open('/usr/escape', 'w')",
        "open('/code/gradus/verifiers/sandbox/child.py', 'a')",
        "open('/dev/escape', 'w')",
        "os.symlink('/tmp', '/root/x')",
        "socket.create_connection(('127.0.0.1', 80), 1)",
        "socket.create_connection(('1.1.1.1', 53), 1)",
        "socket.socket(socket.AF_UNIX)",
        "os.fork()",
        "subprocess.run(['/bin/true'])",
        "os.execv('/bin/true', ['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.kill(1, 9)",
        "os.kill(-1, 9)",
        "import resource\nresource.prlimit(1, resource.RLIMIT_CPU, (1, 1))",
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
        "os.sched_setaffinity(1, {0})",
        "os.setuid(0)",
    ],
)
def test_it_is_refused(statement):
    assert refused(statement)


def test_system_calls_that_open_the_kernel_are_refused():
    calls = [272, 101, 165, 321, 425, 323, 250, 310, 29] if os.uname().machine == "x86_64" else [97, 117, 40, 280, 425]
    source = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    source += f"print([(libc.syscall(n, 0, 0, 0, 0, 0), ctypes.get_errno()) for n in {calls}])"
    assert script(source).stdout.strip() == str([(-1, 1)] * len(calls))


def test_the_environment_is_empty(monkeypatch):
    monkeypatch.setenv("SECRET", "swordfish")
    local.forget()
    assert "swordfish" not in script("import os\nprint(dict(os.environ))").stdout


def test_nothing_stays_for_the_next_program():
    source = "import os\nprint(os.listdir('/tmp'))\nos.mkdir('/tmp/a')\nopen('/tmp/a/b', 'w').write('x')\n"
    source += "os.chmod('/tmp/a', 0)\nimport json\njson.dumps = None"
    assert [script(source).stdout, script(source).stdout] == ["[]\n", "[]\n"]


@pytest.mark.parametrize(
    "source",
    [
        "while True: pass",
        "import time\ntime.sleep(60)",
        "import signal\nfor s in {*range(1, 32)} - {9, 19}: signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
        "9 ** 9 ** 9 ** 9",
        "import threading, time\nfor _ in range(20): threading.Thread(target=time.sleep, args=(60,)).start()",
    ],
)
def test_time_is_up_when_it_is_up(source):
    start = time.perf_counter()
    done = script(source, timeout_s=0.4)
    assert not done.in_time
    assert time.perf_counter() - start < 1.5


@pytest.mark.parametrize(
    "source",
    [
        "x = bytearray(10**10)",
        "x = []\nwhile True: x.append(bytearray(10**7))",
        "print('x' * 10**7)",
        "open('/tmp/big', 'wb').write(bytes(10**8))",
        "import os\nn = 0\nwhile True:\n    n += 1\n    os.open('/dev/null', 0)",
        "def f(n): return f(n + 1)\nf(0)",
        "import ctypes\nctypes.string_at(0)",
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
    ],
)
def test_a_greedy_program_ends_with_an_error_and_the_next_one_runs(source):
    done = script(source)
    assert done.exit_code != 0
    assert len(done.stdout) <= 4 << 20
    assert script("print('next')").stdout == "next\n"


def test_the_zygote_refuses_to_be_anything_but_process_one():
    with pytest.raises(RuntimeError, match="process 1"):
        zygote._confine({"namespaces": True}, None)


def test_two_runs_agree():
    source = "import random\nprint(random.random(), {'a', 'b', 'c'}, hash('x'))"
    first = script(source).stdout
    local.forget()
    assert script(source).stdout == first


def test_a_dead_zygote_is_replaced():
    script("pass")
    local._mine(local.PLAIN).started.process.kill()
    assert script("print('again')").stdout == "again\n"


def test_threads_have_a_sandbox_each_and_leave_none():
    seen: dict[int, tuple[int, str]] = {}

    def work(number: int) -> None:
        done = script(f"print({number})")
        seen[number] = (local._mine(local.PLAIN).started.process.pid, done.stdout)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [text for _, (_, text) in sorted(seen.items())] == ["0\n", "1\n", "2\n"]
    pids = {pid for pid, _ in seen.values()}
    assert len(pids) == 3
    assert _wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def test_a_forked_process_gets_its_own():
    script("pass")
    mine = local._mine(local.PLAIN).started.process.pid
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(
        target=lambda: queue.put((script("print('child')").stdout, local._mine(local.PLAIN).started.process.pid))
    )
    child.start()
    child.join(20)
    stdout, theirs = queue.get()
    assert stdout == "child\n"
    assert theirs != mine
    assert script("print('parent')").stdout == "parent\n"
    assert local._mine(local.PLAIN).started.process.pid == mine


@pytest.mark.parametrize("end", ["", "import os; os._exit(1)", "import os; os.kill(os.getpid(), 9)"])
def test_no_process_outlives_its_owner(end):
    code = "from gradus.verifiers.sandbox import client, local\nassert client.available() is None\n"
    code += f"print(local._mine(local.PLAIN).started.process.pid, flush=True)\n{end}"
    pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout)
    assert _wait_until(lambda: not Path(f"/proc/{pid}").exists())


def test_a_machine_that_cannot_isolate_says_why(monkeypatch):
    local.forget()
    said = "setting up uid map: Permission denied"
    monkeypatch.setattr(launch, "_python", lambda *_: ["/bin/sh", "-c", f"echo '{said}' >&2"])
    reason = available()
    assert reason
    assert said in reason
    assert "apparmor_restrict_unprivileged_userns=0" in reason


def test_a_program_is_not_run_where_it_cannot_be_isolated(monkeypatch):
    from gradus.verifiers.base import verify

    local.forget()
    monkeypatch.setattr(launch, "_python", lambda *_: ["/bin/false"])
    verdict = verify("code", "def f(): return 1", {"tests": ["assert f() == 1"]})
    assert verdict.outcome == "verifier_error"
    assert "sandbox cannot start" in verdict.reason


VALUES = [
    None,
    True,
    -1,
    10**5000,
    0.1,
    float("inf"),
    1 - 2j,
    "ä\ud800",
    b"\x00",
    [],
    (1, [2]),
    {3},
    frozenset({4}),
    {5: {"a": None}},
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_plain_data_comes_back_as_it_was(value):
    back = decode(encode(value))
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    "encoded",
    [["int", "x"], ["int", 3], ["bool", 1], ["set", [["list", []]]], ["object", None], ["dict", 3], "x", None, []],
)
def test_forged_data_is_refused(encoded):
    with pytest.raises(NotPlainError):
        decode(encoded)


def _wait_until(holds, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()
