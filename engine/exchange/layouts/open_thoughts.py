"""OpenThoughts, all releases.

`conversations` of `{from, value}`, with `system` (114k), `source` and `domain` (2 and 3), `question` (2), `difficulty`
(3); or the 114k release's `metadata` configuration: `problem`, `deepseek_reasoning`, `deepseek_solution`,
`ground_truth_solution`, `domain`, `source`, `test_cases` (JSON), `starter_code`. That one gives problems: mathematics
whose ground truth ends in a box, code with tests on standard input.
"""

from __future__ import annotations

import json

from gradus.engine.exchange.answers import answered, with_tests
from gradus.engine.exchange.conversation import question_and_answer, read_turns
from gradus.engine.exchange.layouts.base import Found, Row, Told, domain_of, imported, layouts, text_of
from gradus.engine.records import Message, Problem

DOMAINS = dict.fromkeys(("science", "biology", "physics", "chemistry", "puzzle"), "stem")
BOX = "\\boxed{"


@layouts.register("open-thoughts")
def open_thoughts(row: Row, told: Told) -> Found:
    """Rows of the 114k release without metadata do not say their domain."""
    domain = domain_of(row.get("domain"), DOMAINS, told)
    if "conversations" in row:
        turns = list(row["conversations"] or ())
        system = [{"role": "system", "content": text_of(row, "system")}]
        return Found(trace=imported(read_turns([*system, *turns]), domain=domain, teacher=told.source))
    question, answer = question_and_answer(row["problem"], row["deepseek_solution"])
    if thought := text_of(row, "deepseek_reasoning"):
        answer = Message(role="assistant", content=answer["content"], reasoning=thought.strip())
    problem = _problem(row, domain, told)
    trace = imported((question, answer), domain=domain, teacher="DeepSeek-R1", problem=problem)
    return Found(problem=problem, trace=trace)


def _problem(row: Row, domain: str, told: Told) -> Problem | None:
    question = text_of(row, "problem")
    if domain == "math":
        expected = _last_box(text_of(row, "ground_truth_solution"))
        return answered(question, expected, domain="math", source=told.source, tags=told.tags)
    cases = text_of(row, "test_cases")
    if domain != "code" or not cases:
        return None
    try:
        return with_tests(question, json.loads(cases), source=told.source, tags=told.tags)
    except ValueError:
        return None


def _last_box(text: str) -> str:
    """Return what the last box holds."""
    start = text.rfind(BOX) + len(BOX)
    if start < len(BOX):
        return ""
    depth = 1
    for end in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if depth == 0:
            return text[start:end]
    return ""
