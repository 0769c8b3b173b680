"""Others' multiple choice keeps its options and its right one, in every usual layout. The rows are ours."""

import json

import pytest

from gradus.engine.sources.base import read_problems
from gradus.errors import DataError
from gradus.verifiers.base import verify

Q = "Which gas do plants take in?"
TEXTS = ["oxygen", "carbon dioxide", "helium", "neon"]
MMLU = {"question": Q, "subject": "botany", "choices": TEXTS, "answer": 1}
ARC = {"id": "q1", "question": Q, "choices": {"text": TEXTS, "label": ["A", "B", "C", "D"]}, "answerKey": "B"}
GPQA = {"Question": Q, "Correct Answer": "carbon dioxide", "Subdomain": "Botany"}
GPQA |= {f"Incorrect Answer {n}": text for n, text in enumerate(["oxygen", "helium", "neon"], 1)}
ROWS = [
    ("mmlu", MMLU),
    ("mmlu", MMLU | {"answer": "B"}),
    ("mmlu", MMLU | {"answer": "1"}),
    (
        "mmlu",
        {"question": Q, "options": [*TEXTS, "N/A", "N/A"], "answer": "B", "answer_index": 1, "category": "botany"},
    ),
    ("arc", ARC),
    ("arc", ARC | {"choices": {"text": TEXTS, "label": ["1", "2", "3", "4"]}, "answerKey": "2"}),
    ("arc", {"question_stem": Q, "choices": ARC["choices"], "answerKey": "B"}),
    (
        "arc",
        {
            "question": {"stem": Q, "choices": [{"text": t, "label": x} for t, x in zip(TEXTS, "ABCD", strict=True)]},
            "answerKey": "B",
        },
    ),
    ("gpqa", GPQA),
    (
        "gpqa",
        {"question": Q, "correct_answer": "carbon dioxide", "support": "…"}
        | {f"distractor{n}": text for n, text in enumerate(["oxygen", "helium", "neon"], 1)},
    ),
]


@pytest.fixture
def read(tmp_path):
    """Return a function that reads rows as problems of a format."""

    def make(form, *rows):
        path = tmp_path / "in.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return list(read_problems(path, form))

    return make


@pytest.mark.parametrize(("form", "row"), ROWS)
def test_exactly_the_right_option_passes(read, form, row):
    (problem,) = read(form, row)
    assert problem.domain == "stem"
    assert problem.prompt.startswith(Q)
    assert sorted(problem.spec["choices"].values()) == sorted(TEXTS)
    for label, text in problem.spec["choices"].items():
        assert f"{label}. {text}" in problem.prompt
        for answer in (f"\\boxed{{{label}}}", f"The answer is {text}."):
            outcome = verify("choice", answer, problem.spec).outcome
            assert outcome == ("pass" if text == "carbon dioxide" else "fail")


def test_a_row_is_shuffled_the_same_way_every_time_and_rows_differently(read):
    rows = [GPQA | {"Question": f"{Q} ({n})"} for n in range(40)]
    places = [problem.spec["expected"] for problem in read("gpqa", *rows)]
    assert places == [problem.spec["expected"] for problem in read("gpqa", *rows)]
    assert set(places) == set("ABCD")


def test_the_subject_becomes_a_tag(read):
    assert read("mmlu", MMLU)[0].tags == ("subject:botany",)
    assert read("gpqa", GPQA)[0].tags == ("subject:Botany",)


def test_an_option_that_is_a_label_is_named_by_its_own_label_only(read):
    (problem,) = read("mmlu", MMLU | {"question": "Which letter comes first?", "choices": ["C", "A", "B", "D"]})
    assert verify("choice", "The answer is B.", problem.spec).outcome == "pass"
    assert verify("choice", "The answer is A.", problem.spec).outcome == "fail"


BAD = [
    ("mmlu", MMLU | {"answer": 4}, "answer 4 is none of 4 options"),
    ("mmlu", MMLU | {"answer": "E"}, "answer 'E' is none of the labels A, B, C, D"),
    ("mmlu", MMLU | {"choices": ["a"]}, "none of 1 options"),
    ("mmlu", MMLU | {"choices": ["a", ""]}, "none empty"),
    ("mmlu", MMLU | {"question": None}, "the question must be text"),
    ("mmlu", {"question": Q, "answer": 1}, "no field 'options'; it has question, answer"),
    ("mmlu", MMLU | {"choices": 3}, "line 1"),
    ("arc", ARC | {"answerKey": "E"}, "answer 'E' is none of"),
    ("arc", ARC | {"choices": {"text": TEXTS, "label": ["A"]}}, "line 1"),
    ("arc", ARC | {"choices": None}, "two at least"),
    ("gpqa", GPQA | {"Incorrect Answer 1": "carbon dioxide "}, "two answers are the same"),
    ("gpqa", GPQA | {"Correct Answer": 3}, "must be text"),
    ("gpqa", {"Question": Q, "Correct Answer": "x"}, "two at least"),
]


@pytest.mark.parametrize(("form", "row", "said"), BAD)
def test_a_row_that_has_no_right_option_is_refused(read, form, row, said):
    with pytest.raises(DataError, match="line 1") as error:
        read(form, row)
    assert said in str(error.value)
