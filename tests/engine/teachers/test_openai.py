"""The teacher behind an endpoint, against a real server that misbehaves."""

import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from loopback import ask, chat, echo, error

from gradus.api import steps
from gradus.curricula.recipe import load_recipe
from gradus.engine.store import open_snapshot
from gradus.engine.teachers.base import Completion, Refusal, TeacherConfig, open_teacher, teachers
from gradus.errors import ConfigError, DataError, MachineError


def collected(teacher, requests):
    """Return what every request came to, by index."""
    found = {}
    waiting = list(enumerate(requests))
    while len(found) < len(requests):
        while waiting and teacher.room:
            teacher.submit(*waiting.pop(0))
        found |= dict(teacher.collect(1.0))
    return found


def until(done, timeout_s=60.0):
    end = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < end
        time.sleep(0.005)


def texts(teacher, requests):
    return [completion.text for _, completion in sorted(teacher.answer(requests), key=lambda pair: pair[0])]


def test_every_request_gets_the_answer_to_itself(serve, teacher):
    server = serve(echo)
    requests = [ask(f"q{i % 7}", seed=i) for i in range(200)]
    assert texts(teacher(server), requests) == [f"q{i % 7} {i}" for i in range(200)]
    assert len(server.seen) == 200


def test_connections_are_kept(serve, teacher):
    server = serve(echo)
    texts(teacher(server, max_in_flight=4), [ask(seed=i) for i in range(100)])
    assert server.connections <= 4


def test_a_request_says_all_that_its_answer_depends_on(serve, teacher, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "s3cret")
    server = serve(echo)
    request = ask("a?", seed=7, temperature=0.5, top_p=0.9, max_tokens=11, stop=("x",))
    texts(teacher(server, extra_body={"reasoning_effort": "low"}), [request])
    path, headers, body = server.seen[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer s3cret"
    assert body == {
        "model": "big",
        "messages": [{"role": "user", "content": "a?"}],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 11,
        "stop": ["x"],
        "seed": 7,
        "logprobs": True,
        "return_token_ids": True,
        "reasoning_effort": "low",
    }


def test_what_a_server_need_not_know_can_be_left_out(serve, teacher):
    server = serve(echo)
    strict = teacher(server, token_ids=False, max_tokens_field="max_completion_tokens")
    texts(strict, [ask(logprobs=False, max_tokens=9)])
    body = server.seen[0][2]
    assert set(body) == {"model", "messages", "temperature", "top_p", "seed", "max_completion_tokens"}


def test_token_ids_and_log_probabilities_are_kept(serve, teacher):
    choice = {"token_ids": [1, 2, 3], "logprobs": {"content": [{"logprob": -0.5}, {"logprob": 0}, {"logprob": -2.0}]}}
    server = serve(
        lambda *_: chat({"content": "a"}, prompt_token_ids=[7, 8], choice=choice | {"finish_reason": "length"})
    )
    ((_, answer),) = teacher(server).answer([ask()])
    assert answer.token_ids == (1, 2, 3)
    assert answer.token_logprobs == (-0.5, 0.0, -2.0)
    assert answer.prompt_token_ids == (7, 8)
    assert (answer.tokens_in, answer.tokens_out) == (2, 3)
    assert answer.finish_reason == "length"


def test_tokens_are_as_the_server_counts_them_where_it_gives_no_ids(serve, teacher):
    ((_, answer),) = teacher(serve(echo)).answer([ask()])
    assert (answer.token_ids, answer.tokens_in, answer.tokens_out) == ((), 5, 3)


@pytest.mark.parametrize(
    ("message", "reasoning", "text"),
    [
        ({"content": "4", "reasoning": "2 and 2"}, "2 and 2", "4"),
        ({"content": "4", "reasoning_content": "2 and 2"}, "2 and 2", "4"),
        ({"content": "4", "reasoning": None, "reasoning_content": "2 and 2"}, "2 and 2", "4"),
        ({"content": "<think>2 and 2</think>\n\n4"}, "2 and 2", "4"),
        ({"content": "2 and 2\n</think>4"}, "2 and 2", "4"),
        ({"content": "<think>2 and"}, "2 and", ""),
        ({"content": "4"}, "", "4"),
        ({"content": None, "reasoning": "2 and 2"}, "2 and 2", ""),
        ({"content": "a </think> b", "reasoning": "c"}, "c", "a </think> b"),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "2 and"}]},
                    {"type": "text", "text": "4"},
                ]
            },
            "2 and",
            "4",
        ),
    ],
)
def test_reasoning_is_kept_under_whichever_name(serve, teacher, message, reasoning, text):
    ((_, answer),) = teacher(serve(lambda *_: chat(message))).answer([ask()])
    assert (answer.reasoning, answer.text) == (reasoning, text)


