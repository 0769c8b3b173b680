import re
import shlex
from pathlib import Path

import pytest
import torch

from gradus.errors import ConfigError
from gradus.trainer import plan as plans
from gradus.trainer.attention import DocumentAttention
from gradus.trainer.config import ParallelConfig
from gradus.trainer.model import model_spec
from gradus.trainer.parallel import Layout
from gradus.trainer.platform import Platform

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
TOKENS = 65536
MACHINE = plans.Machine()


@pytest.fixture(scope="module")
def motif(tmp_path_factory):
    """The folder that the page describes."""
    folder = tmp_path_factory.mktemp("page") / "motif"
    folder.mkdir()
    (folder / "config.json").write_text(re.search(r"```json\n(.+?)```", PAGE.read_text(), re.DOTALL)[1])
    return folder


@pytest.fixture(scope="module")
def shape(motif):
    return plans.Shape.of(model_spec(motif, context_length=TOKENS, attention=DocumentAttention.Config()).model)


def step(shape, world_size, *, rows=512, machine=MACHINE, **parallel):
    layout = Layout.of(ParallelConfig(**parallel), Platform(torch.device("cpu"), 0, world_size))
    return plans.plan(shape, layout, context_length=TOKENS, rows=rows, machine=machine)


def test_the_tables_of_the_page_are_what_its_commands_print(motif, capsys):
    page = PAGE.read_text()
    commands = re.findall(r"^python -m gradus\.trainer\.plan (.+?[^\\])\n", page, re.DOTALL | re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        arguments = shlex.split(command.replace("\\\n", " "))
        assert plans.main([str(motif) if word == "motif" else word for word in arguments]) == 0
        assert capsys.readouterr().out in page


def test_the_flops_of_a_row_are_those_of_its_products(shape):
    # 32 heads of signal and 8 of noise, queries 128 wide and values 256; of the embeddings only the head multiplies.
    attention = 40 * 3 * 40 * (128 + 256) * TOKENS**2
    assert shape.parameters == 12_703_860_896
    products = 6 * (shape.parameters - 219_520 * 4096) * TOKENS
    assert step(shape, 8, rows=1, context=8).flops == pytest.approx((attention + products) / 8)


def test_what_is_sent_is_what_the_layout_says(shape):
    found = step(shape, 16, rows=4, shard=2, replicate=2, context=2, tensor=2)
    # One row to each of 4 groups; 4 processes to a copy's half of the weights.
    half = shape.parameters / 2
    assert found.weights_bytes == pytest.approx(8 * half * 3 / 4 + 8 * half / 4 / 2)
    # Keys and values, for signal and for noise.
    assert found.context_bytes == pytest.approx(40 * 3 * TOKENS * (2 * 2 * 16 * 128) * 2 / 2 / 2)
    assert found.tensor_bytes == pytest.approx(40 * 12 * TOKENS / 2 * 4096 * 2 / 2)
    assert found.state_bytes == pytest.approx(16 * shape.parameters / 8)


def test_one_gpu_sends_nothing_and_is_bound_by_what_it_computes(shape):
    found = step(shape, 1, rows=1)
    assert found.weights_bytes == found.context_bytes == found.tensor_bytes == 0
    assert found.mfu == pytest.approx(0.6 * 3 / 4)
    assert found.tokens_per_s == pytest.approx(TOKENS / found.compute_s)


def test_a_slow_network_bounds_what_a_fast_one_does_not(shape):
    slow = plans.Machine(network=1e9)
    assert step(shape, 64, context=8, machine=slow).mfu < 0.1 < step(shape, 64, context=8).mfu
    # Eight GPUs of one host do not notice.
    assert step(shape, 8, context=8, machine=slow) == step(shape, 8, context=8)


def test_rows_that_do_not_divide_are_refused(shape):
    with pytest.raises(ConfigError, match="6 rows a step do not divide among 4 groups"):
        step(shape, 4, rows=6)


@pytest.mark.parametrize(("most_shards", "replicate", "shard"), [(8, 8, 1), (16, 4, 2), (64, 1, 8), (1024, 1, 8)])
def test_more_gpus_than_a_copy_may_have_hold_copies(most_shards, replicate, shard):
    (found,) = plans.layouts(ParallelConfig(context=8), [64], most_shards=most_shards)
    assert (found.dims.dp_replicate, found.dims.dp_shard, found.dims.cp) == (replicate, shard, 8)
