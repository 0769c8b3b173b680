"""What a sweep says: a row a trial, what to mind, and the best settings as a recipe for `gradus train sft`."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from gradus.api.runs import recipe_path
from gradus.api.sweep import Sweep
from gradus.api.sweep_plan import MANIFEST, SweepConfig, settled
from gradus.config import load, plain
from gradus.curricula.manifest import read
from gradus.trainer.config import SFTConfig

FEW_STEPS = 5
BEST = "best.toml"
"""The recipe, in the sweep's folder."""


def as_data(asked: SweepConfig, found: Sweep) -> dict[str, Any]:
    """Return everything for machines."""
    ended = Counter(one.rung for one in found.tried if one.rung < found.num_rungs)
    return {
        "sweep": found.folder.name,
        "folder": str(found.folder),
        "scored_by": "eval_loss" if asked.heldout else "loss",
        "in": len(found.tried),
        "kept": len(found.tried) - ended.total(),
        "dropped": {f"ended after rung {rung}": count for rung, count in sorted(ended.items())},
        "trials": [one.row() for one in found.tried],
        "best": found.tried[0].trial.settings,
        "notes": list(notes(asked, found)),
    }


def notes(asked: SweepConfig, found: Sweep) -> Iterator[str]:
    """Yield what to mind before the best is believed."""
    best = found.tried[0].trial
    for key, words in asked.axes.items():
        numbers = sorted(number for word in words if (number := _number(word)) is not None)
        if len(numbers) > 1 and _number(best.settings[key]) in (numbers[0], numbers[-1]):
            where, more = (
                ("smallest", "smaller") if _number(best.settings[key]) == numbers[0] else ("largest", "larger")
            )
            yield f"{key}={best.settings[key]} is the {where} that was tried; a {more} one may be better"
    if (steps := min(one.trial.until(asked.halving ** (1 - found.num_rungs)) for one in found.tried)) < FEW_STEPS:
        counted = "1 step" if steps == 1 else f"{steps} steps"
        yield f"the first rung has {counted}, too few to tell much; more --tokens, or --halving 1, give it more"
    if not asked.heldout and (passes := max(one.trial.passes for one in found.tried)) > 1.01:
        yield f"traces were taken up to {passes:.1f} times: their loss rewards learning by heart; --heldout does not"
    if failed := sum(bool(one.error) for one in found.tried):
        yield f"{failed} failed and count as the worst; the same command tries them again"


def best_recipe(asked: SweepConfig, found: Sweep) -> str:
    """Return the recipe with the best settings, as TOML: what differs from the defaults. Its steps are the recipe's."""
    best = found.tried[0].trial
    settings = {key: value for key, value in best.settings.items() if key != MANIFEST}
    config = load(SFTConfig, recipe_path(asked.recipe), settled(asked, read(best.manifest), settings))
    head = f"# The best of {len(found.tried)} trials: {best}.\n# {train_command(asked, found)}\n"
    return head + "\n".join(_toml(_changed(plain(config), plain(SFTConfig())))) + "\n"


def train_command(asked: SweepConfig, found: Sweep) -> str:
    """Return what trains with the best settings, wherever it is typed."""
    manifest = found.tried[0].trial.manifest.resolve()
    words = {
        "--workspace": manifest.parents[1],
        "--manifest": manifest.stem[:12],
        "--model": asked.model,
        "--recipe": found.folder.resolve() / BEST,
    }
    return shlex.join(["gradus", "train", "sft", *(str(word) for pair in words.items() for word in pair)])


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _changed(data: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is not as by default, table by table."""
    found = {}
    for key, value in data.items():
        other = default.get(key)
        if isinstance(value, Mapping):
            value = _changed(value, other if isinstance(other, Mapping) else {})
        if value != other and value not in (None, {}):
            found[key] = value
    return found


def _toml(data: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Yield the lines of a table: its values, then the tables in it."""
    tables = {key: value for key, value in data.items() if isinstance(value, Mapping)}
    yield from (f"{_key(key)} = {json.dumps(value)}" for key, value in data.items() if key not in tables)
    for key, table in tables.items():
        name = before + _key(key)
        if any(not isinstance(value, Mapping) for value in table.values()):
            yield f"\n[{name}]"
        yield from _toml(table, f"{name}.")


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)
