"""What differs between two manifests, in words, and why (reasons: diff_reasons.py).

Compared are settings (recipe, seed, tokenizer, version, bands), gates, each stage's figures, policy and schedule, and
how often each trace and problem is used. The files of both are checked by their hashes. Not compared: how traces are
rendered (another tokenizer is only told), and the order of sequences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gradus.config import plain
from gradus.curricula import manifest as m
from gradus.curricula.diff_reasons import Reasons, dropped_by
from gradus.curricula.diff_sides import Drawn, read_side
from gradus.engine.store import Store

NAMED = 20
"""Ids given for each change."""


def diff(store: Store, path_a: Path, path_b: Path) -> dict[str, Any]:
    """Compare two manifests of a workspace; `text` says it in sentences."""
    a, b = read_side(store, path_a), read_side(store, path_b)
    settings = _settings(a.manifest, b.manifest)
    why = Reasons(a, b, dropped_by(store), settings)
    changes = [*_changes("traces", a.traces, b.traces, why), *_changes("rl", a.problems, b.problems, why)]
    stages = _stages(a.manifest, b.manifest)
    found = {"a": a.manifest.id, "b": b.manifest.id, "same": a.manifest.id == b.manifest.id, "settings": settings}
    gates = _gates(a.manifest, b.manifest)
    return found | {"stages": stages, "changes": changes, "text": _text(found, [*gates, *_told(stages)], changes)}


def _settings(a: m.Manifest, b: m.Manifest) -> list[dict[str, Any]]:
    """Return what was asked for otherwise: recipe, seed, tokenizer, version, bands."""
    sides = []
    for one in (a, b):
        names = {"name": one.name, "gradus_version": one.gradus_version, "seed": one.seed, "format": one.format}
        bands = {name: list(band) for name, band in one.bands.items()}
        told = {"tokenizer": plain(one.tokenizer), "bands": bands, "earlier": one.earlier}
        sides.append(dict(_flat("", names | told | {"recipe": one.recipe})))
    before, after = sides
    keys = sorted(before.keys() | after.keys())
    return [{"key": k, "a": before.get(k), "b": after.get(k)} for k in keys if before.get(k) != after.get(k)]


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else key, inner)
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for inner in value:
            yield from _flat(f"{name}[{inner.get('name', value.index(inner))}]", inner)
    else:
        yield name, value


def _stages(a: m.Manifest, b: m.Manifest) -> list[dict[str, Any]]:
    rows = []
    sides = [{stage.name: stage for stage in one.stages} for one in (a, b)]
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        row: dict[str, Any] = {"stage": name}
        for letter, side in zip("ab", sides, strict=True):
            stage = side.get(name)
            row |= {f"traces_{letter}": stage.num_traces if stage else 0}
            row |= {f"tokens_{letter}": stage.num_tokens if stage else 0}
            row |= {f"uses_{letter}": stage.num_documents if stage else 0}
        before, after = sides[0].get(name), sides[1].get(name)
        rows.append(row | {"changes": list(_stage_changes(before, after)) if before and after else []})
    return rows


def _stage_changes(a: m.Stage, b: m.Stage) -> Iterator[str]:
    """Yield what is otherwise in a stage, in words; what format 2 does not state is not compared."""
    for name in ("context_length", "token_budget", "num_sequences", "policy", "max_passes", "batch_sequences"):
        before, after = getattr(a, name), getattr(b, name)
        if before != after and before != "":
            yield f"{name} {before} became {after}"
    if not (a.schedule and b.schedule):
        return
    if a.schedule.kind != b.schedule.kind:
        yield f"the schedule was {a.schedule.kind} and is {b.schedule.kind}"
    for name in sorted(a.entries.keys() | b.entries.keys()):
        if (before := _share(a.schedule, name)) != (after := _share(b.schedule, name)):
            yield f"{name} had {before} of the sequences and has {after}"
    yield from (f"it fell short: {note}" for note in b.notes if note not in a.notes)
    yield from (f"it no longer falls short: {note}" for note in a.notes if note not in b.notes)


def _share(schedule: m.Schedule, name: str) -> str:
    if name not in schedule.start:
        return "none"
    start, end = f"{schedule.start[name]:.1%}", f"{schedule.end[name]:.1%}"
    return start if start == end else f"{start} to {end}"


def _gates(a: m.Manifest, b: m.Manifest) -> Iterator[str]:
    """Yield what the gates say otherwise, in words."""
    sides = [{(g.teacher, g.domain, g.metric): g for g in one.gates} for one in (a, b)]
    for key in sorted(sides[0].keys() | sides[1].keys()):
        before, after = (side.get(key) for side in sides)
        told = [f"{gate.action} (weight {gate.weight:g})" if gate else "no gate" for gate in (before, after)]
        if told[0] != told[1]:
            why = f", for {after.reason}" if after and after.reason else ""
            yield "Gate {} in {} by {}: {} became {}{}.".format(*key, *told, why)


def _changes(section: str, a: dict[str, Drawn], b: dict[str, Drawn], why: Reasons) -> list[dict[str, Any]]:
    """Return how often each change came, for each reason, with some of the ids."""
    groups: dict[tuple[str, str], list[str]] = {}
    for record in sorted(a.keys() | b.keys()):
        before, after = a.get(record), b.get(record)
        if before and after and before.stages == after.stages:
            continue
        groups.setdefault((_change(before, after), why(section, record, before, after)), []).append(record)
    rows = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        {"section": section, "change": change, "reason": reason, "num": len(ids), "ids": ids[:NAMED]}
        for (change, reason), ids in rows
    ]


def _change(before: Drawn | None, after: Drawn | None) -> str:
    if before is None or after is None:
        return "added" if before is None else "removed"
    if before.stages.keys() != after.stages.keys():
        return f"moved from {' and '.join(before.stages)} to {' and '.join(after.stages)}"
    return "drawn more often" if after.stages.total() > before.stages.total() else "drawn less often"


def _told(stages: list[dict[str, Any]]) -> Iterator[str]:
    for row in stages:
        if any(row[f"{name}_a"] != row[f"{name}_b"] for name in ("traces", "tokens", "uses")):
            counts = "{traces_a} traces of {tokens_a} tokens became {traces_b} of {tokens_b}".format(**row)
            repeats = [row[f"uses_{side}"] - row[f"traces_{side}"] for side in "ab"]
            used = f", with {repeats[1]} repeats (before: {repeats[0]})" if repeats[0] != repeats[1] else ""
            yield f"Stage {row['stage']}: {counts}{used}."
        for change in row["changes"]:
            yield f"Stage {row['stage']}: {change}."


def _text(found: dict[str, Any], told: list[str], changes: list[dict[str, Any]]) -> list[str]:
    a, b = found["a"][:12], found["b"][:12]
    if found["same"]:
        return [f"{a} and {b} are the same manifest."]
    lines = [f"{row['key']}: {row['a']!r} became {row['b']!r}." for row in found["settings"]] + told
    for change in changes:
        what = "trace" if change["section"] == "traces" else "RL problem"
        plural = "s" if change["num"] > 1 else ""
        lines.append(f"{change['num']} {what}{plural} {change['change']}: {change['reason']}.")
    return lines or [f"{a} and {b} draw the same; only what was said of other records differs."]
