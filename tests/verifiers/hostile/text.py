"""Sources written to break out of the text they are placed in, or to be read in two ways."""

PROGRAMS = {
    "an unterminated string": "def f(x): return 0\nrest = '''",
    "an open bracket": "def f(x): return 0\nrest = (",
    "a backslash at the end": "def f(x): return 0\nx = 1 \\",
    "a trailing def": "def f(x): return 0\ndef check(",
    "an if False at the end": "def f(x): return 0\nif False:",
    "a try without an end": "def f(x): return 0\ntry:",
    "a docstring that swallows": 'def f(x):\n    """\n    return 0\n',
    "a null byte": "def f(x): return 0\n\0",
    "a carriage return": "def f(x): return 0\rimport os\ros._exit(0)\r",
    "a form feed and vertical tab": "def f(x): return 0\n\x0c\x0bimport os; os._exit(0)",
    "a line separator": "def f(x): return 0 #\u2028import os; os._exit(0)",
    "a right-to-left override": "def f(x): return 0 #\u202e \u2066 if True: pass",
    "another f by normalisation": "def f(x): return 0\ndef ｆ(x): return 1",
    "the end of the file by name": "def f(x): return 0\n__END__\nassert True",
    "an exit in an annotation": "import os\ndef f(x: os._exit(0)): return 0",
    "an exit in a default": "import os\ndef f(x=os._exit(0)): return 0",
    "an exit in a decorator": "import os\n@lambda g: os._exit(0)\ndef f(x): return 0",
    "__name__ and __file__ changed": "__name__ = '__main__'\n__file__ = '/dev/null'\ndef f(x): return 0",
    "a future import": "from __future__ import annotations, barry_as_FLUFL\ndef f(x): return 0",
    "a module __getattr__": "def __getattr__(name): return lambda *a: True\ndef f(x): return 0",
    "a del of itself": "def f(x): return 0\ndel f",
    "names of the harness": """
def _do(*a): return ("plain", True)
do = claim = outcome = _m = _do
_r = []
def f(x): return 0
""",
    "a harness that cannot be redefined": """
import builtins
class Fixed(dict):
    def __setitem__(self, key, value): pass
def f(x):
    import sys
    frame = sys._getframe(1)
    while frame:
        for key in list(frame.f_globals):
            if key.startswith("_gradus"): frame.f_globals[key] = lambda *a: ("plain", True, [])
        frame = frame.f_back
    return 0
""",
    "a fence inside": "def f(x):\n    s = '''\n```python\n'''\n    return 0",
    "a huge literal": "def f(x): return 0\nx = '" + "a" * 150_000 + "'",
    "brackets without end": "(" * 20_000,
    "a thousand elifs": "def f(x):\n    if x == -1: return 0\n"
    + "".join(f"    elif x == {-n}: return {n}\n" for n in range(2, 1000)),
    "bytes that are no text": "def f(x): return 0\n# \ud800\udfff \udcff",
    "a private use name": "def f(x): return 0\n\ue000 = 1",
    "an eval of its own source": "import sys\ndef f(x): return eval('f.__code__.co_consts[0]')",
}
