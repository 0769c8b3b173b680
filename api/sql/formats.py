"""The formats of an answer by name, and by the media type that a client asks for."""

from __future__ import annotations

from typing import Literal, get_args

Format = Literal["json", "ndjson", "csv", "arrow", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
ALSO: dict[str, Format] = {
    "*/*": "json",
    "application/*": "json",
    "text/*": "csv",
    "text/csv": "csv",
    "application/jsonl": "ndjson",
    "application/json-lines": "ndjson",
}
"""What else is understood."""


def wanted_format(accept: str) -> Format | None:
    """Return the format that an Accept header likes most, the first of equals; None where it likes none of ours."""
    known = ALSO | {media: name for name, media in MEDIA_TYPES.items()}
    liked: list[tuple[float, Format]] = []
    for entry in accept.lower().split(",") if accept.strip() else ["*/*"]:
        media, *settings = (word.strip() for word in entry.split(";"))
        quality = next((_number(word[2:]) for word in settings if word.startswith("q=")), 1.0)
        if media in known and quality > 0:
            liked.append((quality, known[media]))
    return max(liked, key=lambda one: one[0])[1] if liked else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
