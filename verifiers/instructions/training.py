"""The kinds that IF-RLVR trains on beside IFEval's (open-instruct's IFEvalG).

Sentences are `simple_sentences`, as there. Verdicts are the official ones, quirks included: keywords:palindrome
takes any one-letter word, exclude_word_harder sees a word between two spaces only, count:counting_composition allows
no divider at the ends, and detectable_format:bigram_wrapping excuses an odd last word. An argument of
first_word:*, last_word:* and keyword_specific_position may be a list, whose first item counts.
"""

from __future__ import annotations

import re
from itertools import pairwise

from gradus.verifiers.instructions.registry import Fault, Relation, compare, exactly, instruction, unless
from gradus.verifiers.instructions.sentences import simple_sentences
from gradus.verifiers.instructions.text import Text
from gradus.verifiers.instructions.tokens import tokens

_DIVIDER = re.compile(r"\s?\*\*\*\s?")
_LOWER_WORD = re.compile(r"\b[a-z]+\b")
_LETTER = re.compile(r"[a-zA-Z]+")
_NOT_WORD = re.compile(r"[^\w\s]")


@instruction("copy:repeat_phrase")
def repeat_phrase(text: Text, *, phrase: str, small_n: int) -> Fault:
    """The phrase occurs that often, each time with one word changed between its first and last."""
    wanted = phrase.split()
    found = [part for line in text.lines for part in _spans(line, f"{wanted[0]} ", f" {wanted[-1]}")]
    if wrong := exactly("phrases", len(found), small_n):
        return wrong
    for part in found:
        words = part.split()
        if len(words) != len(wanted) or sum(one != two for one, two in zip(words, wanted, strict=True)) != 1:
            return f"{part[:60]!r} does not change one word"
    return ""


@instruction("copy:copy")
@instruction("copy:copying_simple")
def copy(text: Text, *, prompt_to_repeat: str) -> Fault:
    """The request and nothing else, in either case."""
    return unless(text.lower.strip() == prompt_to_repeat.strip().lower(), "not just the request")


@instruction("copy:copying_multiple")
def copying_multiple(text: Text, *, prompt_to_repeat: str, N: int) -> Fault:
    """The request N times, divided by six asterisks, and nothing else."""
    parts = text.lower.split("******")
    if wrong := exactly("copies", len(parts), N):
        return wrong
    wanted = prompt_to_repeat.strip().lower()
    return unless(all(part.strip() == wanted for part in parts), "not just the request")


@instruction("new:copy_span_idx")
def copy_span_idx(text: Text, *, prompt_to_repeat: str, n_start: int, n_end: int) -> Fault:
    """The request's characters from n_start up to n_end, without it, and nothing else."""
    span = prompt_to_repeat[n_start:n_end].strip()
    return unless(text.lower.strip() == span.lower(), f"not just {span[:40]!r}")


@instruction("detectable_format:sentence_hyphens")
def sentence_hyphens(text: Text) -> Fault:
    """Hyphens without spaces join the sentences, and occur nowhere else."""
    parts = zip(text.raw.split("-"), simple_sentences(text.raw.replace("-", " ")), strict=False)
    wrong = next((part for part, sentence in parts if part != sentence), None)
    return unless(wrong is None, f"{wrong and wrong[:40]!r} is not one sentence between hyphens")


@instruction("detectable_format:square_brackets")
def square_brackets(text: Text) -> Fault:
    """Each word stands in square brackets."""
    word = next((word for word in text.chunks if word[0] != "[" or word[-1] != "]"), None)
    return unless(word is None, f"{word and word[:40]!r} is not in square brackets")


@instruction("detectable_format:bigram_wrapping")
def bigram_wrapping(text: Text) -> Fault:
    """Each two words stand in double angular brackets."""
    for one, two in zip(text.chunks[::2], text.chunks[1::2], strict=False):
        if not (one.startswith("<<") and two.endswith(">>")):
            return f"{one[:40]!r}, {two[:40]!r} are not in << >>"
    return ""


@instruction("keywords:no_adjacent_consecutive")
def no_adjacent_consecutive(text: Text) -> Fault:
    """No word begins with the letter after the one the last word begins with."""
    letters = [word[0].lower() for word in text.chunks]
    for place, (one, two) in enumerate(pairwise(letters)):
        if len(one) != 1 or len(two) != 1 or ord(two) - ord(one) == 1:
            return f"{text.chunks[place][:40]!r}, {text.chunks[place + 1][:40]!r}"
    return ""


@instruction("keywords:word_once")
def word_once(text: Text, *, keyword: str) -> Fault:
    """The keyword occurs once."""
    return exactly(f"{keyword!r}", text.lower.count(keyword.strip().lower()), 1)


@instruction("keywords:word_count_different_numbers")
def word_count_different_numbers(text: Text, *, keyword: str, frequency: int, relation: Relation) -> Fault:
    """The keyword occurs less than, or at least, that often."""
    return compare(f"{keyword!r}", text.lower.count(keyword.strip().lower()), relation, frequency)


@instruction("keywords:exclude_word_harder")
def exclude_word_harder(text: Text, *, keyword: str) -> Fault:
    """The keyword does not stand between two spaces."""
    return unless(f" {keyword.strip()} " not in text.raw, f"used: {keyword}")


@instruction("keywords:palindrome")
def palindrome(text: Text) -> Fault:
    """A word reads the same backwards."""
    return unless(any(word == word[::-1] for word in text.chunks), "no palindrome")


