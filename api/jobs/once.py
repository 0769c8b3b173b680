"""A command that a request waits for: it reads, is over within seconds, and leaves nothing behind.

It has a process of its own, as jobs have, so that what it loads and takes does not stay with the server; a few run at a
time, and the others wait. Its errors become the same errors here, by its exit status.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from gradus.api.paths import without_root
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, DataError, GradusError, MachineError, WorkspaceError

AT_ONCE = 2
TIMEOUT_S = 60.0
"""To wait for a turn, and again for the result."""
ERRORS: dict[int, type[GradusError]] = {
    error.exit_code: error for error in (ConfigError, DataError, WorkspaceError, MachineError)
}
_turns = threading.Semaphore(AT_ONCE)


def result_of(argv: Sequence[str], workspace: Workspace) -> Any:
    """Return what a command prints with --json; files below the workspace are named as seen from there."""
    if any("\0" in word for word in argv):
        raise DataError("a value holds the character NUL, which no command line can")
    command = [sys.executable, "-m", "gradus", *argv, "--workspace", str(workspace.root), "--json"]
    if not _turns.acquire(timeout=TIMEOUT_S):
        raise MachineError("too many such requests are at work; ask again later")
    try:
        done = subprocess.run(
            command, cwd=workspace.root, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise MachineError(f"it takes longer than {TIMEOUT_S:g} s; run `gradus {argv[0]}` beside the server") from None
    finally:
        _turns.release()
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [f"status {done.returncode}"]
        raise ERRORS.get(done.returncode, MachineError)(without_root(workspace.root, said[-1]))
    return without_root(workspace.root, json.loads(done.stdout))
