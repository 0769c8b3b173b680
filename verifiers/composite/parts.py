"""What composite verifiers share: their parts, and a version that holds the parts' versions.

`parts` lists `{"verifier", "spec"}`; parts may themselves be composites, to MAX_DEPTH levels. Every part judges the
whole answer: the parts of an answer ("(a) 3, (b) 4") are for a part's verifier to find.

A part that could not be judged (`verifier_error`) makes the whole a `verifier_error`, unless no verdict of it could
change outcome or score.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gradus.verifiers.base import SpecError, Verdict, check_spec, find, verify, version_of
from gradus.verifiers.trail import note

MAX_DEPTH = 3
MAX_PARTS = 16
OWN_VERSION = "1"
COMPOSITES = ("all_of", "any_of", "weighted")
Part = Mapping[str, Any]


def check(spec: Mapping[str, Any]) -> None:
    """Refuse parts that could not be judged."""
    check_parts(spec["parts"], {"verifier", "spec"})


def check_parts(parts: Any, fields: set[str]) -> None:
    """Refuse parts that could not be judged, each by its own verifier's rules."""
    if not isinstance(parts, list) or not 1 <= len(parts) <= MAX_PARTS:
        raise SpecError(f"parts must be a list of 1 to {MAX_PARTS}, not {parts!r:.60}")
    for number, part in enumerate(parts, 1):
        if not isinstance(part, dict) or set(part) != fields:
            raise SpecError(f"part {number} must have {', '.join(sorted(fields))}; it is {part!r:.80}")
        if not isinstance(part["verifier"], str) or not isinstance(part["spec"], dict):
            raise SpecError(f"part {number}: verifier must be text and spec an object")
        if _depth(part, MAX_DEPTH) >= MAX_DEPTH:
            raise SpecError(f"part {number}: composites are nested deeper than {MAX_DEPTH} levels")
        try:
            check_spec(part["verifier"], part["spec"])
        except KeyError as error:
            raise SpecError(f"part {number}: no field {error} in the spec") from None
        except SpecError as error:
            raise SpecError(f"part {number}: {error}") from None


def version(spec: Mapping[str, Any]) -> str:
    """Return our version and those of all parts. Numbers are padded, so that later versions sort later."""
    parts = sorted({f"{part['verifier']} {version_of(part['verifier'], part['spec'])}" for part in spec["parts"]})
    return re.sub(r"\d+", lambda match: match[0].zfill(4), f"{OWN_VERSION} ({', '.join(parts)})")


def own_version(name: str) -> str:
    """Return the version of a verifier, of a composite without its parts; empty if only its spec tells."""
    version = OWN_VERSION if name in COMPOSITES else find(name).version
    return version if isinstance(version, str) else ""


def versions(name: str, spec: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return (name, own version) of a verifier and of all its parts."""
    found = {name: own_version(name)}
    for part in spec["parts"] if name in COMPOSITES else ():
        found |= versions(part["verifier"], part["spec"])
    return tuple(found.items())


def judged(answer: str, parts: Sequence[Part]) -> Iterator[Verdict]:
    """Yield the verdict of every part, run when asked for."""
    for number, part in enumerate(parts, 1):
        note("part {}: {}", number, part["verifier"])
        verdict = verify(part["verifier"], answer, part["spec"])
        note("part {}: {}: {}", number, verdict.outcome, verdict.reason)
        yield verdict


def because(parts: Sequence[Part], found: list[Verdict], index: int) -> str:
    """Return the reason that the part of that index gives."""
    return f"part {index + 1} ({parts[index]['verifier']}): {found[index].outcome}: {found[index].reason}"


def _depth(part: Any, limit: int) -> int:
    """Return how many levels of composites a part makes; counting ends one above limit."""
    if not isinstance(part, dict) or part.get("verifier") not in COMPOSITES or limit < 0:
        return 0
    inner = part["spec"].get("parts") if isinstance(part.get("spec"), dict) else None
    return 1 + max((_depth(one, limit - 1) for one in inner), default=0) if isinstance(inner, list) else 1
