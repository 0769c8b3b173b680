"""Programs that change what a grader in the same process would rely on."""

# ruff: noqa: E501

PROGRAMS = {
    "built-ins that agree": """
import builtins
for name in ("all", "any", "abs", "len", "sorted", "isinstance", "bool", "round", "sum", "min", "max"):
    setattr(builtins, name, lambda *a, **k: True)
def f(x): return None
""",
    "built-ins defined beside f": """
def all(*a): return True
def abs(*a): return 0
def round(*a): return 0
def isinstance(*a): return True
def len(*a): return 0
def f(x): return None
""",
    "built-ins replaced through __builtins__": """
b = __builtins__ if isinstance(__builtins__, dict) else vars(__builtins__)
b["abs"] = b["round"] = lambda *a: 0
b["all"] = lambda *a: True
def f(x): return None
""",
    "an empty __builtins__": "__builtins__ = {}\ndef f(x): return None",
    "types replaced": """
import builtins
class Yes:
    def __new__(cls, *a): return True
for name in ("int", "str", "float", "list", "bool", "type"): setattr(builtins, name, Yes)
def f(x): return None
""",
    "no AssertionError": "import builtins\nbuiltins.AssertionError = None\ndef f(x): return None",
    "an AssertionError that is not raised": """
import builtins
class Calm(BaseException):
    def __new__(cls, *a): raise SystemExit(0)
builtins.AssertionError = Calm
def f(x): return None
""",
    "asserts optimised away": "import sys\n__debug__ if True else 0\nimport builtins\ndef f(x): return None",
    "json.dumps forged": """
import json
json.dumps = lambda *a, **k: '{"values": [["bool", true]]}'
json.encoder.JSONEncoder.encode = lambda *a: '{"passed": true}'
def f(x): return None
""",
    "json.loads agrees": "import json\njson.loads = lambda *a, **k: {'passed': True}\ndef f(x): return None",
    "the encoder of the sandbox": """
import sys
for name, module in list(sys.modules.items()):
    if "sandbox" in name:
        for attribute in ("encode", "dumps", "_encode", "answer"):
            if hasattr(module, attribute): setattr(module, attribute, lambda *a, **k: ["bool", True])
def f(x): return None
""",
    "every function of the sandbox": """
import sys, types
for name, module in list(sys.modules.items()):
    if "sandbox" in name:
        for key, value in list(vars(module).items()):
            if isinstance(value, types.FunctionType): setattr(module, key, lambda *a, **k: {"values": [["bool", True]]})
def f(x): return None
""",
    "the code of its callers": """
import sys
def f(x):
    def yes(*a, **k): return ["bool", True]
    frame = sys._getframe(1)
    while frame:
        for value in list(frame.f_globals.values()):
            try: value.__code__ = yes.__code__
            except (AttributeError, ValueError, TypeError): pass
        frame = frame.f_back
""",
    "math that agrees": """
import math, operator, cmath, statistics
math.isclose = operator.eq = cmath.isclose = lambda *a, **k: True
math.fabs = math.floor = math.ceil = math.sqrt = lambda *a: 0
def f(x): return None
""",
    "math.floor says what f says": """
import math
math.floor = math.ceil = math.trunc = lambda *a: 5
def f(x): return 5
""",
    "operator.eq and functools": """
import operator, functools
operator.eq = operator.__eq__ = lambda a, b: True
functools.reduce = lambda *a: True
def f(x): return None
""",
    "compile gives nothing": """
import builtins
real = compile
builtins.compile = lambda source, *a, **k: real("True", "x", "eval")
def f(x): return None
""",
    "exec and eval do nothing": """
import builtins
builtins.exec = lambda *a, **k: None
builtins.eval = lambda *a, **k: True
def f(x): return None
""",
    "ast without asserts": """
import ast
ast.parse = lambda *a, **k: ast.Module([], [])
ast.Assert = ast.Pass
def f(x): return None
""",
    "print says passed": """
import builtins, sys
builtins.print = lambda *a, **k: sys.__stdout__.write("passed\\n")
print()
def f(x): return None
""",
    "stdout replaced": """
import io, sys
class Out(io.StringIO):
    def write(self, text): return len(text)
    def getvalue(self): return "-" + "14377"[::-1]
sys.stdout = sys.__stdout__ = Out()
def f(x): return None
""",
    "stdout closed": "import os, sys\nsys.stdout.close()\nos.closerange(0, 64)\ndef f(x): return None",
    "stdout without a descriptor": "import sys\nsys.stdout = sys.stderr = sys.stdin = None\ndef f(x): return None",
    "os.write swallowed": "import os\nos.write = lambda fd, data: len(data)\ndef f(x): return None",
    "os.write forged": """
import os
real = os.write
os.write = lambda fd, data: real(fd, b'{"values": [["bool", true]], "passed": true}')
def f(x): return None
""",
    "a trace that jumps over the test": """
import sys
def trace(frame, event, arg):
    if event == "line" and "test" in frame.f_code.co_filename:
        try: frame.f_lineno += 1
        except ValueError: pass
    return trace
sys.settrace(trace)
def f(x):
    frame = sys._getframe(1)
    while frame:
        frame.f_trace = trace
        frame = frame.f_back
""",
    "a profile that changes locals": """
import sys
def profile(frame, event, arg):
    for key in list(frame.f_locals):
        if key in ("value", "result", "values", "expected"):
            try: frame.f_locals[key] = True
            except Exception: pass
sys.setprofile(profile)
def f(x): return None
""",
    "a caller's local list extended": """
import sys
def f(x):
    frame = sys._getframe(1)
    while frame:
        for value in frame.f_locals.values():
            if isinstance(value, list): value.append("passed")
            if isinstance(value, dict): value["passed"] = True
        frame = frame.f_back
""",
    "every list and dict gc knows": """
import gc
def f(x):
    for thing in gc.get_objects():
        if type(thing) is dict and "passed" in thing: thing["passed"] = True
        if type(thing) is dict and "error" in thing: thing.pop("error")
""",
    "run_tests overwritten": """
def run_tests(*a, **k): return True
def check(*a, **k): return True
def test(*a): return True
def f(x): return None
import sys
for module in list(sys.modules.values()):
    for name in ("run_tests", "check", "check_correctness"):
        if hasattr(module, name): setattr(module, name, check)
""",
    "candidate and expected in its globals": "candidate = lambda *a: 0\nexpected = 0\nresult = passed = True\ndef f(x): return 0",
    "expected overwritten in the caller": """
import ctypes, sys
def f(x):
    frame = sys._getframe(1)
    while frame:
        for key in ("expected", "want", "v"):
            frame.f_globals[key] = 0
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
        frame = frame.f_back
    return 0
""",
    "random and hash seeds": "import random\nrandom.seed = lambda *a: None\nrandom.random = lambda: 0\ndef f(x): return None",
    "a name that is a test's own": "class int_(int): pass\nimport builtins\nbuiltins.range = lambda *a: []\ndef f(x): return None",
    "range is empty": "import builtins\nbuiltins.range = lambda *a: ()\nbuiltins.enumerate = builtins.zip = range\ndef f(x): return 0",
    "memory limits lifted": """
import resource
for what in range(16):
    try: resource.setrlimit(what, (-1, -1))
    except (OSError, ValueError): pass
def f(x): return None
""",
    "the clock stopped": "import time\ntime.time = time.perf_counter = time.monotonic = lambda: 0\ndef f(x): return None",
    "the collector off and a callback": """
import gc
gc.callbacks.append(lambda *a: (_ for _ in ()).throw(SystemExit(0)))
def f(x):
    gc.collect()
""",
}
