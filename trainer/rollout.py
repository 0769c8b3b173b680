"""Rollouts: a teacher with the current weights answers, verifiers judge, groups give advantages.

The teacher lives in a spawned process, so that an inference engine's threads and process groups never
meet the trainer's.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gradus import log
from gradus.engine.records import Message, content_id
from gradus.engine.teachers.base import Completion, Request, Teacher, TeacherConfig, open_teacher
from gradus.errors import DataError, MachineError
from gradus.trainer.losses.gspo import JUDGED, group_advantages
from gradus.trainer.problems import Group, RLProblem
from gradus.verifiers.base import Verdict, verify, version_of

ROLLOUT_SCHEMA = pa.schema(
    [
        ("problem_id", pa.string()),
        ("domain", pa.string()),
        ("index", pa.int32()),
        ("seed", pa.int64()),
        ("policy_version", pa.string()),
        ("sampling", pa.string()),
        ("messages", pa.string()),
        ("text", pa.string()),
        ("finish_reason", pa.string()),
        ("seconds", pa.float64()),
        ("prompt_token_ids", pa.list_(pa.int32())),
        ("token_ids", pa.list_(pa.int32())),
        ("token_logprobs", pa.list_(pa.float32())),
        ("outcome", pa.string()),
        ("score", pa.float64()),
        ("reason", pa.string()),
        ("verifier", pa.string()),
        ("verifier_version", pa.string()),
        ("verdict_seconds", pa.float64()),
        ("advantage", pa.float64()),
        ("used", pa.bool_()),
    ]
)
# An inference engine that sees these takes itself for one of the trainer's processes.
TORCHRUN_VARIABLES = (
    *("RANK", "LOCAL_RANK", "GROUP_RANK", "ROLE_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_WORLD_SIZE"),
    *("ROLE_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID", "TORCHELASTIC_USE_AGENT_STORE"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One judged answer; advantage None: it takes no part in the update."""

    problem: RLProblem
    index: int
    seed: int
    completion: Completion
    verdict: Verdict
    advantage: float | None


