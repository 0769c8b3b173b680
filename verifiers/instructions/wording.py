"""IFEval's instructions on words and letters: keywords, language, case, punctuation.

As in IFEval, a text whose language cannot be told passes, a keyword also counts inside a longer word, and a
forbidden word does not. IFEval's code draws another letter at random when `letter` is no letter; ours counts it.
Of a few words English is judged more kindly than by langdetect (language.py).
"""

from __future__ import annotations

import re
from functools import lru_cache

from gradus.verifiers.instructions.language import detect, is_english
from gradus.verifiers.instructions.registry import Fault, Relation, compare, instruction, unless
from gradus.verifiers.instructions.text import Text


@instruction("keywords:existence")
def existence(text: Text, *, keywords: list[str]) -> Fault:
    """Every keyword occurs, also inside a longer word."""
    missing = [word for word in keywords if word.lower() not in text.lower]
    return unless(not missing, f"missing: {', '.join(missing)}")


@instruction("keywords:frequency")
def frequency(text: Text, *, keyword: str, frequency: int, relation: Relation) -> Fault:
    """The keyword occurs less than, or at least, that often."""
    keyword = keyword.strip()
    return compare(f"{keyword!r}", text.lower.count(keyword.lower()), relation, frequency)


@instruction("keywords:forbidden_words")
def forbidden_words(text: Text, *, forbidden_words: list[str]) -> Fault:
    """None of the words occurs as a whole word."""
    used = [word for word in forbidden_words if word.lower() in text.lower and whole(word).search(text.raw)]
    return unless(not used, f"used: {', '.join(used)}")


@instruction("keywords:letter_frequency")
def letter_frequency(text: Text, *, letter: str, let_frequency: int, let_relation: Relation) -> Fault:
    """The letter or sign occurs less than, or at least, that often, in either case."""
    return compare(f"{letter!r}", text.lower.count(letter.strip().lower()), let_relation, let_frequency)


@instruction("language:response_language")
def response_language(text: Text, *, language: str) -> Fault:
    """The text is in that language (ISO 639-1)."""
    found = detect(text.raw)
    return unless(found in {language, None}, f"language {found}, expected {language}")


@instruction("change_case:capital_word_frequency")
def capital_word_frequency(text: Text, *, capital_frequency: int, capital_relation: Relation) -> Fault:
    """Less than, or at least, that many words are all capitals."""
    count = sum(token.isupper() for token in text.tokens)
    return compare("words in capitals", count, capital_relation, capital_frequency)


@instruction("change_case:english_capital")
def english_capital(text: Text) -> Fault:
    """English, all letters capital."""
    if not text.raw.isupper():
        return "not all in capitals"
    return unless(is_english(text.raw), "not English")


@instruction("change_case:english_lowercase")
def english_lowercase(text: Text) -> Fault:
    """English, no letter capital."""
    if not text.raw.islower():
        return "not all in lower case"
    return unless(is_english(text.raw), "not English")


@instruction("punctuation:no_comma")
def no_comma(text: Text) -> Fault:
    """No comma anywhere."""
    return unless("," not in text.raw, "has commas")


@lru_cache(maxsize=4096)
def whole(word: str) -> re.Pattern[str]:
    """Return a pattern for the word, not inside a longer one."""
    return re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE)
