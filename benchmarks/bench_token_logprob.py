"""The log-probability kernel beside its reference and torch's own cross-entropy, forward and backward. Needs a GPU.

    python benchmarks/bench_token_logprob.py

GB/s counts three passes over the logits: read forward, read and write backward.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import torch
import triton
from common import about
from torch import Tensor

from gradus.kernels.token_logprob import token_logprob, token_logprob_reference

SHAPES = ((4096, 49152), (8192, 151936))


def once(function: Callable[[Tensor, Tensor], Tensor], logits_NV: Tensor, targets_N: Tensor) -> Callable[[], None]:
    def run() -> None:
        logits_NV.grad = None
        function(logits_NV, targets_N).sum().backward()

    return run


def main() -> None:
    if not torch.cuda.is_available():
        print(json.dumps({"skipped": "bench_token_logprob needs a GPU"}))
        return
    peers: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "kernel": lambda x, t: token_logprob(x, t)[0],
        "reference": lambda x, t: token_logprob_reference(x, t)[0],
        "torch_cross_entropy": lambda x, t: -torch.nn.functional.cross_entropy(x.float(), t, reduction="none"),
    }
    for rows, vocabulary in SHAPES:
        logits_NV = torch.randn(rows, vocabulary, device="cuda", dtype=torch.bfloat16, requires_grad=True)
        targets_N = torch.randint(vocabulary, (rows,), device="cuda")
        want, got = (peers[name](logits_NV.detach(), targets_N) for name in ("reference", "kernel"))
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)
        result = about(logits_NV.device) | {"shape": [rows, vocabulary], "dtype": "bfloat16"}
        for name, function in peers.items():
            low, middle, high = triton.testing.do_bench(once(function, logits_NV, targets_N), quantiles=[0.1, 0.5, 0.9])
            result[name] = {"ms": middle, "p10": low, "p90": high, "GB/s": 3 * logits_NV.nbytes / middle / 1e6}
        print(json.dumps(result))


if __name__ == "__main__":
    main()
