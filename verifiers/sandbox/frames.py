"""JSON messages over a stream socket: four bytes of length, then the text."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("!I")
MAX_BYTES = 64 << 20


def send(channel: socket.socket, message: dict[str, Any]) -> None:
    """Write one message."""
    body = json.dumps(message).encode()
    channel.sendall(_LENGTH.pack(len(body)) + body)


def receive(channel: socket.socket) -> dict[str, Any]:
    """Read one message; EOFError when the other end is gone, or sends what is none."""
    (size,) = _LENGTH.unpack(_exactly(channel, _LENGTH.size))
    if size > MAX_BYTES:
        raise EOFError(f"a message of {size} bytes")
    try:
        message = json.loads(_exactly(channel, size))
    except (ValueError, RecursionError) as error:
        raise EOFError(f"no message: {error}") from None
    if not isinstance(message, dict):
        raise EOFError("no message: not a JSON object")
    return message


def _exactly(channel: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = channel.recv(size - len(data))
        if not part:
            raise EOFError("the channel was closed")
        data += part
    return bytes(data)
