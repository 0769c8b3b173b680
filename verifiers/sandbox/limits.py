"""How much a judged program may use: resource limits, which it and its children cannot raise. Runs in the sandbox."""

from __future__ import annotations

import resource

MAX_OPEN_FILES = 64
MAX_PROCESSES = 64
"""Threads included."""
FILE_BYTES, COMMAND_FILE_BYTES = 4 << 20, 32 << 20
"""Of any one file, the standard streams included; a compiler may write more than a program."""


def apply(timeout_s: float, memory_mb: int, *, command: bool, others: int | None) -> None:
    """Limit this process.

    A command's limit on memory is one on what it can write, since some runtimes reserve much more, and holds
    for each of its processes. others is how many threads the user has outside the sandbox, since the kernel
    counts them too where there is no user namespace; None if the number of processes needs no limit.
    """
    cpu_s, memory = int(timeout_s) + 1, memory_mb << 20
    file_bytes = COMMAND_FILE_BYTES if command else FILE_BYTES
    num_files = 4 * MAX_OPEN_FILES if command else MAX_OPEN_FILES
    for what, soft, hard in (
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),
        (resource.RLIMIT_DATA if command else resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_FSIZE, file_bytes, file_bytes),
        (resource.RLIMIT_NOFILE, num_files, num_files),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(what, (soft, hard))
    if others is not None:
        resource.setrlimit(resource.RLIMIT_NPROC, (others + MAX_PROCESSES, others + MAX_PROCESSES))
