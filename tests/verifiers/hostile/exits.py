"""Programs that end before a test can fail, hoping that the end looks like success."""

PROGRAMS = {
    "sys.exit when imported": "import sys\nsys.exit(0)",
    "sys.exit in the call": "import sys\ndef f(x): sys.exit(0)",
    "SystemExit raised in the call": "def f(x): raise SystemExit",
    "SystemExit with a text": "def f(x): raise SystemExit('passed')",
    "quit from site": "def f(x): quit(0)\ntry: exit(0)\nexcept NameError: pass",
    "os._exit when imported": "import os\nos._exit(0)",
    "os._exit in the call": "import os\ndef f(x): os._exit(0)",
    "posix._exit": "import posix\ndef f(x): posix._exit(0)",
    "os imported anew for its _exit": "import sys\nsys.modules.pop('os')\nimport os\ndef f(x): os._exit(0)",
    "libc exit": "import ctypes\ndef f(x): ctypes.CDLL(None).exit(0)",
    "libc _exit": "import ctypes\ndef f(x): ctypes.CDLL(None)._exit(0)",
    "exit_group as a system call": "import ctypes\ndef f(x): ctypes.CDLL(None).syscall(231, 0)",
    "atexit ends with 0": "import atexit, os\natexit.register(os._exit, 0)\ndef f(x): return None",
    "libc atexit": """
import ctypes
end = ctypes.CFUNCTYPE(None)(lambda: ctypes.CDLL(None)._exit(0))
ctypes.CDLL(None).atexit(end)
def f(x): ctypes.CDLL(None).exit(0)
""",
    "excepthook ends with 0": "import os, sys\nsys.excepthook = lambda *a: os._exit(0)\ndef f(x): return x.nothing",
    "unraisable hook ends with 0": """
import os, sys
sys.unraisablehook = lambda *a: os._exit(0)
class Late:
    def __del__(self): raise ValueError
def f(x): Late()
""",
    "a thread ends the process": """
import os, threading
threading.Thread(target=os._exit, args=(0,)).start()
def f(x):
    while True: pass
""",
    "a timer thread ends the process": """
import os, threading
threading.Timer(0.05, os._exit, (0,)).start()
def f(x):
    import time
    time.sleep(9)
""",
    "a signal handler ends the process": """
import os, signal
signal.signal(signal.SIGALRM, lambda *a: os._exit(0))
signal.setitimer(signal.ITIMER_REAL, 0.05)
def f(x):
    while True: pass
""",
    "an exit in a destructor": """
import os
class Late:
    def __del__(self): os._exit(0)
def f(x): return Late() and None
""",
    "KeyboardInterrupt": "def f(x): raise KeyboardInterrupt",
    "GeneratorExit": "def f(x): raise GeneratorExit",
    "StopIteration": "def f(x): raise StopIteration",
    "an exception of its own making": """
class Fine(BaseException):
    def __str__(self): return 'passed'
    __repr__ = __str__
def f(x): raise Fine
""",
    "an exception that cannot be described": """
class Odd(Exception):
    def __str__(self): raise self
    __repr__ = __str__
def f(x): raise Odd
""",
    "an exception group": "def f(x): raise BaseExceptionGroup('passed', [SystemExit(0)])",
    "os.abort": "import os\ndef f(x): os.abort()",
    "a crash": "import ctypes\ndef f(x): return ctypes.string_at(0)",
    "a stop signal to itself": "import os, signal\ndef f(x): os.kill(os.getpid(), signal.SIGSTOP)",
    "exec of true": "import os\ndef f(x): os.execv('/bin/true', ['true'])",
    "the interpreter finalised": "import ctypes\ndef f(x): ctypes.pythonapi.Py_Exit(0)",
}
