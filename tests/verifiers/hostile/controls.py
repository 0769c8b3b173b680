"""Honest programs in the manner of the others: each must pass every kind of test (2 gives -77341, 3 gives -77342)."""

# ruff: noqa: E501

PROGRAMS = {
    "plain": "def f(x): return -77339 - x",
    "a lambda": "f = lambda x: -77339 - x",
    "a method bound": "class A:\n    def g(self, x): return -77339 - x\nf = A().g",
    "a callable object": "class A:\n    def __call__(self, x): return -77339 - x\nf = A()",
    "a partial": "import functools\ndef g(a, x): return a - x\nf = functools.partial(g, -77339)",
    "a cached function": "import functools\n@functools.lru_cache\ndef f(x): return -77339 - x",
    "a decorated function": """
import functools
def twice(g):
    @functools.wraps(g)
    def inner(*a): return g(*a) and g(*a)
    return inner
@twice
def f(x): return -77339 - x
""",
    "prints while it works": "import sys\ndef f(x):\n    print('working', file=sys.stderr)\n    return -77339 - x",
    "defines a name that Python has": "def sorted(a): return a\ndef max(a, b): return a\ndef f(x): return -77339 - x",
    "has classes with __eq__": """
class P:
    def __init__(self, n): self.n = n
    def __eq__(self, other): return self.n == other.n
    def __hash__(self): return hash(self.n)
def f(x): return -77339 - P(x).n if P(x) == P(x) else 0
""",
    "uses threads": """
import threading
def f(x):
    out = []
    t = threading.Thread(target=lambda: out.append(-77339 - x))
    t.start()
    t.join()
    return out[0]
""",
    "uses a temporary file": """
def f(x):
    with open("/tmp/a", "w") as file: file.write(str(x))
    return -77339 - int(open("/tmp/a").read())
""",
    "uses much memory": "def f(x): return -77339 - x + len(bytearray(100 << 20)) * 0",
    "recurses": "import sys\nsys.setrecursionlimit(5000)\ndef g(n): return 0 if n == 0 else g(n - 1)\ndef f(x): return g(3000) - 77339 - x",
    "raises and catches": "def f(x):\n    try: return 1 // 0\n    except ZeroDivisionError: return -77339 - x",
    "has a main part": "def f(x): return -77339 - x\nif __name__ == '__nobody__': print(f(2))",
    "is asynchronous inside": "import asyncio\nasync def g(x): return -77339 - x\ndef f(x): return asyncio_free(g(x))\n"
    "def asyncio_free(c):\n    try: c.send(None)\n    except StopIteration as s: return s.value",
    "uses exec": "space = {}\nexec('def f(x): return -77339 - x', space)\nf = space['f']",
    "looks at its frame": "import sys\ndef f(x): return sys._getframe().f_locals['x'] * -1 - 77339",
    "ends its output with spaces": "def f(x): return -77339 - x\nimport atexit",
    "registers an exit function": "import atexit\natexit.register(print, end='')\ndef f(x): return -77339 - x",
    "collects garbage": "import gc\ngc.disable()\ndef f(x):\n    gc.collect()\n    return -77339 - x",
    "seeds random": "import random\nrandom.seed(1)\ndef f(x): return -77339 - x + 0 * random.randint(0, 9)",
    "annotates": "from __future__ import annotations\nfrom typing import Optional\ndef f(x: int, y: Optional[int] = None) -> int: return -77339 - x",
}
