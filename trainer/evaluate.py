"""Trying the weights of the moment on what is never trained on: problems, which verifiers judge, and traces.

eval_pass_rate: of the answers to held-out problems that could be judged, the share that passes; an answer in which
nothing could be found has failed. Every evaluation of a run asks the same with the same seeds, and keeps the answers
in evaluations/step-N.parquet, as RL keeps its rollouts. eval_loss: nats a learnt token of held-out traces.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pyarrow.parquet as pq
import torch
import torch.distributed as dist

from gradus.curricula import manifest as manifests
from gradus.curricula.verify import verify
from gradus.errors import DataError
from gradus.log import logger
from gradus.trainer.batch import Batch, collate, num_tokens
from gradus.trainer.command import Job
from gradus.trainer.config import EvaluateConfig, RLConfig, SFTConfig, SFTEvaluateConfig
from gradus.trainer.data import StageData
from gradus.trainer.heldout import FILE, read_heldout
from gradus.trainer.learner import Learner
from gradus.trainer.losses.cross_entropy import count_labels
from gradus.trainer.parallel import Layout
from gradus.trainer.rollout import Rollout, TeacherProcess, sample, write_rollouts

Found = dict[str, Any]


class Evaluation:
    """Make it, and call it, on every process; a teacher that is open already is used, and left open."""

    def __init__(self, job: Job[SFTConfig] | Job[RLConfig], *, teacher: TeacherProcess | None = None) -> None:
        self._config: EvaluateConfig = job.config.evaluate
        self._folder, self._dtype, self._teacher = job.run.folder, job.config.export_dtype, teacher
        self._problems, self._traces = [], None
        if self._config.every and self._config.attempts:
            path = Path(self._config.problems or self._folder / FILE)
            self._problems = read_heldout(path, per_domain=self._config.per_domain)
        if self._config.every and self._config.manifest:
            self._traces = HeldOutTraces(Path(self._config.manifest), job)

    def before(self, learner: Learner) -> Found:
        """Evaluate what training begins with; nothing where nothing is evaluated."""
        return self._measure(0, learner) if self._config.every else {}

    def after(self, step: int, learner: Learner, *, last: bool) -> Found:
        """Evaluate after a step that is due, or the last of a stage or of the run."""
        due = self._config.every and (last or step % self._config.every == 0)
        return self._measure(step, learner) if due else {}

    def _measure(self, step: int, learner: Learner) -> Found:
        start = time.perf_counter()
        found = self._pass_rates(step, learner) if self._problems else {}
        if self._traces:
            found["eval_loss"] = self._traces.loss(learner)
        return found | {"eval_seconds": time.perf_counter() - start}

    def _pass_rates(self, step: int, learner: Learner) -> Found:
        """Have the first process ask and judge, and tell all."""
        weights = self._folder / "evaluated"
        learner.export(weights, self._dtype)
        shared: list[Found] = [{}]
        if learner.platform.on_gpu:
            torch.cuda.empty_cache()  # what is only cached is room for the teacher
        if learner.platform.is_first:
            with self._opened(weights) as teacher:
                rollouts = sample(teacher, self._problems, group_size=self._config.attempts, seed="evaluation")
            path = self._folder / "evaluations" / f"step-{step:04d}.parquet"
            write_rollouts(path, rollouts, policy_version=f"step-{step}")
            shutil.rmtree(weights)
            shared = [pass_rates(rollouts)]
        dist.broadcast_object_list(shared)
        return shared[0]

    @contextmanager
    def _opened(self, weights: Path) -> Iterator[TeacherProcess]:
        if self._teacher:
            self._teacher.load_weights(weights)
            yield self._teacher
            return
        assert isinstance(self._config, SFTEvaluateConfig)
        with closing(TeacherProcess(replace(self._config.teacher, model=str(weights)))) as teacher:
            yield teacher


def pass_rates(rollouts: Sequence[Rollout]) -> Found:
    """Return the share of the judged answers that passed, and that of each domain."""
    passed: dict[str, list[bool]] = {}
    for rollout in rollouts:
        if rollout.verdict.outcome != "verifier_error":
            passed.setdefault(rollout.problem.domain, []).append(rollout.verdict.outcome == "pass")
    flat = [one for some in passed.values() for one in some]
    if not flat:
        raise DataError("no answer to a held-out problem could be judged; the run's evaluations hold the reasons")
    return {
        "eval_pass_rate": fmean(flat),
        "eval_problems": len({rollout.problem.problem_id for rollout in rollouts}),
        "eval_by_domain": {domain: fmean(some) for domain, some in sorted(passed.items())},
    }


def quality(found: Found) -> float | None:
    """Return what says which weights are best, more being better: the pass rate, else the loss; None: not evaluated."""
    if "eval_pass_rate" in found:
        return float(found["eval_pass_rate"])
    return -float(found["eval_loss"]) if "eval_loss" in found else None


class HeldOutTraces:
    """The sequences of another manifest, whose loss is measured."""

    def __init__(self, path: Path, job: Job[Any]) -> None:
        manifest = verify(path)
        if manifest.tokenizer.fingerprint != job.manifest.tokenizer.fingerprint:
            raise DataError(f"evaluate.manifest: {path} was rendered with another tokenizer than what is trained on")
        longest, limit = max(stage.context_length for stage in manifest.stages), _shortest_context(job)
        if longest > limit:
            raise DataError(f"evaluate.manifest: {path} has sequences of {longest} tokens, a stage trains on {limit}")
        self._stages = [StageData(path, stage) for stage in manifest.stages]
        if job.platform.is_first:
            _warn_of_shared(path, manifest, job)

    def loss(self, learner: Learner) -> float:
        """Return the mean over all learnt tokens, on every process."""
        device = learner.platform.device
        one, sums = torch.ones((), device=device), torch.zeros(2, dtype=torch.float64, device=device)
        for batch in self._batches(learner.layout):
            moved = batch.to(device)
            sums += torch.stack([learner.loss(moved, one).double(), count_labels(moved.labels_BT)])
        total, num_labels = learner.total(sums).tolist()
        return total / num_labels

    def _batches(self, layout: Layout) -> Iterator[Batch]:
        """Yield this process's share, a sequence at a time: equally many on every process."""
        for stage in self._stages:
            for first in range(0, len(stage), layout.data_size):
                number = first + layout.data_rank
                row = stage[number] if number < len(stage) else []
                yield collate([row], layout.padded_length(max(1, num_tokens(row)), stage.context_length))


def _shortest_context(job: Job[Any]) -> int:
    """Return how many tokens a learner of the job takes at least: `rl` has one, `sft` one for each stage."""
    if isinstance(job.config, RLConfig):
        return job.config.teacher.max_context
    return min(stage.context_length for stage in job.manifest.stages)


def _warn_of_shared(path: Path, manifest: manifests.Manifest, job: Job[Any]) -> None:
    trained, tried = _problem_ids(job.manifest_path, job.manifest), _problem_ids(path, manifest)
    if shared := len(trained & tried):
        logger.warning("%s: %d of its %d problems are trained on: its loss flatters", path, shared, len(tried))


def _problem_ids(path: Path, manifest: manifests.Manifest) -> set[str]:
    files = [manifests.shard_path(path, shard) for stage in manifest.stages for shard in stage.shards]
    return {name for file in files for name in pq.read_table(file, columns=["problem_id"])["problem_id"].to_pylist()}
