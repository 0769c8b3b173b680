"""The instruction verifier beside if-verifiable, in one run; a JSON line for each part.

    python benchmarks/bench_instructions.py [--prompts IFBENCH.jsonl] [--verdicts RECORDED.jsonl]
        [--ifeval IFEVAL.jsonl] [--skip-peer]

agreement   recorded answers judged again: how many strict verdicts of an instruction are the recorded ones
errors      every instruction of the prompt files, with a recorded answer or its own prompt as the answer: how
            many cannot be judged, with no network and no NLTK data
throughput  the recorded answers, checks (one instruction, one answer) a second in one process: the best of
            five rounds; the peer on those checks alone that it can run
drawn       sets of three drawn instructions a second, and checks a second on answers of filler words

The first three need --prompts and --verdicts: the verdicts name a prompt, the prompts hold the arguments. The
peer's checks are its classes, called as its own evaluation does, strict only.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from common import about

from gradus.verifiers.base import verify
from gradus.verifiers.instructions.draw import draw

PEER = "if_verifiable"


@dataclass(frozen=True, slots=True)
class Check:
    """One instruction and an answer to hold against it."""

    kind: str
    kwargs: dict[str, Any]
    prompt: str
    answer: str
    followed: bool | None = None
    """The recorded verdict."""


def rows(path: Path | None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().split("\n") if line] if path else []


def instructions(prompts: Sequence[dict[str, Any]], answers: dict[str, str]) -> list[Check]:
    """Return every instruction of the prompts; an answer is the recorded one, or the prompt itself."""
    return [
        Check(kind, kwargs, row["prompt"], answers.get(row["prompt"].strip()) or row["prompt"])
        for row in prompts
        for kind, kwargs in zip(row["instruction_id_list"], row["kwargs"], strict=True)
    ]


def recorded(prompts: Sequence[dict[str, Any]], verdicts: Sequence[dict[str, Any]]) -> list[Check]:
    """Return the recorded answers with their verdicts."""
    known = {row["prompt"].strip(): row for row in prompts}
    return [
        Check(kind, kwargs, row["prompt"], row["response"], followed)
        for row in verdicts
        for kind, kwargs, followed in zip(
            row["instruction_id_list"],
            known[row["prompt"].strip()]["kwargs"],
            row["follow_instruction_list"],
            strict=True,
        )
    ]


def ours(check: Check) -> bool:
    spec = {"instructions": [{"id": check.kind, "kwargs": check.kwargs}], "prompt": check.prompt}
    verdict = verify("instruction", check.answer, spec)
    if verdict.outcome == "verifier_error":
        raise RuntimeError(verdict.reason)
    return verdict.outcome == "pass"


def peer() -> Callable[[Check], bool]:
    """Return if-verifiable's strict check."""
    kinds: dict[str, Any] = {}
    for benchmark in ("ifeval", "ifbench"):
        kinds |= import_module(f"{PEER}.{benchmark}.instructions_registry").INSTRUCTION_DICT

    def judge(check: Check) -> bool:
        checker = kinds[check.kind](check.kind)
        checker.build_description(**{name: value for name, value in check.kwargs.items() if value is not None})
        arguments = checker.get_instruction_args()
        if arguments and "prompt" in arguments:
            checker.build_description(prompt=check.prompt)
        return bool(check.answer.strip() and checker.check_following(check.answer))

    return judge


def outcomes(judge: Callable[[Check], bool], checks: Sequence[Check]) -> list[bool | None]:
    """Return every verdict; None where there is none."""
    found: list[bool | None] = []
    for check in checks:
        try:
            found.append(judge(check))
        except Exception:
            found.append(None)
    return found


def agreement(judge: Callable[[Check], bool], checks: Sequence[Check]) -> dict[str, Any]:
    found = outcomes(judge, checks)
    same = sum(one == check.followed for one, check in zip(found, checks, strict=True))
    return {"checks": len(checks), "agree": same, "share": round(same / len(checks), 4), "errors": found.count(None)}


def errors(judge: Callable[[Check], bool], checks: Sequence[Check]) -> dict[str, Any]:
    found = outcomes(judge, checks)
    kinds = sorted({check.kind for check, one in zip(checks, found, strict=True) if one is None})
    return {"checks": len(checks), "errors": found.count(None), "kinds": kinds}


def throughput(judge: Callable[[Check], bool], checks: Sequence[Check]) -> dict[str, Any]:
    runnable = [check for check, one in zip(checks, outcomes(judge, checks), strict=True) if one is not None]
    return {"checks": len(runnable), "per_s": round(len(runnable) / best_of(5, lambda: outcomes(judge, runnable)))}


def best_of(rounds: int, work: Callable[[], object]) -> float:
    """Return the seconds of the fastest round."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def drawn(num: int) -> dict[str, Any]:
    """Draw num sets of three instructions, and judge an answer of filler words by each set."""
    sets = [draw(random.Random(seed), 3) for seed in range(num)]
    draw_s = best_of(3, lambda: [draw(random.Random(seed), 3) for seed in range(num)])
    answer = "\n\n".join("The river was there and we saw it all from the bridge, in the evening." for _ in range(20))
    specs = [{"instructions": [{"id": one.kind, "kwargs": one.kwargs} for one in three]} for three in sets]
    judge_s = best_of(3, lambda: [verify("instruction", answer, spec) for spec in specs])
    return {"sets": num, "sets_per_s": round(num / draw_s), "checks_per_s": round(3 * num / judge_s)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=Path)
    parser.add_argument("--verdicts", type=Path)
    parser.add_argument("--ifeval", type=Path)
    parser.add_argument("--skip-peer", action="store_true")
    args = parser.parse_args()
    logging.disable()  # the peer logs every text whose language it cannot tell
    about_run = {"bench": "instructions"} | about(torch.device("cpu"))
    print(json.dumps(about_run | {"part": "drawn", "instruction": drawn(2000)}), flush=True)
    if not (args.prompts and args.verdicts):
        return
    prompts, verdicts = rows(args.prompts), rows(args.verdicts)
    answers = {row["prompt"].strip(): row["response"] for row in verdicts}
    with_verdict = recorded(prompts, verdicts)
    every = instructions([*prompts, *rows(args.ifeval)], answers)
    judges = {"instruction": ours} | ({} if args.skip_peer else {PEER: peer()})
    parts = ((agreement, with_verdict), (errors, every), (throughput, with_verdict))
    for measure, checks in parts:
        result = {name: measure(judge, checks) for name, judge in judges.items()}
        print(json.dumps(about_run | {"part": measure.__name__} | result), flush=True)


if __name__ == "__main__":
    main()
