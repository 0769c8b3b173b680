"""Which options a text says are right: its statements in order, of which the last that stands counts.

A statement is `\\boxed{…}`; "the (correct) answer is …", "Answer: …", "so …", "therefore …", "I choose …"; or
"… is right". Only in a text with none of these, its last line alone. "not B", "B is wrong" take back what was
said of B. Questions and conditions ("if B is right") state nothing; nor does what stands in <think>…</think>.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gradus.verifiers.choices.options import NOUN, Options, bare
from gradus.verifiers.trail import note

MAX_CHARS = 20_000
MAX_SENTENCE_CHARS = 1000
_THOUGHT = re.compile(r"\A.*</think>", re.S)
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_BE = r"(?:is|are|must\s+be|should\s+be|has\s+to\s+be|have\s+to\s+be|would\s+be|will\s+be)"
_ANSWER = re.compile(
    rf"\b{NOUN}\s*(?:,[^,.\n]{{1,30}},\s*)?(?:(?:here|to\s+[^.,:\n]{{1,40}}?)\s+)?(?:{_BE}\b\s*:?|:|=)\s*"
    r"|\bi(?:'d|'ll|\s+would|\s+will|\s+therefore)?(?:\s+would|\s+will)?\s+(?:choose|pick|select|go\s+with|say|answer)\s+|####\s*",
    re.I,
)
_SO = re.compile(
    r"\b(?:so|thus|therefore|hence|no)\b[,:]?\s+(?:(?:it|this|that)(?:['’]s|\s+(?:is|must\s+be|has\s+to\s+be|leaves))\s+)?"
    r"|^(?:it|that)(?:['’]s|\s+is)\s+"
    r"|\b(?:it|this)\s+(?:must|has\s+to|can\s+only)\s+be\s+|\b(?:which\s+leaves|leaving|that\s+leaves)\s+(?:only\s+)?"
    r"|\bi\s+(?:think|believe)\s+(?:that\s+)?(?:it(?:'s|\s+is)\s+)?",
    re.I,
)
_RIGHT = re.compile(
    r"\s*(?:,\s*)?(?:(?:is|are|was|were|must\s+be|has\s+to\s+be|(?:would|should)\s+be)|(?P<isnt>(?:is|are|was|were)n['’]t|can(?:not|['’]t|\s+not)\s+be))"
    r"\s+(?:(?:both|also|all|only|clearly|indeed|therefore|thus|then|hence|obviously)\s+)?(?P<deny>not\s+)?"
    r"(?:(?:the|a)\s+)?(?:only\s+|single\s+)?(?:best\s+)?"
    r"(?:(?P<good>correct|right|true|best|answers?\b)|(?P<bad>wrong|incorrect|false|ruled\s+out|impossible|eliminated))",
    re.I,
)
_JUDGED = re.compile(r"correct|right|true|best|answer|wrong|false|ruled|impossible|eliminated|incorrect", re.I)
_VERB = re.compile(r"\s+(?:is|are|was|were|has|have|isn't|does|can|cannot|can't|would|says|gives|lies?)\b|\s*=", re.I)
_ONE = re.compile(r"\s*(?:is|was)", re.I)
_NOT = re.compile(r"(?:(?:definitely|certainly|clearly|obviously)\s+)?(?:not|never)\s+", re.I)
_DENIAL = re.compile(r"(?:^|[,;:—]\s*|\b(?:wait|actually|so)\s+)not\s+", re.I)
_BUT = re.compile(r"\s*,?\s*(?:but|rather)\s+(?:rather\s+)?(?:(?:it\s+)?is\s+)?", re.I)
_OR = re.compile(r"\bor\b|/", re.I)
_GLUE = re.compile(r"[\s$,;&*]*(?:\\text\{)?\s*(?:and|or)?\s*\}?[\s$,;&*]*")
_JOIN = re.compile(
    rf"\s*(?:,\s*(?:and|or)?|/|&|\band\b|\bor\b)\s*(?:both\s+|also\s+)?(?:{NOUN}\s+(?=\S))?|\s+(?=\(?(?-i:[A-HJ-Z])\b(?!['’]))",
    re.I,
)
_CONDITION = re.compile(
    r"(?:\b(?:if|whether|unless|suppose|supposing|assume|assuming|why|doubt|not\s+the\s+case|except|other\s+than)"
    r"|(?:\bnot|n['’]t)\s+(?:think|believe|say|mean|claim))\b[^.;:!?]*$",
    re.I,
)
_EMPHASIS = re.compile(r"(?:both|either|only|just|probably|clearly|definitely)\s+", re.I)
_GAP = re.compile(r"[\s.):,–-]*")
_CLOSED = re.compile(r"\s*\(([^()\s]{1,4})\)")
# "A tempting answer is B" is no verdict on B; nor is "the false one is B", which may be what was asked for, or not.
_ANOTHER = re.compile(
    r"\b(?:wrong|incorrect|false|worst|tempting|common|(?<!only\s)possible|other|another|less\s+likely|least\s+likely"
    r"|initial|previous|original|user['’]?s|student['’]?s|given|your|his|her|their)\s+$",
    re.I,
)
_NEITHER = re.compile(r"\b(?:not|neither|nor|never)\s+(?:is\s+|are\s+)?$", re.I)


@dataclass(frozen=True, slots=True)
class Claim:
    """Options said together to be right. either: joined by "or", or a label beside another's text: none is settled."""

    labels: frozenset[str]
    either: bool = False
    denied: bool = False

    def __str__(self) -> str:
        return (" or " if self.either else " and ").join(sorted(self.labels))


