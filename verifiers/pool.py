"""Judge many answers in order, on several cores.

A worker that dies (out of memory, a crash in C) costs one answer, which becomes `verifier_error`.
"""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from gradus.verifiers.base import Verdict, verify

Task = tuple[str, str, Mapping[str, Any]]
"""Verifier, answer, spec."""

CHUNK = 16
AHEAD = 8
"""Chunks in flight per worker: enough to keep it busy, little enough for constant memory."""


def verify_all(tasks: Iterable[Task], *, workers: int = 1) -> Iterator[Verdict]:
    """Yield a verdict per task, in order; tasks are read only as far ahead as needed."""
    if workers <= 1:
        yield from (verify(*task) for task in tasks)
        return
    source = iter(tasks)
    chunks = iter(lambda: list(itertools.islice(source, CHUNK)), [])
    pool = _open(workers)
    try:
        flying: list[tuple[list[Task], Future[list[Verdict]]]] = []
        while True:
            for chunk in itertools.islice(chunks, workers * AHEAD - len(flying)):
                flying.append((chunk, _submit(pool, chunk)))
            if not flying:
                return
            chunk, future = flying.pop(0)
            try:
                verdicts = future.result()
            except BrokenProcessPool:
                pool.shutdown(wait=False, cancel_futures=True)
                verdicts = _one_by_one(chunk)
                pool = _open(workers)
                flying = [(c, _submit(pool, c)) for c, _ in flying]
            yield from verdicts
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _open(workers: int) -> ProcessPoolExecutor:
    # spawn: a fork would copy the threads of whatever engine the caller runs
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def _submit(pool: ProcessPoolExecutor, chunk: list[Task]) -> Future[list[Verdict]]:
    try:
        return pool.submit(_judge, chunk)
    except BrokenProcessPool as error:
        future: Future[list[Verdict]] = Future()
        future.set_exception(error)
        return future


def _judge(chunk: list[Task]) -> list[Verdict]:
    return [verify(*task) for task in chunk]


def _one_by_one(chunk: list[Task]) -> list[Verdict]:
    """Judge each answer in a process of its own, to find the one that kills its worker."""
    verdicts = []
    for task in chunk:
        with _open(1) as pool:
            try:
                verdicts += pool.submit(_judge, [task]).result()
            except BrokenProcessPool:
                verdicts.append(Verdict("verifier_error", "the verifier's process died on this answer"))
    return verdicts
