"""Choose, order and pack a stage out of a million candidates, and prove what came out.

Lengths are log-normal from 200 to 60K tokens; the mixture moves by a cosine between two. Prints one JSON line a policy:
median seconds of each step, memory, the greatest deviation of any prefix from the schedule in sequences, the share by
which the token budget was missed, and how full the sequences are.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from common import about
from torch import device

from gradus.curricula.candidates import Candidates
from gradus.curricula.choosing import TAKEN, choose
from gradus.curricula.planning import plan_stages
from gradus.curricula.recipe import StageConfig
from gradus.curricula.schedule import cumulative
from gradus.curricula.shards import SHARD_TOKENS, cuts

NAMES = tuple(
    f"{domain}/{kind}/ada/{band}"
    for domain in ("code", "math", "stem")
    for kind in ("correction", "cot")
    for band in ("easy", "hard", "medium")
)


def made_up(num: int) -> Candidates:
    """Return candidates of one part each, as many of every component."""
    rng = np.random.default_rng(0)
    zeros = np.zeros(num, np.int64)
    return Candidates(
        names=NAMES,
        trace_ids=np.array(sorted(hashlib.sha256(str(i).encode()).hexdigest() for i in range(num)), "S64"),
        part=zeros.astype(np.int32),
        places=np.arange(num),
        num_tokens=np.clip(rng.lognormal(8, 1.2, num), 200, 60_000).astype(np.int64),
        component=rng.integers(0, len(NAMES), num).astype(np.int32),
        problem=np.arange(num) // 4,
        num_attempts=zeros + 8,
        num_passed=rng.integers(0, 9, num),
        earlier_attempts=zeros,
        earlier_passed=zeros,
        weight=np.ones(num),
    )


def stage(candidates: Candidates, policy: str) -> StageConfig:
    """Return a stage that takes half of all tokens."""
    return StageConfig(
        name="bench",
        context_length=65_536,
        token_budget=int(candidates.num_tokens.sum()) // 2,
        mixture={"math": 3.0, "code": 2.0, "stem": 1.0, "*/correction/*/hard": 1.0},
        mixture_end={"math": 1.0, "code": 1.0, "stem": 1.0, "*/correction/*/hard": 3.0},
        schedule="cosine",
        policy=policy,
    )


def bench(candidates: Candidates, policy: str, repeats: int) -> dict[str, Any]:
    """Time choosing, and the whole plan of a stage; prove the plan."""
    config = stage(candidates, policy)
    choosing, planning = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        choose(config, candidates, 0)
        choosing.append(time.perf_counter() - start)
        start = time.perf_counter()
        (plan,), left_out = plan_stages([config], candidates, 0)
        planning.append(time.perf_counter() - start)
    found = plan.sequences
    assert found is not None
    deviation = 0.0
    for place, name in enumerate(found.names):
        taken = np.concatenate([[0], np.cumsum(found.entry == place)])
        deviation = max(deviation, float(np.abs(taken - cumulative(found.schedule, name, len(found))).max()))
    assert deviation < 1
    assert len(plan.traces) + left_out.total() == len(candidates)
    assert int((plan.chosen.state == TAKEN).sum()) == len(plan.traces)
    return {
        "policy": policy,
        "candidates": len(candidates),
        "traces": len(plan.traces),
        "sequences": len(found),
        "choose_s": round(statistics.median(choosing), 2),
        "plan_s": round(statistics.median(planning), 2),
        "spread_s": round(max(planning) - min(planning), 2),
        "deviation_sequences": round(deviation, 4),
        "budget_missed": abs(plan.num_tokens / config.token_budget - 1),
        "utilisation": round(plan.num_tokens / len(found) / config.context_length, 5),
        "shards": len(cuts(plan.traces, SHARD_TOKENS)) + 1,
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        **about(device("cpu")),
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--num", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--policies", nargs="*", default=["uniform", "easy_to_hard", "frontier", "motif"])
    args = parser.parse_args()
    candidates = made_up(args.num)
    for policy in args.policies:
        print(json.dumps(bench(candidates, policy, args.repeats)), flush=True)


if __name__ == "__main__":
    main()
