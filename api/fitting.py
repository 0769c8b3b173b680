"""Comparing teachers: their traces, what the student makes of them, and a verdict for every domain.

A trace that two teachers both wrote word for word counts for each of them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from gradus.api.progress import progress
from gradus.curricula.reader import Reader
from gradus.curricula.recipe import Recipe
from gradus.engine.compatibility.choose import choose_traces
from gradus.engine.compatibility.fits import Scoring, known_fits, score_and_keep
from gradus.engine.compatibility.intervals import Ratio
from gradus.engine.compatibility.panel import Panel, ScoredTrace, make_panels
from gradus.engine.compatibility.reading import Reading
from gradus.engine.compatibility.scorers import SCORERS
from gradus.engine.compatibility.verdict import FitVerdict, decide
from gradus.engine.models import model_id
from gradus.engine.records import Trace, TraceFit
from gradus.engine.store import open_store
from gradus.engine.workspace import Workspace
from gradus.errors import DataError

Probed = Mapping[str, Mapping[str, Ratio]]
"""By domain, then teacher: passes over attempts of the student that was trained on its traces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitConfig:
    """How teachers are compared."""

    scorer: str = "torch"
    limit: int = 200
    """Problems of each teacher and domain."""
    window: int = 4
    """Steps that a step's local score sees before it."""
    max_context: int = 8192
    """Tokens; longer traces are left out, and so are those that the student has no room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Scored traces, and what became of the others."""

    student: str
    scored: list[ScoredTrace]
    num_in: int
    num_new: int
    dropped: dict[str, int]


def fit_traces(workspace: Workspace, recipe: Recipe, student: Path, config: FitConfig) -> Fitted:
    """Score every teacher's traces under the student; what is scored already is not scored again."""
    reader = Reader(student, recipe.render)
    scoring = Scoring(model_id=model_id(student), template=reader.definition, window=config.window)
    with workspace.writing():
        with open_store(workspace) as store:
            traces = choose_traces(store, recipe.traces, limit=config.limit)
            fits = known_fits(store, scoring)
        dropped: Counter[str] = Counter()
        limit = min(config.max_context, _room(student))
        readings = {t.id: _read(reader, t, limit, dropped) for t in traces if t.id not in fits}
        new = _score(workspace, student, {k: r for k, r in readings.items() if r}, scoring, config)
        with open_store(workspace):
            pass
    fits |= new
    scored = [ScoredTrace(trace, fits[trace.id]) for trace in traces if trace.id in fits]
    return Fitted(student=scoring.model_id, scored=scored, num_in=len(traces), num_new=len(new), dropped=dict(dropped))


def compare(fitted: Fitted, probed: Probed) -> tuple[list[Panel], list[FitVerdict]]:
    """Return panels and a verdict for every domain."""
    panels = make_panels(fitted.scored, fitted.student)
    by_domain = groupby(panels, key=lambda panel: panel.domain)
    return panels, [decide(list(found), probed.get(domain, {})) for domain, found in by_domain]


def as_data(fitted: Fitted, panels: Sequence[Panel], verdicts: Sequence[FitVerdict]) -> dict[str, Any]:
    """Return everything for machines."""
    return {
        "student": fitted.student,
        "in": fitted.num_in,
        "kept": len(fitted.scored),
        "dropped": fitted.dropped,
        "scored": fitted.num_new,
        "teachers": [panel.row() for panel in panels],
        "verdicts": [asdict(verdict) for verdict in verdicts],
    }


def _read(reader: Reader, trace: Trace, limit: int, dropped: Counter[str]) -> Reading | None:
    try:
        reading = reader.read(trace.messages, trace.learn)
    except DataError as error:
        dropped[str(error)] += 1
        return None
    if len(reading.token_ids) < limit:
        return reading
    dropped[f"{limit} tokens or longer"] += 1
    return None


def _score(
    workspace: Workspace, student: Path, readings: Mapping[str, Reading], scoring: Scoring, config: FitConfig
) -> dict[str, TraceFit]:
    if not readings:
        return {}
    longest = max(len(reading.token_ids) for reading in readings.values())
    with (
        closing(SCORERS[config.scorer](student, max_context=longest + 1)) as scorer,
        progress("fit", len(readings)) as advance,
    ):
        return score_and_keep(readings, scorer, workspace.parts, scoring=scoring, advance=advance)


def _room(folder: Path) -> int:
    config = json.loads((folder / "config.json").read_text())
    return int(config.get("max_position_embeddings", FitConfig().max_context))
