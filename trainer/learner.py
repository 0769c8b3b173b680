"""A model that learns: torchtitan's model, sharded by FSDP2, with its optimizer and schedule.

Both recipes (sft, rl) are short loops over this. torchtitan's own Trainer is not subclassed: it has
one sequence length, one loader and one loss a run, and a curriculum changes the first while
reinforcement has neither of the others. Models, FSDP2, losses in parts, optimizer and schedule containers are its own;
what cuts a model (parallel.py), saves it (checkpoint.py) and watches it (watch.py) is ours, for the reasons said there.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict, set_model_state_dict
from torch.distributed.fsdp import FSDPModule
from torchtitan.distributed.utils import clip_grad_norm_
from torchtitan.protocols.model_spec import ModelSpec

from gradus.errors import ConfigError
from gradus.trainer.attention import DocumentAttention
from gradus.trainer.batch import Batch
from gradus.trainer.config import ComputeConfig, OptimConfig, ParallelConfig, RopeScaling
from gradus.trainer.flops import Flops
from gradus.trainer.losses.cross_entropy import ChunkedCrossEntropy
from gradus.trainer.model import model_spec, read_weights, write_folder
from gradus.trainer.optim.build import build_optimizers, build_schedulers
from gradus.trainer.optim.qk_clip import QKClip
from gradus.trainer.parallel import Layout, build
from gradus.trainer.platform import Platform

SHARDED = ParallelConfig()
T = TypeVar("T")
SETTINGS = "param_groups."
"""What names of settings begin with in torchtitan's flat state of an optimizer."""


def planned(
    folder: Path,
    platform: Platform,
    *,
    context_length: int,
    optim: OptimConfig,
    parallel: ParallelConfig,
    rope: RopeScaling | None,
) -> tuple[ModelSpec, Layout]:
    """Return what a learner is made of, or refuse it; whether the one can be cut as the other says, build asks."""
    layout = Layout.of(parallel, platform)
    if parallel.cpu_offload and optim.name == "muon":
        raise ConfigError("parallel.cpu_offload has not been tried with Muon: take optim.name=adamw")
    attention = DocumentAttention.Config()
    return model_spec(folder, context_length=context_length, attention=attention, rope=rope), layout


