"""Draws instructions that can all be followed at once: how each is said, its kind and its arguments.

Covers IFEval's and IF-RLVR's kinds that are told in a sentence, are hard to satisfy with a non-answer, and that
demands.py understands. IFBench's kinds are never drawn: they are a held-out test. The same random state gives the
same instructions.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from gradus.verifiers.base import SpecError
from gradus.verifiers.instructions.demands import contradiction
from gradus.verifiers.instructions.vocabulary import listed

KEYWORDS = listed(
    "river window garden music bridge winter coffee letter market forest island camera kitchen mirror ticket summer "
    "engine planet harbor village picture morning journey teacher doctor candle blanket silver thunder whisper "
    "mountain evening lantern weather orange pocket"
)
OPENERS = listed("today perhaps imagine nobody long listen here together")
CLOSERS = listed("forever tomorrow home together again tonight")
END_PHRASES = (
    "That is all I have to say",
    "And so the day came to an end",
    "Let me know what you think",
    "I would do it all again",
    "This is how it began",
)
COMMON_LETTERS, RARE_LETTERS = "aeinorst", "jkqvwxz"
MAX_TRIES = 8
"""How often one kind's arguments are drawn again when they contradict what is there."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One instruction: how it is said in the prompt, its kind, and its arguments."""

    said: str
    kind: str
    kwargs: dict[str, Any]


Rule = Callable[[random.Random], tuple[str, dict[str, Any]]]
rules: dict[str, Rule] = {}
"""For each kind that can be drawn, how it is said and its arguments."""


def draw(
    rng: random.Random, num: int, *, include: Collection[str] | None = None, exclude: Collection[str] = ()
) -> list[Drawn]:
    """Draw num instructions of different kinds that do not contradict each other.

    include limits the kinds to draw from. SpecError when a kind cannot be drawn, or so many do not fit together.
    """
    unknown = (set(include or ()) | set(exclude)) - rules.keys()
    if unknown:
        raise SpecError(f"cannot draw {', '.join(sorted(unknown))}. Can: {', '.join(sorted(rules))}.")
    kinds = sorted(rules.keys() & set(rules if include is None else include) - set(exclude))
    for _ in range(MAX_TRIES):
        drawn = _fill(rng, num, rng.sample(kinds, len(kinds)))
        if len(drawn) == num:
            return drawn
    raise SpecError(f"of {len(kinds)} kinds of instruction no {num} fit together; ask for fewer")


def _fill(rng: random.Random, num: int, kinds: list[str]) -> list[Drawn]:
    """Take kinds in order as long as they fit, until there are num."""
    drawn: list[Drawn] = []
    for kind in kinds:
        if len(drawn) == num:
            break
        for _ in range(MAX_TRIES):
            said, kwargs = rules[kind](rng)
            if not contradiction([*((one.kind, one.kwargs) for one in drawn), (kind, kwargs)]):
                drawn.append(Drawn(said, kind, kwargs))
                break
    return drawn


def _rule(kind: str) -> Callable[[Rule], Rule]:
    def keep(rule: Rule) -> Rule:
        rules[kind] = rule
        return rule

    return keep


def _plain(kind: str, *said: str) -> None:
    """Register a kind without arguments."""
    rules[kind] = lambda rng: (rng.choice(said), {})


def _numbered(kind: str, argument: str, numbers: Collection[int], *said: str) -> None:
    """Register a kind with one number, {n} in the sentence."""
    values = tuple(numbers)

    def rule(rng: random.Random) -> tuple[str, dict[str, Any]]:
        number = rng.choice(values)
        return rng.choice(said).format(n=number), {argument: number}

    rules[kind] = rule


def _worded(kind: str, argument: str, words: Collection[str], *said: str) -> None:
    """Register a kind with one word or phrase, {w} in the sentence."""
    values = tuple(words)

    def rule(rng: random.Random) -> tuple[str, dict[str, Any]]:
        word = rng.choice(values)
        return rng.choice(said).format(w=word), {argument: word}

    rules[kind] = rule


def _related(
    kind: str, names: tuple[str, str], at_least: Collection[int], less_than: Collection[int], said: str
) -> None:
    """Register a kind with a relation and a number: {r} {n} in the sentence."""
    values = {"at least": tuple(at_least), "less than": tuple(less_than)}

    def rule(rng: random.Random) -> tuple[str, dict[str, Any]]:
        relation = rng.choice(("at least", "less than"))
        number = rng.choice(values[relation])
        return said.format(r=relation, n=number), {names[0]: number, names[1]: relation}

    rules[kind] = rule


_plain("punctuation:no_comma", "Do not use any commas.", "Write without commas.")
_plain("punctuation:punctuation_dot", "Do not use dots anywhere.", "Write without a single full stop.")
_plain("punctuation:punctuation_exclamation", "Do not use exclamation marks.")
_plain(
    "change_case:english_lowercase",
    "Write in English, and in lower case only.",
    "Use no capital letters; write English.",
)
_plain("change_case:english_capital", "Write in English, and in capital letters only.")
_plain("startend:quotation", "Put your whole answer in double quotation marks.")
_plain("detectable_format:title", "Give it a title in double angular brackets, such as <<title>>.")
_plain("paragraphs:paragraphs", "Write two paragraphs, divided by ***.")
_plain("paragraphs:paragraphs2", "Write two paragraphs, divided by an empty line.")
_plain("keywords:start_end", "Begin and end with the same word, with nothing after the last word.")
_plain("detectable_format:square_brackets", "Put every word in square brackets.")
_plain(
    "detectable_format:bigram_wrapping",
    "Wrap every two words in double angular brackets, <<like this>> <<to the end>>.",
)

