"""Training runs: what would be started, what has been, how it stands.

A run's name is a hash of all that its result depends on, so the same request is the same run.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gradus.config import load
from gradus.engine.models import model_id, resolve_model
from gradus.engine.records import content_id
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, DataError
from gradus.trainer.config import RLConfig, SFTConfig

RECIPES = Path(__file__).resolve().parent.parent / "trainer" / "recipes"
CONFIGS: dict[str, type[SFTConfig] | type[RLConfig]] = {"sft": SFTConfig, "rl": RLConfig}


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run's folder and the command that makes, or resumes, it."""

    folder: Path
    command: list[str]


def plan_run(
    workspace: Workspace,
    kind: str,
    manifest: Path,
    *,
    model: str,
    recipe: str | None,
    overrides: Sequence[str],
    processes: int = 1,
) -> PlannedRun:
    """Check a request to train, and say what would run. Nothing is started."""
    if kind not in CONFIGS:
        raise ConfigError(f"no kind of training {kind!r}. Known: {', '.join(CONFIGS)}.")
    if processes < 1:
        raise ConfigError(f"processes must be at least 1, not {processes}")
    path = _recipe_path(recipe)
    config = load(CONFIGS[kind], path, overrides)
    folder = model_folder(workspace, model)
    name = f"{kind}-{content_id(manifest.stem, model_id(folder), asdict(config))[:12]}"
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"] if processes > 1 else []
    module = ["-m", f"gradus.trainer.{kind}"] + (["--"] if launch else [])  # torchrun would take --run for its own
    arguments = ["--manifest", str(manifest), "--model", str(folder), "--run", str(workspace.runs / name)]
    arguments += (["--recipe", str(path)] if path else []) + list(overrides)
    return PlannedRun(workspace.runs / name, [sys.executable, *launch, *module, *arguments])


def model_folder(workspace: Workspace, model: str) -> Path:
    """Return the folder of a model: a run's name means what that run exported."""
    export = workspace.runs / model / "export"
    return export if Path(model).name == model and export.is_dir() else resolve_model(model)


def start(run: PlannedRun) -> None:
    """Start a run that outlives us; its output goes to `log.txt` in its folder."""
    run.folder.mkdir(parents=True, exist_ok=True)
    with (run.folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            run.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    (run.folder / "pid").write_text(str(process.pid))


def list_runs(workspace: Workspace) -> list[dict[str, Any]]:
    """Return every run, newest first."""
    folders = sorted(workspace.runs.iterdir(), key=lambda p: p.stat().st_mtime, reverse=True)
    return [describe(folder) for folder in folders if folder.is_dir()]


def find_run(workspace: Workspace, name: str) -> Path:
    """Return a run's folder by its name."""
    folders = {path.name: path for path in workspace.runs.iterdir() if path.is_dir()}
    if name not in folders:
        raise DataError(f"no run {name!r}. There are: {', '.join(sorted(folders)) or 'none'}.")
    return folders[name]


def describe(folder: Path) -> dict[str, Any]:
    """Return a run's record, its state (starting, running, finished or stopped) and its newest metrics."""
    record_path, pid_path, metrics_path = folder / "run.json", folder / "pid", folder / "metrics.jsonl"
    record = json.loads(record_path.read_text()) if record_path.exists() else {"state": "starting"}
    if record["state"] != "finished" and pid_path.exists() and not _alive(int(pid_path.read_text())):
        record["state"] = "stopped"
    lines = metrics_path.read_text().splitlines() if metrics_path.exists() else []
    return {"name": folder.name, "folder": str(folder), **record, "metrics": json.loads(lines[-1]) if lines else None}


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Return what was measured, one row a step."""
    path = folder / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _alive(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # our own child: let go of it once it has ended
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _recipe_path(name: str | None) -> Path | None:
    if name is None or name.endswith(".toml"):
        return Path(name) if name else None
    path = RECIPES / f"{name}.toml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.toml")))
        raise ConfigError(f"no training recipe {name!r}. Known: {known}; or give a .toml file.")
    return path
