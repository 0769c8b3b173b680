"""What a run says of itself: a line a step, metrics.jsonl, TensorBoard, Weights & Biases; at its end metrics.parquet.

Numbers go everywhere; text, and what is nested (outcomes, rates by domain), only into the files, in Parquet as JSON. A
run that goes on goes on in the same logs: what they held of later steps is hidden (TensorBoard), or stays in place of
what is measured again (Weights & Biases). torchtitan's loggers cannot go on, so they are not used.
"""

from __future__ import annotations

import hashlib
import json
import resource
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, Self

import pyarrow as pa
import torch
import torch.distributed as dist

from gradus.engine.parts import write_atomically
from gradus.errors import MachineError
from gradus.trainer.config import WatchConfig
from gradus.trainer.platform import Platform
from gradus.trainer.progress import progress
from gradus.trainer.run import METRICS, Run, read_rows

Log = Callable[[int, dict[str, Any]], None]


class Watch:
    """Enter it on every process, and call `measured` there after every step; the first process writes."""

    def __init__(self, run: Run, platform: Platform, *, config: WatchConfig, step: int, num_steps: int) -> None:
        self._run, self._platform, self._config = run, platform, config
        self._step, self._num_steps = step, num_steps
        self._open, self._logs = ExitStack(), list[Log]()

    def __enter__(self) -> Self:
        if not self._platform.is_first:
            return self
        title, folder = self._run.folder.name, self._run.folder
        with ExitStack() as opening:  # what is open is closed again if the next cannot be
            opening.callback(write_parquet, folder)
            if self._config.tensorboard:
                self._logs.append(_tensorboard(folder / "tensorboard", self._step, opening))
            if (mode := self._config.wandb) != "off":
                self._logs.append(_wandb(folder, mode, self._config.project, opening))
            self._logs.append(opening.enter_context(progress(title, step=self._step, num_steps=self._num_steps)))
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def measured(self, step: int, metrics: dict[str, Any]) -> None:
        """Write and show what was measured in a step, and the memory that it took."""
        row = metrics | {"memory_gib": memory_gib(self._platform)}
        if self._platform.is_first:
            self._run.measured(step, row)
            for log in self._logs:
                log(step, row)


def memory_gib(platform: Platform) -> float:
    """Return the peak of the process that took most: since the last call on a GPU, since its start on a CPU."""
    if platform.on_gpu:
        size_bytes = torch.cuda.max_memory_allocated(platform.device)
        torch.cuda.reset_peak_memory_stats(platform.device)
    else:
        size_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    most = torch.tensor(size_bytes, dtype=torch.int64)
    dist.all_reduce(most, dist.ReduceOp.MAX)
    return float(most) / 2**30


def write_parquet(folder: Path) -> None:
    """Write metrics.parquet from metrics.jsonl: a column for every name that any step has."""
    if not (rows := read_rows(folder / METRICS)):
        return
    names = dict.fromkeys(name for row in rows for name in row)
    table = pa.table({name: [_cell(row.get(name)) for row in rows] for name in names})
    write_atomically(folder / "metrics.parquet", table)


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict) else value


def _tensorboard(folder: Path, step: int, opening: ExitStack) -> Log:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MachineError("watch.tensorboard needs a package: `pip install tensorboard`") from None
    writer = SummaryWriter(folder, purge_step=step + 1)  # type: ignore[no-untyped-call]
    opening.callback(writer.close)

    def log(step: int, row: dict[str, Any]) -> None:
        for name, value in _numbers(row).items():
            writer.add_scalar(name, value, step)  # type: ignore[no-untyped-call]

    return log


def _wandb(folder: Path, mode: Literal["online", "offline"], project: str, opening: ExitStack) -> Log:
    try:
        import wandb
    except ImportError:
        raise MachineError("watch.wandb needs a package: `pip install wandb`") from None
    # The same folder is the same run, there as here; two workspaces may have runs of one name.
    own = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
    try:
        run = wandb.init(
            project=project,
            id=f"{folder.name}-{own}",
            name=folder.name,
            dir=folder,
            config=json.loads((folder / "run.json").read_text()),
            mode=mode,
            resume="allow",
            settings=wandb.Settings(silent=True, console="off"),
        )
    except wandb.Error as error:
        raise MachineError(f"Weights & Biases: {error}; watch.wandb=offline keeps the log in the run") from None
    opening.callback(run.finish)
    return lambda step, row: run.log(_numbers(row), step=step)


def _numbers(row: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in row.items() if isinstance(value, int | float)}
