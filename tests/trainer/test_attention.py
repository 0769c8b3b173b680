from itertools import accumulate

import pytest
import torch

from gradus.kernels.document_attention import document_attention
from gradus.trainer.attention import documents, local_part

ROWS = [[5, 17, 1, 9], [32]]


def starts(rows=ROWS):
    """Where the documents of these lengths begin, and how long a row is."""
    return [[0, *accumulate(row[:-1])] for row in rows], sum(rows[0])


def test_rows_are_laid_end_to_end():
    found = documents(*starts())
    assert found.starts_of_queries.tolist() == found.starts_of_keys.tolist() == [0, 5, 22, 23, 32, 64]
    assert found.pieces.tolist() == [[0, 64, 0, 64, 0, 6, 32, 32]]


def test_a_chunk_reads_from_the_start_of_its_first_document_to_its_own_end():
    found = documents(*starts([[5, 17, 1, 9]]), rank=1, size=2)
    # Chunks 1 and 2 of 4: positions 8 to 16, within the second document, and 16 to 24, where it ends.
    assert found.starts_of_queries.tolist() == [0, 8, 0, 6, 7, 8]
    assert found.starts_of_keys.tolist() == [0, 11, 0, 17, 18, 19]
    assert found.pieces.tolist() == [[0, 8, 5, 16, 0, 2, 8, 11], [8, 16, 5, 24, 2, 6, 6, 17]]


@pytest.mark.parametrize("size", [2, 4, 8])
def test_the_ranks_parts_are_the_whole(size):
    rows = torch.arange(64).reshape(2, 32)
    parts = [local_part(rows, rank=rank, size=size) for rank in range(size)]
    assert sorted(torch.cat(parts, dim=1)[0].tolist()) == list(range(32))
    assert parts[0][0].tolist()[-1] == 31


@pytest.mark.parametrize("size", [2, 4])
def test_ranks_together_read_and_learn_what_one_alone_does(size):
    torch.manual_seed(0)
    q, k, v = (torch.randn(64, n, 8, dtype=torch.float64, requires_grad=True) for n in (6, 2, 2))
    grad = torch.randn(64, 6, 8, dtype=torch.float64)

    def attend(q, found):
        return document_attention(q, k, v, found.starts_of_queries, found.starts_of_keys, found.pieces, 0.3)

    def part(x, rank):
        return local_part(x.unflatten(0, (2, 32)), rank=rank, size=size).flatten(0, 1)

    want = attend(q, documents(*starts()))
    want_grads = torch.autograd.grad(want[0], (q, k, v), grad)
    sums = [torch.zeros_like(x) for x in (q, k, v)]
    for rank in range(size):
        got = attend(part(q, rank), documents(*starts(), rank=rank, size=size))
        torch.testing.assert_close(got[0], part(want[0], rank), rtol=0, atol=1e-12)
        torch.testing.assert_close(got[1].T, part(want[1].T, rank), rtol=0, atol=1e-12)
        for total, found in zip(sums, torch.autograd.grad(got[0], (q, k, v), part(grad, rank)), strict=True):
            total += found
    for got, found in zip(sums, want_grads, strict=True):
        torch.testing.assert_close(got, found, rtol=0, atol=1e-12)


def test_documents_tensors_are_compiled_once_for_any_number_of_them():
    compiled = []

    def count(graph, _):
        compiled.append(graph)
        return graph.forward

    @torch.compile(backend=count, fullgraph=True)
    def attend(x, found):
        return document_attention(x, x, x, found.starts_of_queries, found.starts_of_keys, found.pieces, 1.0)[0]

    for rows in ([[32]], [[5, 27]], [[1, 2, 3, 4, 22]]):
        x = torch.randn(32, 2, 8)
        found = documents(*starts(rows))
        torch.testing.assert_close(attend(x, found), attend.__wrapped__(x, found))
    assert len(compiled) == 1
