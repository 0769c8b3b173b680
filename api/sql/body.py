"""The answer of a query in the making: bytes up to a limit, and what is told when it is cut. In the query's process."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

FLUSH_BYTES = 128 << 10
Cut = Literal["no", "rows", "bytes"]
"""Which limit cut the answer."""


@dataclass(frozen=True, slots=True)
class End:
    """How many rows the answer holds, and whether there were more."""

    num_rows: int
    cut: Cut


class Body:
    """What is written of the answer so far; tell hears its size after each piece."""

    def __init__(self, file: io.FileIO, max_bytes: int, tell: Callable[[int], None]) -> None:
        self._file, self._tell = file, tell
        self._waiting = bytearray()
        self.left = max_bytes
        """How many bytes of rows there is still room for."""

    def write(self, data: bytes) -> int:
        self._waiting += data
        if len(self._waiting) >= FLUSH_BYTES:
            self.flush()
        return len(data)

    def flush(self) -> None:
        while self._waiting:
            del self._waiting[: self._file.write(self._waiting)]
        self._tell(self._file.tell())

    @property
    def closed(self) -> bool:
        """For libraries that write into files."""
        return self._file.closed


class TooLargeError(ValueError):
    """Not even one row fits."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"the answer is larger than {max_bytes >> 20} MB; select fewer columns, or shorter ones")


def unique(names: list[str]) -> list[str]:
    """Return the names with a number after those that were there before: a, a_1."""
    found: dict[str, None] = {}
    for given in names:
        name, number = given, 0
        while name in found:
            number += 1
            name = f"{given}_{number}"
        found[name] = None
    return list(found)
