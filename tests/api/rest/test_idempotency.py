"""A POST with an Idempotency-Key is done once, however often it is sent."""

import os
import sqlite3
import threading

import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.testclient import TestClient

from gradus.api.faults import Fault, answer_errors
from gradus.api.idempotency import Answers, KeepAnswers, idempotent


class Counter:
    """An application whose only route counts how often it is done."""

    def __init__(self, workspace):
        self.done, self.gate, self.begun = 0, threading.Event(), threading.Event()
        self.gate.set()
        app = FastAPI()
        app.state.workspace, app.state.answers = workspace, Answers(workspace)
        answer_errors(app)
        app.add_middleware(KeepAnswers, answers=app.state.answers)

        @app.post("/things", status_code=201, dependencies=[Depends(idempotent)])
        def make(request: Request, fail: int = 0) -> dict[str, int]:
            self.begun.set()
            assert self.gate.wait(10)
            self.done += 1
            if fail == 500:
                raise RuntimeError("broken")
            if fail:
                raise Fault(fail, "no")
            return {"done": self.done}

        self.client = TestClient(app, raise_server_exceptions=False)

    def post(self, key=None, body=None, query="", token=""):
        headers = ({"Idempotency-Key": key} if key else {}) | ({"Authorization": token} if token else {})
        return self.client.post(f"/things{query}", json=body or {"a": 1}, headers=headers)


@pytest.fixture
def counter(workspace):
    return Counter(workspace)


def test_the_same_request_is_done_once_and_answered_alike(counter):
    first, again = counter.post("k"), counter.post("k")
    assert (first.status_code, first.json()) == (again.status_code, again.json()) == (201, {"done": 1})
    assert first.headers["content-type"] == again.headers["content-type"]
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    assert counter.post("other").json() == {"done": 2}
    assert counter.post().json() == {"done": 3}


def test_it_is_done_once_over_a_restart_of_the_server(counter, workspace):
    counter.post("k")
    restarted = Counter(workspace)
    assert restarted.post("k").json() == {"done": 1}
    assert restarted.done == 0


def test_a_key_with_another_request_is_422(counter):
    counter.post("k")
    assert counter.post("k", body={"a": 2}).status_code == 422
    assert counter.post("k", query="?fail=0").status_code == 422
    assert counter.done == 1


def test_a_key_is_its_callers_own(counter):
    assert counter.post("k", token="Bearer one").json() == {"done": 1}
    assert counter.post("k", token="Bearer two").json() == {"done": 2}


def test_while_it_is_under_way_the_second_waits_for_its_turn(counter):
    counter.gate.clear()
    first = []
    thread = threading.Thread(target=lambda: first.append(counter.post("k")))
    thread.start()
    assert counter.begun.wait(10)
    second = counter.client.post("/things", json={"a": 1}, headers={"Idempotency-Key": "k"})
    counter.gate.set()
    thread.join()
    assert (second.status_code, second.headers["retry-after"]) == (409, "1")
    assert first[0].json() == counter.post("k").json() == {"done": 1}


@pytest.mark.parametrize("fail", [400, 404, 422, 500, 503])
def test_what_was_refused_may_be_sent_again_with_its_key(counter, fail):
    assert counter.post("k", query=f"?fail={fail}").status_code == fail
    assert counter.post("k").json() == {"done": 2}


def test_a_request_whose_server_died_is_done_again(counter, workspace):
    counter.post("k")
    with sqlite3.connect(workspace.root / "server" / "server.sqlite") as db:
        db.execute("UPDATE answers SET status = NULL, owner = ?", (f"{os.getpid()}-1",))
    assert counter.post("k").json() == {"done": 2}


@pytest.mark.parametrize("key", ["a b", "x" * 201, "ü"])
def test_a_key_that_is_none_is_refused(counter, key):
    assert counter.post(key.encode()).status_code == 422
    assert counter.done == 0


def test_many_at_once_are_done_once(counter):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(counter.post("k"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.done == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
