"""A filter over system calls, for good. Runs in the sandbox.

It refuses (EPERM) new processes and programs (a command may start them), sockets, signals, tracing,
namespaces, mounts, shared memory that outlives a process, and the kernel interfaces with a history of
escapes. Threads are allowed. It is a list of what is refused: a call invented after it is allowed. It knows
x86-64 and 64-bit ARM; another numbering of the same calls (x32, 32-bit) is refused or ends the program.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable, Iterator
from typing import Literal

KILL, REFUSE, ASK, ALLOW = 0x80000000, 0x00050000, 0x7FC00000, 0x7FFF0000
LOAD, AND, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
NUMBER_AT, ARCH_AT, ARGUMENTS_AT = 0, 4, 16
X32 = 0x40000000
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2

CLONE_THREAD = 0x10000
# CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET, and TIME, which shares a bit with the exit signal.
CLONE_NAMESPACES = 0x7E020080
CLONE3 = 435
# fcntl: F_SETOWN, F_SETSIG, F_SETOWN_EX send signals; ioctl: TIOCSTI, TIOCLINUX type into a terminal,
# FIOSETOWN, SIOCSPGRP send signals.
FCNTL, IOCTL = (8, 10, 15), (0x5412, 0x541C, 0x8901, 0x8902)
# MAP_SHARED and MAP_ANONYMOUS: memory that the limit on data does not count.
SHARED_ANONYMOUS = 0x21

Kind = Literal["program", "mother", "command"]
Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, constant."""

# Same numbers everywhere: pidfd_send_signal, io_uring (3), open_tree … fspick (6), pidfd_open, pidfd_getfd,
# process_madvise, mount_setattr, quotactl_fd, memfd_secret, process_mrelease, statmount, listmount, open_tree_attr.
_EVERYWHERE = {424, 425, 426, 427, 428, 429, 430, 431, 432, 433, 434, 438, 440, 442, 443, 447, 448, 457, 458, 467}
_REFUSED = {
    # socket socketpair · tkill's kin: sigqueue (2) · ptrace, process_vm (2), kcmp
    "x86_64": {41, 53, 129, 297, 101, 310, 311, 312}
    # unshare setns mount umount2 pivot_root chroot · bpf perf userfaultfd · keys (3) · modules (5) kexec (2)
    | {272, 308, 165, 166, 155, 161, 321, 298, 323, 248, 249, 250, 174, 175, 176, 177, 313, 246, 320}
    # System V and POSIX queues outlive a program · scheduling (6) · file handles (2), personality, memfd_create
    | {29, 64, 68, 240, 141, 142, 144, 203, 251, 314, 303, 304, 135, 319}
    # watches (4) · syslog acct time (5) swap (2) reboot names (2) ports (2) · quota (2), uselib, vhangup, ldt
    | {253, 254, 294, 300, 103, 159, 163, 164, 227, 305, 167, 168, 169, 170, 171, 172, 173, 179, 212, 134, 153, 154}
    # asynchronous I/O, vmsplice, migrate_pages, move_pages
    | {206, 278, 256, 279},
    "aarch64": {198, 199, 138, 240, 117, 270, 271, 272}
    | {97, 268, 40, 39, 41, 51, 280, 241, 282, 217, 218, 219, 105, 106, 273, 104, 294}
    | {194, 190, 186, 180, 140, 118, 119, 122, 30, 274, 264, 265, 92, 279}
    | {26, 27, 262, 116, 171, 89, 170, 112, 266, 224, 225, 142, 161, 162, 60, 18, 58}
    | {0, 75, 238, 239},
}
# fork vfork execve execveat
_STARTING = {"x86_64": {57, 58, 59, 322}, "aarch64": {221, 281}}
# kill tkill tgkill
_SIGNALS = {"x86_64": {62, 200, 234}, "aarch64": {129, 130, 131}}
# Modes, owners, times and attributes of files, which Landlock does not guard: (f)setxattrat, file_setattr last.
_METADATA = {
    "x86_64": {90, 91, 92, 93, 94, 260, 268, 132, 235, 261, 280, 188, 189, 190, 197, 198, 199, 452, 463, 466, 469},
    "aarch64": {52, 53, 54, 55, 88, 5, 6, 7, 14, 15, 16, 452, 463, 466, 469},
}
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# clone, prlimit64, fcntl, ioctl, mmap, prctl
_NUMBERS = {"x86_64": (56, 302, 72, 16, 9, 157), "aarch64": (220, 261, 25, 29, 222, 167)}

_libc = ctypes.CDLL(None, use_errno=True)


