"""Training runs: what would be started, what has been, how it stands.

A run's name is a hash of all that its result depends on, so the same request is the same run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gradus.api import launch as launching
from gradus.api.heldout import write_heldout
from gradus.api.launch import LOCAL, Launch
from gradus.config import load
from gradus.curricula.find import find_manifest
from gradus.curricula.manifest import read
from gradus.curricula.verify import verify
from gradus.engine.models import model_id, resolve_model
from gradus.engine.parts import atomic_file
from gradus.engine.records import content_id
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, DataError, WorkspaceError
from gradus.trainer.config import EvaluateConfig, RLConfig, SFTConfig
from gradus.trainer.identity import deciding
from gradus.trainer.run import ERROR, METRICS, read_rows
from gradus.trainer.stages import naming, plan_stages

RECIPES = Path(__file__).resolve().parent.parent / "trainer" / "recipes"
CONFIGS: dict[str, type[SFTConfig] | type[RLConfig]] = {"sft": SFTConfig, "rl": RLConfig}
OVER = ("finished", "paused", "failed", "cancelled", "stopped")
GOING = ("queued", "running")
TAIL_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run's folder, what starts or resumes it, and what was asked for."""

    folder: Path
    launch: Launch
    command: str
    """A line of bash."""
    asked: dict[str, Any]
    heldout: Path | None
    """The manifest whose recipe says how the workspace's held-out problems are put; None: they are not."""


def plan_run(
    workspace: Workspace,
    kind: str,
    manifest: Path,
    *,
    model: str,
    recipe: str | None,
    overrides: Sequence[str],
    launch: Launch = LOCAL,
) -> PlannedRun:
    """Check a request to train, and say what would run. Nothing is started."""
    if kind not in CONFIGS:
        raise ConfigError(f"no kind of training {kind!r}. Known: {', '.join(CONFIGS)}.")
    path = recipe_path(recipe)
    config = load(CONFIGS[kind], path, overrides)
    num_processes = launch.num_processes * launch.num_nodes
    if isinstance(config, SFTConfig):
        for plan in plan_stages(read(manifest), config):
            with naming(plan):
                plan.settings.parallel.shards(num_processes)
    else:
        config.parallel.shards(num_processes)
    model_path = model_folder(workspace, model)
    name = f"{kind}-{content_id(manifest.stem, model_id(model_path), deciding(asdict(config)))[:12]}"
    folder = workspace.runs.resolve() / name
    # Whole paths: the script may be run from anywhere.
    arguments = ["--manifest", str(manifest.resolve()), "--model", str(model_path.resolve()), "--run", str(folder)]
    arguments += (["--recipe", str(path.resolve())] if path else []) + list(overrides)
    arguments += _whole_paths(config.evaluate)
    asked = {"kind": kind, "manifest": manifest.stem, "model": model, "recipe": recipe, "overrides": list(overrides)}
    command = launching.trainer_command(launch, kind, arguments)
    return PlannedRun(folder, launch, command, asked, manifest if _asks_heldout(config.evaluate) else None)


def _whole_paths(config: EvaluateConfig) -> list[str]:
    named = {"problems": config.problems, "manifest": config.manifest}
    return [f"evaluate.{name}={Path(path).resolve()}" for name, path in named.items() if path]


def _asks_heldout(config: EvaluateConfig) -> bool:
    return bool(config.every and config.attempts and not config.problems)


def model_folder(workspace: Workspace, model: str) -> Path:
    """Return the folder of a model: a run's name means what that run exported."""
    export = workspace.runs / model / "export"
    return export if Path(model).name == model and export.is_dir() else resolve_model(model)


def prepare(run: PlannedRun, *, actor: str) -> None:
    """Write the run's script, and what was asked for; WorkspaceError if it runs."""
    if _is_going(run.folder):
        raise WorkspaceError(f"run {run.folder.name} is running; `gradus runs watch {run.folder.name}` follows it")
    if run.heldout:
        write_heldout(Workspace.find(run.folder.parents[1]), run.heldout, run.folder)
    run.folder.mkdir(parents=True, exist_ok=True)
    _write(run.folder / "launch.sh", launching.script(run.folder, run.launch, run.command))
    told = run.asked | {"actor": actor, **asdict(run.launch), "options": dict(run.launch.options)}
    _write(run.folder / "launch.json", json.dumps(told, indent=2))


def start(run: PlannedRun, *, actor: str = "local") -> None:
    """Start a run that outlives us, or go on with it; one that runs is left alone."""
    if not _is_going(run.folder):
        prepare(run, actor=actor)
        _start(run.folder)


def start_in_foreground(run: PlannedRun) -> int:
    """Run to the end, in the terminal; return the exit status."""
    prepare(run, actor="local")
    (run.folder / "cancel").unlink(missing_ok=True)
    return launching.run_here(run.folder)


def resume(workspace: Workspace, name: str) -> dict[str, Any]:
    """Start a run that has stopped, failed or was cancelled again; it goes on from its newest checkpoint."""
    folder = find_run(workspace, name)
    state, launched = describe(folder)["state"], _read(folder / "launch.json")
    if state not in OVER or state == "finished":
        raise DataError(f"run {name} is {state}; only one that stopped, failed or was cancelled is resumed")
    if not launched:
        raise DataError(f"{folder}: was not started by `gradus`; the command that made it goes on")
    verify(find_manifest(workspace, launched["manifest"]))
    _start(folder)
    return describe(folder)


