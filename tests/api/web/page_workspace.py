"""A workspace that looks like one after weeks of work, made in seconds: what the page shows, in every shape.

    python tests/api/web/page_workspace.py FOLDER

Four models at 150 problems of five domains; wrong answers, corrections, drops, fits, two manifests, three runs, and
texts that try to be HTML. Verdicts are the real verifier's; the rest is drawn from a seeded generator.
"""

import json
import math
import os
import random
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from gradus import __version__
from gradus.curricula import manifest as m
from gradus.curricula.packing import pack
from gradus.curricula.posterior import inside
from gradus.curricula.schedule import assign, fitted
from gradus.curricula.shards import write_manifest, write_shard
from gradus.engine.parts import write_part
from gradus.engine.records import (
    Attempt,
    Drop,
    FailureKind,
    JudgedAttempt,
    Origin,
    Problem,
    Revision,
    Trace,
    TraceFit,
)
from gradus.engine.store import open_store
from gradus.engine.workspace import Workspace
from gradus.verifiers.base import verify

PROBES = (
    "<script>window.pwned = 1</script>",
    '<img src=x onerror="window.pwned = 2">',
    "\"><svg onload='window.pwned = 3'>",
    "[x](javascript:window.pwned=5)",
)
MODELS = {"smol-135m": 0.25, "middle-1b": 0.5, "teacher-8b": 0.75, "teacher-30b": 0.9}
OPENING = {"teacher-8b": "Let us see.\n"}
DOMAINS = {"math": 70, "code": 30, "instruction": 20, "stem": 20, "tool": 10}
NUM_ATTEMPTS = 6
SAMPLING = {"temperature": 0.8, "max_tokens": 512}


def build(root: Path) -> Workspace:
    """Fill a new workspace and publish it."""
    workspace, rng = Workspace.create(root), random.Random(5)
    problems = [problem for domain, num in DOMAINS.items() for problem in make_problems(domain, num)]
    by_id = {problem.id: problem for problem in problems}
    attempts = [one for problem in problems for model in MODELS for one in make_attempts(problem, model, rng)]
    verdicts = [judged(by_id[one.problem_id], one) for one in attempts]
    fixed, traces, others = make_traces(problems, attempts, verdicts, rng)
    verdicts += [judged(by_id[one.problem_id], one) for one in fixed]
    for run, records in enumerate((problems, attempts, fixed, verdicts, traces, *others)):
        write_part(workspace.parts, f"page-{run}", records)
    with open_store(workspace):
        pass
    make_manifests(workspace, traces, problems, rng)
    make_runs(workspace, rng)
    return workspace


def make_problems(domain: str, num: int) -> list[Problem]:
    problems: list[Problem] = []
    for i in range(num):
        price, count, rest = numbers(i)
        prompt = (
            f"Task {i} ({domain}). A crate holds {count} apples at {price} cents each. {rest} of them are bad and are "
            f"thrown away. How many cents are the others worth in all? Work it out step by step."
        )
        if i % 25 < len(PROBES):
            prompt += f" {PROBES[i % 25]}"
        parents = (problems[i - 1].id,) if i % 7 == 3 else ()
        problems.append(
            Problem(
                prompt=prompt,
                domain=domain,
                verifier="math",
                spec={"expected": str((count - rest) * price)},
                source="variation" if parents else "apples",
                parents=parents,
                tags=("heldout",) if i % 10 == 9 else ("apples", "words") if i % 3 else (),
            )
        )
    return problems


def numbers(i: int) -> tuple[int, int, int]:
    return 3 + i, 17 + 2 * i, 5 + i % 9


def solution(problem: Problem, slip: int) -> str:
    """Write an answer in steps; a slip other than 0 makes the second step wrong, and what follows from it."""
    price, count, rest = numbers(int(problem.prompt.split()[1]))
    good = count - rest + slip
    return (
        f"1. The crate holds {count} apples.\n2. Of these {rest} are bad: {count} - {rest} = {good}.\n"
        f"3. Each costs {price} cents: {good} * {price} = {good * price}.\nThe answer is {good * price}."
    )


