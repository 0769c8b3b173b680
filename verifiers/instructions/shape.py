"""IFEval's instructions on length, parts and format.

Sentences are counted as sentences.py says. Every check is linear in the text: a model may write a million
brackets.
"""

from __future__ import annotations

import json
import re

from gradus.verifiers.instructions.registry import (
    Fault,
    Relation,
    at_least,
    compare,
    exactly,
    instruction,
    unless,
)
from gradus.verifiers.instructions.text import Text

_DIVIDER = re.compile(r"\s?\*\*\*\s?")
_STAR_BULLET = re.compile(r"^[^\S\n]*\*[^\*].*$", re.MULTILINE)
_DASH_BULLET = re.compile(r"^[^\S\n]*-.*$", re.MULTILINE)
_HIGHLIGHT = re.compile(r"\*[^\n\*]*\*")
_DOUBLE_HIGHLIGHT = re.compile(r"\*\*[^\n\*]*\*\*")
_FENCE = re.compile(r"^```(?:json|Json|JSON)?")
_FIRST_WORD_END = re.compile(r"[.,?!'\"]")
_POSTSCRIPTS = {"P.S.": re.compile(r"p\.\s?s\."), "P.P.S": re.compile(r"p\.\s?p\.\s?s")}


@instruction("length_constraints:number_sentences")
def number_sentences(text: Text, *, num_sentences: int, relation: Relation) -> Fault:
    """Less than, or at least, that many sentences."""
    return compare("sentences", len(text.sentences), relation, num_sentences)


@instruction("length_constraints:number_words")
def number_words(text: Text, *, num_words: int, relation: Relation) -> Fault:
    """Less than, or at least, that many runs of letters and digits."""
    return compare("words", len(text.words), relation, num_words)


@instruction("length_constraints:number_paragraphs")
def number_paragraphs(text: Text, *, num_paragraphs: int) -> Fault:
    """Exactly that many paragraphs, divided by ***; only the first and last part may be empty."""
    return _num_parts(_DIVIDER.split(text.raw), num_paragraphs)


@instruction("paragraphs:paragraphs")
def two_paragraphs(text: Text) -> Fault:
    """Two paragraphs, divided by ***."""
    return _num_parts(_DIVIDER.split(text.raw), 2)


@instruction("paragraphs:paragraphs2")
def two_spaced_paragraphs(text: Text) -> Fault:
    """Two paragraphs, divided by an empty line."""
    return _num_parts(text.raw.split("\n\n"), 2)


@instruction("length_constraints:nth_paragraph_first_word")
def nth_paragraph_first_word(text: Text, *, num_paragraphs: int, nth_paragraph: int, first_word: str) -> Fault:
    """That many paragraphs, divided by empty lines, and the nth begins with the word."""
    parts = text.raw.split("\n\n")
    num_filled = sum(bool(part.strip()) for part in parts)
    if num_filled != num_paragraphs:
        return f"paragraphs: {num_filled}, expected {num_paragraphs}"
    if not 0 < nth_paragraph <= num_filled or not parts[nth_paragraph - 1].strip():
        return f"no paragraph {nth_paragraph}"
    word = parts[nth_paragraph - 1].split(None, 1)[0].lstrip("'").lstrip('"')
    begins = _FIRST_WORD_END.split(word, maxsplit=1)[0].lower()
    return unless(
        begins == first_word.lower(), f"paragraph {nth_paragraph} begins with {begins[:40]!r}, expected {first_word!r}"
    )


@instruction("detectable_content:number_placeholders")
def number_placeholders(text: Text, *, num_placeholders: int) -> Fault:
    """At least that many [placeholders]."""
    return at_least("placeholders", sum(map(_num_brackets, text.lines)), num_placeholders)


@instruction("detectable_content:postscript")
def postscript(text: Text, *, postscript_marker: str) -> Fault:
    """The postscript's marker occurs, spaced or not."""
    marker = postscript_marker.strip()
    pattern = _POSTSCRIPTS.get(marker)
    found = pattern.search(text.lower) is not None if pattern else marker.lower() in text.lower
    return unless(found, f"no postscript {marker}")


