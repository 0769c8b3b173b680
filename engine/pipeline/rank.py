"""One stage as a step of a datatrove pipeline: each rank works on its shard, writes parts, and reports.

Ranks hold a shared lock on `pipeline/.ranks` while they work, so that a leader who comes back after a kill knows
whether any is still at it. A batch system may start a rank long after its leader is gone: it ends at once if its
launch is no longer the current one, and if another process works as the same rank it waits for its report. All this
needs a file system whose locks hold across hosts.
"""

from __future__ import annotations

import fcntl
import os
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Protocol

import multiprocess
from datatrove.pipeline.base import PipelineStep
from loguru import logger as datatrove_log

from gradus.engine.pipeline.reports import Report, read_reports, teller, write_report
from gradus.engine.pipeline.shard import Shard, open_shard
from gradus.engine.store import Store
from gradus.errors import WorkspaceError

datatrove_log.disable("datatrove")  # it prints every traceback twice; what went wrong stands in the reports


@dataclass(frozen=True, slots=True)
class Task:
    """What a rank is given besides its store."""

    shard: Shard
    folder: Path
    """For files of the stage's own; each rank writes its own alone."""
    cores: int
    advance: Callable[[int], None]

    @property
    def writer(self) -> int:
        """The rank under which it writes parts: 0 is whoever holds the workspace."""
        return self.shard.rank + 1


class Work(Protocol):
    """What a stage does with one shard; it travels to other machines by pickle."""

    @property
    def name(self) -> str:
        """What the stage is called, in its folder and in errors."""
        ...

    def work(self, store: Store, task: Task) -> Report:
        """Do a rank's part; what it writes must be there when it returns."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One start of a stage's ranks."""

    id: str
    key: str
    """Names the stage's settings and the data that the ranks see."""
    root: Path
    """`pipeline` in the workspace."""
    stage: str
    snapshot: Path
    cores: int
    """Of each rank."""
    directory: str
    """Where the command was given: what a recipe names is found from there."""

    @property
    def folder(self) -> Path:
        return self.root / self.stage.replace(" ", "-").replace("/", "-") / self.key

    @contextmanager
    def joined(self, rank: int) -> Iterator[None]:
        """Hold a rank's place in the launch; wait while another process has it."""
        places = self.folder / "places"
        places.mkdir(exist_ok=True)
        with (self.root / ".ranks").open("a") as all_ranks, (places / f"{rank:05d}").open("a") as place:
            fcntl.flock(all_ranks, fcntl.LOCK_SH)
            fcntl.flock(place, fcntl.LOCK_EX)
            if (self.root / "current").read_text() != self.id:
                raise WorkspaceError(
                    f"{self.folder}: given up: the command was run again, and this is a rank of before"
                )
            yield


class RankStep(PipelineStep):
    """Runs a stage's work for one rank."""

    type = "Gradus"

    def __init__(self, work: Work, launch: Launch) -> None:
        self.name = work.name
        super().__init__()
        self.work, self.launch = work, launch

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """Yield what came in, then work. A rank that fails says so in its report: the others are not to be stopped."""
        yield from data or ()
        _end_with_leader()
        os.chdir(self.launch.directory)
        with self.launch.joined(rank), self.track_time(unit="rank"):
            if rank in read_reports(self.launch.folder):
                return
            try:
                report = self._work(Shard(rank, world_size))
            except Exception as error:
                report = Report(error=f"{type(error).__name__}: {error}", details=traceback.format_exc())
            write_report(self.launch.folder, rank, report)
        self.stat_update("in", value=report.num_in)
        self.stat_update("records", value=report.num_records)

    def _work(self, shard: Shard) -> Report:
        folder, cores = self.launch.folder, self.launch.cores
        with open_shard(self.launch.snapshot, shard, threads=cores) as store:
            return self.work.work(store, Task(shard, folder, cores, teller(folder, shard.rank)))


@cache
def _end_with_leader() -> None:
    """Have this process end when the one that started it is killed, which tells it nothing."""
    if parent := multiprocess.parent_process():
        threading.Thread(target=lambda: wait([parent.sentinel]) and os._exit(1), daemon=True).start()