@instruction("keywords:keyword_specific_position")
def keyword_specific_position(text: Text, *, keyword: str | list[str], n: int, m: int) -> Fault:
    """The mth word or mark of the nth sentence is the keyword."""
    found = simple_sentences(text.raw)
    if not 0 < n <= len(found):
        return f"sentences: {len(found)}, expected at least {n}"
    words, wanted = Text(found[n - 1]).tokens, _first(keyword)
    got = words[m - 1] if 0 < m <= len(words) else ""
    return unless(got == wanted, f"word {m} of sentence {n} is {got[:40]!r}, expected {wanted!r}")


@instruction("keywords:start_end")
def start_end(text: Text) -> Fault:
    """The first word is also the last, with nothing after it."""
    first, last = text.edge_tokens[0], text.edge_tokens[-1]
    # An opening quotation mark is another sign than the closing one.
    same = len(text.edge_tokens) > 1 and first.lower() == last.lower() and first != '"'
    return unless(same, f"begins with {first[:40]!r} and ends with {last[:40]!r}")


@instruction("first_word:first_word_sent")
def first_word_sent(text: Text, *, first_word: str | list[str]) -> Fault:
    """Each sentence begins with the word."""
    wanted = _first(first_word).lower()
    for sentence in simple_sentences(text.raw):
        if sentence.lower().split(None, 1)[:1] != [wanted]:
            return f"{sentence[:40]!r} does not begin with {wanted!r}"
    return ""


@instruction("first_word:first_word_answer")
def first_word_answer(text: Text, *, first_word: str | list[str]) -> Fault:
    """The answer begins with the word."""
    first, wanted = text.chunks[0], _first(first_word)
    return unless(first.lower() == wanted.lower(), f"begins with {first[:40]!r}, expected {wanted!r}")


@instruction("last_word:last_word_sent")
def last_word_sent(text: Text, *, last_word: str | list[str]) -> Fault:
    """Each sentence ends with the word, punctuation aside."""
    wanted = _first(last_word).lower()
    for sentence in simple_sentences(text.raw):
        if not sentence or _bare_last(sentence) != wanted:
            return f"{sentence[-40:]!r} does not end with {wanted!r}"
    return ""


@instruction("last_word:last_word_answer")
def last_word_answer(text: Text, *, last_word: str | list[str]) -> Fault:
    """The answer ends with the word, punctuation aside."""
    last, wanted = _bare_last(text.raw), _first(last_word).lower()
    return unless(last == wanted, f"ends with {last[:40]!r}, expected {wanted!r}")


@instruction("punctuation:punctuation_dot")
def punctuation_dot(text: Text) -> Fault:
    """No dot anywhere."""
    return unless("." not in text.raw, "has dots")


@instruction("punctuation:punctuation_exclamation")
def punctuation_exclamation(text: Text) -> Fault:
    """No exclamation mark anywhere."""
    return unless("!" not in text.raw, "has exclamation marks")


@instruction("count:lowercase_counting")
def lowercase_counting(text: Text, *, N: int) -> Fault:
    """At most N words in lower case."""
    count = len(_LOWER_WORD.findall(text.raw))
    return unless(count <= N, f"words in lower case: {count}, expected at most {N}")


@instruction("letters:letter_counting")
def letter_counting(text: Text, *, N: int, relation: Relation) -> Fault:
    """Less than, or at least, N letters from a to z."""
    return compare("letters", sum(map(len, _LETTER.findall(text.raw))), relation, N)


@instruction("letters:letter_counting2")
def letter_counting2(text: Text, *, letter: str, let_frequency: int, let_relation: Relation) -> Fault:
    """The letter occurs less than, or at least, that often, in either case."""
    return compare(f"{letter!r}", text.lower.count(letter.strip().lower()), let_relation, let_frequency)


@instruction("count:counting_composition")
def counting_composition(text: Text, *, n_sent: int, n_words: int) -> Fault:
    """Three paragraphs divided by ***, of so many sentences, of so many words and marks each."""
    parts = _DIVIDER.split(text.raw)
    for part in parts:
        found = simple_sentences(part)
        if wrong := exactly("sentences of a paragraph", len(found), n_sent):
            return wrong
        for sentence in found:
            if wrong := exactly(f"words of {sentence[:40]!r}", len(tokens(sentence)), n_words):
                return wrong
    return exactly("paragraphs", len(parts), 3)


@instruction("count:count_unique")
def count_unique(text: Text) -> Fault:
    """No word or mark occurs twice."""
    return unless(len(set(text.tokens)) == len(text.tokens), "a word or mark occurs twice")


@instruction("count:count_increment_word")
def count_increment_word(text: Text, *, keyword1: str, keyword2: str) -> Fault:
    """The first keyword occurs once, the second twice."""
    once = exactly(f"{keyword1!r}", text.lower.count(keyword1.strip().lower()), 1)
    return once or exactly(f"{keyword2!r}", text.lower.count(keyword2.strip().lower()), 2)


def _first(word: str | list[str]) -> str:
    return (word if isinstance(word, str) else word[0]).strip()


def _bare_last(text: str) -> str:
    return _NOT_WORD.sub("", text.rsplit(None, 1)[-1]).lower()


def _spans(line: str, start: str, end: str) -> list[str]:
    """Return the shortest stretches from start to end, one after the other."""
    found, position = [], line.find(start)
    while position >= 0 and (stop := line.find(end, position + len(start))) >= 0:
        found.append(line[position : stop + len(end)])
        position = line.find(start, stop + len(end))
    return found
