"""`gradus verify`: the verifiers' own front, from JSONL to JSONL or for one answer, without a workspace.

The input is read once, in constant memory. A bad line ends the run; the verdicts before it are kept, and the same
command goes on from there, as it does after a kill.
"""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from gradus.api.commands.base import Result, both, command, worker_arguments
from gradus.api.progress import progress
from gradus.api.resumable import resumed
from gradus.errors import ConfigError, DataError
from gradus.log import logger
from gradus.verifiers.base import SpecError
from gradus.verifiers.composite.parts import own_version
from gradus.verifiers.lines import JudgedLine, explain_line, give_up_line, judge_line
from gradus.verifiers.pool import TIMEOUT_S, in_order

STANDARD = Path("-")
KB = 1000


def _arguments(parser: argparse.ArgumentParser) -> None:
    files = parser.add_argument_group("a file of answers")
    files.add_argument("--input", type=Path, help="lines of {id, verifier, answer, spec}; - is standard input")
    files.add_argument(
        "--output", type=Path, help="lines of {id, outcome, score, reason, seconds}; - is standard output"
    )
    files.add_argument(
        "--timeout-s", type=float, default=TIMEOUT_S, help=f"give up on an answer after (default: {TIMEOUT_S:g})"
    )
    one = parser.add_argument_group("one answer")
    one.add_argument("--verifier", help="judge --answer by this verifier")
    one.add_argument("--answer", help="the answer; - reads it from standard input")
    one.add_argument("--spec", default="{}", help="""the verifier's arguments, as '{"expected": "3/4"}'""")
    parser.set_defaults(refuse=parser.error)
    parser.add_argument("--explain", action="store_true", help="say by which steps each verdict was reached")


@command("verify", 12, both(_arguments, worker_arguments))
def verify(args: argparse.Namespace) -> Result:
    """Judge the answers of a JSONL file, or one answer; --explain shows the steps taken."""
    judge = explain_line if args.explain else judge_line
    if args.verifier is not None and args.answer is not None and not (args.input or args.output):
        return _one(args, judge)
    if args.verifier is not None or args.answer is not None or not (args.input and args.output):
        args.refuse("give --input and --output, or --verifier, --answer and --spec")
    if args.output == STANDARD and args.json:
        raise ConfigError("--json and --output - both want standard output; name a file")
    if args.output.resolve() == args.input.resolve() and args.input != STANDARD:
        raise DataError(f"{args.output}: is the input too; name another output")
    if args.timeout_s <= 0:
        raise ConfigError(f"--timeout-s must be above 0, not {args.timeout_s:g}")
    counts = _all(args, judge)
    text = ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "no lines"
    if args.output == STANDARD:
        logger.info(text)
    data = {"in": sum(counts.values()), "outcomes": counts}
    return Result(data, "" if args.output == STANDARD else f"{text}: {args.output}")


def _one(args: argparse.Namespace, judge: Callable[[bytes], JudgedLine]) -> Result:
    """Judge the answer of the command line."""
    try:
        spec = json.loads(args.spec)
    except ValueError as error:
        raise ConfigError(f"--spec is not JSON: {error}") from None
    answer = sys.stdin.read() if args.answer == "-" else args.answer
    judged = judge(json.dumps({"id": "", "verifier": args.verifier, "answer": answer, "spec": spec}).encode())
    if judged.fault:
        raise DataError(judged.fault)
    found = json.loads(judged.text)
    del found["id"]
    steps = [f"{number:3}  {step}" for number, step in enumerate(found.get("steps", ()), 1)]
    verdict = f"{found['outcome']}: {found['reason']} (score {found['score']:.3g}, {1000 * found['seconds']:.1f} ms)"
    return Result(found, "\n".join([*steps, verdict]).encode(errors="replace").decode())


def _all(args: argparse.Namespace, judge: Callable[[bytes], JudgedLine]) -> dict[str, int]:
    """Judge the lines of a file; return how often each outcome came."""
    with _opened(args.input) as source, progress("verify kB", _size_kb(source)) as advance:
        if args.output == STANDARD:
            counts: Counter[str] = Counter()
            for _, judged in _judged(args, judge, source, 0):
                sys.stdout.buffer.write(judged.text)
                counts[judged.outcome] += 1
            sys.stdout.buffer.flush()
            return dict(sorted(counts.items()))
        with resumed(args.output, source, settings="explain" if args.explain else "", version=_version) as output:
            done_kb = output.state.read_bytes // KB
            advance(done_kb)
            for read, judged in _judged(args, judge, source, output.state.num_lines):
                output.add(read, judged.text, judged.outcome, judged.versions)
                if output.state.read_bytes // KB > done_kb:
                    advance(output.state.read_bytes // KB - done_kb)
                    done_kb = output.state.read_bytes // KB
            output.finish()
            return dict(sorted(output.state.counts.items()))


def _version(name: str) -> str:
    try:
        return own_version(name)
    except SpecError:
        return ""


def _judged(
    args: argparse.Namespace, judge: Callable[[bytes], JudgedLine], source: Iterable[bytes], done: int
) -> Iterator[tuple[bytes, JudgedLine]]:
    """Yield what was read of the input, and the line that it became; DataError names a bad one."""
    flying: deque[bytes] = deque()
    lines = _lines(source, flying)
    if args.workers <= 1:
        found: Iterator[JudgedLine] = map(judge, lines)
    else:
        found = in_order(judge, lines, lost=give_up_line, workers=args.workers, timeout_s=args.timeout_s)
    for judged in found:
        read = flying.popleft()
        done += read.count(b"\n") + (judged.fault != "" and not read.endswith(b"\n"))
        if judged.fault:
            raise DataError(f"{args.input}, line {done}: {judged.fault}")
        yield read, judged


def _lines(source: Iterable[bytes], flying: deque[bytes]) -> Iterator[bytes]:
    """Yield the lines; note in flying what was read for each, with the empty lines before it."""
    read = b""
    for line in source:
        read += line
        if line.strip():
            flying.append(read)
            read = b""
            yield line


def _opened(path: Path) -> AbstractContextManager[BinaryIO]:
    if path == STANDARD:
        return nullcontext(sys.stdin.buffer)
    try:
        return path.open("rb")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None


def _size_kb(source: BinaryIO) -> int:
    """Return the size of a file; 0 for a pipe, whose end nobody knows."""
    status = os.fstat(source.fileno())
    return status.st_size // KB if stat.S_ISREG(status.st_mode) else 0
