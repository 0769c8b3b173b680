"""From a mathematical answer's text to its tree: recursive descent over LaTeX and plain notation.

    answer    = element {"," element}                 a top-level comma, "and" or "or" makes a list
    element   = statement {"∪" statement} [unit]
    statement = sum {relation sum}
    sum       = term {("+" | "-" | "±") term}
    term      = factor {["*" | "/"] factor}           products without a sign bind as tightly as with one
    factor    = {"-"} atom {"!" | "%" | "^" factor}

Not covered: sums, integrals, limits, set builders, quantifiers, piecewise functions: those raise
ParseError, and the answer is compared as text.
"""

from __future__ import annotations

from fractions import Fraction

from gradus.verifiers.formula.syntax import FUNCTIONS, Node, ParseError, Token, clean, tokenize

MAX_DEPTH = 40
MAX_TREE_DEPTH = 150
MAX_ELEMENTS = 64
MAX_UNIT_WORDS = 4
ONE = Node("number", value=Fraction(1))
_CLOSERS = {"(": ")]", "[": ")]", r"\{": r"\}", "{": "}"}


def parse(text: str, *, thousands: bool = True) -> Node:
    """Read a whole answer. ParseError when it is not (only) mathematics."""
    try:
        elements = [_element(part) for part in _split(tokenize(clean(text), thousands=thousands))]
    except RecursionError:
        raise ParseError("nested too deeply") from None
    expanded = [node for element in elements for node in _signs(element)]
    if any(_depth(node) > MAX_TREE_DEPTH for node in expanded):
        raise ParseError(f"more than {MAX_TREE_DEPTH} operations in one another")
    if not 0 < len(expanded) <= MAX_ELEMENTS:
        raise ParseError(f"{len(expanded)} elements; 1 to {MAX_ELEMENTS} can be read")
    return expanded[0] if len(expanded) == 1 else Node("list", tuple(expanded))


