"""Does a policy beat a shuffle? One student, one pool of traces, equal tokens; held-out pass rate and loss by policy.

    python benchmarks/bench_policies.py [--cpu] [--seeds 3] [--out FOLDER]

Problems are written arithmetic (`written_arithmetic.py`), each with one exact written solution, a token a character.
For each seed a small Llama is trained from nothing: first on the easier levels of all skills until it writes 40% of
those right (the `earlier` checkpoint), then on some skills alone (the student), so that it masters some problems, half
knows some, has never met some and has forgotten some. Its pass rate at a problem is the probability that it writes the
exact solution, from one forward pass; what a policy is told is 8 attempts drawn at that rate. Every policy then orders
the same pool, takes what the same budget holds, and trains the same student on it; sequences are packed as in a
manifest. A held-out problem passes if greedy decoding writes its exact solution, which one forward pass decides;
that is checked first against decoding token by token.

`final` is the held-out pass rate after the last token, `mean` its mean over the checkpoints; intervals are Student's t,
95%, over seeds, and `gain` is of the differences to uniform at the same seed. Not covered: mixtures of entries, lengths
beyond a sequence, and models that were pre-trained. One task and a few seeds are an example, not a law.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import about
from small_student import Student, check
from written_arithmetic import SKILLS, Example, draw

from gradus.curricula import posterior
from gradus.curricula.candidates import Candidates
from gradus.curricula.chance import chances, shares
from gradus.curricula.policies.base import policies
from gradus.curricula.policies.ranks import ranks_within
from gradus.trainer.batch import Document

NUM_ATTEMPTS, CHECKPOINTS = 8, 8
ENOUGH = 0.4
KEPT_UP = ("add", "multiply", "chain")
"""Skills of the second part of the warm-up; the others are forgotten."""
T_QUANTILE = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""Of Student's t for a two-sided 95%, by the number of seeds."""
SETTINGS: dict[str, dict[str, Any]] = {"motif": {"lengths": [24, 40, 64]}}
"""Bands of the lengths that occur here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How large the model, the pool and the budgets are; budgets in tokens."""

    hidden: int
    layers: int
    levels: int
    per_cell: int
    """Problems of each skill and level in the pool."""
    heldout_per_cell: int
    foundation: int
    """At most: it ends when ENOUGH of the easier problems pass."""
    specialised: int
    budget: int
    rows: int
    """Sequences in an update."""
    lr: float
    """Of the warm-up; policies train at half of it."""


CPU = Scale(
    hidden=64,
    layers=2,
    levels=3,
    per_cell=400,
    heldout_per_cell=24,
    foundation=1_000_000,
    specialised=60_000,
    budget=80_000,
    rows=8,
    lr=4e-3,
)
GPU = Scale(
    hidden=256,
    layers=6,
    levels=5,
    per_cell=2400,
    heldout_per_cell=64,
    foundation=6_000_000,
    specialised=300_000,
    budget=1_000_000,
    rows=16,
    lr=1e-3,
)


