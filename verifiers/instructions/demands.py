"""What instructions with their arguments ask of an answer together, and whether any answer can give it.

Each kind is put as a demand: ranges for the numbers of words, sentences, letters and words in capitals; texts that must
occur so often; texts that may occur only so often (a forbidden word, a comma: never). Sums decide: the texts that must
occur take up words and letters, and hold letters and words that are limited. The sums are on the safe side: a few
sets of instructions that could just be met are called contradictions. Kinds without an entry here demand nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gradus.verifiers.instructions.conflicts import conflicting
from gradus.verifiers.instructions.registry import given

_WORD = re.compile(r"\w+")
_MIN_LETTERS, _MAX_LETTERS = 3, 5
"""How long the words are that fill an answer, on the safe side of each limit."""

_MANY_SENTENCES = 12
"""How often a word occurs that must stand in each sentence, on the safe side."""

Range = tuple[float, float]
ANY: Range = (0, math.inf)
Counted = tuple[tuple[str, int], ...]
"""Texts in lower case, each with a number of times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one instruction asks."""

    words: Range = ANY
    sentences: Range = ANY
    letters: Range = ANY
    capitals: Range = ANY
    texts: Counted = ()
    limits: Counted = ()
    num_more_words: int = 0
    """Words it takes beside the texts: of headings, list items, placeholders."""
    opening: str = ""
    """The word it begins with."""


def _range(relation: str, number: int) -> Range:
    return (number, math.inf) if relation == "at least" else (0, number - 1)


def _keyword(keyword: str, relation: str, number: int) -> Demand:
    text = keyword.strip().lower()
    return Demand(texts=((text, number),)) if relation == "at least" else Demand(limits=((text, number - 1),))


def _exactly(*counted: tuple[str, int]) -> Demand:
    texts = tuple((text.strip().lower(), count) for text, count in counted)
    return Demand(texts=texts, limits=texts)


def _sections(section_spliter: str, num_sections: int) -> Demand:
    capitals = (num_sections if section_spliter.isupper() else 0, math.inf)
    return Demand(texts=((section_spliter.lower(), num_sections),), num_more_words=2 * num_sections, capitals=capitals)


def _letter(letter: str, let_frequency: int, let_relation: str) -> Demand:
    if let_relation == "at least":
        return Demand(letters=(let_frequency, math.inf), num_more_words=let_frequency)
    return Demand(limits=((letter.lower(), let_frequency - 1),))


def _nth_paragraph(num_paragraphs: int, nth_paragraph: int, first_word: str) -> Demand:
    opening = first_word.lower() if nth_paragraph == 1 else ""
    return Demand(texts=((first_word.lower(), 1),), num_more_words=num_paragraphs, opening=opening)


_NEVER_COMMA = Demand(limits=((",", 0),))
_DEMANDS: dict[str, Callable[..., Demand]] = {
    "length_constraints:number_words": lambda num_words, relation: Demand(words=_range(relation, num_words)),
    "length_constraints:number_sentences": lambda num_sentences, relation: Demand(
        sentences=_range(relation, num_sentences)
    ),
    "letters:letter_counting": lambda N, relation: Demand(letters=_range(relation, N)),
    "change_case:capital_word_frequency": lambda capital_frequency, capital_relation: Demand(
        capitals=_range(capital_relation, capital_frequency),
        num_more_words=capital_frequency if capital_relation == "at least" else 0,
    ),
    "keywords:existence": lambda keywords: Demand(texts=tuple((word.lower(), 1) for word in keywords)),
    "keywords:forbidden_words": lambda forbidden_words: Demand(
        limits=tuple((word.lower(), 0) for word in forbidden_words)
    ),
    "keywords:exclude_word_harder": lambda keyword: Demand(limits=((keyword.strip().lower(), 0),)),
    "keywords:frequency": lambda keyword, frequency, relation: _keyword(keyword, relation, frequency),
    "keywords:word_count_different_numbers": lambda keyword, frequency, relation: _keyword(
        keyword, relation, frequency
    ),
    "keywords:word_once": lambda keyword: _exactly((keyword, 1)),
    "count:count_increment_word": lambda keyword1, keyword2: _exactly((keyword1, 1), (keyword2, 2)),
    "keywords:letter_frequency": _letter,
    "letters:letter_counting2": _letter,
    "punctuation:no_comma": lambda: _NEVER_COMMA,
    "punctuation:punctuation_dot": lambda: Demand(limits=((".", 0),)),
    "punctuation:punctuation_exclamation": lambda: Demand(limits=(("!", 0),)),
    "length_constraints:number_paragraphs": lambda num_paragraphs: Demand(num_more_words=num_paragraphs),
    "paragraphs:paragraphs": lambda: Demand(num_more_words=2),
    "paragraphs:paragraphs2": lambda: Demand(num_more_words=2),
    "length_constraints:nth_paragraph_first_word": _nth_paragraph,
    "detectable_content:number_placeholders": lambda num_placeholders: Demand(num_more_words=num_placeholders),
    # "P.S." ends a sentence, and so may the text before it.
    "detectable_content:postscript": lambda postscript_marker: Demand(
        texts=((postscript_marker.lower(), 1),), sentences=(3, math.inf), capitals=(2, math.inf), num_more_words=1
    ),
    "detectable_format:number_bullet_lists": lambda num_bullets: Demand(num_more_words=num_bullets),
    "detectable_format:number_highlighted_sections": lambda num_highlights: Demand(num_more_words=num_highlights),
    "detectable_format:multiple_sections": _sections,
    "detectable_format:title": lambda: Demand(num_more_words=1),
    "startend:end_checker": lambda end_phrase: Demand(texts=((end_phrase.strip().lower(), 1),)),
    "first_word:first_word_answer": lambda first_word: Demand(
        texts=((first_word.lower(), 2),), opening=first_word.lower()
    ),
    "last_word:last_word_answer": lambda last_word: Demand(texts=((last_word.lower(), 1),)),
    "first_word:first_word_sent": lambda first_word: Demand(texts=((first_word.lower(), _MANY_SENTENCES),)),
    "last_word:last_word_sent": lambda last_word: Demand(texts=((last_word.lower(), _MANY_SENTENCES),)),
    "keywords:start_end": lambda: Demand(num_more_words=2),
}


def demand(kind: str, kwargs: Mapping[str, Any]) -> Demand:
    """Return what the instruction asks; nothing for a kind without an entry."""
    make = _DEMANDS.get(kind)
    return make(**given(kwargs)) if make else Demand()


def contradiction(instructions: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """Say why no answer can follow all of (kind, arguments); empty when nothing speaks against it."""
    asked = list(instructions)
    pair = conflicting([kind for kind, _ in asked])
    if pair:
        return f"{pair[0]} does not go with {pair[1]}"
    demands = [demand(kind, kwargs) for kind, kwargs in asked]
    return _texts_too_often(demands) or _out_of_range(demands)


def _texts_too_often(demands: list[Demand]) -> str:
    """Name a text that must occur more often than it may."""
    for text, most in (limit for one in demands for limit in one.limits):
        if sum(known.count(text) * count for one in demands for known, count in one.texts) > most:
            return f"{text!r} must occur more than {most} times"
    openings = {one.opening for one in demands if one.opening}
    return f"cannot begin with each of {sorted(openings)}" if len(openings) > 1 else ""


def _out_of_range(demands: list[Demand]) -> str:
    """Name a number that has no value left."""
    words, sentences, letters, capitals = (
        _meet(getattr(one, name) for one in demands) for name in ("words", "sentences", "letters", "capitals")
    )
    texts = [text for one in demands for text in one.texts]
    num_words = sum(one.num_more_words for one in demands)
    num_words += sum(len(_WORD.findall(text)) * count for text, count in texts)
    num_words = int(max(num_words, words[0], 2 * sentences[0]))
    num_letters = sum(sum(map(str.isalpha, text)) * count for text, count in texts) + _MAX_LETTERS * num_words
    never = {text for one in demands for text, most in one.limits if most == 0}
    checks = (
        (num_words > words[1], f"takes {num_words} words, at most {words[1]} are allowed"),
        (sentences[0] > sentences[1], f"from {sentences[0]} to {sentences[1]} sentences"),
        (num_letters > letters[1], f"takes {num_letters} letters, at most {letters[1]} are allowed"),
        (letters[0] > _MIN_LETTERS * words[1], f"{letters[0]} letters in {words[1]} words"),
        (capitals[0] > capitals[1], f"from {capitals[0]} to {capitals[1]} words in capitals"),
        # All would have to be questions.
        ({".", "!"} <= never and sentences[0] > 1, "sentences without . and !"),
    )
    return next((why for wrong, why in checks if wrong), "")


def _meet(ranges: Iterable[Range]) -> Range:
    """Return what all ranges share."""
    pairs = list(ranges)
    return max(low for low, _ in pairs), min(high for _, high in pairs)
