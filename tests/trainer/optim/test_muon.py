import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Replicate, Shard, distribute_tensor
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

from gradus.trainer.optim.muon import Muon
from gradus.trainer.optim.owners import owners

SHAPES = [(64, 64), (32, 64), (96, 64), (64, 96), (32, 64), (5, 7), (1, 9)]


def parameters(seed=0):
    torch.manual_seed(seed)
    return [nn.Parameter(torch.randn(shape)) for shape in SHAPES]


def gradients(step):
    torch.manual_seed(100 + step)
    return [torch.randn(shape) for shape in SHAPES]


def test_one_process_takes_the_steps_of_torch():
    ours, theirs = parameters(), parameters()
    settings = {"lr": 0.02, "weight_decay": 0.1, "momentum": 0.9}
    muon = Muon([{"params": ours}], **settings)
    want = torch.optim.Muon(theirs, adjust_lr_fn="match_rms_adamw", **settings)
    for step in range(4):
        for own, their, gradient in zip(ours, theirs, gradients(step), strict=True):
            own.grad, their.grad = gradient.clone(), gradient.clone()
        muon.step()
        want.step()
    for own, their in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own, their, rtol=1e-6, atol=1e-6)


def test_what_is_no_matrix_is_refused():
    with pytest.raises(ValueError, match=r"not a parameter of shape \(3,\)"):
        Muon([{"params": [nn.Parameter(torch.zeros(3))]}])


def test_an_update_has_the_root_mean_square_of_adamw():
    torch.manual_seed(0)
    weight = nn.Parameter(torch.zeros(128, 512))
    weight.grad = torch.randn(128, 512)
    Muon([{"params": [weight]}], lr=1.0, weight_decay=0.0).step()
    assert 0.15 < weight.detach().square().mean().sqrt() < 0.25


def test_owners_share_the_work():
    shapes = [(1024, 1024)] * 7 + [(4096, 1024)] * 3
    found = owners(shapes, 4)
    loads = [
        sum(a * b * min(a, b) for (a, b), owner in zip(shapes, found, strict=True) if owner == r) for r in range(4)
    ]
    # A matrix of 4096 rows costs 4 of 1024: of 19 among 4 processes one has at least 5.
    assert sorted(loads) == [n * 1024**3 for n in (4, 5, 5, 5)]
    assert set(owners([(8, 8)], 4)) == {0}


def step_sharded(rank, file, shape, target):
    """Take the steps on a mesh of this shape, rows sharded over its last dimension; the first process saves the end."""
    world_size = shape[0] * shape[1]
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=world_size)
    mesh = init_device_mesh("cpu", shape, mesh_dim_names=("replicas", "shards"))
    placements = [Replicate(), Shard(0)]
    params = [nn.Parameter(distribute_tensor(p.detach(), mesh, placements)) for p in parameters()]
    muon = Muon([{"params": params}], lr=0.02, momentum=0.9)
    for step in range(3):
        for param, gradient in zip(params, gradients(step), strict=True):
            param.grad = distribute_tensor(gradient, mesh, placements)
        muon.step()
    whole = [p.detach().full_tensor() for p in params]
    if rank == 0:
        torch.save(whole, target)
    dist.destroy_process_group()


def step_in_rectangles(rank, file, shape, target):
    """Take the steps with matrices cut by tensor parallelism, then FSDP2, over a mesh of this shape (shards, tensor).

    A layer begins with its elements numbered, so what a process holds of it is known without asking our code.
    """
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=shape[0] * shape[1])
    mesh = init_device_mesh("cpu", shape, mesh_dim_names=("shards", "tensor"))
    layers, plan = nn.Sequential(), (ColwiseParallel(), RowwiseParallel())
    for i, (rows, columns) in enumerate(SHAPES):
        layers.append(nn.Linear(columns, rows, bias=False))
        layers[i].weight = nn.Parameter(torch.arange(rows * columns, dtype=torch.float32).view(rows, columns))
        parallelize_module(layers[i], mesh["tensor"], plan[i % 2])
    fully_shard(layers, mesh=mesh["shards"])
    params = [layer.weight for layer in layers]
    places = [p.to_local().detach().long() for p in params]
    for param, whole, place in zip(params, parameters(), places, strict=True):
        param.to_local().detach().copy_(whole.detach().flatten()[place])
    muon = Muon([{"params": params}], lr=0.02, momentum=0.9)
    for step in range(3):
        for param, gradient, place in zip(params, gradients(step), places, strict=True):
            param.grad = DTensor.from_local(
                gradient.flatten()[place],
                param.device_mesh,
                param.placements,
                shape=param.shape,
                stride=param.stride(),
                run_check=False,
            )
        muon.step()
    torch.save([(place, p.to_local().detach()) for place, p in zip(places, params, strict=True)], f"{target}{rank}")
    dist.destroy_process_group()


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 2), (1, 3), (2, 2)])
def test_shards_take_the_steps_of_whole_matrices(shape, tmp_path):
    params = parameters()
    muon = Muon([{"params": params}], lr=0.02, momentum=0.9)
    for step in range(3):
        for param, gradient in zip(params, gradients(step), strict=True):
            param.grad = gradient
        muon.step()
    arguments = (str(tmp_path / "store"), shape, str(tmp_path / "end.pt"))
    torch.multiprocessing.spawn(step_sharded, arguments, nprocs=shape[0] * shape[1])
    for found, want in zip(torch.load(tmp_path / "end.pt"), params, strict=True):
        assert torch.equal(found, want)


@pytest.mark.parametrize("shape", [(2, 2), pytest.param((1, 2), marks=pytest.mark.slow)])
def test_rectangles_take_the_steps_of_whole_matrices(shape, tmp_path):
    params = parameters()
    muon = Muon([{"params": params}], lr=0.02, momentum=0.9)
    for step in range(3):
        for param, gradient in zip(params, gradients(step), strict=True):
            param.grad = gradient
        muon.step()
    num_processes = shape[0] * shape[1]
    arguments = (str(tmp_path / "store"), shape, str(tmp_path / "end"))
    torch.multiprocessing.spawn(step_in_rectangles, arguments, nprocs=num_processes)
    ends = [torch.load(tmp_path / f"end{rank}") for rank in range(num_processes)]
    for number, want in enumerate(params):
        found = torch.full((want.numel(),), torch.nan)
        for end in ends:
            place, part = end[number]
            found[place] = part
        assert torch.equal(found.view_as(want), want)
