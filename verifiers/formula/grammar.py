"""One element of an answer, from tokens to a tree, by recursive descent over LaTeX and plain notation.

    union     = statement {("∪" | "∩" | "∖") statement}
    statement = ratio {relation ratio}
    ratio     = sum {":" sum}
    sum       = term {("+" | "-" | "±") term}
    term      = factor {["*" | "/"] factor}           products without a sign bind as tightly as with one
    factor    = {"-"} atom {"!" | "%" | "°" | "^" factor}

notation.py reads what LaTeX commands, functions and environments stand for.
"""

from __future__ import annotations

from fractions import Fraction

from gradus.verifiers.formula import notation
from gradus.verifiers.formula.syntax import (
    MAX_ELEMENTS,
    MAX_NESTING,
    LimitError,
    Node,
    ParseError,
    add,
    multiply,
    negative,
    number,
    reciprocal,
)
from gradus.verifiers.formula.tokens import COMMA, Token
from gradus.verifiers.formula.words import number_of

_CLOSERS = {"(": ")]", "[": ")][", "]": "][", r"\{": r"\}", "{": "}"}
MAX_MARKS = 4
_END = Token("end of answer", "")
_STARTS = {"symbol", "function", "command", "series", "number", "repeating", "(", "{", r"\lfloor", r"\lceil", "begin"}


