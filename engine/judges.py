"""Judge answers as they come, beside the sampling of others.

Like `verifiers.pool`, but verdicts come as soon as they are there, in any order. A worker that dies takes its pool
with it, and one that hangs stops it: what was in flight is then judged by `verifiers.pool`, which finds the culprit.
"""

from __future__ import annotations

import multiprocessing
import queue
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from gradus.verifiers.base import Verdict, verify
from gradus.verifiers.pool import TIMEOUT_S, Task, end_with_parent, verify_all

AT_A_TIME_S = 0.05


class Judges:
    """Several processes; or none for one worker, who judges when asked for verdicts."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._heard_at = 0.0
        self._tasks: dict[int, Task] = {}
        self._done: queue.SimpleQueue[tuple[int, Future[Verdict]]] = queue.SimpleQueue()

    @property
    def pending(self) -> int:
        return len(self._tasks)

    def submit(self, name: int, task: Task) -> None:
        """Take an answer to judge; its verdict comes under name."""
        if not self._tasks:
            self._heard_at = time.monotonic()
        self._tasks[name] = task
        if self._workers > 1:
            future = self._start(task)
            future.add_done_callback(lambda future: self._done.put((name, future)))

    def collect(self, wait_s: float) -> list[tuple[int, Verdict]]:
        """Return the verdicts that are there; wait up to wait_s for the first, if any is outstanding."""
        if not self._tasks:
            return []
        if self._workers <= 1:
            return self._judge_here()
        if time.monotonic() - self._heard_at > TIMEOUT_S:  # a verifier hangs
            return self._rescue()
        found: list[tuple[int, Verdict]] = []
        for name, future in self._ready(wait_s):
            self._heard_at = time.monotonic()
            if name not in self._tasks:  # it was in flight when the pool died
                continue
            if isinstance(future.exception(), BrokenProcessPool):
                return found + self._rescue()
            found.append((name, future.result()))
            del self._tasks[name]
        return found

    def _judge_here(self) -> list[tuple[int, Verdict]]:
        found, late = [], time.monotonic() + AT_A_TIME_S
        while self._tasks and time.monotonic() < late:
            name = next(iter(self._tasks))
            found.append((name, verify(*self._tasks.pop(name))))
        return found

    def close(self) -> None:
        """End the processes."""
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None

    def _start(self, task: Task) -> Future[Verdict]:
        if self._pool is None:
            # spawn: a fork would copy the threads of whatever engine runs here
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._workers, mp_context=context, initializer=_watch_parent)
        try:
            return self._pool.submit(verify, *task)
        except BrokenProcessPool as error:
            future: Future[Verdict] = Future()
            future.set_exception(error)
            return future

    def _ready(self, wait_s: float) -> list[tuple[int, Future[Verdict]]]:
        found: list[tuple[int, Future[Verdict]]] = []
        try:
            found.append(self._done.get(timeout=wait_s) if wait_s else self._done.get_nowait())
            while True:
                found.append(self._done.get_nowait())
        except queue.Empty:
            return found

    def _rescue(self) -> list[tuple[int, Verdict]]:
        if self._pool:
            for process in list(self._pool._processes.values()):
                process.kill()  # one that hangs would never leave
        self.close()
        tasks, self._tasks = self._tasks, {}
        return list(zip(tasks, verify_all(tasks.values(), workers=self._workers), strict=True))


def _watch_parent() -> None:
    """End this worker when its parent does: one that is killed hard tells nobody."""
    threading.Thread(target=end_with_parent, daemon=True).start()
