"""Programs that call home: a listener on the loopback of the host must hear nothing."""

# ruff: noqa: E501

PROGRAMS = {
    "a connection": "import socket\ndef f(x): socket.create_connection(('127.0.0.1', @PORT@), 1).send(b'x')",
    "a connection over IPv6": "import socket\ndef f(x): socket.create_connection(('::1', @PORT@), 1).send(b'x')",
    "a datagram": "import socket\ndef f(x): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', @PORT@))",
    "a name looked up": "import socket\ndef f(x): return socket.getaddrinfo('example.com', 80)",
    "http": "import urllib.request\ndef f(x): return urllib.request.urlopen('http://127.0.0.1:@PORT@/', timeout=1).read()",
    "socket by libc": """
import ctypes, struct
libc = ctypes.CDLL(None)
def f(x):
    s = libc.socket(2, 1, 0)
    a = struct.pack('=HH4s8x', 2, int.from_bytes(struct.pack('!H', @PORT@), 'little'), bytes([127, 0, 0, 1]))
    if libc.connect(s, a, 16) == 0: libc.write(s, b'x', 1)
""",
    "socket by number": "import ctypes\ndef f(x):\n    for n in (41, 53): ctypes.CDLL(None).syscall(n, 2, 1, 0)",
    "a unix socket": "import socket\ndef f(x): socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')",
    "an abstract socket": "import socket\ndef f(x): socket.socket(socket.AF_UNIX).connect('\\0gradus')",
    "netlink": "import socket\ndef f(x): socket.socket(16, 3, 0).bind((0, 0))",
    "a raw packet": "import socket\ndef f(x): socket.socket(17, 3, 3)",
    "vsock": "import socket\ndef f(x): socket.socket(40, 1).connect((2, @PORT@))",
    "a server": "import socket\ndef f(x): socket.create_server(('0.0.0.0', @PORT@)).accept()",
    "every descriptor as a socket": """
import socket
def f(x):
    for fd in range(64):
        try: socket.socket(fileno=fd).send(b'{"passed": true}')
        except OSError: pass
""",
    "asyncio": "import asyncio\ndef f(x): return asyncio.run(asyncio.open_connection('127.0.0.1', @PORT@))",
}
