"""TFLOP/s of attention within packed documents on one GPU: FlashAttention 4 and 2, cuDNN, FlexAttention.

    python benchmarks/bench_attention.py [--contexts 16384 65536] [--kernels FlashAttention4 FlashAttention2 cudnn flex]

Heads of Qwen3-0.6B: 16 for queries, 8 for keys and values, of 128; bfloat16. Each context is measured as one document
and as documents of 200 tokens and more, log-normal around 4,000. A line a case: milliseconds forward and backward, and
TFLOP/s, where forward counts 2 · heads · head size · length² for each document, backward 2.5 times that. First ours is
compared with the definition in float64, gradients included, documents with more keys than queries included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from itertools import accumulate

import numpy as np
import torch
from common import about
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.attention.flex_attention import and_masks
from torch.nn.functional import scaled_dot_product_attention
from torchtitan.models.common.attention import (
    FlexAttention,
    create_attention_mask,
    get_causal_mask_mod,
    get_efficient_causal_mask_mod_for_packed_document,
)

from gradus.kernels import document_attention as ours

HEADS, KEY_HEADS, SIZE = 16, 8, 128
Steps = tuple[Callable[[], object], Callable[[], object]]
"""Forward, and backward."""


def make_span(queries: list[int], keys: list[int]) -> ours.Span:
    starts = (torch.tensor([0, *accumulate(x)], dtype=torch.int32, device="cuda") for x in (queries, keys))
    return ours.Span(slice(0, sum(queries)), slice(0, sum(keys)), *starts, max(queries), max(keys))


def make_inputs(num_queries: int, num_keys: int) -> list[Tensor]:
    """Return queries, keys, values and the gradient of what is read."""
    torch.manual_seed(0)
    shapes = [(num_queries, HEADS), (num_keys, KEY_HEADS), (num_keys, KEY_HEADS), (num_queries, HEADS)]
    return [torch.randn(*shape, SIZE, device="cuda", dtype=torch.bfloat16) for shape in shapes]


def check(kernels: ours.Kernels) -> dict[str, float]:
    """Return the largest error of each result, relative to the largest value of the definition."""
    queries, keys = [300, 724, 1, 1023], [1300, 724, 1, 1023]
    *inputs, grad = make_inputs(sum(queries), sum(keys))
    span = make_span(queries, keys)
    out, lse = kernels.forward(*inputs, span, SIZE**-0.5)
    found = [out, lse, *kernels.backward(grad, (*inputs, out, lse), span, SIZE**-0.5)]
    exact = [x.double().requires_grad_() for x in inputs]
    starts = {"starts_of_queries": span.starts_of_queries.tolist(), "starts_of_keys": span.starts_of_keys.tolist()}
    want_out, want_lse = ours.document_attention_reference(*exact, **starts)
    want = [want_out, want_lse, *torch.autograd.grad(want_out, exact, grad.double())]
    names = ("out", "lse", "dq", "dk", "dv")
    return {
        name: round(float((a.double() - b).abs().max() / b.abs().max()), 5)
        for name, a, b in zip(names, found, want, strict=True)
    }


def spanned(kernels: ours.Kernels, lengths: list[int]) -> Steps:
    *inputs, grad = make_inputs(sum(lengths), sum(lengths))
    span = make_span(lengths, lengths)
    out, lse = kernels.forward(*inputs, span, SIZE**-0.5)
    return (
        lambda: kernels.forward(*inputs, span, SIZE**-0.5),
        lambda: kernels.backward(grad, (*inputs, out, lse), span, SIZE**-0.5),
    )


def cudnn(lengths: list[int]) -> Steps:
    """Ask cuDNN through PyTorch, with keys and values repeated; it takes whole rows, hence one document."""
    if len(lengths) > 1:
        raise ValueError("takes one document a row")
    q, k, v, grad = (x.transpose(0, 1)[None] for x in make_inputs(lengths[0], lengths[0]))
    inputs = [q, *(x.repeat_interleave(HEADS // KEY_HEADS, dim=1) for x in (k, v))]
    inputs = [x.detach().requires_grad_() for x in inputs]

    def forward() -> Tensor:
        with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
            return scaled_dot_product_attention(*inputs, is_causal=True)

    out = forward()
    return forward, lambda: torch.autograd.grad(out, inputs, grad, retain_graph=True)


def flex(lengths: list[int]) -> Steps:
    """Use torchtitan's FlexAttention, as compiled by itself."""
    *inputs, grad = (x[None] for x in make_inputs(sum(lengths), sum(lengths)))
    inputs = [x.requires_grad_() for x in inputs]
    positions = torch.cat([torch.arange(n, device="cuda") for n in lengths])[None]
    mods = [get_causal_mask_mod(), get_efficient_causal_mask_mod_for_packed_document(positions)]
    mask = create_attention_mask(and_masks(*mods), 1, None, sum(lengths), sum(lengths), device="cuda")
    attention = FlexAttention.Config().build()

    def forward() -> Tensor:
        return attention(*inputs, attention_masks=mask, enable_gqa=True)

    out = forward()
    return forward, lambda: torch.autograd.grad(out, inputs, grad, retain_graph=True)


def milliseconds(step: Callable[[], object], repeats: int = 5) -> float:
    """Return the median, after one run more."""
    times = []
    for _ in range(repeats + 1):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        step()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times[1:])


def packed(context: int) -> list[int]:
    """Draw lengths until the context is full."""
    rng, lengths = np.random.default_rng(0), []
    while left := context - sum(lengths):
        lengths.append(min(left, max(200, int(rng.lognormal(np.log(4000), 1.0)))))
    return lengths


def measure(name: str, lengths: list[int]) -> dict[str, object]:
    begun = time.perf_counter()
    makers: dict[str, Callable[[list[int]], Steps]] = {"cudnn": cudnn, "flex": flex}
    make = makers[name] if name in makers else lambda x: spanned(getattr(ours, name)(), x)
    forward, backward = (milliseconds(step) for step in make(lengths))
    tflop = 2 * HEADS * SIZE * sum(n * n for n in lengths) / 1e12
    return {
        "forward_ms": round(forward, 3),
        "backward_ms": round(backward, 3),
        "forward_tflops": round(tflop / forward * 1e3),
        "backward_tflops": round(2.5 * tflop / backward * 1e3),
        "with_compiling_s": round(time.perf_counter() - begun, 1),
    }


def attempted(measured: Callable[[], dict[str, object]]) -> dict[str, object]:
    """Return what is measured, or why it could not be: the other cases go on."""
    try:
        return measured()
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:500]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contexts", type=int, nargs="+", default=[16384, 65536])
    parser.add_argument(
        "--kernels", nargs="+", default=["FlashAttention4", "FlashAttention2", "cudnn"], metavar="KERNEL"
    )
    args = parser.parse_args()
    if not torch.cuda.is_available():
        print(json.dumps({"skipped": "bench_attention needs a GPU"}))
        return
    machine = about(torch.device("cuda"))
    for name in args.kernels:
        if hasattr(ours, name):
            told = attempted(lambda name=name: {"relative_error": check(getattr(ours, name)())})
            print(json.dumps({"kernel": name} | told), flush=True)
        for context in args.contexts:
            for documents, lengths in (("whole", [context]), ("packed", packed(context))):
                case = {"kernel": name, "context": context, "documents": documents, "count": len(lengths)}
                told = attempted(lambda name=name, lengths=lengths: measure(name, lengths))
                print(json.dumps(machine | case | told), flush=True)


if __name__ == "__main__":
    main()
