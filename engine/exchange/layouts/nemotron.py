"""NVIDIA's Nemotron-Post-Training-Dataset, v1 and v2.

`uuid`, `license`, `generator`, `version`, `category`, `reasoning`, `messages`; v1 also `metadata`, JSON that may hold
an `expected_answer` or `tools`, and `tool_calls` in its messages.
"""

from __future__ import annotations

import json
from typing import Any

from gradus.engine.exchange.answers import answered
from gradus.engine.exchange.conversation import only_question, read_turns, with_tools
from gradus.engine.exchange.layouts.base import Found, Row, Told, domain_of, imported, layouts, text_of

LANGUAGES = ("ja", "de", "it", "es", "fr")
CATEGORIES = {"chat": "instruction", "tool_calling": "tool", "science": "stem"}
CATEGORIES |= {"multilingual": "instruction"} | {f"multilingual_{name}": "instruction" for name in LANGUAGES}


@layouts.register("nemotron")
def nemotron(row: Row, told: Told) -> Found:
    """A problem too, where mathematics or STEM comes with an expected answer."""
    domain = domain_of(row["category"], CATEGORIES, told)
    metadata = _metadata(row.get("metadata"))
    said = with_tools(read_turns(row["messages"]), metadata.get("tools"))
    problem = None
    if domain in ("math", "stem"):
        expected = metadata.get("expected_answer")
        problem = answered(only_question(said), expected, domain=domain, source=told.source, tags=told.tags)
    trace = imported(said, domain=domain, teacher=text_of(row, "generator") or told.source, problem=problem)
    return Found(problem=problem, trace=trace, row=text_of(row, "uuid"), licence=text_of(row, "license"))


def _metadata(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
