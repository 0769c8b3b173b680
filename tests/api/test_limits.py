"""How much may be sent, and how slowly."""

import socket
import time

import pytest

from gradus.api.limits import Buckets
from gradus.api.settings import Settings
from tests.api.guarded import client_of, everything, serving, small_app

SMALL = Settings(max_body_bytes=1000, uploads={"/v1/imports": 5000}, body_timeout_s=0.3)


def test_a_bucket_lets_a_burst_through_and_then_its_rate():
    buckets = Buckets(10, 5)
    assert [buckets.take("a", 0.0) for _ in range(5)] == [0] * 5
    assert buckets.take("a", 0.0) == pytest.approx(0.1)
    assert buckets.take("a", 0.05) == pytest.approx(0.05)
    assert buckets.take("a", 0.11) == 0
    assert buckets.take("b", 0.11) == 0
    assert [buckets.take("a", 100.0) > 0 for _ in range(6)] == [False] * 5 + [True]


def test_buckets_of_many_strangers_are_forgotten_when_they_are_full_again():
    buckets = Buckets(1, 2)
    for i in range(30_000):
        buckets.take(str(i), i / 1000)
    assert len(buckets._left) <= 10_001


@pytest.mark.parametrize(("size", "status"), [(900, 200), (1001, 413), (100_000, 413)])
@pytest.mark.parametrize("declared", [True, False])
def test_a_body_has_a_limit_whether_or_not_its_size_is_declared(workspace, size, status, declared):
    body = b'{"name": "' + b"x" * (size - 12) + b'"}'
    content = body if declared else iter([body[:500], body[500:]])
    client = client_of(workspace, SMALL)
    response = client.post("/v1/things/a", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == status
    if status == 413:
        assert response.headers["content-type"] == "application/problem+json"
        assert "1,000 bytes" in response.json()["detail"]


def test_an_upload_may_be_larger_but_not_without_end(workspace):
    client = client_of(workspace, SMALL)
    assert client.post("/v1/imports", content=b"x" * 5000).json() == {"size": 5000}
    assert client.post("/v1/imports", content=b"x" * 5001).status_code == 413
    assert client.post("/v1/imports", content=iter([b"x" * 3000] * 2)).status_code == 413
    assert client.post("/v1/imports/../things/a", content=b"x" * 5000).status_code in (404, 413)


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 30, "", "+5"])
def test_a_size_that_is_no_number_is_refused(workspace, length):
    response = client_of(workspace, SMALL).post("/v1/imports", content=b"", headers={"Content-Length": length})
    assert response.status_code == 413


def test_what_is_refused_is_not_held_in_memory_and_the_next_request_is_answered(workspace):
    with serving(small_app(workspace, SMALL)) as port, socket.create_connection(("127.0.0.1", port), 60) as connection:
        head = b"POST /v1/imports HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + b"2000\r\n" + b"x" * 8192 + b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 413")
        for _ in range(50):
            connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        connection.sendall(b"0\r\n\r\nGET /public HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert everything(connection).startswith(b"HTTP/1.1 200")


def test_a_body_that_does_not_come_is_given_up(workspace):
    with serving(small_app(workspace, SMALL)) as port, socket.create_connection(("127.0.0.1", port), 60) as connection:
        started = time.monotonic()
        connection.sendall(b"POST /v1/imports HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc")
        answer = everything(connection)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"3 bytes of it" in answer
        assert time.monotonic() - started < 15  # it is 30 s if nobody shortens it
