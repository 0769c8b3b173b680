"""Gates: traces of teachers that do not fit this student are left out, or weigh less, by what was measured.

Fit is what `gradus compare-teachers` measured of a teacher's traces of a domain under the student: the ratio of sums
over traces that engine/compatibility/panel.py defines, its 95% interval by linearisation over problems, for traces of
one problem are not independent (normal, so that it is a little too short for few problems). A gate closes only when the
whole interval lies beyond a bound; each gate does so by itself, without a correction for their number. Scores count
that were made with the student's present tokenizer and template, and of several windows the one with most traces; what
cleaning dropped does not count. Not covered: style distance, and single traces; a gate says nothing of those.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from gradus.curricula.manifest import Gate
from gradus.engine.store import Store
from gradus.errors import ConfigError, DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """What is asked of teachers' traces before this student learns from them."""

    metric: Literal["rsr", "local_nll", "nll", "tokens", "steps"]
    low: float | None = None
    high: float | None = None
    """Bounds of the mean: the least and the greatest that are good."""
    teacher: str = "*"
    domain: str = "*"
    """Patterns, as `gpt-*`: whose traces, and of which domain."""
    weight: float = 0.0
    """Of the traces where the gate is closed; 0 leaves them out."""
    min_problems: int = 20
    """With fewer, a teacher counts as not measured."""
    unmeasured: Literal["keep", "refuse"] = "keep"
    """Of teachers that are not measured, keep the traces, and say so; or build nothing."""

    def __post_init__(self) -> None:
        if self.low is None and self.high is None:
            raise ValueError(f"a gate on {self.metric} needs low, high or both")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"a gate's low must be below its high, not {self.low:g} and {self.high:g}")
        if not 0 <= self.weight < 1:
            raise ValueError(f"a closed gate's weight must be at least 0 and below 1, not {self.weight:g}")
        if self.min_problems < 2:
            raise ValueError(f"min_problems must be at least 2: one problem has no interval, not {self.min_problems}")


Weights = dict[tuple[str, str], float]
"""By teacher and domain; 0 leaves the traces out. Whoever is not here has weight 1."""


def apply(
    store: Store, configs: Sequence[GateConfig], *, student: str, template: str
) -> tuple[tuple[Gate, ...], Weights]:
    """Return what each gate found for every teacher and domain that it is about, and the weights that follow.

    template: the definition of the renderer that will render the traces. Where several gates are closed to a teacher,
    the least weight counts.
    """
    gates: list[Gate] = []
    weights: Weights = {}
    for config in configs:
        found = _judged(config, _means(store, config, student, template))
        for gate in found:
            if gate.action != "keep":
                key = gate.teacher, gate.domain
                weights[key] = min(gate.weight, weights.get(key, 1.0))
        gates += found
    return tuple(gates), weights


def _means(store: Store, config: GateConfig, student: str, template: str) -> list[dict[str, Any]]:
    """Return the teachers and domains that a gate is about, with what was measured of them."""
    named = {"student": student, "metric": config.metric, "template": f"template {template[:12]}"}
    rows = [_rounded(row) for row in store.named("fit_means", named)]
    about = [r for r in rows if fnmatchcase(r["teacher"], config.teacher) and fnmatchcase(r["domain"], config.domain)]
    if not about and rows:
        known = ", ".join(f"{row['teacher']} in {row['domain']}" for row in rows)
        raise ConfigError(
            f"gate on {config.metric}: no traces of teacher {config.teacher!r} in domain {config.domain!r}; "
            f"there are: {known}"
        )
    return about


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out the digits that depend on the order in which threads add up."""
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in row.items()}


def _judged(config: GateConfig, rows: Iterable[dict[str, Any]]) -> list[Gate]:
    gates = [_gate(config, row) for row in rows]
    unknown = [gate for gate in gates if gate.value is None]
    if unknown and config.unmeasured == "refuse":
        names = ", ".join(f"{gate.teacher} in {gate.domain} ({gate.reason})" for gate in unknown)
        raise DataError(
            f"gate on {config.metric}: not measured: {names}; run `gradus compare-teachers`, with a larger --limit "
            f'where problems are too few, or set unmeasured = "keep"'
        )
    return gates


def _gate(config: GateConfig, row: dict[str, Any]) -> Gate:
    measured = row["problems"] >= config.min_problems
    closed = _closed(config, row) if measured else ""
    action: Literal["keep", "weigh", "exclude"] = "keep"
    if closed:
        action = "weigh" if config.weight else "exclude"
    return Gate(
        teacher=row["teacher"],
        domain=row["domain"],
        metric=config.metric,
        value=row["mean"] if measured else None,
        low=row["low"] if measured else None,
        high=row["high"] if measured else None,
        num_traces=row["traces"],
        action=action,
        weight=config.weight if closed else 1.0,
        reason=closed or (_open(config, row) if measured else _unmeasured(config, row)),
    )


def _closed(config: GateConfig, row: dict[str, Any]) -> str:
    """Say which bound the whole interval lies beyond; nothing if neither."""
    if config.high is not None and row["low"] > config.high:
        return f"certainly above {config.high:g} over {row['problems']} problems ({row['definition']})"
    if config.low is not None and row["high"] < config.low:
        return f"certainly below {config.low:g} over {row['problems']} problems ({row['definition']})"
    return ""


def _open(config: GateConfig, row: dict[str, Any]) -> str:
    beyond = (config.high is not None and row["mean"] > config.high) or (
        config.low is not None and row["mean"] < config.low
    )
    said = "beyond the bounds, but not certainly so" if beyond else "not beyond the bounds"
    return f"{said}, over {row['problems']} problems ({row['definition']})"


def _unmeasured(config: GateConfig, row: dict[str, Any]) -> str:
    if not row["problems"]:
        return "not measured with the student's present template"
    return f"measured on {row['problems']} problems, needs {config.min_problems}"
