"""Imports point one way. The table is the architecture."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEAVES = {"config", "errors", "log", "registry", "__version__"}
MAY_IMPORT = {
    "verifiers": set(),
    "kernels": set(),
    "engine": LEAVES | {"verifiers"},
    "curricula": LEAVES | {"engine", "verifiers"},
    # Not the store: a GPU machine has no database. Rewards are verdicts, rollouts come from teachers.
    "trainer": LEAVES
    | {"kernels", "verifiers", "engine.parts", "engine.records", "engine.teachers"}
    | {"curricula.manifest", "curricula.verify", "curricula.fingerprint", "curricula.balance", "curricula.stage_files"}
    | {"curricula.verify_rl"},
    "api": LEAVES | {"trainer", "kernels", "curricula", "engine", "verifiers"},
}
# What curricula.manifest and the teachers may pull onto a GPU machine.
ALONE = {
    "curricula/canonical.py": set(),
    "curricula/upgrade.py": set(),
    "curricula/manifest.py": LEAVES | {"curricula.canonical", "curricula.upgrade"},
    "curricula/fingerprint.py": {"errors"},
    "curricula/balance.py": set(),
    "curricula/beta.py": set(),
    "curricula/posterior.py": {"curricula.beta"},
    "curricula/mixture.py": set(),
    "curricula/schedule.py": {"curricula.manifest"},
    "curricula/stage_files.py": {"curricula.manifest", "errors"},
    "curricula/verify_stage.py": {"errors"}
    | {"curricula.manifest", "curricula.mixture", "curricula.posterior", "curricula.schedule", "curricula.stage_files"}
    | {"curricula.balance"},
    "curricula/verify_rl.py": {"curricula.manifest", "curricula.posterior", "errors"},
    "curricula/verify.py": {"curricula.manifest", "curricula.verify_rl", "curricula.verify_stage"},
    "engine/records.py": set(),
    "engine/parts.py": {"engine.records"},
}


def imported(path: Path) -> set[str]:
    """Return the gradus modules a file imports, without the leading `gradus.`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.removeprefix("gradus.") for name in found if name.startswith("gradus.")}


def allowed(name: str, layers: set[str]) -> bool:
    return any(name == layer or name.startswith(layer + ".") for layer in layers)


@pytest.mark.parametrize("layer", MAY_IMPORT)
def test_a_layer_imports_only_what_stands_below_it(layer):
    files = sorted((ROOT / layer).rglob("*.py"))
    assert files
    for path in files:
        wrong = {name for name in imported(path) if not allowed(name, MAY_IMPORT[layer] | {layer})}
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


@pytest.mark.parametrize("file", ALONE)
def test_a_gpu_machine_needs_no_database(file):
    wrong = {name for name in imported(ROOT / file) if not allowed(name, ALONE[file])}
    assert not wrong


def test_no_top_folder_is_a_package():
    """A flat package called `kernels` or `verifiers` would overwrite the one of that name on PyPI."""
    for layer in MAY_IMPORT:
        assert not (ROOT / layer / "__init__.py").exists()
        assert (ROOT / "src/gradus" / layer).is_symlink()
