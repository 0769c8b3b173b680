"""Which names in a test are the program's, and which are Python's whatever the program says.

A name is the program's when the test uses it, does not bind it, and Python does not have it. A built-in
that the program also defines is the program's only in a test that names nothing else of the program:
`assert sum(1, 2) == 3` asks for it, `assert abs(f(2) - 1.4) < 0.1` does not.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Collection, Iterator

BUILT_INS = frozenset(dir(builtins))
MODULES = frozenset(sys.stdlib_module_names)
# What the program is called when a test imports from it.
PROGRAM_MODULE = "solution"


def program_names(tree: ast.AST, defined: Collection[str]) -> frozenset[str]:
    """Return the names in the test that stand for something of the program."""
    bound = set(bound_names(tree))
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - bound
    own = {name for name in used - BUILT_INS if name not in MODULES or name in called}
    return frozenset(own or used & set(defined))


def module_names(tree: ast.AST, own: Collection[str]) -> frozenset[str]:
    """Return the modules of Python that the test uses without importing them."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return frozenset((used & MODULES) - set(own) - set(bound_names(tree)))


def needs_definitions(tree: ast.AST) -> bool:
    """Whether program_names depends on what the program defines."""
    return not program_names(tree, ())


def bound_names(tree: ast.AST) -> Iterator[str]:
    """Yield every name that the test itself gives a meaning, in any scope."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name):
                yield name
            case ast.ExceptHandler(name=str(name)):
                yield name
            case ast.Import() | ast.ImportFrom() if getattr(node, "module", "") != PROGRAM_MODULE:
                yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)


def exception_names(tree: ast.AST) -> Iterator[str]:
    """Yield the plain names that the test catches."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type:
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            yield from (kind.id for kind in kinds if isinstance(kind, ast.Name))


def root(node: ast.expr) -> ast.expr:
    """Return what an attribute, a subscript or a call is of: `f` for `f(x)[0].y`."""
    while True:
        match node:
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=inner):
                node = inner
            case _:
                return node


def tainted_names(setup: list[ast.stmt], own: Collection[str]) -> set[str] | None:
    """Return the names whose value the program may have touched after these statements.

    None if a statement does more with the program than call it or keep what it gave: such a statement can
    come to a decision, which must not happen beside the program.
    """
    tainted = set(own)
    modules = {name for part in setup if isinstance(part, ast.Import | ast.ImportFrom) for name in bound_names(part)}
    for part in setup:
        if isinstance(part, ast.ImportFrom) and part.module == PROGRAM_MODULE:
            tainted |= {alias.asname or alias.name for alias in part.names}
            continue
        names = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)} | set(bound_names(part))
        if names & tainted:
            start = root(part.value) if isinstance(part, ast.Assign | ast.Expr) else None
            if not isinstance(start, ast.Name) or start.id not in tainted:
                return None
            tainted |= names - BUILT_INS - modules
    return tainted
