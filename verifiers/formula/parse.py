"""From a mathematical answer's text to its tree: cuts the answer into elements, and each into label, value and unit.

    answer  = element {"," element} [condition]     "and", "or" and ";" separate as commas do
    element = [label (":" | "=")] union [unit]
    label   = words, "(a)", or a name before a colon
    unit    = words, or a currency sign
    condition = "where …", "for all …", "if …", or k ∈ ℤ

A label becomes the left side of an equation, so that "Minimum: 1" is to "1" as "x = 1" is. A condition is kept as
text: equal.py looks at it only to see whether parameters were declared, and when both answers have one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from gradus.verifiers.formula.clean import clean
from gradus.verifiers.formula.grammar import Parser
from gradus.verifiers.formula.syntax import (
    MAX_CHARS,
    MAX_ELEMENTS,
    MAX_TREE_DEPTH,
    LimitError,
    Node,
    ParseError,
    add,
    depth,
    multiply,
    negative,
    number,
)
from gradus.verifiers.formula.tokens import COMMA, Token, tokenize
from gradus.verifiers.formula.units import unit
from gradus.verifiers.formula.words import CHANGING, SCALES, number_of

MAX_UNIT_WORDS = 5
_OPENERS = {"(", "[", "{", r"\{", "begin", r"\lfloor", r"\lceil"}
_CLOSERS = {")", "]", "}", r"\}", "end", r"\rfloor", r"\rceil"}
_CONDITION = re.compile(r"(?:for|where|with|when|if|such|here|whenever|provided|given|as|is an|are)\b", re.IGNORECASE)
_FINAL = re.compile(r"(?:where|with|such|here|provided|given)\b", re.IGNORECASE)
_HEDGES = {
    "about",
    "approximately",
    "around",
    "exactly",
    "roughly",
    "is",
    "the",
    "answer",
    "equals",
    "only",
    "just",
    "to",
}
# "per cent" and metres squared, but not "5 squared".
_SQUARED = re.compile(r"^(?:percent|per cent)$|^[a-z]+ (?:squared|cubed)$", re.IGNORECASE)
_UNEQUAL = {"<", "<=", ">", ">=", "!="}
_LOGIC = {r"\land", r"\lor", r"\wedge", r"\vee"}
_EQUALS = Token("relation", "=")
_COLON = Token("operator", ":")
_SET_NAMES = re.compile(r"set[A-Z]")
_DECIMAL_COMMA = re.compile(r"\s*\$?\s*(-?(?:\d+,\d{2}|0,\d+|\d{4,},\d+|\d+,\d{4,}))\s*\$?\s*")


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer's tree, and the condition that was stated with it ("" if none)."""

    tree: Node
    condition: str = ""


def parse(text: str, *, thousands: bool = True) -> Reading:
    """Read a whole answer. ParseError when it is not (only) mathematics, LimitError when it is too large."""
    if len(text) > MAX_CHARS:
        raise LimitError(f"longer than {MAX_CHARS} characters")
    spoken = number_of(text) if text[:1].isalpha() else None
    if spoken is not None:
        return Reading(number(spoken))
    parts, joints, condition = _split(tokenize(clean(text), thousands=thousands))
    return _reading(_conjoined([_element(part) for part in _unlabelled(parts)], joints), condition)


def decimal_comma(text: str) -> Reading | None:
    """Read 2,74 as 2.74; None unless the whole text is one number that is hardly a list."""
    match = _DECIMAL_COMMA.fullmatch(text[:100])
    return Reading(Node("decimal", value=Fraction(match[1].replace(",", ".")))) if match else None


def _reading(elements: list[Node], condition: str) -> Reading:
    if len(elements) > 1:
        values = [node for node in elements if not _is_declaration(node)]
        condition += "".join(f" {node.args[1].value}" for node in elements if node not in values)
        elements = values or elements
    expanded = [node for element in elements for node in _signs(element)]
    if not 0 < len(expanded) <= MAX_ELEMENTS:
        raise LimitError(f"{len(expanded)} elements; 1 to {MAX_ELEMENTS} can be read")
    tree = expanded[0] if len(expanded) == 1 else Node("list", tuple(expanded))
    if depth(tree) > MAX_TREE_DEPTH:
        raise LimitError(f"more than {MAX_TREE_DEPTH} operations in one another")
    return Reading(tree, condition.strip())


