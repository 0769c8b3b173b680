#!/bin/sh
# Make .venv from requirements/cpu.lock, once per lock; `make setup` calls this.
set -eu
cd "$(dirname "$0")/.."

venv=.venv
wanted=$(cat requirements/cpu.lock requirements/install.sh pyproject.toml | sha256sum | cut -d' ' -f1)
[ "$(cat "$venv/.complete" 2>/dev/null || true)" = "$wanted" ] && exit 0

python=${PYTHON:-python3.11}
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || {
    echo "Python 3.11 is needed (apt install python3.11 python3.11-venv), or name one: make setup PYTHON=/path/to/python3.11" >&2
    exit 1
}

echo "creating $venv: 219 packages, 4.4 GB, 2 to 10 minutes" >&2
"$python" -m venv "$venv"
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }

# The lock leaves out torch, whose build depends on the machine. PyTorch's own index is asked only where
# plain pip has no CPU build, and for this one package: where it is out of reach, the others need not wait.
torch=torch==2.13.0+cpu
pip install -qq --no-deps "$torch" 2>/dev/null ||
    pip install -q --no-deps --index-url https://download.pytorch.org/whl/cpu "$torch" || {
    echo "$torch was found neither by plain pip nor on PyTorch's index; give pip a folder with its wheel: PIP_FIND_LINKS=DIR make setup" >&2
    exit 1
}
pip install -qq --no-deps -r requirements/cpu.lock
pip install -qq --no-deps --no-build-isolation -e .
echo "$wanted" > "$venv/.complete"
echo "$venv is ready" >&2