def cancel(workspace: Workspace, name: str, *, actor: str) -> dict[str, Any]:
    """End a run with all its processes; its checkpoints stay, and `resume` goes on."""
    folder = find_run(workspace, name)
    if describe(folder)["state"] in OVER:
        return describe(folder)
    launched = _read(folder / "launch.json")
    if not launched:
        raise DataError(f"{folder}: was not started by `gradus`; end it where it was started")
    _write(folder / "cancel", actor)
    if number := launched.get("slurm_job"):
        launching.end_by_slurm(number)
    launching.end_here(folder)
    return describe(folder)


def _is_going(folder: Path) -> bool:
    """Whether a run that was started by us goes on; of others nobody knows."""
    return (folder / "launch.json").exists() and run_state(folder) in GOING


def _start(folder: Path) -> None:
    for name in ("cancel", "status"):
        (folder / name).unlink(missing_ok=True)
    launched = _read(folder / "launch.json")
    if launched["launcher"] == "slurm":
        _write(folder / "launch.json", json.dumps(launched | {"slurm_job": launching.start_by_slurm(folder)}, indent=2))
    else:
        launching.start_here(folder)


def list_runs(workspace: Workspace) -> list[dict[str, Any]]:
    """Return every run, newest first."""
    return [describe(path) for path in sorted(_folders(workspace), key=lambda p: p.stat().st_mtime, reverse=True)]


def _folders(workspace: Workspace) -> list[Path]:
    """Return the runs' folders; a link could lead out of the workspace, or nowhere."""
    return [path for path in workspace.runs.iterdir() if path.is_dir() and not path.is_symlink()]


def find_run(workspace: Workspace, name: str) -> Path:
    """Return a run's folder by its name."""
    folders = {path.name: path for path in _folders(workspace)}
    if name not in folders:
        raise DataError(f"no run {name!r}. There are: {', '.join(sorted(folders)) or 'none'}.")
    return folders[name]


def describe(folder: Path) -> dict[str, Any]:
    """Return a run's record, its newest metrics, how it was launched, and its state.

    That is queued (at Slurm), running, finished, paused (at the step it was to go to), failed, cancelled, or stopped:
    asked to stop, or ended without a word, as by a reboot.
    """
    state, lines = run_state(folder), _tail(folder / METRICS)
    metrics = json.loads(lines[-1]) if lines else None
    return {
        "name": folder.name,
        "folder": str(folder),
        **_read(folder / "run.json"),
        **({"step": metrics["step"]} if metrics else {}),
        "state": state,
        "launch": _read(folder / "launch.json") or None,
        "error": _why(folder) if state == "failed" else None,
        "metrics": metrics,
    }


def _why(folder: Path) -> str:
    """Return why a run failed: in the trainer's words, or the last of what a run in the background said."""
    if told := _read(folder / ERROR):
        return str(told["error"])
    log = folder / "log.txt"
    lines = _tail(log) if log.exists() and log.stat().st_mtime >= _started(folder) else []
    status = (folder / "status").read_text().strip()
    return lines[-1] if lines else f"it ended with status {status}; the terminal that it was started in has the rest"


def run_state(folder: Path) -> str:
    """Return how a run stands now."""
    recorded = str(_read(folder / "run.json").get("state", ""))
    if recorded == "finished":
        return recorded
    launched = _read(folder / "launch.json")
    if not launched:
        return recorded or "stopped"  # nothing was started, or by hand: what it says of itself is all that is known
    if launching.runs_here(folder):
        return "running"
    if number := launched.get("slurm_job"):
        state = launching.slurm_state(number)
        if state:
            return "queued" if state in ("PENDING", "CONFIGURING", "REQUEUED") else "running"
    if (folder / "cancel").exists():
        return "cancelled"
    # The trainer may have ended between two looks; what it said of itself counts if it said so since it was started.
    record = _read(folder / "run.json")
    said = str(record.get("state", ""))
    if said == "finished" or (said in ("paused", "stopped") and record["ended"] >= _started(folder)):
        return said
    return "failed" if (folder / "status").exists() else "stopped"


def was_saved(folder: Path) -> bool:
    """Whether a run has stopped because it was asked to, not without a word."""
    return run_state(folder) == "stopped" == _read(folder / "run.json").get("state")


def _started(folder: Path) -> float:
    """Return when the run's script was started last."""
    return (folder / "pid").stat().st_mtime if (folder / "pid").exists() else 0.0


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Return what was measured, one row a step."""
    return read_rows(folder / METRICS)


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return found


def _write(path: Path, text: str) -> None:
    with atomic_file(path) as file:
        file.write(text.encode())


def _tail(path: Path) -> list[str]:
    """Return the last whole lines of a file that may be long."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        start = max(0, path.stat().st_size - TAIL_BYTES)
        file.seek(start)
        lines = file.read().decode(errors="replace").splitlines(keepends=True)[1 if start else 0 :]
    return [line.strip() for line in lines if line.endswith("\n") and line.strip()]


def recipe_path(name: str | None) -> Path | None:
    """Return the file of a training recipe: one of ours by name, or a TOML file."""
    if name is None or name.endswith(".toml"):
        return Path(name) if name else None
    path = RECIPES / f"{name}.toml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.toml")))
        raise ConfigError(f"no training recipe {name!r}. Known: {known}; or give a .toml file.")
    return path
