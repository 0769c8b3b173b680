"""What two texts must share before they may be called the same problem, however alike they read.

The numbers and operators in their order, the words that turn a question round (more, fewer, maximum, not, …), and
the expected answer. Problems made from one template with other numbers differ here, so they are never duplicates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gradus.engine.clean.text import is_number, tokens
from gradus.engine.records import canonical_json

OPERATORS = frozenset("+-*/^=<>") | {"<=", ">=", "!="}
TURNING_WORDS = """
more less fewer greater smaller larger bigger higher lower taller shorter older younger longer faster slower most least
maximum minimum max min largest smallest greatest biggest highest lowest longest shortest increase increased increasing
decrease decreased decreasing ascending descending before after first last left right even odd positive negative prime
sum product difference quotient remainder mean median mode range area perimeter volume add subtract multiply divide sin
cos tan sqrt log not no non none never without except all any or neither twice double triple half dozen quarter second
third fourth fifth sixth seventh eighth ninth tenth percent true false upper lower row column prefix suffix union
intersection square cube north south east west daily weekly monthly yearly
addition subtraction multiplication division modified
"""
TURNING = frozenset(TURNING_WORDS.split())
WRAPPERS = frozenset(("abs", "all", "any", "candidate", "check", "float", "int", "isinstance", "len", "list", "not"))
WRAPPERS |= {"round", "set", "sorted", "str", "sum", "tuple"}
"""What tests call around the function that they try."""
UNRELATED = frozenset(("prompt", "timeout_s", "memory_mb"))
"""Arguments of verifiers that say nothing of the answer, or repeat the prompt."""
DEFINED = re.compile(r"\bdef\s+([A-Za-z_]\w*)\s*\(")
CALLED = re.compile(r"(?<![.\w])([A-Za-z_]\w*)\s*\(")


def guard(words: Sequence[str], answer: str, *, turning: bool = True) -> str:
    """Return what must be equal; without turning, a synonym may stand for a word that turns the question."""
    kept = [word for word in words if is_number(word) or word in OPERATORS or (turning and word in TURNING)]
    return " ".join(kept) + "\0" + answer


def answer_of(spec: Mapping[str, Any]) -> str:
    """Return what a verifier expects, in one spelling; of tests, the functions that they call."""
    if "expected" in spec:
        options = spec.get("choices")
        return plain(spec["expected"]) + (" of " + plain(options) if options else "")
    if names := called(spec.get("tests", ())):
        return "calls " + " ".join(sorted(names))
    return canonical_json({name: value for name, value in spec.items() if name not in UNRELATED})


def plain(answer: Any) -> str:
    """Return an answer in one spelling."""
    return " ".join(tokens(answer if isinstance(answer, str) else canonical_json(answer)))


def called(tests: Sequence[str] | str) -> set[str]:
    """Return the names of the functions that assert statements try, in lower case without strokes."""
    lines = [tests] if isinstance(tests, str) else tests
    asserted = [part for line in lines for part in line.split("assert")[1:]]
    names = ([name for name in CALLED.findall(part) if name not in WRAPPERS] for part in asserted)
    return {plain_name(found[0]) for found in names if found}


def defined(text: str) -> set[str]:
    """Return the names of the functions that a text defines in Python."""
    return {plain_name(name) for name in DEFINED.findall(text)}


def plain_name(name: str) -> str:
    """Return a function's name as `camelCase` and `snake_case` share it."""
    return name.replace("_", "").lower()
