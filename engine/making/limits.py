"""What a recipe asks of a trace beyond its verdict: bounds on steps, length and wrong equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitConfig:
    """Bounds, each included; what is not named is not bounded. making/shape.py defines the counts."""

    min_steps: int | None = None
    min_numbered: int | None = None
    """Steps that bear a number."""
    min_tokens: int | None = None
    """As the teacher counts its answer; where it counts none, tokens bound nothing."""
    max_tokens: int | None = None
    max_failed_equations: int | None = None
    min_share_holding: float | None = None
    """Of the equations that can be decided; where there are none, this bounds nothing."""

    def __post_init__(self) -> None:
        if self.min_share_holding is not None and not 0 <= self.min_share_holding <= 1:
            raise ValueError(f"min_share_holding must be between 0 and 1, not {self.min_share_holding}")
        if None not in (self.min_tokens, self.max_tokens) and self.min_tokens > self.max_tokens:  # type: ignore[operator]
            raise ValueError(f"min_tokens is {self.min_tokens}, above max_tokens, which is {self.max_tokens}")


def fault(shape: Mapping[str, Any], num_tokens: int | None, limits: LimitConfig) -> str:
    """Return why a trace is rejected, `<kind>: <detail>`; empty if it is not. shape: a row of the table `shapes`."""
    steps, numbered, failed = (shape[f"num_{what}"] for what in ("steps", "numbered", "failed"))
    if limits.min_steps is not None and steps < limits.min_steps:
        return f"too few steps: {steps}, asked for {limits.min_steps}"
    if limits.min_numbered is not None and numbered < limits.min_numbered:
        return f"too few numbered steps: {numbered}, asked for {limits.min_numbered}"
    if limits.min_tokens is not None and num_tokens and num_tokens < limits.min_tokens:
        return f"too short: {num_tokens} tokens, asked for {limits.min_tokens}"
    if limits.max_tokens is not None and num_tokens and num_tokens > limits.max_tokens:
        return f"too long: {num_tokens} tokens, allowed {limits.max_tokens}"
    if limits.max_failed_equations is not None and failed > limits.max_failed_equations:
        return f"wrong equations: {failed}, allowed {limits.max_failed_equations}"
    decided = shape["num_holding"] + failed
    share = shape["num_holding"] / decided if decided else 1.0
    if limits.min_share_holding is not None and share < limits.min_share_holding:
        return f"too few equations hold: {share:.3f}, asked for {limits.min_share_holding}"
    return ""
