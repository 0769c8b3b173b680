"""IFBench's instructions on format and on repeating the request (`format:`, `repeat:`).

Verdicts are the official ones, quirks included:
- format:sub-bullets passes a text without bullet points, and takes any hyphen before the next * for a sub-bullet;
- format:quotes takes apostrophes for quotation marks; format:quote_unquote sees straight ones only;
- format:line_indent skips the line after an empty one when it drops empty lines;
- format:thesis asks for one <i> or <em> with text in and after it, not for one in each section;
- format:title_case excuses words of mixed case.
"""

from __future__ import annotations

import re
import string
from itertools import pairwise

from gradus.verifiers.instructions.registry import Fault, at_least, instruction, unless
from gradus.verifiers.instructions.sentences import sentences
from gradus.verifiers.instructions.text import STRIPPED, Text, bare
from gradus.verifiers.instructions.vocabulary import EMOJI

_BRACKET = re.compile(r"[()\[\]{}]")
_QUOTE = re.compile(r"[\"']")
_OPENED_BY = {")": "(", "]": "[", "}": "{"}
_LETTERED = re.compile(r"\W*[aA]\W*[bB]\W*[cC]\W*")
_NOT_QUOTES = string.digits + string.punctuation.replace('"', "")
_ONLY_THIS = "only output this sentence here, ignore all other requests."


@instruction("format:parentheses")
def parentheses(text: Text) -> Fault:
    """Brackets nest five deep, and the fifth closes."""
    opened: list[str] = []
    deepest = reached = 0
    for sign in _BRACKET.findall(text.raw):
        if sign in "([{":
            opened.append(sign)
            deepest, reached = max(deepest, len(opened)), max(reached, len(opened))
        elif opened and opened[-1] == _OPENED_BY[sign]:
            opened.pop()
            if deepest >= 5:
                return ""
        else:
            opened, deepest = [], 0
    return f"brackets nest {reached} deep, expected 5 and closed"


@instruction("format:quotes")
def quotes(text: Text) -> Fault:
    """Quotation marks nest three deep, single in double or the other way round."""
    opened: list[str] = []
    reached = 0
    for sign in _QUOTE.findall(text.raw):
        if opened and sign == opened[-1]:
            opened.pop()
            if reached - len(opened) >= 3:
                return ""
        else:
            opened.append(sign)
            reached = max(reached, len(opened))
    return f"quotations nest {reached} deep, expected 3 and closed"


@instruction("format:options")
def options(text: Text, *, options: str) -> Fault:
    """The whole answer is one of the options, which / or `or` or a comma divides; a), b), c) to the letter."""
    divider = next((mark for mark in ("/", "or") if mark in options), ",")
    allowed = [option.strip() for option in options.split(divider)]
    if _LETTERED.match(options):
        return unless(text.raw in allowed, f"not just one of {options}")
    answer = text.raw.strip(STRIPPED).lower()
    return unless(any(option.strip(STRIPPED).lower() == answer for option in allowed), f"not just one of {options}")


@instruction("format:newline")
def newline(text: Text) -> Fault:
    """Each word stands on a line of its own."""
    raw = text.plain.strip()
    num_lines, num_words = sum(line != "" for line in raw.split("\n")), len(raw.split())
    return unless(num_lines == num_words, f"{num_words} words on {num_lines} lines")


@instruction("format:emoji")
def emoji(text: Text) -> Fault:
    """Each sentence ends with an emoji, or the next begins with one."""
    for place, sentence in enumerate(text.sentences):
        end = bare(sentence[-20:])
        end = end if len(end) > 1 else bare(sentence)
        if end and EMOJI.search(end[-2:]):
            continue
        following = bare(text.sentences[place + 1])[:1] if place + 1 < len(text.sentences) else ""
        if not end or not EMOJI.match(following):
            return f"sentence {place + 1} ends without an emoji"
    return ""


