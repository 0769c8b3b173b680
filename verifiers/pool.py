"""Judge many answers on several cores: in order or as they are ready, in constant memory, whatever one of them does.

Work goes out in chunks, of which a worker has one at a time. A worker hands a chunk back after CHUNK_S with what it has
done, so chunks grow until they take about that long, and one slow answer holds up nothing but itself.

A worker that dies (out of memory, a crash in C, a kill) is replaced. What it had is judged again, one answer at a
time; an answer at which a second worker dies is `lost`, and so is one that takes longer than the limit, and
one that cannot be pickled. A verdict that cannot be pickled kills its worker. verify_all and Judges with one worker
judge in this process, which nothing protects.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import math
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar, cast

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
Done = tuple[bool, R | Exception]
"""True and the result, or False and the exception that work raised."""


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
    rest, read, handed_out = iter(items), 0, 0
    done: dict[int, Done[R]] = {}
    with closing(Pool(work, lost=lost, workers=workers, timeout_s=timeout_s)) as pool:
        while True:
            wanted = max(0, min(pool.room, pool.most_ahead - (read - handed_out)))
            fresh = list(itertools.islice(rest, wanted))
            for item in fresh:
                pool.submit(read, item)
                read += 1
            pool.feed()
            while handed_out in done:
                yield result_of(done.pop(handed_out))
                handed_out += 1
            if pool.pending:
                done |= pool.harvest()
            elif len(fresh) < wanted:
                return


class Judges:
    """Judge answers as they come: their verdicts are there as soon as they are ready, in any order.

    One worker is none: it judges when it is asked for verdicts. The processes start with the first answer.
    """

    def __init__(self, workers: int, *, timeout_s: float = TIMEOUT_S) -> None:
        self._pool = Pool(_verify, lost=unjudged, workers=workers, timeout_s=timeout_s) if workers > 1 else None
        self._here: dict[int, Task] = {}

    @property
    def pending(self) -> int:
        return self._pool.pending if self._pool else len(self._here)

    def submit(self, name: int, task: Task) -> None:
        """Take an answer to judge; its verdict comes under name."""
        if self._pool:
            self._pool.submit(name, task)
        else:
            self._here[name] = task

    def collect(self, wait_s: float) -> list[tuple[int, Verdict]]:
        """Return the verdicts that are there; wait up to wait_s for the first, if any is outstanding."""
        if self._pool:
            return [(name, result_of(done)) for name, done in self._pool.harvest(wait_s).items()]
        found, late = [], time.monotonic() + CHUNK_S
        while self._here and time.monotonic() < late:
            name = next(iter(self._here))
            found.append((name, verify(*self._here.pop(name))))
        return found

    def close(self) -> None:
        """End the processes."""
        if self._pool:
            self._pool.close()


@dataclass(slots=True)
class _Chunk:
    """Named items; deaths says how many workers they have cost."""

    items: list[tuple[int, Any]]
    deaths: int = 0


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    ready: bool = False
    size: int = 1
    chunk: _Chunk | None = None
    since: float = 0.0


class Pool(Generic[T, R]):
    """Processes that work on what is submitted, oldest first; they start with the first item."""

    def __init__(self, work: Callable[[T], R], *, lost: Lost[R], workers: int, timeout_s: float) -> None:
        self.work, self.lost, self.num_workers, self.timeout_s = work, lost, workers, timeout_s
        self.pending = 0
        """Items whose results have not been harvested."""
        self.waiting: deque[tuple[int, T]] = deque()
        self.again: deque[_Chunk] = deque()
        self.done: dict[int, Done[R]] = {}
        self.failed_starts = 0
        self.workers: list[_Worker] = []
        atexit.register(self.close)  # before multiprocessing waits for workers that wait for us

    @property
    def room(self) -> int:
        """How many more items the idle workers would take at once."""
        if not self.workers:
            return self.num_workers
        idle = sum(worker.size for worker in self.workers if worker.chunk is None)
        return max(0, idle - len(self.waiting) - len(self.again))

    @property
    def most_ahead(self) -> int:
        """How many items may be read beyond one that is not done."""
        return self.num_workers * max(AHEAD * max((w.size for w in self.workers), default=1), MIN_AHEAD)

    def submit(self, name: int, item: T) -> None:
        """Take an item; its result comes under name."""
        if not self.workers:
            self.workers = [self._start() for _ in range(self.num_workers)]
        self.waiting.append((name, item))
        self.pending += 1

    def feed(self) -> None:
        """Give the idle workers what there is to do."""
        for worker in self.workers:
            if worker.chunk is None:
                self._feed(worker)

    def harvest(self, wait_s: float = math.inf) -> dict[int, Done[R]]:
        """Return what is done; wait up to wait_s for the first of it, if anything is outstanding."""
        late = time.monotonic() + wait_s
        self.feed()
        while busy := [worker for worker in self.workers if worker.chunk]:
            self._listen(busy, late if not self.done else 0.0)
            self.feed()
            if self.done or time.monotonic() >= late:
                break
        found, self.done = self.done, {}
        self.pending -= len(found)
        return found

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
        """Send the worker its next chunk, if there is one."""
        while (chunk := self._next(worker)) is not None:
            try:
                data = pickle.dumps([item for _, item in chunk.items])
            except Exception as error:
                self._work_again(chunk, f"cannot be sent to a worker: {type(error).__name__}: {error}", give_up=True)
                continue
            worker.chunk, worker.since = chunk, time.monotonic()
            with contextlib.suppress(OSError):  # it died while it waited: seen when listening
                worker.connection.send_bytes(data)
            return

    def _next(self, worker: _Worker) -> _Chunk | None:
        if self.again:
            return self.again.popleft()
        items = [self.waiting.popleft() for _ in range(min(worker.size, len(self.waiting)))]
        return _Chunk(items) if items else None

    def _listen(self, busy: list[_Worker], late: float) -> None:
        """Wait until a worker answers, dies or is late, and deal with it."""
        limit_s = CHUNK_S + self.timeout_s
        until = min(late, min(worker.since for worker in busy) + limit_s)
        ready = wait([worker.connection for worker in busy], timeout=max(0.0, until - time.monotonic()))
        for worker in busy:
            if worker.connection in ready:
                self._hear(worker)
            elif time.monotonic() - worker.since > limit_s:
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

    def _keep(self, worker: _Worker, results: list[Done[R]]) -> None:
        chunk, worker.chunk = worker.chunk, None
        assert chunk is not None
        self.done |= {name: done for (name, _), done in zip(chunk.items, results, strict=False)}
        if rest := chunk.items[len(results) :]:
            self.again.append(_Chunk(rest, chunk.deaths))
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
            self._work_again(worker.chunk, reason, give_up=give_up or worker.chunk.deaths > 1)

    def _work_again(self, chunk: _Chunk, reason: str, *, give_up: bool) -> None:
        """Have each item worked on by itself; one that stands alone may be given up."""
        if len(chunk.items) == 1 and give_up:
            ((name, item),) = chunk.items
            self.done[name] = True, self.lost(item, reason)
            return
        self.again.extend(_Chunk([item], chunk.deaths) for item in chunk.items)


def result_of(done: Done[R]) -> R:
    """Return the result, or raise what work raised."""
    ok, value = done
    if not ok:
        raise cast(Exception, value)
    return cast(R, value)


def _serve(connection: Connection, work: Callable[[Any], Any]) -> None:
    """Answer chunks until the connection ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who started us decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        connection.send("ready")
        while True:
            connection.send(_worked(work, pickle.loads(connection.recv_bytes())))


def _worked(work: Callable[[Any], R], items: list[Any]) -> list[Done[R]]:
    """Return what became of the first items, as many as CHUNK_S allows."""
    until = time.monotonic() + CHUNK_S
    results: list[Done[R]] = []
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


def _end_with_parent() -> None:
    """In a thread of a worker: wait for the parent's end, and end."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _verify(task: Task) -> Verdict:
    return verify(*task)
