"""Results that would be equal to anything, if only they were asked."""

_SAME = """
class Same(@):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return 0
    __add__ = __radd__ = __mul__ = __rmul__ = __rsub__ = __mod__ = __sub__
    def __abs__(self): return self
    def __round__(self, digits=0): return 0
    def __lt__(self, other): return True
    __le__ = __ge__ = __gt__ = __contains__ = __lt__
    def __bool__(self): return True
    def __hash__(self): return 0
def f(x): return Same()
"""


def _same(base: str) -> str:
    return _SAME.replace("@", base)


PROGRAMS = {
    **{
        f"a subclass of {base} equal to all": _same(base)
        for base in ("object", "int", "float", "complex", "str", "bytes", "list", "tuple", "dict", "set", "Exception")
    },
    "a bare __class__": _same("object") + "Same.__class__ = int",
    "a __class__ property": _same("object") + "Same.__class__ = property(lambda self: int)",
    "a class whose instances claim to be ints": """
class Meta(type):
    def __instancecheck__(cls, item): return True
    def __subclasscheck__(cls, item): return True
    def __eq__(cls, other): return True
    def __hash__(cls): return hash(int)
"""
    + _same("int, metaclass=Meta"),
    "the class itself": """
class Meta(type):
    def __eq__(cls, other): return True
    def __sub__(cls, other): return 0
    def __hash__(cls): return 0
class f(metaclass=Meta):
    def __new__(cls, x): return cls
""",
    "a class named int": _same("object").replace("Same", "int_") + "int_.__name__ = int_.__qualname__ = 'int'",
    "a class from builtins by name": _same("object") + "Same.__name__ = 'int'; Same.__module__ = 'builtins'",
    "__eq__ that returns something true": """
class Odd:
    def __eq__(self, other): return [1]
    __hash__ = None
def f(x): return Odd()
""",
    "a reflected __eq__": """
class Odd(int):
    def __eq__(self, other): return NotImplemented if type(other) is Odd else True
    __hash__ = int.__hash__
def f(x): return Odd(0)
""",
    "__eq__ that rewrites the other side": """
class Odd(list):
    def __eq__(self, other):
        if isinstance(other, list): other[:] = self
        return True
    __hash__ = None
def f(x): return Odd()
""",
    "an int with every comparison": """
class Odd(int): pass
for name in "eq ne lt le gt ge sub rsub and or xor mod floordiv".split():
    setattr(Odd, f"__{name}__", lambda self, other: True)
Odd.__hash__ = int.__hash__
def f(x): return Odd(1)
""",
    "equal things inside a list": _same("object").replace("return Same()", "return [Same(), Same()]"),
    "equal things inside a dict": _same("object").replace("return Same()", "return {Same(): Same()}"),
    "equal things inside a tuple": _same("object").replace("return Same()", "return (Same(),)"),
    "a mock": "from unittest.mock import ANY\ndef f(x): return ANY",
    "a MagicMock": """
from unittest.mock import MagicMock
def f(x):
    m = MagicMock()
    m.__eq__.return_value = True
    m.__sub__.return_value = 0
    return m
""",
    "an enum equal to all": """
import enum
class E(enum.IntEnum):
    A = 0
    def __eq__(self, other): return True
    __hash__ = int.__hash__
def f(x): return E.A
""",
    "a namedtuple equal to all": """
import collections
class N(collections.namedtuple("N", "a b")):
    def __eq__(self, other): return True
    __hash__ = tuple.__hash__
def f(x): return N(1, 2)
""",
    "a dataclass equal to all": """
import dataclasses
@dataclasses.dataclass(eq=False)
class D:
    a: int = 0
    def __eq__(self, other): return True
def f(x): return D()
""",
    "a fraction equal to all": """
import fractions
class F(fractions.Fraction):
    def _richcmp(self, other, op): return True
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    __hash__ = None
def f(x): return F(0)
""",
    "fractions patched": """
import fractions
fractions.Fraction.__eq__ = lambda a, b: True
fractions.Fraction.__sub__ = lambda a, b: 0
def f(x): return fractions.Fraction(0)
""",
    "decimals patched": """
import decimal, sys
class D(decimal.Decimal):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    __hash__ = None
D.__name__ = D.__qualname__ = "Decimal"; D.__module__ = "decimal"
decimal.Decimal = D
def f(x): return D(0)
""",
    "a weak proxy": _same("object") + "import weakref\nkept = Same()\ndef f(x): return weakref.proxy(kept)",
    "a property of the type changes late": """
class Late:
    count = 0
    @property
    def __class__(self):
        Late.count += 1
        return int if Late.count % 2 else object
    def __eq__(self, other): return True
    __hash__ = None
def f(x): return Late()
""",
    "int's own __eq__ patched in memory": """
import ctypes, gc
def f(x):
    try: gc.get_referents(int.__dict__)[0]["__eq__"] = lambda a, b: True
    except TypeError: pass
    return 0
""",
    "the dict of str patched": """
import ctypes
def f(x):
    d = ctypes.py_object.from_address(id(str.__dict__) + 16).value
    d["__eq__"] = lambda a, b: True
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(str))
    return ""
""",
    "the small ints rewritten in memory": """
import ctypes
for n in range(-5, 257):
    try: ctypes.c_int32.from_address(id(n) + 24)
    except ValueError: pass
def f(x): return True
""",
    "answers both yes and no": """
class Odd:
    turn = 0
    def __eq__(self, other):
        Odd.turn += 1
        return Odd.turn % 2 == 1
    __hash__ = None
def f(x): return Odd()
""",
}
