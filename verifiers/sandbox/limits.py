"""What a judged program may use: resource limits, and a filter over system calls. Runs in the sandbox.

The filter refuses (EPERM) new processes, new programs, sockets, signals, tracing, namespaces, mounts and
the kernel interfaces with a history of escapes. Threads are allowed. It knows x86-64 and 64-bit ARM.
"""

from __future__ import annotations

import ctypes
import platform
import resource
import struct
from collections.abc import Iterator

EPERM, ENOSYS = 1, 38
KILL, ERRNO, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
LOAD, JUMP_IF_EQUAL, JUMP_IF_ABOVE, JUMP_IF_SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER_AT, ARCH_AT, FIRST_ARGUMENT_AT = 0, 4, 16
CLONE_THREAD = 0x10000
CLONE3 = 435
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PR_SET_DUMPABLE = 38, 22, 2, 4
MAX_OPEN_FILES = 64

# Same numbers everywhere: pidfd_send_signal, io_uring (3), open_tree … fspick (6), pidfd_open and _getfd,
# mount_setattr.
_COMMON = {424, 425, 426, 427, 428, 429, 430, 431, 432, 433, 434, 438, 442}
# machine: (audit architecture, clone, prlimit64, refused)
_MACHINES = {
    "x86_64": (
        0xC000003E,
        56,
        302,
        # fork vfork execve execveat · socket socketpair · kill tkill tgkill sigqueue (2) · ptrace, process_vm (2), kcmp
        {57, 58, 59, 322, 41, 53, 62, 200, 234, 129, 297, 101, 310, 311, 312}
        # unshare setns mount umount2 pivot_root chroot · bpf perf userfaultfd · keys (3) · modules (3) kexec (2)
        | {272, 308, 165, 166, 155, 161, 321, 298, 323, 248, 249, 250, 175, 176, 313, 246, 320}
        # System V and POSIX queues outlive a program · sched_setaffinity, file handles (2), personality
        | {29, 68, 64, 240, 203, 303, 304, 135},
    ),
    "aarch64": (
        0xC00000B7,
        220,
        261,
        {221, 281, 198, 199, 129, 130, 131, 138, 240, 117, 270, 271, 272}
        | {97, 268, 40, 39, 41, 51, 280, 241, 282, 217, 218, 219, 105, 106, 273, 104, 294}
        | {194, 186, 190, 180, 122, 264, 265, 92},
    ),
}

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def limit_resources(*, cpu_s: int, memory_mb: int, file_bytes: int) -> None:
    """Set the limits that the program and its threads cannot raise again."""
    for what, soft, hard in (
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),
        (resource.RLIMIT_AS, memory_mb << 20, memory_mb << 20),
        (resource.RLIMIT_FSIZE, file_bytes, file_bytes),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES, MAX_OPEN_FILES),
        (resource.RLIMIT_NPROC, 64, 64),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(what, (soft, hard))


def hide_from_others() -> None:
    """Refuse tracing and memory access by processes of the same user."""
    _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def filter_system_calls() -> None:
    """Apply the filter to this process, for good."""
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in _instructions())
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel refused the system call filter")


def _instructions() -> Iterator[tuple[int, int, int, int]]:
    """Yield BPF instructions: (code, jump if true, jump if false, constant)."""
    architecture, clone, prlimit, refused = _MACHINES[platform.machine()]
    yield (LOAD, 0, 0, ARCH_AT)
    yield (JUMP_IF_EQUAL, 1, 0, architecture)
    yield (RETURN, 0, 0, KILL)
    yield (LOAD, 0, 0, NUMBER_AT)
    # x86-64's second numbering of the same calls.
    yield (JUMP_IF_ABOVE, 0, 1, 0x40000000)
    yield (RETURN, 0, 0, ERRNO | EPERM)
    for number in sorted(refused | _COMMON):
        yield (JUMP_IF_EQUAL, 0, 1, number)
        yield (RETURN, 0, 0, ERRNO | EPERM)
    # The C library then falls back to clone, whose flags a filter can read.
    yield (JUMP_IF_EQUAL, 0, 1, CLONE3)
    yield (RETURN, 0, 0, ERRNO | ENOSYS)
    yield (JUMP_IF_EQUAL, 0, 4, clone)
    yield (LOAD, 0, 0, FIRST_ARGUMENT_AT)
    yield (JUMP_IF_SET, 1, 0, CLONE_THREAD)
    yield (RETURN, 0, 0, ERRNO | EPERM)
    yield (RETURN, 0, 0, ALLOW)
    # Only of itself: not of the zygote.
    yield (JUMP_IF_EQUAL, 0, 3, prlimit)
    yield (LOAD, 0, 0, FIRST_ARGUMENT_AT)
    yield (JUMP_IF_EQUAL, 1, 0, 0)
    yield (RETURN, 0, 0, ERRNO | EPERM)
    yield (RETURN, 0, 0, ALLOW)
