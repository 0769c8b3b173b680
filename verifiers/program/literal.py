"""Plain data as Python text that makes it again, whatever it is: infinities, huge numbers, lone surrogates."""

from __future__ import annotations

import math
from typing import Any


def literal(value: Any) -> str:
    """Return an expression for built-in data."""
    match value:
        case bool() | None | str() | bytes():
            return repr(value)
        case complex():
            return f"complex({literal(value.real)}, {literal(value.imag)})"
        case int():
            # Decimal digits have a limit.
            return hex(value)
        case float():
            return repr(value) if math.isfinite(value) else f"float('{value}')"
        case list() | tuple() | set() | frozenset():
            return f"{type(value).__name__}([{', '.join(map(literal, value))}])"
        case dict():
            return f"dict([{', '.join(f'({literal(k)}, {literal(v)})' for k, v in value.items())}])"
    raise TypeError(f"a {type(value).__name__} is not plain data")