def test_calls_that_the_server_reads_out_of_the_text_are_put_back(serve, teacher):
    """Else a right call would be judged as an empty answer."""
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bonn"}'}},
        {"id": "c2", "type": "function", "function": {"name": "weather", "arguments": '{"city": '}},
    ]
    message = {"role": "assistant", "content": None, "reasoning": "why", "tool_calls": calls}
    ((_, answer),) = teacher(serve(lambda *_: chat(message))).answer([ask()])
    first, second = answer.text.split("\n</tool_call>\n")
    assert first == '<tool_call>\n{"name": "weather", "arguments": {"city": "Bonn"}}'
    assert '"arguments": "{\\"city\\": "' in second
    assert answer.reasoning == "why"


def test_think_tags_stay_where_that_is_asked_for(serve, teacher):
    server = serve(lambda *_: chat({"content": "<think>2</think>4"}))
    ((_, answer),) = teacher(server, split_think=False).answer([ask()])
    assert (answer.reasoning, answer.text) == ("", "<think>2</think>4")


def first_then_echo(*replies):
    return lambda number, body: replies[number] if number < len(replies) else echo(number, body)


@pytest.mark.parametrize(
    "replies",
    [
        (error(500, "oops"), error(502, "bad gateway")),
        (error(503, "loading"),),
        (None, None),
        ((200, {}, b"{"),),
        ((200, {}, b"[]"),),
        ((200, {}, b'{"choices": []}'),),
        ((200, {}, b'{"error": {"message": "upstream", "code": 502}}'),),
        ((500, {}, b"<html>"),),
        ((200, {"Content-Length": "99"}, b"{"),),
        (error(429, "slow down"),),
    ],
    ids=lambda replies: "-".join(str(reply and reply[0]) for reply in replies),
)
def test_what_passes_is_tried_again(serve, teacher, replies):
    breaks_off = replies[0] and "Content-Length" in replies[0][1]  # and is waited for
    server = serve(first_then_echo(*replies))
    opened = teacher(server, timeout_s=2.0 if breaks_off else 60.0, retry_for_s=60.0)
    assert texts(opened, [ask("a", seed=1)]) == ["a 1"]
    assert len(server.seen) == len(replies) + 1


@pytest.mark.parametrize("as_date", [False, True])
def test_a_server_that_asks_for_time_gets_it(serve, teacher, as_date):
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True) if as_date else "1"
    start = time.monotonic()
    server = serve(first_then_echo(error(429, "slow down", **{"Retry-After": when})))
    opened = teacher(server)
    opened.submit(0, ask("a", seed=1))
    until(lambda: opened.room == 0)  # nothing else is sent meanwhile
    found = []
    while not found:
        found = opened.collect(0.2)
    assert found[0][1].text == "a 1"
    assert time.monotonic() - start > 0.9