def _conjoined(elements: list[Node], joints: set[str]) -> list[Node]:
    """Read "x > 1 and x < 3" as both at once where that is possible; with "or" it is either."""
    inequalities = all(node.head == "relation" and set(str(node.value).split()) <= _UNEQUAL for node in elements)
    if joints & _LOGIC and not inequalities:
        raise ParseError("logic between other things than inequalities")
    if len(elements) == 2 and inequalities and not joints & {"or", r"\lor", r"\vee"}:
        return [Node("both", tuple(elements))]
    return elements


def _split(tokens: list[Token]) -> tuple[list[list[Token]], set[str], str]:
    """Cut at commas outside brackets, say which words stood there, and take out conditions."""
    parts: list[list[Token]] = [[]]
    condition: list[str] = []
    joints: set[str] = set()
    level, skipping = 0, False
    for token in tokens:
        level += (token.kind in _OPENERS) - (token.kind in _CLOSERS)
        if level == 0 and token.kind == "text" and not skipping and any(parts) and _CONDITION.match(token.text):
            skipping = True
            if _FINAL.match(token.text):
                level = -MAX_CHARS
        if level == 0 and token == COMMA:
            parts.append([])
            joints.add(token.word)
            skipping = False
        elif skipping:
            condition.append(token.text)
        else:
            parts[-1].append(token)
    return [part for part in parts if part], joints, " ".join(condition)


def _unlabelled(parts: list[list[Token]]) -> list[list[Token]]:
    """Write "(a) 3, (b) 4" as a: 3, b: 4, where every element has such a label."""
    labels = [part[1].text for part in parts if _has_letter_label(part)]
    if len(labels) < 2 or len(labels) < len(parts) or len(set(labels)) < len(labels):
        return parts
    return [[Token("text", part[1].text), _COLON, *part[3:]] for part in parts]


def _has_letter_label(part: list[Token]) -> bool:
    return (
        len(part) > 3
        and (part[0].kind, part[2].kind) == ("(", ")")
        and (part[1].kind == "symbol" or part[1].text.isdigit())
        and part[3].kind != "operator"
    ) or (len(part) > 4 and (part[0].kind, part[2].kind) == ("(", ")") and part[3].text == "-")


def _is_declaration(node: Node) -> bool:
    """Whether node is k ∈ ℤ."""
    if node.head != "relation" or node.value != "in" or node.args[0].head != "symbol":
        return False
    return node.args[1].head == "symbol" and bool(_SET_NAMES.match(str(node.args[1].value)))


def _element(tokens: list[Token]) -> Node:
    """Parse one element: label, value, unit."""
    tokens, label = _label(tokens)
    tokens = _scaled(_spoken(tokens))
    while len(tokens) > 1 and tokens[0].kind == "text" and set(tokens[0].text.lower().split()) <= _HEDGES:
        tokens = tokens[1:]
    groups = _compound(tokens)
    if len(groups) > 1:
        return _total([_element(group) for group in groups])
    value, name = _unit(tokens)
    parser = Parser(value)
    node = parser.union()
    parser.expect_end()
    if name in {"percent", "per cent"}:
        node = Node("percent", (node,))
    elif name:
        node = Node("unit", (node,), name)
    elif node.head == "degree":
        node = Node("unit", node.args, "degree")
    return Node("relation", (Node("symbol", value=f"label {label}"), node), "=") if label else node


