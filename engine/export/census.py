"""What an export holds, counted while it streams by: the memory this takes depends on the kinds, not on the rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

NOT_STATED = "not stated"
KINDS = {"traces": "kind", "problems": "verifier", "attempts": "outcome"}
BINS_A_DOUBLING = 2


class Census:
    """Counts of rows and characters by split, domain and kind."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._rows: Counter[tuple[str, str, str]] = Counter()
        self._chars: Counter[tuple[str, str, str]] = Counter()
        self._licences: Counter[tuple[str, str]] = Counter()
        self._teachers: Counter[str] = Counter()
        self.lengths: dict[str, Counter[int]] = defaultdict(Counter)
        """By domain: how many rows have 2^(n/2) to 2^((n+1)/2) characters."""

    @property
    def num_rows(self) -> int:
        return sum(self._rows.values())

    @property
    def num_chars(self) -> int:
        return sum(self._chars.values())

    def add(self, row: dict[str, Any]) -> None:
        """Count one row."""
        domain = row["domain"] or "unknown"
        key = row["split"], domain, row[KINDS[self._what]] or "not judged"
        num_chars = _num_chars(row)
        self._rows[key] += 1
        self._chars[key] += num_chars
        self._licences[row["source"] or "", row["licence"]] += 1
        if teacher := row.get("teacher") or row.get("model_id"):
            self._teachers[teacher] += 1
        self.lengths[domain][BINS_A_DOUBLING * (max(num_chars, 1).bit_length() - 1) + _upper_half(num_chars)] += 1

    def splits(self) -> list[str]:
        """Return the splits that hold something, in the order they came."""
        return list(dict.fromkeys(split for split, _, _ in self._rows))

    def contents(self) -> list[dict[str, Any]]:
        """Return rows and characters by split, domain and kind."""
        return [
            {"split": key[0], "domain": key[1], KINDS[self._what]: key[2], "rows": num, "characters": self._chars[key]}
            for key, num in sorted(self._rows.items())
        ]

    def licences(self) -> list[dict[str, Any]]:
        """Return rows by source and licence."""
        return [
            {"source": source or "unknown", "licence": licence or NOT_STATED, "rows": num}
            for (source, licence), num in sorted(self._licences.items())
        ]

    def teachers(self) -> list[dict[str, Any]]:
        """Return rows by who wrote them."""
        return [{"teacher": name, "rows": num} for name, num in sorted(self._teachers.items())]


def _num_chars(row: dict[str, Any]) -> int:
    if "messages" not in row:
        return len(row["prompt"])
    return sum(map(_said, row["messages"]))


def _said(message: dict[str, Any]) -> int:
    calls = (call["function"] for call in message.get("tool_calls") or ())
    called = sum(len(function["name"]) + len(function["arguments"]) for function in calls)
    return len(message.get("reasoning") or "") + len(message["content"]) + called


def _upper_half(num: int) -> bool:
    """Is num nearer, by ratio, to the next power of two than to the last?"""
    return num * num >= 1 << (2 * num.bit_length() - 1)
