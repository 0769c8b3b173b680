"""The leaderboard's questions with their possible answers become calls that are compared. The rows are ours."""

import json

import pytest

from gradus.engine.calls import written
from gradus.engine.sources.base import read_problems
from gradus.errors import DataError
from gradus.verifiers.base import verify

FUNCTION = {
    "name": "area",
    "description": "Area of a triangle.",
    "parameters": {
        "type": "dict",
        "properties": {
            "base": {"type": "integer", "description": "Its base."},
            "height": {"type": "float"},
            "unit": {"type": "string"},
            "style": {"type": "dict", "properties": {"bold": {"type": "boolean"}}},
        },
        "required": ["base", "height"],
    },
}
ROW = {
    "id": "simple_0",
    "question": [[{"role": "user", "content": "Area of a triangle of base 10 and height 5.5, in bold?"}]],
    "function": [FUNCTION],
    "ground_truth": [
        {"area": {"base": [10], "height": [5.5], "unit": ["units", "cm", ""], "style": [{"bold": [True, 1]}, ""]}}
    ],
}


@pytest.fixture
def read(tmp_path):
    def make(row):
        path = tmp_path / "in.jsonl"
        path.write_text(json.dumps(row) + "\n")
        (problem,) = read_problems(path, "bfcl")
        return problem

    return make


def judged(problem, *calls):
    answer = "\n".join(written({"name": name, "arguments": arguments}) for name, arguments in calls)
    return verify("tool_call", answer or "I cannot help.", problem.spec).outcome


RIGHT = {"base": 10, "height": 5.5}


@pytest.mark.parametrize(
    ("arguments", "outcome"),
    [
        (RIGHT, "pass"),
        (RIGHT | {"unit": "cm"}, "pass"),
        (RIGHT | {"unit": "units", "style": {"bold": True}}, "pass"),
        (RIGHT | {"style": {"bold": False}}, "fail"),
        (RIGHT | {"unit": "inches"}, "fail"),
        (RIGHT | {"base": 9}, "fail"),
        ({"base": 10}, "fail"),
        (RIGHT | {"colour": "red"}, "fail"),
    ],
)
def test_every_possible_answer_passes_and_no_other(read, arguments, outcome):
    assert judged(read(ROW), ("area", arguments)) == outcome


def test_the_prompt_shows_json_schema_and_the_request(read):
    problem = read(ROW)
    shown = json.loads(next(line for line in problem.prompt.splitlines() if line.startswith('{"name": "area"')))
    assert shown["parameters"]["type"] == "object"
    assert shown["parameters"]["properties"]["height"] == {"type": "number"}
    assert problem.prompt.endswith("height 5.5, in bold?")
    assert problem.tags == ("category:simple",)


def test_parallel_calls_are_all_wanted(read):
    other = {"area": {"base": [2], "height": [3]}}
    problem = read(ROW | {"id": "parallel_0", "ground_truth": [*ROW["ground_truth"], other]})
    second = ("area", {"base": 2, "height": 3})
    assert judged(problem, second, ("area", RIGHT)) == "pass"
    assert judged(problem, second) == "fail"


def test_an_irrelevant_question_wants_no_call(read):
    row = {key: value for key, value in ROW.items() if key != "ground_truth"}
    problem = read(row | {"id": "irrelevance_3", "question": [{"role": "user", "content": "Who are you?"}]})
    assert judged(problem) == "pass"
    assert judged(problem, ("area", RIGHT)) == "fail"


BAD = [
    (ROW | {"question": ROW["question"] * 2}, "2 turns; only single-turn"),
    ({k: v for k, v in ROW.items() if k != "ground_truth"}, "no field 'ground_truth'"),
    (ROW | {"ground_truth": [{"volume": {}}]}, "no tool 'volume' is offered"),
    (ROW | {"ground_truth": [{"area": {"base": [10]}}]}, "'height' is a required property"),
    (ROW | {"ground_truth": [{"area": {"base": ["ten"], "height": [5]}}]}, "does not fit its schema"),
    (ROW | {"ground_truth": [{"area": {"base": [10], "height": [5], "depth": [1]}}]}, "has no argument 'depth'"),
    (ROW | {"function": [{"parameters": {}}]}, "a tool has no name"),
    (ROW | {"function": "area"}, "tools must be a list"),
    (ROW | {"question": [[{"role": "user", "content": " "}]]}, "nothing is asked"),
    (
        ROW
        | {
            "ground_truth": [
                {"area": RIGHT | {"base": [10], "height": [5], "style": [{n: [1, 2] for n in "abcdefghi"}]}}
            ]
        },
        "may be said in 512 ways",
    ),
]


@pytest.mark.parametrize(("row", "said"), BAD)
def test_an_answer_that_could_not_be_right_is_refused(read, row, said):
    with pytest.raises(DataError, match="line 1") as error:
        read(row)
    assert said in str(error.value)
