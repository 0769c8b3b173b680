"""What decides what a run learns: it cannot change once the run has begun; the rest may, each time that it goes on.

Free are how steps are computed, spread over processes, saved, watched and evaluated. Sums in another order differ in
their last bits; float8 is coarser than that, so it is not free, nor is which weights are exported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

FREE = ("compute", "parallel", "sequences_per_forward", "checkpoint", "watch", "evaluate")
NOT_FREE = ("parallel.float8", "checkpoint.export")


def deciding(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides of a plain config, by dotted name; what `stages.NAME` says is as free as the run's own."""
    found = dict(_deciding({name: value for name, value in config.items() if name != "stages"}))
    for name, own in config.get("stages", {}).items():
        found |= {f"stages.{name}.{key}": value for key, value in _deciding(own)}
    return found


def _deciding(said: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in _flat(said):
        if key in NOT_FREE or not any(key == free or key.startswith(f"{free}.") for free in FREE):
            yield key, value


def _flat(said: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in said.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield before + key, value
