"""Chains of sides in a text: where an equation begins and ends, and which words are only its units.

A side is a run of numbers, signs, brackets, LaTeX and, between mathematical delimiters, letters. Outside them a word
ends a run, but for words right behind a number, which are its unit ("48 clips + 24 clips"). A side is open where the
text goes on with arithmetic in words or symbols that are not part of it: its value may be another then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gradus.verifiers.statements import tokens
from gradus.verifiers.statements.masks import CLOSE, OPAQUE, OPEN, PARTED, masked

MAX_TEXT_CHARS = 200_000
MAX_UNIT_WORDS = 4


@dataclass(slots=True)
class Side:
    """One side of a chain; units are words and currencies, which its text leaves out."""

    start: int
    end: int = 0
    pieces: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    is_open: bool = False

    @property
    def text(self) -> str:
        return "".join(self.pieces).strip()


@dataclass(slots=True)
class Chain:
    """Sides and the signs between them."""

    sides: list[Side]
    signs: list[str]

    @property
    def start(self) -> int:
        return self.sides[0].start

    @property
    def end(self) -> int:
        return self.sides[-1].end


def chains(text: str) -> Iterator[Chain]:
    """Yield the chains of a text, in order."""
    text = masked(text[:MAX_TEXT_CHARS])
    start, is_math = 0, False
    for line in text.splitlines(keepends=True):
        if tokens.RELATION.search(line):
            yield from _Reader(line, start, is_math).read()
        opened, closed = line.rfind(OPEN), line.rfind(CLOSE)
        is_math = is_math if opened == closed else opened > closed
        start += len(line)


class _Reader:
    """Reads one line from left to right; each method takes one kind of token."""

    def __init__(self, line: str, offset: int, is_math: bool) -> None:
        self.line, self.offset, self.is_math = line, offset, is_math
        self.side: Side | None = None
        self.sides: list[Side] = []
        self.signs: list[str] = []
        self.found: list[Chain] = []
        self.last = ""
        """What came before: operand, operator, unit, word, relation, or nothing."""
        self.said = (0, 0)
        self.passed = 0
        """Up to where a unit's power has been read: cm^2."""
        self.num_open = 0
        self.is_part = False
        """Whether the next side is a part of something that came before it."""

    def read(self) -> list[Chain]:
        for match in tokens.TOKEN.finditer(self.line):
            if match.start() < self.passed:
                continue
            take: Callable[[re.Match[str]], None] = getattr(self, match.lastgroup or "stop")
            take(match)
        self.stop()
        return self.found

    def add(self, match: re.Match[str], piece: str, last: str = "operand") -> None:
        """Append a piece to the side, which begins here if there is none."""
        if self.side is None:
            before = self.line[max(0, match.start() - 4) : match.start()]
            is_part = self.is_part or bool((tokens.CUT_OFF if len(match[0]) != 3 else tokens.CUT_OFF_3).search(before))
            self.side = Side(self.offset + match.start(), is_open=is_part)
            self.num_open, self.is_part = 0, False
        elif self.line[match.start() - 1].isspace():
            piece = f" {piece}"
        self.side.pieces.append(piece)
        self.side.end = self.offset + match.end()
        self.last = last

    def stop(self, match: re.Match[str] | None = None) -> None:
        """End the chain, at a sign or at the line's end."""
        sign = match[0] if match else ""
        if self.side is not None:
            is_ratio = match is not None and sign == ":" and bool(tokens.RATIO.match(self.line, match.end()))
            self.side.is_open |= self.last == "operator" or is_ratio or sign in {OPAQUE, PARTED}
            self.sides.append(self.side)
        if len(self.sides) > 1:
            self.found.append(Chain(self.sides, self.signs[: len(self.sides) - 1]))
        self.side, self.last, self.is_part = None, "", sign == PARTED
        self.sides, self.signs = [], []

    def divide(self) -> None:
        """End the chain where what follows may yet belong to its last side."""
        if self.side is not None:
            self.side.is_open = True
        self.stop()
        self.is_part = True

    def begin_anew(self) -> None:
        """End the chain at a number behind words: 6 feet 7 inches is one quantity, "$50 a pair costs $50" are two."""
        is_one = self.side is not None and len(self.side.units) == 1
        self.stop()
        self.is_part = is_one

    def number(self, match: re.Match[str]) -> None:
        if self.last == "unit":
            self.begin_anew()
        self.add(match, match[0])

    def relation(self, match: re.Match[str]) -> None:
        text = match[0]
        if self.side is None and self.last == "word":
            self.side = Side(*self.said, is_open=True)
        if self.side is None:
            self.stop()
        else:
            self.side.is_open |= self.last == "operator"
            self.sides.append(self.side)
            self.signs.append(tokens.SIGNS.get(text, text))
            self.side = None
        self.last = "relation"

    def operator(self, match: re.Match[str]) -> None:
        text = match[0]
        is_unit = (tokens.UNIT_AFTER_SLASH if text == "/" else tokens.UNIT_AFTER_HYPHEN).match
        if self.side is None and (self.last == "word" or (self.last != "relation" and text not in "-−–+√")):
            self.is_part = True
        elif text in tokens.POSTFIX:
            self.add(match, text)
        elif text in "/-" and not self.is_math and self.last in {"operand", "unit"} and is_unit(self.line, match.end()):
            self.last = "unit"
        else:
            self.add(match, text, "operator")

    def bracket(self, match: re.Match[str]) -> None:
        text = match[0]
        sign, is_apart = text[-1], self.line[match.start() - 1 : match.start()].isspace()
        if (sign == "|" and is_apart and not self.is_math) or (sign in ")]" and self.num_open == 0):
            self.stop()
        elif sign != "}" or self.num_open:
            if sign in "([" and is_apart and not self.is_math and self.last in {"operand", "unit"}:
                self.divide()
            self.add(match, text, "operator" if sign in tokens.OPENERS else "operand")
            self.num_open += (sign in tokens.OPENERS) - (sign in tokens.CLOSERS)

    def money(self, match: re.Match[str]) -> None:
        text = match[0]
        if self.last == "unit":
            self.begin_anew()
        elif self.last == "operand" and tokens.NUMBER_NEXT.match(self.line, match.end()):
            self.divide()
        if self.side is None:
            self.add(match, "", "operator")
        assert self.side is not None
        self.side.units.append(tokens.MONEY.get(text[-1], text))

    def phrase(self, match: re.Match[str]) -> None:
        words = tokens.WORD.findall(match[0].partition("{")[2])
        if len(words) == 1 and len(words[0]) == 1 and self.last != "operand":
            return self.add(match, words[0])
        for word in words:
            self.word(match, word)
        return None

    def name(self, match: re.Match[str]) -> None:
        """Take letters: symbols, a function, or a word."""
        text = match[0]
        if text in "xX" and self.last in {"operand", "unit"} and tokens.NUMBER_NEXT.match(self.line, match.end()):
            self.add(match, "*", "operator")
        elif text in tokens.NAMES:
            self.add(match, text, "operand" if text == "pi" else "operator")
        elif self.is_math or self.line[match.start() - 1] in ")}" or (len(text) == 1 and self.is_symbol(match)):
            self.add(match, text)
        elif text == "of" and self.is_share() and tokens.NUMBER_NEXT.match(self.line, match.end()):
            self.add(match, "*", "operator")
            if self.sides and self.side is not None:  # "= 1/3 of 150": is 1/3 the result, or 50?
                self.side.is_open = True
        else:
            self.word(match, text)

    def is_symbol(self, match: re.Match[str]) -> bool:
        """Whether a letter outside mathematics is a variable: 2x, x + 1, but not "24 a day"."""
        is_behind = self.last == "operator" or (self.last == "operand" and not self.line[match.start() - 1].isspace())
        return is_behind or bool(tokens.SIGN_NEXT.match(self.line, match.end()))

    def is_share(self) -> bool:
        """Whether what stands before "of" is a percentage or a fraction."""
        return (
            self.side is not None
            and self.last == "operand"
            and ("%" in self.side.pieces[-1] or "/" in self.side.pieces[-2:-1])
        )

    def word(self, match: re.Match[str], text: str) -> None:
        """Take a word: a unit behind a number, else the end of the chain."""
        is_unit = self.side is not None and self.last in {"operand", "unit"} and text.lower() not in tokens.ENDS
        if self.side is not None and self.last == "operand" and text == "of":
            self.side.is_open = True
        if self.side is not None and is_unit and len(self.side.units) < MAX_UNIT_WORDS:
            self.side.units.append(text)
            self.last = "unit"
            power = tokens.POWER.match(self.line, match.end())
            self.passed = power.end() if power else 0
        else:
            self.stop()
            self.last = "word"
            self.said = self.offset + match.start(), self.offset + match.end()

    def degrees(self, _match: re.Match[str]) -> None:
        if self.side is not None:
            self.side.units.append("degree")

    def subscript(self, match: re.Match[str]) -> None:
        if self.side is not None:
            self.add(match, match[0])

    def command(self, match: re.Match[str]) -> None:
        text = match[0]
        if text not in tokens.SHOWING:
            self.add(match, text)

    def comma(self, match: re.Match[str]) -> None:
        if self.side is not None and self.num_open > 0:
            self.add(match, match[0], "operator")
        else:
            if self.side is not None and tokens.DIGIT.match(self.line, match.end()):
                self.side.is_open = True  # 1,0250: misprinted, or a decimal comma
            self.stop()

    def delimiter(self, match: re.Match[str]) -> None:
        text = match[0]
        self.is_math = text[-1] == OPEN
        if OPEN in text and self.last in {"operand", "unit"}:
            self.divide()
