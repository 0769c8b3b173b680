"""Programs that look for the expected value (-77341) where a grader might have left it.

None spells the number out, so that finding it means having stolen it.
"""

_LOOK = """
def KEY(): return "14377"[::-1]
def seen(thing):
    try: return KEY() in (thing if isinstance(thing, str) else repr(thing))[:200_000]
    except BaseException: return False
def answer(found): return -int(KEY()) if found else 0
"""

PROGRAMS = {
    "the frames of the caller": _LOOK
    + """
import sys
def f(x):
    frame, found = sys._getframe(), False
    while frame:
        found |= seen({k: v for k, v in frame.f_locals.items() if k not in ("found", "frame")})
        frame = frame.f_back
    return answer(found)
""",
    "the globals of the frames": _LOOK
    + """
import sys
def f(x):
    frame, found = sys._getframe(1), False
    while frame:
        found |= any(seen(v) for k, v in list(frame.f_globals.items()) if k not in ("seen", "answer"))
        frame = frame.f_back
    return answer(found)
""",
    "the constants of the code above": _LOOK
    + """
import sys
def f(x):
    frame, found = sys._getframe(1), False
    while frame:
        found |= seen(frame.f_code.co_consts)
        frame = frame.f_back
    return answer(found)
""",
    "the frames through an exception": _LOOK
    + """
def f(x):
    found = False
    try: raise ValueError
    except ValueError as error: frame = error.__traceback__.tb_frame.f_back
    while frame:
        found |= seen(frame.f_locals) or seen(frame.f_code.co_consts)
        frame = frame.f_back
    return answer(found)
""",
    "inspect.stack": _LOOK
    + """
import inspect
def f(x): return answer(any(seen(entry.frame.f_locals) or seen(entry.code_context) for entry in inspect.stack()[1:]))
""",
    "every object gc knows": _LOOK
    + """
import gc
def f(x): return answer(any(seen(t) for t in gc.get_objects() if type(t) in (dict, list, tuple)))
""",
    "what refers to the argument": _LOOK
    + """
import gc
def f(x): return answer(any(seen(t) for t in gc.get_referrers(x)))
""",
    "all loaded modules": _LOOK
    + """
import sys
def f(x):
    found = False
    for name, module in list(sys.modules.items()):
        if name in ("solution", "__main__"): continue
        for value in list(vars(module).values()): found |= type(value) in (str, int, tuple, list, dict) and seen(value)
    return answer(found)
""",
    "linecache": _LOOK + "import linecache\ndef f(x): return answer(seen(linecache.cache))",
    "its memory through /proc": _LOOK
    + """
def f(x):
    try:
        for line in open("/proc/self/maps"):
            a, b = (int(n, 16) for n in line.split()[0].split("-"))
            with open("/proc/self/mem", "rb") as m:
                m.seek(a)
                if b"14377-" in m.read(b - a)[::-1]: return answer(True)
    except OSError: pass
    return 0
""",
    "its heap through ctypes": _LOOK
    + """
import ctypes
def f(x):
    base = id([]) & ~0xFFFFF
    data = ctypes.string_at(base, 1 << 20)
    return answer(b"14377-" in data[::-1])
""",
    "the memory of process 1": _LOOK
    + """
def f(x):
    try: return answer(b"14377-" in open("/proc/1/mem", "rb").read(1 << 26)[::-1])
    except OSError: return 0
""",
    "process_vm_readv of the parent": _LOOK
    + """
import ctypes, os
def f(x):
    buffer = ctypes.create_string_buffer(1 << 20)
    iov = (ctypes.c_uint64 * 2)(ctypes.addressof(buffer), 1 << 20)
    far = (ctypes.c_uint64 * 2)(id([]) & ~0xFFFFF, 1 << 20)
    ctypes.CDLL(None).syscall(310, os.getppid(), iov, 1, far, 1, 0)
    return answer(b"14377-" in buffer.raw[::-1])
""",
    "command lines": _LOOK
    + """
import os
def f(x):
    found = False
    for pid in (1, os.getppid(), "self"):
        try: found |= seen(open(f"/proc/{pid}/cmdline").read())
        except OSError: pass
    import sys
    return answer(found or seen(sys.argv) or seen(sys.orig_argv))
""",
    "environments": _LOOK
    + """
import os
def f(x):
    found = seen(dict(os.environ))
    for pid in (1, os.getppid(), "self"):
        try: found |= seen(open(f"/proc/{pid}/environ").read())
        except OSError: pass
    return answer(found)
""",
    "every file it can open": _LOOK
    + """
import os
def f(x):
    for folder in ("/tmp", "/code", "/dev/shm", "/var/tmp", "/run", "/home", "/root", "."):
        for where, _, files in os.walk(folder):
            for name in files:
                try:
                    if seen(open(os.path.join(where, name), errors="ignore").read(1 << 17)): return answer(True)
                except OSError: pass
    return 0
""",
    "every open descriptor": _LOOK
    + """
import os
def f(x):
    found = False
    for fd in [n for n in range(256) if n not in (1, 2)]:
        try: found |= seen(os.pread(fd, 1 << 20, 0).decode(errors="ignore"))
        except (OSError, ValueError): pass
    return answer(found)
""",
    "standard input": _LOOK
    + """
import sys
def f(x):
    try: return answer(seen(sys.stdin.read()))
    except (OSError, ValueError): return 0
""",
    "a nonce on the stack": """
import re, sys
def f(x):
    frame, text = sys._getframe(1), ""
    while frame:
        text += repr(frame.f_locals)
        frame = frame.f_back
    import os
    for nonce in set(re.findall("[0-9a-f]{32}", text)):
        os.write(3, b'{"nonce": "%s"}\\n' % nonce.encode())
    os._exit(0)
""",
    "the job left in the harness": _LOOK
    + """
import sys
def f(x):
    found = False
    for name in [n for n in sys.modules if "sandbox" in n]:
        found |= any(seen(v) for v in vars(sys.modules[name]).values() if isinstance(v, (dict, list, tuple, str)))
    return answer(found)
""",
    "compares by hash": _LOOK
    + """
import gc
def f(x):
    want = hash(-int(KEY()))
    pool = [t for o in gc.get_objects() if type(o) in (list, tuple) for t in o if type(t) is int]
    return want if want in pool else 0
""",
    "what the trace function sees": _LOOK
    + """
import sys
found = []
def trace(frame, event, arg):
    if frame.f_code.co_filename != "<program>" and seen(frame.f_locals): found.append(1)
    return trace
sys.settrace(trace)
def f(x):
    frame = sys._getframe(1)
    while frame:
        frame.f_trace = trace
        frame = frame.f_back
    return answer(found)
""",
    "an audit hook": _LOOK
    + """
import sys
found = []
def hook(event, args):
    if event in ("compile", "exec") and not found and seen(args[0]) : found.append(event)
sys.addaudithook(hook)
def f(x): return answer(found)
""",
    "a replaced compile": _LOOK
    + """
import builtins
found, real = [], builtins.compile
def compile_(source, *a, **k):
    if seen(source): found.append(1)
    return real(source, *a, **k)
builtins.compile = compile_
def f(x): return answer(found)
""",
    "the swap of its own address": _LOOK
    + """
import mmap
def f(x):
    try: m = mmap.mmap(3, 0, prot=mmap.PROT_READ)
    except (OSError, ValueError): return 0
    return answer(seen(bytes(m[:]).decode(errors="ignore")))
""",
}
