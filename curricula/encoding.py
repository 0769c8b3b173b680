"""A tokenizer that keeps what people say apart from the tokens that only a template may write.

What a tokenizer declares special (`<|im_end|>`, but also SmolLM2's `<filename>`) opens and closes turns. Said inside a
message it is text like any other: a conversation that tells how chats are written must not end its own turn. So while
the template is rendered such text stands in disguise, character for character, and is tokenized without its meaning.
Added tokens that are not special, such as Qwen's `<think>`, mean in a message what they mean everywhere.
A cut is where a model was asked and began to write: no token reaches over it, in training as when it is asked.
Not covered: tokenizers that begin every text with a space of their own, where a disguise or a cut adds one.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from gradus.errors import DataError

PRIVATE = 0x10F800
"""Where the characters of the disguise begin: in Unicode's last private plane, which nobody's text uses."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids, and where each token's characters begin in the text."""

    token_ids: list[int]
    starts: list[int]


class Encoder:
    """The tokenizer of a folder."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._fast: Any = getattr(self.tokenizer, "backend_tokenizer", None)
        if self._fast is None:
            raise DataError(f"{folder}: its tokenizer does not say where tokens begin; it needs a tokenizer.json")
        self._fast.no_truncation()
        self._fast.no_padding()
        added = self.tokenizer.added_tokens_decoder.items()
        self._special = frozenset(token_id for token_id, token in added if token.special)
        by_length = sorted((token.content for _, token in added if token.special), key=len, reverse=True)
        self._said = re.compile("|".join(map(re.escape, by_length)) or r"\Z.")
        alphabet = sorted(set("".join(by_length)))
        self._disguise = {ord(char): PRIVATE + i for i, char in enumerate(alphabet)}
        self._alone = lru_cache(lambda header: self._fast.encode(header, add_special_tokens=False).ids)
        self._undisguise = {there: here for here, there in self._disguise.items()}

    def disguised(self, value: Any) -> Any:
        """Return text, or lists and tables of it, in which nothing special is said; itself where nothing was."""
        if isinstance(value, str):
            return self._said.sub(lambda found: found[0].translate(self._disguise), value)
        if isinstance(value, Mapping):
            return {self.disguised(key): self.disguised(one) for key, one in value.items()}
        return type(value)(map(self.disguised, value)) if isinstance(value, list | tuple) else value

    def plain(self, shown: str) -> str:
        """Return a text without its disguise."""
        return shown.translate(self._undisguise)

    def encode(self, shown: str, cuts: Sequence[int] = ()) -> Encoded:
        """Return the tokens of a text, which may be in disguise."""
        coded = self._fast.encode(shown, add_special_tokens=False)
        starts = [start for start, _ in coded.offsets]
        text = self.plain(shown)
        if text == shown and all(self._parts(text, cut, coded.ids, starts) for cut in cuts):
            return Encoded(coded.ids, starts)
        tokens = zip(coded.offsets, coded.ids, strict=True)
        controls = {place: token_id for place, token_id in tokens if token_id in self._special}
        inside = {place for start, end in controls for place in range(start + 1, end)}
        edges = sorted({0, len(text), *cuts, *(edge for pair in controls for edge in pair)} - inside)
        return self._by_pieces(text, list(pairwise(edges)), controls)

    def _parts(self, text: str, cut: int, ids: list[int], starts: list[int]) -> bool:
        """Return whether the tokens before a cut, from the last control token on, are as if the text ended there."""
        end = bisect_left(starts, cut)
        first = end
        while first and ids[first - 1] not in self._special:
            first -= 1
        header = text[starts[first] : cut] if first < end else ""
        return self._alone(header) == ids[first:end]

    def _by_pieces(self, text: str, pieces: list[tuple[int, int]], controls: dict[tuple[int, int], int]) -> Encoded:
        """Tokenize each piece by itself: a control as its token, all others without control tokens."""
        ids, starts = [], []
        self._fast.encode_special_tokens = True
        try:
            for start, end in pieces:
                if (start, end) in controls:
                    ids.append(controls[start, end])
                    starts.append(start)
                    continue
                coded = self._fast.encode(text[start:end], add_special_tokens=False)
                if not self._special.isdisjoint(coded.ids):
                    raise DataError("a message says a control token that the tokenizer cannot read as text")
                ids += coded.ids
                starts += [start + offset for offset, _ in coded.offsets]
        finally:
            self._fast.encode_special_tokens = False
        return Encoded(ids, starts)
