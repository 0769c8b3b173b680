"""Answers as tables: an Arrow stream and Parquet, batch by batch as DuckDB makes them.

Types that Arrow or Parquet have no word for (intervals, bits, unions, numbers of more than 38 digits) become text. The
limit on bytes counts them as they are in memory, before Parquet makes them smaller.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from gradus.api.sql.body import Body, Cut, End, TooLargeError, unique

BATCH_ROWS = 8192
AS_TEXT = re.compile(r"\b(INTERVAL|BIT|UNION|UHUGEINT|BIGNUM|VARIANT|TIME WITH TIME ZONE|GEOMETRY)\b")


def write_table(
    writer_of: Callable[[Body, pa.Schema], Any],
    relation: duckdb.DuckDBPyRelation,
    body: Body,
    *,
    tell_columns: Callable[[list[str]], None],
    max_rows: int,
) -> End:
    """Write the rows of a relation until they end or a limit is reached."""
    columns = unique(relation.columns)
    tell_columns(columns)
    reader = _storable(relation, columns).to_arrow_reader(BATCH_ROWS)
    schema = pa.schema([field.with_name(name) for field, name in zip(reader.schema, columns, strict=True)])
    most_bytes = body.left
    num_rows = 0
    cut: Cut = "no"
    with writer_of(body, schema) as writer:
        for batch in reader:
            fitting = batch.slice(0, max_rows - num_rows)
            cut = "rows" if fitting.num_rows < batch.num_rows else "no"
            if fitting.nbytes > body.left:
                cut, fitting = "bytes", fitting.slice(0, fitting.num_rows * body.left // fitting.nbytes)
                if not num_rows + fitting.num_rows:
                    raise TooLargeError(most_bytes)
            writer.write_batch(pa.RecordBatch.from_arrays(fitting.columns, schema=schema))
            num_rows += fitting.num_rows
            body.left -= fitting.nbytes
            if cut != "no":
                break
    return End(num_rows, cut)


def parquet_writer(body: Body, schema: pa.Schema) -> Any:
    """Return a writer of compressed Parquet."""
    return pq.ParquetWriter(pa.PythonFile(body, mode="w"), schema, compression="zstd")


def arrow_writer(body: Body, schema: pa.Schema) -> Any:
    """Return a writer of Arrow's stream."""
    return pa.ipc.new_stream(pa.PythonFile(body, mode="w"), schema)


def _storable(relation: duckdb.DuckDBPyRelation, columns: list[str]) -> duckdb.DuckDBPyRelation:
    """Return the relation with what cannot be stored as text; by position, since two columns may have one name."""
    unstorable = [bool(AS_TEXT.search(str(kind))) for kind in relation.types]
    if not any(unstorable):
        return relation
    places = enumerate(zip(columns, unstorable, strict=True), start=1)
    quoted = ((place, name.replace('"', '""'), text) for place, (name, text) in places)
    return relation.project(", ".join(f'#{n}{"::VARCHAR" if text else ""} AS "{name}"' for n, name, text in quoted))
