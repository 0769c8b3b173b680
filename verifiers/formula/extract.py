"""Where in a model's text the final answer stands; the last one stated counts.

Looked for in this order: `\\boxed{…}`, "(final) answer is …", "Answer: …" and `#### …` (whichever comes last); a text
that is as a whole short enough to be the answer; of the last line that has any, the last `$…$`, `= …` or number.
A statement without a digit or formula does not outrank a box before it ("the final answer is correct"). Boxes on one
line joined only by commas, "and", "or" (and the names of things) are one answer, so naming two does not pass as one.
Every pattern is linear in the text, of which the last 60,000 characters are read.
"""

from __future__ import annotations

import re
from itertools import islice

from gradus.verifiers.formula.words import CHANGING, NUMBERING

MAX_TEXT_CHARS = 60_000
MAX_SHORT_CHARS = 160
MAX_LINE_CHARS = 1000
MAX_BOXES = 64
MAX_MARKS = 8
MAX_BOX_CHARS = 4000
MAX_GLUE_CHARS = 80
MAX_LINES = 200
MAX_CORRECTION_CHARS = 60
_BOXED = re.compile(r"\\(?:boxed|fbox)(?:\s?\{|\s(?P<bare>[\w.,/+-]{1,40}))")
_NESTED = re.compile(r"\\(?:boxed|fbox)\s?\{(.*)\}", re.DOTALL)
_MARK = re.compile(r"####|\banswer(?:\*\*)?(?:\s+is\b\s?:?|\s?:(?:\*\*)?|\s?=)", re.IGNORECASE)
_HEADING = re.compile(r"final answer[*:]*\s*\n\s*", re.IGNORECASE)
_INLINE = re.compile(r"\$\$?([^$]+)\$\$?|\\\((.+?)\\\)|\\\[(.+?)\\\]")
_SPAN = r"(?:\$[^$\n]+\$|\\\([^\n]+?\\\))"
_SPANS = re.compile(rf"{_SPAN}(?:,\s?{_SPAN})*,?\s(?:or|and)\s{_SPAN}")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)")
_FOLLOWS_ON = re.compile(r"\W*(?:$|[A-Z])|\s*[.\"]")
_NOT_GLUE = re.compile(
    r"[\n.!?:+<>]|\\n|\b(?:so|thus|hence|then|therefore|is|equals|which|we|no|not|wait|actually|instead|but|gives?|because)\b"
)
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_FORMULA = re.compile(r"[\d!%^*+=<>_|]|\\(?!text|mathrm|\$|[,;: ])")
_DENIES = re.compile(r"\b(?:not|no|cannot|incorrect|wrong|unknown|never)\b|n['’]t\b|\?", re.IGNORECASE)
_CORRECTS = re.compile(r"\b(?:no|wait|actually|or|rather|instead|correction|not|sorry)\b", re.IGNORECASE)
_REASON = re.compile(r"\s(?:because|since|as|which|so that|where we)\s|\s\((?:see|as|from|by|using|since)\b")
_JOINS = re.compile(r"\b(?:and|or)\b|,|;")
NUMBER = re.compile(
    r"(?:(?<![\w)}])[-−])?(?<![A-Za-z\d_])(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:[.,]\d+)?|\.\d+)(?:\s?/\s?\d+)?"
    r"(?!\d|[.,]\d)(?:(?=(?:[kcm]?m|k?g|m?s|h|ft|in|lb|th|st|nd|rd|mph|min)(?![A-Za-z]))|(?![A-Za-z_]))(?:\s?\\?%)?"
)

_NUMBERS = re.compile(rf"{NUMBER.pattern}(?:,\s{NUMBER.pattern})*,?\s(?:or|and)\s{NUMBER.pattern}")


def stated(text: str) -> str | None:
    """Return what the text marks as its answer, or None."""
    text = text[-MAX_TEXT_CHARS:]
    box = _last_box(text)
    said = _last_said(text)
    if said is None or (box is not None and box[0] >= said[0]):
        return box[1] if box else None
    if box is not None and not _says_something(said[1]):
        return box[1]
    return said[1]


def only_number(text: str) -> str | None:
    """Return the number in a sentence that has just one, and no other mathematics."""
    numbers = [match[0].strip() for match in islice(NUMBER.finditer(text), 2)]
    if (
        len(numbers) != 1
        or not _WORD.search(text)
        or CHANGING.search(text)
        or NUMBERING.search(text)
        or _FORMULA.search(text.replace(numbers[0], "", 1))
    ):
        return None
    return numbers[0]


