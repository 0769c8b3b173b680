"""How a correction is put to the student.

`after`: the failed answer, a remark that it is wrong, and the right one. `continue`: one answer, which goes on from the
first wrong step by saying what is wrong with it; what was said so far is `given`, and not learned. `alone`: the right
answer without a word of the failed one, as if its writer had not been shown a hint. A correction that names no step
cannot be continued: it is put as `after`.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from gradus.engine.records import Message

Form = Literal["after", "continue", "alone"]


def corrected_turns(row: dict[str, Any], form: Form, *, feedback: str, notice: str) -> tuple[Message, ...]:
    """Return the turns after the problem, of which the last is learned; row is one of `passing.sql`."""
    if form == "continue" and row["step"] is not None:
        return (_continued(row, notice),)
    answer: Message = json.loads(row["messages"])[-1]
    if row["step"] is not None:
        corrected = row["failed_answer"][: row["kept"]] + row["text"]
        whole = corrected if form == "alone" else f"{row['why']}\n\n{corrected}"
        answer = Message(role="assistant", content=whole.strip())
    if form == "alone":
        return (answer,)
    return (
        Message(role="assistant", content=row["failed_answer"]),
        Message(role="user", content=feedback),
        answer,
    )


def _continued(row: dict[str, Any], notice: str) -> Message:
    given = row["failed_answer"][: row["shown"]]
    gap = "\n\n" if "\n" in given else " "
    said = " ".join(filter(None, (notice, row["why"])))
    return Message(role="assistant", content=f"{given}{gap}{said}{gap}{row['text']}", given=len(given))
