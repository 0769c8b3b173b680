"""From a line of JSON that asks for a verdict to the line that gives it.

In: `{"id", "verifier", "answer", "spec"}`. Out: `{"id", "outcome", "score", "reason", "seconds"}`, and `steps` where
they are asked for. Lines stay bytes until a worker reads them, so that reading costs the cores of all workers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from gradus.verifiers.base import MALFORMED, Verdict, check_spec, explain, verify
from gradus.verifiers.composite.parts import versions

FIELDS = {"id": (str, "text"), "verifier": (str, "text"), "answer": (str, "text"), "spec": (dict, "an object")}


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """What a line became. fault: why it could not be read, empty if it could; then there is no verdict.

    versions: the verifiers that had a say, each with its version.
    """

    outcome: str
    text: bytes
    fault: str = ""
    versions: tuple[tuple[str, str], ...] = ()


def judge_line(line: bytes) -> JudgedLine:
    """Judge the answer of one line."""
    return _judged(line, steps=False)


def explain_line(line: bytes) -> JudgedLine:
    """Judge the answer of one line and add the steps to the verdict."""
    return _judged(line, steps=True)


def give_up_line(line: bytes, reason: str) -> JudgedLine:
    """Return the verdict on a line that could not be judged."""
    try:
        return _written(str(json.loads(line)["id"]), Verdict("verifier_error", reason))
    except (KeyError, *MALFORMED):
        return JudgedLine("", b"", reason)


def _judged(line: bytes, *, steps: bool) -> JudgedLine:
    try:
        row = json.loads(line.decode().strip())
        if not isinstance(row, dict):
            raise ValueError("a JSON object is needed")
        for name, (kind, said) in FIELDS.items():
            if not isinstance(row.get(name), kind):
                raise ValueError(f"{name!r} must be {said}")
        check_spec(row["verifier"], row["spec"])
    except KeyError as error:
        return JudgedLine("", b"", f"no field {error} in the spec")
    except MALFORMED as error:
        return JudgedLine("", b"", str(error) or type(error).__name__)
    ask = row["verifier"], row["answer"], row["spec"]
    verdict, taken = explain(*ask) if steps else (verify(*ask), None)
    judged = _written(row["id"], verdict, {} if taken is None else {"steps": taken})
    return replace(judged, versions=versions(row["verifier"], row["spec"]))


def _written(id: str, verdict: Verdict, more: dict[str, Any] | None = None) -> JudgedLine:
    line = {"id": id, "outcome": verdict.outcome, "score": verdict.score, "reason": verdict.reason}
    line |= {"seconds": round(verdict.seconds, 6)} | (more or {})
    # In ASCII: a reason may quote half a surrogate pair, which no encoding takes.
    return JudgedLine(verdict.outcome, json.dumps(line).encode() + b"\n")
