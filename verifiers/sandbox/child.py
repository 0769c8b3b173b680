"""What one forked child does in the sandbox: run a program, answer the job's question, end.

Everything here shares a process with the program, which can therefore write any result it likes. That
is harmless: a forged result is only a claim about what the program returned or printed, and the expected
one is not in the sandbox.
"""

from __future__ import annotations

import ast
import os
import signal
import sys
import threading
import traceback
import types
from collections.abc import Callable
from json import dumps
from pathlib import Path
from typing import Any

from gradus.verifiers.sandbox.plain import encode

RESULT_FD = 3
NAME = "<program>"
SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin"
REHEARSAL: dict[str, Any] = {
    "source": "def f(x):\n    return [x * 2 for x in range(3)]",
    "cases": [{"setup": "", "parts": ["f(3)", "{'a': (1, 2.5)}"]}],
}


def rehearse() -> None:
    """Run what every program runs; the result goes to whatever RESULT_FD is now."""
    _values(REHEARSAL)


def answer(job: dict[str, Any]) -> None:
    """Run the job and write its result; the exit code is 0, or 1 after an exception."""
    code = 0
    try:
        MODES[job["mode"]](job)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        _write({"error": f"SystemExit: {stop.code}"})
    except BaseException as error:
        code = 1
        _write({"error": _last_line(error)})
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            code = code or 1
    os._exit(code & 255)


def _values(job: dict[str, Any]) -> None:
    """Write the values of each case's expressions, after running the program as a module and the setup."""
    program = compile(job["source"], NAME, "exec")
    for case in job["cases"]:
        found: dict[str, Any]
        try:
            namespace = _load(program, "solution")
            if case["setup"]:
                exec(compile(case["setup"], "<test>", "exec"), namespace)
            found = {"values": [encode(eval(compile(text, "<test>", "eval"), namespace)) for text in case["parts"]]}
        except BaseException as error:
            found = {"error": _last_line(error)}
        _write(found)


def _script(job: dict[str, Any]) -> None:
    """Run the program as a script; its output is the result."""
    _load(compile(job["source"], NAME, "exec"), "__main__")
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()


def _command(job: dict[str, Any]) -> None:
    """Become the command."""
    scratch = str(Path.cwd())
    environment = {
        "PATH": SEARCH_PATH,
        "HOME": scratch,
        "TMPDIR": scratch,
        "LANG": "C.UTF-8",
        "OPENSSL_CONF": "/dev/null",
    }
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execvpe(job["command"][0], job["command"], environment)


def _compile(job: dict[str, Any]) -> None:
    """Write the index of the first text that is a program, and the names it defines."""
    for index, text in enumerate(job["cases"][0]["parts"]):
        try:
            tree = ast.parse(text)
            compile(text, NAME, "exec")
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
        if tree.body:
            _write({"index": index, "names": [node.name for node in tree.body if hasattr(node, "name")]})
            return
    _write({"index": None, "names": []})


def _write(line: dict[str, Any]) -> None:
    os.write(RESULT_FD, dumps(line).encode() + b"\n")


def _load(program: types.CodeType, name: str) -> dict[str, Any]:
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(program, module.__dict__)
    return module.__dict__


def _last_line(error: BaseException) -> str:
    try:
        return traceback.format_exception_only(error)[-1].strip()[:300]
    except BaseException:
        return type(error).__name__


MODES: dict[str, Callable[[dict[str, Any]], None]] = {
    "values": _values,
    "script": _script,
    "command": _command,
    "compile": _compile,
}
