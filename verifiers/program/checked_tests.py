"""Recognises a test of HumanEval's form, `def check(candidate): …` and `check(f)`, and takes it apart.

Each assert of its body that stands at the beginning, after other such asserts, becomes a test by itself,
with the program's name for `candidate`; the rest of the body stays together as one. An assert that does
not concern the program is dropped: any program would pass it.
"""

from __future__ import annotations

import ast
from functools import lru_cache

from gradus.verifiers.program.names import bound_names


@lru_cache(maxsize=4096)
def separate(test: str) -> tuple[str, ...]:
    """Return the tests in a test; a test of another form is itself."""
    body = ast.parse(test.strip()).body
    if len(body) < 2:
        return (test,)
    *setup, check, call = body
    match check, call:
        case (
            ast.FunctionDef(args=ast.arguments(args=[ast.arg(arg=candidate)]), decorator_list=[]),
            ast.Expr(ast.Call(ast.Name(name), [ast.Name(entry)], [])),
        ) if name == check.name:
            return _parts(setup, [_renamed(part, candidate, entry) for part in check.body], entry) or (test,)
    return (test,)


def _parts(setup: list[ast.stmt], body: list[ast.stmt], entry: str) -> tuple[str, ...]:
    if any(isinstance(node, ast.Return | ast.Nonlocal | ast.Global) for part in body for node in ast.walk(part)):
        return ()
    first = next((n for n, part in enumerate(body) if not isinstance(part, ast.Assert)), len(body))
    groups = [[part] for part in body[:first]] + ([body[first:]] if first < len(body) else [])
    # What stands before: imports and helpers, where they are used.
    return tuple(_text(setup, group) for group in groups if _mentions(group, entry))


def _text(setup: list[ast.stmt], group: list[ast.stmt]) -> str:
    needed = {node.id for part in group for node in ast.walk(part) if isinstance(node, ast.Name)}
    kept = setup if any(set(bound_names(part)) & needed for part in setup) else []
    return "\n".join(map(ast.unparse, [*kept, *group]))


def _mentions(group: list[ast.stmt], name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for part in group for node in ast.walk(part))


def _renamed(part: ast.stmt, old: str, new: str) -> ast.stmt:
    for node in ast.walk(part):
        if isinstance(node, ast.Name) and node.id == old:
            node.id = new
    return part