def test_a_slow_server_is_given_up_and_the_request_may_be_asked_again(serve, teacher):
    over = threading.Event()
    server = serve(lambda *_: over.wait(60) and None)
    start = time.monotonic()
    found = collected(teacher(server, timeout_s=0.2, retry_for_s=0.5), [ask()])
    assert found[0].reason.startswith("no answer in 0.2 s")
    assert not found[0].final
    assert time.monotonic() - start < 30
    over.set()


@pytest.mark.parametrize(
    "reply",
    [
        error(400, "This model's maximum context length is 4096 tokens. However, you requested 9000."),
        error(400, "bad request", code="context_length_exceeded"),
        error(413, "Request too large"),
        error(400, "The response was filtered", code="content_filter"),
    ],
)
def test_a_request_of_its_own_fault_is_refused_for_good_and_the_others_go_on(serve, teacher, reply):
    server = serve(lambda number, body: reply if body["seed"] == 3 else echo(number, body))
    found = collected(teacher(server), [ask(seed=i) for i in range(6)])
    assert found[3].final
    assert f"HTTP {reply[0]}" in found[3].reason
    assert [isinstance(found[i], Completion) for i in range(6)] == [True, True, True, False, True, True]
    assert len(server.seen) == 6


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (error(401, "Incorrect API key provided: s3cret"), r"HTTP 401: .*\*\*\*.*\$OPENAI_API_KEY is not accepted"),
        (error(404, "The model `big` does not exist."), "HTTP 404: The model `big` does not exist"),
        (error(400, "unknown field return_token_ids"), r"HTTP 400: .*return_token_ids.*asked: '2 \+ 2\?' \(seed 0\)"),
        (error(429, "You exceeded your quota", code="insufficient_quota"), "HTTP 429: You exceeded your quota"),
        ((302, {"Location": "/elsewhere"}, b""), "HTTP 302"),
    ],
)
def test_what_would_fail_for_every_request_ends_the_run_at_once(serve, teacher, monkeypatch, reply, message):
    monkeypatch.setenv("OPENAI_API_KEY", "s3cret")
    server = serve(lambda *_: reply)
    with pytest.raises(DataError, match=message) as raised:
        list(teacher(server).answer([ask()]))
    assert "s3cret" not in str(raised.value)
    assert len(server.seen) == 1


def test_answers_that_came_before_an_error_are_handed_over_first(serve, teacher):
    late = threading.Event()

    def say(number, body):
        if body["seed"] == 1:
            late.wait(60)
            return error(401, "revoked")
        return echo(number, body)

    opened = teacher(serve(say))
    opened.submit(1, ask(seed=1))
    opened.submit(0, ask(seed=0))
    outcomes = opened._endpoint._outbox
    until(lambda: outcomes.qsize() == 1)
    late.set()
    until(lambda: outcomes.qsize() == 2)
    assert [name for name, _ in opened.collect(1.0)] == [0]
    with pytest.raises(DataError, match="revoked"):
        opened.collect(1.0)


def test_a_server_that_is_gone_ends_the_run(teacher, serve):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    options = {"base_url": gone, "retry_for_s": 0.2}
    opened = open_teacher(TeacherConfig(kind="openai", model="big", options=options))
    with pytest.raises(
        MachineError, match="16 requests in a row failed, the last by no connection: Connect call failed"
    ):
        collected(opened, [ask(seed=i) for i in range(32)])
    opened.close()


def test_one_request_that_always_fails_does_not_end_the_run(serve, teacher):
    server = serve(lambda number, body: error(500, "boom") if body["seed"] == 3 else echo(number, body))
    found = collected(teacher(server, retry_for_s=0.5), [ask(seed=i) for i in range(40)])
    assert isinstance(found.pop(3), Refusal)
    assert all(isinstance(answer, Completion) for answer in found.values())


