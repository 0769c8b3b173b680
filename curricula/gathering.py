"""Render traces, and return them as candidates: what there is to choose from, and what is left out before choosing."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from gradus.curricula import posterior
from gradus.curricula.candidates import Candidates, Ints
from gradus.curricula.chance import ID_BYTES
from gradus.curricula.chat import Renderer, Sample
from gradus.curricula.choosing import num_uses
from gradus.curricula.curated import Weights
from gradus.curricula.gates import apply
from gradus.curricula.manifest import Gate
from gradus.curricula.recipe import Recipe
from gradus.curricula.rendered import RenderedRows
from gradus.curricula.standing import Checkpoint, Standing, find_checkpoint, standing
from gradus.engine.records import Trace
from gradus.engine.store import Store
from gradus.errors import DataError

Bands = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What a curriculum can be made of."""

    candidates: Candidates
    dropped: Counter[str]
    gates: tuple[Gate, ...]
    bands: dict[str, tuple[float, ...]]
    """In the order of their names, as a manifest has them: the first of equally probable bands counts."""
    earlier: str
    """The checkpoint's full name."""
    unmeasured: list[str]
    """Problems of the traces that the student never tried."""

    @property
    def inputs(self) -> str:
        """The hash of all that choosing and ordering depend on, apart from the recipe."""
        columns = (getattr(self.candidates, f.name) for f in fields(Candidates) if f.name not in ("names", "places"))
        digest = hashlib.sha256("\n".join(self.candidates.names).encode())
        for column in columns:
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()


class _Columns:
    """Columns that grow by a row at a time."""

    def __init__(self) -> None:
        self.trace_ids: list[bytes] = []
        self.part, self.places, self.num_tokens = array("q"), array("q"), array("q")
        self.source, self.problem, self.weight = array("q"), array("q"), array("d")
        self.sources: dict[str, int] = {}
        """`domain/kind/teacher`"""
        self.problems: dict[str, int] = {}

    def add(self, trace_id: str, trace: Trace, samples: Iterable[tuple[int, int]], weight: float) -> None:
        """Add a trace's samples: where each is, and how long."""
        source = self.sources.setdefault(f"{trace.domain}/{trace.kind}/{trace.teacher}", len(self.sources))
        problem = self.problems.setdefault(trace.problem_id, len(self.problems))
        for part, (place, num_tokens) in enumerate(samples):
            self.trace_ids.append(trace_id.encode())
            self.part.append(part)
            self.places.append(place)
            self.num_tokens.append(num_tokens)
            self.source.append(source)
            self.problem.append(problem)
            self.weight.append(weight)

    def candidates(self, known: Standing, bands: Bands) -> Candidates:
        """Return them in the order of their ids."""
        ids = np.array(self.trace_ids, f"S{ID_BYTES}")
        problem, problems = _sorted_codes(self.problems, np.array(self.problem, np.int64))
        counts = {name: column[problem] for name, column in known.of(problems).items()}
        names, component = self._components(counts, bands)
        found = Candidates(
            names=names,
            trace_ids=ids,
            part=np.array(self.part, np.int32),
            places=np.array(self.places, np.int64),
            num_tokens=np.array(self.num_tokens, np.int64),
            component=component,
            problem=problem,
            weight=np.array(self.weight, np.float64),
            **counts,
        )
        return found.take(np.lexsort((found.part, found.trace_ids)))

    def _components(self, counts: Mapping[str, Ints], bands: Bands) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
        band_names = posterior.band_names(bands)
        band = posterior.band_of(counts["num_passed"], counts["num_attempts"], bands)
        every = {f"{source}/{name}": 0 for source in self.sources for name in band_names}
        code, present = _sorted_codes(every, np.array(self.source, np.int64) * len(band_names) + band)
        used, component = np.unique(code, return_inverse=True)
        return tuple(present[used].astype(str).tolist()), component.astype(np.int32)


def _sorted_codes(names: Iterable[str], codes: Ints) -> tuple[Ints, npt.NDArray[np.bytes_]]:
    """Return codes into names as codes into the sorted names, and these, so that no order of arrival matters."""
    encoded = np.array([name.encode() for name in names], np.bytes_)
    order = np.argsort(encoded)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place[codes], encoded[order]


def gather(
    store: Store, recipe: Recipe, traces: Iterable[Trace], renderer: Renderer, student: str, rows: RenderedRows
) -> Gathered:
    """Render traces into rows; count what is left out, by reason."""
    earlier = find_checkpoint(store, recipe.earlier) if recipe.earlier else None
    known = standing(store, Checkpoint(student), earlier)
    gates, gated = apply(store, recipe.gates, student=student, template=renderer.definition)
    curated = Weights(store)
    rates = {row["problem_id"]: row["pass_rate"] for row in store.stream("pass_counts", {"model": student})}
    dropped, columns = Counter[str](), _Columns()
    seen: set[bytes] = set()
    for trace in traces:
        trace_id = trace.id  # a hash of all it says
        key = bytes.fromhex(trace_id)
        weight = gated.get((trace.teacher, trace.domain), 1.0)
        if not weight:
            dropped[f"gated: {trace.teacher} in {trace.domain}"] += 1
        elif key in seen:
            dropped["says the same as another trace"] += 1
        else:
            seen.add(key)
            row = _row(trace_id, trace, rates.get(trace.problem_id))
            samples = _added(rows, row, _samples(renderer, trace, dropped))
            columns.add(trace_id, trace, samples, weight * curated.of(trace_id, trace.problem_id))
    bands = dict(sorted(recipe.bands.items()))
    candidates, not_drawn = _drawn(columns.candidates(known, bands), recipe.seed)
    problems = np.array([name.encode() for name in columns.problems], np.bytes_)
    return Gathered(
        candidates=candidates,
        dropped=dropped + not_drawn,
        gates=gates,
        bands=bands,
        earlier="/".join(filter(None, (earlier.model, earlier.policy_version))) if earlier else "",
        unmeasured=problems[known.of(problems)["num_attempts"] == 0].astype(str).tolist(),
    )


def _samples(renderer: Renderer, trace: Trace, dropped: Counter[str]) -> list[Sample]:
    try:
        found = [sample for sample in renderer.samples(trace.messages, trace.learn) if any(sample[1])]
    except DataError as error:
        dropped[str(error)] += 1
        return []
    if not found:
        dropped["nothing in it is learned"] += 1
    return found


def _row(trace_id: str, trace: Trace, rate: float | None) -> dict[str, Any]:
    """Return what the rows of a trace's samples have in common."""
    return {
        "trace_id": trace_id,
        "problem_id": trace.problem_id,
        "domain": trace.domain,
        "kind": trace.kind,
        "teacher": trace.teacher,
        "pass_rate": rate,
    }


def _added(rows: RenderedRows, row: Mapping[str, Any], samples: Iterable[Sample]) -> Iterator[tuple[int, int]]:
    """Keep each sample's row; yield its place and its length."""
    for token_ids, learned in samples:
        tokens = {"token_ids": np.array(token_ids, np.int32), "loss_mask": np.array(learned, np.bool_)}
        yield rows.add({**row, "num_tokens": len(token_ids), **tokens}), len(token_ids)


def _drawn(candidates: Candidates, seed: int) -> tuple[Candidates, Counter[str]]:
    """Leave out the traces that their weight leaves out, and count them."""
    there = num_uses(candidates, seed) > 0
    first = candidates.part[~there] == 0
    weights = candidates.weight[~there][first].tolist()
    return candidates.take(there), Counter(f"not drawn: weight {weight:g}" for weight in weights)
