"""The kinds of instruction: a name, and a function (text, **kwargs) -> bool.

Adding one is one function under `@instruction("group:name")`. Its keyword arguments and their annotations
are the contract that `check` holds a problem to; an unknown name is an error, never "followed".
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_type_hints

from gradus.verifiers.base import SpecError

Relation = Literal["less than", "at least"]
Follows = Callable[..., bool]

_instructions: dict[str, Follows] = {}


def instruction(name: str) -> Callable[[Follows], Follows]:
    """Register a function as the check of one kind of instruction."""

    def keep(follows: Follows) -> Follows:
        _instructions[name] = follows
        return follows

    return keep


def known() -> list[str]:
    """Return the names of all kinds, sorted."""
    return sorted(_instructions)


def follows(name: str, text: str, arguments: Mapping[str, Any]) -> bool:
    """Whether text follows the instruction."""
    return _instructions[name](text, **_given(arguments))


def check(name: str, arguments: Mapping[str, Any]) -> None:
    """Raise SpecError for an unknown kind, or arguments that do not fit it. Nulls count as absent."""
    if name not in _instructions:
        raise SpecError(f"instruction: no kind {name!r}. Known: {', '.join(known())}.")
    judge, given = _instructions[name], _given(arguments)
    try:
        inspect.signature(judge).bind("", **given)
    except TypeError as error:
        raise SpecError(f"instruction {name!r}: {error}; it takes {inspect.signature(judge)}") from None
    hints = get_type_hints(judge)
    for argument, value in given.items():
        if not _fits(value, hints[argument]):
            raise SpecError(f"instruction {name!r}: {argument} must be {hints[argument]}, not {value!r}")


def compare(count: int, relation: Relation, threshold: int) -> bool:
    """Whether count is less than, or at least, threshold."""
    return count < threshold if relation == "less than" else count >= threshold


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _fits(value: Any, hint: Any) -> bool:
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if hint is str:
        return isinstance(value, str) and value != ""
    if hint == list[str]:
        return isinstance(value, list) and value != [] and all(_fits(item, str) for item in value)
    return value in get_args(hint)