class Learner:
    """Weights, gradients and optimizer state, sharded over all processes."""

    def __init__(
        self,
        folder: Path,
        platform: Platform,
        *,
        context_length: int,
        optim: OptimConfig,
        num_updates: int,
        compute: ComputeConfig,
        parallel: ParallelConfig = SHARDED,
        rope: RopeScaling | None = None,
    ) -> None:
        self.platform, self._folder, self._rope, self._max_norm = platform, folder, rope, optim.max_norm
        self._spec, self.layout = planned(
            folder, platform, context_length=context_length, optim=optim, parallel=parallel, rope=rope
        )
        self.model = build(self._spec, self.layout, compute, context_length=context_length)
        self.flops = Flops.of(self.model)
        self._loss = ChunkedCrossEntropy.Config().build()
        self._loss.set_lm_head(self.model.lm_head)
        self._vocabulary = self.model.config.vocab_size
        # One process reads, the others are sent their parts: no machine holds the weights once for each of its GPUs.
        options = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)
        weights = read_weights(folder, self._spec) if platform.is_first else {}
        set_model_state_dict(self.model, weights, options=options)
        self._optimizers = build_optimizers(self.model, optim)
        self._schedulers = build_schedulers(self._optimizers, optim, num_updates=num_updates)
        self._qk_clip: QKClip | None = None
        if optim.qk_clip:
            self._qk_clip = QKClip(self.model, optim.qk_clip, self.layout)

    @property
    def lr(self) -> float:
        return float(next(iter(self._schedulers.get_metrics().values())))

    def logits(self, batch: Batch) -> Tensor:
        """Return (rows, positions, vocabulary), whole on every process that works on these rows."""
        return self.layout.whole(self._forward(batch, head=True))

    def in_turn(self, batches: Sequence[T]) -> Iterator[T]:
        """Yield the batches of a step; one process then casts its weights and takes over its gradients but once.

        Many would each have to hold the whole gradient for that, in float32; so would one that keeps all in the
        machine's memory.
        """
        alone = self.platform.world_size == 1 and not self.layout.config.cpu_offload
        for i, batch in enumerate(batches, start=1):
            if alone and isinstance(self.model, FSDPModule):
                self.model.set_requires_gradient_sync(i == len(batches))
                self.model.set_reshard_after_backward(i == len(batches))
            yield batch

    def backward(self, batch: Batch, num_labels: Tensor) -> Tensor:
        """Collect the gradient of the batch's cross-entropy over num_labels; return the loss, detached."""
        loss = self._cross_entropy(batch, num_labels)
        loss.backward()
        return self.layout.sum_of_parts(loss)

    def loss(self, batch: Batch, num_labels: Tensor) -> Tensor:
        """Return the batch's cross-entropy over num_labels."""
        with torch.no_grad():
            return self.layout.sum_of_parts(self._cross_entropy(batch, num_labels))

    def _cross_entropy(self, batch: Batch, num_labels: Tensor) -> Tensor:
        """Return the loss of the positions that this process computes."""
        hidden_BTD = self._forward(batch, head=False)
        labels_BT = self.layout.part(batch.labels_BT)
        self._loss.fit(labels_BT.shape, self._vocabulary // self.layout.dims.tp)
        loss, _ = self._loss(hidden_BTD, labels_BT, num_labels)
        return loss

    def _forward(self, batch: Batch, *, head: bool) -> Tensor:
        self.model._skip_lm_head = not head
        masks = self.layout.documents(batch)
        tokens_BT, positions_BT = self.layout.part(batch.tokens_BT), self.layout.part(batch.positions_BT)
        return self.model(tokens_BT, positions=positions_BT, attention_masks=masks)

    def clip(self) -> float:
        """Scale the gradients collected to at most max_norm; return what their norm was, over all processes."""
        return float(clip_grad_norm_(self.model.parameters(), self._max_norm, foreach=True))

    def step(self) -> dict[str, float]:
        """Take one optimizer step with the gradients collected; return what QK-clip measured, where it is on."""
        self._optimizers.step()
        measured = self._qk_clip.clip() if self._qk_clip else {}
        self.discard()
        return measured

    def discard(self) -> None:
        """Forget the gradients collected: the weights stay, the schedule goes on."""
        self._schedulers.step()
        self._optimizers.zero_grad()
        if self._qk_clip:
            self._qk_clip.forget()

    def total(self, values: Tensor) -> Tensor:
        """Return the sum over the processes that work on different rows."""
        values = values.detach().clone()
        if group := self.layout.group("batch"):
            dist.all_reduce(values, group=group)
        return values

    def state_dict(self) -> dict[str, Any]:
        """Return what has been learnt and the schedule's place; the optimizer's settings are the config's affair."""
        optimizer = self._optimizers.state_dict()
        return {
            "model": get_model_state_dict(self.model),
            "optimizer": {name: value for name, value in optimizer.items() if not name.startswith(SETTINGS)},
            "scheduler": self._schedulers.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from another learner's state, of whatever layout, context and settings it was."""
        set_model_state_dict(self.model, state["model"])
        settings = {k: v for k, v in self._optimizers.state_dict().items() if k.startswith(SETTINGS)}
        self._optimizers.load_state_dict(state["optimizer"] | settings)
        self.begin(state["scheduler"]["last_epoch"])

    def begin(self, num_updates: int) -> None:
        """Set the learning rate's schedule to its place after so many updates."""
        with warnings.catch_warnings():  # torchtitan recomputes the rate in a way that PyTorch warns of
            warnings.simplefilter("ignore", UserWarning)
            self._schedulers.load_state_dict({"last_epoch": num_updates})
        for scheduler in self._schedulers:
            for group, lr in zip(scheduler.optimizer.param_groups, scheduler.get_last_lr(), strict=True):
                group["lr"] = lr

    def export(self, target: Path, dtype: str = "float32") -> None:
        """Write the weights as a Hugging Face folder."""
        weights = get_model_state_dict(self.model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
        if self.platform.is_first:
            to = getattr(torch, dtype)
            write_folder(target, weights, spec=self._spec, base=self._folder, dtype=to, rope=self._rope)
        dist.barrier()
