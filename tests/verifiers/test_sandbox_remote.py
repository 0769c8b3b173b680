"""Programs on another machine: over loopback, with a real server and a real sandbox behind it."""

import http.client
import threading

import pytest

from gradus.verifiers.sandbox import remote, server
from gradus.verifiers.sandbox.client import Case, Job, available, run
from gradus.verifiers.sandbox.launch import SandboxUnavailableError

SECRET = "a secret of enough characters"


@pytest.fixture(scope="module")
def served():
    with server.Server(("127.0.0.1", 0), token=SECRET, workers=2) as one:
        thread = threading.Thread(target=one.serve_forever, daemon=True)
        thread.start()
        yield one
        one.shutdown()
        one.pool.shutdown()


@pytest.fixture
def url(served, monkeypatch):
    address = f"http://127.0.0.1:{served.server_port}"
    monkeypatch.setenv("GRADUS_SANDBOX_URL", address)
    monkeypatch.setenv("GRADUS_SANDBOX_TOKEN", SECRET)
    return address


def test_a_remote_job_gives_the_same_runs(url):
    assert available() is None
    done = run(Job(mode="script", source="print(int(input()) * 2)", cases=(Case(stdin="4"), Case(stdin="5"))))
    assert [one.stdout for one in done] == ["8\n", "10\n"]
    job = Job(mode="command", command=("/bin/cat", "a"), files=(("a", b"\x00\xff"), ("b", b"x")), keep=("a",))
    assert run(job)[0].files == {"a": b"\x00\xff"}


def test_a_wrong_token_is_refused(url, monkeypatch):
    monkeypatch.setenv("GRADUS_SANDBOX_TOKEN", SECRET + "x")
    with pytest.raises(SandboxUnavailableError, match="401 wrong token"):
        run(Job(mode="script"))


def test_a_busy_server_is_asked_again(url, served, monkeypatch):
    places = [served.places.acquire(blocking=False) for _ in range(10)]
    assert all(places)
    monkeypatch.setattr(remote.time, "sleep", lambda _: served.places.release())
    assert run(Job(mode="script", source="print(1)"))[0].stdout == "1\n"
    for _ in range(9):
        served.places.release()


def test_a_server_that_stays_busy_is_given_up(url, served, monkeypatch):
    for _ in range(10):
        assert served.places.acquire(blocking=False)
    monkeypatch.setattr(remote.time, "sleep", lambda _: None)
    with pytest.raises(SandboxUnavailableError, match="busy"):
        run(Job(mode="script"))
    for _ in range(10):
        served.places.release()


@pytest.mark.parametrize(
    ("place", "reason"),
    [("http://127.0.0.1:9", "is the server running"), ("http:", "not the address"), ("elsewhere", "it can be local:")],
)
def test_a_place_that_is_none_says_so(monkeypatch, place, reason):
    monkeypatch.setenv("GRADUS_SANDBOX_URL", place)
    with pytest.raises(SandboxUnavailableError, match=reason):
        run(Job(mode="script"))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"mode": "script"}', b"[" * 100_000, b"\xff", b'{"mode": {}, "cases": 3}']
)
def test_what_is_no_job_is_refused(url, served, body):
    connection = http.client.HTTPConnection("127.0.0.1", served.server_port, timeout=10)
    connection.request("POST", "/run", body, {"Authorization": f"Bearer {SECRET}"})
    assert connection.getresponse().status == 400
    connection.close()


def test_a_body_without_end_is_not_read(url, served):
    connection = http.client.HTTPConnection("127.0.0.1", served.server_port, timeout=10)
    connection.putrequest("POST", "/run")
    connection.putheader("Authorization", f"Bearer {SECRET}")
    connection.putheader("Content-Length", str(10**12))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_threads_share_the_server(url):
    seen = []

    def work(number):
        seen.extend(run(Job(mode="script", source=f"print({number})"))[0].stdout for _ in range(3))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [f"{number}\n" for number in range(4) for _ in range(3)]
