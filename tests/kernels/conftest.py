"""Without a GPU, kernels run in Triton's interpreter: set before any of them is imported."""

import os

import torch

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"

import pytest


@pytest.fixture
def device():
    return "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture
def nan_empty(monkeypatch):
    """Fill fresh tensors with NaN, so that an element the kernel forgets is seen."""
    for name in ("empty", "empty_like"):
        make = getattr(torch, name)
        monkeypatch.setattr(torch, name, lambda *args, make=make, **kwargs: make(*args, **kwargs).fill_(float("nan")))
