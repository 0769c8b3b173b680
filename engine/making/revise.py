"""Read corrections that passed, and find what is wrong with them all the same.

A correction is not kept if it was cut off; if it states an equation that does not hold, other than to say what was
wrong; if it gives away that its writer was shown the answer (hints.py); or if it names a first wrong step but the steps
before it are wrong, it begins again instead of going on, it speaks of the attempt from outside, or the whole, put
together, does not pass. Equations are looked at in mathematics and science alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gradus.engine.making.hints import mention
from gradus.engine.making.locate import first_wrong, numbered, to_steps
from gradus.engine.making.reply import Reply, read_reply
from gradus.engine.making.work import worked
from gradus.engine.parts import write_part
from gradus.engine.records import Drop, Revision
from gradus.engine.store import Store
from gradus.verifiers.base import verify
from gradus.verifiers.equations import stated

VERSION = 1
"""Grows whenever any correction could be read or judged otherwise; all are then read again."""
RUN = "revise"
STEP = f"corrections/{VERSION}"
"""Of the drops: the newest version's replace the others (engine/sql/0003_dropped.sql)."""
CALCULATED = ("math", "stem")
FROM_OUTSIDE = re.compile(r"\bsteps? \d+\b|\bthe (?:student|solver|attempt|failed answer)\b", re.IGNORECASE)


def revise(store: Store, parts: Path, *, workers: int, advance: Callable[[int], None] = lambda _: None) -> int:
    """Read the corrections that have not been read, write revisions, and drops of those with a fault; count them."""
    total = 0
    for batch in worked(revision, store.stream("unrevised", {"version": VERSION}), lost=_lost, workers=workers):
        # Drops first: a revision says that its correction has been dealt with.
        drops = [Drop(record_id=one.attempt_id, step=STEP, reason=one.fault) for one in batch if one.fault]
        write_part(parts, RUN, [Drop(record_id="", step=STEP, reason="run"), *drops])
        write_part(parts, RUN, batch)
        total += len(batch)
        advance(len(batch))
    return total


def num_unrevised(store: Store) -> int:
    """Count the corrections that have not been read."""
    return store.count("unrevised", {"version": VERSION})


def revision(row: dict[str, Any]) -> Revision:
    """Read one row of `unrevised.sql`."""
    reply = read_reply(row["answer"])
    steps = to_steps(row["failed"])
    named = steps[reply.step - 1] if reply and 1 <= reply.step <= len(steps) and reply.text else None
    kept, shown = (named.start, named.end) if named else (0, 0)
    text = reply.text if reply and named else row["answer"]
    return Revision(
        attempt_id=row["id"],
        version=VERSION,
        step=reply.step if reply and named else None,
        kept=kept,
        shown=shown,
        why=reply.why if reply and named else "",
        text=text,
        fault=next(_faults(row, reply, text, kept), ""),
    )


def _faults(row: dict[str, Any], reply: Reply | None, text: str, kept: int) -> Iterator[str]:
    if row["finish_reason"] != "stop":
        yield "cut off"
    if reply and text is not reply.text:
        yield "names no step of the attempt"
        return
    failed, why = row["failed"], reply.why if reply else ""
    if row["domain"] in CALCULATED:
        yield from _wrong_steps(failed, kept, why, text)
    if found := _mention(row, reply, text):
        yield f"mentions the hint: {found}"
    if reply:
        yield from _misfits(row, failed[:kept], why, text)


def _wrong_steps(failed: str, kept: int, why: str, text: str) -> Iterator[str]:
    if wrong := first_wrong(failed[:kept]):
        yield f"keeps a wrong step: {wrong.text}"
    if wrong := first_wrong(text):
        yield f"states a wrong step: {wrong.text}"
    for equation in stated(why):
        if equation.holds is False and _plain(equation.text) not in _plain(failed):  # else it is quoted
            yield f"states a wrong step: {equation.text}"


def _mention(row: dict[str, Any], reply: Reply | None, text: str) -> str:
    *_, ask, answer = json.loads(row["messages"])
    # What a teacher thought before a reply is not taken over.
    said = f"{reply.why}\n{text}" if reply else f"{answer.get('reasoning', '')}\n{text}"
    shown = ask["content"]
    for known in (row["prompt"], numbered(row["failed"]), row["failed"]):
        shown = shown.replace(known, "\n")
    return mention(said, hint=shown, prompt=row["prompt"])


def _misfits(row: dict[str, Any], kept: str, why: str, text: str) -> Iterator[str]:
    """Yield what keeps a continuation from following the steps that stay."""
    if (found := FROM_OUTSIDE.search(f"{why}\n{text}")) and found[0].lower() not in row["prompt"].lower():
        yield f"speaks from outside: {found[0]}"
    if any(_plain(step.text) in _plain(text) for step in to_steps(kept)[:1]):
        yield "begins again instead of going on"
    verdict = verify(row["verifier"], kept + text, json.loads(row["spec"]))
    if verdict.outcome != "pass":
        yield f"does not pass as a whole: {verdict.reason}"


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text).rstrip(".")


def _lost(row: dict[str, Any], reason: str) -> Revision:
    fault = f"could not be read: {reason}"
    return Revision(
        attempt_id=row["id"], version=VERSION, step=None, kept=0, shown=0, why="", text=row["answer"], fault=fault
    )
