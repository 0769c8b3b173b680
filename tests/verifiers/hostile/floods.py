"""Programs that use up memory, disk, output, processes, threads or descriptors. Slow: some run into the limit."""

# ruff: noqa: E501

PROGRAMS = {
    "a fork bomb": """
import os
def f(x):
    while True:
        try: os.fork()
        except OSError: pass
""",
    "forks by libc": "import ctypes\ndef f(x):\n    for _ in range(10_000): ctypes.CDLL(None).fork()",
    "vfork, clone and clone3": """
import ctypes
def f(x):
    for number, flags in ((58, 0), (56, 17), (435, 0)) * 50: ctypes.CDLL(None).syscall(number, flags, 0, 0, 0, 0)
""",
    "processes by multiprocessing": """
import multiprocessing
def f(x): return multiprocessing.Pool(8).map(abs, [1])
""",
    "one large allocation": "def f(x): return bytearray(10**11)",
    "many small allocations": "def f(x):\n    kept = []\n    while True: kept.append(bytearray(10**6))",
    "a string that doubles": "def f(x):\n    s = 'a'\n    while True: s += s",
    "memory through mmap": """
import mmap
def f(x):
    kept = []
    while True:
        kept.append(mmap.mmap(-1, 1 << 26))
        kept[-1][::4096] = b"x" * (1 << 14)
""",
    "memory through memfd": """
import os
def f(x):
    kept = []
    while True:
        kept.append(os.memfd_create("x"))
        os.write(kept[-1], bytes(1 << 22))
""",
    "a large file": "def f(x): open('/tmp/big', 'wb').write(bytes(10**9))",
    "many files": "def f(x):\n    n = 0\n    while True:\n        n += 1\n        open(f'/tmp/{n}', 'w').write('x' * 100_000)",
    "many folders": "import os\ndef f(x):\n    while True:\n        os.mkdir('d')\n        os.chdir('d')",
    "a sparse file": "import os\ndef f(x):\n    fd = os.open('/tmp/s', os.O_CREAT | os.O_RDWR)\n    os.truncate(fd, 1 << 40)",
    "printing without end": "def f(x):\n    while True: print('x' * 10_000)",
    "errors without end": "import sys\ndef f(x):\n    while True: sys.stderr.write('x' * 10_000)",
    "results without end": "import os\ndef f(x):\n    while True: os.write(3, b'{\"values\": []}\\n' * 1000)",
    "threads without end": """
import threading, time
def f(x):
    while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
""",
    "threads that each start threads": """
import threading
def go():
    while True:
        try: threading.Thread(target=go).start()
        except RuntimeError: pass
def f(x): go()
""",
    "threads that do not end with the program": """
import threading, time
for _ in range(20): threading.Thread(target=time.sleep, args=(60,)).start()
def f(x): return None
""",
    "descriptors without end": "import os\ndef f(x):\n    while True: os.open('/dev/null', 0)",
    "pipes filled": """
import os
def f(x):
    r, w = os.pipe()
    while True: os.write(w, bytes(65536))
""",
    "epoll, eventfd and timers": """
import os, select
def f(x):
    kept = []
    while True: kept += [select.epoll(), os.eventfd(0)]
""",
    "locked memory": "import ctypes\ndef f(x): ctypes.CDLL(None).mlockall(7); return bytearray(10**11)",
    "urandom without end": "def f(x):\n    d = open('/dev/urandom', 'rb')\n    while True: d.read(1 << 20)",
    "a file that is its own reader": """
def f(x):
    with open("/tmp/loop", "ab") as out, open("/tmp/loop", "rb") as back:
        while True:
            out.write(b"x" * 4096); out.flush(); back.read()
""",
}
