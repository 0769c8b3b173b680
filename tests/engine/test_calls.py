"""Tool calls stay data from a part to an export, and become words in one way."""

import json

import pyarrow.parquet as pq
import pytest

from gradus.engine.calls import asked, described, request, with_calls, written
from gradus.engine.clean.benchmark import heldout_items
from gradus.engine.clean.texts import Text, said
from gradus.engine.export.export import export
from gradus.engine.parts import write_part
from gradus.engine.records import Trace
from gradus.engine.store import open_store, stored_trace
from gradus.engine.tool_problems import check_call, definitions
from gradus.verifiers.base import verify

CALL = {"name": "weather", "arguments": {"city": "Köln", "days": [1, 2]}, "id": "c1"}
MESSAGES = (
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": "I look.", "reasoning": "which city?", "tool_calls": [CALL]},
    {"role": "tool", "content": "sunny", "name": "weather", "tool_call_id": "c1"},
    {"role": "assistant", "content": "Sun."},
)
TRACE = Trace(
    kind="imported",
    domain="tool",
    messages=MESSAGES,
    learn=(False, True, False, True),
    problem_id="",
    attempt_id="",
    teacher="t",
)


def test_a_call_in_words_is_read_as_that_call():
    spec = {"expected": [{"name": "weather", "arguments": CALL["arguments"]}]}
    assert verify("tool_call", written(CALL), spec).outcome == "pass"


def test_calls_stand_after_what_is_said_and_the_thought_stays_apart():
    spoken = with_calls(MESSAGES[1])
    assert spoken == {"role": "assistant", "content": "I look.\n" + written(CALL), "reasoning": "which city?"}
    assert with_calls(MESSAGES[0]) is MESSAGES[0]


def test_a_request_shows_every_tool_on_a_line_of_its_own():
    tools = [{"name": "a"}, {"name": "b"}]
    lines = described(tools).splitlines()
    assert all(json.dumps(tool) in lines for tool in tools)
    assert request(tools, "Do it.").endswith("\n\nDo it.")
    assert asked(request(tools, "Do it.")) == "Do it."
    assert asked("Do it.") == "Do it."


def test_a_benchmark_of_tool_use_is_what_is_asked_not_the_tools_that_are_told():
    """Else every request for the same tools would give it away."""
    prompt = request([{"name": "weather", "parameters": {}}], "Will it rain in Cork tomorrow?")
    (item,) = heldout_items([Text("id", prompt, fixed=True)])
    assert item.text == "Will it rain in Cork tomorrow?"


def test_a_trace_comes_out_of_the_store_as_it_went_in(workspace):
    write_part(workspace.parts, "test", [TRACE])
    with open_store(workspace) as store:
        (row,) = store.rows("FROM traces")
    assert stored_trace(row) == TRACE


@pytest.mark.parametrize("form", ["jsonl", "parquet", "datasets"])
def test_an_export_has_calls_in_openais_form(workspace, tmp_path, form):
    write_part(workspace.parts, "test", [TRACE])
    with open_store(workspace):
        pass
    export(workspace, tmp_path / "out", what="traces", form=form)
    (path,) = (path for path in (tmp_path / "out").rglob("train-*") if path.is_file())
    rows = [json.loads(path.read_text())] if form == "jsonl" else pq.read_table(path).to_pylist()
    _, calling, result, _ = rows[0]["messages"]
    function = {"name": "weather", "arguments": '{"city":"Köln","days":[1,2]}'}
    assert calling["tool_calls"] == [{"id": "c1", "type": "function", "function": function}]
    assert (calling["reasoning"], result["name"], result["tool_call_id"]) == ("which city?", "weather", "c1")


def test_cleaning_reads_calls_too():
    assert "Köln" in said(MESSAGES)
    assert "which city?" in said(MESSAGES)


@pytest.mark.parametrize(
    ("parameters", "arguments", "fits"),
    [
        ({"n": {"type": "int"}}, {"n": 3}, True),
        ({"n": {"type": "int"}}, {"n": "3"}, False),
        ({"n": {"type": "int"}}, {}, False),
        ({"n": {"type": "int, optional"}}, {}, True),
        ({"n": {"type": "str", "default": ""}}, {}, True),
        ({"n": {"type": "List[Union[int, float]]"}}, {"n": [1]}, True),
        ({"n": {"type": "Callable"}}, {"n": "anything"}, True),
        ({"type": "dict", "properties": {"n": {"type": "float"}}, "required": ["n"]}, {"n": 1}, True),
        (
            {"type": "dict", "properties": {"n": {"type": "array", "items": {"type": "dict", "properties": {}}}}},
            {"n": [{}, {"x": 1}]},
            True,
        ),
        ({"type": "object", "properties": {"n": {"type": "array", "items": {"type": "integer"}}}}, {"n": ["a"]}, False),
        ({}, {}, True),
        ({}, {"n": 1}, False),
    ],
)
def test_others_definitions_become_schemas_that_calls_are_checked_against(parameters, arguments, fits):
    tools = definitions({"type": "function", "function": {"name": "f", "parameters": parameters}})
    if fits:
        check_call(tools, "f", arguments)
    else:
        with pytest.raises(ValueError, match=r"f does not fit its schema|f has no argument"):
            check_call(tools, "f", arguments)