def last_claim(answer: str, options: Options) -> Claim | None:
    """Return the last statement that still stands."""
    text = _THOUGHT.sub("", answer[-MAX_CHARS:])
    claims = [claim for sentence in _sentences(text) for claim in _stated(sentence, options)]
    standing: Claim | None = None
    for claim in claims:
        note("it says {} is {}", claim, "wrong" if claim.denied else "right")
        if not claim.denied:
            standing = claim
        elif standing and standing.labels <= claim.labels:
            standing = None
    return standing if claims else _alone(text, options)


def _sentences(text: str) -> Iterator[str]:
    """Yield the lines of a text, cut after a full stop; a label's own ("B. Paris") cuts nothing."""
    for line in text.splitlines():
        for part in re.split(
            r"(?<=[\w)\]*'\"}$]{2}\.)\s+|(?<=[!?])\s+|(?<=\b[A-Za-z]\.)\s+(?=(?:I|It|No|Wait|So|Thus|Hence|Therefore|The|But|Not)\b)",
            line,
        ):
            if part.strip():
                yield part.strip()[-MAX_SENTENCE_CHARS:]


def _stated(sentence: str, options: Options) -> list[Claim]:
    """Return the statements of one sentence, in their order."""
    if boxes := [match for match in _BOX.finditer(sentence) if match[1].strip()]:
        return _boxed(sentence, boxes, options)
    text = bare(sentence)
    if text.endswith("?"):
        return []
    found = dict(_introduced(text, options))
    if _JUDGED.search(text):
        found |= dict(_praised(text, options))
    found |= dict(_denied(text, options))
    return [found[start] for start in sorted(found)]


def _boxed(sentence: str, boxes: list[re.Match[str]], options: Options) -> list[Claim]:
    """Read the last box; those beside it with nothing but "and", "or" and commas between belong to it."""
    first = len(boxes) - 1
    while first and _GLUE.fullmatch(sentence, boxes[first - 1].end(), boxes[first].start()):
        first -= 1
    content = ", ".join(bare(box[1]).rstrip(".") for box in boxes[first:])
    if whole := options.whole(content):
        return [Claim(frozenset((whole,)))]
    found = _listed(content, 0, options)
    if found is None:
        return []
    between = sentence[boxes[first].end() : boxes[-1].start()]
    return [replace(found[0], either=found[0].either or "or" in between)]


