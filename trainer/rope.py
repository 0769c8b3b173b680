"""Rotary positions as a config.json declares them: plain, Llama 3's scaling, or YaRN.

YaRN (arXiv 2309.00071), as transformers computes it: a pair of dimensions that turns often within the original context
keeps its frequency, one that turns seldom is slowed down by the factor, a linear ramp lies between; and queries and
keys are both multiplied by 0.1 ln(factor) + 1. torchtitan has the frequencies and leaves the multiplication out.
Not covered: linear, dynamic and LongRoPE scaling, a scaling by layer type, nor rotation of a part of a head.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torchtitan.models.common import ComplexRoPE, CosSinRoPE
from torchtitan.models.common.rope import RoPE

from gradus.errors import ConfigError, DataError
from gradus.trainer.config import RopeScaling


class ComplexYarn(ComplexRoPE):
    """Adjacent dimensions as complex numbers, of any length."""

    @dataclass(kw_only=True, slots=True)
    class Config(ComplexRoPE.Config):
        """With how long a rotated vector of length 1 is."""

        attention_factor: float = 1.0

    config: Config

    def _precompute_cache(self) -> Tensor:
        return super()._precompute_cache() * self.config.attention_factor


class CosSinYarn(CosSinRoPE):
    """The two halves of a head as cosines and sines, of any length."""

    @dataclass(kw_only=True, slots=True)
    class Config(CosSinRoPE.Config):
        """With how long a rotated vector of length 1 is."""

        attention_factor: float = 1.0

    config: Config

    def _precompute_cache(self) -> Tensor:
        return super()._precompute_cache() * self.config.attention_factor


YARN: dict[type[RoPE], Any] = {ComplexRoPE: ComplexYarn.Config, CosSinRoPE: CosSinYarn.Config}


def rope_settings(config: dict[str, Any]) -> dict[str, Any]:
    """Return RoPE's settings, which transformers 5 keeps in rope_parameters and 4 in two other places."""
    rope = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    rope["rope_type"] = rope.get("rope_type") or rope.get("type") or "default"
    rope["rope_theta"] = rope.get("rope_theta") or config.get("rope_theta", 10000.0)
    return rope


def rescaled(config: dict[str, Any], rope: RopeScaling | None) -> dict[str, Any]:
    """Return the config.json of the model under a declared scaling; it replaces YaRN that the model came with."""
    if rope is None:
        return config
    settings = rope_settings(config)
    if settings["rope_type"] not in ("default", "yarn"):
        raise ConfigError(
            f"rope: the model already scales its positions by {settings['rope_type']!r}; leave `rope` out"
        )
    known = settings.get("original_max_position_embeddings") or config.get("max_position_embeddings")
    original = rope.original_max_position_embeddings or known
    if original is None:
        raise ConfigError("rope.original_max_position_embeddings: the model's config.json does not say it; set it")
    yarn = {
        "rope_type": "yarn",
        "rope_theta": settings["rope_theta"],
        "factor": rope.factor,
        "original_max_position_embeddings": original,
        "beta_fast": rope.beta_fast,
        "beta_slow": rope.beta_slow,
    }
    # Where this config keeps it, for whichever transformers it was made.
    place = "rope_parameters" if config.get("rope_parameters") else "rope_scaling"
    return config | {place: yarn, "max_position_embeddings": int(rope.factor * original)}


def rope_config(kind: type[RoPE], config: dict[str, Any], *, head_dim: int, context_length: int) -> RoPE.Config:
    """Return torchtitan's rotation for a config.json; DataError for a scaling that we would compute wrongly."""
    rope = rope_settings(config)
    if any(isinstance(value, dict) for value in rope.values()):
        raise DataError("RoPE by layer type cannot be trained; only one for all layers")
    if (rope.get("partial_rotary_factor") or config.get("partial_rotary_factor") or 1.0) != 1.0:
        raise DataError("RoPE on a part of each head cannot be trained")
    common = {"dim": head_dim, "max_seq_len": context_length, "theta": rope["rope_theta"]}
    match rope["rope_type"]:
        case "default":
            return kind.Config(**common)
        case "llama3" if kind is ComplexRoPE:
            return ComplexRoPE.Config(
                **common,
                scaling="llama",
                scaling_factor=rope["factor"],
                low_freq_factor=rope["low_freq_factor"],
                high_freq_factor=rope["high_freq_factor"],
                original_max_position_embeddings=rope["original_max_position_embeddings"],
            )
        case "yarn":
            settings: RoPE.Config = YARN[kind](**common, **_yarn(rope, config))
            return settings
        case other:
            raise DataError(f"RoPE scaling {other!r} cannot be trained; only `default`, `yarn`, and `llama3` of Llama")


def _yarn(rope: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    original = rope.get("original_max_position_embeddings") or config["max_position_embeddings"]
    factor = rope.get("factor") or config["max_position_embeddings"] / original
    return {
        "scaling": "yarn",
        "rope_factor": factor,
        "original_seq_len": original,
        "beta_fast": rope.get("beta_fast") or 32.0,
        "beta_slow": rope.get("beta_slow") or 1.0,
        "truncate": rope.get("truncate", True),
        "attention_factor": _attention_factor(rope, factor),
    }


def _attention_factor(rope: dict[str, Any], factor: float) -> float:
    if rope.get("attention_factor") is not None:
        return float(rope["attention_factor"])
    if rope.get("mscale") and rope.get("mscale_all_dim"):
        return _grown(factor, rope["mscale"]) / _grown(factor, rope["mscale_all_dim"])
    return _grown(factor, 1.0)


def _grown(factor: float, scale: float) -> float:
    return 0.1 * scale * math.log(factor) + 1.0 if factor > 1 else 1.0