def shown(text: str) -> list[str]:
    """Return what an unmarked text may be giving as its answer, best first."""
    text = text.partition("<|")[0].strip()
    if not text:
        return []
    candidates = [text] if len(text) <= MAX_SHORT_CHARS and "\n" not in text else []
    lines = (_line_end(line.strip().strip("*")) for line in reversed(text[-MAX_TEXT_CHARS:].splitlines()))
    last = next((line for line in islice(lines, MAX_LINES) if _DIGIT.search(line) or _INLINE.search(line)), "")
    last = _joined(last)
    inline = [(match.end(), _inner(match)) for match in _INLINE.finditer(last)]
    numbers = [(match.end(), match[0].strip()) for match in NUMBER.finditer(last)]
    numbers = [(match.end(), match[0]) for match in _NUMBERS.finditer(last) if match.end() == numbers[-1][0]] or numbers
    if not _WORD.search(last):
        numbers = []
    if denial := max((match.end() for match in _DENIES.finditer(last)), default=0):
        # "It is not 5 but 6": what follows the denied number may be the answer.
        denied = next((end for end, _ in numbers if end > denial), MAX_LINE_CHARS)
        numbers = [part for part in numbers if part[0] > denied]
        inline = [part for part in inline if part[0] > denial]
        candidates = [] if len(text) > len(last) else candidates
    if inline:
        ended = inline[-1][1].rstrip().endswith(".") and numbers and numbers[-1][0] > inline[-1][0]
        later = ended or (numbers and _SENTENCE_END.search(last, inline[-1][0], numbers[-1][0]))
        candidates += [numbers[-1][1]] if later else []
        candidates += [inline[-1][1], inline[-1][1].rpartition("=")[2]]
    if "=" in last and not denial:
        candidates.append(last.rpartition("=")[2].strip(" .$*"))
    candidates += [last] if len(last) <= MAX_SHORT_CHARS and not denial else []
    return candidates + [number for _, number in numbers[-1:]]


def _line_end(line: str) -> str:
    """Return the last characters of a long line, from a blank on."""
    return line if len(line) <= MAX_LINE_CHARS else line[-MAX_LINE_CHARS:].partition(" ")[2]


def _joined(text: str) -> str:
    """Make one formula of those that only commas and an `or` or `and` divide: naming two does not pass as one."""
    return _SPANS.sub(lambda match: f"${', '.join(_inner(one).strip() for one in _INLINE.finditer(match[0]))}$", text)


def _says_something(text: str) -> bool:
    """Whether there is a digit or formula in it."""
    return any(c.isdigit() or c in "$\\" for c in text)


def _inner(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group)


def _last_box(text: str) -> tuple[int, str] | None:
    """Return (position, content) of the last box, its neighbours joined."""
    if "boxed" not in text and "fbox" not in text:
        return None
    found: list[tuple[int, str]] = []
    end = -1
    for match in list(_BOXED.finditer(text))[-MAX_BOXES:]:
        if match.start() < end:
            continue
        closing = match.end() - 1 if match["bare"] else _closing(text, match.end())
        if closing is None:
            continue
        content = (match["bare"] or text[match.end() : closing]).strip()
        while nested := _NESTED.fullmatch(content):
            content = nested[1].strip()
        glue = text[end : match.start()] if found else "\n"
        end = closing + 1
        if not content:
            continue
        if _is_glue(glue):
            content = f"{found.pop()[1]}, {content}"
        found.append((match.start(), content))
    return found[-1] if found else None


def _is_glue(between: str) -> bool:
    """Whether what stands between two boxes makes them one answer."""
    if len(between) > MAX_GLUE_CHARS or _NOT_GLUE.search(between):
        return False
    return bool(_JOINS.search(between)) or not between.strip(" $\\()[]")


def _closing(text: str, start: int) -> int | None:
    """Return the index of the brace that closes the one before start."""
    depth = 1
    for index in range(start, min(len(text), start + MAX_BOX_CHARS)):
        if text[index] in "{}" and text[index - 1] != "\\":
            depth += 1 if text[index] == "{" else -1
            if depth == 0:
                return index
    return None


def _last_said(text: str) -> tuple[int, str] | None:
    """Return (position, content) of the last answer put in words."""
    marks = list(_MARK.finditer(text)) + list(_HEADING.finditer(text))
    for mark in sorted(marks, key=re.Match.end, reverse=True)[:MAX_MARKS]:
        said = _trimmed(text[mark.end() : mark.end() + MAX_LINE_CHARS].partition("\n")[0])
        if said:
            return mark.end(), said
    return None


def _trimmed(said: str) -> str:
    """Cut a stated answer to its first sentence or formula."""
    said = said.partition("<|")[0].strip().lstrip("*: ").strip()
    said = _joined(said)
    if said.startswith(('\\"', '"')):
        said = said.lstrip('\\"')
    if match := _INLINE.match(said):
        rest = said[match.end() :]
        near = rest[:MAX_CORRECTION_CHARS]
        if _CORRECTS.search(near) and (later := list(_INLINE.finditer(near)) or list(NUMBER.finditer(near))):
            return later[-1][0].strip(" $")
        if _FOLLOWS_ON.match(rest):
            return _inner(match).strip()
    sentence, *after = _SENTENCE_END.split(said, maxsplit=1)
    if after and said[len(sentence)] == "?":
        return ""
    if not _INLINE.search(sentence):
        sentence = _REASON.split(sentence, maxsplit=1)[0]
    return sentence.strip().strip('*"').rstrip("\\").strip()
