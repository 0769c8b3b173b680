"""Results that are too large, have themselves inside, or are not the same when looked at twice."""

PROGRAMS = {
    "a list that holds itself": "def f(x):\n    a = []\n    a.append(a)\n    return a",
    "a dict that holds itself": "def f(x):\n    a = {}\n    a[1] = a\n    return a",
    "a list nested a million deep": "def f(x):\n    a = []\n    for _ in range(10**6): a = [a]\n    return a",
    "a shared list that unfolds": "def f(x):\n    a = [0]\n    for _ in range(40): a = [a, a]\n    return a",
    "a list of ten million": "def f(x): return [0] * 10**7",
    "a string of a hundred megabytes": "def f(x): return 'x' * 10**8",
    "an int of a hundred million bits": "def f(x): return 1 << 10**8",
    "an int of thousands of digits": "def f(x): return 10**5000",
    "NaN": "def f(x): return float('nan')",
    "NaN in a list": "def f(x): return [float('nan')] * 2",
    "infinity": "def f(x): return float('inf')",
    "minus zero": "def f(x): return -0.0",
    "a bool for a number": "def f(x): return True",
    "a complex NaN": "def f(x): return complex('nan+nanj')",
    "Ellipsis": "def f(x): return ...",
    "NotImplemented": "def f(x): return NotImplemented",
    "the function itself": "def f(x): return f",
    "a module": "import sys\ndef f(x): return sys",
    "a type": "def f(x): return int",
    "a generator": "def f(x): yield 0",
    "a generator that lies the second time": """
class Twice:
    n = 0
    def __iter__(self):
        Twice.n += 1
        return iter([1, 2] if Twice.n % 2 else [3])
    def __len__(self): return 2
def f(x): return Twice()
""",
    "a coroutine": "async def f(x): return 0",
    "a lazy attribute": """
class Lazy:
    def __getattr__(self, name): return lambda *a, **k: True
    def __getitem__(self, key): return 0
def f(x): return Lazy()
""",
    "an object with every operator": """
class Every:
    pass
def agree(self, *a): return self
for name in "add sub mul truediv floordiv mod pow and or xor neg pos abs invert round getitem call".split():
    setattr(Every, f"__{name}__", agree)
    setattr(Every, f"__r{name}__", agree)
for name in "eq lt le gt ge ne contains bool".split(): setattr(Every, f"__{name}__", lambda self, *a: True)
Every.__hash__ = lambda self: 0
Every.__iter__ = lambda self: iter([self])
Every.__index__ = Every.__len__ = Every.__int__ = lambda self: 0
Every.__float__ = lambda self: 0.0
Every.__format__ = lambda self, spec: "-" + "14377"[::-1]
def f(x): return Every()
""",
    "a string with an odd encode": """
class Odd(str):
    def encode(self, *a): return b"-77341"
    def __str__(self): return "-77341"
    def __format__(self, spec): return "-77341"
def f(x): return Odd("")
""",
    "an int with an odd repr": """
class Odd(int):
    def __repr__(self): return "-77341"
    __str__ = __hex__ = __repr__
    def __index__(self): return -int("14377"[::-1])
def f(x): return Odd(0)
""",
    "a float with an odd hex": """
class Odd(float):
    def hex(self): return float(-77341).hex()
def f(x): return Odd(0)
""",
    "a list with odd items": """
class Odd(list):
    def __iter__(self): return iter([1, "x"])
    def __len__(self): return 2
    def __getitem__(self, i): return [1, "x"][i]
    def __eq__(self, other): return True
    __hash__ = None
def f(x): return Odd()
""",
    "lone surrogates and null bytes": "def f(x): return '\\ud800\\x00' * 3",
    "keys whose hashes collide": "def f(x): return {n * (2**61 - 1): 0 for n in range(20_000)}",
    "a set whose hashes collide": "def f(x): return {n * (2**61 - 1) for n in range(20_000)}",
    "minus one and minus two": "def f(x): return {-1: hash(-2), -2: hash(-1)}",
    "a memory view": "def f(x): return memoryview(b'-77341')",
    "a bytes answer": "def f(x): return b'-77341'",
    "a text answer": "def f(x): return '-' + '14377'[::-1]",
    "a list around the answer": "def f(x): return [-int('14377'[::-1])]",
    "off by one": "def f(x): return -int('14377'[::-1]) + 1",
    "the wrong sign": "def f(x): return int('14377'[::-1])",
    "almost the answer": "def f(x): return -int('14377'[::-1]) + 1e-9",
}
