"""What one forked child does in the sandbox: run a program, answer the job's question, end.

Everything here shares a process with the program, which can therefore write any result it likes. That
is harmless for `values` and `script`: a forged result is only a claim about what the program returned
or printed, and the expected one is not in the sandbox. Only `statements` needs the nonce; a program
that walks the stack can find it.
"""

from __future__ import annotations

import ast
import builtins
import os
import sys
import threading
import traceback
import types
from json import dumps
from typing import Any

from gradus.verifiers.sandbox.plain import encode

RESULT_FD = 3
NAME = "<program>"


def answer(job: dict[str, Any]) -> None:
    """Run the job and write its result; the exit code is 0, or 1 after an exception."""
    result: dict[str, Any] = {}
    code = 0
    try:
        result = MODES[job["mode"]](job)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        result = {"error": f"SystemExit: {stop.code}"}
    except BaseException as error:
        code, result = 1, {"error": _last_line(error)}
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            code = code or 1
    os.write(RESULT_FD, dumps(result).encode())
    os._exit(code & 255)


def _values(job: dict[str, Any]) -> dict[str, Any]:
    """Return the value of each expression, after running the program as a module and the test's setup."""
    namespace = _load(job, "solution")
    exec(compile(job["setup"], "<test>", "exec"), namespace)
    return {"values": [encode(eval(compile(text, "<test>", "eval"), namespace)) for text in job["parts"]]}


def _statements(job: dict[str, Any]) -> dict[str, Any]:
    """Return the nonce if the statements run to their end; built-ins are Python's, not the program's."""
    kept = dict(vars(builtins))
    defined = _load(job, "solution")
    namespace = {name: value for name, value in defined.items() if name not in kept} | {"__builtins__": kept}
    for text in job["parts"]:
        exec(compile(text, "<test>", "exec"), namespace)
    return {"nonce": job["nonce"]}


def _script(job: dict[str, Any]) -> dict[str, Any]:
    """Run the program as a script; its output is the result."""
    _load(job, "__main__")
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()
    return {}


def _compile(job: dict[str, Any]) -> dict[str, Any]:
    """Return the index of the first text that is a program, and the names it defines."""
    for index, text in enumerate(job["parts"]):
        try:
            tree = ast.parse(text)
            compile(text, NAME, "exec")
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
        if tree.body:
            return {"index": index, "names": [node.name for node in tree.body if hasattr(node, "name")]}
    return {"index": None, "names": []}


def _load(job: dict[str, Any], name: str) -> dict[str, Any]:
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(job["source"], NAME, "exec"), module.__dict__)
    return module.__dict__


def _last_line(error: BaseException) -> str:
    try:
        return traceback.format_exception_only(error)[-1].strip()[:300]
    except BaseException:
        return type(error).__name__


MODES = {"values": _values, "statements": _statements, "script": _script, "compile": _compile}