_numbered(
    "length_constraints:number_paragraphs", "num_paragraphs", range(2, 6), "Write {n} paragraphs, divided by ***."
)
_numbered("detectable_content:number_placeholders", "num_placeholders", range(2, 5),
          "Use at least {n} placeholders in square brackets, such as [name].")  # fmt: skip
_numbered("detectable_format:number_bullet_lists", "num_bullets", range(2, 6),
          "Include exactly {n} bullet points that begin with *.", "Use exactly {n} bullet points.")  # fmt: skip
_numbered("detectable_format:number_highlighted_sections", "num_highlights", range(2, 5),
          "Highlight at least {n} parts with markdown, as *highlighted*.")  # fmt: skip

_worded("detectable_content:postscript", "postscript_marker", ("P.S.", "P.P.S"),
        "At the end, add a postscript that begins with {w}")  # fmt: skip
_worded("startend:end_checker", "end_phrase", END_PHRASES, 'End with the exact phrase "{w}" and nothing after it.')
_worded("first_word:first_word_answer", "first_word", OPENERS, "The first word of your answer must be {w}.")
_worded("first_word:first_word_sent", "first_word", OPENERS, "Begin each sentence with the word {w}.")
_worded("last_word:last_word_answer", "last_word", CLOSERS, "The last word of your answer must be {w}.")
_worded("last_word:last_word_sent", "last_word", CLOSERS, "End each sentence with the word {w}.")
_worded("keywords:word_once", "keyword", KEYWORDS, "Use the word {w} exactly once.")
_worded("keywords:exclude_word_harder", "keyword", KEYWORDS, "Do not use the word {w}.", "Avoid the word {w}.")

_related("length_constraints:number_words", ("num_words", "relation"), (20, 50, 100, 150, 200, 300),
         (30, 50, 80, 100, 150, 200, 300), "Use {r} {n} words.")  # fmt: skip
_related("length_constraints:number_sentences", ("num_sentences", "relation"), range(2, 13), range(3, 13),
         "Write {r} {n} sentences.")  # fmt: skip
_related("letters:letter_counting", ("N", "relation"), (100, 200, 400), (200, 400, 800), "Use {r} {n} letters.")
_related("change_case:capital_word_frequency", ("capital_frequency", "capital_relation"), range(2, 9), range(4, 12),
         "Use {r} {n} words in all capital letters.")  # fmt: skip


@_rule("keywords:existence")
def _existence(rng: random.Random) -> tuple[str, dict[str, Any]]:
    words = rng.sample(KEYWORDS, rng.randint(1, 3))
    return f"Include the words: {', '.join(words)}.", {"keywords": words}


@_rule("keywords:forbidden_words")
def _forbidden(rng: random.Random) -> tuple[str, dict[str, Any]]:
    words = rng.sample(KEYWORDS, rng.randint(1, 3))
    return f"Do not use these words: {', '.join(words)}.", {"forbidden_words": words}


@_rule("keywords:frequency")
@_rule("keywords:word_count_different_numbers")
def _frequency(rng: random.Random) -> tuple[str, dict[str, Any]]:
    word, number, relation = rng.choice(KEYWORDS), rng.randint(2, 5), rng.choice(("at least", "less than"))
    kwargs = {"keyword": word, "frequency": number, "relation": relation}
    return f"Use the word {word} {relation} {number} times.", kwargs


@_rule("count:count_increment_word")
def _increment(rng: random.Random) -> tuple[str, dict[str, Any]]:
    once, twice = rng.sample(KEYWORDS, 2)
    return f"Use the word {once} once and the word {twice} twice.", {"keyword1": once, "keyword2": twice}


@_rule("keywords:letter_frequency")
@_rule("letters:letter_counting2")
def _letter(rng: random.Random) -> tuple[str, dict[str, Any]]:
    relation = rng.choice(("at least", "less than"))
    letter = rng.choice(COMMON_LETTERS if relation == "at least" else RARE_LETTERS)
    number = rng.randint(5, 20) if relation == "at least" else rng.randint(2, 5)
    kwargs = {"letter": letter, "let_frequency": number, "let_relation": relation}
    return f"Let the letter {letter} occur {relation} {number} times.", kwargs


@_rule("detectable_format:multiple_sections")
def _sections(rng: random.Random) -> tuple[str, dict[str, Any]]:
    word, number = rng.choice(("Section", "SECTION", "Part", "Chapter")), rng.randint(2, 5)
    said = f"Divide it into {number} sections that begin with {word} 1, {word} 2 and so on."
    return said, {"section_spliter": word, "num_sections": number}


@_rule("length_constraints:nth_paragraph_first_word")
def _nth_paragraph(rng: random.Random) -> tuple[str, dict[str, Any]]:
    number, word = rng.randint(2, 5), rng.choice(OPENERS)
    nth = rng.randint(1, number)
    said = f"Write {number} paragraphs, divided by empty lines; paragraph {nth} must begin with the word {word}."
    return said, {"num_paragraphs": number, "nth_paragraph": nth, "first_word": word}
