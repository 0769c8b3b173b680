"""What a tool of our catalogue is: what a model is told of it, and how people ask for what it does.

`{name}` in a request stands for an argument, said in the words of its value. An argument that is not needed comes as a
clause of its own, or not at all. `without` has requests that leave a needed argument out, and words of which one has to
be in the question that asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Values = Mapping[Any, str]
"""What an argument may be, and how a request says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a tool."""

    type: str
    about: str
    values: Values
    clause: str = ""
    """Said only of arguments that are not needed: " in {unit}"."""
    default: Any = None
    """What leaving it out means; saying it is right, too."""
    listed: bool = False
    """Values are an enumeration that the schema shows."""

    @property
    def schema(self) -> dict[str, Any]:
        told: dict[str, Any] = {"type": self.type, "description": self.about}
        if self.listed:
            told["enum"] = list(self.values)
        return told if self.default is None else told | {"default": self.default}


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A request that leaves an argument out, and words of which one asks for it."""

    ask: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool; asks hold every needed argument."""

    name: str
    about: str
    needed: Mapping[str, Argument]
    asks: tuple[str, ...]
    without: Mapping[str, Missing]
    more: Mapping[str, Argument] = field(default_factory=dict)

    @property
    def definition(self) -> dict[str, Any]:
        """Return its JSON schema, as it is told."""
        arguments = {name: argument.schema for name, argument in {**self.needed, **self.more}.items()}
        schema = {"type": "object", "properties": arguments, "required": list(self.needed)}
        return {"name": self.name, "description": self.about, "parameters": schema | {"additionalProperties": False}}


def same(*values: Any) -> Values:
    """Say values as they are."""
    return {value: str(value) for value in values}
