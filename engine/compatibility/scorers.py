"""Who scores passages: a student's forward pass in torch, or vLLM's prompt log-probabilities; equal up to rounding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from gradus.engine.compatibility.reading import Passage, TokenScores


class Scorer(Protocol):
    """An open student."""

    name: str
    """Of the backend and its precision."""

    def score(self, passages: Sequence[Passage]) -> Iterator[tuple[int, TokenScores]]:
        """Yield (index into passages, scores) in any order, each exactly once."""
        ...

    def close(self) -> None:
        """Give back memory and processes."""
        ...


class Open(Protocol):
    """Opens the student in a folder for passages shorter than max_context."""

    def __call__(self, folder: Path, *, max_context: int) -> Scorer: ...


def open_torch(folder: Path, *, max_context: int) -> Scorer:  # noqa: ARG001
    """Open a student in torch, which takes any length."""
    from gradus.engine.compatibility.torch_scorer import TorchScorer, load

    return TorchScorer(load(folder))


def open_vllm(folder: Path, *, max_context: int) -> Scorer:
    """Open a student in vLLM."""
    from gradus.engine.compatibility.vllm_scorer import VLLMScorer

    return VLLMScorer(folder, max_context=max_context)


SCORERS: dict[str, Open] = {"torch": open_torch, "vllm": open_vllm}
