"""What a layout of many processes would take of each, found without any of them: `python -m gradus.trainer.dry_run`.

One process takes the place of rank 0 in PyTorch's fake process group, whose communication goes nowhere, and takes a
step on fake tensors, which have shapes and no memory: the mesh, how every weight is cut, forward, backward and the
optimizer are those of a real run. Bytes are counted as storages come and go, in bfloat16 as on a GPU.

Not covered: time, NCCL's buffers, fragmentation, what a kernel needs within itself. Nothing is compiled, so the passes
that fusion saves are counted: an upper bound, which with full activation checkpointing differs by one layer. The loss
is counted by its plain formula, in float32: up to 8 GB that the fused kernel does not take.
"""

from __future__ import annotations

import argparse
import json
import sys
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed.tensor import DTensor
from torch.distributed.tensor._sharding_prop import ShardingPropagator
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torchtitan.models.common.decoder import Decoder

from gradus import config as configs
from gradus.errors import GradusError
from gradus.log import logger
from gradus.trainer import platform as platforms
from gradus.trainer.attention import DocumentAttention, Documents
from gradus.trainer.batch import Document, collate
from gradus.trainer.config import StageSettings
from gradus.trainer.losses.cross_entropy import ChunkedCrossEntropy
from gradus.trainer.model import model_spec
from gradus.trainer.optim.build import build_optimizers
from gradus.trainer.parallel import Layout, with_memory, without_memory

Rows = tuple[Documents, Tensor, Tensor, Tensor]


class Memory(TorchDispatchMode):
    """Counts the bytes of all storages that operators return, until they are gone."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._sizes: dict[int, int] = {}
        self._asking = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if DTensor in types:
            # It comes again as operators on this process's part.
            return NotImplemented
        if func is torch.ops._c10d_functional.wait_tensor.default:
            # What it returns is its input, but a fake one is a copy.
            return args[0]
        found = func(*args, **(kwargs or {}))
        if not self._asking:
            for tensor in tree_leaves(found):
                if isinstance(tensor, Tensor):
                    self.note(tensor.untyped_storage())
        return found

    def note(self, storage: torch.UntypedStorage) -> None:
        """Count a storage as large as it is now."""
        key = storage._cdata
        if key not in self._sizes:
            weakref.finalize(storage, self._gone, key)
        self._change(key, storage.nbytes())

    def take_peak(self) -> int:
        """Return the most since the last call."""
        peak, self.peak = self.peak, self.now
        return peak

    def _gone(self, key: int) -> None:
        self.now -= self._sizes.pop(key)

    def _change(self, key: int, size: int) -> None:
        self.now += size - self._sizes.get(key, 0)
        self._sizes[key] = size
        self.peak = max(self.peak, self.now)

    @contextmanager
    def counting(self) -> Iterator[Memory]:
        """Count within."""
        resize, shape_of = torch.UntypedStorage.resize_, ShardingPropagator._propagate_tensor_meta_non_cached

        def resized(storage: torch.UntypedStorage, size: int) -> None:
            """FSDP2 frees gathered weights so."""
            resize(storage, size)
            self.note(storage)

        def asked(propagator: ShardingPropagator, schema: Any) -> Any:
            """DTensor runs an operator on fake tensors as large as the whole, to learn what shape it returns."""
            self._asking = True
            try:
                return shape_of(propagator, schema)
            finally:
                self._asking = False

        torch.UntypedStorage.resize_ = resized  # type: ignore[method-assign, assignment]
        ShardingPropagator._propagate_tensor_meta_non_cached = asked  # type: ignore[method-assign]
        try:
            with self:
                yield self
        finally:
            torch.UntypedStorage.resize_ = resize  # type: ignore[method-assign]
            ShardingPropagator._propagate_tensor_meta_non_cached = shape_of  # type: ignore[method-assign]


@dataclass(frozen=True, slots=True)
class AsOnGPU(platforms.Platform):
    """A CPU that multiplies in bfloat16."""

    @property
    def compute_dtype(self) -> Literal["bfloat16", "float32"]:
        return "bfloat16"


def dry_run(folder: Path, *, world_size: int, context_length: int, settings: StageSettings) -> dict[str, Any]:
    """Take one step as the first of world_size processes; return its bytes. folder: a config.json is enough."""
    platforms.pretend(world_size)
    try:
        layout = Layout.of(settings.parallel, AsOnGPU(torch.device("cpu"), 0, world_size))
        spec = model_spec(
            folder, context_length=context_length, attention=DocumentAttention.Config(), rope=settings.rope
        )
        model = without_memory(spec, layout, settings.compute, context_length=context_length)
        there, *rows = _rows(layout, context_length, settings.sequences_per_forward)
        with FakeTensorMode(allow_non_fake_inputs=True) as fake, Memory().counting() as memory:
            tokens_BT, labels_BT, positions_BT = (fake.from_tensor(x_BT) for x_BT in rows)
            return _step(model, layout, settings, (there, tokens_BT, labels_BT, positions_BT), memory)
    finally:
        platforms.stop()


def _step(model: Decoder, layout: Layout, settings: StageSettings, rows: Rows, memory: Memory) -> dict[str, Any]:
    documents_there, tokens_BT, labels_BT, positions_BT = rows
    with_memory(model, layout)
    found = {"parameters": sum(p.numel() for p in model.parameters()), "weights_bytes": memory.now}
    optimizers = build_optimizers(model, settings.optim)
    loss_of = ChunkedCrossEntropy.Config().build()
    loss_of.set_lm_head(model.lm_head)
    loss_of.fit(labels_BT.shape, model.config.vocab_size // layout.dims.tp)
    model._skip_lm_head = True
    hidden_BTD = model(tokens_BT, positions=positions_BT, attention_masks=documents_there)
    found |= {"after_forward_bytes": memory.now, "peak_forward_bytes": memory.take_peak()}
    loss, _ = loss_of(hidden_BTD, labels_BT, torch.ones(()))
    found["peak_loss_bytes"] = memory.take_peak()
    del hidden_BTD
    loss.backward()
    found["peak_backward_bytes"] = memory.take_peak()
    found["weights_and_gradients_bytes"] = memory.now
    optimizers.step()
    optimizers.zero_grad()
    return found | {"weights_and_optimizer_bytes": memory.now, "peak_update_bytes": memory.take_peak()}


def _rows(layout: Layout, context_length: int, num_rows: int) -> Rows:
    """Return (documents, tokens, labels, positions) of rows of one document each, as this process sees them."""
    row = [Document(np.zeros(context_length, np.int64), np.ones(context_length, bool))]
    batch = collate([row] * num_rows, context_length)
    return layout.documents(batch), *(
        layout.part(x_BT) for x_BT in (batch.tokens_BT, batch.labels_BT, batch.positions_BT)
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Print what each process would hold, as JSON."""
    parser = argparse.ArgumentParser(prog="python -m gradus.trainer.dry_run", description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="a folder with a Hugging Face config.json")
    parser.add_argument("--world-size", type=int, required=True, help="processes of the run")
    parser.add_argument("--context-length", type=int, required=True, help="tokens of a row")
    parser.add_argument("--recipe", type=Path, help="a TOML file of training settings")
    parser.add_argument("override", nargs="*", metavar="key=value", help="as parallel.context=8")
    arguments = parser.parse_intermixed_args(argv)
    try:
        settings = configs.load(StageSettings, arguments.recipe, arguments.override)
        found = dry_run(
            arguments.model, world_size=arguments.world_size, context_length=arguments.context_length, settings=settings
        )
    except GradusError as error:
        logger.error("error: %s", error)
        return error.exit_code
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
