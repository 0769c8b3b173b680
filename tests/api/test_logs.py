"""Every request has an id, and a line with it."""

import io
import json
import logging
import sys

import pytest

from gradus.api.logs import Lines, log_to_stderr
from tests.api.guarded import client_of, token_of


@pytest.fixture
def lines():
    """Collect what the server logs, as JSON."""
    stream, logger = io.StringIO(), logging.getLogger("gradus")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines("json"))
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)
    logger.setLevel(before)


def test_a_line_says_who_asked_for_what_and_how_long_it_took(workspace, lines):
    headers = token_of(workspace, "read") | {"X-Request-ID": "abc.1"}
    response = client_of(workspace).get("/v1/read?text=secret", headers=headers)
    (line,) = lines()
    assert response.headers["x-request-id"] == line["request_id"] == "abc.1"
    assert (line["actor"], line["method"], line["path"], line["status"]) == ("ada", "GET", "/v1/read", 200)
    assert 0 < line["seconds"] < 10
    assert line["bytes"] == len(response.content)
    assert "secret" not in json.dumps(line)
    assert headers["Authorization"][7:] not in json.dumps(line)


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\tb", "<script>"])
def test_an_id_that_is_no_plain_word_is_replaced(workspace, given):
    response = client_of(workspace).get("/public", headers={"X-Request-ID": given})
    assert response.headers["x-request-id"] != given
    assert len(response.headers["x-request-id"]) == 16


def test_a_failure_of_ours_is_a_500_with_an_id_and_a_traceback_only_in_the_log(workspace, lines):
    response = client_of(workspace).get("/boom")
    assert response.status_code == 500
    assert response.json()["detail"].endswith(response.headers["x-request-id"])
    assert "secret" not in response.text
    failure, access = lines()
    assert "a secret of the inside" in failure["trace"]
    assert failure["request_id"] == access["request_id"] == response.headers["x-request-id"]
    assert access["status"] == 500


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_path_cannot_forge_a_line(workspace, form):
    record = logging.LogRecord("gradus.access", logging.INFO, "", 0, "%s", ("x",), None)
    assert "\n" not in Lines(form).format(record)
    client = client_of(workspace)
    logger, stream = logging.getLogger("gradus"), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines(form))
    logger.addHandler(handler)
    try:
        logger.setLevel(logging.INFO)
        client.get("/public%0aforged%1b[31m")
    finally:
        logger.removeHandler(handler)
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_lines_go_to_what_standard_error_is_then(workspace, monkeypatch):
    loggers = [logging.getLogger(name) for name in ("gradus", "uvicorn")]
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    then, now = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", then)
    log_to_stderr("text")
    then.close()
    monkeypatch.setattr(sys, "stderr", now)
    try:
        client_of(workspace).get("/public")
    finally:
        for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
            logger.handlers[:], logger.propagate = handlers, propagate
            logger.setLevel(level)
    (line,) = now.getvalue().splitlines()
    assert "GET /public 200" in line
