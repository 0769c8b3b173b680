"""Clients that are slow, silent, greedy or send garbage, on a real socket."""

import contextlib
import json
import socket
import time

import psutil
import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gradus.api import wire
from gradus.engine.workspace import Workspace
from tests.api.guarded import everything, serving, small_app, talk, until

SOON_S = 8
"""Well before the limits that a server has if nobody shortens them, and long enough for a busy machine."""
GET = b"GET /public HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module", params=[HttpToolsProtocol, H11Protocol], ids=["httptools", "h11"])
def impatient(request, tmp_path_factory):
    """Serve with short limits, on each of the protocols that uvicorn may take; yield the port."""
    protocol = type("Impatient", (wire.Limits, request.param), {"head_timeout_s": 0.4, "stalled_s": 0.5})
    with serving(small_app(Workspace.create(tmp_path_factory.mktemp("wire"))), protocol=protocol) as port:
        yield port


def refusal(answer):
    """Return the status of an answer that is one of RFC 9457's problems."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert f"content-length: {len(body)}".encode() in head.lower()
    assert json.loads(body)["status"] == int(head.split()[1])
    return json.loads(body)["status"]


def test_a_request_is_answered_and_so_is_the_next_on_the_same_connection(impatient):
    kept = GET.replace(b"Connection: close\r\n", b"")
    assert talk(impatient, kept, GET).count(b"HTTP/1.1 200") == 2
    assert talk(impatient, kept + GET).count(b"HTTP/1.1 200") == 2
    assert talk(impatient, *(GET[i : i + 1] for i in range(len(GET)))).startswith(b"HTTP/1.1 200")


def test_a_client_that_says_nothing_is_hung_up_on(impatient):
    started = time.monotonic()
    assert talk(impatient) == b""
    assert 0.3 < time.monotonic() - started < SOON_S


def test_half_a_head_is_not_waited_for(impatient):
    assert refusal(talk(impatient, b"GET /public HTTP/1.1\r\nHost: loc")) == 408


def test_a_head_that_trickles_in_has_the_same_time_as_any(impatient):
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", impatient), 60) as connection:
        connection.sendall(b"GET /public HTTP/1.1\r\n")
        connection.settimeout(0.05)
        answer = b""
        while not answer:
            assert time.monotonic() - started < SOON_S
            connection.sendall(b"X: y\r\n")
            with contextlib.suppress(TimeoutError):
                answer = connection.recv(65536)
    assert refusal(answer) == 408


@pytest.mark.parametrize("size", [40_000, 200_000])
@pytest.mark.parametrize("step", [1000, 1 << 20])
def test_a_huge_head_is_refused(impatient, size, step):
    head = b"GET /public HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * size + b"\r\n\r\n"
    with socket.create_connection(("127.0.0.1", impatient), 60) as connection:
        try:
            for at in range(0, len(head), step):
                connection.sendall(head[at : at + step])
        except (ConnectionResetError, BrokenPipeError):
            pass  # what it has answered may be lost with what it did not read
        answer = everything(connection)
    assert not answer or refusal(answer) in (400, 431)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff" * 500 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"GET\r\n\r\n",
        b"GET /public HTTP/1.1\r\nNo colon\r\n\r\n",
        b"POST /v1/imports HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /v1/imports HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
    ],
)
def test_garbage_is_refused_in_the_shape_of_every_error(impatient, garbage):
    assert refusal(talk(impatient, garbage)) in (400, 408, 413)


def num_open(port):
    """Count the server's ends of connections; they are in this process."""
    return sum(one.laddr.port == port and bool(one.raddr) for one in psutil.Process().net_connections("tcp"))


def test_a_client_that_reads_nothing_is_cut_off(impatient):
    with socket.create_connection(("127.0.0.1", impatient), 60) as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: num_open(impatient))
        until(lambda: not num_open(impatient), timeout_s=25)  # of the 30 s that it has if nobody shortens them


def test_no_refusal_stands_in_the_middle_of_another_answer(impatient):
    with socket.create_connection(("127.0.0.1", impatient), 60) as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.recv(1000)
        connection.sendall(b"\x00garbage\r\n\r\n" + b"X" * 100_000)
        assert b"problem+json" not in everything(connection)


def test_too_many_connections_are_turned_away(workspace, monkeypatch):
    monkeypatch.setattr(wire, "MAX_CONNECTIONS", 3)
    with serving(small_app(workspace)) as port:
        idle = [socket.create_connection(("127.0.0.1", port), 60) for _ in range(3)]
        until(lambda: num_open(port) == 3)
        assert refusal(talk(port)) == 503
        for connection in idle:
            connection.close()
        until(lambda: num_open(port) == 0)
        assert talk(port, GET).startswith(b"HTTP/1.1 200")
