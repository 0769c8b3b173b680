"""Which kinds of instruction contradict each other, whatever their arguments.

Starts from the tables that IFEval and IF-RLVR publish and adds what follows from the meaning: a kind that fixes the
whole answer goes with none, one that rules every word or sentence goes only with those named beside it, and of a group
that decides the same thing there is one. No kind goes with itself. What depends on arguments is in demands.py.
IFBench's kinds outside these tables are not looked into: nothing draws them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from gradus.verifiers.instructions.vocabulary import listed

WHOLE_PREFIXES = ("copy:", "custom:", "new:", "repeat:")
WHOLE = frozenset(
    listed(
        "detectable_format:constrained_response "
        "format:options format:newline format:no_whitespace format:line_indent "
        "format:output_template count:counting_composition detectable_format:sentence_hyphens words:alphabet"
    )
)
"""Kinds that fix what the whole answer is."""

_WORDING = frozenset(
    listed(
        "length_constraints:number_words letters:letter_counting punctuation:no_comma "
        "punctuation:punctuation_exclamation keywords:existence keywords:frequency keywords:forbidden_words "
        "keywords:word_once keywords:exclude_word_harder keywords:word_count_different_numbers "
        "change_case:english_capital change_case:english_lowercase"
    )
)
GOES_WITH = {
    "detectable_format:json_format": frozenset(listed("keywords:existence keywords:forbidden_words")),
    "combination:repeat_prompt": frozenset(listed("keywords:existence detectable_format:title punctuation:no_comma")),
    "combination:two_responses": frozenset(
        listed(
            "keywords:existence keywords:forbidden_words language:response_language detectable_format:title "
            "punctuation:no_comma"
        )
    ),
    "detectable_format:square_brackets": _WORDING | {"punctuation:punctuation_dot"},
    "detectable_format:bigram_wrapping": _WORDING | {"punctuation:punctuation_dot"},
    "first_word:first_word_sent": _WORDING | {"length_constraints:number_sentences", "last_word:last_word_sent"},
    "last_word:last_word_sent": _WORDING | {"length_constraints:number_sentences", "first_word:first_word_sent"},
    "count:count_unique": frozenset({"punctuation:punctuation_exclamation", "punctuation:no_comma"}),
    "count:lowercase_counting": frozenset({"punctuation:no_comma", "punctuation:punctuation_exclamation"}),
}
"""Kinds that rule every word or sentence or how the answer begins, and all they go with."""

GROUPS = (
    "change_case:english_capital change_case:english_lowercase change_case:capital_word_frequency "
    "language:response_language format:title_case",
    "length_constraints:number_paragraphs length_constraints:nth_paragraph_first_word paragraphs:paragraphs "
    "paragraphs:paragraphs2 words:vowel",
    "length_constraints:number_paragraphs length_constraints:number_sentences",
    "length_constraints:number_words count:word_count_range",
    "detectable_format:multiple_sections detectable_format:number_highlighted_sections language:response_language",
    "detectable_format:multiple_sections change_case:english_lowercase",
    "detectable_format:multiple_sections change_case:english_capital",
    "startend:quotation detectable_format:title",
    "startend:quotation first_word:first_word_answer",
    "startend:quotation keywords:start_end",
    "startend:end_checker last_word:last_word_answer keywords:start_end",
    "keywords:letter_frequency letters:letter_counting2",
    "punctuation:punctuation_dot detectable_content:postscript",
    "ratio:sentence_type ratio:sentence_balance ratio:sentence_words",
    "punctuation:punctuation_dot ratio:sentence_type",
    "punctuation:punctuation_dot ratio:sentence_balance",
    "punctuation:punctuation_exclamation ratio:sentence_balance",
    "punctuation:no_comma count:punctuation",
    "punctuation:punctuation_dot count:punctuation",
    "punctuation:punctuation_exclamation count:punctuation",
    "language:response_language keywords:existence",
    "language:response_language keywords:frequency",
    "language:response_language keywords:forbidden_words",
    "language:response_language startend:end_checker",
    "detectable_format:number_bullet_lists format:sub-bullets format:no_bullets_bullets",
)
"""Of each group an answer can follow one."""
_PAIRS = frozenset(frozenset(pair) for group in GROUPS for pair in combinations(group.split(), 2))


def conflict(one: str, two: str) -> bool:
    """Whether the two kinds cannot stand together."""
    if one == two or _is_whole(one) or _is_whole(two) or frozenset((one, two)) in _PAIRS:
        return True
    return any(two_ not in GOES_WITH[one_] for one_, two_ in ((one, two), (two, one)) if one_ in GOES_WITH)


def conflicting(kinds: Sequence[str]) -> tuple[str, str] | None:
    """Return the first two kinds that cannot stand together."""
    return next((pair for pair in combinations(kinds, 2) if conflict(*pair)), None)


def _is_whole(kind: str) -> bool:
    return kind in WHOLE or kind.startswith(WHOLE_PREFIXES)
