"""Score traces and keep the scores, so that no trace is read twice by the same student in the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gradus.engine.compatibility.reading import RANK_LIMIT, Reading, collect, to_passages
from gradus.engine.compatibility.scorers import Scorer
from gradus.engine.parts import write_part
from gradus.engine.records import TraceFit
from gradus.engine.store import Store

AT_ONCE = 256
"""Traces in a part: what a kill costs at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """Whose scores, and what they mean."""

    model_id: str
    template: str
    """Names the student's tokenizer and chat template, and how thoughts are put into it."""
    window: int
    """In steps: how much a step's local score sees before it."""

    @property
    def definition(self) -> str:
        return f"window {self.window}, rank <= {RANK_LIMIT}, template {self.template[:12]}"


def known_fits(store: Store, scoring: Scoring) -> dict[str, TraceFit]:
    """Return the scores that are stored, by trace."""
    query = "SELECT * FROM fits WHERE model_id = $model AND definition = $definition"
    rows = store.rows(query, {"model": scoring.model_id, "definition": scoring.definition})
    return {row["trace_id"]: TraceFit(**row) for row in rows}


def score_and_keep(
    readings: Mapping[str, Reading],
    scorer: Scorer,
    parts: Path,
    *,
    scoring: Scoring,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, TraceFit]:
    """Score readings, which are under their traces' ids, writing a part every so many; return the scores."""
    found: dict[str, TraceFit] = {}
    waiting = list(readings.items())
    for start in range(0, len(waiting), AT_ONCE):
        fits = score_traces(dict(waiting[start : start + AT_ONCE]), scorer, scoring)
        write_part(parts, "fit", fits)
        found |= {fit.trace_id: fit for fit in fits}
        advance(len(fits))
    return found


def score_traces(readings: Mapping[str, Reading], scorer: Scorer, scoring: Scoring) -> list[TraceFit]:
    """Return the scores of readings, in their order."""
    passages = {trace_id: to_passages(reading, scoring.window) for trace_id, reading in readings.items()}
    scores = dict(scorer.score([passage for found in passages.values() for passage in found]))
    fits, start = [], 0
    for trace_id, reading in readings.items():
        end = start + len(passages[trace_id])
        means = collect(reading, [scores[i] for i in range(start, end)], scoring.window)
        start = end
        fits.append(
            TraceFit(
                trace_id=trace_id,
                model_id=scoring.model_id,
                definition=scoring.definition,
                scorer=scorer.name,
                num_tokens=reading.num_tokens,
                num_steps=reading.num_steps,
                nll=means.nll,
                rank=means.rank,
                local_nll=means.local_nll,
            )
        )
    return fits
