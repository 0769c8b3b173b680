"""Take the rows of a data set into the workspace, in constant memory, and so that it can be killed and run again.

A batch is looked up in the store, what is new is written as parts, and the parts are taken in before the next batch is
read. Every row is kept or dropped with a reason: `in` = `kept` + `dropped`. What a row gives goes in last, so that
after a kill the same row, read again, is either known with its origin or new.

Two kinds of formats. A form of our own sources is strict: the rows are read twice, and nothing is stored unless all of
them are good. A layout of others' data sets drops the rows that do not fit it, and remembers why; where a whole first
batch has other columns, nothing is stored and the first reason is raised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradus.engine.calls import with_calls
from gradus.engine.exchange.layouts.base import Found, Told, UnusableError, layouts
from gradus.engine.exchange.memory import WRITING_MB, limit_memory
from gradus.engine.exchange.rows import Numbered, Rows
from gradus.engine.parts import Record, write_part
from gradus.engine.records import DOMAINS, Drop, Origin, Prior, Problem, Trace
from gradus.engine.sources.base import checked, importers
from gradus.engine.store import Store
from gradus.errors import DataError
from gradus.verifiers.base import MALFORMED

BATCH_ROWS = 10_000
BATCH_CHARS = 32_000_000
"""A batch ends at whichever comes first; what is being read fits in memory however long conversations are."""
KNOWN = "there already"
MISFITS = ("malformed", "no column", "no conversation", "no domain", "not a row", "unknown domain")
"""Reasons that come of a wrong format, if they hold for every row."""


@dataclass(frozen=True, slots=True)
class Import:
    """Rows, the format they are in, and what whoever imports says of them."""

    rows: Rows
    form: str
    told: Told

    def read(self) -> Iterator[Taken]:
        """Yield what becomes of every row, from the start each time; a strict form raises at the first bad one."""
        return (_strict if self.strict else _lenient)(self.rows.read(), self.form, self.told)

    @property
    def strict(self) -> bool:
        return self.form in importers.names()


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one row: what it gives, or why it gives nothing."""

    place: str
    found: Found | None = None
    ids: tuple[str, str] = ("", "")
    """Of the problem and of the trace."""
    reason: str = ""


@dataclass(slots=True)
class Tally:
    """The counts of an import."""

    num_in: int = 0
    num_problems: int = 0
    num_traces: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def counts(self) -> dict[str, Any]:
        """Return them as every command prints them."""
        kept = self.num_in - sum(self.dropped.values())
        records = {"problems": self.num_problems, "traces": self.num_traces}
        return {"in": self.num_in, "kept": kept, "dropped": dict(sorted(self.dropped.items()))} | records


def take_in(store: Store, parts: Path, what: Import, *, advance: Callable[[int], None]) -> dict[str, Any]:
    """Store what is new of the rows, and return the counts."""
    if what.strict:
        for _ in what.read():
            pass
    tally, longest = Tally(), 0.0
    for batch in _batches(what.read()):
        longest = max(longest, sum(_num_chars(taken.found) for taken in batch) / len(batch))
        limit_memory(store, WRITING_MB, longest)
        if tally.num_in == 0 and all(taken.reason.partition(":")[0] in MISFITS for taken in batch):
            first = f"{batch[0].place}: {batch[0].reason}"
            raise DataError(f"{what.told.source}: no row fits the format {what.form}: {first}")
        _store(store, parts, batch, what, tally)
        store.sync(parts)
        advance(len(batch))
    return tally.counts()


def _strict(rows: Numbered, form: str, told: Told) -> Iterator[Taken]:
    importer = importers[form]
    for place, row in rows:
        if isinstance(row, DataError):
            raise row
        yield _taken(place, Found(problem=checked(importer, row, f"{told.source}, {place}", told.tags)))


