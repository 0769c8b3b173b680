"""The PolyNorm kernel beside its reference, compiled and not, forward and backward. Needs a GPU.

    python benchmarks/bench_poly_norm.py

GB/s counts what must be read and written once: gate, up and result; then the gradient, gate, up and their gradients.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import torch
import triton
from common import about
from torch import Tensor

from gradus.kernels.poly_norm import poly_norm, poly_norm_reference

# Motif-2-12.7B's width, and twice it.
SHAPES = ((8192, 16384), (4096, 32768))


def once(function: Callable[..., Tensor], inputs: list[Tensor], grad: Tensor) -> Callable[[], None]:
    def run() -> None:
        for tensor in inputs:
            tensor.grad = None
        function(*inputs).backward(grad)

    return run


def main() -> None:
    if not torch.cuda.is_available():
        print(json.dumps({"skipped": "bench_poly_norm needs a GPU"}))
        return
    peers = {"kernel": poly_norm, "compiled": torch.compile(poly_norm_reference), "reference": poly_norm_reference}
    for shape in SHAPES:
        gate, up, grad = torch.randn(3, *shape, device="cuda", dtype=torch.bfloat16).unbind()
        weight, bias = torch.tensor([0.4, 0.3, 0.3], device="cuda"), torch.zeros(1, device="cuda")
        inputs = [x.clone().requires_grad_() for x in (gate, up, weight, bias)]
        want, got = (peers[name](*inputs).detach().float() for name in ("reference", "kernel"))
        torch.testing.assert_close(got, want, rtol=2e-2, atol=2e-2)
        result = about(gate.device) | {"shape": shape, "dtype": "bfloat16"}
        for name, function in peers.items():
            low, middle, high = triton.testing.do_bench(once(function, inputs, grad), quantiles=[0.1, 0.5, 0.9])
            result[name] = {"ms": middle, "p10": low, "p90": high, "GB/s": 8 * gate.nbytes / middle / 1e6}
            ahead = triton.testing.do_bench(partial(function, gate, up, weight, bias))
            result[name] |= {"forward_ms": ahead, "forward_GB/s": 3 * gate.nbytes / ahead / 1e6}
        print(json.dumps(result))


if __name__ == "__main__":
    main()
