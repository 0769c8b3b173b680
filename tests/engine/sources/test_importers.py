"""Each layout is read as its authors publish it, and a bad line is named before anything is stored."""

import json

import pytest

from gradus.api import steps
from gradus.engine.parts import list_parts
from gradus.engine.sources.base import importers, read_problems
from gradus.errors import ConfigError, DataError
from gradus.verifiers.base import verify

GSM8K = {
    "question": "Natalia sold clips to 48 of her friends in April, and then she sold half as many in May. How many?",
    "answer": "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\nAltogether <<48+24=72>>72 clips.\n#### 72",
}
MAWPS = {"input": "Mary had 5.5 litres and drank 2. How many are left?", "output": "3.5", "target": 3.5}
SVAMP = {
    "ID": "chal-1",
    "Body": "Each pack of dvds costs 76 dollars. If there is a discount of 25 dollars on each pack",
    "Question": "How much do you have to pay to buy each pack?",
    "Equation": "( 76.0 - 25.0 )",
    "Answer": 51.0,
    "Type": "Subtraction",
}
MBPP = {
    "text": "Write a function to find the similar elements from the given two tuple lists. ",
    "code": "def similar_elements(a, b):\r\n  return tuple(set(a) & set(b))",
    "task_id": 2,
    "test_setup_code": "",
    "test_list": [
        "assert similar_elements((3, 4, 5, 6),(5, 7, 4, 10)) == (4, 5)",
        " assert similar_elements((1, 2, 3, 4),(5, 4, 3, 7)) == (3, 4)",
    ],
    "challenge_test_list": [],
}
IFEVAL = {
    "key": 1000,
    "prompt": "Write a 300+ word summary without commas.",
    "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],
    "kwargs": [{"num_words": None}, {"relation": "at least", "num_words": 300}],
}
JSONL = {"prompt": "Which?", "domain": "stem", "verifier": "choice", "spec": {"expected": "B"}, "source": "me"}
ROWS = {"gsm8k": GSM8K, "mawps": MAWPS, "svamp": SVAMP, "mbpp": MBPP, "ifeval": IFEVAL, "jsonl": JSONL}
ELSEWHERE = {"arc", "bfcl", "gpqa", "mmlu"}
"""Tested in test_multiple_choice.py and test_bfcl.py."""


@pytest.fixture
def write(tmp_path):
    def make(*rows):
        path = tmp_path / "in.jsonl"
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return path

    return make


def test_every_layout_has_an_example_here():
    assert sorted({*ROWS, *ELSEWHERE}) == importers.names()


@pytest.mark.parametrize(
    ("form", "prompt", "domain", "spec"),
    [
        ("gsm8k", GSM8K["question"], "math", {"expected": "72"}),
        ("mawps", MAWPS["input"], "math", {"expected": "3.5"}),
        ("svamp", f"{SVAMP['Body']}. {SVAMP['Question']}", "math", {"expected": "51"}),
        (
            "mbpp",
            f"{MBPP['text'].strip()} Your code should pass this test: {MBPP['test_list'][0]}",
            "code",
            {"tests": [test.strip() for test in MBPP["test_list"]]},
        ),
        (
            "ifeval",
            IFEVAL["prompt"],
            "instruction",
            {
                "instructions": [
                    {"id": "punctuation:no_comma", "kwargs": {}},
                    {"id": "length_constraints:number_words", "kwargs": {"relation": "at least", "num_words": 300}},
                ],
                "prompt": IFEVAL["prompt"],
            },
        ),
        ("jsonl", "Which?", "stem", {"expected": "B"}),
    ],
)
def test_a_line_of_the_real_layout_becomes_a_problem(write, form, prompt, domain, spec):
    (problem,) = read_problems(write(ROWS[form]), form, tags=("t",))
    assert (problem.prompt, problem.domain, dict(problem.spec), problem.tags) == (prompt, domain, spec, ("t",))


def test_gsm8k_takes_thousands_separators_out(write):
    row = GSM8K | {"answer": "It is\n#### 1,250,000"}
    assert next(read_problems(write(row), "gsm8k")).spec == {"expected": "1250000"}


@pytest.mark.parametrize(("end", "joint"), [(".", " "), ("?", " "), (",", " "), ("", ". ")])
def test_svamp_joins_body_and_question_as_sentences(write, end, joint):
    row = SVAMP | {"Body": f"Two hats{end} ", "Question": "How many?"}
    assert next(read_problems(write(row), "svamp")).prompt == f"Two hats{end}{joint}How many?"


def test_mbpps_setup_runs_before_every_test(write):
    row = MBPP | {"test_setup_code": "import math\r\n", "test_list": ["assert f(math.pi) > 3", "assert f(2) == 2"]}
    (problem,) = read_problems(write(row), "mbpp")
    assert problem.prompt.endswith("should pass this test: assert f(math.pi) > 3")
    assert problem.spec == {"tests": [f"import math\n{test}" for test in row["test_list"]]}
    assert verify("code", "```python\ndef f(x):\n    return x\n```", problem.spec).outcome == "pass"
    assert verify("code", "```python\ndef f(x):\n    return 0\n```", problem.spec).outcome == "fail"