def make_attempts(problem: Problem, model: str, rng: random.Random) -> list[Attempt]:
    ease = rng.betavariate(8 * MODELS[model], 8 * (1 - MODELS[model]))
    answers = [f"{OPENING.get(model, '')}{draw_answer(problem, ease, rng)}" for _ in range(NUM_ATTEMPTS)]
    return [make_attempt(problem, model, i, answer=answer) for i, answer in enumerate(answers)]


def draw_answer(problem: Problem, ease: float, rng: random.Random) -> str:
    if rng.random() < ease:
        return solution(problem, 0)
    if rng.random() < 0.15:
        return f"I do not know. {rng.choice(PROBES)}"
    return solution(problem, rng.choice((-3, -2, -1, 1, 2, 10)))


def make_attempt(problem: Problem, model: str, index: int, *, answer: str, failed: str | None = None) -> Attempt:
    asked = {"role": "user", "content": problem.prompt}
    return Attempt(
        problem_id=problem.id,
        model_id=model,
        sampler="0123456789ab",
        index=index,
        seed=index,
        sampling=SAMPLING,
        messages=(asked, {"role": "assistant", "content": answer}),
        token_ids=(),
        token_logprobs=(),
        tokens_in=len(problem.prompt.split()),
        tokens_out=len(answer.split()) + 40 * (len(problem.prompt) % 11),
        seconds=1.0,
        finish_reason="stop",
        failed_attempt_id=failed,
    )


def judged(problem: Problem, attempt: Attempt) -> JudgedAttempt:
    verdict = verify(problem.verifier, attempt.answer, problem.spec)
    return JudgedAttempt(
        attempt_id=attempt.id,
        verifier=problem.verifier,
        version="1",
        outcome=verdict.outcome,
        score=verdict.score,
        reason=verdict.reason,
        seconds=0.001,
    )


def make_traces(problems, attempts, verdicts, rng):
    """Make chains of thought out of what passed and corrections of what failed; drop some, score the others."""
    outcome = {verdict.attempt_id: verdict.outcome for verdict in verdicts}
    fixed, traces, kinds, revisions = [], {}, [], []
    for problem in (one for one in problems if "heldout" not in one.tags):
        mine = [one for one in attempts if one.problem_id == problem.id]
        failed = [one for one in mine if outcome[one.id] == "fail"]
        for teacher in ("teacher-8b", "teacher-30b"):
            passed = [one for one in mine if outcome[one.id] == "pass" and one.model_id == teacher]
            traces |= {trace.id: trace for trace in (cot(problem, one) for one in passed[:1])}
        kinds += [
            FailureKind(attempt_id=one.id, version=1, verdict="1", kinds=("arithmetic",), detail="") for one in failed
        ]
        if failed:
            better = make_attempt(problem, "teacher-30b", 0, answer=solution(problem, 0), failed=failed[0].id)
            fixed.append(better)
            revisions.append(revise(failed[0], better))
            trace = correction(problem, failed[0], better)
            traces[trace.id] = trace
    ids = list(traces)
    drops = [Drop(record_id=one, step="dedupe traces/1", reason="same text: as another") for one in ids[::17]]
    drops += [Drop(record_id=one, step="decontaminate heldout/1", reason="leaks: heldout") for one in ids[5::31]]
    origins = [
        Origin(record_id=one.id, source="orchard", row=str(i), licence="CC-BY-4.0")
        for i, one in enumerate(problems[::6])
    ]
    fits = [make_fit(trace, student, rng) for trace in traces.values() for student in ("smol-135m", "middle-1b")]
    return fixed, list(traces.values()), (kinds, revisions, drops, origins, fits)


def revise(failed: Attempt, better: Attempt) -> Revision:
    kept = failed.answer.index("2. Of these")
    return Revision(
        attempt_id=better.id,
        version=1,
        step=2,
        kept=kept,
        shown=failed.answer.index("3. Each"),
        why=f"the subtraction is wrong {PROBES[0]}",
        text=better.answer[kept:],
        fault="",
    )


def cot(problem: Problem, attempt: Attempt) -> Trace:
    return Trace(
        kind="cot",
        domain=problem.domain,
        messages=attempt.messages,
        learn=(False, True),
        problem_id=problem.id,
        attempt_id=attempt.id,
        teacher=attempt.model_id,
    )


