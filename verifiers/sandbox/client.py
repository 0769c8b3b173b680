"""Runs programs where they can do no harm: the interface of the sandbox.

`run` takes a job and returns what came of it, as claims: everything in a Run was written by the program, or
could have been. No expected output belongs in a job.

- compile: which of the first case's parts is a program? result: {"index": int or null, "names": [...]}.
- values: run the source as a module and evaluate each case's parts after its setup, all cases in one process,
  each in a fresh module. result: a line per finished case, {"values": [plain data]} or {"error": "..."}; a
  crash or the end of time leaves the lines before it.
- script: run the source as a script once per case, with the case's stdin, each in a process of its own.
- command: lay the files in the scratch folder and run the command there, once per case; it may start programs.

compile and values give one Run, script and command one per case.

GRADUS_SANDBOX_URL says where: `local:` (this machine, and only if its sandbox holds: the default),
`local:degraded` (even if it does not), or `http://host:port` (server.py there, with GRADUS_SANDBOX_TOKEN).
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, field
from typing import Any, Literal

from gradus.verifiers.sandbox import local, remote
from gradus.verifiers.sandbox.launch import SandboxUnavailableError

Mode = Literal["compile", "values", "script", "command"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test's part of a job."""

    setup: str = ""
    """Statements before the expressions (values)."""
    parts: tuple[str, ...] = ()
    """Expressions (values), candidate texts (compile)."""
    stdin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One program, what to do with it, and its limits."""

    mode: Mode
    source: str = ""
    cases: tuple[Case, ...] = (Case(),)
    files: tuple[tuple[str, bytes], ...] = ()
    """Name and content, laid in the scratch folder before each case (command)."""
    command: tuple[str, ...] = ()
    """What to run in the scratch folder, e.g. ("g++", "-O2", "-o", "program", "main.cpp")."""
    keep: tuple[str, ...] = ()
    """Names of files to return afterwards (command)."""
    libraries: tuple[str, ...] = ()
    """Packages beyond the standard library, imported before the program starts."""
    timeout_s: float = 5.0
    """Per case; compile and values as a whole."""
    memory_mb: int = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How one process ended, and what it left, unchecked."""

    in_time: bool
    exit_code: int
    stdout: str
    stderr: str
    result: str
    seconds: float
    files: dict[str, bytes] = field(default_factory=dict)


def run(job: Job) -> tuple[Run, ...]:
    """Run a job. SandboxUnavailableError if there is no safe place for it."""
    place, request = os.environ.get(local.PLACE) or "local:", _request(job)
    if place.startswith(("http:", "https:")):
        return tuple(_run(reply) for reply in remote.exchange(place, request))
    if place not in {"local:", local.DEGRADED}:
        raise SandboxUnavailableError(
            f"{local.PLACE} is {place!r}; it can be local:, {local.DEGRADED}, http://host:port"
        )
    return tuple(_run(reply) for reply in local.exchange(request, degraded=place == local.DEGRADED))


def available() -> str | None:
    """Return None if programs can be run safely here, else why not and what to do."""
    try:
        (done,) = run(Job(mode="values", source="def f(): return 6 * 7", cases=(Case(parts=("f()",)),)))
    except RuntimeError as error:
        return str(error)
    return None if done.result.strip() == '{"values": [["int", "0x2a"]]}' else f"the sandbox cannot run Python: {done}"


def _request(job: Job) -> dict[str, Any]:
    request = {name: getattr(job, name) for name in Job.__slots__}
    request["cases"] = [{"setup": case.setup, "parts": case.parts, "stdin": case.stdin} for case in job.cases]
    request["files"] = [[name, base64.b64encode(content).decode()] for name, content in job.files]
    return request


def _run(reply: dict[str, Any]) -> Run:
    try:
        files = {name: base64.b64decode(content) for name, content in reply.pop("files").items()}
        return Run(**reply, files=files)
    except (TypeError, KeyError, AttributeError, binascii.Error) as error:
        raise RuntimeError(f"the sandbox answered what it never should: {error!r}") from None
