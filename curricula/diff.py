"""What differs between two manifests, in words, and why.

A trace that came, went, moved to another stage or is drawn more or less often has one reason, the first that holds:
what people said of it or its problem between the two (the labels up to each manifest's moment), what a cleaning step
says of it now, its length, and else the recipe, its pass rate, or that what stands before it in the stages changed. The
files of both are checked by their hashes. Not compared: how traces are rendered; another tokenizer is only told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from gradus.config import plain
from gradus.curricula import manifest as m
from gradus.engine.store import Store

NAMED = 20
"""Ids given for each change."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A trace in a manifest: how often in which stage, or a problem of the RL section."""

    problem_id: str
    num_tokens: int
    pass_rate: float | None
    stages: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two manifests, and what was said of records when it was built."""

    manifest: m.Manifest
    traces: dict[str, Drawn]
    problems: dict[str, Drawn]
    said: dict[str, dict[str, Any]]


def diff(store: Store, path_a: Path, path_b: Path) -> dict[str, Any]:
    """Compare two manifests of a workspace; `text` says it in sentences."""
    a, b = _side(store, path_a), _side(store, path_b)
    settings = _settings(a.manifest, b.manifest)
    why = _Why(a, b, _dropped(store), settings)
    changes = [*_changes("traces", a.traces, b.traces, why), *_changes("rl", a.problems, b.problems, why)]
    stages = _stages(a.manifest, b.manifest)
    found = {"a": a.manifest.id, "b": b.manifest.id, "same": a.manifest.id == b.manifest.id, "settings": settings}
    return found | {"stages": stages, "changes": changes, "text": _text(found, stages, changes)}


def _side(store: Store, path: Path) -> Side:
    manifest = m.read(path)
    traces: dict[str, Drawn] = {}
    for stage in manifest.stages:
        for shard in stage.shards:
            for row in _rows(path, shard, ["trace_id", "problem_id", "num_tokens", "pass_rate"]):
                drawn = Drawn(row["problem_id"], row["num_tokens"], row["pass_rate"])
                traces.setdefault(row["trace_id"], drawn).stages[stage.name] += 1
    problems = {}
    for row in _rows(path, manifest.rl.problems, ["problem_id", "pass_rate"]) if manifest.rl else ():
        problems[row["problem_id"]] = Drawn(row["problem_id"], 0, row["pass_rate"], Counter(rl=1))
    until = manifest.curation.until if manifest.curation else ""
    said = store.rows("FROM curated_until($until)", {"until": until})
    return Side(manifest, traces, problems, {row["record_id"]: row for row in said})


def _rows(path: Path, shard: m.Shard, columns: list[str]) -> Iterator[dict[str, Any]]:
    m.check_file(m.shard_path(path, shard), shard)
    with pq.ParquetFile(m.shard_path(path, shard)) as file:
        for batch in file.iter_batches(columns=columns):
            yield from batch.to_pylist()


def _dropped(store: Store) -> dict[str, str]:
    """Return what steps other than curation say now of what they dropped."""
    query = "SELECT record_id, step || ': ' || split_part(reason, ':', 1) AS why FROM dropped WHERE step <> 'curate'"
    return {row["record_id"]: row["why"] for row in store.rows(query)}


def _settings(a: m.Manifest, b: m.Manifest) -> list[dict[str, Any]]:
    """Return what was asked for otherwise: recipe, seed, tokenizer, version."""
    sides = []
    for manifest in (a, b):
        names = {"name": manifest.name, "gradus_version": manifest.gradus_version, "seed": manifest.seed}
        told = names | {"tokenizer": plain(manifest.tokenizer), "recipe": manifest.recipe}
        sides.append(dict(_flat("", told)))
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
        rows.append(row)
    return rows


class _Why:
    """Finds the reason of a change."""

    def __init__(self, a: Side, b: Side, dropped: Mapping[str, str], settings: list[dict[str, Any]]) -> None:
        self._a, self._b, self._dropped = a, b, dropped
        keys = [row["key"] for row in settings if row["key"].startswith(("recipe.", "seed"))]
        self._recipe = f"the recipe differs: {', '.join(keys[:3])}{', …' if len(keys) > 3 else ''}" if keys else ""
        lengths = [stage.context_length for stage in b.manifest.stages]
        self._longest = max(lengths, default=0)

    def __call__(self, section: str, record: str, a: Drawn | None, b: Drawn | None) -> str:
        either = b or a
        assert either is not None
        for one in dict.fromkeys([record, either.problem_id]):
            if reason := self._said(one, either.problem_id if section == "traces" else ""):
                return reason
            if b is None and one in self._dropped:
                return f"dropped by {self._dropped[one]}"
        if b is None and section == "traces" and either.num_tokens > self._longest:
            return f"longer than every stage ({self._longest} tokens)"
        rates = [_rate(side, record, either.problem_id) for side in (self._a, self._b)]
        if self._recipe:
            return self._recipe
        if a and b and a.pass_rate != b.pass_rate:
            return "its pass rate was measured anew"
        if section == "rl":
            return "its pass rate came into the band" if b else "its pass rate left the band"
        if a is None and rates[0] is None:
            return "new, or outside the budget before"
        return "other traces take more or less of the budget"

    def _said(self, record: str, problem: str) -> str:
        """Return what people said of a record between the two manifests."""
        before, after = self._a.said.get(record), self._b.said.get(record)
        excluded = [bool(one and one["excluded"]) for one in (before, after)]
        what = "its problem was " if record == problem else ""
        if excluded[0] != excluded[1] and after:
            verb = "excluded" if excluded[1] else "restored"
            return f"{what}{verb} by {after['excluded_by']}: {after['excluded_why']}"
        weights = [one["weight"] if one else 1.0 for one in (before, after)]
        if weights[0] != weights[1] and after:
            verb = f"{what or 'was '}given the weight {weights[1]:g} (before: {weights[0]:g})"
            return f"{verb} by {after['weighed_by']}: {after['weighed_why']}"
        return ""


def _rate(side: Side, record: str, problem: str) -> float | None:
    found = side.traces.get(record) or side.problems.get(problem)
    return found.pass_rate if found else None


def _changes(section: str, a: dict[str, Drawn], b: dict[str, Drawn], why: _Why) -> list[dict[str, Any]]:
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


def _text(found: dict[str, Any], stages: list[dict[str, Any]], changes: list[dict[str, Any]]) -> list[str]:
    a, b = found["a"][:12], found["b"][:12]
    if found["same"]:
        return [f"{a} and {b} are the same manifest."]
    lines = [f"{row['key']}: {row['a']!r} became {row['b']!r}." for row in found["settings"]]
    for row in stages:
        if (row["traces_a"], row["tokens_a"]) != (row["traces_b"], row["tokens_b"]):
            counts = "{traces_a} traces of {tokens_a} tokens became {traces_b} of {tokens_b}".format(**row)
            lines.append(f"Stage {row['stage']}: {counts}.")
    for change in changes:
        what = "trace" if change["section"] == "traces" else "RL problem"
        plural = "s" if change["num"] > 1 else ""
        lines.append(f"{change['num']} {what}{plural} {change['change']}: {change['reason']}.")
    return lines or [f"{a} and {b} draw the same; only what was said of other records differs."]
