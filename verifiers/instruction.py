"""Verifier "instruction": does the answer follow each instruction it was given?

All 25 kinds of IFEval (Zhou et al., 2023) with their official meaning, offline; instructions/*.py says
where a count may differ from the official tokenizers. mode "loose" also accepts the answer without its
first line, its last line, both, or its asterisks. The score is the share followed. Not covered: other
sets' kinds (an unknown id is a SpecError), and whether the answer is any good otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from gradus.verifiers.base import SpecError, Verdict, failed, passed, unparseable, verifier
from gradus.verifiers.instructions import registry, shape, wording

_KINDS = (shape, wording)
"""Imported for what they register."""


class Instruction(TypedDict):
    """One instruction: its kind and that kind's arguments; nulls count as absent."""

    id: str
    kwargs: dict[str, Any]


def check(spec: Mapping[str, Any]) -> None:
    """Refuse a spec without instructions, an unknown kind, or arguments that do not fit it."""
    if not spec["instructions"] or spec.get("mode", "strict") not in {"strict", "loose"}:
        raise SpecError("instruction: give at least one of instructions, and mode 'strict' or 'loose'")
    for one in spec["instructions"]:
        if not isinstance(one, Mapping) or set(one) != {"id", "kwargs"}:
            raise SpecError(f"instruction: an instruction is {{'id': …, 'kwargs': {{…}}}}, not {one!r}")
        registry.check(one["id"], _arguments(one, spec.get("prompt")))


@verifier("instruction", version="1", check=check)
def instruction(
    answer: str,
    *,
    instructions: Sequence[Instruction],
    prompt: str | None = None,
    mode: Literal["strict", "loose"] = "strict",
) -> Verdict:
    """Pass when every instruction is followed."""
    if not answer.strip():
        return unparseable("the answer is empty")
    texts = _variants(answer) if mode == "loose" else [answer]
    broken = [one for one in instructions if not any(_follows(one, text, prompt) for text in texts)]
    if not broken:
        return passed(f"follows all {len(instructions)} instructions")
    right = len(instructions) - len(broken)
    named = "; ".join(_name(one) for one in broken)
    return failed(f"follows {right} of {len(instructions)} instructions, not {named}", right / len(instructions))


def _follows(one: Instruction, text: str, prompt: str | None) -> bool:
    return registry.follows(one["id"], text, _arguments(one, prompt))


def _arguments(one: Mapping[str, Any], prompt: str | None) -> dict[str, Any]:
    """Return the kind's arguments; the prompt to repeat is the problem's prompt unless it is given."""
    arguments = {name: value for name, value in (one["kwargs"] or {}).items() if value is not None}
    if one["id"] == "combination:repeat_prompt" and prompt:
        arguments.setdefault("prompt_to_repeat", prompt)
    return arguments


def _variants(answer: str) -> list[str]:
    """Return IFEval's loose readings: with or without first line, last line and asterisks."""
    lines = answer.split("\n")
    cuts = [answer, *("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))]
    texts = cuts + [cut.replace("*", "") for cut in cuts]
    return [text for text in texts if text.strip()]


def _name(one: Instruction) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in one["kwargs"].items() if value is not None)
    return f"{one['id']}({given[:120]})"
