"""Verifier "tool_call": the right calls in every form, wrong ones, and what is no call at all."""

import json

import pytest

from gradus.verifiers.base import SpecError, check_spec, verify

WEATHER = {"name": "weather", "arguments": {"city": "Oslo", "days": 5}}
TIME = {"name": "time", "arguments": {"zone": "CET"}}


def judge(answer, expected, **spec):
    check_spec("tool_call", {"expected": expected, **spec})
    return verify("tool_call", answer, {"expected": expected, **spec})


def tagged(*calls):
    return "\n".join(f"<tool_call>\n{json.dumps(call)}\n</tool_call>" for call in calls)


OPENAI = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"days": 5, "city": "Oslo"}'}}
FORMS = [
    tagged(WEATHER),
    "<think>Call <tool_call>{}</tool_call>?</think>Let me look.\n" + tagged(WEATHER),
    "<tool_call>" + json.dumps(WEATHER),
    json.dumps({"role": "assistant", "content": None, "tool_calls": [OPENAI]}),
    json.dumps([OPENAI]),
    json.dumps(WEATHER),
    json.dumps([WEATHER]),
    f"I call:\n```json\n{json.dumps(WEATHER, indent=1)}\n```",
    '{"name": "weather", "parameters": {"city": "Oslo", "days": 5.0}}',
]


@pytest.mark.parametrize("answer", FORMS)
def test_the_right_call_passes_in_every_form(answer):
    verdict = judge(answer, [WEATHER])
    assert (verdict.outcome, verdict.score) == ("pass", 1.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"name": "wheather", "arguments": WEATHER["arguments"]}, "expected a call of weather, found wheather"),
        ({"name": "weather", "arguments": {"city": "Oslo"}}, "weather lacks argument days"),
        ({"name": "weather", "arguments": {"city": "Rome", "days": 5}}, 'city is "Rome", expected "Oslo"'),
        ({"name": "weather", "arguments": {"city": "Oslo", "days": "5"}}, 'days is "5", expected 5'),
        ({"name": "weather", "arguments": {"city": "Oslo", "days": True}}, "days is true, expected 5"),
        ({"name": "weather", "arguments": {"city": "Oslo", "days": 5, "x": 1}}, "takes no argument x"),
        ({"name": "weather"}, "lacks argument city"),
    ],
)
def test_a_wrong_call_fails_and_says_why(call, words):
    verdict = judge(tagged(call), [WEATHER])
    assert (verdict.outcome, verdict.score) == ("fail", 0.0)
    assert words in verdict.reason


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "It will rain.",
        '<tool_call>{"name": "weather", "arguments": {}} trailing</tool_call>',
        '<tool_call>{"name": "weather", "name": "time", "arguments": {}}</tool_call>',
        '<tool_call>{"name": "weather", "arguments": {"days": NaN}}</tool_call>',
        '{"name": "weather", "arguments": "not an object"}',
        '{"name": "weather", "arguments": [5]}',
        '{"name": "weather", "arguments": {}, "parameters": {}}',
        '{"name": "weather", "args": {}}',
        '{"arguments": {}}',
        '{"tool_calls": {}}',
        json.dumps(WEATHER) + " and more",
        json.dumps([WEATHER] * 65),
        "<tool_call>" + "[" * 5000 + "</tool_call>",
        f"<think>{tagged(WEATHER)}</think>It is fine.",
    ],
)
def test_what_is_no_readable_call_is_unparseable(answer):
    assert judge(answer, [WEATHER]).outcome == "unparseable"


def test_parallel_calls_come_in_any_order_unless_it_matters():
    answer = tagged(TIME, WEATHER)
    assert judge(answer, [WEATHER, TIME]).outcome == "pass"
    verdict = judge(answer, [WEATHER, TIME], ordered=True)
    assert (verdict.outcome, verdict.reason) == ("fail", "call 1: called time, expected weather")


def test_calls_too_many_too_few_and_repeated_cost_their_share():
    assert judge(tagged(WEATHER), [WEATHER, TIME]).score == 0.5
    assert judge(tagged(WEATHER, TIME), [WEATHER]).score == 0.5
    twice = judge(tagged(WEATHER, WEATHER), [WEATHER, TIME])
    assert (twice.outcome, twice.score) == ("fail", 0.5)
    assert judge(tagged(WEATHER, WEATHER), [WEATHER]).reason == "made a call too many: weather"


def test_calls_are_paired_as_well_as_they_can_be():
    """The first expected call takes either of those made, the second only the first."""
    loose = {"name": "f", "arguments": {"x": 0}, "match": {"x": "any"}}
    strict = {"name": "f", "arguments": {"x": 1}}
    made = [{"name": "f", "arguments": {"x": 1}}, {"name": "f", "arguments": {"x": 2}}]
    assert judge(tagged(*made), [loose, strict]).outcome == "pass"


@pytest.mark.parametrize(
    ("mode", "want", "got", "outcome"),
    [
        ("any", 1, "whatever", "pass"),
        ("text", "New  York", "new york", "pass"),
        ("text", "New York", "York", "fail"),
        ("unordered", [1, {"a": 2}], [{"a": 2.0}, 1], "pass"),
        ("unordered", [1, 1, 2], [1, 2, 2], "fail"),
        ("one_of", ["NYC", "New York"], "NYC", "pass"),
        ("one_of", ["NYC", "New York"], "Oslo", "fail"),
        ("exact", [1, 2], [2, 1], "fail"),
        ("exact", {"a": 1, "b": [2]}, {"b": [2.0], "a": 1}, "pass"),
    ],
)
def test_an_argument_is_compared_as_asked(mode, want, got, outcome):
    expected = [{"name": "f", "arguments": {"x": want}, "match": {"x": mode}}]
    assert judge(tagged({"name": "f", "arguments": {"x": got}}), expected).outcome == outcome


def test_an_optional_argument_may_be_left_out_but_not_wrong():
    expected = [{"name": "weather", "arguments": {"city": "Oslo", "days": 5}, "optional": ["days"]}]
    assert judge(tagged({"name": "weather", "arguments": {"city": "Oslo"}}), expected).outcome == "pass"
    assert judge(tagged({"name": "weather", "arguments": {"city": "Oslo", "days": 4}}), expected).outcome == "fail"


def test_no_call_may_be_the_right_answer():
    assert judge("It will rain.", []).outcome == "pass"
    assert judge(tagged(WEATHER), []).outcome == "fail"


@pytest.mark.parametrize(
    "expected",
    [
        5,
        ["f"],
        [{"arguments": {}}],
        [{"name": "f", "arguments": 5}],
        [{"name": "f", "typo": 1}],
        [{"name": "f", "optional": ["x"]}],
        [{"name": "f", "optional": 5}],
        [{"name": "f", "arguments": {"x": 1}, "match": {"x": "fuzzy"}}],
        [{"name": "f", "arguments": {"x": 1}, "match": {"x": "one_of"}}],
        [{"name": "f", "arguments": {"x": 1}, "match": {"x": ["exact"]}}],
    ],
)
def test_expected_calls_that_make_no_sense_are_refused(expected):
    with pytest.raises(SpecError, match="tool_call"):
        check_spec("tool_call", {"expected": expected})
