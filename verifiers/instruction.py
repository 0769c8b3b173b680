"""Verifier "instruction": does the answer follow each instruction it was given?

All 25 kinds of IFEval (Zhou et al., 2023), the 58 of IFBench (Pyatkin et al., 2025) and the kinds IF-RLVR trains on
beside IFEval's, with their official meaning, offline; instructions/*.py say which quirks of the official code are
kept, and where a count may differ from the official tokenizers. mode "loose" also accepts the answer without its
first line, its last line, both, or its asterisks. The score is the share followed; the reason names each instruction
that is not, and why. Not covered: other sets' kinds (an unknown id is a SpecError), and whether the answer is any
good otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from gradus.verifiers.base import SpecError, Verdict, failed, passed, unparseable, verifier
from gradus.verifiers.instructions import (
    ifbench_count,
    ifbench_custom,
    ifbench_format,
    ifbench_words,
    registry,
    shape,
    training,
    wording,
)
from gradus.verifiers.instructions.text import Text
from gradus.verifiers.trail import note

_KINDS = (ifbench_count, ifbench_custom, ifbench_format, ifbench_words, shape, training, wording)
"""Imported for what they register."""


class Instruction(TypedDict):
    """One instruction: its kind and that kind's arguments; nulls count as absent."""

    id: str
    kwargs: dict[str, Any] | None


def check(spec: Mapping[str, Any]) -> None:
    """Refuse a spec without instructions, an unknown kind, or arguments that do not fit it."""
    if not spec["instructions"] or spec.get("mode", "strict") not in {"strict", "loose"}:
        raise SpecError("instruction: give at least one of instructions, and mode 'strict' or 'loose'")
    for one in spec["instructions"]:
        if not isinstance(one, Mapping) or set(one) != {"id", "kwargs"}:
            raise SpecError(f"instruction: an instruction is {{'id': …, 'kwargs': {{…}}}}, not {one!r}")
        registry.check(one["id"], _arguments(one, spec.get("prompt")))


@verifier("instruction", version="2", check=check)
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
    texts = _variants(answer) if mode == "loose" else [Text(answer)]
    faults = []
    for one in instructions:
        fault = _fault(one, texts, prompt)
        note("{}: {}", one["id"], fault or "followed")
        if fault:
            faults.append(f"{one['id']} ({fault})")
    if not faults:
        return passed(f"follows all {len(instructions)} instructions")
    right = len(instructions) - len(faults)
    reason = f"follows {right} of {len(instructions)} instructions, not {'; '.join(faults)}"
    return failed(reason, right / len(instructions))


def _fault(one: Instruction, texts: list[Text], prompt: str | None) -> str:
    """Return why none of the readings follows the instruction: the first one's fault."""
    arguments, first = _arguments(one, prompt), ""
    for text in texts:
        fault = registry.fault(one["id"], text, arguments)
        if not fault:
            return ""
        first = first or fault
    return first


def _arguments(one: Mapping[str, Any], prompt: str | None) -> dict[str, Any]:
    """Return the kind's arguments; the prompt to repeat is the problem's prompt unless it is given."""
    arguments = registry.given(one["kwargs"])
    if one["id"] == "combination:repeat_prompt" and prompt:
        arguments.setdefault("prompt_to_repeat", prompt)
    return arguments


def _variants(answer: str) -> list[Text]:
    """Return IFEval's loose readings: with or without first line, last line and asterisks."""
    lines = answer.split("\n")
    cuts = [answer, *("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))]
    readings = dict.fromkeys([*cuts, *(cut.replace("*", "") for cut in cuts)])
    return [Text(reading) for reading in readings if reading.strip()]