def _lenient(rows: Numbered, form: str, told: Told) -> Iterator[Taken]:
    layout = layouts[form]
    for place, row in rows:
        if isinstance(row, DataError):
            yield Taken(place, reason=f"not a row: {row}")
            continue
        try:
            yield _taken(place, layout(row, told))
        except UnusableError as error:
            yield Taken(place, reason=str(error))
        except KeyError as error:
            yield Taken(place, reason=f"no column: {error}; it has {', '.join(row)}")
        except UnicodeEncodeError as error:
            # Half a surrogate pair is JSON, but no text that could be stored.
            yield Taken(place, reason=f"not text: {error}")
        except MALFORMED as error:
            yield Taken(place, reason=f"malformed: {error}")


def _taken(place: str, found: Found) -> Taken:
    problem, trace = found.problem, found.trace
    for record in (problem, trace):
        if record and record.domain not in DOMAINS:
            raise UnusableError(f"unknown domain: {record.domain!r}. Known: {', '.join(DOMAINS)}.")
    (found.row + found.licence + (trace.teacher if trace else "")).encode()
    return Taken(place, found, (problem.id if problem else "", trace.id if trace else ""))


def _batches(taken: Iterable[Taken]) -> Iterator[list[Taken]]:
    batch: list[Taken] = []
    num_chars = 0
    for one in taken:
        batch.append(one)
        num_chars += _num_chars(one.found)
        if len(batch) >= BATCH_ROWS or num_chars >= BATCH_CHARS:
            yield batch
            batch, num_chars = [], 0
    if batch:
        yield batch


def _num_chars(found: Found | None) -> int:
    if not found or not found.trace:
        return 0
    return sum(len(said.get("reasoning", "")) + len(with_calls(said)["content"]) for said in found.trace.messages)


def _store(store: Store, parts: Path, batch: list[Taken], what: Import, tally: Tally) -> None:
    """Write what is new, and count what becomes of each row."""
    form, told = what.form, what.told
    problems = _New(store, "problems", [taken.ids[0] for taken in batch])
    traces = _New(store, "traces", [taken.ids[1] for taken in batch])
    origins: list[Record] = []
    priors: dict[str, Record] = {}
    drops: list[Drop] = []
    for taken in batch:
        problem_id, trace_id = taken.ids
        tally.num_in += 1
        if not taken.found:
            tally.dropped[taken.reason.partition(":")[0]] += 1
            drops.append(Drop(record_id=f"{told.source}/{taken.place}", step=f"import {form}", reason=taken.reason))
            continue
        found = taken.found
        fresh = {problems.take(problem_id, found.problem), traces.take(trace_id, found.trace)} - {""}
        row, licence = found.row or taken.place, found.licence or told.licence
        origins += [Origin(record_id=new, source=told.source, row=row, licence=licence) for new in sorted(fresh)]
        if found.prior and problem_id in fresh:
            model, rate = found.prior
            priors[problem_id] = Prior(problem_id=problem_id, model_id=model, pass_rate=rate, source=told.source)
        tally.dropped[KNOWN] += not fresh
    tally.num_problems += len(problems.taken)
    tally.num_traces += len(traces.taken)
    tally.dropped += Counter()  # without those that are zero
    for records in (_unrecorded(store, drops), origins, list(priors.values()), problems.taken, traces.taken):
        write_part(parts, f"import-{form}", records)


class _New:
    """The records of one table and batch that are not in the store, each once."""

    def __init__(self, store: Store, table: str, ids: list[str]) -> None:
        query = f"SELECT id FROM {table} WHERE id IN (SELECT unnest($ids::VARCHAR[]))"
        self._known = {row["id"] for row in store.rows(query, {"ids": ids})}
        self.taken: list[Any] = []

    def take(self, id: str, record: Problem | Trace | None) -> str:
        """Take a record, and return its id if it is new."""
        if not record or id in self._known:
            return ""
        self._known.add(id)
        self.taken.append(record)
        return id


def _unrecorded(store: Store, drops: list[Drop]) -> list[Drop]:
    query = "SELECT record_id FROM drops WHERE step = $step AND record_id IN (SELECT unnest($ids::VARCHAR[]))"
    parameters = {"step": drops[0].step if drops else "", "ids": [drop.record_id for drop in drops]}
    known = {row["record_id"] for row in store.rows(query, parameters)}
    return [drop for drop in drops if drop.record_id not in known]
