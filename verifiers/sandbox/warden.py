"""Lets the mother, and nobody else under the same filter, start processes. Runs in the sandbox.

Giving a process a filter takes longer than forking it, so the mother is filtered once and its children inherit
that. The filter does not decide about forks but asks this process, which the kernel tells who wants it.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import socket
import struct

from gradus.verifiers.sandbox import descendants, seccomp

SECCOMP = {"x86_64": 317, "aarch64": 277}
SET_MODE_FILTER, NEW_LISTENER = 1, 8
RECEIVE, ANSWER, CONTINUE = 0xC0502100, 0xC0182101, 1
# id, process, flags, then the call, which does not matter; id, value, error, flags.
QUESTION, REPLY = struct.Struct("QII64x"), struct.Struct("QqiI")

_libc = ctypes.CDLL(None, use_errno=True)


def watch_over(made: seccomp.Filter) -> bool:
    """Filter this process and start its warden; False, and nothing done, where the kernel cannot ask."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wanted = os.getpid()
        warden = os.fork()
        if warden == 0:
            try:
                descendants.die_with_parent()
                ours.close()
                _, fds, _, _ = socket.recv_fds(theirs, 1, 1)
                theirs.close()
                _answer(fds[0], wanted)
            finally:
                os._exit(0)
        number = SECCOMP[platform.machine()]
        listener = int(_libc.syscall(number, SET_MODE_FILTER, NEW_LISTENER, ctypes.byref(made)))
        if listener < 0:
            ours.close()
            os.waitpid(warden, 0)
            return False
        socket.send_fds(ours, [b"x"], [listener])
        os.close(listener)
    return True


def _answer(listener: int, wanted: int) -> None:
    """Answer until nobody is left who could ask."""
    while True:
        question = bytearray(QUESTION.size)
        try:
            fcntl.ioctl(listener, RECEIVE, question)
        except OSError as error:
            # Whoever asked was killed meanwhile, or a signal came.
            if error.errno in {errno.ENOENT, errno.EINTR}:
                continue
            return
        asked, process, _ = QUESTION.unpack(question)
        answer = REPLY.pack(asked, 0, 0, CONTINUE) if process == wanted else REPLY.pack(asked, 0, -errno.EPERM, 0)
        try:
            fcntl.ioctl(listener, ANSWER, bytearray(answer))
        except OSError as error:
            if error.errno != errno.ENOENT:
                return
