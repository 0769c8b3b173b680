"""A sweep: trials are runs of the ordinary trainer, a few side by side, in rungs after which the worse ones end.

    sweeps/<hash>/runs/<run>/   the trials      sweep.json  what came out      best.toml, plot.svg

What was done is read from the runs alone, so the same command does only the rest. A trial that fails, as one whose loss
is no number, is the worst of all; the same command tries it again.
"""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gradus.api import runs
from gradus.api.launch import Launch
from gradus.api.progress import progress
from gradus.api.sweep_plan import SweepConfig, Trial, identity, shares, trials
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, GradusError
from gradus.log import logger

EVERY_S = 0.2
WINDOW = 5
"""A training loss is the mean over the last fifth of the steps."""


@dataclass(slots=True)
class Tried:
    """A trial, its run, and how far it came."""

    trial: Trial
    run: runs.PlannedRun
    rung: int = 0
    """The last that it took part in, counted from 1."""
    step: int = 0
    tokens: int = 0
    loss: float = math.inf
    error: str = ""

    def row(self) -> dict[str, Any]:
        """Return it for tables and machines."""
        return self.trial.settings | {
            "loss": self.loss if math.isfinite(self.loss) else None,
            "rung": self.rung,
            "step": self.step,
            "steps": self.trial.num_steps,
            "tokens": self.tokens,
            "run": self.run.folder.name,
            "error": self.error or None,
        }


@dataclass(frozen=True, slots=True)
class Sweep:
    """What came out, the best trial first."""

    folder: Path
    tried: list[Tried]
    num_rungs: int


def sweep(workspace: Workspace, asked: SweepConfig, *, num_processes: int = 1, at_once: int = 1) -> Sweep:
    """Train what is not trained yet, rung by rung."""
    places = _places(at_once, num_processes)
    folder = workspace.root / "sweeps" / identity(asked)[:12]
    tried = _planned(Workspace.create(folder), asked, Launch(num_processes=num_processes))
    alive, rungs = tried, shares(len(tried), asked.halving)
    for rung, share in enumerate(rungs, 1):
        _train(alive, share, places, title=f"rung {rung}/{len(rungs)}")
        for one in alive:
            one.rung = rung
            _measure(one, share, by_heldout=asked.heldout is not None)
            logger.info("rung %d/%d  %s  loss %.4f  %s", rung, len(rungs), one.trial, one.loss, one.error)
        alive = sorted(alive, key=lambda one: one.loss)
        if alive[0].loss == math.inf:
            raise GradusError(f"{folder}: no trial has a loss; {alive[0].trial}: {alive[0].error or 'it is no number'}")
        if rung < len(rungs):
            alive, ended = _parted(alive, asked.halving)
            for one in ended:  # nothing goes on from them
                shutil.rmtree(one.run.folder / "checkpoints", ignore_errors=True)
    return Sweep(folder, sorted(tried, key=lambda one: (-one.rung, one.loss)), len(rungs))


def _planned(own: Workspace, asked: SweepConfig, launch: Launch) -> list[Tried]:
    found: dict[Path, Tried] = {}
    for trial in trials(asked):
        run = runs.plan_run(
            own,
            "sft",
            trial.manifest,
            model=str(asked.model),
            recipe=asked.recipe,
            overrides=trial.overrides,
            launch=launch,
        )
        if run.folder in found:
            same = found[run.folder].trial
            raise ConfigError(f"trials {same} and {trial} are one run: what differs does not decide what is learnt")
        found[run.folder] = Tried(trial, run)
    return list(found.values())


