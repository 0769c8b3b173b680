"""What the kernel keeps a query from, whatever DuckDB does. Runs in the zygote and in each query's process.

The zygote gives up every capability and the network; each query's process can then read one file, the snapshot, write
in one folder, its temporary one, start nothing, open no socket, signal nobody, and use so much memory, processor time
and space in a file. It shares the user with the server. Not covered: how many files it makes in its folder (DuckDB's
own limit holds unless DuckDB itself is broken), and a hole in the kernel.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import resource
import signal
from pathlib import Path
from typing import Any

from gradus.verifiers.sandbox import descendants, landlock, seccomp

NEW_UTS, NEW_IPC, NEW_USER, NEW_NET = 0x04000000, 0x08000000, 0x10000000, 0x40000000
PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 4, 38
CAPABILITY_VERSION_3 = 0x20080522
HEADROOM_BYTES = 512 << 20
"""What a query may take beyond DuckDB's own limit: values in the making, and the libraries' own use."""
MAX_FILES = 64
GRACE_S = 0.25
"""The server kills a late query; should it be late itself, the kernel does so this much later."""

_libc = ctypes.CDLL(None, use_errno=True)


def leave_network() -> bool:
    """Move this process, which must have one thread, to a network of its own, with nothing in it."""
    apart = NEW_UTS | NEW_IPC | NEW_NET
    return _libc.unshare(apart) == 0 or _libc.unshare(apart | NEW_USER) == 0


def give_up_privileges() -> bool:
    """Drop all capabilities, for good; False if the kernel refuses."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    dropped = _libc.capset(header, (ctypes.c_uint32 * 6)()) == 0
    _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    return _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 and dropped


def missing(*, network_left: bool, privileges_dropped: bool) -> list[str]:
    """Return what this machine does not keep a query from, in words; DuckDB's own settings still do."""
    filtered, landlocked = call_filter() is not None, landlock.version() > 0
    kept = {
        "other files: no Landlock in this kernel (5.13 or later has it)": landlocked,
        "system calls: no filter for this kind of processor": filtered,
        "the network: no namespace of its own, and no filter": network_left or filtered,
        "privileges: the kernel did not let it drop them": privileges_dropped,
    }
    return [words for words, there in kept.items() if not there]


def call_filter() -> seccomp.Filter | None:
    """Return the filter over system calls; making it takes longer than putting it up."""
    return seccomp.prepare("program", signals=False, metadata=False)


def enclose(snapshot: str, folder: str, limits: dict[str, Any], refusing: seccomp.Filter | None) -> None:
    """Put up the walls around one query's process, before it has read any SQL; they cannot be taken down."""
    descendants.die_with_parent()
    _limit_resources(limits)
    # The kernel's own clock: SIGALRM ends a process.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limits["timeout_s"] + GRACE_S)
    rules = landlock.prepare([snapshot], folder, command=False)
    if rules is not None:
        landlock.apply(rules)
        os.close(rules)
    if refusing is not None:
        seccomp.apply(refusing)


def _limit_resources(limits: dict[str, Any]) -> None:
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    memory = mapped + (limits["memory_mb"] << 20) + HEADROOM_BYTES
    cpu_s = math.ceil(limits["timeout_s"] + 1) * (os.cpu_count() or 1)
    file_bytes = (limits["temp_mb"] << 20) + limits["max_bytes"]
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, MAX_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError):  # where less than that is allowed anyway
            resource.setrlimit(what, (most, most))
