"""Forks the programs' processes, and does next to nothing else. Runs in the sandbox.

After a fork the kernel copies each page that parent or child writes, so the one that forks should write few: the
zygote, which talks, reads and cleans up, writes 200 for every program, this loop 20. The walls are put up around it
once, and its children inherit them.

A child is asked for before there is a job for it, since a fork takes as long as most programs do.
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
from dataclasses import replace

from gradus.verifiers.sandbox import birth, descendants, landlock, seccomp, warden
from gradus.verifiers.sandbox.birth import FIRST_FREE_FD, Place, Walls

NUMBER_BYTES = 4


class Mother:
    """The process that forks, as the zygote sees it. EOFError if it is gone."""

    def __init__(self, walls: Walls, shared: seccomp.Filter | None) -> None:
        """Start it. shared is the filter that it shares with its children, where the kernel can ask who forks."""
        ours, theirs = socket.socketpair()
        if birth.fork() == 0:
            try:
                _serve(walls, shared, _above(theirs))
            finally:
                os._exit(0)
        theirs.close()
        self._channel = ours
        self._asked: Place | None = None
        self._pid: int | None = None

    def ask(self) -> None:
        """Have a child forked; it is there when `next` is called."""
        self._asked = Place.make()
        socket.send_fds(self._channel, [b"f"], [*self._asked.files, self._asked.held])
        os.close(self._asked.held)

    def next(self) -> tuple[int, Place]:
        """Return the child that was asked for, its process and its place; another if something killed it."""
        while True:
            if self._asked is None:
                self.ask()
            assert self._asked is not None
            pid, place = self._expect(), self._asked
            self._asked = self._pid = None
            if _lives(pid):
                return pid, place
            self.status(pid)
            place.close()

    def status(self, pid: int) -> int:
        """Wait for a child's end and return its status."""
        if self._asked:
            self._expect()  # its answer comes first
        self._channel.sendall(pid.to_bytes(NUMBER_BYTES, "little"))
        return self._number()

    def _expect(self) -> int:
        if self._pid is None:
            self._pid = self._number()
        return self._pid

    def _number(self) -> int:
        found = self._channel.recv(NUMBER_BYTES)
        if not found:
            raise EOFError("nothing forks any more")
        return int.from_bytes(found, "little", signed=True)


def _lives(pid: int) -> bool:
    handle = os.pidfd_open(pid)
    try:
        return not select.select([handle], [], [], 0)[0]
    finally:
        os.close(handle)


def _above(channel: socket.socket) -> socket.socket:
    return socket.socket(fileno=fcntl.fcntl(channel, fcntl.F_DUPFD_CLOEXEC, FIRST_FREE_FD))


def _serve(walls: Walls, shared: seccomp.Filter | None, channel: socket.socket) -> None:
    """Put up the walls, then fork and wait as told."""
    descendants.die_with_parent()
    if walls.rules is not None:
        # Before the warden is forked: Landlock would keep the signal from it that ends it with us.
        landlock.apply(walls.rules)
    os.closerange(birth.JOB_FD, channel.fileno())
    os.closerange(channel.fileno() + 1, birth.MAX_FD)
    filtered = shared is not None and warden.watch_over(shared)
    walls = replace(walls, rules=None, filter=None if filtered else walls.filter)
    while True:
        told, files, _, _ = socket.recv_fds(channel, NUMBER_BYTES, len(birth.STREAMS) + 1)
        if not told:
            return
        if not files:
            _, status = os.waitpid(int.from_bytes(told, "little"), 0)
            channel.sendall(status.to_bytes(NUMBER_BYTES, "little"))
            continue
        pid = birth.fork()
        if pid == 0:
            birth.become_program(walls, files, 0 if walls.namespaces else None)
        channel.sendall(pid.to_bytes(NUMBER_BYTES, "little", signed=True))
        for fd in files:
            os.close(fd)
