"""A job: one `gradus` command line, run by a process of its own session; everything known of it lies in its folder.

    job.json      what was asked for            process.json  the process that runs it, or ran it
    events.jsonl  what happened                 ended.json    how it ended
    stdout        the command's result          cancel        somebody wants no more of it
    stderr        what it said                  lock          held by the process as long as it lives

Every file has one writer, and is written as a whole. The state is not stored but follows from them, so that it is right
whoever was killed: nobody but a living process holds the lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from gradus.api.jobs.events import add_event
from gradus.api.jobs.process import Process, end
from gradus.api.paths import without_root
from gradus.engine.parts import atomic_file, write_json
from gradus.engine.workspace import Workspace
from gradus.errors import DataError

State = Literal["queued", "running", "interrupted", "succeeded", "failed", "cancelled"]
OVER: tuple[State, ...] = ("succeeded", "failed", "cancelled")
ID = re.compile(r"[0-9]{8}T[0-9]{12}-[0-9a-f]{4}")
RESULT_BYTES = 1 << 20
"""A longer result is left in its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for: a command of the allow-list with its arguments, as they were given and as a command line."""

    id: str
    command: str
    arguments: dict[str, Any]
    argv: list[str]
    writes: bool
    """Whether it writes the workspace: such jobs run one at a time."""
    actor: str
    created: str


@dataclass(frozen=True, slots=True)
class Job:
    """A job's folder."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def events(self) -> Path:
        return self.folder / "events.jsonl"

    def request(self) -> Request:
        return Request(**json.loads((self.folder / "job.json").read_text()))

    def state(self) -> State:
        """Return where the job stands now."""
        cancelled = (self.folder / "cancel").exists()
        # In this order: a process that ends between two looks has left its end behind.
        if self._held():
            return "running"
        if ended := self._read("ended.json"):
            return "succeeded" if ended["exit_code"] == 0 else "cancelled" if cancelled else "failed"
        if cancelled:
            return "cancelled"
        return "interrupted" if self.num_starts else "queued"

    @property
    def num_starts(self) -> int:
        return int(self._read("process.json").get("num_starts", 0))

    def describe(self) -> dict[str, Any]:
        """Return the job as a record; `result` is what the command printed, `error` its last words if it failed."""
        state, request = self.state(), asdict(self.request())
        ended, process = self._read("ended.json"), self._read("process.json")
        return {
            **{name: request[name] for name in ("id", "command", "arguments", "actor", "created")},
            "state": state,
            "started": process.get("at"),
            "ended": ended.get("at"),
            "exit_code": ended.get("exit_code"),
            "result": self._result() if state == "succeeded" else None,
            "error": ended.get("error") if state == "failed" else None,
        }

    def cancel(self, actor: str) -> None:
        """End the job for good, with every process it has started; one that is over stays as it is."""
        if self.state() in OVER:
            return
        with atomic_file(self.folder / "cancel") as file:
            file.write(actor.encode())
        while self._held():  # also by a process that has not yet said which it is
            if process := self._read("process.json"):
                end(Process(process["pid"], process["started"]))
            time.sleep(0.05)
        add_event(self.events, "state", state=self.state(), actor=actor)

    def give_up(self, error: str) -> None:
        """Say that a job that nobody runs has failed."""
        write_json(self.folder / "ended.json", {"exit_code": -1, "error": error, "at": now()})
        add_event(self.events, "state", state="failed", error=error)

    @contextlib.contextmanager
    def lock(self) -> Iterator[int | None]:
        """Yield the locked file's number, for a process to inherit; None where a process has it."""
        with (self.folder / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield file.fileno()

    def _held(self) -> bool:
        with (self.folder / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: others may look at the same time
            except BlockingIOError:
                return True
            return False

    def _read(self, name: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.folder / name).read_bytes())
        except FileNotFoundError:
            return {}
        return found

    def _result(self) -> Any:
        path = self.folder / "stdout"
        if not path.exists() or path.stat().st_size > RESULT_BYTES:
            return None
        try:
            return without_root(self.folder.parents[2], json.loads(path.read_bytes()))
        except ValueError:
            return None


def new_job(workspace: Workspace) -> Path:
    """Make the folder of a job that nobody sees before it is submitted; ids rise with time."""
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(2)}"
    folder = jobs_folder(workspace) / name
    folder.mkdir(parents=True)
    return folder


def submit(
    folder: Path, command: str, arguments: dict[str, Any], *, argv: Sequence[str], writes: bool, actor: str
) -> Job:
    """Put a job into the queue; DataError for a command line that cannot be one."""
    if any("\0" in word for word in argv):
        raise DataError("a value holds the character NUL, which no command line can")
    job = Job(folder)
    request = Request(
        id=job.id, command=command, arguments=arguments, argv=list(argv), writes=writes, actor=actor, created=now()
    )
    add_event(job.events, "state", state="queued")
    write_json(folder / "job.json", asdict(request))
    return job


def list_jobs(workspace: Workspace) -> list[Job]:
    """Return every job, oldest first."""
    return [Job(path.parent) for path in sorted(jobs_folder(workspace).glob("*/job.json"))]


def find_job(workspace: Workspace, name: str) -> Job:
    """Return a job by its id."""
    folder = jobs_folder(workspace) / name
    if not ID.fullmatch(name) or not (folder / "job.json").exists():
        raise DataError(f"no job {name!r}; GET /v1/jobs lists them")
    return Job(folder)


def jobs_folder(workspace: Workspace) -> Path:
    """Return where the jobs of a workspace lie."""
    return workspace.root.resolve() / "server" / "jobs"


def now() -> str:
    """Return the time, in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
