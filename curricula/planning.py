"""What a recipe makes of candidates, stage by stage, before anything is written.

A stage takes traces that no earlier one took. What is too long for a stage waits for a longer one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradus.curricula.candidates import Candidates
from gradus.curricula.choosing import REASONS, TAKEN, Chosen, choose, tolerance
from gradus.curricula.manifest import Schedule
from gradus.curricula.recipe import StageConfig
from gradus.curricula.sequences import Sequences, lay

MOVED = 0.02
"""A share that differs from the recipe's by more is noted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """A stage: its traces, each once and in the order of their ids, and its sequences of them."""

    config: StageConfig
    traces: Candidates
    chosen: Chosen
    """Its rows are indices into traces."""
    sequences: Sequences | None
    """None: no trace could be taken."""
    lacking: tuple[str, ...]
    """What the recipe asks for and the traces do not give, in words."""

    @property
    def num_tokens(self) -> int:
        return int(self.sequences.num_tokens.sum()) if self.sequences else 0


def plan_stages(
    configs: Sequence[StageConfig], candidates: Candidates, seed: int
) -> tuple[list[StagePlan], Counter[str]]:
    """Return the stages' plans, and how many rendered traces are in none, by reason."""
    plans = []
    why = np.zeros(len(candidates), np.int8)
    for config in configs:
        chosen = choose(config, candidates, seed)
        taken = chosen.state == TAKEN
        plans.append(_plan(config, candidates, chosen))
        why = np.maximum(why, chosen.state)[~taken]
        candidates = candidates.take(~taken)
    counts = np.bincount(why, minlength=TAKEN)
    return plans, Counter({reason: int(counts[code]) for code, reason in REASONS.items() if counts[code]})


def _plan(config: StageConfig, candidates: Candidates, chosen: Chosen) -> StagePlan:
    taken = chosen.state == TAKEN
    place = np.cumsum(taken) - 1
    chosen = replace(chosen, rows={name: place[rows] for name, rows in chosen.rows.items()})
    traces = candidates.take(taken)
    sequences = lay(config, chosen, traces.num_tokens) if len(traces) else None
    lacking = tuple(_lacking(config, chosen, traces, sequences))
    return StagePlan(config=config, traces=traces, chosen=chosen, sequences=sequences, lacking=lacking)


def _lacking(config: StageConfig, chosen: Chosen, traces: Candidates, sequences: Sequences | None) -> Iterator[str]:
    for name, share in chosen.shares.items():
        if not share.available_traces:
            yield f"no trace of {name} fits {config.context_length} tokens"
        elif share.is_short:
            uses = f" and {share.supply} in all uses" if share.supply != share.available_tokens else ""
            there = f"{share.available_traces} traces of {share.available_tokens} tokens{uses}"
            yield f"{name}: wanted {share.wanted} tokens, there are {there}"
    num_tokens = int(sequences.num_tokens.sum()) if sequences else 0
    if num_tokens < config.token_budget - tolerance(config.token_budget, int(traces.num_tokens.min(initial=1))):
        supply = sum(share.supply for share in chosen.shares.values())
        why = "what is left is too long for the rest" if supply > num_tokens else "there are no more traces"
        yield f"{num_tokens} of {config.token_budget} tokens: {why}"
    if sequences and (moved := _moved(chosen.declared, sequences.schedule)) > MOVED + 1 / len(sequences):
        yield f"the mixture differs from the recipe's by up to {moved:.1%} of the sequences"


def _moved(declared: Schedule, found: Schedule) -> float:
    sides = ((declared.start, found.start), (declared.end, found.end))
    return max(abs(want[name] - got[name]) for want, got in sides for name in want)
