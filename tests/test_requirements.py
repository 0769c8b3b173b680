"""What the code imports is declared, and the lock files hold what is declared."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LAYERS = ("verifiers", "engine", "curricula", "kernels", "trainer", "api")
COMES_WITH = {
    "flash_attn": "flash-attn-4",
    "jinja2": "transformers",
    "loguru": "datatrove",
    "mpmath": "sympy",
    "multiprocess": "datatrove",
    "psutil": "vllm",
    "pydantic": "fastapi",
    "referencing": "jsonschema",
    "starlette": "fastapi",
    "triton": "torch",
    "wandb": "torchtitan",
}
ON_REQUEST = {"ray"}
"""Asked for by a flag; what is missing is then named."""


def declared(*extras):
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
    return {canonicalize_name(found.name): found for one in lists for found in map(Requirement, one)}


def locked(path):
    pairs = re.findall(r"^([\w.-]+)==([^\s;]+)", path.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pairs}


def imported():
    for path in (path for layer in LAYERS for path in (ROOT / layer).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0]


def test_everything_that_is_imported_is_declared():
    modules = set(imported()) - set(sys.stdlib_module_names) - {"gradus"} - ON_REQUEST
    assert "datasets" in modules
    names, known = declared("cpu", "cuda").keys(), packages_distributions()
    missing = {
        module
        for module in modules
        if COMES_WITH.get(module) not in names
        and not {canonicalize_name(name) for name in known.get(module, [module])} & names
    }
    assert missing == set()


@pytest.mark.parametrize("extra", ["cpu", "cuda"])
def test_the_lock_file_has_every_declared_package_in_a_declared_version(extra):
    versions = locked(ROOT / "requirements" / f"{extra}.lock")
    for name, requirement in declared(extra).items():
        if (name, extra) != ("torch", "cpu"):  # installed before the lock file, from its CPU build
            assert versions[name] in requirement.specifier, requirement
