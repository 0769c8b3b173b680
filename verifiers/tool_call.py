"""Verifier "tool_call": were the expected tools called with the expected arguments?

expected is a list of calls `{"name", "arguments", "optional", "match"}`. Every expected argument must be there and
equal (5 is 5.0, the order of keys does not count), and none besides. `optional` names arguments that may be left
out; `match` says how one is compared: "exact" (default), "any" (only there), "text" (without case and spacing),
"unordered" (a list in any order), "one_of" (expected is a list of right values). Calls may come in any order
unless ordered. An empty list expects an answer that calls nothing.

Score: matched calls over calls expected or made, whichever are more. Forms of calls: structured/calls.py.
Not covered: whether the text beside the calls is right; arguments that depend on another call's result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradus.verifiers.base import SpecError, Verdict, failed, passed, unparseable, verifier
from gradus.verifiers.structured.calls import MAX_CALLS, Call, read_calls
from gradus.verifiers.structured.strict_json import BadJSON, canonical
from gradus.verifiers.trail import note

MODES: dict[str, type] = {"exact": object, "any": object, "text": str, "unordered": list, "one_of": list}
"""And what must be expected for it."""
KINDS: dict[str, type] = {"arguments": dict, "match": dict, "optional": list}
FIELDS = {"name", *KINDS}


def check(spec: Mapping[str, Any]) -> None:
    """Refuse expected calls that no answer could be compared with."""
    expected = spec["expected"]
    if not isinstance(expected, list) or len(expected) > MAX_CALLS:
        raise SpecError(f"tool_call: expected must be a list of at most {MAX_CALLS} calls, not {expected!r:.60}")
    for call in expected:
        _check_call(call)


def _check_call(call: Any) -> None:
    if not isinstance(call, dict) or not isinstance(call.get("name"), str) or set(call) - FIELDS:
        raise SpecError(f"tool_call: a call has {', '.join(sorted(FIELDS))}, of which name is needed; not {call!r:.80}")
    arguments, match, optional = (call.get(field, kind()) for field, kind in KINDS.items())
    if not all(isinstance(call.get(field, kind()), kind) for field, kind in KINDS.items()):
        raise SpecError(f"tool_call: arguments and match of {call['name']!r} must be objects, optional a list")
    for name in [*optional, *match]:
        if name not in arguments:
            raise SpecError(
                f"tool_call: {call['name']!r} expects no argument {name!r} that could be optional or matched"
            )
    for name, mode in match.items():
        wanted = MODES.get(mode) if isinstance(mode, str) else None
        if wanted is None or not isinstance(arguments[name], wanted):
            raise SpecError(f"tool_call: {name!r} cannot be matched as {mode!r}. Modes: {', '.join(MODES)}.")


@verifier("tool_call", version="1", check=check)
def tool_call(answer: str, *, expected: Sequence[Mapping[str, Any]], ordered: bool = False) -> Verdict:
    """Pass when the calls made are the calls expected."""
    try:
        made = read_calls(answer)
    except BadJSON as error:
        return unparseable(f"a tool call cannot be read: {error}")
    note("{} calls made: {}", len(made), ", ".join(call.name for call in made))
    if not expected:
        return failed(f"called {made[0].name}, expected no call") if made else passed("no call, as expected")
    if not made:
        return unparseable('no tool call found: write {"name": …, "arguments": {…}}')
    faults = [[_fault(call, want) for call in made] for want in expected]
    pairs = _in_place(faults) if ordered else _matched(faults)
    if len(pairs) == len(expected) == len(made):
        return passed("made exactly the expected calls")
    score = len(pairs) / max(len(expected), len(made))
    missed = next((i for i in range(len(expected)) if i not in pairs), None)
    if missed is None:
        extra = next(call for j, call in enumerate(made) if j not in pairs.values())
        return failed(f"made a call too many: {extra.name}", score)
    return failed(_why(expected[missed], made, faults[missed], missed if ordered else None), score)


def _why(want: Mapping[str, Any], made: list[Call], faults: list[str], place: int | None) -> str:
    if place is not None and place < len(made):
        return f"call {place + 1}: {faults[place]}"
    same = [fault for call, fault in zip(made, faults, strict=True) if call.name == want["name"] and fault]
    return same[0] if same else f"expected a call of {want['name']}, found {', '.join(call.name for call in made)}"


def _fault(call: Call, want: Mapping[str, Any]) -> str:
    """Return what is wrong with a call; empty for nothing."""
    if call.name != want["name"]:
        return f"called {call.name}, expected {want['name']}"
    arguments, match = want.get("arguments", {}), want.get("match", {})
    for name in call.arguments:
        if name not in arguments:
            return f"{call.name} takes no argument {name} here"
    for name, value in arguments.items():
        if name not in call.arguments:
            if name not in want.get("optional", ()):
                return f"{call.name} lacks argument {name}"
        elif not _equal(call.arguments[name], value, match.get(name, "exact")):
            return f"{call.name}: {name} is {canonical(call.arguments[name]):.60}, expected {canonical(value):.60}"
    return ""


def _equal(got: Any, want: Any, mode: str) -> bool:
    if mode == "any":
        return True
    if mode == "text":
        return isinstance(got, str) and " ".join(got.casefold().split()) == " ".join(want.casefold().split())
    if mode == "one_of":
        return canonical(got) in map(canonical, want)
    if mode == "unordered":
        return isinstance(got, list) and sorted(map(canonical, got)) == sorted(map(canonical, want))
    return canonical(got) == canonical(want)


def _in_place(faults: list[list[str]]) -> dict[int, int]:
    """Return {expected: made} of the calls that are right at their own place."""
    return {i: i for i, row in enumerate(faults) if i < len(row) and not row[i]}


def _matched(faults: list[list[str]]) -> dict[int, int]:
    """Return {expected: made} with as many pairs as there can be (augmenting paths)."""
    owner: dict[int, int] = {}

    def place(i: int, seen: set[int]) -> bool:
        for j, fault in enumerate(faults[i]):
            if not fault and j not in seen:
                seen.add(j)
                if j not in owner or place(owner[j], seen):
                    owner[j] = i
                    return True
        return False

    for i in range(len(faults)):
        place(i, set())
    return {i: j for j, i in owner.items()}
