"""Pages in the format that a client likes: JSON, NDJSON, CSV, an Arrow stream or Parquet, as its Accept header says.

JSON is `{"rows": […], "next": …}`; the others are the rows alone, and the next page stands in the Link header. Columns
that the store keeps as JSON text are objects in JSON and NDJSON, and text in the rest.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Annotated, Any

from fastapi import Depends, Request

from gradus.api.faults import Fault
from gradus.api.sql.formats import MEDIA_TYPES, Format, wanted_format
from gradus.api.sql.text_formats import ENCODERS, Csv, plain

Row = Sequence[Any]


def _liked(request: Request) -> Format:
    accept = ", ".join(request.headers.getlist("accept"))
    wanted = wanted_format(accept)
    if wanted is None:
        raise Fault(406, f"Accept: {accept}: there are {', '.join(MEDIA_TYPES.values())}")
    return wanted


FormatDep = Annotated[Format, Depends(_liked)]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to send. objects are the columns that hold JSON as text."""

    columns: Sequence[str]
    types: Sequence[str]
    rows: Sequence[Row]
    objects: frozenset[str] = frozenset()


def encode(table: Table, format: Format, next_cursor: str | None) -> bytes:
    """Return a table as bytes."""
    if format == "json":
        ends = f'],"next":{encode_basestring(next_cursor) if next_cursor else "null"}}}\n'
        return f'{{"rows":[{",".join(_objects(table))}{ends}'.encode()
    if format == "ndjson":
        return "".join(f"{line}\n" for line in _objects(table)).encode()
    if format == "csv":
        style = Csv(list(table.columns))
        return style.head + b"".join(style.lines(table.rows))
    return _columnar(table, format)


def _objects(table: Table) -> list[str]:
    template = "{" + ",".join(f"{encode_basestring(name)}:%s" for name in table.columns) + "}"
    encoders = [_as_it_is if name in table.objects else _encode for name in table.columns]
    pairs = list(enumerate(encoders))
    return [template % tuple([encode(row[place]) for place, encode in pairs]) for row in table.rows]


def _as_it_is(text: str | None) -> str:
    return text or "null"


def _encode(value: Any) -> str:
    encoder = ENCODERS.get(type(value))
    return encoder(value) if encoder else _nested(value)


def _nested(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_encode, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _encode(plain(value))


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
