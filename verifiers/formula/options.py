"""Multiple choice within mathematics: "B", "(B)", "B. 42" and "42" name the same option."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from string import ascii_uppercase

_LETTER = re.compile(r"\(([A-Z])\)(?P<text>.*)|([A-Z])(?:(?:[.)]|:(?=\s))(?P<text2>.*))?", re.DOTALL)
_WRAPPER = re.compile(r"\\(?:text|mathrm|textbf|mathbf|textsf|rm)\s?\{([^{}]*)\}")
_FILLER = re.compile(r"^(?:option|choice|answer)\b[\s:]*", re.IGNORECASE)


def lettered(text: str) -> tuple[str, str] | None:
    """Return the option's letter and the text behind it ("" if none), or None."""
    bare = _FILLER.sub(
        "", _WRAPPER.sub(r"\1", text[:500]).replace("$", "").replace("~", " ").strip().strip("*")
    ).strip()
    match = _LETTER.fullmatch(bare.rstrip("."))
    return (match[1] or match[3], (match["text"] or match["text2"] or "").strip()) if match else None


def chosen(said: str, choices: Sequence[str], same: Callable[[str, str], bool]) -> str | None:
    """Return the letter of the option that said names; None when it names none, or contradicts itself."""
    found = lettered(said)
    letters = ascii_uppercase[: len(choices)]
    if found and found[0] in letters:
        option = choices[letters.index(found[0])]
        contradicts = found[1] and not same(option, found[1]) and any(same(other, found[1]) for other in choices)
        return None if contradicts else found[0]
    named = [letter for letter, option in zip(letters, choices, strict=True) if same(option, said)]
    return named[0] if len(named) == 1 else None


def same_option(expected: str, said: str, same: Callable[[str, str], bool]) -> bool | None:
    """Compare "B" or "B. 42" with an answer where the choices are not known; None where it is no such question."""
    want, got = lettered(expected), lettered(said)
    if want is None and got is None:
        return None
    if want and got:
        if want[1] and got[1]:
            return want[0] == got[0] and same(want[1], got[1])
        return want[0] == got[0]
    if want and want[1]:
        return same(want[1], said)
    return None
