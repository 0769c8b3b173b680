"""Leave out what gives away a benchmark: the texts that `leaks.py` finds an item in. Fixed texts are never judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gradus.engine.clean.evidence import SHINGLE_TOKENS
from gradus.engine.clean.leaks import LeakIndex, Match
from gradus.engine.clean.minhash import shingle
from gradus.engine.clean.text import tokens
from gradus.engine.clean.texts import Drop, Text, batched

BATCH = 256


def decontaminate(
    texts: Iterable[Text], index: LeakIndex, benchmark: str, *, drop: Drop, advance: Callable[[int], None]
) -> Iterator[Text]:
    """Yield the texts in which no item of the benchmark is found."""
    for batch in batched(texts, BATCH):
        words = [tokens(text.text) for text in batch]
        shingles = shingle(words, SHINGLE_TOKENS)
        for i, text in enumerate(batch):
            match = None
            if not text.fixed:
                match = index.find(words[i], shingles[i], answer=text.answer, functions=text.names)
            if match:
                drop(text.id, reason(match, benchmark))
            else:
                yield text
        advance(len(batch))


def reason(match: Match, benchmark: str) -> str:
    """Say what was found, with the stretch of the text that gives it away."""
    return f"{match.kind}: {match.coverage:.2f} of {benchmark}/{match.item.name}: {match.span}"
