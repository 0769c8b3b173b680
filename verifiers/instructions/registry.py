"""The kinds of instruction: a name, and a function (text, **kwargs) -> fault.

A fault is empty when the text follows the instruction, and otherwise says in a few words why not. Adding a kind is
one function under `@instruction("group:name")`. Its keyword arguments and their annotations are the contract that
`check` holds a problem to; an unknown name is an error, never "followed".

The data sets write 5.0 for 5 and null for an argument that a kind does not take; both are accepted. An argument
that the official code would draw at random when it is absent must be given.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_type_hints

from gradus.verifiers.base import SpecError
from gradus.verifiers.instructions.text import Text

Relation = Literal["less than", "at least"]
Fault = str
Check = Callable[..., Fault]

_instructions: dict[str, Check] = {}


def instruction(name: str) -> Callable[[Check], Check]:
    """Register a function as the check of one kind of instruction."""

    def keep(check: Check) -> Check:
        _instructions[name] = check
        return check

    return keep


def known() -> list[str]:
    """Return the names of all kinds, sorted."""
    return sorted(_instructions)


def parameters(name: str) -> list[str]:
    """Return the names of a kind's arguments."""
    return list(inspect.signature(_instructions[name]).parameters)[1:]


def fault(name: str, text: Text, arguments: Mapping[str, Any]) -> Fault:
    """Say why text does not follow the instruction; empty when it does."""
    return _instructions[name](text, **arguments)


def given(kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the arguments that are there, whole numbers as int."""
    found = {name: value for name, value in (kwargs or {}).items() if value is not None}
    for name, value in found.items():
        if type(value) is float and value.is_integer():
            found[name] = int(value)
    return found


def check(name: str, arguments: Mapping[str, Any]) -> None:
    """Raise SpecError for an unknown kind, or arguments (as `given` returns them) that do not fit it."""
    if name not in _instructions:
        raise SpecError(f"instruction: no kind {name!r}. Known: {', '.join(known())}.")
    judge = _instructions[name]
    try:
        inspect.signature(judge).bind("", **arguments)
    except TypeError as error:
        raise SpecError(f"instruction {name!r}: {error}; it takes {inspect.signature(judge)}") from None
    hints = get_type_hints(judge)
    for argument, value in arguments.items():
        if not _fits(value, hints[argument]):
            raise SpecError(f"instruction {name!r}: {argument} must be {hints[argument]}, not {value!r}")


def compare(what: str, count: int, relation: Relation, threshold: int) -> Fault:
    """Hold count to less than, or at least, threshold."""
    if (count < threshold) == (relation == "less than"):
        return ""
    return f"{what}: {count}, expected {relation} {threshold}"


def exactly(what: str, count: int, wanted: int) -> Fault:
    """Hold count to wanted."""
    return "" if count == wanted else f"{what}: {count}, expected {wanted}"


def at_least(what: str, count: int, wanted: int) -> Fault:
    """Hold count to wanted or more."""
    return "" if count >= wanted else f"{what}: {count}, expected at least {wanted}"


def unless(followed: bool, why: str) -> Fault:
    """Return why, unless the instruction is followed."""
    return "" if followed else why


def _fits(value: Any, hint: Any) -> bool:
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100
    if hint is str:
        return isinstance(value, str) and value.strip() != ""
    if hint == list[str]:
        return isinstance(value, list) and value != [] and all(_fits(item, str) for item in value)
    if hint == str | list[str]:
        return _fits(value, str) or _fits(value, list[str])
    return value in get_args(hint)
