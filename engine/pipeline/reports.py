"""What a rank says of its work, and how far it is: small files beside each other, one writer each."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gradus.engine.parts import write_json

SAY_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a rank ended."""

    num_in: int = 0
    """Of what the stage counts: summed over ranks, just what the leader counts in the whole."""
    num_records: int = 0
    """Written into parts: the database must take in as many."""
    counts: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    """Why it did not finish; the rest then says nothing."""
    details: str = ""
    """The traceback."""


def write_report(folder: Path, rank: int, report: Report) -> None:
    """Leave a rank's report; one that is there is whole."""
    _write(_reports(folder) / f"{rank:05d}.json", asdict(report))


def read_reports(folder: Path) -> dict[int, Report]:
    """Return the reports that there are, by rank."""
    paths = sorted(_reports(folder).glob("*.json"))
    return {int(path.stem): Report(**json.loads(path.read_text())) for path in paths}


def forget(folder: Path, ranks: Iterable[int]) -> None:
    """Remove the reports of ranks that are to work again, and what was told of their progress."""
    for rank in ranks:
        for kind in (_reports(folder), _progress(folder)):
            (kind / f"{rank:05d}.json").unlink(missing_ok=True)


def teller(folder: Path, rank: int) -> Callable[[int], None]:
    """Return advance(n), which lets the leader know once a second."""
    done, said_at = 0, 0.0

    def advance(num: int) -> None:
        nonlocal done, said_at
        done += num
        if time.monotonic() - said_at > SAY_EVERY_S:
            said_at = time.monotonic()
            _write(_progress(folder) / f"{rank:05d}.json", done)

    return advance


@contextmanager
def listening(folder: Path, advance: Callable[[int], None]) -> Iterator[None]:
    """Pass on what the ranks tell while the block runs."""
    ended = threading.Event()

    def listen() -> None:
        heard = 0
        while not ended.wait(SAY_EVERY_S):
            total = sum(json.loads(path.read_text()) for path in _progress(folder).glob("*.json"))
            if total > heard:
                advance(total - heard)
            heard = max(heard, total)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _write(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, data)


def _reports(folder: Path) -> Path:
    return folder / "reports"


def _progress(folder: Path) -> Path:
    return folder / "progress"