@dataclass(slots=True)
class World:
    """What one seed's policies share."""

    scale: Scale
    seed: int
    device: torch.device
    pool: list[Example] = field(init=False)
    heldout: list[Example] = field(init=False)
    student: Student = field(init=False)
    candidates: Candidates = field(init=False)
    start: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        scale, cells = self.scale, [(s, n) for s in SKILLS for n in range(1, self.scale.levels + 1)]
        self.pool, self.heldout = [], []
        for cell in cells:
            found = list({e.ask: e for e in draw(f"pool/{self.seed}", [cell], scale.per_cell)}.values())
            aside = min(scale.heldout_per_cell, len(found) // 4)
            self.heldout += found[:aside]
            self.pool += found[aside:]
        easier = [cell for cell in cells if cell[1] < scale.levels]
        self.student = Student(scale.hidden, scale.layers, rows=scale.rows, seed=self.seed, device=self.device)
        trial = self._fresh("trial", easier, 20)
        self._warm_up("foundation", easier, scale.foundation, lambda _: self._passes(self.student, trial) >= ENOUGH)
        earlier = self._attempts("earlier")
        self._warm_up("specialised", [cell for cell in easier if cell[0] in KEPT_UP], scale.specialised)
        self.candidates = columns_of(self.pool, self._attempts("now"), earlier)
        _, right, loss = self.student.read(self.heldout)
        self.start = {"pass_rate": float(right.mean()), "loss": loss, "bands": self._bands()}

    def _warm_up(
        self, name: str, cells: Sequence[tuple[str, int]], budget: int, enough: Callable[[int], bool] | None = None
    ) -> None:
        examples = self._fresh(name, cells, max(1, budget // (15 * len(cells))))
        random.Random(f"{name}/{self.seed}").shuffle(examples)
        documents = list(until([example.document for example in examples], budget))
        self.student.train(documents, lr=self.scale.lr, every=budget // 12, look=enough)

    def _fresh(self, name: str, cells: Sequence[tuple[str, int]], per_cell: int) -> list[Example]:
        known = {example.ask for example in self.heldout}
        return [e for e in draw(f"{name}/{self.seed}", cells, per_cell) if e.ask not in known]

    @staticmethod
    def _passes(student: Student, examples: Sequence[Example]) -> float:
        return float(student.read(examples)[1].mean())

    def _attempts(self, when: str) -> np.ndarray:
        """Return how many of NUM_ATTEMPTS pass, drawn at the student's true rates."""
        rates, _, _ = self.student.read(self.pool)
        rng = np.random.default_rng([self.seed, int(when == "now")])
        return rng.binomial(NUM_ATTEMPTS, np.clip(rates, 0, 1))

    def _bands(self) -> dict[str, int]:
        bands = {"hard": (0.0, 0.3), "medium": (0.3, 0.7), "easy": (0.7, 1.0)}
        codes = posterior.band_of(self.candidates.num_passed, self.candidates.num_attempts, bands)
        return {name: int((codes == i).sum()) for i, name in enumerate(bands)}

    def run(self, policy: str) -> dict[str, Any]:
        """Train a copy of the student on what a policy takes, in its order."""
        rows = chosen(policy, self.candidates, self.scale.budget, f"{self.seed}")
        student = deepcopy(self.student)
        curve: list[dict[str, float]] = []

        def look(tokens: int) -> bool:
            _, right, loss = student.read(self.heldout)
            curve.append({"tokens": tokens, "pass_rate": float(right.mean()), "loss": loss})
            return False

        documents = [self.pool[row].document for row in rows]
        taken = sum(len(document.token_ids) for document in documents)
        start = time.perf_counter()
        student.train(documents, lr=self.scale.lr / 2, every=taken // CHECKPOINTS, look=look)
        _, right, _ = student.read(self.heldout)
        by_skill = {
            s: float(np.mean([ok for ok, e in zip(right, self.heldout, strict=True) if e.skill == s])) for s in SKILLS
        }
        return {
            "curve": curve[:CHECKPOINTS],
            "final": float(right.mean()),
            "mean": statistics.fmean(point["pass_rate"] for point in curve),
            "by_skill": by_skill,
            "tokens": taken,
            "uses": len(rows),
            "different": len(set(rows.tolist())),
            "seconds": time.perf_counter() - start,
        }


def until(documents: Sequence[Document], budget: int) -> Iterator[Document]:
    for document in documents:
        budget -= len(document.token_ids)
        if budget < 0:
            return
        yield document


def columns_of(pool: Sequence[Example], passed: np.ndarray, earlier: np.ndarray) -> Candidates:
    """Return the pool as policies see it: one trace a problem, in the order of ids."""
    attempts = np.full(len(pool), NUM_ATTEMPTS)
    return Candidates(
        names=tuple(f"{skill}/cot/written/unmeasured" for skill in SKILLS),
        trace_ids=np.array([f"{i:064}" for i in range(len(pool))], "S64"),
        part=np.zeros(len(pool), np.int32),
        places=np.arange(len(pool)),
        num_tokens=np.array([len(example.document.token_ids) for example in pool]),
        component=np.array([list(SKILLS).index(example.skill) for example in pool], np.int32),
        problem=np.arange(len(pool)),
        num_attempts=attempts,
        num_passed=passed,
        earlier_attempts=attempts,
        earlier_passed=earlier,
        weight=np.ones(len(pool)),
    )


def chosen(policy: str, candidates: Candidates, budget: int, salt: str) -> np.ndarray:
    """Return rows in training order: what is preferred until the budget is full, equals by the hash."""
    plan = policies[policy](candidates, SETTINGS.get(policy, {}))
    repeat = ranks_within(plan.rows, plan.order)
    tie, drawn = (chances(salt + of, candidates.trace_ids[plan.rows], repeat) for of in ("", "/place"))
    preference = np.zeros(len(tie)) if plan.preference is None else plan.preference
    liked = np.lexsort((tie, preference))
    taken = liked[np.cumsum(candidates.num_tokens[plan.rows[liked]]) <= budget]
    order = plan.order if plan.spread is None else plan.order + plan.spread * shares(drawn)
    return plan.rows[taken[np.lexsort((tie[taken], order[taken]))]]


def interval(values: Sequence[float]) -> dict[str, float]:
    """Return the mean and Student's 95% interval."""
    mean = statistics.fmean(values)
    half = T_QUANTILE[len(values)] * statistics.stdev(values) / math.sqrt(len(values))
    return {"mean": mean, "low": mean - half, "high": mean + half}


def summary(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    found = {}
    for policy, made in runs.items():
        found[policy] = {key: interval([run[key] for run in made]) for key in ("final", "mean")}
        for key in ("final", "mean"):
            gains = [run[key] - base[key] for run, base in zip(made, runs["uniform"], strict=True)]
            found[policy][f"gain_{key}"] = interval(gains)
        found[policy]["final_loss"] = interval([run["curve"][-1]["loss"] for run in made])
        found[policy]["beats_uniform"] = found[policy]["gain_final"]["low"] > 0
        found[policy]["loses_to_uniform"] = found[policy]["gain_final"]["high"] < 0
        for key in ("tokens", "uses", "different", "seconds"):
            found[policy][key] = statistics.fmean(run[key] for run in made)
    return found


def draw_plot(runs: Mapping[str, Sequence[Mapping[str, Any]]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for axis, key, title in zip(
        axes, ("pass_rate", "loss"), ("held-out pass rate", "held-out loss (nats)"), strict=True
    ):
        for policy, made in runs.items():
            values = np.array([[point[key] for point in run["curve"]] for run in made])
            tokens = np.mean([[point["tokens"] for point in run["curve"]] for run in made], axis=0)
            (line,) = axis.plot(tokens, values.mean(axis=0), label=policy, lw=2 if policy == "uniform" else 1.3)
            axis.fill_between(tokens, values.min(axis=0), values.max(axis=0), color=line.get_color(), alpha=0.1)
        axis.set(xlabel="tokens trained on", title=title)
    axes[0].legend()
    figure.suptitle("Mean over seeds; shaded: least to greatest")
    figure.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", action="store_true", help="a smaller model and fewer levels, a few minutes")
    parser.add_argument("--seeds", type=int, default=3, choices=T_QUANTILE)
    parser.add_argument("--policies", nargs="+", default=["uniform", *(p for p in policies.names() if p != "uniform")])
    parser.add_argument("--out", type=Path, help="a folder for the curves (policies.json) and the plot (policies.png)")
    args = parser.parse_args()
    scale, device = (CPU, torch.device("cpu")) if args.cpu else (GPU, torch.device("cuda"))
    runs: dict[str, list[dict[str, Any]]] = {policy: [] for policy in args.policies}
    starts, agree, began = [], [], time.perf_counter()
    for seed in range(args.seeds):
        world = World(scale, seed, device)
        starts.append(world.start)
        print(f"seed {seed} student: {world.start}", file=sys.stderr)
        agree.append(check(world.student, world.heldout[:: max(1, len(world.heldout) // 24)]))
        for policy in args.policies:
            runs[policy].append(world.run(policy))
            print(
                f"seed {seed} {policy}: {runs[policy][-1]['final']:.3f}, {time.perf_counter() - began:.0f} s",
                file=sys.stderr,
            )
    result = about(device) | {"seeds": args.seeds, "budget_tokens": scale.budget, "pool": len(world.pool)}
    result |= {"parameters": sum(p.numel() for p in world.student.model.parameters()), "decoding_agrees": min(agree)}
    result |= {"start": starts, "seconds": time.perf_counter() - began, "policies": summary(runs)}
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "policies.json").write_text(json.dumps(result | {"runs": runs}))
        draw_plot(runs, args.out / "policies.png")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
