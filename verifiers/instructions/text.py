"""One answer, cut up once for all its checks: every reading is made when first asked for, and kept.

chunks are what white space divides; words are runs of letters, digits and underscores; tokens and sentences
follow the official tokenizers (tokens.py, sentences.py); plain is the text without ASCII punctuation.
"""

from __future__ import annotations

import re
import string
from functools import cached_property

from gradus.verifiers.instructions.sentences import sentences
from gradus.verifiers.instructions.tokens import tokens

PUNCTUATION = string.punctuation
STRIPPED = PUNCTUATION + " "
"""What the official checks strip off a word."""
_WORD = re.compile(r"\w+")
_BLANKS = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) == "_")}


class Text:
    """An answer and its readings. Not to be changed."""

    def __init__(self, raw: str) -> None:
        self.raw = raw

    @cached_property
    def lower(self) -> str:
        return self.raw.lower()

    @cached_property
    def chunks(self) -> list[str]:
        return self.raw.split()

    @cached_property
    def words(self) -> list[str]:
        return _words(self.raw)

    @cached_property
    def lower_words(self) -> list[str]:
        return _words(self.lower)

    @cached_property
    def lines(self) -> list[str]:
        return self.raw.split("\n")

    @cached_property
    def plain(self) -> str:
        return without_punctuation(self.raw)

    @cached_property
    def plain_words(self) -> list[str]:
        """Lower case."""
        return self.plain.lower().split()

    @cached_property
    def sentences(self) -> list[str]:
        return sentences(self.raw)

    @cached_property
    def tokens(self) -> list[str]:
        return [token for sentence in self.sentences for token in tokens(sentence)]

    @cached_property
    def edge_tokens(self) -> list[str]:
        """The tokens of the first two sentences and the last three: at least as many at each end."""
        edges = self.sentences if len(self.sentences) < 6 else self.sentences[:2] + self.sentences[-3:]
        return [token for sentence in edges for token in tokens(sentence)]


def _words(text: str) -> list[str]:
    """Return runs of letters, digits and underscores; blanking the rest is three times as fast where it is ASCII."""
    return text.translate(_BLANKS).split() if text.isascii() else _WORD.findall(text)


def bare(text: str) -> str:
    """Return the text without ASCII punctuation and without white space around it."""
    return without_punctuation(text).strip()


def without_punctuation(text: str) -> str:
    """Return the text without ASCII punctuation; three times as fast as str.translate."""
    for mark in PUNCTUATION:
        if mark in text:
            text = text.replace(mark, "")
    return text
