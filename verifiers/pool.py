"""Judge many answers on several cores: in order, in constant memory, whatever one of them does.

Work goes out in chunks, of which a worker has one at a time. A worker hands a chunk back after CHUNK_S with what it has
done, so chunks grow until they take about that long, and one slow answer holds up nothing but itself.

A worker that dies (out of memory, a crash in C, a kill) is replaced. What it had is judged again, one answer at a
time; an answer at which a second worker dies is `lost`, and so is one that takes longer than the limit, and
one that cannot be pickled. A verdict that cannot be pickled kills its worker. verify_all with one worker judges in
this process, which nothing protects.
"""

from __future__ import annotations

import atexit
import contextlib
import heapq
import itertools
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from gradus.verifiers.base import Verdict, verify

Task = tuple[str, str, Mapping[str, Any]]
"""Verifier, answer, spec."""

CHUNK_S = 0.1
MAX_CHUNK = 512
AHEAD = 4
"""Chunks a worker that may be read before the first of them is handed out, or MIN_AHEAD answers if that is more: a
slow answer does not idle the others, and memory stays bounded."""
MIN_AHEAD = 256
TIMEOUT_S = 600.0
LEAVE_S = 2.0
MAX_FAILED_STARTS = 3
T = TypeVar("T")
R = TypeVar("R")
Lost = Callable[[Any, str], R]
"""From an item that was lost, and the reason, to what stands for it."""


def verify_all(tasks: Iterable[Task], *, workers: int = 1, timeout_s: float = TIMEOUT_S) -> Iterator[Verdict]:
    """Yield a verdict per task, in order; tasks are read only as far ahead as needed."""
    if workers <= 1:
        return (verify(*task) for task in tasks)
    return in_order(_verify, tasks, lost=unjudged, workers=workers, timeout_s=timeout_s)


def unjudged(_: Task, reason: str) -> Verdict:
    """Return the verdict on an answer that no worker survived."""
    return Verdict("verifier_error", reason)


def in_order(
    work: Callable[[T], R], items: Iterable[T], *, lost: Lost[R], workers: int, timeout_s: float = TIMEOUT_S
) -> Iterator[R]:
    """Yield work(item) of every item, in order; work is a function that a new process can import.

    An exception of work is raised here, when its turn comes.
    """
    pool = _Pool(work, items, lost, workers, timeout_s)
    try:
        yield from pool.run()
    finally:
        pool.close()


@dataclass(order=True, slots=True)
class _Chunk:
    """Items that stand side by side; deaths says how many workers they have cost."""

    start: int
    items: list[Any] = field(compare=False)
    deaths: int = field(compare=False, default=0)


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    ready: bool = False
    size: int = 1
    chunk: _Chunk | None = None
    since: float = 0.0


