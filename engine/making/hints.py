"""Does a text give away that its writer was shown the answer?

A teacher who corrects a failure may be shown the reference answer; what the student learns from must not speak of it.
Found are, in English and a sentence at a time:
- what only somebody has who was shown something: a hint, a key, "the given answer", "as you said, the answer …";
- the right answer spoken of as known: as a premise ("since the right answer is 56"), as a goal ("to match the correct
  answer"), with its value ("the answer 56 tells us"). "So the right answer is 56" is a conclusion, "to find the
  correct answer" an aim, and neither gives anything away;
- stretches of the hint itself.

Not covered: a solution that only fits the answer it was shown, without a word about it; other languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MIN_COPIED_WORDS = 6
MIN_HINT_WORDS = 3

_SHOWN = "given|provided|supplied|stated|reference|official|ground[ -]truth|gold(?:en)?|hidden"
_PAST = f"(?:{_SHOWN}|specified|revealed|shown|told|disclosed)"
_GOOD = "(?:(?:final|right|correct|true|real|actual|exact) )"
_VALUE = r"\W*(?:[\d\\$(\[]|(?-i:[A-J])\b)"
_IS = "(?:is|was|were|has been|had been|must be|should be|has to be|of)"
_OPTIONS = r"(?!\W+(?:choices?|options?|formats?|types?|space|set)\b)"
_TELLER = (
    "user|prompt|instructions?|question setter|task setter|grader|verifier|checker|marker|judge|feedback|reference"
)

_TELLS = "expects?|wants?|needs?|accepts?|says?|states?|tells?|reveals?|gives?|shows?"
_KNEW = "was|were|am|are|have|had|gave|told|know|knew|showed|saw|provided"

TALK_OF_A_HINT = re.compile(r"^hint\b|\b(?:the|your|this|that|my) hint\b(?! of)|\bhinted\b", re.IGNORECASE)
SAYS_SO = [
    re.compile(rule, re.IGNORECASE)
    for rule in (
        rf"\b(?:{_SHOWN}|expected|intended|known|target|desired) {_GOOD}*answers?\b{_OPTIONS}",
        rf"\b(?:{_SHOWN}) {_GOOD}*(?:solution|result|output|label)\b",
        rf"\b(?:expected (?:result|solution)|reference value)\b(?= {_IS}{_VALUE})",
        r"\bthe expected\b(?=\W*\d)",
        r"\banswer key\b|\bground[ -]truth\b|\btask setter's\b",
        r"\b(?:with|per|to|matches) the reference\b(?=\s*[,.;:])",
        rf"\b(?:the|that|this) (?:{_TELLER}) (?:{_TELLS})\b"
        rf"(?=.*\banswer\b|{_VALUE}|.* (?:value|integer|number))",
        rf"\b{_GOOD}*(?:answer|output|solution),? {_IS} (?:already )?(?:{_PAST}|known)\b(?! (?:by|in|as an?)\b)",
        r"\banswer is (?:apparently|said|claimed)\b",
        r"\b(?:answer\b.*)?\bsupposed to be\b(?=\W*\d)",
        rf"\b(?:answer|solution),? (?:that )?(?:I|we|you) (?:{_KNEW})\b",
        r"\b(?:answer|solution),? (?:as (?:I|we) know|(?:that )?(?:was|were|has been) (?:given|shown|told) to)\b",
        rf"\b(?:answer|solution) {_PAST}(?= (?:is|was|to)\b|,? (?:I|we)\b)",
        rf"\b(?:I|we) (?:was|were|am|are|have been) {_PAST}\b[^.]{{0,30}}?\b(?:answer|solution)\b{_OPTIONS}",
        r"\b(?:stated|said|told|revealed) that the (?:right|correct|final) answer\b",
        r"\b(?:being|been|was|were) told the (?:right |correct |final )?answer\b",
        r"\byou (?:have |had )?(?:said|told|given|mentioned|stated|provided)\b.*\b(?:answer|solution)\b",
        r"\bas (?:you (?:said|told|mentioned|stated)|(?:we|I) (?:was|were|have been) (?:told|shown|given)"
        r"|was (?:given|told|shown) to (?:me|us))\b",
        rf"\b(?:answer|solution)\b[^.]*\bas (?:{_SHOWN}|indicated)\b(?=\s*[,.;:]|$)",
        rf"\bas (?:{_SHOWN}|indicated),[^.]*\banswer\b",
        r"\bhaving (?:seen|been shown|read) the (?:answer|solution)\b",
        r"\b(?:information|value) (?:provided|given) (?:about|for|as) the answer\b",
        # "The answer" with its value, or as a premise, where no "right" gives it away.
        rf"\b(?:since|because|as|assuming|given|knowing|if) (?:that )?(?:(?:we|I) (?:already )?know (?:that )?)?"
        rf"the answer {_IS}{_VALUE}",
        rf"\b(?:we|I) (?:already )?(?:know|have) (?:that )?the {_GOOD}*answer (?:is|was|must be|should be)\b{_VALUE}",
        r"\bknow(?:ing|n|s)? (?:that )?the (?:final|right|correct) answer\b",
        r"\bknown (?:in advance|beforehand)\b|\binformed that the answer\b",
        r"\bmy (?:answer|result)\b.*\bbut the (?:right|correct) answer\b",
        r"\b(?:justify|with|from|explain|use|using) the answer(?= \W*\d)",
        r"\b(?:as|that|what) the answer (?:requires|demands|says)\b",
    )
]
# The right answer, and what may stand around it.
RIGHT_ANSWER = re.compile(
    r"(?:\b(?:the|that|this|your) |^\W*)"
    r"(?:(?:right|correct|true) (?:final )?(?:answer|solution)|(?:real|actual) answer)\b",
    re.IGNORECASE,
)
CONCLUDES = re.compile(
    r"\s*(?:\([^)]{0,30}\)|to [^,.]{1,60}|here|now|then)?,?\s*"
    r"(?:is|are|was|would be|must be|should be|equals?|becomes?|:|=)",
    re.IGNORECASE,
)
PREMISE = re.compile(
    r"\b(?:since|because|as|given|if|know(?:s|n|ing)?|knew|seeing|assuming|told|said|says|states?"
    r"|according|now that)\b",
    re.IGNORECASE,
)
AIM = re.compile(
    r"\b(?:find|determine|select|choose|identify|pick|get|give|gives|giving|obtain|reach|compute|arrive at|is|are|be"
    r"|not|was|isn't|only|than|towards?)\s*$",
    re.IGNORECASE,
)
WITH_VALUE = re.compile(rf"(?: of| which is)?{_VALUE}|, which is{_VALUE}", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_PIECE = re.compile(r"\S.{0,400}(?!\S)|\S{1,400}")
"""The rules take the square of a sentence's length: a longer one is read in pieces."""
_WORD = re.compile(r"\w+")