def _compound(tokens: list[Token]) -> list[list[Token]]:
    """Cut 6 feet 7 inches into its quantities; anything else is one."""
    kinds = [token.kind for token in tokens if token.kind not in {"{", "}"}]
    if len(kinds) < 4 or len(kinds) % 2 or kinds != ["number", "text"] * (len(kinds) // 2):
        return [tokens]
    starts = [i for i, token in enumerate(tokens) if token.kind == "number"]
    return [tokens[i:j] for i, j in pairwise([*starts, len(tokens)])]


def _total(parts: list[Node]) -> Node:
    """Add quantities of one kind in the unit of the first."""
    units = [unit(str(part.value)) if part.head == "unit" else None for part in parts]
    first = units[0]
    if first is None or any(one is None or one.dimensions != first.dimensions for one in units):
        raise ParseError("two quantities in a row")
    scaled = [
        multiply(number(one.factor / first.factor), part.args[0]) for one, part in zip(units, parts, strict=True) if one
    ]
    return Node("unit", (add(*scaled),), parts[0].value)


def summed(node: Node) -> Node:
    """Add up the list "6 feet and 7 inches"; other trees stay as they are."""
    if node.head != "list" or any(part.head != "unit" for part in node.args):
        return node
    factors = [unit(str(part.value)).factor for part in node.args]
    if factors != sorted(set(factors), reverse=True):
        return node
    try:
        return _total(list(node.args))
    except ParseError:
        return node


def _scaled(tokens: list[Token]) -> list[Token]:
    """Multiply out 5 million and 2 dozen."""
    for i, token in enumerate(tokens):
        words = token.text.split() if token.kind == "text" else []
        if i and words and words[0].lower() in SCALES:
            rest = [Token("text", " ".join(words[1:]))] if len(words) > 1 else []
            factor = [Token("operator", "*"), Token("number", str(SCALES[words[0].lower()]))]
            return [*tokens[:i], *factor, *rest, *tokens[i + 1 :]]
    return tokens


def _label(tokens: list[Token]) -> tuple[list[Token], str]:
    """Cut off "Minimum:", "Maximum =", "x:"; return the rest and the label's letters."""
    for i, token in enumerate(tokens[:12]):
        if token in (_COLON, _EQUALS):
            before, after = tokens[:i], tokens[i + 1 :]
            if not after or not _may_be_label(before, after, token):
                break
            return after, "".join(t.text for t in before if t.kind not in {"(", ")"}).lower()
    return tokens, ""


def _may_be_label(before: list[Token], after: list[Token], sign: Token) -> bool:
    if any(token.kind == "text" for token in before):
        return not any(token.kind in {"operator", "relation"} for token in before)
    names = bool(before) and all(token.kind == "symbol" for token in before)
    plain = all(token.kind in {"number", "text", "{", "}", "command"} or token.text in "-." for token in after)
    return sign == _COLON and names and plain


def _spoken(tokens: list[Token]) -> list[Token]:
    """Read the number words at the start: "five apples"."""
    end = 0
    while end < len(tokens) and tokens[end].kind == "text" and number_of(tokens[end].text) is not None:
        end += 1
    value = number_of(" ".join(token.text for token in tokens[:end])) if end else None
    return tokens if value is None else [Token("number", str(value)), *tokens[end:]]


def _unit(tokens: list[Token]) -> tuple[list[Token], str]:
    """Cut off the unit: words behind the number, or a currency sign on either side of it."""
    signs = [token.text for token in tokens if token.kind == "currency"]
    if signs:
        tokens = [token for token in tokens if token.kind != "currency"]
    first = _first_word(tokens)
    words, tokens = tokens[first:], tokens[:first]
    if not words:
        return tokens, signs[0] if signs else ""
    measured = any(token.kind in {"number", "repeating"} or token.text == "pi" for token in tokens)
    if not measured or sum(len(token.text.split()) for token in words if token.kind == "text") > MAX_UNIT_WORDS:
        raise ParseError("words that are no unit")
    if any(token.kind not in {"text", "number", "symbol", "operator", "{", "}", "(", ")"} for token in words):
        raise ParseError("words between formulas")
    said = " ".join(token.text for token in words if token.kind == "text")
    if CHANGING.search(said) and not _SQUARED.search(said):
        raise ParseError("words that change the number")
    if any(b.kind == "number" and a.text not in "^{-" for a, b in pairwise(words)):
        raise ParseError("a second number behind the unit")
    name = "".join(f" {token.text}" if token.kind == "text" else token.text for token in words).strip()
    return tokens, name


def _first_word(tokens: list[Token]) -> int:
    """Return the place of the first word outside matrices and cases, the number of tokens if there is none."""
    level = 0
    for place, token in enumerate(tokens):
        level += (token.kind == "begin") - (token.kind == "end")
        if token.kind == "text" and level == 0:
            return place
    return len(tokens)


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
    return args[0] if (node.value == "±") == (sign == "+") else negative(args[0])


@lru_cache(maxsize=8192)
def read(text: str) -> tuple[Reading | None, Reading | None, str]:
    """Return what text says: with 1,234 as one number, as two where that differs, and why it cannot be read."""
    try:
        first = parse(text)
    except ParseError as error:
        return None, None, str(error)
    if "," not in text:
        return first, None, ""
    try:
        second = parse(text, thousands=False)
    except ParseError:
        return first, None, ""
    return first, second if second != first else None, ""