class _Pool:
    def __init__(
        self, work: Callable[[Any], R], items: Iterable[Any], lost: Lost[R], workers: int, timeout_s: float
    ) -> None:
        self.work, self.items, self.lost, self.timeout_s = work, iter(items), lost, timeout_s
        self.read = self.handed_out = 0
        self.again: list[_Chunk] = []
        self.done: dict[int, tuple[bool, Any]] = {}
        self.failed_starts = 0
        self.workers = [self._start() for _ in range(workers)]
        atexit.register(self.close)  # before multiprocessing waits for workers that wait for us

    def run(self) -> Iterator[Any]:
        """Feed and harvest the workers; yield results as their turn comes."""
        while True:
            for worker in self.workers:
                if worker.chunk is None:
                    self._feed(worker)
            while self.handed_out in self.done:
                ok, result = self.done.pop(self.handed_out)
                if not ok:
                    raise result
                self.handed_out += 1
                yield result
            if all(worker.chunk is None for worker in self.workers):
                if self.handed_out == self.read and not self.again:
                    return
                continue
            self._harvest()

    def close(self) -> None:
        atexit.unregister(self.close)
        for worker in self.workers:
            worker.connection.close()  # a worker that waits for work ends by itself
            if worker.chunk:
                worker.process.kill()
        until = time.monotonic() + LEAVE_S
        for worker in self.workers:
            worker.process.join(max(0.0, until - time.monotonic()))
            worker.process.kill()
            worker.process.join()

    def _start(self) -> _Worker:
        # spawn: a fork would copy the threads of whatever engine the caller runs
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self.work), daemon=False)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _feed(self, worker: _Worker) -> None:
        """Send the worker its next chunk, if there is one that may be read."""
        while (chunk := self._next(worker)) is not None:
            try:
                data = pickle.dumps(chunk.items)
            except Exception as error:
                self._judge_again(chunk, f"cannot be sent to a worker: {type(error).__name__}: {error}", give_up=True)
                continue
            worker.chunk, worker.since = chunk, time.monotonic()
            with contextlib.suppress(OSError):  # it died while it waited: seen when harvesting
                worker.connection.send_bytes(data)
            return

    def _next(self, worker: _Worker) -> _Chunk | None:
        if self.again:
            return heapq.heappop(self.again)
        if self.read - self.handed_out > len(self.workers) * max(AHEAD * worker.size, MIN_AHEAD):
            return None
        items = list(itertools.islice(self.items, worker.size))
        if not items:
            return None
        self.read += len(items)
        return _Chunk(self.read - len(items), items)

    def _harvest(self) -> None:
        """Wait until a worker answers, dies or is late, and deal with it."""
        busy = {worker.connection: worker for worker in self.workers if worker.chunk}
        until = min(worker.since for worker in busy.values()) + CHUNK_S + self.timeout_s
        ready = wait(list(busy), timeout=max(0.0, until - time.monotonic()))
        for connection, worker in busy.items():
            if connection in ready:
                self._hear(worker)
            elif time.monotonic() - worker.since > CHUNK_S + self.timeout_s:
                self._replace(worker, f"took longer than {self.timeout_s:g} s", give_up=True)

    def _hear(self, worker: _Worker) -> None:
        try:
            results = worker.connection.recv()
        except (EOFError, OSError):
            self._replace(worker, "the verifier's process died on this answer", give_up=False)
            return
        if worker.ready:
            self._keep(worker, results)
        else:
            worker.ready, worker.since, self.failed_starts = True, time.monotonic(), 0

    def _keep(self, worker: _Worker, results: list[tuple[bool, Any]]) -> None:
        chunk, worker.chunk = worker.chunk, None
        assert chunk is not None
        self.done |= enumerate(results, chunk.start)
        if rest := chunk.items[len(results) :]:
            heapq.heappush(self.again, _Chunk(chunk.start + len(results), rest, chunk.deaths))
        each = (time.monotonic() - worker.since) / len(results)
        worker.size = max(1, min(2 * worker.size, int(CHUNK_S / each), MAX_CHUNK))

    def _replace(self, worker: _Worker, reason: str, *, give_up: bool) -> None:
        """Put a new worker in the place of one that died or must."""
        worker.process.kill()
        worker.process.join()
        worker.connection.close()
        self.failed_starts += not worker.ready
        if self.failed_starts >= MAX_FAILED_STARTS:
            raise RuntimeError(f"workers do not start (exit code {worker.process.exitcode}); see standard error")
        self.workers[self.workers.index(worker)] = self._start()
        if worker.chunk:
            worker.chunk.deaths += worker.ready
            self._judge_again(worker.chunk, reason, give_up=give_up or worker.chunk.deaths > 1)

    def _judge_again(self, chunk: _Chunk, reason: str, *, give_up: bool) -> None:
        """Have each item judged by itself; one that stands alone may be given up."""
        if len(chunk.items) == 1 and give_up:
            self.done[chunk.start] = True, self.lost(chunk.items[0], reason)
            return
        for place, item in enumerate(chunk.items, chunk.start):
            heapq.heappush(self.again, _Chunk(place, [item], chunk.deaths))


def _serve(connection: Connection, work: Callable[[Any], Any]) -> None:
    """Answer chunks until the connection ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who started us decides
    threading.Thread(target=end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        connection.send("ready")
        while True:
            connection.send(_worked(work, pickle.loads(connection.recv_bytes())))


def _worked(work: Callable[[Any], Any], items: list[Any]) -> list[tuple[bool, Any]]:
    """Return (True, result) or (False, exception) of the first items, as many as CHUNK_S allows."""
    until = time.monotonic() + CHUNK_S
    results: list[tuple[bool, Any]] = []
    for item in items:
        try:
            results.append((True, work(item)))
        except Exception as error:
            results.append((False, _sendable(error)))
        if time.monotonic() > until:
            break
    return results


def _sendable(error: Exception) -> Exception:
    """Return the exception, or one that says the same and can be pickled."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def end_with_parent() -> None:
    """In a thread of a worker: wait for the parent's end, and end."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _verify(task: Task) -> Verdict:
    return verify(*task)
