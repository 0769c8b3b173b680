"""What models have answered, kept across runs: the same request is never paid for twice.

An answer's key is the SHA-256 of model id, messages, sampling and seed; each of a problem's attempts has a seed of its
own, so the index needs no place in it. Keys hold nothing of our code, recipes or workspaces: a cache may be shared.

One SQLite file in write-ahead mode: many processes of one host read and write at once, and one that is killed
loses nothing that `put` returned from; a power loss may take the last moments, never the rest. That mode needs shared
memory, so on a network file system each host needs a folder of its own. An answer that cannot be read back is
asked for again.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from gradus.engine.records import canonical_json
from gradus.engine.teachers.base import Completion, Request
from gradus.errors import ConfigError, WorkspaceError

FILE = "answers.sqlite"
WRITE_AHEAD_BYTES = 64 << 20
OVERFULL = """
    SELECT max(number) FROM (
        SELECT number, sum(length(answer)) OVER (ORDER BY number DESC) AS total FROM answers WHERE {of}
    ) WHERE total > $bytes
"""
SCHEMA = """
    CREATE TABLE IF NOT EXISTS models (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL);
    CREATE TABLE IF NOT EXISTS answers (
        number INTEGER PRIMARY KEY,  -- in the order of arrival: new answers go to the end of the file
        key BLOB UNIQUE NOT NULL, model INTEGER NOT NULL, made REAL NOT NULL,
        tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, answer BLOB NOT NULL
    );
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheConfig:
    """Whether answers are kept, and where."""

    use: bool = True
    folder: str = ""
    """Shared by several workspaces; else the workspace's own `cache`."""


def key_of(model_id: str, request: Request) -> bytes:
    """Name a request to a model by all that its answer depends on."""
    asked = model_id, request.messages, asdict(request.sampling), request.seed
    return sha256(canonical_json(asked).encode()).digest()


class ResponseCache:
    """An open cache."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(self.path, timeout=60.0, isolation_level=None)
            self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(f"PRAGMA journal_size_limit = {WRITE_AHEAD_BYTES}")
            self._db.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise WorkspaceError(f"{self.path}: cannot be opened: {error}; it may be deleted at any time") from None

    def get(self, key: bytes) -> Completion | None:
        """Return the answer under a key, marked as cached."""
        row = self._db.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        try:
            return row and unpack(row[0])
        except (zlib.error, ValueError, TypeError):
            self._db.execute("DELETE FROM answers WHERE key = ?", (key,))
            return None

    def put(self, model_id: str, answers: Iterable[tuple[bytes, Completion]]) -> None:
        """Keep a model's answers; those whose keys are there already are left as they are."""
        rows = [(key, time.time(), answer.tokens_in, answer.tokens_out, pack(answer)) for key, answer in answers]
        with self._writing():
            self._db.execute("INSERT OR IGNORE INTO models (name) VALUES (?)", (model_id,))
            (model,) = self._db.execute("SELECT id FROM models WHERE name = ?", (model_id,)).fetchone()
            self._db.executemany(
                "INSERT OR IGNORE INTO answers (model, key, made, tokens_in, tokens_out, answer) "
                f"VALUES ({model}, ?, ?, ?, ?, ?)",
                rows,
            )

    def stats(self) -> dict[str, Any]:
        """Count answers, tokens and bytes, by model."""
        cursor = self._db.execute(
            "SELECT name AS model, count(*) AS answers, sum(tokens_in) AS tokens_in, sum(tokens_out) AS tokens_out, "
            "sum(length(answer)) AS size_bytes, min(made) AS oldest, max(made) AS newest "
            "FROM answers JOIN models ON models.id = model GROUP BY name ORDER BY name"
        )
        names = [column[0] for column in cursor.description]
        models = [dict(zip(names, row, strict=True)) for row in cursor]
        pages = "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size"
        (free,) = self._db.execute(pages).fetchone()
        sizes = {"file_bytes": self.path.stat().st_size, "free_bytes": free}
        return {"answers": sum(m["answers"] for m in models), **sizes, "models": models}

    def prune(self, *, model: str | None, older_than_s: float | None, max_bytes: int | None) -> dict[str, Any]:
        """Drop what was made too long ago, then the oldest until the rest fits; of one model, or of all.

        A model alone drops all its answers. The file gives the space back.
        """
        if model is None and older_than_s is None and max_bytes is None:
            raise ConfigError("nothing to prune by: say --older-than, --max-size or --model")
        (before,) = self._db.execute("SELECT count(*) FROM answers").fetchone()
        of = "true" if model is None else "model IN (SELECT id FROM models WHERE name = $model)"
        dropped = {}
        with self._writing():
            if older_than_s is not None:
                dropped["older"] = self._drop(f"{of} AND made < $before", model, time.time() - older_than_s)
            if max_bytes is not None:
                dropped["size"] = self._drop(f"{of} AND number <= ({OVERFULL.format(of=of)})", model, max_bytes)
            if older_than_s is None and max_bytes is None:
                dropped["model"] = self._drop(of, model)
        # By a script: a statement of its own would give back one page.
        self._db.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);")
        return {"in": before, "kept": before - sum(dropped.values()), "dropped": dropped}

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _drop(self, where: str, model: str | None, limit: float | None = None) -> int:
        named = {"model": model, "before": limit, "bytes": limit}
        return self._db.execute(f"DELETE FROM answers WHERE {where}", named).rowcount

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Make one transaction, all or nothing."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise WorkspaceError(f"{self.path}: cannot be written: {error}") from None


def pack(answer: Completion) -> bytes:
    """Return an answer as compressed JSON; its checksum is zlib's."""
    data = {field.name: getattr(answer, field.name) for field in fields(answer) if field.name != "cached"}
    return zlib.compress(json.dumps(data, separators=(",", ":")).encode(), level=1)


def unpack(packed: bytes) -> Completion:
    """Return the answer, marked as cached."""
    data = json.loads(zlib.decompress(packed))
    lists = {name: tuple(value) for name, value in data.items() if isinstance(value, list)}
    return Completion(**(data | lists), cached=True)