def test_a_busy_server_is_sent_less_at_once(serve, teacher):
    lock, now = threading.Lock(), [0]

    def say(number, body):
        with lock:
            now[0] += 1
            busy = now[0] > 8
        time.sleep(0.02)
        with lock:
            now[0] -= 1
        return error(429, "too many") if busy else echo(number, body)

    server = serve(say)
    found = collected(teacher(server, retry_for_s=30.0), [ask(seed=i) for i in range(600)])
    assert all(isinstance(answer, Completion) for answer in found.values())
    assert len(server.seen) < 2 * 600  # with 64 in flight all the while, most would be turned away


def test_what_is_cancelled_never_comes_back(serve, teacher):
    opened = teacher(serve(lambda number, body: (time.sleep(0.2), echo(number, body))[1]))
    for i in range(8):
        opened.submit(i, ask("old", seed=i))
    opened.cancel()
    opened.submit(0, ask("new", seed=0))
    found = []
    while not found:
        found = opened.collect(1.0)
    assert [(name, answer.text) for name, answer in found] == [(0, "new 0")]
    time.sleep(0.3)
    assert opened.collect(0.1) == []


def identify(**options):
    config = TeacherConfig(kind="openai", model="big", options={"base_url": "http://a:1/v1", **options})
    return teachers["openai"].identify(config)


def test_an_endpoint_names_its_model_and_itself():
    assert identify() == "big@a:1"
    assert identify(model_id="big-2507") == "big-2507"
    assert identify(extra_body={"reasoning_effort": "low"}) != identify(extra_body={"reasoning_effort": "high"})
    assert identify(timeout_s=1.0) == identify()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs base_url"),
        ({"base_url": "localhost:8000"}, "must be an http"),
        ({"base_url": "http://me:pw@host/v1"}, "no password"),
        ({"base_url": "http://a", "extra_body": {"n": 2}}, "may not hold n"),
        ({"base_url": "http://a", "api_key": "s3cret"}, "no 'api_key'"),
        ({"base_url": "http://a", "api_key_env": "NO_SUCH_KEY"}, r"\$NO_SUCH_KEY is not set"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        open_teacher(TeacherConfig(kind="openai", model="big", options=options))


def test_an_endpoint_takes_no_weights(serve, teacher):
    with pytest.raises(ConfigError, match="cannot take the weights"):
        teacher(serve(echo)).load_weights("folder")


def test_bodies_are_json_whatever_they_hold(serve, teacher):
    server = serve(echo)
    text = 'quote " backslash \\ newline \n ünïcode 🙂'
    assert texts(teacher(server), [ask(text)]) == [f"{text} 0"]
    assert json.loads(json.dumps(server.seen[0][2]))["messages"][0]["content"] == text


def test_a_whole_run_against_a_server_that_fails_now_and_then(world, serve):
    def say(number, body):
        match number % 23:
            case 2:
                return error(503, "loading", **{"Retry-After": "0.05"})
            case 4:
                return None
            case 5:
                return error(429, "slow down")
        return chat({"content": "The answer is 1.", "reasoning": "because"})

    server = serve(say)
    options = ["teacher.kind=openai", "teacher.model=big", f"teacher.options.base_url={server.url}"]
    recipe = load_recipe(str(world.recipe_path), ["teacher.options={}", *options])
    counts = steps.sample(world.workspace, recipe)
    assert {"attempts": 140, "made": 140, "left": 0, "failed": 0}.items() <= counts.items()
    assert counts["model"] == f"big@127.0.0.1:{server.server_port}"
    query = 'SELECT count(DISTINCT (problem_id, "index")) AS n, sum(tokens_in) AS t, sum(tokens_out) AS o FROM attempts'
    with open_snapshot(world.workspace) as store:
        assert store.rows(query) == [{"n": 140, "t": 5 * 140, "o": 3 * 140}]
        assert json.loads(store.rows("SELECT messages FROM attempts LIMIT 1")[0]["messages"])[-1] == {
            "role": "assistant",
            "content": "The answer is 1.",
            "reasoning": "because",
        }
    asked = len(server.seen)
    assert steps.sample(world.workspace, recipe)["made"] == 0
    assert len(server.seen) == asked