def _parted(alive: list[Tried], halving: int) -> tuple[list[Tried], list[Tried]]:
    """Return those that go on, and those that do not; what has failed never goes on."""
    well = [one for one in alive if one.loss < math.inf]
    num = max(1, len(alive) // halving)
    return well[:num], [one for one in alive if one not in well[:num]]


def _train(trials: Sequence[Tried], share: float, places: Sequence[str], *, title: str) -> None:
    """Bring every trial to its share of steps, as many side by side as there are places."""
    left, free = [one for one in trials if not _is_done(one, share)], list(range(len(places)))
    going: dict[int, Tried] = {}
    with _watched(trials, share, title) as look, _cancelled(going):
        while left or going:
            while left and free:
                place = free.pop()
                going[place] = left.pop(0)
                _start(going[place], share, places[place])
            for place, one in list(going.items()):
                if runs.run_state(one.run.folder) not in runs.GOING:
                    del going[place]
                    free.append(place)
                    _note_end(one, share)
            look()
            time.sleep(EVERY_S)


def _start(one: Tried, share: float, place: str) -> None:
    """Start a trial; one that a killed sweep has left running is waited for."""
    until = "" if share == 1 else f" --until {one.trial.until(share)}"
    one.error = ""
    runs.start(replace(one.run, command=f"{place}{one.run.command}{until}"))


def _is_done(one: Tried, share: float) -> bool:
    """Whether it has taken its share of steps: it paused there, and may have gone on."""
    state, rows = runs.run_state(one.run.folder), runs.read_metrics(one.run.folder)
    if state == "finished" or share == 1 or not rows:
        return state == "finished"
    until = one.trial.until(share)
    return rows[-1]["step"] > until or (rows[-1]["step"] == until and state == "paused")


def _note_end(one: Tried, share: float) -> None:
    """Keep why a trial has failed; GradusError if somebody has ended it."""
    found = runs.describe(one.run.folder)
    if found["state"] in ("stopped", "cancelled"):
        raise GradusError(f"{one.run.folder}: was {found['state']}; the same command goes on with the sweep")
    if not _is_done(one, share):
        one.error = found["error"] or found["state"]


def _measure(one: Tried, share: float, *, by_heldout: bool) -> None:
    rows = [row for row in runs.read_metrics(one.run.folder) if 1 <= row["step"] <= one.trial.until(share)]
    one.step, one.tokens = len(rows), sum(row["tokens"] for row in rows)
    one.loss = math.inf if one.error or not rows else loss_of(rows, by_heldout=by_heldout)


def loss_of(rows: Sequence[dict[str, Any]], *, by_heldout: bool) -> float:
    """Return the last held-out loss, or the mean training loss of the last fifth, by tokens; inf where it is none."""
    last = rows[-1:] if by_heldout else rows[-max(1, len(rows) // WINDOW) :]
    losses = [row.get("eval_loss" if by_heldout else "loss") for row in last]
    if None in losses:
        return math.inf
    weights = [row["tokens"] for row in last]
    return sum(map(math.prod, zip(losses, weights, strict=True))) / sum(weights)


def _step(one: Tried) -> int:
    return int(runs.describe(one.run.folder).get("step") or 0)


@contextmanager
def _watched(trials: Sequence[Tried], share: float, title: str) -> Iterator[Any]:
    """Give a function that shows how many of a rung's steps are taken."""
    steps = 0
    with progress(title, sum(one.trial.until(share) for one in trials)) as advance:

        def look() -> None:
            nonlocal steps
            now = sum(min(_step(one), one.trial.until(share)) for one in trials)
            if now > steps:
                advance(now - steps)
                steps = now

        yield look


@contextmanager
def _cancelled(going: dict[int, Tried]) -> Iterator[None]:
    """Cancel what goes on, if the sweep is interrupted; its checkpoints stay."""
    try:
        yield
    except BaseException:
        for one in going.values():
            folder = one.run.folder
            runs.cancel(Workspace(folder.parents[1]), folder.name, actor="gradus sweep")
        raise


def _places(at_once: int, num_processes: int) -> list[str]:
    """Return what stands before the command of each trial that runs beside others: its GPUs, or its share of cores."""
    if at_once < 1:
        raise ConfigError(f"--at-once must be at least 1, not {at_once}")
    if at_once == 1:
        return [""]
    import torch

    num_gpus, needed = torch.cuda.device_count(), at_once * num_processes
    if not num_gpus:
        return [f"OMP_NUM_THREADS={max(1, len(os.sched_getaffinity(0)) // needed)} "] * at_once
    if num_gpus < needed:
        raise ConfigError(f"{at_once} trials at once, of {num_processes} processes, need {needed} GPUs, not {num_gpus}")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else [str(number) for number in range(num_gpus)]
    shared = (names[place * num_processes : (place + 1) * num_processes] for place in range(at_once))
    return [f"CUDA_VISIBLE_DEVICES={','.join(mine)} " for mine in shared]
