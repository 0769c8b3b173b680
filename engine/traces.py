"""Traces: what training sees, made from verified attempts in the student's own template.

What a recipe asks of a trace beyond its verdict is in `limits`. With limits every passing answer becomes a trace and is
measured (making/shape.py); those beyond a limit are dropped with the reason, and of the others all but the first
`per_problem` of each problem and kind. The next run's drops replace these.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradus.engine.clean.runs import reason_kinds, record_run, take_back
from gradus.engine.making.forms import Form, corrected_turns
from gradus.engine.making.limits import LimitConfig, fault
from gradus.engine.making.shape import VERSION
from gradus.engine.parts import write_part
from gradus.engine.prompts import PromptConfig
from gradus.engine.records import HELDOUT, Message, Trace
from gradus.engine.store import SQL, Store

RUN = "harvest"
STEP = "traces"
"""Of the drops."""
PART = 10_000
ALL = (1 << 31) - 1

Made = tuple[dict[str, Any], Trace]
"""A trace, and the row of `passing.sql` that it is made from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceConfig:
    """Which verified attempts become traces, and how they are put."""

    per_problem: int = 2
    """At most this many different passing answers of each problem and kind."""
    form: Form = "after"
    """Of corrections: engine/making/forms.py."""
    feedback: str = "That is not correct. Try again."
    """Said between the failed attempt and its correction, in the form `after`."""
    notice: str = "Wait, that is not right."
    """Said where the form `continue` turns from the failed attempt to its correction."""
    prompts: dict[str, PromptConfig] = field(default_factory=dict)
    """The student's template by domain; `default` serves those not named."""
    limits: dict[str, LimitConfig] = field(default_factory=dict)
    """What traces must be like, by domain; `default` serves those not named."""

    def prompt(self, domain: str) -> PromptConfig:
        return self.prompts.get(domain) or self.prompts.get("default") or PromptConfig()

    def limit(self, domain: str) -> LimitConfig:
        return self.limits.get(domain) or self.limits.get("default") or LimitConfig()


def write_traces(store: Store, parts: Path, config: TraceConfig) -> int:
    """Write the traces of a recipe that are not there yet; return how many those are."""
    known = "SELECT id FROM traces WHERE id IN (SELECT unnest($ids::VARCHAR[]))"
    waiting: list[Trace] = []
    total = 0
    for batch in _batches(store, config):
        there = {row["id"] for row in store.rows(known, {"ids": [trace.id for _, trace in batch]})}
        waiting += [trace for _, trace in batch if trace.id not in there]
        if len(waiting) >= PART:
            write_part(parts, RUN, waiting)
            total, waiting = total + len(waiting), []
    write_part(parts, RUN, waiting)
    return total + len(waiting)


def reject(store: Store, parts: Path, config: TraceConfig) -> dict[str, Any]:
    """Drop the traces that are beyond the recipe's limits, all of them measured before; return the counts."""
    num_in, reasons = _rejected(store, config)
    if config.limits:
        record_run(store, parts, STEP, reasons, looked_at=num_in)
    else:
        take_back(store, parts, STEP)
    return {"in": num_in, "kept": num_in - len(reasons), "dropped": reason_kinds(reasons)}


def kept_traces(store: Store, config: TraceConfig) -> Iterator[Trace]:
    """Yield the traces of a recipe that no step dropped, by problem."""
    query = "SELECT record_id FROM dropped WHERE record_id IN (SELECT unnest($ids::VARCHAR[]))"
    for batch in _batches(store, config):
        dropped = {row["record_id"] for row in store.rows(query, {"ids": [trace.id for _, trace in batch]})}
        yield from (trace for _, trace in batch if trace.id not in dropped)


def to_trace(row: dict[str, Any], config: TraceConfig) -> Trace:
    """Put a passing attempt, a row of `passing.sql`, in the student's template."""
    said = config.prompt(row["domain"]).messages(row["prompt"])
    is_first = row["failed_answer"] is None
    turns: tuple[Message, ...]
    if is_first:
        turns = (json.loads(row["messages"])[-1],)
    else:
        turns = corrected_turns(row, config.form, feedback=config.feedback, notice=config.notice)
    messages = (*said, *turns)
    return Trace(
        kind="cot" if is_first else "correction",
        domain=row["domain"],
        messages=messages,
        learn=(*(False for _ in messages[1:]), True),
        problem_id=row["problem_id"],
        attempt_id=row["id"],
        failed_attempt_id=row["failed_attempt_id"],
        teacher=row["model_id"],
    )


def _batches(store: Store, config: TraceConfig) -> Iterator[list[Made]]:
    """Yield the traces that a recipe makes of passing attempts, each once, by problem."""
    num = ALL if config.limits else config.per_problem
    seen: set[int] = set()  # two problems may have the same text
    for rows in store.batches((SQL / "passing.sql").read_text(), {"per_problem": num, "heldout": HELDOUT}):
        batch = []
        for row in rows:
            trace = to_trace(row, config)
            key = int(trace.id[:16], 16)
            if key not in seen:
                seen.add(key)
                batch.append((row, trace))
        yield batch


def _rejected(store: Store, config: TraceConfig) -> tuple[int, dict[str, str]]:
    """Return how many traces there are, and why some are left out."""
    query = "FROM shapes WHERE version = $version AND trace_id IN (SELECT unnest($ids::VARCHAR[]))"
    reasons: dict[str, str] = {}
    kept: Counter[tuple[str, str]] = Counter()
    total, problem = 0, ""
    for batch in _batches(store, config):
        total += len(batch)
        ids = [trace.id for _, trace in batch] if config.limits else []
        shapes = {row["trace_id"]: row for row in store.rows(query, {"version": VERSION, "ids": ids})} if ids else {}
        for row, trace in batch if ids else ():
            if trace.problem_id != problem:
                kept.clear()
                problem = trace.problem_id
            why = fault(shapes[trace.id], row["tokens_out"], config.limit(trace.domain))
            if not why and kept[problem, trace.kind] == config.per_problem:
                why = f"enough of its problem: {config.per_problem} others"
            if why:
                reasons[trace.id] = why
            else:
                kept[problem, trace.kind] += 1
    return total, reasons
