"""Verifier "math_verify": Hugging Face's Math-Verify 0.9, for comparison with "math".

Its own faults are kept: it accepts 1/2^98 for 1/2^99 and 5 km/s for 5 m/s. Its timer works only in the
main thread; elsewhere it runs without one, so a hostile answer (`9^{9^9}`) can take for ever there:
prefer "math" for answers nobody has read. Needs the package math-verify.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Mapping
from typing import Any

from gradus.verifiers.base import SpecError, Verdict, failed, passed, unparseable, verifier


def check(spec: Mapping[str, Any]) -> None:
    """Refuse an expected answer that Math-Verify cannot read."""
    if not isinstance(spec["expected"], str) or not _parse(spec["expected"]):
        raise SpecError(f"math_verify: cannot read the expected answer {spec['expected']!r}")


@verifier("math_verify", version="0.9.0", check=check)
def math_verify(answer: str, *, expected: str) -> Verdict:
    """Pass when Math-Verify finds an answer in the text and calls it equal to expected."""
    want, got = _parse(expected), _upstream().parse(answer, parsing_timeout=_timeout_s())
    if not got:
        return unparseable("Math-Verify found no answer in the text")
    said = f"got {got[-1]}, expected {want[-1]}"
    return passed(said) if _upstream().verify(want, got, timeout_seconds=_timeout_s()) else failed(said)


def _upstream() -> Any:
    """Import the package when it is first used: it is optional, and slow to load."""
    try:
        return importlib.import_module("math_verify")
    except ImportError:
        raise SpecError("math_verify: the package is missing; pip install math-verify, or use math") from None


def _parse(expected: str) -> list[Any]:
    """Read an expected answer, given as LaTeX with or without dollar signs."""
    text = expected if "$" in expected or "\\boxed" in expected else f"${expected}$"
    found: list[Any] = _upstream().parse(text, parsing_timeout=_timeout_s())
    return found


def _timeout_s() -> int | None:
    """Return Math-Verify's own limit; its alarm exists only in the main thread."""
    return 5 if threading.current_thread() is threading.main_thread() else None
