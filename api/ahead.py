"""Reads pages of lists before they are asked for: in one thread, in the order in which walks come to need them.

A run of pages is planned at a page that a walk asks for some pages before it, and begins then. Whoever asks for a run's
first page earlier waits for it, or, where others' runs are still before it, reads it himself.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock

MOST_PLANNED = 64
"""Walks at once."""
Run = Callable[[], None]
_reader = ThreadPoolExecutor(1, "read-ahead")


class Ahead:
    """The runs of one snapshot."""

    def __init__(self) -> None:
        self._planned: OrderedDict[object, tuple[object, Run]] = OrderedDict()
        self._begun: dict[object, tuple[Future[None], Run]] = {}
        self._lock = Lock()

    def plan(self, at: object, first: object, run: Run) -> None:
        """Have a run, of the pages from first on, begin as soon as a page is asked for."""
        with self._lock:
            self._planned[at] = first, run
            if len(self._planned) > MOST_PLANNED:
                self._planned.popitem(last=False)

    def pass_by(self, key: object) -> None:
        """Begin the run that is planned at a page."""
        with self._lock:
            planned = self._planned.pop(key, None)
            if planned is None:
                return
            first, run = planned
            future = _reader.submit(run)
            self._begun[first] = future, run
        future.add_done_callback(lambda _: self._begun.pop(first, None))

    def wait_for(self, key: object) -> None:
        """See that the run that begins at a page is read, if there is one and it is not."""
        begun = self._begun.pop(key, None)
        if begun is None:
            return
        future, run = begun
        if future.cancel():
            run()
        else:
            wait([future])
