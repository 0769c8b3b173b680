"""Any chat: `messages` or `conversations`, or a `prompt` with a `response`.

A turn is `{role, content}` or `{from, value}`; `reasoning` or `reasoning_content` beside its content, or a thought in
it.
`question`, `instruction` and `problem` may stand for `prompt`, and `answer`, `output`, `completion` and `solution` for
`response`. Optional: `tools`, which are written into the system's turn, unless it has them; `id` or `uuid`, `domain`,
`license` or `licence`, `model` or `generator`, `expected_answer`. Rows that do not say their domain are `instruction`,
unless --domain says otherwise.
"""

from __future__ import annotations

from gradus.engine.exchange.answers import answered
from gradus.engine.exchange.conversation import only_question, question_and_answer, read_turns, with_tools
from gradus.engine.exchange.layouts.base import Found, Row, Told, UnusableError, domain_of, imported, layouts, text_of

DOMAINS = {"chat": "instruction", "science": "stem", "mathematics": "math", "coding": "code", "tool_calling": "tool"}
PROMPTS = ("prompt", "question", "instruction", "problem")
ANSWERS = ("response", "answer", "output", "completion", "solution")


@layouts.register("chat")
def chat(row: Row, told: Told) -> Found:
    """A problem too, where a mathematics or STEM row has an `expected_answer`."""
    domain = domain_of(row.get("domain") or told.domain or "instruction", DOMAINS, told)
    turns = row.get("messages") or row.get("conversations")
    question, answer = text_of(row, *PROMPTS), text_of(row, *ANSWERS)
    if turns:
        said = read_turns(turns)
    elif question and answer:
        said = question_and_answer(question, answer)
    else:
        known = ", ".join(("messages", "conversations", *PROMPTS, *ANSWERS))
        raise UnusableError(f"no conversation: among {', '.join(row)} there is none of {known}")
    said = with_tools(said, row.get("tools"))
    problem = None
    if domain in ("math", "stem"):
        expected = row.get("expected_answer")
        problem = answered(only_question(said), expected, domain=domain, source=told.source, tags=told.tags)
    teacher = text_of(row, "model", "generator") or told.source
    trace = imported(said, domain=domain, teacher=teacher, problem=problem)
    name = str(row.get("id") or row.get("uuid") or "")
    return Found(problem=problem, trace=trace, row=name, licence=text_of(row, "license", "licence"))
