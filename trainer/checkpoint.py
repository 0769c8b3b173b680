"""Checkpoints by torch.distributed.checkpoint (DCP): complete or not there, and checked before one is taken.

    step-N/     DCP's files, and checkpoint.json: length and CRC-32 of each, and what else the run must remember
    stop-N/     the same where the run was stopped; gone with the next one, and nothing else depends on it
    .new/       the one that is being written
    best.json   whose evaluation was the best

torchtitan's manager, which uses DCP as well, checks no content and falls back to no earlier checkpoint.

A thread writes, from a copy in the machine's memory, while training goes on; it meets those of the other processes in
a group of their own, and any number of processes may load what another number saved. Not covered: a folder that not
all machines share, and two runs in one folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.staging import DefaultStager, StagingOptions
from torch.distributed.checkpoint.stateful import Stateful

from gradus.engine.parts import sync_folder, write_json
from gradus.errors import DataError, WorkspaceError
from gradus.log import logger
from gradus.trainer import checkpoint_files as files
from gradus.trainer.config import CheckpointConfig
from gradus.trainer.platform import TIMEOUT


class Checkpoints:
    """The checkpoints of a run; every process makes the same calls in the same order."""

    def __init__(self, folder: Path, config: CheckpointConfig) -> None:
        self.folder, self._config = folder, config
        self._group = dist.new_group(backend="gloo", timeout=TIMEOUT)
        self._rank, self._num_ranks = dist.get_rank(), dist.get_world_size()
        # Pinned memory is slow to get, so that stager is kept, and its copy with it.
        self._pinned = DefaultStager(StagingOptions(True, False, False, True)) if torch.cuda.is_available() else None
        self._thread = ThreadPoolExecutor(1, "checkpoint")
        self._writing: Future[None] | None = None
        self._best: dict[str, Any] = self._by_first(lambda: files.read_json(folder / files.BEST))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.wait()
        finally:
            self._thread.shutdown()

    @property
    def best_step(self) -> int | None:
        return self._best.get("step")

    def is_due(self, step: int, *, num_steps: int) -> bool:
        """Whether one is to be saved after this step; after the last, which is exported, only if it will be kept."""
        return step % self._config.every == 0 if step < num_steps else self._config.keep_after != "none"

    def newest(self, *, stops: bool = True) -> int:
        """Return the step of the newest checkpoint that can be read, or 0 if there is none; drop those that cannot.

        stops: also of those where the run was stopped, which it would not have without.
        """
        self.wait()
        found = self._steps(stops=stops)
        for step in reversed(found):
            if self._can_be_read(step):
                self._go_on_from(step, found)
                return step
        self._best = {}
        if found:
            raise DataError(
                f"{self.folder}: no checkpoint can be read, or another version of gradus wrote them; "
                "go on with that one, or remove the folder to begin the run again"
            )
        return 0

    def save(self, step: int, learner: Stateful, extra: dict[str, Any], *, stop: bool = False) -> None:
        """Keep the state after a step, and extra, which is JSON; return at once unless the run stops here.

        A write that fails is told here, or by the next call.
        """
        self.wait()
        if step in self._steps():
            return
        name = f"stop-{step}" if stop else f"step-{step}"
        state = learner.state_dict()
        if stop or not self._config.asynchronous:
            self._write(state, name, extra)
        else:
            self._writing = self._thread.submit(self._write, self._copy(state), name, extra)

    def wait(self) -> None:
        """Wait for what is being written; WorkspaceError if it cannot be."""
        writing, self._writing = self._writing, None
        if writing:
            writing.result()

    def load(self, step: int, learner: Stateful) -> dict[str, Any]:
        """Give a learner the state of a checkpoint; return what was saved beside it."""
        self.wait()
        path = files.path_of(self.folder, step)
        state = learner.state_dict()
        dcp.load(state, checkpoint_id=path, process_group=self._group)
        learner.load_state_dict(state)
        extra: dict[str, Any] = self._by_first(lambda: files.read_json(path / files.RECORD)["extra"])
        return extra

    def best(self, step: int, score: float) -> bool:
        """Note an evaluation, higher is better; if it is the best so far, the checkpoint of its step will stay."""
        if not score > self._best.get("score", -float("inf")):
            return False
        self.wait()
        self._best = {"step": step, "score": score}
        self._by_first(self._note_best)
        return True

    def _note_best(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)  # nothing may be saved yet
        write_json(self.folder / files.BEST, self._best)

    def take_best(self, learner: Stateful, *, after: int = 0) -> None:
        """Give a learner what is to be exported, if that is the best state since after and not the last."""
        self.wait()
        step = self.best_step if self._config.export == "best" else None
        if step is not None and step > after and self._can_be_read(step):
            self.load(step, learner)

    def finish(self) -> None:
        """Drop what is of no use once the model is exported."""
        self.wait()
        self._by_first(lambda: files.tidy(self.folder, self._config.keep_after))

    def _copy(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return the state in the machine's memory, where training does not change it."""
        stager = self._pinned or DefaultStager(StagingOptions(False, False, False, False))
        copy: dict[str, Any] = stager.stage(state)
        if not self._pinned:
            stager.close()
        return copy

    def _write(self, state: dict[str, Any], name: str, extra: dict[str, Any]) -> None:
        """Write under another name, then rename."""
        fresh = self.folder / ".new"
        try:
            self._by_first(lambda: self._prepare(fresh))
            dcp.save(state, checkpoint_id=fresh, process_group=self._group)
            parts = self._together(lambda: files.fingerprints(self._written(fresh)))
            written = {name: fingerprint for part in parts for name, fingerprint in part.items()}
            record = {"format": files.FORMAT, "files": written, "extra": extra}
            self._by_first(lambda: self._settle(fresh, name, record))
        except (OSError, CheckpointException) as error:
            # torch.save hides what the disk said behind words of its own.
            free = shutil.disk_usage(self.folder).free / 1e9
            shutil.rmtree(fresh, ignore_errors=True)
            raise WorkspaceError(
                f"{self.folder}: the checkpoint {name} cannot be written, with {free:.1f} GB left on the disk "
                f"({_cause(error)}). What was saved before is kept; make room, and the same command goes on"
            ) from error

    def _prepare(self, fresh: Path) -> None:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        # One less than will stay, so that the disk need not hold one more while this one is written.
        self._drop(max(1, self._config.keep - 1))

    def _settle(self, fresh: Path, name: str, record: dict[str, Any]) -> None:
        write_json(fresh / files.RECORD, record)
        fresh.rename(self.folder / name)
        sync_folder(self.folder)
        self._drop(self._config.keep)
        *older, _ = files.steps(self.folder)
        files.drop(self.folder, set(older) - set(files.steps(self.folder, stops=False)))

    def _drop(self, keep: int) -> None:
        regular = files.steps(self.folder, stops=False)
        files.drop(self.folder, [step for step in regular[:-keep] if step != self.best_step])

    def _go_on_from(self, step: int, found: list[int]) -> None:
        """Forget what came later: checkpoints that cannot be read, and the best if it was not saved any more."""
        if self.best_step not in found or self.best_step > step:
            self._best = {}
        self._by_first(lambda: files.drop(self.folder, [later for later in found if later > step]))

    def _steps(self, *, stops: bool = True) -> list[int]:
        found: list[int] = self._by_first(lambda: files.steps(self.folder, stops=stops))
        return found

    def _can_be_read(self, step: int) -> bool:
        path = files.path_of(self.folder, step)
        found = self._together(lambda: files.trouble(path, rank=self._rank, num_ranks=self._num_ranks))
        if (trouble := next(filter(None, found), "")) and self._rank == 0:
            logger.warning("%s: %s; it is left out", path, trouble)
        return not trouble

    def _written(self, fresh: Path) -> list[Path]:
        """Return the files of this process, and for the first one DCP's index, too."""
        mine = sorted(fresh.glob(f"__{self._rank}_*"))
        return [*mine, fresh / ".metadata"] if self._rank == 0 else mine

    def _by_first(self, action: Callable[[], Any]) -> Any:
        """Return what action gives on the first process; the others wait for it, and do not look for themselves."""
        return self._together(lambda: action() if self._rank == 0 else None)[0]

    def _together(self, action: Callable[[], Any]) -> list[Any]:
        """Return what action gives on each process; an OSError on any is raised on all."""
        mine: tuple[Any, OSError | None]
        try:
            mine = action(), None
        except OSError as error:
            mine = None, error
        found: list[Any] = [None] * self._num_ranks
        dist.all_gather_object(found, mine, group=self._group)
        for _, failure in found:
            if failure:
                raise failure
        return [result for result, _ in found]


def _cause(error: OSError | CheckpointException) -> str:
    """Return what the disk said, on whichever process."""
    if isinstance(error, CheckpointException):
        return "; ".join(sorted({str(found) for found, _ in error.failures.values()}))
    return str(error)