@instruction("detectable_format:number_bullet_lists")
def number_bullet_lists(text: Text, *, num_bullets: int) -> Fault:
    """Exactly that many lines that begin with * or -."""
    count = len(_STAR_BULLET.findall(text.raw)) + len(_DASH_BULLET.findall(text.raw))
    return exactly("bullet points", count, num_bullets)


@instruction("detectable_format:constrained_response")
def constrained_response(text: Text) -> Fault:
    """One of the three allowed answers occurs."""
    found = any(f"My answer is {word}." in text.raw for word in ("yes", "no", "maybe"))
    return unless(found, "no 'My answer is yes.', 'no.' or 'maybe.'")


@instruction("detectable_format:number_highlighted_sections")
def number_highlighted_sections(text: Text, *, num_highlights: int) -> Fault:
    """At least that many *highlights* on one line; a **double** one also counts as IFEval counts it."""
    found = _HIGHLIGHT.findall(text.raw) + _DOUBLE_HIGHLIGHT.findall(text.raw)
    return at_least("highlights", sum(bool(part.strip("*").strip()) for part in found), num_highlights)


@instruction("detectable_format:multiple_sections")
def multiple_sections(text: Text, *, section_spliter: str, num_sections: int) -> Fault:
    """At least that many headings such as `SECTION 1`."""
    headings = re.findall(rf"{re.escape(section_spliter.strip())}\s?\d+", text.raw)
    return at_least("sections", len(headings), num_sections)


@instruction("detectable_format:json_format")
def json_format(text: Text) -> Fault:
    """The whole text is JSON, in a fence or not."""
    try:
        json.loads(_FENCE.sub("", text.raw.strip()).removesuffix("```").strip())
    except (ValueError, RecursionError) as error:
        return f"not JSON: {str(error)[:60]}"
    return ""


@instruction("detectable_format:title")
def title(text: Text) -> Fault:
    """A <<title>> that is not empty occurs."""
    for line in text.lines:
        start, end = line.find("<<"), line.rfind(">>")
        if 0 <= start < end and line[start:end].lstrip("<").rstrip(">").strip():
            return ""
    return "no <<title>>"


@instruction("combination:two_responses")
def two_responses(text: Text) -> Fault:
    """Two different responses, divided by six asterisks."""
    parts = text.raw.split("******")
    if not all(part.strip() for part in parts[1:-1]):
        return "an empty response"
    filled = [part.strip() for part in parts if part.strip()]
    if len(filled) != 2:
        return f"responses: {len(filled)}, expected 2"
    return unless(filled[0] != filled[1], "both responses are the same")


@instruction("combination:repeat_prompt")
def repeat_prompt(text: Text, *, prompt_to_repeat: str) -> Fault:
    """The text begins with the prompt, word for word."""
    begins = text.lower.strip().startswith(prompt_to_repeat.strip().lower())
    return unless(begins, "does not begin with the request, word for word")


@instruction("startend:end_checker")
def end_checker(text: Text, *, end_phrase: str) -> Fault:
    """The text ends with the phrase, quotation marks aside."""
    ends = text.lower.strip().strip('"').endswith(end_phrase.strip().lower())
    return unless(ends, f"ends with {text.raw.strip()[-30:]!r}")


@instruction("startend:quotation")
def quotation(text: Text) -> Fault:
    """The whole text stands in double quotation marks."""
    raw = text.raw.strip()
    return unless(len(raw) > 1 and raw[0] == raw[-1] == '"', "not in double quotation marks")


def _num_parts(parts: list[str], wanted: int) -> Fault:
    if not all(part.strip() for part in parts[1:-1]):
        return "an empty paragraph"
    return exactly("paragraphs", sum(bool(part.strip()) for part in parts), wanted)


def _num_brackets(line: str) -> int:
    """Count [ … ] in a line, each closed by the first ] after it."""
    count, position = 0, line.find("[")
    while position >= 0 and (end := line.find("]", position)) >= 0:
        count, position = count + 1, line.find("[", end)
    return count
