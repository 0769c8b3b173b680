"""What changed in difficulty between two checkpoints, a and b, problem by problem, told from noise.

Compared are problems that both tried in the same way, prompt and sampling, over the attempts in those ways.
Difficulty bands are those most probable by posterior.py. A problem *improved* if P(p_b > p_a) is SURE at least, and
regressed likewise; among many problems some seem to, so each count stands beside what chance alone would give: if no
rate had changed, the passes of a problem would have fallen to a and b as by drawing without replacement, which is
exact for any rate, where the numbers of attempts were fixed (Fisher 1934). The same gives how many problems would have
changed their band.

The mean change of pass@1 has a normal 95% interval, for these problems, not for others like them; its variance is
E[p(1 - p)] / attempts under the posterior, so that it is never 0. By band, problems are sorted by the attempts of both
together: by those of a alone, the lowest would seem to rise, and the highest to fall, though nothing had changed.

Not covered: problems tried in ways that differ, which are counted; and dependence of attempts on one another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from gradus.curricula import posterior
from gradus.curricula.posterior import Floats, Ints
from gradus.curricula.standing import Checkpoint
from gradus.engine.store import SQL, Store
from gradus.errors import ConfigError

SURE = 0.95
QUANTILE = 1.959963984540054
Bands = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The mean change of pass@1 over some problems, b less a, with its 95% interval."""

    band: str
    """Empty: all."""
    problems: int
    rate_a: float
    rate_b: float
    change: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainDrift:
    """What changed in one domain, of the problems that both checkpoints tried in the same way."""

    domain: str
    overall: Change
    by_band: tuple[Change, ...]
    moves: tuple[tuple[int, ...], ...]
    """Problems by their band for a (rows) and for b (columns)."""
    moved: int
    moved_by_chance: float
    """So many would have changed their band if no rate had changed."""
    improved: int
    regressed: int
    improved_by_chance: float
    regressed_by_chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A problem that improved or regressed."""

    problem_id: str
    domain: str
    attempts_a: int
    passed_a: int
    attempts_b: int
    passed_b: int
    probability: float
    """Of p_b > p_a."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What changed between two checkpoints."""

    a: str
    b: str
    bands: tuple[str, ...]
    sure: float
    """The least probability with which a problem counts as improved or regressed."""
    problems: int
    """Tried by either."""
    compared: int
    left_out: dict[str, int]
    domains: tuple[DomainDrift, ...]
    improved: tuple[Moved, ...]
    """The surest first."""
    regressed: tuple[Moved, ...]


def drift(store: Store, a: Checkpoint, b: Checkpoint, bands: Bands) -> Drift:
    """Compare two checkpoints over every problem that the store has attempts of."""
    if not bands:
        raise ConfigError("drift is told by difficulty bands, and the recipe has none: give it a [bands]")
    frame = read(store, a, b)
    both = frame.filter(pl.col("tried") == "both")
    sure = posterior.greater(*_counts(both, "b"), *_counts(both, "a")).round(posterior.DIGITS)
    both = both.with_columns(sure=pl.Series(sure, dtype=pl.Float64))
    said = {"only a": f"tried by {a.name} alone", "only b": f"tried by {b.name} alone"}
    said["differently"] = "tried by both, but not in the same way"
    nums = dict(frame.group_by("tried").len().iter_rows())
    return Drift(
        a=a.name,
        b=b.name,
        bands=tuple(bands),
        sure=SURE,
        problems=len(frame),
        compared=len(both),
        left_out={reason: nums[name] for name, reason in said.items() if name in nums},
        domains=tuple(
            _domain(domain, both.filter(pl.col("domain") == domain), bands)
            for domain in sorted(both["domain"].unique().to_list())
        ),
        improved=_moved(both.filter(pl.col("sure") >= SURE).sort(-pl.col("sure"), "problem_id")),
        regressed=_moved(both.filter(pl.col("sure") <= 1 - SURE).sort("sure", "problem_id")),
    )


def read(store: Store, a: Checkpoint, b: Checkpoint) -> pl.DataFrame:
    """Return what both did at every problem that either tried: engine/sql/drift.sql."""
    named = {"model_a": a.model, "version_a": a.policy_version, "model_b": b.model, "version_b": b.policy_version}
    return store.frame((SQL / "drift.sql").read_text(), named)


