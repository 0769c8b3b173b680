"""Runs beside the program, as text: makes the calls of a test and says as plain data what came of each.

The program can change all of this; what it writes is only a claim about its own results. Nothing a test
expects is here. Objects that are not data stay in `_gradus_results`, where later calls find them.
"""

# mypy: ignore-errors
import collections as _gradus_collections
import decimal as _gradus_decimal
import fractions as _gradus_fractions
import itertools as _gradus_itertools
import sys as _gradus_sys

_gradus_results: list = []
_gradus_given: list = []
_GRADUS_MARK = "\0gradus"
_GRADUS_MAX_ITEMS = 10_000


def _gradus_m(value):
    """Remember an argument that the program may change."""
    _gradus_given.append(value)
    return value


def _gradus_do(text):
    """Return (what it is, the data, the arguments afterwards)."""
    _gradus_given.clear()
    value = None
    try:
        value = eval(text, globals())
        if isinstance(value, _gradus_collections.abc.Iterator | _gradus_collections.abc.MappingView):
            value, whole = _gradus_first(value)
            kind, data = _gradus_claim(value)
            kind, data = ("items", (data, whole)) if kind == "plain" else (kind, data)
        else:
            kind, data = _gradus_claim(value)
    except BaseException as error:
        kind, data = "raised", ([c.__name__ for c in type(error).__mro__], _gradus_said(error))
    _gradus_results.append(value)
    return kind, data, [_gradus_claim(item) for item in _gradus_given]


def _gradus_said(error):
    try:
        return str.__str__(str(error))[:300]
    except BaseException:
        return ""


def _gradus_claim(value):
    try:
        return "plain", _gradus_plain(value)
    except (TypeError, RecursionError):
        return "object", type(value).__name__


def _gradus_first(value):
    """Return the first items as a list, and whether they are all."""
    items = iter(value)
    return list(_gradus_itertools.islice(items, _GRADUS_MAX_ITEMS)), next(items, _gradus_m) is _gradus_m


def _gradus_plain(value):
    """Return the value as built-in data: subclasses as what they extend, a few other types as marked tuples."""
    kind = type(value)
    if value is None or kind in (bool, int, float, complex, str, bytes):
        return value
    numpy = _gradus_sys.modules.get("numpy")
    if numpy and isinstance(value, numpy.ndarray):
        return (_GRADUS_MARK, "array", _gradus_plain(numpy.ndarray.tolist(value)), str(value.dtype), list(value.shape))
    if numpy and isinstance(value, numpy.generic):
        return (_GRADUS_MARK, "scalar", _gradus_plain(value.item()), str(value.dtype))
    for base, mark in ((_gradus_fractions.Fraction, "Fraction"), (_gradus_decimal.Decimal, "Decimal")):
        if isinstance(value, base):
            return (_GRADUS_MARK, mark, base.__str__(value))
    if kind is range:
        return (_GRADUS_MARK, "range", [value.start, value.stop, value.step])
    if isinstance(value, _gradus_collections.deque):
        return (_GRADUS_MARK, "deque", [_gradus_plain(item) for item in value])
    return _gradus_built_in(value)


def _gradus_built_in(value):
    for base, convert in ((int, int.__int__), (float, float.__float__), (complex, complex.__complex__)):
        if isinstance(value, base):
            return convert(value)
    if isinstance(value, str | bytes | bytearray):
        return str.__str__(value) if isinstance(value, str) else bytes(value)
    if isinstance(value, dict):
        return {_gradus_plain(k): _gradus_plain(v) for k, v in dict.items(value)}
    for base in (list, tuple, set, frozenset):
        if isinstance(value, base):
            return base([_gradus_plain(item) for item in base.__iter__(value)])
    raise TypeError("not plain data")
