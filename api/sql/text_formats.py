"""Answers as text: JSON, NDJSON and CSV, row by row as DuckDB makes them.

What JSON lacks becomes what it has: ISO text for times, hexadecimal text for bytes, null for a number that is none,
a float for a decimal. CSV keeps decimals as they are, and has nothing for null.
"""

from __future__ import annotations

import csv
import datetime
import decimal
import json
import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from json.encoder import encode_basestring
from types import NoneType
from typing import Any

import duckdb

from gradus.api.sql.body import Body, Cut, End, TooLargeError, unique

BATCH_BYTES = 256 << 10
FIRST_BATCH, MAX_BATCH = 16, 4096
Row = Sequence[Any]


def plain(value: Any) -> Any:
    """Return value as JSON has it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _dumps(value: Any) -> str:
    return _encode(plain(value))


def _csv_cell(value: Any) -> Any:
    return _dumps(value) if isinstance(value, bool | dict | list | tuple) else plain(value)


# The common types by themselves, and column by column: several times as fast as value by value.
ENCODERS: dict[type, Callable[[Any], Any]] = {
    str: encode_basestring,
    int: str,
    bool: lambda value: "true" if value else "false",
    NoneType: lambda _: "null",
    float: lambda value: repr(value) if math.isfinite(value) else "null",
}
CSV_CELLS: dict[type, Callable[[Any], Any]] = {
    kind: lambda v: v for kind in (str, int, float, NoneType, decimal.Decimal)
}


def _cells(
    rows: Sequence[Row], by_type: dict[type, Callable[[Any], Any]], other: Callable[[Any], Any]
) -> Iterator[Row]:
    """Yield the rows with each value as by_type has its type, or else as other has it."""
    columns: list[Iterable[Any]] = []
    for column in zip(*rows, strict=True):
        kinds = set(map(type, column))
        if len(kinds) == 1:
            columns.append(map(by_type.get(kinds.pop(), other), column))
        else:
            columns.append([by_type.get(type(value), other)(value) for value in column])
    return zip(*columns, strict=True)


class Ndjson:
    """One object a line; a last line `{"_end": …}` only where there were more rows than the limit."""

    def __init__(self, columns: list[str]) -> None:
        names = (encode_basestring(name).replace("%", "%%") for name in columns)
        self._template = "{" + ",".join(f"{name}:%s" for name in names) + "}\n"
        self.head = b""

    def lines(self, rows: Sequence[Row]) -> list[bytes]:
        return [(self._template % row).encode() for row in _cells(rows, ENCODERS, _dumps)]

    def tail(self, end: End) -> bytes:
        return b"" if end.cut == "no" else f'{{"_end":{{"truncated":"{end.cut}","rows":{end.num_rows}}}}}\n'.encode()


class Json(Ndjson):
    """One object: columns, rows, and whether there were more."""

    def __init__(self, columns: list[str]) -> None:
        super().__init__(columns)
        self._template = "," + self._template
        self.head = f'{{"columns":{_dumps(columns)},"rows":['.encode()
        self._begun = False

    def lines(self, rows: Sequence[Row]) -> list[bytes]:
        found = super().lines(rows)
        if found and not self._begun:
            self._begun, found[0] = True, found[0][1:]
        return found

    def tail(self, end: End) -> bytes:
        return f'],"truncated":{_dumps(end.cut != "no")}}}\n'.encode()


class Csv:
    """A line of names, then the rows; lists and structs as JSON. Null is empty, as the empty text is."""

    def __init__(self, columns: list[str]) -> None:
        (self.head,) = _written([columns])

    def lines(self, rows: Sequence[Row]) -> list[bytes]:
        return _written(_cells(rows, CSV_CELLS, _csv_cell))

    def tail(self, _: End) -> bytes:
        return b""


def _written(rows: Iterable[Row]) -> list[bytes]:
    lines = _Lines()
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.found


class _Lines:
    """A file that keeps each line by itself: the writer gives one at a time."""

    def __init__(self) -> None:
        self.found: list[bytes] = []

    def write(self, line: str) -> None:
        self.found.append(line.encode())


def write_text(
    style_of: type[Ndjson] | type[Csv],
    result: duckdb.DuckDBPyConnection,
    body: Body,
    *,
    tell_columns: Callable[[list[str]], None],
    max_rows: int,
) -> End:
    """Write the rows of an executed query until they end or a limit is reached."""
    columns = unique([column[0] for column in result.description or ()])
    tell_columns(columns)
    style = style_of(columns)
    body.write(style.head)
    most_bytes = body.left
    num_rows, batch = 0, FIRST_BATCH
    cut: Cut = "no"
    while cut == "no" and (rows := result.fetchmany(batch)):
        if num_rows + len(rows) > max_rows:
            cut, rows = "rows", rows[: max_rows - num_rows]
        lines = style.lines(rows)
        sizes = list(accumulate(map(len, lines)))
        if sizes and sizes[-1] > body.left:
            cut, lines = "bytes", lines[: bisect_right(sizes, body.left)]
            if not num_rows + len(lines):
                raise TooLargeError(most_bytes)
        num_rows += len(lines)
        body.left -= body.write(b"".join(lines))
        batch = min(MAX_BATCH, 1 + BATCH_BYTES * len(rows) // sizes[-1]) if sizes else batch
    end = End(num_rows, cut)
    body.write(style.tail(end))
    return end
