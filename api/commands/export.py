"""`gradus export`: the workspace's records for others."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from gradus.api.commands.base import Result, command
from gradus.curricula import manifest as m
from gradus.curricula.export import ids_in_training_order
from gradus.curricula.find import find_manifest
from gradus.engine.export.export import Chosen, export
from gradus.engine.export.files import SUFFIXES
from gradus.engine.export.tables import COLUMNS
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, DataError

BATCH_ROWS = 4096


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="new, or an earlier export")
    parser.add_argument(
        "--format", choices=sorted(SUFFIXES), default="datasets", help="(default: datasets, with a card)"
    )
    parser.add_argument("--what", choices=sorted(COLUMNS), default="traces", help="(default: traces)")
    parser.add_argument("--manifest", help="only what this one names, a split a stage: its id, or `latest`")


@command("export", 8, _arguments)
def export_records(args: argparse.Namespace) -> Result:
    """Write traces, problems or attempts as Parquet, JSON lines, or a data set with its card."""
    workspace = Workspace.find(args.workspace)
    chosen = _chosen(workspace, args.manifest, args.what) if args.manifest else None
    counts = export(workspace, args.to, what=args.what, form=args.format, chosen=chosen)
    lines = [f"{counts['kept']} of {counts['in']} {args.what} written to {args.to}: {', '.join(counts['splits'])}"]
    return Result(counts, "\n".join([*lines, *(f"  {num:>8} {kind}" for kind, num in counts["dropped"].items())]))


def _chosen(workspace: Workspace, name: str, what: str) -> Chosen:
    path = find_manifest(workspace, name)
    manifest = m.read(path)
    if what == "traces":
        return Chosen(manifest=manifest.id, ids=_traces(path, manifest))
    if what == "problems":
        if not manifest.rl:
            raise DataError(f"{path}: has no RL section; --what traces takes its stages")
        return Chosen(manifest=manifest.id, ids=_problems(path, manifest.rl))
    raise ConfigError("a manifest names traces and, in its RL section, problems; --what attempts takes no --manifest")


def _traces(path: Path, manifest: m.Manifest) -> Iterator[tuple[str, list[str]]]:
    """Yield the traces of every stage in training order, under a name that `datasets` takes."""
    for stage in manifest.stages:
        split = re.sub(r"\W", "_", stage.name)
        yield from ((split, ids) for ids in ids_in_training_order(path, stage))


def _problems(path: Path, section: m.RLSection) -> Iterator[tuple[str, list[str]]]:
    names = pa.schema([m.RL_SCHEMA.field("problem_id")])
    for batch in m.read_batches(path, section.problems, names, num_rows=BATCH_ROWS):
        yield "rl", batch["problem_id"].to_pylist()