class Parser:
    """Reads one element's tokens from left to right."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.position, self.nesting = tokens, 0, 0
        self.bars = 0
        """Inside |…| and before the bar of a set builder a bar does not open an absolute value."""
        self.ratios = True

    def peek(self, ahead: int = 0) -> Token:
        index = self.position + ahead
        return self.tokens[index] if index < len(self.tokens) else _END

    def take(self) -> Token:
        token = self.peek()
        self.position += 1
        return token

    def accept(self, *texts: str) -> str:
        """Take the next operator if it is one of these, else return ''."""
        token = self.peek()
        if token.kind == "operator" and token.text in texts:
            self.position += 1
            return token.text
        return ""

    def expect(self, kind: str) -> None:
        if self.take().kind != kind:
            raise ParseError(f"expected {kind}")

    def expect_end(self) -> None:
        if self.position < len(self.tokens):
            raise ParseError(f"cannot read {self.peek().text!r} here")

    def enter(self) -> None:
        """Go one level deeper; every path into recursion passes here."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise LimitError(f"nested more than {MAX_NESTING} deep")

    def union(self) -> Node:
        left = self.statement()
        while sign := self.accept("∪", "∩", "∖"):
            right = self.statement()
            if sign == "∪":
                parts = left.args if left.head == "union" else (left,)
                left = Node("union", (*parts, right))
            else:
                left = Node("except" if sign == "∖" else "intersection", (left, right))
        return left

    def statement(self) -> Node:
        sides, signs = [self.ratio()], []
        while self.peek().kind == "relation":
            signs.append(self.take().text)
            sides.append(self.ratio())
        if len(sides) > MAX_ELEMENTS:
            raise LimitError("too many relations")
        return Node("relation", tuple(sides), " ".join(signs)) if signs else sides[0]

    def ratio(self) -> Node:
        parts = [self.sum()]
        while self.ratios and self.accept(":"):
            parts.append(self.sum())
        return parts[0] if len(parts) == 1 else Node("ratio", tuple(parts))

    def sum(self) -> Node:
        self.enter()
        start = self.accept("±", "∓", "+")
        terms = [self.term()]
        if start in {"±", "∓"}:
            terms = [Node("±", (terms[0],), start)]
        while sign := self.accept("+", "-", "±", "∓"):
            right = self.term()
            if sign in "±∓":
                terms.append(Node("±", (right,), sign))
            else:
                terms.append(negative(right) if sign == "-" else right)
        self.nesting -= 1
        return terms[0] if len(terms) == 1 else add(*terms)

    def term(self) -> Node:
        product = [self.factor()]
        while True:
            if self.accept("*"):
                product.append(self.factor())
            elif self.accept("/"):
                product.append(reciprocal(self.factor()))
            elif self.starts_factor():
                self.next_to(product)
            else:
                return product[0] if len(product) == 1 else multiply(*product)

    def starts_factor(self) -> bool:
        token = self.peek()
        return token.kind in _STARTS or (token.kind == "operator" and token.text == "|" and not self.bars)

    def next_to(self, product: list[Node]) -> None:
        """Read a factor written directly after the others: a product, or the fraction of a mixed number."""
        whole = len(product) == 1 and _is_whole(product[0])
        if self.peek().kind == "number":
            behind = self.tokens[self.position - 1]
            if behind.kind in {")", "}", r"\}"} or behind.text == "!":
                product.append(self.factor())
            else:
                self.mixed_by_slash(product, whole)
            return
        mixed = whole and self.peek().text == r"\frac"
        right = self.factor()
        if mixed and _is_proper(right):
            left = product[0]
            value = left.value
            product[0] = add(left, negative(right) if isinstance(value, Fraction) and value < 0 else right)
        else:
            product.append(right)

    def mixed_by_slash(self, product: list[Node], whole: bool) -> None:
        """Read 2 1/2; any other two numbers in a row are an error."""
        slash = self.peek(1).kind == "operator" and self.peek(1).text == "/"
        top, bottom = self.peek().text, self.peek(2).text
        if not (whole and slash and top.isdigit() and bottom.isdigit() and 0 < int(top) < int(bottom)):
            raise ParseError("two numbers in a row")
        self.position += 3
        value, part = product[0].value, Fraction(int(top), int(bottom))
        assert isinstance(value, Fraction)
        product[0] = number(value - part if value < 0 else value + part)

    def factor(self) -> Node:
        signs = 0
        while sign := self.accept("-", "+"):
            signs += sign == "-"
        node, num_marks = self.atom(), 0
        while sign := self.accept("^", "!", "%", "°"):
            num_marks += 1
            if num_marks > MAX_MARKS:
                raise LimitError(f"more than {MAX_MARKS} marks behind one number")
            if sign == "^":
                node = Node("^", (node, self.exponent()))
            elif sign == "!":
                if self.accept("!"):
                    raise ParseError("double factorial")
                node = Node("!", (node,))
            else:
                node = Node("percent" if sign == "%" else "degree", (node,))
        return negative(node) if signs % 2 else node

    def exponent(self) -> Node:
        self.enter()
        if self.accept("-"):
            node = negative(self.exponent())
        else:
            self.accept("+")
            node = self.atom()
            if self.accept("^"):
                node = Node("^", (node, self.exponent()))
        self.nesting -= 1
        return node

    def atom(self) -> Node:
        token = self.take()
        if token.kind in {"number", "repeating"}:
            return self.based(notation.literal(token))
        if token.kind == "symbol":
            return self.symbol(token.text)
        if token.kind in _CLOSERS:
            inner = self.bracket(token.kind)
            return self.based(inner) if inner.head == "number" else inner
        if token.kind == "operator" and token.text == "|":
            return self.absolute()
        read = notation.READERS.get(token.kind)
        if read is None:
            raise ParseError(f"cannot read {token.text!r} here")
        self.enter()
        node = read(self, token.text)
        self.nesting -= 1
        return node

    def symbol(self, name: str) -> Node:
        name += self.subscript()
        while self.accept("'"):
            name += "'"
        if name.startswith("set") and self.peek() == Token("operator", "^") and self.peek(1).text in "+-*":
            name += self.take().text + self.take().text
        return Node("symbol", value=name)

    def based(self, literal: Node) -> Node:
        """A subscript on a number is its base, which is part of what it says."""
        base = self.subscript().strip("_()")
        base = str(number_of(base)) if number_of(base) is not None else base
        return Node("based", (literal,), base) if base else literal

    def subscript(self) -> str:
        if not self.accept("_"):
            return ""
        if self.peek().kind != "{":
            return "_" + self.take().text
        self.take()
        inside, open_braces = [], 1
        while open_braces:
            token = self.take()
            if token is _END:
                raise ParseError("_{ without its partner")
            open_braces += (token.kind == "{") - (token.kind == "}")
            inside.append(token.text)
        return "_" + "".join(inside[:-1])

    def absolute(self) -> Node:
        self.bars += 1
        inner = self.sum()
        self.bars -= 1
        if not self.accept("|"):
            raise ParseError("| without its partner")
        return Node("call", (inner,), "abs")

    def bracket(self, opener: str) -> Node:
        bars, self.bars, ratios, self.ratios = self.bars, int(opener == r"\{"), self.ratios, opener != r"\{"
        items = [self.union()] if self.peek().kind not in _CLOSERS[opener] else []
        if opener == r"\{" and self.accept("|", ":"):
            items = [self.builder(items[0])] if items else []
        while self.accept(","):
            items.append(self.union())
        closer = self.take().kind
        if closer == _END.kind or closer not in _CLOSERS[opener]:
            raise ParseError(f"{opener} without its partner")
        self.bars, self.ratios = bars, ratios
        if len(items) > MAX_ELEMENTS:
            raise LimitError(f"more than {MAX_ELEMENTS} elements")
        return _bracketed(opener, items, closer)

    def builder(self, element: Node) -> Node:
        """Read the condition of {x | condition}."""
        self.bars = 0
        conditions = [self.union()]
        while self.peek() == COMMA:
            self.take()
            conditions.append(self.union())
        return Node("builder", (element, *conditions))


def _bracketed(opener: str, items: list[Node], closer: str) -> Node:
    if opener == r"\{":
        return items[0] if len(items) == 1 and items[0].head == "builder" else Node("set", tuple(items))
    if len(items) == 1:
        return items[0]
    # In LaTeX bare braces show nothing.
    if opener == "{" and items:
        return Node("list", tuple(items))
    if not items:
        raise ParseError("empty brackets")
    # ]1,2[ is the open interval.
    left = "(" if opener == "]" else opener
    right = ")" if closer == "[" else closer
    return Node("sequence", tuple(items), left + right)


def _is_whole(node: Node) -> bool:
    """Whether node is an integer as written."""
    return node.head == "number" and isinstance(node.value, Fraction) and node.value.denominator == 1


def _is_proper(node: Node) -> bool:
    """Whether node is an integer fraction between 0 and 1."""
    if node.head != "*" or len(node.args) != 2 or node.args[0].head != "number" or node.args[1].head != "^":
        return False
    top, bottom = node.args[0].value, node.args[1].args[0].value
    return isinstance(top, Fraction) and isinstance(bottom, Fraction) and 0 < top < bottom
