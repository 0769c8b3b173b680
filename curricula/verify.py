"""Prove that the files of a manifest hold what it says of them.

Every file: its hash, rows, columns and types. Every stage: verify_stage.py. The RL section: verify_rl.py. Of format 2,
which has no schedule, what it does state. One pass over the files, in memory that grows by some bytes a trace and a
sequence, not by tokens. Not proven: that the recipe would choose the same again; `inputs` only names what there was to
choose from.
"""

from __future__ import annotations

from pathlib import Path

from gradus.curricula.manifest import Manifest, read
from gradus.curricula.verify_rl import prove_rl
from gradus.curricula.verify_stage import prove_stage


def verify(path: Path) -> Manifest:
    """Check the manifest and every file that it names; DataError says what is wrong, and where."""
    manifest = read(path)
    for stage in manifest.stages:
        prove_stage(path, manifest, stage)
    if manifest.rl:
        prove_rl(path, manifest.rl, manifest.format)
    return manifest
