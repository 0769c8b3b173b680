"""`gradus verify`: the verifiers' own front, from JSONL to JSONL, without a workspace."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gradus.api.commands.base import Result, both, command, worker_arguments
from gradus.engine.sources.base import MALFORMED
from gradus.errors import DataError
from gradus.verifiers.base import check_spec
from gradus.verifiers.pool import verify_all


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--input", type=Path, required=True, help="lines of {id, verifier, answer, spec}")
    parser.add_argument("--output", type=Path, required=True, help="lines of {id, outcome, score, reason, seconds}")


@command("verify", 12, both(_arguments, worker_arguments))
def verify(args: argparse.Namespace) -> Result:
    """Judge the answers of a JSONL file; outcomes are written in the same order."""
    if args.output.resolve() == args.input.resolve():
        raise DataError(f"{args.output}: is the input too; name another output")
    for _ in _read(args.input):  # every line is checked before the first is judged
        pass
    outcomes: Counter[str] = Counter()
    fresh = args.output.with_name(f".{args.output.name}.{os.getpid()}.tmp")
    try:
        with fresh.open("w", encoding="ascii") as file:
            tasks = ((row["verifier"], row["answer"], row["spec"]) for row in _read(args.input))
            for row, verdict in zip(_read(args.input), verify_all(tasks, workers=args.workers), strict=True):
                outcomes[verdict.outcome] += 1
                line = {"id": row["id"], "outcome": verdict.outcome, "score": verdict.score}
                line |= {"reason": verdict.reason, "seconds": round(verdict.seconds, 6)}
                # In ASCII: a reason may quote half a surrogate pair, which no encoding takes.
                file.write(json.dumps(line) + "\n")
        fresh.replace(args.output)
    finally:
        fresh.unlink(missing_ok=True)
    counts = dict(sorted(outcomes.items()))
    text = ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "no lines"
    return Result({"in": sum(counts.values()), "outcomes": counts}, f"{text}: {args.output}")


def _read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines one by one, in constant memory; DataError names a bad one."""
    try:
        file = path.open(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    try:
        with file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _checked(line, f"{path}, line {number}")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text: {error}") from None


def _checked(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError("a JSON object is needed")
        for name, kind in (("id", str), ("verifier", str), ("answer", str), ("spec", dict)):
            if not isinstance(row.get(name), kind):
                raise ValueError(f"{name!r} must be {'an object' if kind is dict else 'text'}")
        check_spec(row["verifier"], row["spec"])
    except KeyError as error:
        raise DataError(f"{where}: no field {error} in the spec") from None
    except MALFORMED as error:
        raise DataError(f"{where}: {error}") from None
    return row