class TeacherProcess:
    """A teacher in a process of its own, with the Teacher protocol's verbs."""

    def __init__(self, config: TeacherConfig) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(config, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def answer(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion for each request, in their order."""
        return self._call("answer", requests)

    def load_weights(self, folder: Path) -> None:
        self._call("load_weights", str(folder))

    def close(self) -> None:
        """End the process; one that is stuck is ended hard."""
        self._connection.close()
        self._process.join(timeout=30)
        if self._process.is_alive():
            self._process.kill()

    def _call(self, verb: str, argument: Any) -> Any:
        try:
            self._connection.send((verb, argument))
            result, error = self._connection.recv()
        except (EOFError, OSError):
            self._process.join(timeout=5)
            raise MachineError(f"the teacher's process ended with status {self._process.exitcode}") from None
        if error:
            raise MachineError(f"the teacher failed to {verb}:\n{error}")
        return result


def _serve(config: TeacherConfig, connection: Connection) -> None:
    """Open the teacher at once, then answer calls until the other end closes; what fails is told there."""
    os.setsid()  # Ctrl-C is for the trainer, which ends its step and then us
    log.configure()
    for name in TORCHRUN_VARIABLES:
        os.environ.pop(name, None)
    teacher, error = _attempt(lambda: open_teacher(config))
    while True:
        try:
            verb, argument = connection.recv()
        except EOFError:
            break
        connection.send((None, error) if error else _attempt(lambda: _perform(teacher, verb, argument)))  # noqa: B023
    if teacher:
        teacher.close()


def _attempt(action: Callable[[], Any]) -> tuple[Any, str]:
    """Return (result, nothing) or (None, the traceback): this process has no one else to tell."""
    try:
        return action(), ""
    except Exception:
        return None, traceback.format_exc()


def _perform(teacher: Teacher, verb: str, argument: Any) -> Any:
    if verb == "load_weights":
        return teacher.load_weights(argument)
    answers = dict(teacher.answer(argument))
    return [answers[index] for index in range(len(argument))]


def sample(teacher: TeacherProcess, problems: Sequence[RLProblem], *, group_size: int, seed: Any) -> list[Rollout]:
    """Have each problem answered group_size times, judge, and give each group its advantages."""
    asked = [(problem, index) for problem in problems for index in range(group_size)]
    seeds = [int(content_id(seed, problem.problem_id, index)[:8], 16) >> 1 for problem, index in asked]
    requests = [
        Request(messages=problem.messages, sampling=problem.sampling, seed=own)
        for (problem, _), own in zip(asked, seeds, strict=True)
    ]
    completions = teacher.answer(requests)
    verdicts = [
        verify(problem.verifier, completion.text, problem.spec)
        for (problem, _), completion in zip(asked, completions, strict=True)
    ]
    rollouts: list[Rollout] = []
    for start in range(0, len(asked), group_size):
        group = verdicts[start : start + group_size]
        advantages = group_advantages([v.outcome for v in group], [v.score for v in group])
        for number, advantage in enumerate(advantages, start):
            problem, index = asked[number]
            rollouts.append(
                Rollout(
                    problem=problem,
                    index=index,
                    seed=seeds[number],
                    completion=completions[number],
                    verdict=verdicts[number],
                    # An answer of no tokens has nothing to push.
                    advantage=advantage if completions[number].token_ids else None,
                )
            )
    return rollouts


def groups_without_signal(rollouts: Sequence[Rollout]) -> int:
    """Return how many problems' rollouts all take no part."""
    groups = groupby(rollouts, key=lambda rollout: rollout.problem.problem_id)
    return sum(all(rollout.advantage is None for rollout in group) for _, group in groups)


def groups_of(rollouts: Sequence[Rollout]) -> list[Group]:
    """Return each problem's scores, in the order of the groups."""
    return _groups((r.problem.problem_id, r.verdict.outcome, r.verdict.score) for r in rollouts)


def read_groups(path: Path) -> list[Group]:
    """Return the same of rollouts that `write_rollouts` wrote."""
    if not path.exists():
        raise DataError(f"{path}: missing; what it says of the problems decides which come next. Begin another run.")
    columns = pq.read_table(path, columns=["problem_id", "outcome", "score"]).to_pydict()
    return _groups(zip(columns["problem_id"], columns["outcome"], columns["score"], strict=True))


def _groups(judged: Iterable[tuple[str, str, float]]) -> list[Group]:
    return [
        (problem_id, [score if outcome in JUDGED else None for _, outcome, score in group])
        for problem_id, group in groupby(judged, key=lambda one: one[0])
    ]


def write_rollouts(path: Path, rollouts: Sequence[Rollout], *, policy_version: str) -> None:
    """Write a step's rollouts as Parquet, all or nothing."""
    rows = [_row(rollout) | {"policy_version": policy_version} for rollout in rollouts]
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    pq.write_table(pa.Table.from_pylist(rows, schema=ROLLOUT_SCHEMA), fresh)
    fresh.replace(path)


def _row(rollout: Rollout) -> dict[str, Any]:
    problem, completion, verdict = rollout.problem, rollout.completion, rollout.verdict
    sampling = problem.sampling
    answer = Message(role="assistant", content=completion.text)
    if completion.reasoning:
        answer["reasoning"] = completion.reasoning
    return {
        "problem_id": problem.problem_id,
        "domain": problem.domain,
        "index": rollout.index,
        "seed": rollout.seed,
        "sampling": json.dumps({name: getattr(sampling, name) for name in sampling.__slots__}),
        "messages": json.dumps([*problem.messages, answer]),
        "text": completion.text,
        "finish_reason": completion.finish_reason,
        "seconds": completion.seconds,
        "prompt_token_ids": list(completion.prompt_token_ids),
        "token_ids": list(completion.token_ids),
        "token_logprobs": list(completion.token_logprobs),
        "outcome": verdict.outcome,
        "score": verdict.score,
        "reason": verdict.reason,
        "verifier": problem.verifier,
        "verifier_version": version_of(problem.verifier, problem.spec),
        "verdict_seconds": verdict.seconds,
        "advantage": rollout.advantage,
        "used": rollout.advantage is not None,
    }
