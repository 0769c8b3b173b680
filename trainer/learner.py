"""A model that learns: torchtitan's model, sharded by FSDP2, with its optimizer and schedule.

Both recipes (sft, rl) are short loops over this. torchtitan's own Trainer is not subclassed: it has
one sequence length, one loader and one loss a run, and a curriculum changes the first while
reinforcement has neither of the others. Its components are used as they are.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict, set_model_state_dict
from torchtitan.config.configs import CompileConfig, ParallelismConfig, TrainingConfig
from torchtitan.distributed import ParallelDims
from torchtitan.distributed.activation_checkpoint import FullAC, SelectiveAC
from torchtitan.distributed.utils import clip_grad_norm_
from torchtitan.models.common.decoder import Decoder
from torchtitan.protocols.model_spec import ModelSpec

from gradus.trainer.attention import attention_config, attention_masks
from gradus.trainer.batch import Batch
from gradus.trainer.config import ComputeConfig, OptimConfig
from gradus.trainer.losses.cross_entropy import ChunkedCrossEntropy
from gradus.trainer.model import model_spec, read_weights, write_folder
from gradus.trainer.optim.build import build_optimizers, build_schedulers
from gradus.trainer.platform import SPMD_BACKEND, Platform, prepare_sharded

RECOMPUTED = {"none": None, "selective": SelectiveAC.Config(), "full": FullAC.Config()}


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
    ) -> None:
        self.platform, self._folder, self._max_norm = platform, folder, optim.max_norm
        self._spec = model_spec(folder, context_length=context_length, attention=attention_config(platform))
        self.model = _sharded(self._spec, platform, compute, context_length=context_length)
        self._loss = ChunkedCrossEntropy.Config().build()
        self._loss.set_lm_head(self.model.lm_head)
        self._vocabulary = self.model.config.vocab_size
        options = StateDictOptions(full_state_dict=True)
        set_model_state_dict(self.model, read_weights(folder, self._spec), options=options)
        self._optimizers = build_optimizers(self.model, optim)
        self._schedulers = build_schedulers(self._optimizers, optim, num_updates=num_updates)

    @property
    def lr(self) -> float:
        return float(next(iter(self._schedulers.get_metrics().values())))

    def logits(self, batch: Batch) -> Tensor:
        """Return (rows, positions, vocabulary)."""
        return self._forward(batch, head=True)

    def backward(self, batch: Batch, num_labels: Tensor) -> Tensor:
        """Collect the gradient of the batch's cross-entropy over num_labels; return the loss, detached."""
        hidden_BTD = self._forward(batch, head=False)
        self._loss.fit(batch.tokens_BT.shape, self._vocabulary)
        loss, _ = self._loss(hidden_BTD, batch.labels_BT, num_labels)
        loss.backward()
        return loss.detach()

    def _forward(self, batch: Batch, *, head: bool) -> Tensor:
        self.model._skip_lm_head = not head
        masks = attention_masks(self.model, batch.positions_BT)
        return self.model(batch.tokens_BT, positions=batch.positions_BT, attention_masks=masks)

    def update(self) -> float:
        """Take one optimizer step with the gradients collected; return their norm before clipping."""
        norm = clip_grad_norm_(self.model.parameters(), self._max_norm, foreach=True)
        self._optimizers.step()
        self._schedulers.step()
        self._optimizers.zero_grad()
        return float(norm)

    def total(self, values: Tensor) -> Tensor:
        """Return the sum over all processes."""
        values = values.detach().clone()
        dist.all_reduce(values)
        return values

    def state_dict(self) -> dict[str, Any]:
        return {
            "model": get_model_state_dict(self.model),
            "optimizer": self._optimizers.state_dict(),
            "scheduler": self._schedulers.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        set_model_state_dict(self.model, state["model"])
        self._optimizers.load_state_dict(state["optimizer"])
        with warnings.catch_warnings():  # torchtitan recomputes the rate in a way that PyTorch warns of
            warnings.simplefilter("ignore", UserWarning)
            self._schedulers.load_state_dict(state["scheduler"])

    def export(self, target: Path, dtype: str = "float32") -> None:
        """Write the weights as a Hugging Face folder."""
        weights = get_model_state_dict(self.model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
        if self.platform.is_first:
            write_folder(target, weights, spec=self._spec, base=self._folder, dtype=getattr(torch, dtype))
        dist.barrier()


def _sharded(spec: ModelSpec, platform: Platform, compute: ComputeConfig, *, context_length: int) -> Decoder:
    """Build the model without weights, parallelise it, then give it memory."""
    # One process has nothing to give back between forward and backward.
    reshard: Literal["default", "never"] = "default" if platform.world_size > 1 else "never"
    parallelism = ParallelismConfig(spmd_backend=SPMD_BACKEND, fsdp_reshard_after_forward=reshard)
    with torch.device("meta"):
        model = spec.model.build()
    model.verify_module_protocol()
    model = spec.parallelize_fn(
        model,
        parallel_dims=ParallelDims.from_config(parallelism, platform.world_size),
        training=TrainingConfig(seq_len=context_length, mixed_precision_param=platform.compute_dtype),
        parallelism=parallelism,
        compile_config=CompileConfig(enable=compute.compile and platform.on_gpu, components=["model"]),
        ac_config=RECOMPUTED[compute.activation_checkpointing],
        dump_folder="",
    )
    prepare_sharded(model, platform)
    model.to_empty(device=platform.device)
    with torch.no_grad():
        model.init_weights(buffer_device=None)
    return model.train()
