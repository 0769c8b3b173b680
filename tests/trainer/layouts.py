"""What a tiny model learns from one batch, in a process of its own for each rank: for tests of parallel layouts."""

import os
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing
from torch.distributed.tensor import DTensor

from gradus.trainer import platform as platforms
from gradus.trainer.attention import DocumentAttention
from gradus.trainer.batch import Document, collate
from gradus.trainer.config import ComputeConfig, OptimConfig, ParallelConfig
from gradus.trainer.learner import Learner
from gradus.trainer.losses.cross_entropy import count_labels, cross_entropy
from gradus.trainer.model import model_spec

CONTEXT = 64
# Fewer than tiny's vocabulary has; importing tiny would bring transformers to every process.
NUM_TOKENS = 256
# Documents of four rows; some cross the places where context parallelism cuts, and one row is not full.
ROWS = ((20, 37), (64,), (3, 5, 40, 16), (30, 9))


def document(length, seed):
    rng = np.random.default_rng(seed)
    return Document(rng.integers(0, NUM_TOKENS, length), rng.random(length) < 0.7)


def batches(place, *, change=None):
    """Return the rows of one process, one a batch; change: another seed for a document, by (row, place in it)."""
    rows = [
        [document(n, 1000 if (i, j) == change else 10 * i + j) for j, n in enumerate(lengths)]
        for i, lengths in enumerate(ROWS)
    ]
    device = place.platform.device
    return [collate([row], CONTEXT).to(device) for row in rows[place.data_rank :: place.data_size]]


def spec(folder, context_length=CONTEXT):
    return model_spec(folder, context_length=context_length, attention=DocumentAttention.Config())


def learner(folder, parallel, *, compute=(), **optim):
    return Learner(
        folder,
        platforms.start(),
        context_length=CONTEXT,
        optim=OptimConfig(**{"lr": 1e-2, "max_norm": 0.5, "eps": 1e-3} | optim),
        num_updates=4,
        compute=ComputeConfig(**dict(compute)),
        parallel=ParallelConfig(**parallel),
    )


def learn(folder, parallel, *, change=None, **settings):
    """Return everything that a step gives: loss, gradients, their norm, weights and loss after it.

    change: of which document to tell also what it changes in the logits, with the gradients as taken from logits.
    """
    ours = learner(folder, parallel, **settings)
    mine = batches(ours.layout)
    num_labels = ours.total(sum(count_labels(batch.labels_BT) for batch in mine)).float()
    found = {}
    if change:
        found["gradients of logits"] = _gradients_of_logits(ours, mine, num_labels)
        with torch.no_grad():
            before, after = ([ours.logits(b)[0].cpu() for b in batches(ours.layout, change=c)] for c in (None, change))
        found["logits"] = before, after
    losses = [ours.backward(batch, num_labels) for batch in mine]
    found |= {"loss": ours.total(sum(losses)).cpu(), "gradients": _gradients(ours), "norm": ours.clip()}
    ours.step()
    found["weights"] = {_plain(name): whole(p.detach()).clone().cpu() for name, p in ours.model.named_parameters()}
    found["loss after"] = ours.total(sum(ours.loss(batch, num_labels) for batch in mine)).cpu()
    return found


def _gradients_of_logits(ours, mine, num_labels):
    for batch in mine:
        cross_entropy(ours.logits(batch), batch.labels_BT, num_labels).backward()
    found = _gradients(ours)
    for parameter in ours.model.parameters():
        parameter.grad = None
    return found


def whole(tensor):
    """Return all of a weight or gradient, of which this process may hold a part."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def _gradients(ours):
    return {_plain(name): whole(p.grad).clone().cpu() for name, p in ours.model.named_parameters()}


def _plain(name):
    """Return a parameter's name as it is without activation checkpointing."""
    return name.replace("_checkpoint_wrapped_module.", "")


def run(rank, world_size, port, target, calls):
    """Call functions one after another as one rank of world_size; every rank keeps what they returned."""
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world_size)}
    torch.set_num_threads(1)
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(rank)
    dist.init_process_group(backend, store=dist.TCPStore("localhost", port), rank=rank, world_size=world_size)
    found = [function(*arguments, **settings) for function, arguments, settings in calls]
    torch.save(found, f"{target}-{rank}.pt")
    platforms.stop()


def spawn(folder, world_size, calls):
    """Return, for every rank, what each call gave."""
    fresh = Path(tempfile.mkdtemp(dir=folder))
    store = dist.TCPStore("localhost", 0, is_master=True)
    torch.multiprocessing.spawn(run, (world_size, store.port, str(fresh / "rank"), calls), nprocs=world_size)
    return [torch.load(fresh / f"rank-{rank}.pt") for rank in range(world_size)]
