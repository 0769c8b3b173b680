"""Where Triton kernels run: on a CUDA device, or anywhere under Triton's interpreter."""

from __future__ import annotations

import triton
from torch import Tensor


def runs_triton(tensor: Tensor) -> bool:
    """Say whether a kernel can take this tensor; the wrapper uses its reference otherwise."""
    return tensor.is_cuda or bool(triton.knobs.runtime.interpret)
