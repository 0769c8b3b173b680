"""What every result line says of its machine."""

from __future__ import annotations

import datetime
import os
import subprocess
from importlib.metadata import version
from pathlib import Path

import torch


def about(device: torch.device) -> dict[str, str]:
    """Return date, device, versions and commit."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name()
    else:
        models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        name = f"{len(os.sched_getaffinity(0))} cores, {models[0].partition(':')[2].strip()}"
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "date": datetime.date.today().isoformat(),
        "device": name,
        "torch": torch.__version__,
        "transformers": version("transformers"),
        "commit": git.stdout.strip() or os.environ.get("COMMIT", "unknown"),
    }