def correction(problem: Problem, failed: Attempt, fixed: Attempt) -> Trace:
    ask = {"role": "user", "content": f"This answer is wrong:\n{failed.answer}\nMend it from the first wrong step."}
    return Trace(
        kind="correction",
        domain=problem.domain,
        messages=(*failed.messages[:1], ask, fixed.messages[-1]),
        learn=(False, False, True),
        problem_id=problem.id,
        attempt_id=fixed.id,
        failed_attempt_id=failed.id,
        teacher=fixed.model_id,
    )


def make_fit(trace: Trace, student: str, rng: random.Random) -> TraceFit:
    surprise = rng.gauss(0.9 if trace.teacher == "teacher-8b" else 1.1, 0.15) + (0.2 if student == "smol-135m" else 0)
    return TraceFit(
        trace_id=trace.id,
        model_id=student,
        definition="window 2, rank <= 100, template 0123456789ab",
        scorer="drawn",
        num_tokens=60,
        num_steps=4,
        nll=surprise,
        rank=surprise * rng.gauss(3.2 if trace.teacher == "teacher-8b" else 4.0, 0.4),
        local_nll=surprise * 0.8,
    )


def make_manifests(workspace: Workspace, traces: list[Trace], problems: list[Problem], rng: random.Random) -> None:
    """Write two manifests: the second, newer one holds more, and has a longer stage."""
    corrections = [trace for trace in traces[1::2] if trace.kind == "correction"]
    first = [("foundation", 512, traces[: len(traces) // 2])]
    second = [("foundation", 512, traces[::2]), ("correction", 1024, corrections)]
    for age, stages, num in ((2, first, 20), (1, second, 40)):
        path = write_manifest(workspace.manifests, make_manifest(workspace, stages, problems[:num], rng))
        os.utime(path, (1.78e9 - age, 1.78e9 - age))


def make_manifest(workspace: Workspace, stages, problems: list[Problem], rng: random.Random) -> m.Manifest:
    return m.Manifest(
        format=m.FORMAT,
        name="apples",
        gradus_version=__version__,
        policy=", ".join(f"{stage}: hardest-last" for stage, _, _ in stages),
        seed=0,
        recipe={"name": "apples", "stages": [stage for stage, _, _ in stages]},
        inputs="0" * 64,
        tokenizer=m.Tokenizer(model_id="smol-135m", fingerprint="1" * 64),
        stages=tuple(make_stage(workspace, *stage, rng) for stage in stages),
        rl=make_rl(workspace, problems),
        dropped={"outside every budget or mixture": 31},
        bands={"easy": (0.7, 1.0), "hard": (0.0, 0.3), "medium": (0.3, 0.7)},
    )


def make_rl(workspace: Workspace, problems: list[Problem]) -> m.RLSection:
    rows = [
        {
            "problem_id": one.id,
            "domain": one.domain,
            "verifier": one.verifier,
            "spec": json.dumps(dict(one.spec)),
            "messages": json.dumps([{"role": "user", "content": one.prompt}]),
            "prompt_token_ids": [1, 2, 3],
            "num_attempts": 6,
            "num_passed": 3,
            "pass_rate": 0.5,
            "role": "active",
            "in_band": round(float(inside(3, 6, 0.2, 0.8)), 9),
        }
        for one in problems
    ]
    return m.RLSection(
        problems=write_shard(workspace.curricula, m.RL_SCHEMA, rows),
        band=(0.2, 0.8),
        quotas={"math": 4},
        group_size=8,
        sampling={},
        left_out={"outside the band": 12},
    )


def make_stage(workspace: Workspace, name: str, context: int, traces: list[Trace], rng: random.Random) -> m.Stage:
    traces = sorted(traces, key=lambda trace: trace.id)
    lengths = np.array([min(context, max(8, int(rng.lognormvariate(math.log(context / 4), 0.6)))) for _ in traces])
    sequences, schedule = lay(traces, lengths, context)
    rows = [packing_row(rows, entry, lengths) for rows, entry in sequences]
    tokens, total = Counter(), int(lengths.sum())
    for trace, length in zip(traces, lengths.tolist(), strict=True):
        tokens[f"{trace.domain}/{trace.kind}/{trace.teacher}/medium"] += length
    return m.Stage(
        name=name,
        context_length=context,
        token_budget=2 * total,
        mixture={component: round(count / total, 6) for component, count in sorted(tokens.items())},
        num_traces=len(traces),
        num_tokens=total,
        shards=(write_shard(workspace.curricula, m.TRACE_SCHEMA, map(make_row, traces, lengths.tolist())),),
        packing=write_shard(workspace.curricula, m.PACKING_SCHEMA, rows),
        num_sequences=len(rows),
        utilisation=round(total / (len(rows) * context), 6),
        policy="easy_to_hard",
        schedule=schedule,
        entries={name: make_entry(rows, place) for place, name in enumerate(sorted(schedule.start))},
        num_documents=len(traces),
        notes=("half of the budget was there",),
    )


def make_row(trace: Trace, length: int) -> dict:
    return {
        "trace_id": trace.id,
        "problem_id": trace.problem_id,
        "domain": trace.domain,
        "kind": trace.kind,
        "teacher": trace.teacher,
        "num_attempts": 6,
        "num_passed": 3,
        "pass_rate": 0.5,
        "num_tokens": length,
        "token_ids": [1] * length,
        "loss_mask": [True] * length,
    }


def lay(traces: list[Trace], lengths: np.ndarray, context: int):
    """Return (rows, entry) of every sequence: an entry a kind, corrections coming more often as time goes on."""
    kinds = sorted({trace.kind for trace in traces})
    mine = [np.array([i for i, trace in enumerate(traces) if trace.kind == kind]) for kind in kinds]
    packed = [iter([some[rows].tolist() for rows in pack(lengths[some], context)]) for some in mine]
    counts = {f"*/{kind}": len(pack(lengths[some], context)) for kind, some in zip(kinds, mine, strict=True)}
    start, end = ({f"*/{kind}": (0.2, 0.8)[(kind == "cot") == first] for kind in kinds} for first in (True, False))
    schedule = fitted(m.Schedule(kind="linear", start=whole(start), end=whole(end)), counts)
    return [(next(packed[entry]), int(entry)) for entry in assign(schedule, counts)], schedule


def whole(shares: dict[str, float]) -> dict[str, float]:
    return {name: share / sum(shares.values()) for name, share in shares.items()}


def packing_row(rows: list[int], entry: int, lengths: np.ndarray) -> dict:
    sums = {"num_tokens": int(lengths[rows].sum()), "attention": int((lengths[rows] ** 2).sum())}
    return {"rows": rows, "entry": entry} | sums


def make_entry(rows: list[dict], place: int) -> m.Entry:
    mine = [row for row in rows if row["entry"] == place]
    num_tokens = sum(row["num_tokens"] for row in mine)
    return m.Entry(
        num_sequences=len(mine),
        num_tokens=num_tokens,
        num_documents=sum(len(row["rows"]) for row in mine),
        available_tokens=num_tokens,
    )


def make_runs(workspace: Workspace, rng: random.Random) -> None:
    """Leave the folders of runs that have ended: two supervised, one by reinforcement."""
    for name, kind, steps in (("sft-a1", "sft", 60), ("sft-b2", "sft", 35), ("rl-c3", "rl", 25)):
        folder = workspace.runs / name
        folder.mkdir()
        (folder / "run.json").write_text(json.dumps({"state": "finished", "kind": kind, "step": steps}))
        lines = (json.dumps(make_metrics(kind, step, rng)) for step in range(1, steps + 1))
        (folder / "metrics.jsonl").write_text("".join(f"{line}\n" for line in lines))


def make_metrics(kind: str, step: int, rng: random.Random) -> dict[str, float]:
    if kind == "rl":
        return {
            "step": step,
            "reward": min(1, 0.2 + step / 40 + rng.gauss(0, 0.05)),
            "clip_fraction": rng.random() / 10,
        }
    return {"step": step, "loss": 2.2 * 0.97**step + rng.gauss(0, 0.04), "grad_norm": 1 + rng.random(), "lr": 1e-5}


if __name__ == "__main__":
    build(Path(sys.argv[1]))
