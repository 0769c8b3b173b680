"""Programs that do not end by themselves, in Python or below it, or that refuse to be told."""

# ruff: noqa: E501

PROGRAMS = {
    "a loop": "def f(x):\n    while True: pass",
    "a loop when imported": "while True: pass",
    "a loop in a class body": "class f:\n    while True: pass",
    "sleep": "import time\ndef f(x): time.sleep(600)",
    "ignored signals": """
import signal
for number in {*range(1, 65)} - {9, 19, 32, 33}: signal.signal(number, signal.SIG_IGN)
def f(x):
    while True: pass
""",
    "blocked signals": """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
def f(x):
    while True: pass
""",
    "a caught alarm": """
def f(x):
    while True:
        try:
            while True: pass
        except BaseException: pass
""",
    "a huge power": "def f(x): return 9 ** 9 ** 9 ** 9",
    "a huge power modulo nothing": "def f(x): return pow(3, 10**9)",
    "a huge factorial": "import math\ndef f(x): return math.factorial(10**8)",
    "a huge shift": "def f(x): return len(str((1 << 40_000_000) ** 3))",
    "a regex that backtracks": "import re\ndef f(x): return re.match(r'(a+)+$', 'a' * 64 + 'b')",
    "sum of a huge range": "def f(x): return sum(range(10**15))",
    "membership in a counter": "import itertools\ndef f(x): return -1 in itertools.count()",
    "list of a cycle": "import itertools\ndef f(x): return max(itertools.cycle([1]))",
    "a deque without end": "import collections, itertools\ndef f(x): collections.deque(itertools.repeat(1), maxlen=0)",
    "a lock twice": "import threading\nlock = threading.Lock()\ndef f(x):\n    lock.acquire()\n    lock.acquire()",
    "a thread that waits for itself": """
import threading
def f(x):
    t = threading.Thread(target=lambda: t.join() if False else threading.Event().wait())
    t.start()
    t.join()
""",
    "input that never comes": "import os\nr, w = os.pipe()\ndef f(x): return os.read(r, 1)",
    "poll without a timeout": "import select\ndef f(x): select.poll().poll()",
    "pause": "import signal\ndef f(x): signal.pause()",
    "deep recursion": "import sys\nsys.setrecursionlimit(10**9)\ndef f(x): return f(x + 1)",
    "deep recursion below Python": """
import sys
sys.setrecursionlimit(10**9)
def f(x):
    a = None
    for _ in range(10**6): a = (a,)
    return hash(a) and repr(a)
""",
    "recursion in comparison": "def f(x):\n    a = []; a.append(a)\n    b = []; b.append(b)\n    return a == b",
    "a long sort": "class K:\n    def __lt__(self, o):\n        while True: pass\ndef f(x): return sorted([K(), K()])",
    "a loop in repr": "class R:\n    def __repr__(self):\n        while True: pass\n    __str__ = __repr__\ndef f(x): return R()",
    "a loop in hash": "class H:\n    def __hash__(self):\n        while True: pass\ndef f(x): return {H()}",
    "a loop in a property": "class P:\n    @property\n    def __class__(self):\n        while True: pass\ndef f(x): return P()",
    "a loop in an exception's text": """
class E(Exception):
    def __str__(self):
        while True: pass
def f(x): raise E
""",
    "a loop at exit": "import atexit\natexit.register(lambda: [0 for _ in iter(int, 1)])\ndef f(x): return None",
    "a generator without end": "def f(x):\n    while True: yield x",
    "a source that takes long to compile": "x = " + "-" * 5000 + "1\ndef f(x): return None",
    "a constant too large to fold": "def f(x): return (1 << 1_000_000_000) * 3",
    "nested comprehensions": "def f(x): return sum(1 for a in range(10**5) for b in range(10**5) for c in range(10**5))",
    "the interpreter's lock held": "import ctypes\ndef f(x): ctypes.PyDLL(None).sleep(600)",
    "priority raised": "import os\ntry: os.nice(-20)\nexcept OSError: pass\ndef f(x):\n    while True: pass",
    "stopped": "import os, signal\ndef f(x):\n    signal.raise_signal(signal.SIGSTOP)\n    while True: pass",
}
