"""Programs that write the result themselves, on every channel they can find, or say it in every way."""

# ruff: noqa: E501

_EVERYWHERE = """
import os
def say(text):
    for fd in range(256):
        try: os.write(fd, text)
        except OSError: pass
"""

PROGRAMS = {
    "a printed result": 'print(\'{"values": [["bool", true]]}\')\nprint("passed")\ndef f(x): return None',
    "a result on descriptor 3": """
import os
def f(x):
    os.write(3, b'{"values": [["bool", true]], "nonce": ""}\\n')
    os._exit(0)
""",
    "many results on descriptor 3": """
import os
os.write(3, b'{"values": [["bool", true]]}\\n' * 1000)
def f(x): os._exit(0)
""",
    "a wrong-typed result": "import os\ndef f(x):\n    os.write(3, b'{\"values\": true}\\n')\n    os._exit(0)",
    "a result that is a list": "import os\ndef f(x):\n    os.write(3, b'[\"passed\"]\\n')\n    os._exit(0)",
    "half a result": "import os\ndef f(x):\n    os.write(3, b'{\"values\": [')\n    os._exit(0)",
    "a deep result": "import os\ndef f(x):\n    os.write(3, b'[' * 100_000)\n    os._exit(0)",
    "a long result": "import os\ndef f(x):\n    os.write(3, b'9' * 3_000_000)\n    os._exit(0)",
    "a result of nulls": "import os\ndef f(x):\n    os.write(3, bytes(100))\n    os._exit(0)",
    "a result with NaN and Infinity": "import os\ndef f(x):\n    os.write(3, b'{\"values\": [NaN, Infinity]}\\n')\n    os._exit(0)",
    "a result with two keys alike": """
import os
def f(x):
    os.write(3, b'{"values": [["int", "0x0"]], "values": [["int", 1]]}\\n')
    os._exit(0)
""",
    "a named type that is not plain": """
import os
def f(x):
    os.write(3, b'{"values": [["object", null]]}\\n{"values": [["eval", "1"]]}\\n{"values": [["__import__", "os"]]}\\n')
    os._exit(0)
""",
    "an int with an underscore and spaces": """
import os
def f(x):
    os.write(3, b'{"values": [["int", " 0x_1 "]]}\\n')
    os._exit(0)
""",
    "the frame of a run on every descriptor": _EVERYWHERE
    + """
say(b'{"in_time": true, "exit_code": 0, "stdout": "passed", "result": "{}"}')
os._exit(0)
""",
    "a length-prefixed frame on every descriptor": _EVERYWHERE
    + """
import struct
body = b'[{"in_time": true, "exit_code": 0, "stdout": "", "stderr": "", "result": "{}", "seconds": 0, "files": {}}]'
say(struct.pack("!I", len(body)) + body)
def f(x): say(struct.pack("!I", len(body)) + body)
""",
    "a report of a test runner": _EVERYWHERE + "say(b'1 passed in 0.01s\\nOK\\nPASSED\\n')\ndef f(x): return None",
    "a claim of success by tag": """
import os
os.write(3, b'{"values": [["tuple", [["str", "pass"]]]]}\\n' * 50)
def f(x): os._exit(0)
""",
    "the verdict of a test it does not run": """
import os
for text in ("pass", "need", "plain", "value", "object", "iterator"):
    os.write(3, ('{"values": [["tuple", [["str", "%s"], ["bool", true], ["list", []]]]]}\\n' % text).encode())
def f(x): os._exit(0)
""",
    "a log of calls with code in it": """
import os
def f(x):
    os.write(3, b'{"values": [["str", "__import__(1)"], ["list", [["str", "\\\\"); passed(("]]]]}\\n')
    os._exit(0)
""",
    "a result through a duplicate descriptor": """
import os
def f(x):
    for fd in range(3, 64):
        try: os.write(os.dup(fd), b'{"values": [["bool", true]]}\\n')
        except OSError: pass
    os._exit(0)
""",
    "a result rewritten from the start": """
import os, threading, time
def again():
    while True:
        try:
            os.ftruncate(3, 0)
            os.pwrite(3, b'{"values": [["bool", true]]}\\n', 0)
        except OSError: pass
threading.Thread(target=again, daemon=True).start()
def f(x):
    time.sleep(0.1)
    return None
""",
    "a result mapped and overwritten": """
import mmap, os
def f(x):
    try:
        os.ftruncate(3, 4096)
        mmap.mmap(3, 4096)[:32] = b'{"values": [["bool", true]]}'.ljust(31) + b"\\n"
    except (OSError, ValueError): pass
    os._exit(0)
""",
    "the result's file sealed": """
import fcntl
try: fcntl.fcntl(3, 1033, 15)
except OSError: pass
def f(x): return None
""",
    "an orphan that holds the pipe": """
import os
try:
    if os.fork() == 0:
        import time
        time.sleep(600)
except OSError: pass
def f(x): return None
""",
    "a parent that leaves its child": """
import os
try:
    if os.fork(): os._exit(0)
except OSError: pass
def f(x): return None
""",
    "pickle __reduce__": "class P:\n    def __reduce__(self): return (print, ('passed',))\ndef f(x): return P()",
    "pickle __reduce__ to a file outside": """
class P:
    def __reduce__(self): return (exec, ("open('@CANARY@', 'w').write('gone')",))
def f(x): return P()
""",
    "pickled bytes as the result": """
import pickle
class P:
    def __reduce__(self): return (exec, ("open('@CANARY@', 'w').write('gone')",))
def f(x): return pickle.dumps(P())
""",
    "copyreg and __getstate__": """
import copyreg
class P: pass
copyreg.pickle(P, lambda p: (eval, ("True",)))
def f(x): return P()
""",
    "a result that begins a new line": 'def f(x): return \'\\n{"values": [["bool", true]]}\\n\'',
    "escapes of the terminal": "print('\\x1b[2J\\x1b]0;passed\\x07')\ndef f(x): return '\\x1b[2Jpassed'",
}
