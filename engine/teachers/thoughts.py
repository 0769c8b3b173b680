"""Thoughts that a model writes before its answer, between `<think>` and `</think>`."""

from __future__ import annotations

import re

THINK = re.compile(r"\s*(?:<think>)?(.*?)</think>\s*", re.DOTALL)


def split_thought(text: str) -> tuple[str, str]:
    """Return (reasoning, answer) of a text with `</think>`; a template may have put `<think>` into the prompt."""
    found = THINK.match(text)
    if found:
        return found[1].strip(), text[found.end() :]
    if text.lstrip().startswith("<think>"):  # it never came to an answer
        return text.lstrip().removeprefix("<think>").strip(), ""
    return "", text
