"""IFBench's instructions on words and sentences (`words:`, `sentence:`).

Verdicts are the official ones, quirks included: words:palindrome counts one palindrome as often as it occurs, and
words:last_first passes a single sentence. Syllables and verbs are told by rule (syllables.py, vocabulary.py).
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from gradus.verifiers.instructions.registry import Fault, at_least, instruction, unless
from gradus.verifiers.instructions.syllables import num_syllables
from gradus.verifiers.instructions.text import PUNCTUATION, STRIPPED, Text, bare
from gradus.verifiers.instructions.vocabulary import is_verb
from gradus.verifiers.instructions.wording import whole

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_CLUSTER = re.compile(r"[b-df-hj-np-tv-z]{2}")
_PRIMES = frozenset((2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97))


@instruction("words:alphabet")
def alphabet(text: Text) -> Fault:
    """Each word begins with the letter after the last one's; a follows z."""
    words = text.plain_words
    start = _ALPHABET.find(words[0][0]) if words else -1
    if start < 0:
        return "does not begin with a letter"
    for place, word in enumerate(words):
        wanted = _ALPHABET[(start + place) % 26]
        if word[0] != wanted:
            return f"word {place + 1} is {word[:40]!r}, expected one with {wanted}"
    return ""


@instruction("words:vowel")
def vowel(text: Text) -> Fault:
    """One paragraph with at most three of the vowels a e i o u."""
    if "\n" in text.raw.strip():
        return "more than one paragraph"
    used = sorted(set("aeiou") & set(text.lower))
    return unless(len(used) <= 3, f"vowels: {' '.join(used)}, expected at most 3")


@instruction("words:consonants")
def consonants(text: Text) -> Fault:
    """Each word holds two consonants side by side."""
    for word in text.lower.split():
        if not _CLUSTER.search(word):
            return f"no consonant cluster in {word[:40]!r}"
    return ""


@instruction("words:palindrome")
def palindrome(text: Text) -> Fault:
    """Ten palindromes of five letters or more."""
    return at_least("palindromes", sum(len(word) >= 5 and word == word[::-1] for word in text.plain_words), 10)


@instruction("words:prime_lengths")
def prime_lengths(text: Text) -> Fault:
    """Each word's length is a prime number below 100."""
    word = next((word for word in text.plain.split() if len(word) not in _PRIMES), None)
    return unless(word is None, f"{word and word[:40]!r} has {word and len(word)} letters")


@instruction("words:start_verb")
def start_verb(text: Text) -> Fault:
    """The first word is a verb."""
    first = text.edge_tokens[0]
    return unless(is_verb(first), f"begins with {first[:40]!r}")


@instruction("words:repeats")
def repeats(text: Text, *, small_n: int) -> Fault:
    """No word occurs more often than that."""
    counted = Counter(text.plain_words).most_common(1)
    word, count = counted[0] if counted else ("", 0)
    return unless(count <= small_n, f"{word[:40]!r} occurs {count} times, expected at most {small_n}")


@instruction("words:odd_even_syllables")
def odd_even_syllables(text: Text) -> Fault:
    """Words of odd and even numbers of syllables alternate."""
    words = text.plain_words
    counts = [num_syllables(word) for word in words]
    for one, two, word in zip(counts, counts[1:], words[1:], strict=False):
        if one % 2 == two % 2:
            return f"{word[:40]!r} has {two} syllables after a word of {one}"
    return ""


@instruction("words:last_first")
def last_first(text: Text) -> Fault:
    """Each sentence begins with the last word of the one before."""
    for one, two in pairwise(text.sentences):
        last, first = one.rstrip(STRIPPED).split(), two.lstrip(STRIPPED).split()
        if not last or not first or last[-1].lower() != first[0].lower():
            return f"{two[:40]!r} does not begin with the last word before it"
    return ""


@instruction("words:paragraph_last_first")
def paragraph_last_first(text: Text) -> Fault:
    """Each line ends with the word it begins with."""
    for line in text.lines:
        words = line.strip().lower().strip(STRIPPED).split()
        if words and words[0] != words[-1]:
            return f"a paragraph begins with {words[0][:40]!r} and ends with {words[-1][:40]!r}"
    return ""


@instruction("words:no_consecutive")
def no_consecutive(text: Text) -> Fault:
    """No two words in a row begin with the same letter."""
    for one, two in pairwise(text.plain_words):
        if one[0] == two[0]:
            return f"{one[:40]!r}, {two[:40]!r}"
    return ""


@instruction("words:keywords_specific_position")
def keywords_specific_position(text: Text, *, keyword: str, n: int, m: int) -> Fault:
    """The mth word of the nth sentence is the keyword; punctuation is not counted."""
    if not 0 < n <= len(text.sentences):
        return f"sentences: {len(text.sentences)}, expected at least {n}"
    words = [token for token in Text(text.sentences[n - 1]).tokens if any(map(str.isalnum, token))]
    found = words[m - 1] if 0 < m <= len(words) else ""
    return unless(
        found.lower() == keyword.strip().lower(), f"word {m} of sentence {n} is {found[:40]!r}, expected {keyword!r}"
    )


@instruction("words:words_position")
def words_position(text: Text, *, keyword: str) -> Fault:
    """The second word and the second to last are the keyword; one mark at the end is not counted."""
    tokens = text.edge_tokens
    end = len(tokens) - (tokens[-1] in PUNCTUATION) - 2
    if end < 0 or len(tokens) < 2:
        return "too short"
    keyword = keyword.strip()
    right = tokens[1].lower() == tokens[end].lower() == keyword.lower()
    return unless(right, f"second words are {tokens[1][:40]!r} and {tokens[end][:40]!r}, expected {keyword!r}")


@instruction("sentence:keyword")
def keyword(text: Text, *, word: str, N: int) -> Fault:
    """The Nth sentence holds the word."""
    if not 0 < N <= len(text.sentences):
        return f"sentences: {len(text.sentences)}, expected at least {N}"
    return unless(whole(word).search(text.sentences[N - 1]) is not None, f"no {word!r} in sentence {N}")


@instruction("sentence:increment")
def increment(text: Text, *, small_n: int) -> Fault:
    """Each sentence has that many words more than the one before."""
    counts = [len(bare(sentence).split()) for sentence in text.sentences]
    for one, two in pairwise(counts):
        if two != one + small_n:
            return f"a sentence of {two} words after one of {one}, expected {one + small_n}"
    return ""


@instruction("sentence:alliteration_increment")
def alliteration_increment(text: Text) -> Fault:
    """Each sentence has more alliterating words in a row than the one before."""
    before = -1
    for sentence in text.sentences:
        count = _num_alliterating(sentence)
        if count <= before:
            return f"{count} alliterating words after {before}"
        before = count
    return ""


def _num_alliterating(sentence: str) -> int:
    """Count the words in runs that share a first letter."""
    letters = [clean[0] for word in sentence.lower().split() if (clean := word.lstrip(STRIPPED))]
    count, running = 0, False
    for one, two in pairwise(letters):
        count += (1 if running else 2) if one == two else 0
        running = one == two
    return count
