"""How a training run is started: one script in the run's folder, run by bash here or by Slurm elsewhere.

    launch.json  what was asked for, and the job's number at Slurm   status  the exit status of what has ended
    launch.sh    the script                                          lock    held by a run on this machine
    log.txt      what it said in the background                      cancel  it was cancelled, by whom

`torchrun` (trainer/processes.py) starts the processes of a machine, and over several they meet at the first of Slurm's
nodes. A run on this machine holds the lock as long as any of its processes lives, so nothing but Slurm is asked whether
a run still runs.
Not covered: several machines without Slurm (start `torchrun` on each).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gradus.api.jobs.process import Process, end, find
from gradus.errors import ConfigError, MachineError, WorkspaceError
from gradus.trainer.run import ERROR

SLURM_OPTIONS = ("partition", "time", "account", "qos", "constraint", "gpus-per-node", "cpus-per-task", "mem")
PORTS = 1000
"""Above 29500, one for each job's number: two jobs of one node do not meet each other's processes."""
END_S = 60.0
SAVE_S = 30.0
"""For a trainer to save, from when it is asked to end until it is made to."""
INTERRUPTED_SAVE_S = 120
"""The same where torchrun was asked; as long it also waits for processes that another's death has left stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """On what a run is started."""

    launcher: Literal["local", "slurm"] = "local"
    num_processes: int = 1
    """On each machine, one a GPU."""
    num_nodes: int = 1
    options: Mapping[str, str] = field(default_factory=dict)
    """Slurm's own, as partition."""

    def __post_init__(self) -> None:
        if self.num_processes < 1 or self.num_nodes < 1:
            raise ConfigError(f"processes and nodes must be at least 1, not {self.num_processes} and {self.num_nodes}")
        if self.launcher == "local" and (self.num_nodes > 1 or self.options):
            raise ConfigError("several nodes, and options, need the launcher slurm")
        for name, value in self.options.items():
            if name not in SLURM_OPTIONS or not value.isprintable() or not value:
                raise ConfigError(f"no option {name}={value!r} of Slurm; there are: {', '.join(SLURM_OPTIONS)}")


LOCAL = Launch()


def trainer_command(launch: Launch, kind: str, arguments: Sequence[str]) -> str:
    """Return the line of bash that trains."""
    python, module = shlex.quote(sys.executable), f"-m gradus.trainer.{kind}"
    said = shlex.join(arguments)
    if launch.num_processes == launch.num_nodes == 1:
        return f"{python} {module} {said}"
    torchrun = f"{python} -m gradus.trainer.processes --nproc_per_node={launch.num_processes}"
    torchrun += f" --shutdown-timeout={INTERRUPTED_SAVE_S}"
    if launch.num_nodes == 1:
        return f"{torchrun} --standalone {module} -- {said}"
    meet = f'--rdzv_backend=c10d --rdzv_id="$SLURM_JOB_ID" --rdzv_endpoint="$head:$((29500 + SLURM_JOB_ID % {PORTS}))"'
    return f"srun {torchrun} --nnodes={launch.num_nodes} {meet} {module} -- {said}"


def script(folder: Path, launch: Launch, command: str) -> str:
    """Return the script: it notes which process it is, trains, and notes how that ended."""
    lines = ["#!/bin/bash"]
    if launch.launcher == "slurm":
        told = {"job-name": folder.name, "output": str(folder / "log.txt"), "open-mode": "append"}
        told |= {"nodes": str(launch.num_nodes), "ntasks-per-node": "1"} | dict(launch.options)
        lines += [f"#SBATCH --{name}={value}" for name, value in told.items()]
    lines += [f"cd {shlex.quote(str(folder))} || exit 4", 'echo "$$" > pid', f"rm -f status {ERROR}"]
    if launch.num_nodes > 1:
        lines.append('head="$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)"')
    lines += [command, "result=$?", 'echo "$result" > .status.new && mv .status.new status', 'exit "$result"']
    return "\n".join(lines) + "\n"


def run_here(folder: Path) -> int:
    """Run the script on this machine, in the terminal, until the last of its processes is gone; return its status."""
    with _alone(folder) as lock:
        process = subprocess.Popen(["bash", "launch.sh"], cwd=folder, pass_fds=[lock])
    with _signals_left_to(process):
        status = process.wait()
        while status < 0 and runs_here(folder):  # the same signal lets the trainer save first
            time.sleep(0.05)
    return status


def start_here(folder: Path) -> None:
    """Run the script on this machine, beside us."""
    with _alone(folder) as lock, (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            ["bash", "launch.sh"],
            cwd=folder,
            pass_fds=[lock],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        (folder / "pid").write_text(str(process.pid))


@contextlib.contextmanager
def _signals_left_to(script: subprocess.Popen[bytes]) -> Iterator[None]:
    """Wait on at Ctrl-C, of which a terminal tells the run, too, and hand SIGTERM on: the run saves first."""

    def hand_on(*_: object) -> None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            # Not to bash, which would be gone at once.
            for pid in Path(f"/proc/{script.pid}/task/{script.pid}/children").read_text().split():
                os.kill(int(pid), signal.SIGTERM)

    # What is ignored here would be ignored there.
    before = {signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None)}
    before[signal.SIGTERM] = signal.signal(signal.SIGTERM, hand_on)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def start_by_slurm(folder: Path) -> int:
    """Hand the script to Slurm; return the job's number."""
    if shutil.which("sbatch") is None:
        raise MachineError("no sbatch on this machine; the launcher local starts runs here")
    asked = subprocess.run(
        ["sbatch", "--parsable", "launch.sh"], cwd=folder, capture_output=True, text=True, check=False
    )
    if asked.returncode:
        raise MachineError(f"sbatch refuses {folder / 'launch.sh'}: {' '.join(asked.stderr.split())}")
    return int(asked.stdout.split(";")[0])


def runs_here(folder: Path) -> bool:
    """Whether a process of the run lives on this machine."""
    if not (folder / "lock").exists():
        return False
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def slurm_state(number: int) -> str:
    """Return what Slurm says of a job, as PENDING; empty for one that it no longer knows."""
    if shutil.which("squeue") is None:
        return ""
    command = ["squeue", "--noheader", f"--jobs={number}", "--format=%T"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def end_here(folder: Path) -> None:
    """End every process of a run on this machine."""
    until = time.monotonic() + END_S
    while runs_here(folder):
        with contextlib.suppress(FileNotFoundError, ValueError):
            pid = int((folder / "pid").read_text())
            # It may be gone before those it has started. A trainer saves first.
            end(find(pid) or Process(pid, ""), grace_s=SAVE_S)
        if time.monotonic() > until:
            raise WorkspaceError(f"{folder}: its processes do not end; see {folder / 'pid'}")
        time.sleep(0.05)


def end_by_slurm(number: int) -> None:
    """Have Slurm end a job."""
    subprocess.run(["scancel", str(number)], check=False, capture_output=True)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """Hold the run's lock for a process to inherit; WorkspaceError where a process has it."""
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkspaceError(
                f"run {folder.name} is running; `gradus runs watch {folder.name}` follows it"
            ) from None
        yield file.fileno()