class Filter(ctypes.Structure):
    """A filter in the form the kernel takes; made once, applied in every child."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))
    buffer: ctypes.Array[ctypes.c_char]


def prepare(kind: Kind, *, signals: bool, metadata: bool) -> Filter | None:
    """Return the filter for one kind of process; None on a machine whose numbers are not known.

    program: starts nothing. mother: the same, but asks warden.py before a fork. command: starts what it likes.
    signals: a command may send them, because something else keeps them inside. metadata: modes and owners may be
    changed, because no file of others can be reached.
    """
    machine = platform.machine()
    if machine not in _AUDIT:
        return None
    refused = _EVERYWHERE | _REFUSED[machine]
    refused |= set() if kind == "command" else _STARTING[machine]
    refused |= set() if kind == "command" and signals else _SIGNALS[machine]
    refused |= set() if metadata else _METADATA[machine]
    code = b"".join(struct.pack("HBBI", *one) for one in _instructions(machine, refused, kind))
    buffer = ctypes.create_string_buffer(code, len(code))
    made = Filter(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    # The structure holds a bare address: the bytes must live as long as it does.
    made.buffer = buffer
    return made


def apply(made: Filter) -> None:
    """Filter this process from now on; it must have given up new privileges."""
    if _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(made), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel refused the system call filter")


def _instructions(machine: str, refused: set[int], kind: Kind) -> Iterator[Instruction]:
    clone, prlimit, fcntl, ioctl, mmap, prctl = _NUMBERS[machine]
    yield (LOAD, 0, 0, ARCH_AT)
    yield (EQUAL, 1, 0, _AUDIT[machine])
    yield (RETURN, 0, 0, KILL)
    yield (LOAD, 0, 0, NUMBER_AT)
    yield from _refuse_if(AT_LEAST, X32)
    for first, last in _ranges(refused):
        yield (AT_LEAST, 0, 2, first)
        # Beyond the last one: on to the next range.
        yield (AT_LEAST, 1, 0, last + 1)
        yield (RETURN, 0, 0, REFUSE | errno.EPERM)
    # The C library then falls back to clone, whose flags a filter can read.
    yield (EQUAL, 0, 1, CLONE3)
    yield (RETURN, 0, 0, REFUSE | errno.ENOSYS)
    if kind == "command":
        yield from _argument(clone, 0, _refuse_if(ANY_BIT, CLONE_NAMESPACES))
    if kind == "program":
        yield from _argument(clone, 0, _refuse_unless(ANY_BIT, CLONE_THREAD))
    if kind == "mother":
        yield from _argument(clone, 0, [(ANY_BIT, 1, 0, CLONE_THREAD), (RETURN, 0, 0, ASK)])
    # Only its own limits: not the zygote's.
    yield from _argument(prlimit, 0, _refuse_unless(EQUAL, 0))
    yield from _argument(fcntl, 1, [one for value in FCNTL for one in _refuse_if(EQUAL, value)])
    yield from _argument(ioctl, 1, [one for value in IOCTL for one in _refuse_if(EQUAL, value)])
    # PR_SET_PDEATHSIG to anything but SIGKILL: a program ends when the zygote does.
    second = (LOAD, 0, 0, ARGUMENTS_AT + 8)
    yield from _argument(prctl, 0, [(EQUAL, 0, 3, 1), second, *_refuse_unless(EQUAL, 9)])
    if kind == "command":
        yield from _argument(mmap, 3, [(AND, 0, 0, SHARED_ANONYMOUS), *_refuse_if(EQUAL, SHARED_ANONYMOUS)])
    yield (RETURN, 0, 0, ALLOW)


def _refuse_if(test: int, value: int) -> list[Instruction]:
    return [(test, 0, 1, value), (RETURN, 0, 0, REFUSE | errno.EPERM)]


def _refuse_unless(test: int, value: int) -> list[Instruction]:
    return [(test, 1, 0, value), (RETURN, 0, 0, REFUSE | errno.EPERM)]


def _argument(number: int, index: int, tests: list[Instruction]) -> Iterator[Instruction]:
    """For one call, test the lower half of an argument; every one tested here is a 32-bit number."""
    yield (EQUAL, 0, len(tests) + 2, number)
    yield (LOAD, 0, 0, ARGUMENTS_AT + 8 * index)
    yield from tests
    yield (RETURN, 0, 0, ALLOW)


def _ranges(numbers: set[int]) -> Iterable[tuple[int, int]]:
    """Return first and last of every run of consecutive numbers."""
    firsts = sorted(number for number in numbers if number - 1 not in numbers)
    return zip(firsts, sorted(number for number in numbers if number + 1 not in numbers), strict=True)
