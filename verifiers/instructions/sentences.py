"""Where sentences end, by two official rules.

`sentences` is what IFEval and IFBench count: Kiss and Strunk's Punkt (2006) as NLTK runs it, with its rules but
not its trained tables. In their place stand a list of abbreviations and one of words that are common in lower
case, so the two differ after an abbreviation or initial before a capital that is in neither list.
`simple_sentences` is what IF-RLVR's own kinds count: every . ? and ! ends one, but for listed exceptions; a
closing quotation mark is moved before the stop.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from gradus.verifiers.instructions.vocabulary import listed

_OUTSIDE = r"[?!)\";}\]*:@'({\[‘’“”«»]"
_MANY = r"(?:-{2,}|\.{2,}|(?:\.\s){2,}\.)"
_END = re.compile(rf"[.?!](?=({_OUTSIDE}|\s+\S+))")
_WORD = re.compile(
    rf"{_MANY}|[^(\"`{{\[:;&#*@)}}\]\-,\s]\S*?(?=\s|$|{_OUTSIDE}|{_MANY}|,(?=$|\s|{_OUTSIDE}|{_MANY}))|\S"
)
_CLOSING = re.compile(r"[\"')\]}‘’“”«»]+?(?:\s+|(?=--)|$)", re.MULTILINE)
_MARKS = frozenset(";:,.!?")
_NUMBER = re.compile(r"-?[.,]?\d[\d,.-]*\.?$")

_ABBREVIATIONS = frozenset(
    listed(
        "mr mrs ms dr prof sr jr st rep reps sen gen col maj lt adm messrs bros co corp inc ltd cie vs ave ct ft yr mg "
        "ph.d m.b.a a.m p.m a.c a.d d.c u.s u.s.a u.k u.n u.s.s.r n.y n.j n.c n.h n.v w.va s.c l.a e.l v va vt wash "
        "wis tenn pa ore okla ok nev minn mich ky kan ill ga fla conn colo calif ariz ala jan feb aug sept sep oct nov "
        "dec tues wed fri cos sw chg ph.d c d e f g h k l m n p r s t w"
    )
)
_STARTERS = frozenset(
    listed(
        "according although always among both but despite does even finally furthermore he her here however i if in "
        "indeed instead it many meanwhile moreover most nevertheless nonetheless nor please remember separately "
        "similarly since so some sometimes still such the there therefore these they this though through thus under "
        "unless were when whether which while within without yes yet your note create ensure include"
    )
)
_COMMON = _STARTERS | frozenset(
    listed(
        "a about after all also an and another any are as at be because been before by can could did do during each "
        "every few first for from go had has have his how is its just last less let like make may might more must my "
        "never next no not now of often on once one only or other our over several she should that their then those to "
        "today two until use was we what where who why will with would you introduction conclusion definition "
        "background"
    )
)


def sentences(text: str) -> list[str]:
    """Return the sentences, without white space around them."""
    found, start = [], 0
    for end, following in _breaks(text):
        if end < start:
            continue
        if closing := _CLOSING.match(text, following):
            end, following = following + len(closing[0].rstrip()), closing.end()
        if part := text[start:end].strip():
            found.append(part)
        start = following
    rest = text[start:].strip()
    return [*found, rest] if rest else found


def _breaks(text: str) -> list[tuple[int, int]]:
    """Return (end, start of what follows) of all sentences but the last.

    Of several stops in one stretch without white space only the last is looked at, as in NLTK, except that the
    first counts when it begins the stretch.
    """
    breaks: list[tuple[int, int]] = []
    kept: re.Match[str] | None = None
    word_start = scanned = 0
    for match in _END.finditer(text):
        between = text[scanned : match.start()]
        blank = between[-1:].isspace()
        tail = 0 if blank or not between else len(between.rsplit(None, 1)[-1])
        moved = blank or tail < len(between)
        if kept and (moved or word_start == kept.start()):
            _judge(text, word_start, kept, breaks)
        if moved or not kept:
            word_start = match.start() - tail
        kept, scanned = match, match.start()
    if kept:
        _judge(text, word_start, kept, breaks)
    return breaks


def _judge(text: str, word_start: int, stop: re.Match[str], breaks: list[tuple[int, int]]) -> None:
    """Add the stop to breaks if it ends a sentence."""
    after, word = stop[1], text[word_start : stop.start()]
    plain = len(word) > 1 and word.isalpha() and word.lower() not in _ABBREVIATIONS
    if not plain:
        context, fresh_line = word + stop[0] + after, text[word_start - 1 : word_start] in {"", "\n"}
        if not (_short_ends if len(context) < 64 else _ends_within)(context, fresh_line):
            return
    breaks.append((stop.end(), stop.end() + len(after) - len(after.lstrip())))


def _ends_within(context: str, fresh_line: bool) -> bool:
    """Whether a sentence ends between any two words of the context."""
    return any(_ends(one, two, fresh_line) for one, two in pairwise(_WORD.findall(context)))


_short_ends = lru_cache(maxsize=4096)(_ends_within)


def _ends(token: str, following: str, fresh_line: bool) -> bool:
    """Whether a sentence ends between two words; Punkt's first and second pass."""
    if token in {".", "?", "!"}:
        return True
    if token[-1] != ".":
        return False
    upper = following[0].isupper()
    begins = upper and following.rstrip(".").lower() in _STARTERS
    if token[-2:] == "..":
        return begins
    body = token[:-1].lower()
    no_start = following in _MARKS
    if len(body) == 1 and body.isalpha():
        known = begins or body == "i" or (fresh_line and body in "ab") or following.rstrip(".").lower() in _COMMON
        return body not in _ABBREVIATIONS and not no_start and (known or not upper)
    if body in _ABBREVIATIONS or body.rpartition("-")[2] in _ABBREVIATIONS:
        return begins
    return not (_NUMBER.match(token) and (no_start or following[0].islower()))


_ACRONYM = r"[A-Za-z]\.[A-Za-z]\.(?:[A-Za-z]\.)?"
_STARTER = r"(?:Mr|Mrs|Ms|Dr|Prof|Capt|Cpt|Lt|Wherever|(?:He|She|It|They|Their|Our|We|But|However|That|This)\s)"
_KEPT = re.compile(
    rf"(?:(?:Mr|St|Mrs|Ms|Dr)\.)|(?:\.(?=(?:com|net|org|io|gov|edu|me)))|(?:(?<=\d)\.(?=\d))|(?:Ph\.D\.)"
    rf"|(?:{_ACRONYM}(?!\s{_STARTER}))|(?:[A-Za-z]\.)(?={_ACRONYM})"
    rf"|(?:(?<=\s)(?:Inc|Ltd|Jr|Sr|Co)\.(?!\s{_STARTER}))|(?:(?<=\s)[A-Za-z]\.)"
)
_DOT, _STOP = "\ue000", "\ue001"
_DOTS = re.compile(r"\.{2,}")


def simple_sentences(text: str) -> list[str]:
    """Return the sentences; a stop right after another makes one of its own."""
    text = f" {text}  ".replace("\n", " ")
    text = _DOTS.sub(lambda found: _DOT * len(found[0]) + _STOP, text)
    text = _KEPT.sub(lambda found: found[0].replace(".", _DOT), text)
    for mark in '”"':
        text = text.replace(f".{mark}", f"{mark}.")
    text = text.replace('!"', '"!').replace('?"', '"?')
    parts = re.sub(r"([.?!])", rf"\1{_STOP}", text).replace(_DOT, ".").split(_STOP)
    found = [part.strip() for part in parts]
    return found if found[-1] else found[:-1]
