"""The options of a multiple-choice question: their labels, their texts, and which of them a phrase names.

A phrase names an option by its label ("B", "(b)", "option 2", "ii)"), by its place ("the second one", "the
last option") or by its text in full. Texts are compared without case, markup, spacing and a closing full stop,
but with their signs and points: -5 is not 5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from string import ascii_uppercase

Choices = Sequence[str] | Mapping[str, str]
NOUN = r"(?:options?|choices?|answers?|statements?|alternatives?|ones?)"
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
ROMANS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
_PLACE = re.compile(
    rf"(?:the\s+)?(?:(?P<word>{'|'.join(ORDINALS)}|last)|(?P<number>\d{{1,2}})(?:st|nd|rd|th))\s+{NOUN}\b",
    re.I,
)
_MARKUP = re.compile(
    r"\\(?:text|mathrm|textbf|mathbf|textit|boldsymbol)\s*\{([^{}]*)\}"
    r"|(?<!\w)[*_]{1,3}|[*_]{1,3}(?!\w)|[`$]|\\[()\[\]]"
)
_CAPITALS = re.compile(r"[A-Z]{2,}\b")
_MARKS = re.compile(r"[\\*_`$]")
# A text ends at punctuation that is not inside a number, or before a word that goes on about it.
_ENDS = r"(?=\s*(?:[;!?(\])—]|[.,:](?!\d)|$|\b(?:or|and|but|because|since|as|is|are|which|for)\b))"
_FOLLOWS = (
    r"(?=\s*(?:[,;:/&!?)\]—]|\.(?!\d)|$|[-–]\s)"
    r"|\s+(?:or|and|but|nor|because|since|as|is|are|was|would|should|must|cannot|can't|isn't|which|for|[A-Z])\b|\s+\()"
)


@dataclass(frozen=True)
class Options:
    """Labels in order, and the text of each where it is known. several: more than one may be right."""

    labels: tuple[str, ...]
    texts: tuple[str, ...] = ()
    several: bool = False

    @classmethod
    def of(cls, choices: Choices | None, *, several: bool = False) -> Options:
        """Make them of a list (labelled A, B, …), of {label: text}, or of nothing: A to Z without texts."""
        if choices is None:
            return _options(tuple(ascii_uppercase), (), several)
        if isinstance(choices, Mapping):
            return _options(tuple(choices), tuple(choices.values()), several)
        return _options(tuple(ascii_uppercase[: len(choices)]), tuple(choices), several)

    def named(self, text: str, start: int) -> tuple[str, int] | None:
        """Return the option that text names at start, and where that ends."""
        return self.by_text(text, start) or self.by_label(text, start) or self._by_place(text, start)

    def whole(self, text: str) -> str | None:
        """Return the option whose text is all of this text."""
        wanted = plain(text)
        found = [label for label, known in zip(self.labels, self.texts, strict=False) if known == wanted]
        return found[0] if len(found) == 1 and wanted not in self._folded else None

    def run_together(self, text: str, start: int) -> tuple[frozenset[str], int] | None:
        """Return the options of "ACD", which is read so only where several may be right."""
        match = _CAPITALS.match(text, start) if self.several else None
        if match is None or len(set(match[0])) < len(match[0]) or not set(match[0]) <= {*self.labels}:
            return None
        return frozenset(match[0]), match.end()

    def by_text(self, text: str, start: int) -> tuple[str, int] | None:
        """Read an option's text in full; the longest that stands there."""
        for label, pattern in self._patterns:
            if match := pattern.match(text, start):
                return label, match.end()
        return None

    def by_label(self, text: str, start: int) -> tuple[str, int] | None:
        """Read a label: closed "(B)", followed by an end "B.", or introduced "option B", "option 2"."""
        match = self._label.match(text, start)
        if match is None:
            return None
        said = (match["turned"] or match["closed"] or match["bare"]).casefold()
        label = self._folded.get(said)
        if label is None:
            label = self._at(int(said) if said.isdigit() else 1 + ROMANS.index(said) if said in ROMANS else 0)
        return (label, match.end()) if label else None

    def _by_place(self, text: str, start: int) -> tuple[str, int] | None:
        match = _PLACE.match(text, start)
        if match is None:
            return None
        word = (match["word"] or "").lower()
        number = len(self.texts) if word == "last" else ORDINALS.index(word) + 1 if word else int(match["number"])
        label = self._at(number)
        return (label, match.end()) if label else None

    def _at(self, number: int) -> str | None:
        return self.labels[number - 1] if 1 <= number <= len(self.labels) else None

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {label.casefold(): label for label in self.labels}

    @cached_property
    def _patterns(self) -> list[tuple[str, re.Pattern[str]]]:
        """One pattern a text, the longest first; equal texts, and those that are labels, name nothing."""
        known = [(label, text) for label, text in zip(self.labels, self.texts, strict=False) if text]
        alone = [(n, t) for n, t in known if self.texts.count(t) == 1 and t not in self._folded]
        alone.sort(key=lambda pair: -len(pair[1]))
        words = ((label, r"\s+".join(map(re.escape, text.split()))) for label, text in alone)
        return [(label, re.compile(rf"[\"'“]?{word}[\"'”]?{_ENDS}", re.I)) for label, word in words]

    @cached_property
    def _label(self) -> re.Pattern[str]:
        one = "|".join(sorted(map(re.escape, self.labels), key=len, reverse=True))
        noun = r"(?:option|choice|answer|statement|alternative)s?\s*(?:no\.?|number|#)?\s*"
        return re.compile(
            rf"(?:the\s+)?{noun}[(\[]?(?P<turned>{one}|\d{{1,2}}|[ivx]+)[)\]]?(?![\w'’])"
            rf"|[(\[](?P<closed>{one})[)\]]|(?P<bare>{one})(?:[)\]]|(?![\w'’]){_FOLLOWS})",
            re.I,
        )


@lru_cache(maxsize=256)
def _options(labels: tuple[str, ...], texts: tuple[str, ...], several: bool) -> Options:
    """Keep what was made of a problem's choices: many answers to it are judged one after another."""
    return Options(labels, tuple(plain(text) for text in texts), several)


def bare(text: str) -> str:
    """Return text without Markdown's and LaTeX's marks around words."""
    for _ in range(3 if _MARKS.search(text) else 0):
        text = _MARKUP.sub(lambda match: match[1] or "", text)
    return text.strip()


def plain(text: str) -> str:
    """Return text without markup, case, needless spacing and a closing full stop."""
    return " ".join(bare(text).split()).rstrip(".").strip().casefold()
