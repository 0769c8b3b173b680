"""Which traces a stage takes: a share of its token budget for each entry of its mixture.

A trace belongs to the entry whose pattern fits its component best (`mixture.py`). An entry's share of the tokens is the
mean of its weights at the start and the end of the stage; traces come in the order of the policy's preference until the
share is full, then shorter ones that still fit: the stage's tokens fall short of its budget by less than the shortest
trace that is left, and exceed it by at most 0.1% or half of its own shortest trace. What runs out leaves its share to
the others, or is used again (`shortage`). A weight of 2.5 offers a trace twice or three times: its whole part, and its
fraction as the chance of once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gradus.curricula.candidates import Candidates, Floats, Ints
from gradus.curricula.chance import chances, shares
from gradus.curricula.manifest import Schedule
from gradus.curricula.mixture import best_fit
from gradus.curricula.policies.base import policies
from gradus.curricula.recipe import StageConfig

TOO_LONG, UNNAMED, REFUSED, BEYOND, TAKEN = range(5)
REASONS = {
    TOO_LONG: "longer than every stage",
    UNNAMED: "in no mixture",
    REFUSED: "not offered by the policy",
    BEYOND: "outside every budget",
}
"""Why a candidate is in no stage; of several stages' reasons the last of these counts."""
TOLERATED = 1000
"""A budget is met within one of so many parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What an entry wants and gets, in tokens of all uses; `available` counts each trace that fits the stage once."""

    wanted: int
    available_traces: int
    available_tokens: int
    supply: int
    """Tokens of all uses that are allowed."""

    @property
    def is_short(self) -> bool:
        return self.supply < self.wanted * (1 - 1 / TOLERATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a stage takes of the candidates."""

    declared: Schedule
    rows: dict[str, Ints]
    """By entry: indices of candidates in training order, once for each use."""
    shares: dict[str, Share]
    state: npt.NDArray[np.int8]
    """Of every candidate: TAKEN, or why not."""
    max_uses: int
    """How often the recipe, a policy and weights let a trace be used, at most."""


@dataclass(frozen=True, slots=True)
class _Uses:
    """Every use that could be made of a candidate: columns of one length."""

    row: Ints
    entry: Ints
    passed: Ints
    """In how many passes the row was used before: only once all are used is one used again."""
    order: Floats
    preference: Floats
    tie: npt.NDArray[np.uint64]

    def take(self, places: npt.NDArray[np.int64 | np.bool_]) -> _Uses:
        return _Uses(*(getattr(self, name)[places] for name in self.__slots__))


def choose(config: StageConfig, candidates: Candidates, seed: int) -> Chosen:
    """Return what a stage takes."""
    schedule = declared(config)
    names = sorted(schedule.start)
    entry = _entries(config, candidates, names)
    fits = candidates.num_tokens <= config.context_length
    state = np.where(fits, np.where(entry < 0, UNNAMED, REFUSED), TOO_LONG).astype(np.int8)
    uses = _uses(config, candidates, entry, np.flatnonzero(fits & (entry >= 0)), seed)
    state[uses.row] = BEYOND
    tokens = candidates.num_tokens[uses.row]
    supply = np.bincount(uses.entry, tokens, len(names)).astype(np.int64)
    mean = np.array([(schedule.start[name] + schedule.end[name]) / 2 for name in names])
    wanted = mean * config.token_budget
    targets = wanted if config.shortage == "refuse" else _rebalanced(mean, supply, config.token_budget)
    taken = _taken(uses, tokens, targets, config.token_budget)
    state[uses.row[taken]] = TAKEN
    chosen = uses.take(taken)
    chosen = chosen.take(np.lexsort((chosen.tie, chosen.order, chosen.passed, chosen.entry)))
    ends = np.cumsum(np.bincount(chosen.entry, minlength=len(names)))
    available = np.where(fits, entry, -1)
    return Chosen(
        declared=schedule,
        rows=dict(zip(names, np.split(chosen.row, ends[:-1]), strict=True)),
        shares={
            name: Share(
                wanted=round(float(wanted[i])),
                available_traces=int((available == i).sum()),
                available_tokens=int(candidates.num_tokens[available == i].sum()),
                supply=int(supply[i]),
            )
            for i, name in enumerate(names)
        },
        state=state,
        max_uses=int(np.bincount(uses.row).max(initial=1)),
    )


def declared(config: StageConfig) -> Schedule:
    """Return the shares that a stage asks for; entries whose weight is 0 throughout are none."""
    end = config.mixture_end or config.mixture
    names = [name for name in {**config.mixture, **end} if config.mixture.get(name) or end.get(name)]
    first, last = sum(config.mixture.values()), sum(end.values())
    return Schedule(
        kind=config.schedule if config.mixture_end else "constant",
        start={name: config.mixture.get(name, 0.0) / first for name in names},
        end={name: end.get(name, 0.0) / last for name in names},
    )


def num_uses(candidates: Candidates, seed: int) -> Ints:
    """Return how often each candidate is offered, from its weight; the draw depends on the seed and the trace alone."""
    whole = np.floor(candidates.weight)
    more = shares(chances(str(seed), candidates.trace_ids)) < candidates.weight - whole
    return whole.astype(np.int64) + more


def _entries(config: StageConfig, candidates: Candidates, names: Sequence[str]) -> Ints:
    """Return the place of each candidate's entry among names; -1: it has none."""
    patterns = {**config.mixture, **config.mixture_end}
    found = [best_fit(component, patterns) for component in candidates.names]
    places = [names.index(pattern) if pattern in names else -1 for pattern in found]
    return np.array([*places, -1], np.int64)[candidates.component]


def _uses(config: StageConfig, candidates: Candidates, entry: Ints, offered: Ints, seed: int) -> _Uses:
    """Return all uses of the candidates offered, those that are made first before others, entry by entry."""
    found = candidates.take(offered)
    plan = policies[config.policy](found, config.settings)
    place = np.repeat(np.arange(len(plan.rows)), num_uses(found, seed)[plan.rows])
    row = plan.rows[place]
    again = _occurrence(row)
    preference = np.zeros(len(row)) if plan.preference is None else plan.preference[place]
    spread = np.zeros(len(row)) if plan.spread is None else plan.spread[place]
    passes = []
    for number in range(config.max_passes):
        what = (found.trace_ids[row], found.part[row], again, np.full(len(row), number))
        # Of its own salt: those with the least tie are taken, and their places shall be drawn freely.
        drawn = shares(chances(f"{seed}/{config.name}/place", *what))
        passes.append(
            _Uses(
                row=offered[row],
                entry=entry[offered[row]],
                passed=np.full(len(row), number),
                order=plan.order[place] + spread * drawn,
                preference=preference,
                tie=chances(f"{seed}/{config.name}", *what),
            )
        )
    uses = _Uses(*(np.concatenate([getattr(one, name) for one in passes]) for name in _Uses.__slots__))
    return uses.take(np.lexsort((uses.tie, uses.preference, uses.passed, uses.entry)))


def _occurrence(row: Ints) -> Ints:
    """Return for each value how many equal ones stand before it."""
    order = np.argsort(row, kind="stable")
    sorted_row = row[order]
    first = np.searchsorted(sorted_row, sorted_row)
    found = np.empty(len(row), np.int64)
    found[order] = np.arange(len(row)) - first
    return found


def _rebalanced(mean: Floats, supply: Ints, budget: int) -> Floats:
    """Return the tokens of each entry: as its share is, but what it lacks goes to the others by their shares."""
    targets, short = np.zeros(len(mean)), np.zeros(len(mean), bool)
    while True:
        left = budget - supply[short].sum()
        targets = np.where(short, supply, mean * (left / (mean[~short].sum() or 1)))
        more = ~short & (supply <= targets)
        if not more.any():
            return targets
        short |= more


def _taken(uses: _Uses, tokens: Ints, targets: Floats, budget: int) -> npt.NDArray[np.bool_]:
    """Say of each use whether it is taken: the first of each entry up to its target, then what fits what is left."""
    taken = np.zeros(len(tokens), bool)
    ends = np.cumsum(np.bincount(uses.entry, minlength=len(targets)))
    for begin, end, target in zip([0, *ends[:-1]], ends, targets, strict=True):
        # Targets are sums of fractions: one that is the whole supply must not fall short by rounding.
        first = begin + int(np.searchsorted(np.cumsum(tokens[begin:end]), target + 1e-9 * budget, "right"))
        taken[begin:first] = True
        rest = np.arange(first, end)
        taken[_fill(rest, tokens, target - tokens[begin:first].sum())] = True
    rest = np.flatnonzero(~taken)
    rest = rest[np.argsort(uses.tie[rest], kind="stable")]
    taken[_fill(rest, tokens, budget - tokens[taken].sum())] = True
    return _nearest(taken, tokens, budget)


def _fill(places: Ints, tokens: Ints, room: float) -> list[int]:
    """Return the first places that fit into room one after another."""
    found: list[int] = []
    while True:
        places = places[tokens[places] <= room]
        if not len(places):
            return found
        found.append(int(places[0]))
        room -= int(tokens[places[0]])
        places = places[1:]


def _nearest(taken: npt.NDArray[np.bool_], tokens: Ints, budget: int) -> npt.NDArray[np.bool_]:
    """Take the shortest that is left, if the budget is nearer with it than without, and within its tolerance."""
    rest = np.flatnonzero(~taken)
    room = budget - int(tokens[taken].sum())
    if len(rest):
        shortest = rest[np.argmin(tokens[rest])]
        over = int(tokens[shortest]) - room
        if over < room and over <= tolerance(budget, int(tokens[taken].min(initial=tokens[shortest]))):
            taken[shortest] = True
    return taken


def tolerance(budget: int, shortest: int) -> int:
    """Return by how many tokens a stage may miss its budget, where supply allows; shortest is its shortest trace."""
    return max(budget // TOLERATED, (shortest + 1) // 2)
