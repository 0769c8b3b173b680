"""Instructions on length, parts and format. Meanings are IFEval's.

Sentences are counted by the rule in _num_sentences, where IFEval uses NLTK's trained splitter; they
differ on rare abbreviations. Every check is linear in the text: a model may write a million brackets.
"""

from __future__ import annotations

import json
import re

from gradus.verifiers.instructions.registry import Relation, compare, instruction

_ABBREVIATION = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|Capt|Lt|Jr|Sr|vs|etc|Inc|Ltd|Co|No|Fig|e\.g|i\.e|a\.m|p\.m|[A-Z])\.(?=\s)"
)
_SENTENCE_END = re.compile(r"(?<![.!?])[.!?]++[\"')\]*_”’]*(?=\s|$)")


@instruction("length_constraints:number_sentences")
def number_sentences(text: str, *, num_sentences: int, relation: Relation) -> bool:
    """Less than, or at least, that many sentences."""
    return compare(_num_sentences(text), relation, num_sentences)


@instruction("length_constraints:number_words")
def number_words(text: str, *, num_words: int, relation: Relation) -> bool:
    """Less than, or at least, that many runs of letters and digits."""
    return compare(len(re.findall(r"\w+", text)), relation, num_words)


@instruction("length_constraints:number_paragraphs")
def number_paragraphs(text: str, *, num_paragraphs: int) -> bool:
    """Exactly that many paragraphs, divided by ***; only the first and last part may be empty."""
    parts = re.split(r"\s?\*\*\*\s?", text)
    inner = all(part.strip() for part in parts[1:-1])
    return inner and sum(bool(part.strip()) for part in parts) == num_paragraphs


@instruction("length_constraints:nth_paragraph_first_word")
def nth_paragraph_first_word(text: str, *, num_paragraphs: int, nth_paragraph: int, first_word: str) -> bool:
    """That many paragraphs, divided by empty lines, and the nth begins with the word."""
    parts = text.split("\n\n")
    num_filled = sum(bool(part.strip()) for part in parts)
    if num_filled != num_paragraphs or not 0 < nth_paragraph <= num_filled or not parts[nth_paragraph - 1].strip():
        return False
    word = parts[nth_paragraph - 1].split()[0].lstrip("'").lstrip('"')
    return re.split(r"[.,?!'\"]", word)[0].lower() == first_word.lower()


@instruction("detectable_content:number_placeholders")
def number_placeholders(text: str, *, num_placeholders: int) -> bool:
    """At least that many [placeholders]."""
    return sum(map(_num_brackets, text.split("\n"))) >= num_placeholders


@instruction("detectable_content:postscript")
def postscript(text: str, *, postscript_marker: str) -> bool:
    """The postscript's marker occurs, spaced or not."""
    patterns = {"P.S.": r"p\.\s?s\.", "P.P.S": r"p\.\s?p\.\s?s"}
    pattern = patterns.get(postscript_marker, re.escape(postscript_marker.lower()))
    return re.search(pattern, text.lower()) is not None


@instruction("detectable_format:number_bullet_lists")
def number_bullet_lists(text: str, *, num_bullets: int) -> bool:
    """Exactly that many lines that begin with * or -."""
    stars = re.findall(r"^[^\S\n]*\*[^\*].*$", text, re.MULTILINE)
    dashes = re.findall(r"^[^\S\n]*-.*$", text, re.MULTILINE)
    return len(stars) + len(dashes) == num_bullets


@instruction("detectable_format:constrained_response")
def constrained_response(text: str) -> bool:
    """One of the three allowed answers occurs."""
    return any(f"My answer is {word}." in text for word in ("yes", "no", "maybe"))


@instruction("detectable_format:number_highlighted_sections")
def number_highlighted_sections(text: str, *, num_highlights: int) -> bool:
    """At least that many *highlights* on one line; a **double** one also counts as IFEval counts it."""
    single = re.findall(r"\*[^\n\*]*\*", text)
    double = re.findall(r"\*\*[^\n\*]*\*\*", text)
    return sum(bool(part.strip("*").strip()) for part in single + double) >= num_highlights


@instruction("detectable_format:multiple_sections")
def multiple_sections(text: str, *, section_spliter: str, num_sections: int) -> bool:
    """At least that many headings such as `SECTION 1`."""
    return len(re.findall(rf"\s?{re.escape(section_spliter.strip())}\s?\d+\s?", text)) >= num_sections


@instruction("detectable_format:json_format")
def json_format(text: str) -> bool:
    """The whole text is JSON, in a fence or not."""
    text = re.sub(r"^```(?:json|Json|JSON)?", "", text.strip()).removesuffix("```").strip()
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


@instruction("detectable_format:title")
def title(text: str) -> bool:
    """A <<title>> that is not empty occurs."""
    for line in text.split("\n"):
        start, end = line.find("<<"), line.rfind(">>")
        if 0 <= start < end and line[start:end].lstrip("<").rstrip(">").strip():
            return True
    return False


@instruction("combination:two_responses")
def two_responses(text: str) -> bool:
    """Two different responses, divided by six asterisks."""
    parts = text.split("******")
    if not all(part.strip() for part in parts[1:-1]):
        return False
    filled = [part.strip() for part in parts if part.strip()]
    return len(filled) == 2 and filled[0] != filled[1]


@instruction("combination:repeat_prompt")
def repeat_prompt(text: str, *, prompt_to_repeat: str) -> bool:
    """The text begins with the prompt, word for word."""
    return text.strip().lower().startswith(prompt_to_repeat.strip().lower())


@instruction("startend:end_checker")
def end_checker(text: str, *, end_phrase: str) -> bool:
    """The text ends with the phrase, quotation marks aside."""
    return text.strip().strip('"').lower().endswith(end_phrase.strip().lower())


@instruction("startend:quotation")
def quotation(text: str) -> bool:
    """The whole text stands in double quotation marks."""
    text = text.strip()
    return len(text) > 1 and text[0] == text[-1] == '"'


def _num_brackets(line: str) -> int:
    """Count [ … ] in a line, each closed by the first ] after it."""
    count, position = 0, line.find("[")
    while position >= 0 and (end := line.find("]", position)) >= 0:
        count, position = count + 1, line.find("[", end)
    return count


def _num_sentences(text: str) -> int:
    """Count stretches ended by . ! or ? before a space; a last one without a stop counts too."""
    text = _ABBREVIATION.sub(lambda found: found[0][:-1], text.strip())
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return len(ends) + bool(re.search(r"\w", text[ends[-1] if ends else 0 :]))
