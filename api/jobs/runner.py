"""The process of one job, which outlives the server: waits for its turn to write, runs the command, notes its end.

Started by the queue as `python -m gradus.api.jobs.runner FOLDER WORKSPACE LOCK`; it inherits LOCK, the number of the
job's locked file, and passes it to nobody. What the command says on standard error becomes events as well, which name
files as seen from the workspace. Where it is killed together with the command, as by a reboot, no end is noted, and the
queue starts the job again.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from gradus.api.jobs.events import add_event
from gradus.api.jobs.job import Job, now
from gradus.api.jobs.process import find
from gradus.api.paths import without_root
from gradus.engine.parts import write_json
from gradus.engine.workspace import Workspace
from gradus.errors import WorkspaceError

PROGRESS = re.compile(
    r"  (?P<what>\S.*?) (?P<done>\d+)(?:/(?P<total>\d+))?, (?P<seconds>\d+) s(?:, (?P<left>\d+) s left)?"
)
"""As gradus.api.progress writes it."""
BUSY = WorkspaceError.exit_code
WAIT_S = 0.2
LINE_CHARS = 2000


def main(folder: str, root: str, lock: str) -> None:
    """Run a job to its end."""
    os.set_inheritable(int(lock), False)
    job, workspace = Job(Path(folder)), Workspace.find(Path(root))
    me = find(os.getpid())
    assert me is not None
    started = {"pid": me.pid, "started": me.started, "num_starts": job.num_starts + 1, "at": now()}
    write_json(job.folder / "process.json", started)
    request = job.request()
    while True:
        if request.writes:
            _wait(job, workspace)
        add_event(job.events, "state", state="running")
        exit_code, said = _run(job, request.argv, workspace)
        # Somebody at a terminal may have been quicker.
        if not (exit_code == BUSY and request.writes and _busy(workspace)):
            break
    error = said if exit_code > 0 else f"ended by signal {-exit_code}"
    write_json(job.folder / "ended.json", {"exit_code": exit_code, "error": error if exit_code else None, "at": now()})
    _tell(job, exit_code, error)


def _tell(job: Job, exit_code: int, error: str) -> None:
    if (job.folder / "cancel").exists():
        return  # who cancelled it says so
    if exit_code:
        add_event(job.events, "state", state="failed", error=error)
    else:
        add_event(job.events, "state", state="succeeded")


def _run(job: Job, argv: list[str], workspace: Workspace) -> tuple[int, str]:
    """Run the command; return its exit status, negative for a signal, and the last it said."""
    command = [sys.executable, "-m", "gradus", *argv, "--workspace", str(workspace.root), "--json"]
    said = ""
    with (job.folder / "stdout").open("wb") as out, (job.folder / "stderr").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=workspace.root, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE
        )
        assert process.stderr is not None
        for line in process.stderr:
            log.write(line)
            log.flush()
            if text := without_root(workspace.root, line.decode(errors="replace").rstrip()[:LINE_CHARS]):
                said = text
                name, data = _event(text)
                add_event(job.events, name, **data)
    return process.wait(), said


def _event(line: str) -> tuple[str, dict[str, Any]]:
    """Return what a line means."""
    if not (found := PROGRESS.fullmatch(line)):
        return "log", {"line": line}
    numbers = {name: int(text) for name, text in found.groupdict().items() if name != "what" and text}
    return "progress", {"what": found["what"]} | numbers


def _wait(job: Job, workspace: Workspace) -> None:
    """Wait until nobody writes the workspace."""
    told = False
    while _busy(workspace):
        if not told:
            add_event(job.events, "state", state="running", waiting="for another process that writes the workspace")
            told = True
        time.sleep(WAIT_S)


def _busy(workspace: Workspace) -> bool:
    try:
        with workspace.writing():
            return False
    except WorkspaceError:
        return True


if __name__ == "__main__":
    main(*sys.argv[1:])
