"""Where problems come from: importers read others' files, generators make new ones. One file adds one."""

from __future__ import annotations

import inspect
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from gradus.engine.records import DOMAINS, Problem, canonical_json
from gradus.errors import ConfigError, DataError
from gradus.registry import Registry
from gradus.verifiers.base import MALFORMED, SpecError, check_spec

Importer = Callable[[Mapping[str, Any]], Problem]
"""From one JSON object of a file to a problem; an error of MALFORMED if it is not of the form."""

Level = Callable[[random.Random], Problem]
"""Draws one problem of one difficulty level."""

importers: Registry[Importer] = Registry("gradus.engine.sources", "format")
generators: Registry[Callable[..., Sequence[Level]]] = Registry("gradus.engine.sources", "generator")


def read_problems(path: Path, form: str, *, tags: tuple[str, ...] = ()) -> Iterator[Problem]:
    """Yield the problems of a JSONL file; DataError names the first line that is not of the form."""
    importer = importers[form]
    for number, row in read_jsonl(path):
        yield checked(importer, row, f"{path}, line {number}", tags)


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object); DataError names the line that is not a JSON object."""
    for number, line in read_lines(path):
        yield number, parse_line(line, f"{path}, line {number}")


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (line number, line), empty lines left out, in constant memory."""
    try:
        # Bytes end lines at a newline only: JSON text may hold U+2028 and others that text would end them at.
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error}") from None


def parse_line(line: bytes, where: str) -> dict[str, Any]:
    """Return the line's JSON object; a DataError begins with where."""
    try:
        row = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: cannot be read: {error}") from None
    except ValueError as error:
        raise DataError(f"{where}: not JSON: {error}") from None
    except RecursionError:
        raise DataError(f"{where}: nested too deeply") from None
    if not isinstance(row, dict):
        raise DataError(f"{where}: a JSON object is needed, not {line[:40].decode(errors='replace').strip()!r}")
    return row


def generate_problems(
    name: str, num: int, *, seed: int, tags: tuple[str, ...] = (), options: Mapping[str, Any] | None = None
) -> list[Problem]:
    """Return num different problems spread evenly over the generator's levels, the same for a seed and options."""
    levels = _levels(name, options or {})
    found: dict[str, Problem] = {}
    for level in range(len(levels)):
        rng = random.Random(f"{name}/{seed}/{level}")
        wanted = num * (level + 1) // len(levels)
        for _ in range(100 * num):
            if len(found) >= wanted:
                break
            problem = tagged(levels[level](rng), f"level:{level + 1}", *tags)
            found.setdefault(problem.id, problem)
        else:
            raise DataError(
                f"{name}, level {level + 1}: fewer than {num // len(levels)} different problems; ask for less"
            )
    return list(found.values())


def _levels(name: str, options: Mapping[str, Any]) -> Sequence[Level]:
    make = generators[name]
    known = list(inspect.signature(make).parameters)
    if unknown := sorted(set(options) - set(known)):
        raise ConfigError(f"generator {name!r} has no option {unknown[0]!r}. Options: {', '.join(known) or 'none'}.")
    try:
        return make(**options)
    except MALFORMED as error:
        raise ConfigError(f"generator {name!r}: {error}") from None


def tagged(problem: Problem, *tags: str) -> Problem:
    """Return problem with more tags."""
    return replace(problem, tags=(*problem.tags, *tags))


def checked(importer: Importer, row: Mapping[str, Any], where: str, tags: tuple[str, ...]) -> Problem:
    """Make a problem of a row and try its verifier's arguments now, not after an hour of sampling."""
    try:
        problem = tagged(importer(row), *tags)
        if not isinstance(problem.prompt, str):
            raise TypeError(f"the prompt must be text, not {problem.prompt!r:.40}")
        check_spec(problem.verifier, problem.spec)
        # Half a surrogate pair is JSON, but no text that could be stored.
        canonical_json(asdict(problem)).encode()
    except SpecError as error:
        raise DataError(f"{where}: {error}") from None
    except KeyError as error:
        raise DataError(f"{where}: no field {error}; it has {', '.join(row)}") from None
    except MALFORMED as error:
        raise DataError(f"{where}: {error}") from None
    if problem.domain not in DOMAINS:
        raise DataError(f"{where}: no domain {problem.domain!r}. Known: {', '.join(DOMAINS)}.")
    return problem
