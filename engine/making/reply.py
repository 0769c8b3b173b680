"""A correction that names the first wrong step, says why it is wrong, and goes on from the last right one.

REPLY_FORM asks for it, `read_reply` reads it; what else an answer holds before "First wrong step" does not count. An
answer without these words is a correction of the whole, and no reply.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

REPLY_FORM = """\
Answer in this form, in the first person, as the one who made the attempt and now finds the mistake. Do not speak of \
step numbers in the last two parts, and of nothing that you were told besides the problem.
First wrong step: its number
Why: what is wrong with it, in one sentence
Continuation: the solution from that step on to its end; the steps before it stay and are not repeated"""

_HEAD = re.compile(
    r"^[^\w\n]{0,8}(?P<name>first wrong step|why|continuation)[*_]{0,3}:[*_]{0,3}", re.IGNORECASE | re.MULTILINE
)
NAMES = ("first wrong step", "why", "continuation")
_NUMBER = re.compile(r"\d{1,6}")


@dataclass(frozen=True, slots=True)
class Reply:
    """step counts from 1; 0: none was named, or the form was not kept."""

    step: int
    why: str
    text: str


def read_reply(answer: str) -> Reply | None:
    """Take a reply apart; None where the answer is none."""
    heads: dict[str, re.Match[str]] = {}
    for head in _HEAD.finditer(answer):
        name = head["name"].lower()
        if name == NAMES[len(heads)]:
            heads[name] = head
        if len(heads) == len(NAMES):
            break
    if not heads:
        return None
    if len(heads) < len(NAMES):
        return Reply(0, "", "")
    step, why, text = heads.values()
    named = _NUMBER.search(answer, step.end(), why.start())
    reason = " ".join(answer[why.end() : text.start()].split())
    return Reply(int(named[0]) if named else 0, reason, answer[text.end() :].strip())