def mention(text: str, *, hint: str = "", prompt: str = "") -> str:
    """Return the first words that speak of the hint, or are its own; empty for none.

    hint is what the writer was shown beside the problem; what the problem itself speaks of is no mention.
    """
    sentences = [piece for sentence in _SENTENCE.split(text) for piece in _PIECE.findall(" ".join(sentence.split()))]
    said = prompt.lower()
    for sentence in sentences:
        for found in _mentions(sentence, may_hint="hint" in said):
            if found.lower() not in said:
                return found
    return _copied(sentences, _WORD.findall(hint.lower()), _WORD.findall(said))


def _mentions(sentence: str, *, may_hint: bool) -> Iterator[str]:
    for rule in SAYS_SO if may_hint else (TALK_OF_A_HINT, *SAYS_SO):
        if found := rule.search(sentence):
            yield found[0]
    for found in RIGHT_ANSWER.finditer(sentence):
        before, after = sentence[: found.start()], sentence[found.end() :]
        if PREMISE.search(before) or not (CONCLUDES.match(after) or _is_aim(before, after)):
            yield found[0]


def _is_aim(before: str, after: str) -> bool:
    return bool(AIM.search(before)) and not WITH_VALUE.match(after)


def _copied(sentences: list[str], hint: list[str], prompt: list[str]) -> str:
    """Return a stretch of the hint in a sentence; a short hint, as a whole, may be the last sentence's conclusion."""
    size = min(MIN_COPIED_WORDS, len(hint))
    if size < MIN_HINT_WORDS:
        return ""
    stretches = set(_grams(hint, size)) - set(_grams(prompt, size))
    for sentence in sentences[: len(sentences) - (len(hint) <= MIN_COPIED_WORDS)]:
        for gram in _grams(_WORD.findall(sentence.lower()), size):
            if gram in stretches:
                return " ".join(gram)
    return ""


def _grams(words: list[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]
