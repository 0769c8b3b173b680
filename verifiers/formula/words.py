"""Words that mean something mathematical: numbers, "no solution", yes and no, months.

Number words up to the billions ("one hundred and five", "twenty-one", "three quarters" is not one). English only.
"""

from __future__ import annotations

import re

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_SMALL = {word: number for number, word in enumerate(_UNITS.split())}
_DECADES = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * number for number, word in enumerate(_DECADES.split(), 2)}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
SCALES = _SCALES | {"hundred": 100, "dozen": 12, "trillion": 10**12}
NUMBER_WORDS = _SMALL.keys() | _TENS.keys() | _SCALES.keys() | {"hundred"}
_PHRASE = re.compile(r"[A-Za-z\s-]+")
_WORDS = re.compile(r"[a-z]+")

# What is said in place of an answer, "|" between: the first phrase of a paragraph stands for all of it.
_SAME = """
∅ | no solution | no solutions | no real solution | no real solutions | none | empty set | emptyset | null
  set | the empty set | there are no solutions | there is no solution | no real roots | no roots | no real
  number | there are no such numbers | no such numbers | there is no such number | no such number | there are
  none | no integer solutions | no integer solution | there are no real solutions | no such integers | no such
  functions | no such function | there is no such function | no such function exists | no solutions exist | no
  solution exists | there is no real solution | no values | no such integers exist | no such numbers exist |
  varnothing

does not exist | dne | doesnt exist | the limit does not exist | limit does not exist | it does not exist

undefined | not defined | is undefined

yes | true | correct

no | false | incorrect

infinitely many | infinitely many solutions | there are infinitely many | infinite number | infinite
  solutions | infinite | there are infinitely many solutions | an infinite number of solutions | infinitely
  many integers

all real numbers | all reals | every real number | any real number | all real x | all x | r

diverges | divergent | the series diverges | it diverges

converges | convergent | the series converges | it converges
"""
_PHRASES = [[" ".join(phrase.split()) for phrase in block.split("|")] for block in _SAME.split("\n\n")]
_MEANING = {phrase: block[0] for block in _PHRASES for phrase in block}
_YEAR = "january february march april may june july august september october november december"
_MONTH = {name: month for month, full in enumerate(_YEAR.split(), 1) for name in (full, full[:3])}
_DATE = re.compile(
    r"(?:[a-z]{3,9}day,? )?(?:(?P<day>\d{1,2})(?:st|nd|rd|th)? (?:of )?(?P<month>[a-z]{3,9})\.?"
    r"|(?P<month2>[a-z]{3,9})\.? (?P<day2>\d{1,2})(?:st|nd|rd|th)?)(?:,? (?P<year>\d{4}))?|"
    r"(?P<year3>\d{4})-(?P<month3>\d{2})-(?P<day3>\d{2})"
)
# Words that make the number beside them another one than the answer.
CHANGING = re.compile(
    r"\b(?:more|less|fewer|greater|bigger|smaller|than|least|most|not|no|but|anything|between|to|from|until|twice"
    r"|thrice|double|triple|half|halves|thirds?|quarters?|times|minus|plus|negative|over|under|above|below|beyond"
    r"|dozens?|hundreds?|thousands?|[bmtr]+illions?|squared|cubed|squares? of|cubes? of|roots?|factorial|percent"
    r"|multiples?|factors?|modulo|mod|except|without|if|or|never|divided|power|unless|up|maybe|otherwise|perhaps"
    r"|instead|excluding|and|almost|nearly|approximately|roughly|around|wrong|incorrect|false|isn|isnt|cannot|cant"
    r"|unknown|january|february|march|april|may|june|july|august|september|october|november|december)\b",
    re.IGNORECASE,
)
# Words before a number that only counts something off.
NUMBERING = re.compile(r"\b(?:page|step|part|case|problem|question|equation|chapter|row|column)\b", re.IGNORECASE)


def meaning(phrase: str) -> str:
    """Return what stands for the phrase: itself, unless it is one of several ways to say the same."""
    return _MEANING.get(phrase, phrase)


def number_of(phrase: str) -> int | None:
    """Return 105 for "one hundred and five", or None."""
    if len(phrase) > 200 or not _PHRASE.fullmatch(phrase):
        return None
    words = [word for word in _WORDS.findall(phrase.lower()) if word != "and"]
    if not words or not all(word in NUMBER_WORDS for word in words):
        return None
    total = group = 0
    last, scale = 1000, 10**12
    for word in words:
        if (word in _SCALES and _SCALES[word] >= scale) or (word == "hundred" and group >= 10):
            return None
        if word in _SCALES:
            scale = _SCALES[word]
            total, group, last = total + max(group, 1) * _SCALES[word], 0, 1000
        elif word == "hundred":
            group, last = max(group, 1) * 100, 100
        else:
            value = _SMALL.get(word, _TENS.get(word, 0))
            # "twenty one" is a number; "one twenty" and "five six" are two.
            if value >= last:
                return None
            group, last = group + value, 10 if word in _TENS else 0
    return total + group


def date_of(text: str) -> tuple[int, int, int] | None:
    """Return (year, month, day) of a date in words or ISO form, year 0 where it has none."""
    match = _DATE.fullmatch(" ".join(text.lower().split()))
    if match is None:
        return None
    if match["year3"]:
        return int(match["year3"]), int(match["month3"]), int(match["day3"])
    month = _MONTH.get(match["month"] or match["month2"])
    if month is None:
        return None
    return int(match["year"] or 0), month, int(match["day"] or match["day2"])
