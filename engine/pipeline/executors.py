"""Where ranks run: processes of this machine, a Ray cluster, or a Slurm cluster, by datatrove's executors.

`options` go to datatrove's executor unchanged, as `partition=cpu time=24:00:00 cpus_per_task=8` for Slurm. Ray and
Slurm need the workspace, and this Python environment, under the same paths on every host.
"""

from __future__ import annotations

import inspect
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gradus.errors import ConfigError, MachineError

if TYPE_CHECKING:
    from gradus.engine.pipeline.rank import RankStep

OURS = frozenset(("self", "pipeline", "logging_dir", "tasks", "workers", "skip_completed", "depends", "depends_job_id"))
OURS |= {"start_method", "local_tasks", "local_rank_offset"}
"""Parameters of datatrove's executors that are not options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorConfig:
    """How many ranks, and where."""

    kind: Literal["local", "ray", "slurm"] = "local"
    tasks: int = 1
    """Ranks: shares into which the problems are split."""
    workers: int = -1
    """Ranks that run at once; -1: all of them."""
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.tasks < 1:
            raise ValueError(f"tasks must be at least 1, not {self.tasks}")

    @property
    def cores(self) -> int:
        """Cores of each rank."""
        return int(self.options.get("cpus_per_task", 1))


def run(step: RankStep, config: ExecutorConfig, folder: Path) -> None:
    """Run a step's ranks to their end; datatrove keeps its logs and statistics in folder."""
    KINDS[config.kind](config, {"pipeline": [step], "logging_dir": str(folder)})


def _local(config: ExecutorConfig, given: dict[str, Any]) -> None:
    from gradus.engine.pipeline.processes import ProcessExecutor

    options = {name: value for name, value in config.options.items() if name != "cpus_per_task"}
    _made(ProcessExecutor, config, given, options).run()


def _ray(config: ExecutorConfig, given: dict[str, Any]) -> None:
    from datatrove.executor.ray import RayPipelineExecutor

    try:
        import ray
    except ImportError:
        raise MachineError("--executor ray: ray is not installed; `pip install ray` here and on every node") from None
    options = dict(config.options)
    address, started = options.pop("address", None), not ray.is_initialized()
    executor = _made(RayPipelineExecutor, config, given, options)
    if started:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    try:
        executor.run()
    finally:
        if started:
            ray.shutdown()


def _slurm(config: ExecutorConfig, given: dict[str, Any]) -> None:
    from datatrove.executor.slurm import SlurmPipelineExecutor

    if missing := {"time", "partition"} - config.options.keys():
        raise ConfigError(
            f"--executor slurm needs {' '.join(f'--executor-option {name}=…' for name in sorted(missing))}"
        )
    if shutil.which("sbatch") is None:
        raise MachineError("--executor slurm: no `sbatch` here; run the command on a host that submits jobs")
    # `wait`: sbatch returns when the last rank has ended, and fails if any did.
    options: dict[str, Any] = {"job_name": f"gradus-{given['pipeline'][0].name}".replace(" ", "-"), "qos": ""}
    options |= {"env_command": f'export PATH="{Path(sys.executable).parent}:$PATH"'} | config.options
    options["time"] = str(options["time"])  # TOML takes 04:00:00 for a time of day
    options["sbatch_args"] = {"wait": ""} | options.get("sbatch_args", {})
    executor = _made(SlurmPipelineExecutor, config, given, options)
    # A job of its own, for statistics that we do not read.
    executor.launch_merge_stats = lambda: None
    executor.run()


KINDS: dict[str, Callable[[ExecutorConfig, dict[str, Any]], None]] = {"local": _local, "ray": _ray, "slurm": _slurm}


def _made(executor: Any, config: ExecutorConfig, given: dict[str, Any], options: dict[str, Any]) -> Any:
    known = sorted(set(inspect.signature(executor.__init__).parameters) - OURS)
    if wrong := sorted(options.keys() - known):
        raise ConfigError(f"--executor {config.kind} has no option {', '.join(wrong)}. Known: {', '.join(known)}.")
    return executor(**given, tasks=config.tasks, workers=config.workers, **options)
