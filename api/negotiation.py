"""Pages in the format that a client likes: JSON, NDJSON, CSV, an Arrow stream or Parquet, as its Accept header says.

JSON is `{"rows": […], "next": …}`; the others are the rows alone, and the next page stands in the Link header. Columns
that the store keeps as JSON text are objects in JSON and NDJSON, and text in the rest.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request

from gradus.api.faults import Fault
from gradus.api.sql.formats import MEDIA_TYPES, Format, wanted_format
from gradus.api.sql.text_formats import Csv

Row = Sequence[Any]
JSON = msgspec.json.Encoder()
_wanted = lru_cache(maxsize=256)(wanted_format)


async def liked(request: Request) -> Format:
    """Return the format that a request's Accept headers like most."""
    accept = ", ".join(request.headers.getlist("accept"))
    wanted = _wanted(accept)
    if wanted is None:
        raise Fault(406, f"Accept: {accept}: there are {', '.join(MEDIA_TYPES.values())}")
    return wanted


FormatDep = Annotated[Format, Depends(liked)]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to send. objects are the columns that hold JSON as text."""

    columns: Sequence[str]
    types: Sequence[str]
    rows: Sequence[Row]
    objects: frozenset[str] = frozenset()
    written: bool = False
    """Is each row one text, its JSON?"""


def encode(table: Table, format: Format, next_cursor: str | None) -> bytes:
    """Return a table as bytes."""
    if format == "json":
        rows = ",".join(row[0] for row in table.rows).encode() if table.written else _array(table)
        return b'{"rows":[' + rows + b'],"next":' + JSON.encode(next_cursor) + b"}\n"
    if format == "ndjson":
        return "".join(f"{row[0]}\n" for row in table.rows).encode() if table.written else _lines(table)
    if format == "csv":
        style = Csv(list(table.columns))
        return style.head + b"".join(style.lines(table.rows))
    return _columnar(table, format)


def _array(table: Table) -> bytes:
    """Return rows as JSON's list of them, without its brackets."""
    return JSON.encode(list(_objects(table)))[1:-1]


def _lines(table: Table) -> bytes:
    return JSON.encode_lines(_objects(table))


def _objects(table: Table) -> Iterator[dict[str, Any]]:
    texts = [place for place, name in enumerate(table.columns) if name in table.objects]
    for row in table.rows:
        values = list(row)
        for place in texts:
            values[place] = msgspec.Raw(row[place] or "null")
        yield dict(zip(table.columns, values, strict=True))


def _columnar(table: Table, format: Format) -> bytes:
    """Return rows as Arrow or Parquet, with the types that DuckDB gave them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, _arrow_type(kind)) for name, kind in zip(table.columns, table.types, strict=True)])
    arrays = [pa.array([row[place] for row in table.rows], field.type) for place, field in enumerate(schema)]
    found = pa.Table.from_arrays(arrays, schema=schema)
    sink = io.BytesIO()
    if format == "parquet":
        pq.write_table(found, sink, compression="zstd")
    else:
        with pa.ipc.new_stream(sink, schema) as writer:
            writer.write_table(found)
    return sink.getvalue()


def _arrow_type(kind: str) -> Any:
    import pyarrow as pa

    if kind.endswith("[]"):
        return pa.list_(_arrow_type(kind.removesuffix("[]")))
    types = {"VARCHAR": "string", "INTEGER": "int32", "BIGINT": "int64", "DOUBLE": "float64", "BOOLEAN": "bool"}
    return pa.type_for_alias(types[kind])
