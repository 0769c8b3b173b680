"""Landlock: which files, ports and processes a program can reach, kept by the kernel. Runs in the sandbox.

Needs no privilege. Reading is allowed below the folders named, writing in the scratch folder and /dev/null;
TCP (kernel 6.7) and signals and abstract sockets to the outside (6.12) are refused. It does not hide that
a file exists, nor its size, and does not guard modes, owners and times: seccomp.py does, where it matters.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable

CREATE, ADD_RULE, RESTRICT = 444, 445, 446
VERSION_ONLY, PATH_BENEATH = 1, 1
EXECUTE, WRITE, READ, LIST = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REFER, TRUNCATE, IOCTL = 1 << 13, 1 << 14, 1 << 15
# Removing, and making files, folders and links, but no devices and sockets.
CHANGE = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 12
# Rights by the version that brought them.
FILES = {1: (1 << 13) - 1, 2: REFER, 3: TRUNCATE, 5: IOCTL}
PORTS_SINCE, SCOPES_SINCE = 4, 6
TCP, SCOPES = 3, 3
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")

_libc = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("ports", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """Return the kernel's version of Landlock, 0 if it has none."""
    return max(0, int(_libc.syscall(CREATE, None, ctypes.c_size_t(0), VERSION_ONLY)))


def prepare(readable: Iterable[str], scratch: str, *, command: bool) -> int | None:
    """Return a set of rules as a file descriptor, to be applied in every child; None without Landlock."""
    found = version()
    if not found:
        return None
    handled = sum(rights for since, rights in FILES.items() if since <= found)
    wanted = _Ruleset(handled, TCP * (found >= PORTS_SINCE), SCOPES * (found >= SCOPES_SINCE))
    rules = int(_libc.syscall(CREATE, ctypes.byref(wanted), ctypes.c_size_t(ctypes.sizeof(wanted)), 0))
    if rules < 0:
        raise OSError(ctypes.get_errno(), "the kernel refused a set of Landlock rules")
    run = EXECUTE if command else 0
    for path in readable:
        _allow(rules, path, (READ | LIST | run) & handled)
    for path in DEVICES:
        _allow(rules, path, (READ | WRITE | TRUNCATE) & handled)
    _allow(rules, scratch, (READ | LIST | WRITE | CHANGE | REFER | TRUNCATE | run) & handled)
    return rules


def apply(rules: int) -> None:
    """Restrict this process from now on; it must have given up new privileges."""
    if _libc.syscall(RESTRICT, rules, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel refused the Landlock rules")


def _allow(rules: int, path: str, rights: int) -> None:
    """Allow rights below path, if there is such a thing."""
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            rights &= EXECUTE | WRITE | READ | TRUNCATE | IOCTL
        beneath = _Beneath(rights, fd)
        if _libc.syscall(ADD_RULE, rules, PATH_BENEATH, ctypes.byref(beneath), 0) != 0:
            raise OSError(ctypes.get_errno(), f"the kernel refused a Landlock rule for {path}")
    finally:
        os.close(fd)
