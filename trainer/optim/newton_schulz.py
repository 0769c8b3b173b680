"""Make matrices orthogonal by Newton–Schulz's iteration, many at once.

The quintic of Keller Jordan's Muon (2024): X ← aX + b(XXᵀ)X + c(XXᵀ)²X, five times, from X / ‖X‖. Singular values end
between 0.5 and 1.5, not at 1, which is enough for a direction. In bfloat16, as torch.optim.Muon. Matrices of one shape
go through as one batch: at 1024² a single one is bound by its launches, not by arithmetic.

B: matrices · N: the lesser of rows and columns · M: the greater
"""

from __future__ import annotations

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
NUM_STEPS = 5
EPS = 1e-7


def orthogonalise(matrices: Tensor) -> Tensor:
    """Return (B, rows, columns) in bfloat16, each matrix with about the same singular vectors and values near 1."""
    a, b, c = COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    x_BNM = (matrices.mT if tall else matrices).bfloat16()
    x_BNM = x_BNM / torch.linalg.matrix_norm(x_BNM, keepdim=True).clamp(min=EPS)
    for _ in range(NUM_STEPS):
        gram_BNN = x_BNM @ x_BNM.mT
        update_BNN = torch.baddbmm(gram_BNN, gram_BNN, gram_BNN, beta=b, alpha=c)
        x_BNM = torch.baddbmm(x_BNM, update_BNN, x_BNM, beta=a)
    return x_BNM.mT if tall else x_BNM
