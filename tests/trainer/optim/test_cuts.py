from itertools import product

import pytest
import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Replicate, Shard
from torch.distributed.tensor.placement_types import _StridedShard
from torch.testing._internal.distributed.fake_pg import FakeStore

from gradus.trainer.optim.cuts import Cuts, held

ROWS_TWICE = (Replicate(), _StridedShard(0, split_factor=2), Shard(0))
ROWS_AND_COLUMNS = (Replicate(), Shard(0), Shard(1))


@pytest.fixture(params=[0, 3, 6])
def mesh(request):
    """Pretend to be one of eight processes: two replicas of two shards of two parts."""
    dist.init_process_group("fake", rank=request.param, world_size=8, store=FakeStore())
    yield init_device_mesh("cpu", (2, 2, 2), mesh_dim_names=("replicas", "shards", "tensor"))
    dist.destroy_process_group()


@pytest.mark.parametrize("placements", [ROWS_TWICE, ROWS_AND_COLUMNS, (Replicate(), Replicate(), Shard(1))])
@pytest.mark.parametrize("shape", [(12, 8), (7, 5), (1, 3)])
def test_a_group_holds_every_element_once(mesh, placements, shape):
    whole = torch.zeros(shape)
    cut = Cuts().of(DTensor.from_local(whole, mesh, placements, shape=shape, stride=whole.stride(), run_check=False))
    for (top, bottom), (left, right) in cut.boxes:
        whole[top:bottom, left:right] += 1
    assert (whole == 1).all()
    ranks = dist.get_process_group_ranks(cut.group)
    replica = dist.get_rank() // 4
    first = 4 * replica + (0 if placements != (Replicate(), Replicate(), Shard(1)) else dist.get_rank() % 4 // 2 * 2)
    assert ranks == list(range(first, first + len(cut.boxes)))


def test_fsdp_cuts_what_tensor_parallelism_left(mesh):
    whole = torch.zeros(12, 8)
    tensor = DTensor.from_local(whole, mesh, ROWS_TWICE, shape=(12, 8), stride=(8, 1), run_check=False)
    _, shard, part = mesh.get_coordinate()
    start = 6 * part + 3 * shard
    assert held(tensor) == ((start, start + 3), (0, 8))
    order = [(6 * part + 3 * shard, 6 * part + 3 * shard + 3) for shard, part in product(range(2), repeat=2)]
    assert [rows for rows, _ in Cuts().of(tensor).boxes] == order


def test_a_tensor_of_this_process_alone_is_whole():
    assert held(torch.zeros(4)) == ((0, 4),)
    assert Cuts().of(torch.zeros(4, 2)).boxes == (((0, 4), (0, 2)),)