def _introduced(text: str, options: Options) -> Iterator[tuple[int, Claim]]:
    """Yield (place, claim) of "the answer is …", "so …"."""
    for pattern in (_SO, _ANSWER):
        for lead in pattern.finditer(text):
            denied = _NOT.match(text, lead.end())
            start = denied.end() if denied else lead.end()
            found = _listed(text, start, options)
            if found is None or _CONDITION.search(text, 0, lead.start()) or _ANOTHER.search(text, 0, lead.start()):
                continue
            claim, end = found
            # "so a is even" names a variable, "so A is even" too.
            if pattern is _SO and re.match(r"[a-z](?!\w)", text[start:]) and text[start] not in options.labels:
                continue
            right = _RIGHT.match(text, end)
            if _VERB.match(text, end) and not right and not claim.either:
                continue
            wrong = bool(right and (right["bad"] or right["deny"] or right["isnt"]))
            yield start, replace(claim, denied=wrong or bool(denied))
            if denied and (but := _BUT.match(text, end)) and (other := _listed(text, but.end(), options)):
                yield but.end(), other[0]


def _praised(text: str, options: Options) -> Iterator[tuple[int, Claim]]:
    """Yield (place, claim) of "… is right" and "… is wrong"."""
    done = 0
    for place in re.finditer(r"(?<![\w'’])[\w(\[\"“+\-\\]", text):
        start = place.start()
        if start < done or not (found := _listed(text, start, options, subject=True)):
            continue
        claim, end = found
        right = _RIGHT.match(text, end)
        listed = ", " in text[start:end] and not re.search(r"\b(?:and|or)\b", text[start:end])
        if right is None or (listed and _ONE.match(text, end)):  # "B, A is wrong" says it of A alone
            continue
        done = end
        if _CONDITION.search(text, 0, start):
            continue
        negative = bool(right["isnt"] or right["deny"]) != bool(right["bad"])
        yield start, replace(claim, denied=negative or bool(_NEITHER.search(text, 0, start)))


def _denied(text: str, options: Options) -> Iterator[tuple[int, Claim]]:
    """Yield (place, claim) of "not B" where it stands alone."""
    for lead in _DENIAL.finditer(text):
        if found := _listed(text, lead.end(), options):
            yield lead.end(), replace(found[0], denied=True)
            if (but := _BUT.match(text, found[1])) and (other := _listed(text, but.end(), options)):
                yield but.end(), other[0]


def _listed(text: str, start: int, options: Options, *, subject: bool = False) -> tuple[Claim, int] | None:
    """Return the claim of "B", "A and C", "B. Paris" from start on, and its end; subject: of a verb that follows."""
    if both := _EMPHASIS.match(text, start):
        start = both.end()
    if together := options.run_together(text, start):
        return Claim(together[0]), together[1]
    found = options.named(text, start)
    if found is None:
        return None
    labels, end, either = {found[0]}, found[1], False
    while True:
        end, other = _same(text, end, options, found[0])
        if other:  # a label beside the text of another
            labels.add(other)
            either = True
        join = _JOIN.match(text, end)
        found = options.named(text, join.end()) if join else None
        if not join or not found or (not subject and _VERB.match(text, found[1]) and "," in join[0]):
            return Claim(frozenset(labels), either), end
        either = either or bool(_OR.search(join[0]))
        labels.add(found[0])
        end = found[1]


def _same(text: str, end: int, options: Options, label: str) -> tuple[int, str | None]:
    """Step over the same option said again, as in "B. Paris" and "Paris (B)"; another text there is returned."""
    gap = _GAP.match(text, end)
    after = gap.end() if gap else end
    if again := options.by_text(text, after):
        return (again[1], None) if again[0] == label else (end, again[0] if "," not in text[end:after] else None)
    closed = _CLOSED.match(text, end)
    if closed and closed[1].casefold() == label.casefold():
        end = closed.end()
    return end, None


def _alone(text: str, options: Options) -> Claim | None:
    """Read the last line of a text that states nothing, if it is nothing but options."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or lines[-1].rstrip().endswith("?"):
        return None
    last = bare(lines[-1])
    if whole := options.whole(last):
        return Claim(frozenset((whole,)))
    found = _listed(last, 0, options)
    if found is None or _VERB.match(last, found[1]):
        return None
    note("the last line names {}", found[0])
    return found[0]
