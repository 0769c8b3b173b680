"""`gradus drift A B`: what changed in difficulty between two checkpoints of a student."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradus.api.commands.base import Result, command
from gradus.api.commands.table import table
from gradus.api.pictures import picture_format
from gradus.curricula.recipe import load_recipe
from gradus.curricula.standing import find_checkpoint
from gradus.engine.store import open_snapshot
from gradus.engine.workspace import Workspace

if TYPE_CHECKING:
    from gradus.curricula.drift import Change, DomainDrift, Drift, Moved

SHOWN = 5


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", help="the earlier checkpoint: a model's id or its beginning, RUN/step-N, or a folder")
    parser.add_argument("b", help="the later one")
    parser.add_argument("--recipe", default="default", help="whose difficulty bands (default: default)")
    parser.add_argument("--plot", type=Path, help="draw it into this PNG or SVG file, too")


@command("drift", 5, _arguments)
def drift_command(args: argparse.Namespace) -> Result:
    """Compare the difficulty of problems for two checkpoints: by domain and band, and which truly changed."""
    from gradus.curricula.drift import drift  # polars takes a moment

    recipe = load_recipe(args.recipe)
    if args.plot:
        from gradus.api.drift_plot import write_plot  # matplotlib takes a second

        picture_format(args.plot)
    with open_snapshot(Workspace.find(args.workspace)) as store:
        found = drift(store, find_checkpoint(store, args.a), find_checkpoint(store, args.b), recipe.bands)
    if args.plot:
        write_plot(found, args.plot)
    data = {"in": found.problems, "kept": found.compared, "dropped": found.left_out}
    return Result(data | asdict(found) | {"plot": str(args.plot) if args.plot else None}, _text(found, args.plot))


def _text(found: Drift, plot: Path | None) -> str:
    lines = [f"{found.a} -> {found.b}: {found.problems} problems tried, {found.compared} compared"]
    lines += [f"  {num:>8} left out: {reason}" for reason, num in found.left_out.items()]
    if found.domains:
        rows = [_row(domain.domain, c) for domain in found.domains for c in (domain.overall, *domain.by_band)]
        lines += ["", table(rows), "", table([_counts(domain) for domain in found.domains])]
    for domain in found.domains:
        moves = [
            {f"{domain.domain}: from": b} | dict(zip(found.bands, row, strict=True)) for b, row in _moves(found, domain)
        ]
        lines += ["", table(moves)]
    for name, moved in (("improved", found.improved), ("regressed", found.regressed)):
        if moved:
            head = f"{len(moved)} {name}, each with a probability of {found.sure:g} or more; the surest:"
            lines += ["", head, table([_problem(one) for one in moved[:SHOWN]])]
    return "\n".join([*lines, *(["", f"plot: {plot}"] if plot else [])])


def _row(domain: str, change: Change) -> dict[str, Any]:
    row = {"domain": domain, "band of both": change.band or "all", "problems": change.problems}
    row |= {"pass@1 before": change.rate_a, "after": change.rate_b, "change": change.change}
    return row | {"low": change.low, "high": change.high}


def _counts(domain: DomainDrift) -> dict[str, Any]:
    row: dict[str, Any] = {"domain": domain.domain}
    for name in ("moved", "improved", "regressed"):
        row |= {name: getattr(domain, name), f"{name} by chance": round(getattr(domain, f"{name}_by_chance"), 1)}
    return row


def _moves(found: Drift, domain: DomainDrift) -> list[tuple[str, tuple[int, ...]]]:
    return list(zip(found.bands, domain.moves, strict=True))


def _problem(one: Moved) -> dict[str, Any]:
    passed = {"before": f"{one.passed_a}/{one.attempts_a}", "after": f"{one.passed_b}/{one.attempts_b}"}
    return {"problem": one.problem_id[:12], "domain": one.domain} | passed | {"P(better)": one.probability}
