"""Starts the jobs of a workspace, oldest first: those that write it one at a time, the others beside them.

A thread of the server looks twice a second, and when told to. The folders alone say how jobs stand: a server that
starts finds those that run, goes on with those that wait, and starts those anew whose process died; they resume.
"""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

from gradus.api.jobs.events import add_event
from gradus.api.jobs.job import Job, jobs_folder, list_jobs
from gradus.engine.workspace import Workspace
from gradus.log import logger

EVERY_S = 0.5
MAX_AT_ONCE = 4
MAX_STARTS = 5
"""A job whose process was killed so often is not started again: it may be what kills it."""


class Queue:
    """The queue of one workspace; `start` and `stop` it with the server."""

    def __init__(self, workspace: Workspace) -> None:
        # The whole path: jobs run in other folders.
        self._workspace = Workspace(workspace.root.resolve())
        self._over: set[str] = set()
        self._wake, self._stopped = Event(), Event()
        self._thread = Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop looking; jobs that run go on."""
        self._stopped.set()
        self._wake.set()
        self._thread.join()

    def notify(self) -> None:
        """Say that there is a new job."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                with contextlib.suppress(BlockingIOError):
                    self.look()
            except OSError as error:  # as a full disk: later, perhaps, there is room
                logger.error("jobs: %s", error)
            self._wake.wait(EVERY_S)
            self._wake.clear()

    def look(self) -> None:
        """Start what can be started; BlockingIOError where another server's queue is looking."""
        folder = jobs_folder(self._workspace)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".queue.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            jobs = [job for job in list_jobs(self._workspace) if job.id not in self._over]
            states = {job.id: job.state() for job in jobs}
            running = [job.request().writes for job in jobs if states[job.id] == "running"]
            for job in jobs:
                if states[job.id] in ("queued", "interrupted"):
                    writes = job.request().writes
                    if len(running) < MAX_AT_ONCE and not (writes and any(running)):
                        running += [writes] if self._begin(job) else []
                elif states[job.id] != "running":
                    self._over.add(job.id)

    def _begin(self, job: Job) -> bool:
        """Start a job's process; it holds the job's lock from its first moment."""
        if job.num_starts >= MAX_STARTS:
            job.give_up(f"its process was killed {MAX_STARTS} times; see stderr in {job.folder}")
            return False
        if job.num_starts:
            add_event(job.events, "state", state="interrupted")
        with job.lock() as number, (job.folder / "stderr").open("ab") as log:
            if number is None or (job.folder / "cancel").exists():
                return False
            self._spawn(job.folder, number, log.fileno())
        return True

    def _spawn(self, folder: Path, lock: int, log: int) -> None:
        command = [sys.executable, "-m", "gradus.api.jobs.runner", str(folder), str(self._workspace.root), str(lock)]
        process = subprocess.Popen(
            command, pass_fds=[lock], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        # A child that has ended is let go of; the job's files say how it went.
        Thread(target=process.wait, daemon=True).start()