def _split(tokens: list[Token]) -> list[list[Token]]:
    """Cut at commas outside brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.kind in {"(", "[", "{", r"\{", "begin"}) - (token.kind in {")", "]", "}", r"\}", "end"})
        if depth == 0 and token == Token("operator", ","):
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _element(tokens: list[Token]) -> Node:
    """Parse one element; words after it are its unit, words and "=" before it are dropped."""
    if len(tokens) > 2 and tokens[0].kind == "text" and tokens[1] == Token("relation", "="):
        tokens = tokens[2:]
    first = next((i for i, token in enumerate(tokens) if token.kind == "text"), len(tokens))
    unit, tokens = tokens[first:], tokens[:first]
    if unit and unit[0].text.startswith("for"):
        unit = []
    measured = any(token.kind == "number" or token.text == "pi" for token in tokens)
    if unit and not (measured and sum(token.kind == "text" for token in unit) <= MAX_UNIT_WORDS):
        raise ParseError("words that are no unit")
    if any(token.kind not in {"text", "number", "symbol", "operator", "{", "}"} for token in unit):
        raise ParseError("words between formulas")
    parser = Parser(tokens)
    node = parser.union()
    parser.expect_end()
    name = "".join(token.text for token in unit if token.kind not in "{}")
    # "Hours" is "hour", but mW is not MW and s is a unit.
    name = name.lower().rstrip("s") if len(name) > 3 else name
    return Node("unit", (node,), name) if name else node


def _depth(node: Node) -> int:
    """Return the height of the tree, without recursion."""
    depth, level = 0, [node]
    while level:
        depth, level = depth + 1, [arg for parent in level for arg in parent.args]
    return depth


def _signs(node: Node) -> list[Node]:
    """Write out ± as its two values, all signs of an element changing together."""
    if node.head in {"set", "list"}:
        return [Node(node.head, tuple(sign for arg in node.args for sign in _signs(arg)))]
    if not any(part.head == "±" for part in node.walk()):
        return [node]
    return [_choose(node, "+"), _choose(node, "-")]


def _choose(node: Node, sign: str) -> Node:
    args = tuple(_choose(arg, sign) for arg in node.args)
    if node.head != "±":
        return Node(node.head, args, node.value)
    minus = (node.value == "±") == (sign == "-")
    return Node("+", (args[0], negative(args[1]) if minus else args[1]))


def negative(node: Node) -> Node:
    """Return -node."""
    return Node("*", (Node("number", value=Fraction(-1)), node))


def reciprocal(node: Node) -> Node:
    """Return 1/node."""
    return Node("^", (node, Node("number", value=Fraction(-1))))


class Parser:
    """Reads one element's tokens from left to right."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.position, self.depth, self.bars = tokens, 0, 0, 0

    def peek(self, ahead: int = 0) -> Token:
        index = self.position + ahead
        return self.tokens[index] if index < len(self.tokens) else Token("end of answer", "")

    def take(self) -> Token:
        token = self.peek()
        self.position += 1
        return token

    def accept(self, *texts: str) -> str:
        """Take the next operator if it is one of these, else return ''."""
        if self.peek().kind == "operator" and self.peek().text in texts:
            return self.take().text
        return ""

    def expect(self, kind: str) -> None:
        if self.take().kind != kind:
            raise ParseError(f"expected {kind}")

    def expect_end(self) -> None:
        if self.position < len(self.tokens):
            raise ParseError(f"cannot read {self.peek().text!r} here")

    def union(self) -> Node:
        parts = [self.statement()]
        while self.accept("∪"):
            parts.append(self.statement())
        return parts[0] if len(parts) == 1 else Node("union", tuple(parts))

    def statement(self) -> Node:
        sides, signs = [self.sum()], []
        while self.peek().kind == "relation":
            signs.append(self.take().text)
            sides.append(self.sum())
        return Node("relation", tuple(sides), " ".join(signs)) if signs else sides[0]

    def sum(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ParseError(f"nested more than {MAX_DEPTH} deep")
        start = self.accept("±", "∓", "+")
        total = self.term()
        if start in {"±", "∓"}:
            total = Node("±", (Node("number", value=Fraction(0)), total), start)
        while sign := self.accept("+", "-", "±", "∓"):
            right = self.term()
            if sign in "±∓":
                total = Node("±", (total, right), sign)
            else:
                total = Node("+", (total, negative(right) if sign == "-" else right))
        self.depth -= 1
        return total

    def term(self) -> Node:
        product = self.factor()
        while True:
            if self.accept("*"):
                product = Node("*", (product, self.factor()))
            elif self.accept("/"):
                product = Node("*", (product, reciprocal(self.factor())))
            elif self.starts_factor():
                product = self.next_to(product)
            else:
                return product

    def starts_factor(self) -> bool:
        token = self.peek()
        if token.kind in {"symbol", "function", "command", "number", "(", "{", r"\lfloor", r"\lceil"}:
            return True
        return token == Token("operator", "|") and not self.bars

    def next_to(self, left: Node) -> Node:
        """Read a factor written directly after left: a product, or the fraction of a mixed number."""
        if self.peek().kind == "number":
            if left.head != "number" or Token("operator", "/") != self.peek(1) or self.peek(2).kind != "number":
                raise ParseError("two numbers in a row")
            top, _, bottom = (self.take().text for _ in range(3))
            if not (top.isdigit() and bottom.isdigit() and int(top) < int(bottom)):
                raise ParseError("two numbers in a row")
            return Node("+", (left, Node("number", value=Fraction(int(top), int(bottom)))))
        mixed = left.head == "number" and self.peek().text == r"\frac"
        right = self.factor()
        return Node("+", (left, right)) if mixed and _is_proper(right) else Node("*", (left, right))

    def factor(self) -> Node:
        if self.accept("-"):
            return negative(self.factor())
        if self.accept("+"):
            return self.factor()
        node = self.atom()
        while sign := self.accept("^", "!", "%"):
            if sign == "^":
                node = Node("^", (node, self.exponent()))
            else:
                node = Node("!" if sign == "!" else "percent", (node,))
        return node

    def exponent(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ParseError(f"nested more than {MAX_DEPTH} deep")
        if self.accept("-"):
            node = negative(self.exponent())
        else:
            node = self.atom()
            if self.accept("^"):
                node = Node("^", (node, self.exponent()))
        self.depth -= 1
        return node

    def atom(self) -> Node:
        token = self.take()
        if token.kind == "number":
            return self.based(Node("decimal" if "." in token.text else "number", value=Fraction(token.text)))
        if token.kind == "symbol":
            return Node("symbol", value=token.text + self.subscript())
        if token.kind == "function":
            return self.function(token.text)
        if token.kind == "command":
            return self.command(token.text)
        if token.kind in _CLOSERS:
            return self.bracket(token.kind)
        if token.kind == "begin":
            return self.matrix()
        if token.kind in {r"\lfloor", r"\lceil"}:
            inner = self.sum()
            self.expect(token.kind.replace(r"\l", r"\r"))
            return Node("call", (inner,), token.kind[2:])
        if token == Token("operator", "|"):
            return self.absolute()
        raise ParseError(f"cannot read {token.text!r} here")

    def based(self, number: Node) -> Node:
        """A subscript on a number is its base, which is part of what it says."""
        base = self.subscript()
        return Node("based", (number,), base) if base else number

    def subscript(self) -> str:
        if not self.accept("_"):
            return ""
        if self.peek().kind != "{":
            return "_" + self.take().text
        self.take()
        inside = []
        while self.peek().kind not in {"}", "end of answer"}:
            inside.append(self.take().text)
        self.expect("}")
        return "_" + "".join(inside)

    def absolute(self) -> Node:
        self.bars += 1
        inner = self.sum()
        self.bars -= 1
        if not self.accept("|"):
            raise ParseError("| without its partner")
        return Node("call", (inner,), "abs")

    def bracket(self, opener: str) -> Node:
        bars, self.bars = self.bars, 0
        items = [self.union()] if self.peek().kind not in _CLOSERS[opener] else []
        while self.accept(","):
            items.append(self.union())
        closer = self.take().kind
        if closer == "end of answer" or closer not in _CLOSERS[opener]:
            raise ParseError(f"{opener} without its partner")
        self.bars = bars
        if len(items) > MAX_ELEMENTS:
            raise ParseError(f"more than {MAX_ELEMENTS} elements")
        if opener == r"\{":
            return Node("set", tuple(items))
        if len(items) == 1:
            return items[0]
        if opener == "{" and items:
            return Node("set", tuple(items))
        if not items:
            raise ParseError("empty brackets")
        return Node("sequence", tuple(items), opener + closer)

    def matrix(self) -> Node:
        rows: list[list[Node]] = [[]]
        while self.peek().kind != "end":
            rows[-1].append(self.sum())
            if self.peek().kind == "row":
                self.take()
                rows.append([])
            elif self.peek().kind == "cell":
                self.take()
            elif self.peek().kind != "end":
                raise ParseError("matrix cell")
        self.take()
        return Node("matrix", tuple(Node("row", tuple(row)) for row in rows if row))

    def argument(self) -> Node:
        """Read one LaTeX argument: a braced group, or a single digit or letter."""
        token = self.peek()
        if token.kind == "number" and len(token.text) > 1 and token.text.isdigit():
            self.tokens[self.position] = Token("number", token.text[1:])
            return Node("number", value=Fraction(token.text[0]))
        return self.atom()

    def command(self, name: str) -> Node:
        if name == r"\sqrt":
            index = Node("number", value=Fraction(2))
            if self.peek().kind == "[":
                index = self.bracket(self.take().kind)
            radicand = self.atom() if self.peek().kind == "number" else self.argument()
            return Node("^", (radicand, reciprocal(index)))
        top, bottom = self.argument(), self.argument()
        if name == r"\binom":
            return Node("call", (top, bottom), "binomial")
        return Node("*", (top, reciprocal(bottom)))

    def function(self, name: str) -> Node:
        base, power = self.subscript().removeprefix("_"), None
        if self.accept("^"):
            power = self.exponent()
        argument = self.bracket("(") if self.peek().kind == "(" and self.take() else self.bare_argument()
        if base and not (name == "log" and base.isdigit()):
            raise ParseError(f"{name} with a subscript")
        extra = (Node("number", value=Fraction(base)),) if base else ()
        node = Node("^", (argument, reciprocal(Node("number", value=Fraction(2)))))
        if name != "sqrt":
            node = Node("call", (argument, *extra), name)
        if power is not None and power == Node("*", (Node("number", value=Fraction(-1)), ONE)):
            node = Node("call", (argument,), "arc" + name)
            if "arc" + name not in FUNCTIONS:
                raise ParseError(f"inverse of {name}")
        elif power is not None:
            node = Node("^", (node, power))
        return node

    def bare_argument(self) -> Node:
        """Without brackets a function takes the factors up to the next sign or function."""
        product = self.factor()
        while self.starts_factor() and self.peek().kind in {"symbol", "command", "number"}:
            product = Node("*", (product, self.factor()))
        return product


def _is_proper(node: Node) -> bool:
    """Whether node is an integer fraction between 0 and 1."""
    if node.head != "*" or node.args[0].head != "number" or node.args[1].head != "^":
        return False
    top, bottom = node.args[0].value, node.args[1].args[0].value
    return isinstance(top, Fraction) and isinstance(bottom, Fraction) and 0 < top < bottom