def test_empty_lines_are_skipped_but_counted(write):
    with pytest.raises(DataError, match=r"line 4: not JSON"):
        list(read_problems(write(JSONL, "", "  ", "{"), "jsonl"))


def without(row, name):
    return {key: value for key, value in row.items() if key != name}


BAD = [
    ("jsonl", '{"prompt": ', "line 3: not JSON"),
    ("jsonl", "[1, 2]", "line 3: a JSON object is needed, not '[1, 2]'"),
    ("jsonl", JSONL | {"verifier": "nope"}, "line 3: no verifier 'nope'. Known: "),
    ("jsonl", JSONL | {"spec": {"expected": "BB"}}, "line 3: choice: expected must be one of"),
    ("jsonl", JSONL | {"spec": {"wanted": "B"}}, "line 3: verifier 'choice':"),
    ("jsonl", JSONL | {"spec": "B"}, "line 3: spec must be an object"),
    ("jsonl", JSONL | {"domain": "cooking"}, "line 3: no domain 'cooking'. Known: math, code"),
    ("jsonl", JSONL | {"prompt": " "}, "line 3: prompt must be text"),
    ("jsonl", JSONL | {"level": 3}, "line 3: unknown field 'level'"),
    ("jsonl", without(JSONL, "source"), "line 3: no field 'source'; it has prompt, domain"),
    ("gsm8k", without(GSM8K, "answer"), "line 3: no field 'answer'; it has question"),
    ("gsm8k", GSM8K | {"answer": "72"}, "line 3: answer does not end in '#### N'"),
    ("gsm8k", GSM8K | {"answer": "####"}, "line 3: math: expected must be"),
    ("mawps", MAWPS | {"target": "many"}, "line 3: could not convert"),
    ("mawps", MAWPS | {"target": None}, "line 3: float() argument must be"),
    ("svamp", without(SVAMP, "Body"), "line 3: no field 'Body'"),
    ("mbpp", MBPP | {"test_list": ["assert ("]}, "line 3: code: the test 'assert (' is not Python"),
    ("ifeval", IFEVAL | {"kwargs": []}, "line 3: 2 instructions, but 0 kwargs"),
    ("ifeval", IFEVAL | {"instruction_id_list": ["no:such", "punctuation:no_comma"]}, "line 3: "),
]


@pytest.mark.parametrize(("form", "bad", "said"), BAD)
def test_a_bad_third_line_is_named(write, form, bad, said):
    with pytest.raises(DataError) as error:
        list(read_problems(write(ROWS[form], ROWS[form], bad, ROWS[form]), form))
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1


CRASHING = [
    ("gsm8k", GSM8K | {"answer": 72}),
    ("gsm8k", GSM8K | {"question": None}),
    ("svamp", SVAMP | {"Body": 3}),
    ("mbpp", MBPP | {"test_list": []}),
    ("mbpp", MBPP | {"test_list": [1]}),
    ("mbpp", MBPP | {"test_setup_code": 1}),
    ("ifeval", IFEVAL | {"kwargs": [None, None]}),
    ("ifeval", IFEVAL | {"prompt": 3}),
    ("jsonl", '{"prompt": ' + "[" * 100_000),
]


@pytest.mark.parametrize(("form", "bad"), CRASHING)
def test_a_value_of_the_wrong_type_is_named_too(write, form, bad):
    with pytest.raises(DataError) as error:
        list(read_problems(write(ROWS[form], ROWS[form], bad), form))
    assert "line 3" in str(error.value)


def test_tags_that_are_no_list_are_refused(write):
    """Else a problem that was meant to be held out is trained on."""
    with pytest.raises(DataError, match="tags"):
        list(read_problems(write(JSONL | {"tags": "heldout"}), "jsonl"))


@pytest.mark.parametrize("bad", [JSONL | {"tags": [1]}, JSONL | {"prompt": "\ud800"}])
def test_what_cannot_be_stored_is_refused_when_it_is_read(write, bad):
    with pytest.raises(DataError, match="line 2"):
        list(read_problems(write(JSONL, bad), "jsonl"))


@pytest.mark.parametrize("letter", ["\u2028", "\u0085"])
def test_a_line_ends_at_a_newline_only(write, letter):
    line = json.dumps(JSONL | {"prompt": f"Which{letter}one?"}, ensure_ascii=False)
    assert next(read_problems(write(line), "jsonl")).prompt == f"Which{letter}one?"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "in.jsonl"
    if content:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"in\.jsonl(: no such file|, line 1: cannot be read)"):
        list(read_problems(path, "jsonl"))


def test_an_unknown_layout_lists_the_known_ones(write):
    with pytest.raises(ConfigError, match=r"no format 'csv'\. Known: arc, bfcl"):
        list(read_problems(write(JSONL), "csv"))


def test_importing_twice_adds_nothing(workspace, write):
    found = list(read_problems(write(JSONL, JSONL, JSONL | {"prompt": "Other?"}), "jsonl"))
    assert steps.add_problems(workspace, found, "jsonl") == {"in": 3, "kept": 2, "known": 1}
    assert steps.add_problems(workspace, found, "jsonl") == {"in": 3, "kept": 0, "known": 3}
    assert len(list(list_parts(workspace.parts))) == 1
