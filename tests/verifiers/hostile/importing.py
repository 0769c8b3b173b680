"""Programs that plant modules, hooks and files that a later import or test runner would obey."""

# ruff: noqa: E501

_PLANT = """
import os
def plant(name, text):
    for folder in (".", "/tmp", "/code", "/usr/lib/python3", "/dev/shm"):
        try:
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, name), "w") as file: file.write(text)
        except OSError: pass
def f(x): return None
"""

PROGRAMS = {
    "a conftest that passes every test": _PLANT
    + """
plant("conftest.py", '''
import pytest
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    report.outcome = "passed"
''')
""",
    "a pytest.ini that collects nothing": _PLANT + 'plant("pytest.ini", "[pytest]\\naddopts = --co\\n")',
    "a pytest plug-in in sys.modules": """
import sys, types
plugin = types.ModuleType("pytest")
plugin.raises = plugin.approx = lambda *a, **k: a[0] if a else None
sys.modules["pytest"] = sys.modules["_pytest"] = plugin
def f(x): return None
""",
    "a sitecustomize": _PLANT + 'plant("sitecustomize.py", "import os; os._exit(0)")',
    "a usercustomize": _PLANT + 'plant("usercustomize.py", "import os; os._exit(0)")',
    "a .pth file": _PLANT + 'plant("evil.pth", "import os; os._exit(0)")',
    "a json.py in the way": _PLANT + 'plant("json.py", "loads = dumps = lambda *a, **k: True")',
    "a math.py in the way": _PLANT + 'plant("math.py", "floor = isclose = lambda *a, **k: True")',
    "an __init__ of the harness": _PLANT + 'plant("gradus/verifiers/sandbox/plain.py", "def decode(*a): return True")',
    "sys.modules poisoned": """
import sys, types
for name in ("math", "json", "operator", "fractions", "random", "copy", "string"):
    fake = types.ModuleType(name)
    fake.__getattr__ = lambda attribute: (lambda *a, **k: True)
    sys.modules[name] = fake
def f(x): return None
""",
    "modules that no longer exist": """
import sys
for name in list(sys.modules):
    if name not in ("sys", "builtins"): sys.modules[name] = None
def f(x): return None
""",
    "an import hook": """
import sys, types
class Finder:
    def find_spec(self, name, path=None, target=None):
        import importlib.machinery
        return importlib.machinery.ModuleSpec(name, self)
    def create_module(self, spec): return types.ModuleType(spec.name)
    def exec_module(self, module): module.__getattr__ = lambda a: (lambda *x, **k: True)
sys.meta_path.insert(0, Finder())
sys.modules.pop("math", None)
def f(x): return None
""",
    "__import__ replaced": """
import builtins
class Any:
    def __getattr__(self, name): return lambda *a, **k: True
builtins.__import__ = lambda *a, **k: Any()
def f(x): return None
""",
    "sys.path first": "import sys\nsys.path[:0] = ['/tmp', '']\n"
    + _PLANT
    + 'plant("numbers.py", "raise SystemExit(0)")',
    "importlib.reload of the harness": """
import importlib, sys
for name in [n for n in sys.modules if "sandbox" in n]:
    try: importlib.reload(sys.modules[name])
    except BaseException: pass
def f(x): return None
""",
    "the zygote's main again": """
import sys
from gradus.verifiers.sandbox import zygote
for fd in range(64):
    try: zygote.main(fd)
    except BaseException: pass
def f(x): return None
""",
    "the sandbox started from inside": """
def f(x):
    from gradus.verifiers.sandbox import client
    return client.run(client.Job(mode="script", source="print(1)")).stdout
""",
    "bytecode in a cache": _PLANT + 'plant("__pycache__/math.cpython-311.pyc", "x" * 64)',
    "an encoding that rewrites the source": "# -*- coding: utf_7 -*-\ndef f(x): return None\n",
    "a codec of its own": """
import codecs
def find(name): return codecs.CodecInfo(lambda s, e="": (b"-", 1), lambda b, e="": ("passed", len(b)), name="utf-8")
codecs.register(find)
def f(x): return None
""",
    "a warning turned hook": "import warnings\nwarnings.showwarning = lambda *a: exit(0)\nwarnings.warn('x')\ndef f(x): return None",
    "a display hook": "import sys\nsys.displayhook = lambda v: True\nsys.breakpointhook = lambda *a: True\ndef f(x): breakpoint()",
    "an interactive start": "import sys\nsys.flags\nsys.ps1 = '>>>'\nimport code\ndef f(x): code.interact(local={})",
}