def _domain(domain: str, some: pl.DataFrame, bands: Bands) -> DomainDrift:
    (passed_a, attempts_a), (passed_b, attempts_b) = _counts(some, "a"), _counts(some, "b")
    before, after = (posterior.band_of(*_counts(some, which), bands) for which in "ab")
    both = posterior.band_of(passed_a + passed_b, attempts_a + attempts_b, bands)
    moves = np.zeros((len(bands), len(bands)), np.int64)
    np.add.at(moves, (before, after), 1)
    chance = by_chance(attempts_a, attempts_b, passed_a + passed_b, bands)
    sure = some["sure"].to_numpy()
    return DomainDrift(
        domain=domain,
        overall=_change("", some),
        by_band=tuple(_change(band, some.filter(both == i)) for i, band in enumerate(bands) if (both == i).any()),
        moves=tuple(tuple(row) for row in moves.tolist()),
        moved=int((before != after).sum()),
        moved_by_chance=chance["moved"],
        improved=int((sure >= SURE).sum()),
        regressed=int((sure <= 1 - SURE).sum()),
        improved_by_chance=chance["improved"],
        regressed_by_chance=chance["regressed"],
    )


def _change(band: str, some: pl.DataFrame) -> Change:
    differences = (some["rate_b"] - some["rate_a"]).to_numpy()
    variances = sum(posterior.spread(*_counts(some, which)) / some[f"attempts_{which}"].to_numpy() for which in "ab")
    mean, reach = float(differences.mean()), QUANTILE * float(np.sqrt(np.sum(variances))) / len(some)
    rate_a, rate_b = (float(some[name].to_numpy().mean()) for name in ("rate_a", "rate_b"))
    change = {"change": mean, "low": max(-1.0, mean - reach), "high": min(1.0, mean + reach)}
    return Change(band=band, problems=len(some), rate_a=rate_a, rate_b=rate_b, **change)


def by_chance(attempts_a: Ints, attempts_b: Ints, passed: Ints, bands: Bands) -> dict[str, float]:
    """Return how many problems would seem to move, improve and regress if no rate had changed.

    passed: of both. Given those, a's passes are hypergeometric; each different triple of counts is computed once.
    """
    columns = pl.DataFrame({"a": attempts_a, "b": attempts_b, "passed": passed})
    counted = columns.group_by(pl.all()).len().sort("a", "b", "passed")
    triples, nums = counted.select("a", "b", "passed").to_numpy(), counted["len"].to_numpy()
    found = {"moved": 0.0, "improved": 0.0, "regressed": 0.0}
    if not len(triples):
        return found
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, triples[:, :2].sum(axis=1).max() + 1)))])
    for some, weights in _outcomes(triples, nums, factorials):
        n_a, n_b, c_a, c_b = some.T
        sure = posterior.greater(c_b, n_b, c_a, n_a).round(posterior.DIGITS)
        moved = posterior.band_of(c_a, n_a, bands) != posterior.band_of(c_b, n_b, bands)
        for name, seems in (("moved", moved), ("improved", sure >= SURE), ("regressed", sure <= 1 - SURE)):
            found[name] += float(weights[seems].sum())
    return found


def _outcomes(triples: Ints, nums: Ints, factorials: Floats) -> Iterator[tuple[Ints, Floats]]:
    """Yield, some at a time, the ways to share out passes, (n_a, n_b, c_a, c_b), and how many problems have each."""

    def choose(n: Ints, k: Ints) -> Floats:
        return factorials[n] - factorials[k] - factorials[n - k]

    for start in range(0, len(triples), 1024):
        n_a, n_b, passed = triples[start : start + 1024].T
        least = np.maximum(0, passed - n_b)
        ways = np.minimum(n_a, passed) - least + 1
        row = np.repeat(np.arange(len(ways)), ways)
        c_a = least[row] + np.arange(len(row)) - np.repeat(np.cumsum(ways) - ways, ways)
        n_a, n_b, passed = n_a[row], n_b[row], passed[row]
        logs = choose(n_a, c_a) + choose(n_b, passed - c_a) - choose(n_a + n_b, passed)
        yield np.stack([n_a, n_b, c_a, passed - c_a], axis=1), np.exp(logs) * nums[start : start + 1024][row]


def _counts(some: pl.DataFrame, which: str) -> tuple[Ints, Ints]:
    return some[f"passed_{which}"].to_numpy().astype(np.int64), some[f"attempts_{which}"].to_numpy().astype(np.int64)


def _moved(some: pl.DataFrame) -> tuple[Moved, ...]:
    names = ("problem_id", "domain", "attempts_a", "passed_a", "attempts_b", "passed_b")
    rows = some.select(*names, probability="sure").iter_rows(named=True)
    return tuple(Moved(**row) for row in rows)
