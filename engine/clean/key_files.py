"""Keys of texts in files: each rank writes those of its share, and they are read back in the order of the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gradus.engine.clean.dedupe import BATCH, DedupeConfig, Keys, read_keys
from gradus.engine.clean.texts import Text, batched
from gradus.engine.parts import atomic_file

READ_ROWS = 1 << 16


def write_keys(path: Path, texts: Iterable[Text], config: DedupeConfig) -> Iterator[int]:
    """Write the keys of texts, a batch at a time; yield how many texts each batch had. The file appears at the end."""
    num_bands = config.num_bands if config.near else 0
    schema = pa.schema(
        [("place", pa.string()), ("exact", pa.uint64()), *((f"band_{i}", pa.uint64()) for i in range(num_bands))]
    )
    with atomic_file(path) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in batched(texts, BATCH):
            keys = read_keys(batch, config)
            # As the readers order them: fixed texts first.
            places = pa.array([("0" if text.fixed else "1") + text.id for text in batch])
            columns = [places, pa.array(keys.exact), *(pa.array(keys.banded[:, i]) for i in range(num_bands))]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            yield len(batch)


def read_key_files(folder: Path) -> Iterator[Keys]:
    """Yield the keys in all files of a folder, in the order of their texts."""
    query = "SELECT * EXCLUDE (place) FROM read_parquet($files) ORDER BY place"
    with duckdb.connect(":memory:", config={"temp_directory": str(folder / ".sorting")}) as connection:
        found = connection.sql(query, params={"files": str(folder / "*.parquet")}).to_arrow_reader(READ_ROWS)
        for batch in found:
            exact, *bands = (column.to_numpy(zero_copy_only=False) for column in batch.columns)
            yield Keys(exact, np.stack(bands, axis=1) if bands else np.zeros((len(exact), 0), dtype=np.uint64))
