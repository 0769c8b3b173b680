"""A language other than Python: how its programs are found, built and run. One file each beside this one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from gradus.verifiers.program.judging import brief
from gradus.verifiers.sandbox.client import Case, Job, run

BUILD_TIMEOUT_S = 60.0
BUILD_MEMORY_MB = 4096


class ToolchainError(RuntimeError):
    """The language cannot be built or run on this machine."""


class DoesNotBuildError(ValueError):
    """The program is refused by its compiler, which says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What is laid into the sandbox to run a program, and its limits."""

    files: tuple[tuple[str, bytes], ...]
    timeout_s: float
    memory_mb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """file: the name the source gets. A language without a build runs its source."""

    name: str
    fences: frozenset[str]
    file: str
    tool: str
    package: str
    run: tuple[str, ...]
    build: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    def built(self, source: str, *, timeout_s: float, memory_mb: int) -> Built:
        """Build a program. DoesNotBuildError with the compiler's first complaint."""
        require(self.tool, self.package)
        files = ((self.file, source.encode("utf-8", "replace")),)
        if not self.build:
            return Built(files=files, timeout_s=timeout_s, memory_mb=memory_mb)
        job = Job(
            mode="command",
            files=files,
            command=self.build,
            keep=self.keep,
            timeout_s=BUILD_TIMEOUT_S,
            memory_mb=BUILD_MEMORY_MB,
        )
        done = run(job)[0]
        kept = tuple((name, done.files[name]) for name in self.keep if name in done.files)
        if not done.in_time or done.exit_code != 0 or len(kept) != len(self.keep):
            raise DoesNotBuildError(_complaint(done.stderr or done.stdout, done.in_time))
        return Built(files=kept, timeout_s=timeout_s, memory_mb=memory_mb)

    def job(self, built: Built, cases: Sequence[Case]) -> Job:
        command = tuple(part.format(memory_mb=built.memory_mb) for part in self.run)
        return Job(
            mode="command",
            files=built.files,
            command=command,
            cases=tuple(cases),
            timeout_s=built.timeout_s,
            memory_mb=built.memory_mb,
        )


@cache
def require(tool: str, package: str) -> None:
    """Raise ToolchainError if the tool is not where the sandbox can see it."""
    if shutil.which(tool, path="/usr/local/bin:/usr/bin:/bin") is None:
        raise ToolchainError(f"no {tool} on this machine; install it, on Debian and Ubuntu: apt-get install {package}")


def _complaint(said: str, in_time: bool) -> str:
    if not in_time:
        return f"no end of compiling within {BUILD_TIMEOUT_S:g} s"
    lines = [line for line in said.splitlines() if line.strip()]
    return brief(next((line for line in lines if "error" in line.lower()), lines[0] if lines else "no message"))
