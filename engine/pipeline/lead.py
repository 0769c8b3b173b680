"""Lead a stage's ranks: plan, launch, take in what they wrote, and count.

The leader holds the workspace from first to last and is the only one to write the database. Ranks see the snapshot
that it publishes before they start, and write parts.

Whether a stage is complete is never read off datatrove's markers, which a rank gets even where a writer lost its
rows: every rank must have reported, what the ranks took in must add up to what the leader counts in the
whole, and the database must have taken in every record that they say they wrote. The key of a launch is a hash of
settings and data, so what an earlier launch completed counts only where nothing has changed since.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from gradus.engine.pipeline.executors import ExecutorConfig, run
from gradus.engine.pipeline.rank import Launch, RankStep, Work
from gradus.engine.pipeline.reports import Report, forget, listening, read_reports
from gradus.engine.records import content_id
from gradus.engine.store import Store, open_store
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, MachineError, WorkspaceError

Progress = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]


class Stage(Work, Protocol):
    """A stage that is worked by ranks."""

    @property
    def settings(self) -> Any:
        """Everything but the data that its results depend on, as JSON."""
        ...

    def count_in(self, store: Store) -> int:
        """Count what the ranks together must take in."""
        ...

    def count_records(self, store: Store) -> int:
        """Count the records that ranks add to."""
        ...

    def finish(self, store: Store, folder: Path, reports: Mapping[int, Report]) -> dict[str, Any]:
        """Do what needs the whole, once all ranks are in; return the stage's counts."""
        ...


def lead(workspace: Workspace, stage: Stage, config: ExecutorConfig, *, progress: Progress) -> dict[str, Any]:
    """Run a stage on an executor; return its counts. Run again, it does only what is left."""
    with workspace.writing():
        with open_store(workspace) as store:
            num_in, before = stage.count_in(store), stage.count_records(store)
            version = store.version
        launch = _launch(workspace, stage, config, version)
        failure = _run(stage, launch, config, progress=progress, total=num_in)
        reports = read_reports(launch.folder)
        with open_store(workspace) as store:
            arrived = stage.count_records(store) - before
        _check_ranks(launch, config.tasks, reports, failure)
        # Whether or not the counts are right, the next launch starts all ranks.
        shutil.rmtree(launch.folder / "completions", ignore_errors=True)
        _check_counts(launch, reports, num_in=num_in, arrived=arrived)
        with open_store(workspace) as store:
            return stage.finish(store, launch.folder, reports)


def _launch(workspace: Workspace, stage: Stage, config: ExecutorConfig, version: str) -> Launch:
    """Make sure that no earlier rank is at work, and that none will start any more."""
    root = workspace.root.resolve() / "pipeline"
    root.mkdir(exist_ok=True)
    launch = Launch(
        id=uuid4().hex,
        key=content_id(stage.name, stage.settings, version, config.tasks)[:16],
        root=root,
        stage=stage.name,
        snapshot=(workspace.snapshots / "current.duckdb").resolve(),
        cores=config.cores,
        directory=str(Path.cwd()),
    )
    with (root / ".ranks").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = "ranks of an earlier command are still at work; wait for them, or end them, then run it again"
            raise WorkspaceError(f"{root}: {text}") from None
        fresh = root / f".current.{os.getpid()}"
        fresh.write_text(launch.id)
        fresh.rename(root / "current")
    launch.folder.mkdir(parents=True, exist_ok=True)
    for old in launch.folder.parent.iterdir():
        if old != launch.folder:
            shutil.rmtree(old)
    done = {int(path.name) for path in (launch.folder / "completions").glob("*")}
    forget(launch.folder, set(range(config.tasks)) - done)
    return launch


def _run(stage: Stage, launch: Launch, config: ExecutorConfig, *, progress: Progress, total: int) -> Exception | None:
    """Run the ranks; return what the executor died of, if it did: what the ranks wrote is taken in all the same."""
    with progress(stage.name, total) as advance, listening(launch.folder, advance):
        try:
            run(RankStep(stage, launch), config, launch.folder)
        except (ConfigError, MachineError):
            raise
        except Exception as error:
            return error
    return None


def _check_ranks(launch: Launch, tasks: int, reports: Mapping[int, Report], failure: Exception | None) -> None:
    whys = [f"rank {rank}: {report.error}" for rank, report in reports.items() if report.error]
    whys += [f"rank {rank} left no report" for rank in sorted(set(range(tasks)) - reports.keys())]
    if not whys:
        return
    for rank in range(tasks):
        if rank not in reports or reports[rank].error:
            (launch.folder / f"completions/{rank:05d}").unlink(missing_ok=True)
    if failure:
        whys.insert(0, f"the executor: {type(failure).__name__}: {failure}")
    more = f" and {len(whys) - 3} more" if len(whys) > 3 else ""
    raise WorkspaceError(
        f"{launch.stage}: not all of {tasks} ranks finished ({'; '.join(whys[:3])}{more}); what they wrote is kept, "
        f"reports are in {launch.folder}, and the same command does the rest"
    ) from failure


def _check_counts(launch: Launch, reports: Mapping[int, Report], *, num_in: int, arrived: int) -> None:
    took, wrote = sum(r.num_in for r in reports.values()), sum(r.num_records for r in reports.values())
    if took != num_in:
        raise WorkspaceError(f"{launch.stage}: the ranks took in {took} of {num_in}; run the same command again")
    if wrote != arrived:
        raise WorkspaceError(
            f"{launch.stage}: the ranks wrote {wrote} records, but the database took in {arrived}; "
            "the same command makes those that are lost"
        )
