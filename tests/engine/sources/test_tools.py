"""Requests for tools can be answered from what they say, and only the right calls pass."""

import copy
import json
import random

import pytest

from gradus.engine.calls import written
from gradus.engine.sources.base import generate_problems
from gradus.engine.sources.tools import KINDS, ask
from gradus.engine.sources.tools_catalog import FACTS, TOOLS
from gradus.engine.tool_problems import check_call
from gradus.errors import ConfigError
from gradus.verifiers.base import check_spec, verify

PROBLEMS = generate_problems("tools", 400, seed=1)
OF_KIND = {kind: [p for p in PROBLEMS if f"kind:{kind}" in p.tags] for kind in KINDS}
CALLING = [p for p in PROBLEMS if p.verifier == "tool_call"]
SILENT = [p for p in PROBLEMS if p.verifier == "all_of"]


def told(problem):
    """Return the definitions that a prompt shows, read back from it."""
    lines = [
        json.loads(line)
        for line in problem.prompt.splitlines()
        if line.startswith(('{"name": "', '{"type"')) and "…" not in line
    ]
    return [tool.get("function", tool) for tool in lines]


def right(problem):
    """Return the calls as a model writes them, what may be left out left out."""
    return [
        {"name": c["name"], "arguments": {k: v for k, v in c["arguments"].items() if k not in c.get("optional", ())}}
        for c in problem.spec["expected"]
    ]


def said(calls):
    return "\n".join(map(written, calls))


def judged(problem, answer):
    return verify(problem.verifier, answer, problem.spec).outcome


def test_every_kind_is_drawn_and_every_tool_is_wanted():
    assert [len(OF_KIND[kind]) for kind in ("single", "choice", "parallel")] == [100] * 3
    assert min(len(OF_KIND["none"]), len(OF_KIND["missing"])) > 25
    assert {c["name"] for p in CALLING for c in p.spec["expected"]} == {tool.name for tool in TOOLS}
    assert {len(told(p)) for p in OF_KIND["single"]} == {1}
    assert {len(told(p)) for p in OF_KIND["choice"]} == {2, 3, 4}
    assert {len(p.spec["expected"]) for p in OF_KIND["parallel"]} == {2, 3}


def test_the_right_calls_pass_and_fit_the_schemas_that_are_told():
    for problem in CALLING:
        check_spec("tool_call", problem.spec)
        for calls in (problem.spec["expected"], right(problem), right(problem)[::-1]):
            assert judged(problem, said(calls)) == "pass"
    for problem in CALLING[::4]:
        for call in problem.spec["expected"]:
            check_call(told(problem), call["name"], call["arguments"])


def test_every_other_call_fails():
    for problem in CALLING:
        calls = right(problem)
        assert judged(problem, said([*calls, calls[0]])) == "fail"
        assert judged(problem, "I cannot do that.") == "unparseable"
        if len(calls) > 1:
            assert judged(problem, said(calls[1:])) == "fail"
        for name, value in calls[0]["arguments"].items():
            wrong = copy.deepcopy(calls)
            wrong[0]["arguments"][name] = [] if isinstance(value, list) else f"{value}x"
            assert judged(problem, said(wrong)) == "fail"
            del wrong[0]["arguments"][name]
            assert judged(problem, said(wrong)) == "fail"


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_request_says_every_argument(tool):
    rng = random.Random(0)
    known = {**tool.needed, **tool.more}
    for _ in range(50):
        request, call = ask(rng, tool, more=True)
        for name, value in call["arguments"].items():
            key = tuple(value) if isinstance(value, list) else value
            if name not in call.get("optional", ()):
                assert known[name].values[key] in request
            else:
                assert value == known[name].default
        assert "{" not in request


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_request_without_an_argument_says_the_others_only(tool):
    for left_out, missing in tool.without.items():
        places = {name for name in tool.needed if f"{{{name}}}" in missing.ask}
        assert left_out not in places
        assert places == set(tool.needed) - {left_out}


def test_where_no_call_is_right_a_call_fails_and_the_answer_is_checked():
    for problem in SILENT:
        check_spec("all_of", problem.spec)
        assert judged(problem, said([{"name": told(problem)[0]["name"], "arguments": {}}])) == "fail"
        assert judged(problem, "Done.") == "fail"
    for problem in OF_KIND["none"]:
        fact = FACTS[problem.prompt.splitlines()[-1]]
        assert judged(problem, f"That is {fact}.") == "pass"
        assert judged(problem, f"{fact}: " + said([{"name": told(problem)[0]["name"], "arguments": {}}])) == "fail"
    for problem in OF_KIND["missing"]:
        word = problem.spec["parts"][2]
        word = (word["spec"].get("parts") or [word])[0]["spec"]["instructions"][0]["kwargs"]["keywords"][0]
        assert judged(problem, f"Please tell me: {word}?") == "pass"
        assert judged(problem, f"I assume the {word}.") == "fail"


def test_no_fact_is_in_its_own_question():
    assert all(answer.lower() not in question.lower() for question, answer in FACTS.items())


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_can_be_asked_for(kind):
    problems = generate_problems("tools", 10, seed=0, options={"kinds": [kind], "tools": 6})
    assert {tag for p in problems for tag in p.tags if tag.startswith("kind:")} == {f"kind:{kind}"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": ["wild"]}, "kinds must be a list of"),
        ({"kinds": "none"}, "kinds must"),
        ({"tools": 1}, "tools must be 2 to 6"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        generate_problems("tools", 4, seed=0, options=options)
