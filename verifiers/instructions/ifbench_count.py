"""IFBench's instructions on how many and what share (`count:`, `ratio:`).

Verdicts are the official ones, their quirks included, since figures are compared with published ones:
- count:conjunctions counts "and", "And" and "and," as three different ones;
- ratio:overlap compares groups of three characters, not of three words;
- ratio:sentence_words asks for three sentences of the same number of characters, not for different words.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import filterfalse

from gradus.verifiers.instructions.registry import Fault, at_least, exactly, instruction, unless
from gradus.verifiers.instructions.text import STRIPPED, Text
from gradus.verifiers.instructions.tokens import tokens
from gradus.verifiers.instructions.vocabulary import CONJUNCTIONS, NAMES, PRONOUNS, STOP_WORDS

_CAPITALISED = re.compile(r"[A-Z][a-z]+")
_NUMBER = re.compile(r"\d+")
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_AROUND = '.,;:!?()[]{}<>"*'
"""Marks that are always tokens of their own."""
_MARKS = frozenset(".,!?;:")


@instruction("count:word_count_range")
def word_count_range(text: Text, *, min_words: int, max_words: int) -> Fault:
    """From min_words to max_words words."""
    count = len(text.words)
    return unless(min_words <= count <= max_words, f"words: {count}, expected {min_words} to {max_words}")


@instruction("count:unique_word_count")
def unique_word_count(text: Text, *, N: int) -> Fault:
    """At least N different words."""
    chunks = set(text.lower.split())
    marked = set(filterfalse(str.isalpha, chunks))
    unique = (chunks - marked) | {chunk.strip(STRIPPED) for chunk in marked}
    return at_least("different words", len(unique), N)


@instruction("count:conjunctions")
def conjunctions(text: Text, *, small_n: int) -> Fault:
    """At least that many different spellings of coordinating conjunctions."""
    found = {chunk for chunk in set(text.chunks) if chunk.strip(STRIPPED).lower() in CONJUNCTIONS}
    return at_least("conjunctions", len(found), small_n)


@instruction("count:person_names")
def person_names(text: Text, *, N: int) -> Fault:
    """At least N different names of IFBench's list."""
    return at_least(
        "listed names",
        sum(_stands_alone(name, text.raw) for name in NAMES.intersection(_CAPITALISED.findall(text.raw))),
        N,
    )


@instruction("count:numbers")
def numbers(text: Text, *, N: int) -> Fault:
    """Exactly N numbers, where 1,000 and 3.5 are one each."""
    return exactly("numbers", len(_NUMBER.findall(text.plain)), N)


@instruction("count:punctuation")
def punctuation(text: Text) -> Fault:
    """Each of . , ! ? ; : beside one interrobang."""
    interrobang = next((mark for mark in ("?!", "!?", "‽") if mark in text.raw), None)
    if not interrobang:
        return "no interrobang (?!)"
    missing = _MARKS.difference(text.raw.replace(interrobang, "", 1) if interrobang != "‽" else text.raw)
    return unless(not missing, f"missing: {' '.join(sorted(missing))}")


@instruction("count:words_japanese")
def words_japanese(text: Text, *, N: int) -> Fault:
    """Every Nth word holds a Japanese character; numbers are excused."""
    for place in range(max(N, 1), len(text.chunks) + 1, max(N, 1)):
        word = text.chunks[place - 1].strip(STRIPPED)
        if word and not word.isdigit() and not _JAPANESE.search(word):
            return f"word {place} is not Japanese: {word[:40]!r}"
    return ""


@instruction("count:pronouns")
def pronouns(text: Text, *, N: int) -> Fault:
    """At least N pronouns."""
    chunks = text.lower.replace("/", " ").split()
    count = sum(map(PRONOUNS.__contains__, chunks))
    for chunk in filterfalse(str.isalpha, chunks):
        word = chunk.strip(_AROUND)
        count += word in PRONOUNS if word.isalpha() else sum(map(PRONOUNS.__contains__, tokens(word)))
    return at_least("pronouns", count, N)


@instruction("count:keywords_multiple")
def keywords_multiple(
    text: Text, *, keyword1: str, keyword2: str, keyword3: str, keyword4: str, keyword5: str
) -> Fault:
    """The five keywords occur 1, 2, 3, 5 and 7 times."""
    keywords = (keyword1, keyword2, keyword3, keyword4, keyword5)
    for keyword, wanted in zip(keywords, (1, 2, 3, 5, 7), strict=True):
        if wrong := exactly(f"{keyword!r}", text.lower.count(keyword.strip().lower()), wanted):
            return wrong
    return ""


@instruction("ratio:stop_words")
def stop_words(text: Text, *, percentage: float) -> Fault:
    """No more than that percentage of the words are stop words."""
    if not text.lower_words:
        return "no words"
    share = 100 * sum(map(STOP_WORDS.__contains__, text.lower_words)) / len(text.lower_words)
    return unless(share <= percentage, f"stop words: {share:.1f}%, expected at most {percentage:g}%")


@instruction("ratio:sentence_type")
def sentence_type(text: Text) -> Fault:
    """Twice as many sentences end in . as in ?"""
    stops, questions, _ = _ends(text)
    return unless(stops == 2 * questions, f"{stops} statements and {questions} questions, expected 2:1")


@instruction("ratio:sentence_balance")
def sentence_balance(text: Text) -> Fault:
    """As many sentences end in . as in ? and in !"""
    stops, questions, calls = _ends(text)
    return unless(stops == questions == calls, f"{stops} end in ., {questions} in ?, {calls} in !; expected the same")


@instruction("ratio:sentence_words")
def sentence_words(text: Text) -> Fault:
    """Three sentences of the same number of characters."""
    lengths = [len(sentence) for sentence in text.sentences]
    if len(lengths) != 3:
        return f"sentences: {len(lengths)}, expected 3"
    return unless(len(set(lengths)) == 1, f"characters: {lengths}, expected the same")


@instruction("ratio:overlap")
def overlap(text: Text, *, reference_text: str, percentage: float) -> Fault:
    """Of the different groups of three characters, percentage ±2 are in the reference."""
    groups = _trigrams(text.raw)
    if not groups:
        return "too short"
    share = 100 * len(groups & _reference(reference_text)) / len(groups)
    return unless(percentage - 2 <= share <= percentage + 2, f"overlap: {share:.1f}%, expected {percentage:g}% ±2")


def _ends(text: Text) -> tuple[int, int, int]:
    last = [sentence[-1] for sentence in text.sentences]
    return last.count("."), last.count("?"), last.count("!")


def _stands_alone(name: str, text: str) -> bool:
    """Whether the name occurs as a whole word; faster than a pattern with word boundaries."""
    place = text.find(name)
    while place >= 0:
        around = text[place - 1 : place] + text[place + len(name) : place + len(name) + 1]
        if not any(sign.isalnum() or sign == "_" for sign in around):
            return True
        place = text.find(name, place + 1)
    return False


def _trigrams(text: str) -> set[tuple[str, str, str]]:
    return set(zip(text, text[1:], text[2:], strict=False))


_reference = lru_cache(maxsize=256)(_trigrams)
