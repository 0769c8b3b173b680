"""The command line starts fast: what only some commands need is loaded by those."""

import subprocess
import sys

HEAVY = ("datatrove", "matplotlib", "polars", "reasoning_gym", "sympy", "torch", "transformers", "vllm")


def test_help_loads_no_heavy_library():
    code = f"import sys; from gradus.api.cli import parser; parser(); print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_verifier_loads_only_what_it_needs():
    code = (
        "import sys; from gradus.verifiers.base import verify; "
        "print(verify('choice', 'B', {'expected': 'B'}).outcome, 'sympy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "pass False\n"
