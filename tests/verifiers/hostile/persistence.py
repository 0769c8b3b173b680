"""Programs that learn the right answer from an earlier run of theirs: one that left a mark.

Each returns something wrong unless it finds the mark, so a pass means that something stayed.
"""

_FILE = """
import os
def f(x):
    if os.path.exists("@"): return -int("14377"[::-1])
    try: open("@", "w").close()
    except OSError: pass
    os._exit(0)
"""


def _file(path: str) -> str:
    return _FILE.replace("@", path)


PROGRAMS = {
    **{
        f"a file at {path}": _file(path)
        for path in (
            "/tmp/mark",
            "mark",
            "/dev/shm/mark",
            "/var/tmp/mark",
            "/run/mark",
            "/code/mark",
            "/mark",
            "/dev/mark",
        )
    },
    "a folder without rights": """
import os
def f(x):
    if os.path.isdir("/tmp/d"): return -int("14377"[::-1])
    os.makedirs("/tmp/d/e/f")
    open("/tmp/d/e/f/g", "w").close()
    os.chmod("/tmp/d/e", 0)
    os.chmod("/tmp/d", 0)
    os._exit(0)
""",
    "a name with a line break": _file("/tmp/ma\\nrk\\udcff"),
    "a link to a folder": """
import os
def f(x):
    if os.path.islink("/tmp/l"): return -int("14377"[::-1])
    os.symlink("/usr", "/tmp/l")
    os._exit(0)
""",
    "shared memory of System V": """
import ctypes, os
libc = ctypes.CDLL(None)
def f(x):
    if libc.shmget(77, 4096, 0) >= 0: return -int("14377"[::-1])
    libc.shmget(77, 4096, 0o1666)
    os._exit(0)
""",
    "a semaphore of System V": """
import ctypes, os
libc = ctypes.CDLL(None)
def f(x):
    if libc.semget(77, 1, 0) >= 0: return -int("14377"[::-1])
    libc.semget(77, 1, 0o1666)
    os._exit(0)
""",
    "a message queue": """
import ctypes, os
libc = ctypes.CDLL(None)
def f(x):
    if libc.msgget(77, 0) >= 0: return -int("14377"[::-1])
    libc.msgget(77, 0o1666)
    os._exit(0)
""",
    "a POSIX queue": """
import ctypes, os
def f(x):
    call = ctypes.CDLL(None).syscall
    if call(240, b"mark", 0, 0, 0) >= 0: return -int("14377"[::-1])
    call(240, b"mark", 0o102, 0o666, 0)
    os._exit(0)
""",
    "a key": """
import ctypes, os
def f(x):
    call = ctypes.CDLL(None).syscall
    if call(249, b"user", b"mark", 0, -4) >= 0: return -int("14377"[::-1])
    call(248, b"user", b"mark", b"1", 1, -4)
    os._exit(0)
""",
    "an abstract socket": """
import os, socket
def f(x):
    s = socket.socket(socket.AF_UNIX)
    try: s.bind("\\0mark")
    except OSError as error: return -int("14377"[::-1]) if error.errno == 98 else 0
    os._exit(0)
""",
    "an attribute of the folder": """
import os
def f(x):
    try:
        if os.listxattr("/tmp"): return -int("14377"[::-1])
        os.setxattr("/tmp", "user.mark", b"1")
    except OSError: pass
    if os.stat("/tmp").st_mode & 0o777 == 0o751: return -int("14377"[::-1])
    try: os.chmod("/tmp", 0o751)
    finally: os._exit(0)
""",
    "the times of the folder": """
import os
def f(x):
    if os.stat("/tmp").st_atime == 77: return -int("14377"[::-1])
    try: os.utime("/tmp", (77, 77))
    finally: os._exit(0)
""",
    "a lock on a library": """
import fcntl, os
def f(x):
    kept = open("/usr/bin/env", "rb")
    try: fcntl.flock(kept, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError: return -int("14377"[::-1])
    os.set_inheritable(kept.fileno(), True)
    os._exit(0)
""",
    "a module of the parent": """
import os, sys
def f(x):
    if hasattr(sys, "mark"): return -int("14377"[::-1])
    sys.mark = 1
    os._exit(0)
""",
    "an inherited limit": """
import os, resource
def f(x):
    if resource.getrlimit(resource.RLIMIT_STACK)[0] == 7777777: return -int("14377"[::-1])
    resource.setrlimit(resource.RLIMIT_STACK, (7777777, 7777777))
    os._exit(0)
""",
    "the position of a shared descriptor": """
import os
def f(x):
    for fd in (0, 3, 4, 5):
        try:
            if os.lseek(fd, 0, 1) == 777: return -int("14377"[::-1])
            os.lseek(fd, 777, 0)
        except OSError: pass
    os._exit(0)
""",
}
