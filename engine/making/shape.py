"""How a trace is built: steps, checks, equations and lengths of what training learns of it.

Counted are the learned turns, thoughts first, without what a turn was given to go on from. Of each turn:
steps: sentences or lines of at least two words (locate.py);
numbered: explicit steps, a line each that begins `1.`, `2)`, `Step 3:` …, as far as they count up from 1 by ones;
checks: sentences that announce a check of a result ("let me check", "plugging back", "verification: …");
restarts: sentences that begin a second way ("alternatively", "another way", "a second method");
equations, holding, failed: as verifiers/equations.py reads and decides them; in mathematics and science alone, for
elsewhere `=` is seldom a claim. The rest of the equations is undecided.
Checks and restarts are announcements, in English: whether anything is checked behind them, nobody has looked.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradus.engine.making.locate import to_steps
from gradus.engine.making.work import worked
from gradus.engine.parts import write_part
from gradus.engine.records import TraceShape
from gradus.engine.store import Store
from gradus.verifiers.equations import stated

VERSION = 1
"""Grows whenever any count may come out otherwise; every trace is then measured again."""
RUN = "shape"
CALCULATED = ("math", "stem")
_NUMBERED = re.compile(r"^[ \t#>*_-]*(?:step[ \t]+)?(\d{1,3})[ \t*_]*[.):]", re.IGNORECASE | re.MULTILINE)
_CHECKS = re.compile(
    r"\b(?:let(?:'s| us| me)(?: now| quickly)? (?:double[- ]?)?(?:check|verify)|double[- ]?check\w*|sanity check"
    r"|to (?:check|verify|confirm)|(?:check|verif)(?:y|ying|ing|ication)?\s?[:—]|(?:we|i) (?:check|verify)"
    r"|(?:check|verify)ing|(?:plug|substitut)\w*(?: \S+){0,3} back)(?!\w)",
    re.IGNORECASE,
)
_RESTARTS = re.compile(
    r"\b(?:alternatively|another (?:way|method|approach)|second (?:way|method|approach|derivation|solution)"
    r"|different (?:way|method|approach)|let(?:'s| us| me) (?:try|do|derive|solve) (?:it |this )?(?:again|another))\b",
    re.IGNORECASE,
)


def measure(store: Store, parts: Path, *, workers: int = 1, advance: Callable[[int], None] = lambda _: None) -> int:
    """Write the shape of every trace that has none of the present version; return how many those were."""
    total = 0
    for batch in worked(shape_of, store.stream("unshaped", {"version": VERSION}), lost=_lost, workers=workers):
        write_part(parts, RUN, batch)
        total += len(batch)
        advance(len(batch))
    return total


def num_unshaped(store: Store) -> int:
    """Count the traces that have no shape of the present version."""
    return store.count("unshaped", {"version": VERSION})


def shape_of(row: dict[str, Any]) -> TraceShape:
    """Measure a trace: a row of `unshaped.sql`."""
    messages, learn = json.loads(row["messages"]), row["learn"]
    turns = [message for message, learned in zip(messages, learn, strict=True) if learned]
    thoughts = [turn.get("reasoning", "") for turn in turns]
    texts = [*thoughts, *(turn["content"][turn.get("given", 0) :] for turn in turns)]
    counts = sum((_counted(text, row["domain"]) for text in texts if text), Counter[str]())
    return TraceShape(
        trace_id=row["id"],
        version=VERSION,
        reasoning_share=sum(map(len, thoughts)) / max(1, counts["chars"]),
        **{f"num_{what}": counts[what] for what in _COUNTS},
    )


_COUNTS = ("steps", "numbered", "checks", "restarts", "words", "chars", "equations", "holding", "failed")


def _counted(text: str, domain: str) -> Counter[str]:
    steps = to_steps(text)
    holds = [equation.holds for equation in stated(text)] if domain in CALCULATED else []
    return Counter(
        steps=len(steps),
        numbered=_numbered(text),
        checks=sum(bool(_CHECKS.search(step.text)) for step in steps),
        restarts=sum(bool(_RESTARTS.search(step.text)) for step in steps),
        words=len(text.split()),
        chars=len(text),
        equations=len(holds),
        holding=holds.count(True),
        failed=holds.count(False),
    )


def _numbered(text: str) -> int:
    """Return how far the numbers at line starts count up from 1."""
    last = 0
    for match in _NUMBERED.finditer(text):
        last += int(match[1]) == last + 1
    return last if last > 1 else 0


def _lost(row: dict[str, Any], _: str) -> TraceShape:
    """Return the shape of a trace that no worker survived: its length alone."""
    counts = dict.fromkeys(_COUNTS, 0) | {"chars": len(row["messages"])}
    numbers = {f"num_{what}": count for what, count in counts.items()}
    return TraceShape(trace_id=row["id"], version=VERSION, reasoning_share=0.0, **numbers)
