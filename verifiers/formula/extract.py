"""Where in a model's text the final answer stands; the last one stated counts.

Looked for in this order: `\\boxed{…}`, "(final) answer is …", "Answer: …" and `#### …` (whichever comes
last); a text that is as a whole short enough to be the answer; the last line's `$…$`, `= …` or number.
Boxes on one line joined only by commas, "and", "or" are one answer, so naming two does not pass as one.
"""

from __future__ import annotations

import re

MAX_TEXT_CHARS = 60_000
MAX_SHORT_CHARS = 160
MAX_LINE_CHARS = 2000
MAX_BOXES = 64
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_STATED = re.compile(
    r"(?:####\s*|\b(?:final\s+answer|answer)\b(?:\s+is\s*:?|\s*:|\s*=)[*\s]*)(?P<said>[^\n]+)", re.IGNORECASE
)
_INLINE = re.compile(r"\$\$?([^$]+)\$\$?|\\\((.+?)\\\)|\\\[(.+?)\\\]")
NUMBER = re.compile(
    r"(?:(?<![\w)}])[-−])?(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:\s*/\s*\d+)?\s*(?:\\?%)?"
)


def stated(text: str) -> str | None:
    """Return what the text marks as its answer, or None."""
    text = text[-MAX_TEXT_CHARS:]
    boxes = _boxes(text)
    saids = [(match.start("said"), match["said"]) for match in _STATED.finditer(text)]
    box = boxes[-1] if boxes else (-1, "")
    said = saids[-1] if saids else (-1, "")
    if box[0] < 0 and said[0] < 0:
        return None
    if box[0] >= said[0]:
        return box[1]
    return _boxless(said[1])


def only_number(text: str) -> str | None:
    """Return the number in a text that has just one."""
    numbers = [match[0].strip() for match in NUMBER.finditer(text)]
    return numbers[0] if len(numbers) == 1 else None


def shown(text: str) -> list[str]:
    """Return what an unmarked text may be giving as its answer, best first."""
    text = text.strip()
    if not text:
        return []
    candidates = [text] if len(text) <= MAX_SHORT_CHARS and "\n" not in text else []
    last = text[-MAX_TEXT_CHARS:].splitlines()[-1].strip().strip("*")[-MAX_LINE_CHARS:]
    inline = [next(group for group in match.groups() if group) for match in _INLINE.finditer(last)]
    if inline:
        candidates.append(inline[-1])
        candidates.append(inline[-1].rpartition("=")[2])
    if "=" in last:
        candidates.append(last.rpartition("=")[2])
    numbers = [match[0].strip() for match in NUMBER.finditer(text[-MAX_TEXT_CHARS:])]
    return candidates + numbers[-1:]


def _boxes(text: str) -> list[tuple[int, str]]:
    """Return (position, content) of every box, neighbours joined."""
    found: list[tuple[int, str]] = []
    end = -1
    for match in list(_BOXED.finditer(text))[-MAX_BOXES:]:
        if match.start() < end:
            continue
        closing = _closing(text, match.end())
        if closing is None:
            continue
        content = text[match.end() : closing].strip()
        glue = text[end : match.start()] if found else "\n"
        end = closing + 1
        if not content:
            continue
        if re.fullmatch(r"[\s$,;]*(?:\\text\{)?\s*(?:and|or)?\s*\}?[\s$,;]*", glue) and "\n" not in glue:
            content = f"{found.pop()[1]}, {content}"
        found.append((match.start(), content))
    return found


def _closing(text: str, start: int) -> int | None:
    """Return the index of the brace that closes the one before start."""
    depth = 1
    for index in range(start, min(len(text), start + 4000)):
        if text[index] in "{}" and text[index - 1] != "\\":
            depth += 1 if text[index] == "{" else -1
            if depth == 0:
                return index
    return None


def _boxless(said: str) -> str:
    """Trim a stated answer to its first sentence or formula."""
    said = said[:MAX_LINE_CHARS].strip().strip("*").strip()
    if match := _INLINE.match(said):
        rest = said[match.end() :]
        if re.match(r"\W*(?:$|[A-Z])|\s*\.", rest):
            return next(group for group in match.groups() if group)
    return re.split(r"\.(?:\s|$)", said)[0].strip().strip("*").strip()
