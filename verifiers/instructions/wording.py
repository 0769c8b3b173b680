"""Instructions on words and letters: keywords, language, case, punctuation. Meanings are IFEval's.

Capital words are counted on a plain split into words, where IFEval uses NLTK's tokenizer; the language
comes from language.py, where it uses langdetect. As in IFEval, a text whose language cannot be told passes.
"""

from __future__ import annotations

import re

from gradus.verifiers.instructions.language import detect
from gradus.verifiers.instructions.registry import Relation, compare, instruction

_WORD = re.compile(r"\w+(?:[-./&]\w+)*")


@instruction("keywords:existence")
def existence(text: str, *, keywords: list[str]) -> bool:
    """Every keyword occurs, also inside a longer word."""
    return all(word.lower() in text.lower() for word in keywords)


@instruction("keywords:frequency")
def frequency(text: str, *, keyword: str, frequency: int, relation: Relation) -> bool:
    """The keyword occurs less than, or at least, that often."""
    return compare(text.lower().count(keyword.strip().lower()), relation, frequency)


@instruction("keywords:forbidden_words")
def forbidden_words(text: str, *, forbidden_words: list[str]) -> bool:
    """None of the words occurs as a whole word."""
    return not any(re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) for word in forbidden_words)


@instruction("keywords:letter_frequency")
def letter_frequency(text: str, *, letter: str, let_frequency: int, let_relation: Relation) -> bool:
    """The letter or sign occurs less than, or at least, that often, in either case."""
    return compare(text.lower().count(letter.lower()), let_relation, let_frequency)


@instruction("language:response_language")
def response_language(text: str, *, language: str) -> bool:
    """The text is in that language (ISO 639-1)."""
    return detect(text) in {language, None}


@instruction("change_case:capital_word_frequency")
def capital_word_frequency(text: str, *, capital_frequency: int, capital_relation: Relation) -> bool:
    """Less than, or at least, that many words are all capitals."""
    return compare(sum(word.isupper() for word in _WORD.findall(text)), capital_relation, capital_frequency)


@instruction("change_case:english_capital")
def english_capital(text: str) -> bool:
    """English, all letters capital."""
    return text.isupper() and detect(text) in {"en", None}


@instruction("change_case:english_lowercase")
def english_lowercase(text: str) -> bool:
    """English, no letter capital."""
    return text.islower() and detect(text) in {"en", None}


@instruction("punctuation:no_comma")
def no_comma(text: str) -> bool:
    """No comma anywhere."""
    return "," not in text
