"""What LaTeX commands, functions and environments stand for: fractions, roots, logarithms, sums, matrices.

Each reader takes the parser, which stands just behind the command's name, and the name.
Not covered (ParseError): limits, indefinite integrals, sums without a counter, determinants in bars.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from gradus.verifiers.formula.syntax import MINUS_ONE, Node, ParseError, add, multiply, number, reciprocal
from gradus.verifiers.formula.tokens import COMMA, Token

if TYPE_CHECKING:
    from gradus.verifiers.formula.grammar import Parser

HALF = number(Fraction(1, 2))
_INVERSES = {"sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh"}
_ALIASES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan"}
_PLAIN_MATRICES = {"matrix", "pmatrix", "bmatrix", "smallmatrix", "array", "Bmatrix"}


def literal(token: Token) -> Node:
    """Return a number; one with a decimal point, or a repeating one, which is exact."""
    if token.kind == "number":
        return Node("decimal" if "." in token.text else "number", value=Fraction(token.text))
    digits, _, period = token.text.partition("|")
    whole, _, fixed = digits.partition(".")
    start = Fraction(int(whole or "0")) + Fraction(int(fixed or "0"), 10 ** len(fixed))
    return number(start + Fraction(int(period), (10 ** len(period) - 1) * 10 ** len(fixed)))


def argument(parser: Parser) -> Node:
    """Read one LaTeX argument: a braced group, or a single digit or letter."""
    token = parser.peek()
    if token.kind == "number" and len(token.text) > 1 and token.text.isdigit():
        parser.tokens[parser.position] = Token("number", token.text[1:])
        return number(Fraction(token.text[0]))
    if token.kind == "symbol":
        parser.take()
        return Node("symbol", value=token.text)
    return parser.atom()


def command(parser: Parser, name: str) -> Node:
    """Read a fraction, root, binomial or decorated name."""
    if name == r"\sqrt":
        index = parser.bracket(parser.take().kind) if parser.peek().kind == "[" else number(2)
        radicand = parser.atom() if parser.peek().kind == "number" else argument(parser)
        return Node("^", (radicand, reciprocal(index)))
    if name in {r"\overline", r"\bar", r"\hat", r"\tilde"}:
        return _decorated(name, argument(parser))
    top, bottom = argument(parser), argument(parser)
    if name == r"\binom":
        return Node("call", (top, bottom), "binomial")
    return multiply(top, reciprocal(bottom))


def _decorated(name: str, inner: Node) -> Node:
    r"""Return \overline{z}: a name of its own; over digits it would be a repeating decimal or a numeral."""
    if inner.head != "symbol":
        raise ParseError(f"{name} over more than a letter")
    return Node("symbol", value=f"{name[1:]} {inner.value}")


def function(parser: Parser, name: str) -> Node:
    """Read a function's base, power and argument."""
    base = power = None
    while sign := parser.accept("_", "^"):
        if sign == "_":
            base = argument(parser)
        else:
            power = parser.exponent()
    args = _arguments(parser)
    inverse = power == MINUS_ONE and name in _INVERSES
    node = _call("arc" + name if inverse else _ALIASES.get(name, name), args, base)
    return Node("^", (node, power)) if power is not None and not inverse else node


def _call(name: str, args: tuple[Node, ...], base: Node | None) -> Node:
    if base is not None and (name != "log" or len(args) != 1):
        raise ParseError(f"{name} with a subscript")
    if name in {"max", "min", "gcd", "lcm"}:
        return Node("call", args, name)
    if len(args) != 1:
        raise ParseError(f"{name} of {len(args)} arguments")
    if name == "sqrt":
        return Node("^", (args[0], HALF))
    if name == "cbrt":
        return Node("^", (args[0], number(Fraction(1, 3))))
    if name == "exp":
        return Node("^", (Node("symbol", value="e"), args[0]))
    return Node("call", args if base is None else (args[0], base), name)


def _arguments(parser: Parser) -> tuple[Node, ...]:
    """Read f(x), f{x}, f|x|, or without brackets the factors up to the next sign or function."""
    token = parser.peek()
    if token.kind in {"(", "[", r"\{"}:
        inner = parser.bracket(parser.take().kind)
        return inner.args if inner.head in {"sequence", "set"} else (inner,)
    product = [parser.factor()]
    while parser.starts_factor() and parser.peek().kind in {"symbol", "command", "number"}:
        product.append(parser.factor())
    return (product[0] if len(product) == 1 else multiply(*product),)


def rounding(parser: Parser, name: str) -> Node:
    r"""Read \lfloor x \rfloor or \lceil x \rceil."""
    inner = parser.sum()
    parser.expect(name.replace(r"\l", r"\r"))
    return Node("call", (inner,), name[2:])


def series(parser: Parser, name: str) -> Node:
    """Read a sum or product over a counter, or a definite integral."""
    if name == "int":
        return _integral(parser)
    if not parser.accept("_"):
        raise ParseError(f"{name} without limits")
    start = _group(parser)
    if not parser.accept("^") or start.head != "relation" or start.value != "=" or start.args[0].head != "symbol":
        raise ParseError(f"{name} without limits")
    high = argument(parser)
    return Node("series", (start.args[0], start.args[1], high, parser.term()), name)


def _group(parser: Parser) -> Node:
    parser.expect("{")
    node = parser.statement()
    parser.expect("}")
    return node


def _integral(parser: Parser) -> Node:
    limits = {}
    while sign := parser.accept("_", "^"):
        limits[sign] = argument(parser)
    body = parser.sum()
    terms = list(body.args) if body.head == "+" else [body]
    factors = list(terms[-1].args) if terms[-1].head == "*" else []
    if len(limits) != 2 or len(factors) < 2 or factors[-2].value != "d" or factors[-1].head != "symbol":
        raise ParseError("an integral without limits or dx")
    terms[-1] = multiply(*factors[:-2]) if len(factors) > 2 else number(1)
    return Node("integral", (factors[-1], limits["_"], limits["^"], add(*terms)))


def environment(parser: Parser, name: str) -> Node:
    """Read a matrix, or the cases of a piecewise function."""
    if name in _PLAIN_MATRICES:
        rows = _rows(parser, lambda: parser.sum())
        return Node("matrix", tuple(Node("row", tuple(row)) for row in rows))
    if name in {"cases", "dcases"}:
        rows = _rows(parser, lambda: _case(parser))
        return Node("cases", tuple(Node("row", tuple(row)) for row in rows))
    raise ParseError(name)


def _rows(parser: Parser, cell: Callable[[], Node]) -> list[list[Node]]:
    rows: list[list[Node]] = [[]]
    while parser.peek().kind not in {"end", "end of answer"}:
        if parser.peek().kind == "row":
            parser.take()
            rows.append([])
        elif parser.peek().kind == "cell":
            parser.take()
        else:
            rows[-1].append(cell())
            if parser.peek().kind not in {"row", "cell", "end"}:
                raise ParseError("matrix cell")
    parser.expect("end")
    return [row for row in rows if row]


def _case(parser: Parser) -> Node:
    """Read a value or its condition, without "if", "for" and commas."""
    while parser.peek().kind == "text" or parser.peek() == COMMA:
        word = parser.take().text.strip(" ,.:").lower()
        if word in {"otherwise", "else"}:
            return Node("symbol", value="otherwise")
    node = parser.statement()
    while parser.peek().kind == "text" or parser.peek() == COMMA:
        parser.take()
    return node


READERS: dict[str, Callable[[Parser, str], Node]] = {
    "command": command,
    "function": function,
    "series": series,
    "begin": environment,
    r"\lfloor": rounding,
    r"\lceil": rounding,
}
