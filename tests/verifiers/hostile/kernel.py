"""Programs that ask the kernel for a way out. Whatever it says, f is wrong and nothing outside changes."""

# ruff: noqa: E501

_CALL = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(*a): return libc.syscall(*a)
def f(x): return None
"""
_READ = """
def f(x):
    try: return open(@).read()
    except OSError: return None
"""

PROGRAMS = {
    "unshare of everything": _CALL + "call(272, 0x7E020000)",
    "setns into process 1": _CALL + "import os\nfor fd in range(16): call(308, fd, 0)",
    "a user namespace by clone": _CALL + "call(56, 0x10000000 | 17, 0, 0, 0, 0)",
    "mount of proc": _CALL + "call(165, b'proc', b'/tmp', b'proc', 0, 0)",
    "a bind mount of the root": _CALL + "call(165, b'/', b'/tmp', 0, 4096, 0)",
    "remount for writing": _CALL + "call(165, 0, b'/', 0, 32, 0)\nopen('/usr/escape', 'w')",
    "the new mount calls": _CALL + "for n in (428, 429, 430, 431, 432, 433, 442): call(n, 0, b'/', 0, 0, 0)",
    "pivot_root and umount": _CALL + "call(155, b'/tmp', b'/tmp')\ncall(166, b'/tmp', 2)",
    "chroot and back": _CALL + "import os\ncall(161, b'/tmp')\nfor _ in range(50): os.chdir('..')\nopen('@CANARY@')",
    "ptrace of process 1": _CALL + "call(101, 16, 1, 0, 0)\ncall(101, 0x4206, 1, 0, 0)",
    "ptrace of itself": _CALL + "call(101, 0, 0, 0, 0)",
    "memory of others": _CALL + "call(310, 1, 0, 0, 0, 0, 0)\ncall(311, 1, 0, 0, 0, 0, 0)\ncall(312, 1, 1, 0, 0, 0)",
    "a signal to everyone": "import os\ndef f(x):\n    for p in (-1, 1, 0): os.kill(p, 9)",
    "signals by every call": _CALL + "for n in (62, 200, 234, 129, 297, 424): call(n, 1, 1, 9, 0, 0)",
    "io_uring": _CALL + "b = ctypes.create_string_buffer(256)\nif call(425, 8, b) >= 0: raise SystemExit(0)",
    "bpf": _CALL + "call(321, 0, 0, 0)\ncall(321, 5, ctypes.create_string_buffer(128), 128)",
    "keys": _CALL + "call(248, b'user', b'x', b'y', 1, -3)\ncall(250, 0, -3, 1)\ncall(249, b'user', b'x', 0, -3)",
    "perf and userfaultfd": _CALL + "call(298, ctypes.create_string_buffer(128), 0, -1, -1, 0)\ncall(323, 0)",
    "kexec and modules": _CALL + "for n in (246, 320, 175, 313, 176): call(n, 0, 0, 0, 0, 0)",
    "reboot, swapon, hostname and the clock": _CALL + "for n in (169, 167, 170, 227, 164): call(n, 0, 0, 0, 0)",
    "new rights": _CALL + "for n in (105, 106, 117, 119, 126): call(n, 0, 0, 0)",
    "no_new_privs undone": _CALL + "libc.prctl(38, 0, 0, 0, 0)\nlibc.prctl(22, 0, 0, 0, 0)\nlibc.prctl(4, 1, 0, 0, 0)",
    "a second filter that allows": _CALL + "libc.prctl(22, 2, ctypes.create_string_buffer(16), 0, 0)",
    "32-bit system calls": """
import ctypes, mmap
code = b"\\xb8\\x02\\x00\\x00\\x00\\xcd\\x80\\xc3"
m = mmap.mmap(-1, 4096, prot=7)
m.write(code)
def f(x): return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()
""",
    "the x32 numbers": _CALL + "for n in (57, 41, 101): call(0x40000000 + n, 1, 1, 0)",
    "personality": _CALL + "call(135, 0x0040000)",
    "file handles": _CALL + "call(304, -100, ctypes.create_string_buffer(64), 0)\ncall(303, -100, b'/', 0, 0, 0)",
    "pidfds": _CALL + "p = call(434, 1, 0)\ncall(438, p, 0, 0)\ncall(424, p, 9, 0, 0)",
    "the parent's limits": "import resource\ndef f(x): return resource.prlimit(1, resource.RLIMIT_CPU, (0, 0))",
    "the scheduler": _CALL + "call(203, 1, 8, ctypes.create_string_buffer(8))\ncall(144, 0, 1, (ctypes.c_int * 1)(99))",
    "the canary by its name": _READ.replace("@)", "'@CANARY@')"),
    "the canary overwritten": "def f(x): open('@CANARY@', 'w').write('gone')",
    "the canary removed": "import os\ndef f(x): os.remove('@CANARY@')",
    "the canary through ..": _READ.replace("@)", "'../' * 20 + '@CANARY@'.lstrip('/'))"),
    "the canary through a link": """
import os
def f(x):
    os.symlink('@CANARY@', '/tmp/link')
    return open('/tmp/link').read()
""",
    "the canary through process 1": _READ.replace("@)", "'/proc/1/root@CANARY@')"),
    "a file beside the canary": "def f(x): open('@FOLDER@/new', 'w').write('x')",
    "a hard link to a system file": "import os\ndef f(x): os.link('/usr/bin/env', '/tmp/env')",
    "passwords": _READ.replace("@)", "'/etc/shadow')"),
    "a device node": "import os\ndef f(x): os.mknod('/tmp/sda', 0o60666, os.makedev(8, 0))",
    "a setuid file": "import os\ndef f(x):\n    open('/tmp/s', 'w').close()\n    os.chmod('/tmp/s', 0o4777)\n    os.chown('/tmp/s', 0, 0)",
    "a program of its own": """
import os
def f(x):
    open('/tmp/run', 'w').write('#!/bin/sh\\necho gone > @CANARY@')
    os.chmod('/tmp/run', 0o755)
    os.execv('/tmp/run', ['run'])
""",
    "a program in memory": """
import os
def f(x):
    fd = os.memfd_create('x')
    os.write(fd, open('/bin/true', 'rb').read())
    os.execve(fd, ['x'], {})
""",
    "a shell": "import os\ndef f(x): os.system('echo gone > @CANARY@')",
    "subprocess": "import subprocess\ndef f(x): return subprocess.run(['/bin/sh', '-c', 'echo gone > @CANARY@'])",
    "posix_spawn": "import os\ndef f(x): os.posix_spawn('/bin/true', ['true'], {})",
    "a pseudo-terminal": "import os, pty\ndef f(x): return pty.spawn('/bin/sh')",
    "typing into the terminal": """
import fcntl, termios
def f(x):
    for fd in range(3):
        for c in 'exit\\n':
            try: fcntl.ioctl(fd, termios.TIOCSTI, c)
            except OSError: pass
""",
    "the secret in the environment": """
import ctypes, os
def f(x):
    env = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), 'environ')
    found = [e.decode() for e in iter(lambda i=iter(range(999)): env[next(i)], None)] + [f'{k}={v}' for k, v in os.environ.items()]
    raise ValueError(' '.join(e for e in found if 'GRADUS_CANARY' in e))
""",
    "the secret through process 1": """
def f(x):
    raise ValueError(open('/proc/1/environ').read())
""",
}