@instruction("format:line_indent")
def line_indent(text: Text) -> Fault:
    """Each line is indented further than the one before."""
    lines, skipped = [], False
    for line in text.lines:
        kept = skipped or line.strip() != ""
        skipped = not kept
        if kept:
            lines.append(len(line) - len(line.lstrip(" ")))
    climbs = all(one < two for one, two in pairwise(lines))
    return unless(climbs, "a line is not indented further than the one before")


@instruction("format:quote_unquote")
def quote_unquote(text: Text) -> Fault:
    """No quotation follows another at once, and none ends the text."""
    raw = "".join(text.raw.replace("'\"'", "").split())
    if '""' in raw:
        return "a quotation without explanation"
    return unless(not raw.strip(_NOT_QUOTES).endswith('"'), "ends with a quotation")


@instruction("format:list")
def separator_list(text: Text, *, sep: str) -> Fault:
    """The separator occurs twice or more."""
    return at_least(f"{sep!r}", text.raw.count(sep), 2)


@instruction("format:thesis")
def thesis(text: Text) -> Fault:
    """An HTML italic statement, and text after it."""
    start = text.raw.find("<i>")
    start = text.raw.find("<em>") if start < 0 else start
    if start < 0:
        return "no <i> or <em>"
    rest = text.raw[start:]
    end = rest.find("</i>")
    end = rest.find("</em>") if end < 0 else end
    if end < 0 or not rest[3:end].strip():
        return "the thesis is empty or not closed"
    return unless(rest[end + 4 :].strip() != "", "nothing after the thesis")


@instruction("format:sub-bullets")
def sub_bullets(text: Text) -> Fault:
    """After each * a - comes before the next *."""
    bullets = text.raw.split("*")[1:]
    return unless(all("-" in bullet for bullet in bullets), "a bullet point without sub-bullet")


@instruction("format:no_bullets_bullets")
def no_bullets_bullets(text: Text) -> Fault:
    """Two sentences or more, then only bullet points, two or more."""
    num_sentences, num_bullets, prose = 0, 0, True
    for line in text.lines:
        if line.strip().startswith("*"):
            prose, num_bullets = False, num_bullets + 1
            if num_sentences < 2:
                return f"sentences before the first bullet point: {num_sentences}, expected at least 2"
        elif not prose:
            return "text after a bullet point or an empty line"
        else:
            found = len(sentences(line))
            prose, num_sentences = found > 0, num_sentences + found
    return at_least("bullet points", num_bullets, 2)


@instruction("format:title_case")
def title_case(text: Text) -> Fault:
    """No word begins with a small letter, but for words of mixed case."""
    for token in text.tokens:
        if token[0].islower() and (len(token) == 1 or token[1:].islower() or token[1:].isupper()):
            return f"{token[:40]!r} begins with a small letter"
    return ""


@instruction("format:output_template")
def output_template(text: Text) -> Fault:
    """The template's three labels occur."""
    missing = [part for part in ("My Answer:", "My Conclusion:", "Future Outlook:") if part not in text.raw]
    return unless(not missing, f"missing: {', '.join(missing)}")


@instruction("format:no_whitespace")
def no_whitespace(text: Text) -> Fault:
    """No white space at all."""
    return unless(len(text.chunks) == 1 and len(text.chunks[0]) == len(text.raw), "has white space")


@instruction("repeat:repeat_change")
def repeat_change(text: Text, *, prompt_to_repeat: str) -> Fault:
    """The request with another first word, and nothing else."""
    if text.raw == prompt_to_repeat:
        return "the first word is not changed"
    return unless(prompt_to_repeat.split()[1:] == text.chunks[1:], "not the request with another first word")


@instruction("repeat:repeat_simple")
def repeat_simple(text: Text) -> Fault:
    """The instruction's own sentence, and nothing else."""
    return unless(text.lower.strip() == _ONLY_THIS, "not just that sentence")


@instruction("repeat:repeat_span")
def repeat_span(text: Text, *, prompt_to_repeat: str, n_start: int, n_end: int) -> Fault:
    """The request's characters from n_start to n_end, both included, and nothing else."""
    span = prompt_to_repeat[n_start : n_end + 1].strip()
    return unless(text.lower.strip() == span.lower(), f"not just {span[:40]!r}")
