"""`python -m gradus.verifiers.sandbox`: of what the sandbox is made here, and what it refuses."""

from __future__ import annotations

import sys

from gradus.verifiers.sandbox import local
from gradus.verifiers.sandbox.launch import SandboxUnavailableError


def main() -> int:
    """Print the layers and the probes; 1 if something is open."""
    try:
        layers, found = local.test()
    except SandboxUnavailableError as error:
        print(error)
        return 1
    print("layers:", ", ".join(f"{name} {value}" for name, value in layers.items()))
    for one in found:
        print("refused" if one.shut else "OPEN   ", one.name)
    return int(not all(one.shut for one in found))


if __name__ == "__main__":
    sys.exit(main())
