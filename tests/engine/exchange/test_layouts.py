"""Every layout is read as its authors publish it: the rows here have exactly their columns, their text is ours."""

import json
import re
from pathlib import Path

import pytest

from gradus.engine.calls import with_calls
from gradus.engine.exchange.layouts.base import Told, UnusableError, layouts
from gradus.verifiers.base import verify

TOLD = Told(source="here", tags=("t",))
ROOT = Path(__file__).parents[3]

OPEN_MATH = {
    "expected_answer": "\\frac{3}{4}",
    "problem_type": "has_answer_extracted",
    "problem_source": "aops_c4_high_school_math",
    "generation_model": "DeepSeek-R1",
    "pass_rate_72b_tir": "0.65625",
    "problem": "What share of the cake is left?",
    "generated_solution": "<think>\nA quarter is eaten.\n</think>\n\nSo \\boxed{\\frac{3}{4}}.",
    "inference_mode": "cot",
    "used_in_kaggle": True,
}
OPEN_CODE = {
    "id": "0a1b",
    "input": "Read a number and print its double.",
    "output": "<think>\nEasy.\n</think>\n\n```python\nprint(2 * int(input()))\n```",
    "source": "aizu",
    "license": "cc-by-4.0",
    "dataset": "code_contests",
    "split": "train",
    "difficulty": "6",
    "solution": "```python\nprint(2 * int(input()))\n```",
}
OPEN_SCIENCE = {
    "input": "Which gas do plants take in?\nA: oxygen\nB: carbon dioxide\nC: helium",
    "output": "<think>They breathe.</think>\nThe answer is \\boxed{B}.",
    "expected_answer": "B",
}
NEMOTRON_1 = {
    "uuid": "11-22",
    "license": "cc-by-4.0",
    "generator": "DeepSeek-R1-0528",
    "version": "v1",
    "category": "math",
    "reasoning": "on",
    "messages": [
        {"role": "user", "content": "Solve: 6 x 7?", "tool_calls": []},
        {"role": "assistant", "content": "<think>\n6 x 7\n</think>\n\\boxed{42}", "tool_calls": []},
    ],
    "metadata": '{"expected_answer": "42", "problem_source": "ours"}',
}
NEMOTRON_2 = {
    "uuid": "33",
    "license": "cc-by-4.0",
    "generator": "Qwen3-235B",
    "version": "v2",
    "category": "multilingual_de",
    "reasoning": "off",
    "messages": [
        {"role": "system", "content": ""},
        {"role": "user", "content": "Guten Tag!"},
        {"role": "assistant", "content": "<think></think>Hallo."},
    ],
}
MIXTURE = {
    "messages": [
        {"content": "Add 1 and 1.", "role": "user"},
        {"content": "<think>\nTwo.\n</think>\n2", "role": "assistant"},
    ],
    "num_tokens": 12,
    "source": "open-r1/OpenR1-Math-220k",
}
THOUGHTS_1 = {
    "system": "Think long.",
    "conversations": [
        {"from": "user", "value": "Add 2 and 2."},
        {
            "from": "assistant",
            "value": "<|begin_of_thought|>\n\nFour.\n\n<|end_of_thought|>\n\n"
            "<|begin_of_solution|>\n\nIt is 4.\n\n<|end_of_solution|>",
        },
    ],
}
THOUGHTS_1_METADATA = {
    "problem": "Add 3 and 3.",
    "deepseek_reasoning": "Three, and three more.",
    "deepseek_solution": "It is \\boxed{6}.",
    "ground_truth_solution": "We get \\boxed{6}.",
    "domain": "math",
    "source": "numina_math",
    "test_cases": None,
    "starter_code": None,
}
THOUGHTS_3 = {
    "difficulty": 7,
    "source": "stackexchange-physics",
    "domain": "science",
    "conversations": [
        {"from": "human", "value": "Why is the sky blue?"},
        {"from": "gpt", "value": "<think>Light.</think>\n\nScattering."},
    ],
}
CHAT = {"id": 7, "prompt": "Name a river.", "response": "The Rhine.", "model": "m", "licence": "CC0"}


def found(name, row, **told):
    return layouts[name](row, Told(source="here", tags=("t",), **told))


def said(trace):
    return [(m["role"], m.get("reasoning"), m["content"]) for m in trace.messages]


def test_every_layout_is_documented_and_tested():
    tests = "".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_*.py")))
    pages = (ROOT / "docs" / "data.md").read_text(), tests
    for name in layouts.names():
        assert all(re.search(rf"(?<![\w-]){name}(?![\w-])", text) for text in pages), name


@pytest.mark.parametrize(
    ("name", "row", "domain", "teacher", "thought", "answer"),
    [
        (
            "open-math-reasoning",
            OPEN_MATH,
            "math",
            "DeepSeek-R1",
            "A quarter is eaten.",
            "So \\boxed{\\frac{3}{4}}.",
        ),
        ("open-code-reasoning", OPEN_CODE, "code", "here", "Easy.", OPEN_CODE["solution"]),
        ("open-science-reasoning", OPEN_SCIENCE, "stem", "here", "They breathe.", "The answer is \\boxed{B}."),
        ("nemotron", NEMOTRON_1, "math", "DeepSeek-R1-0528", "6 x 7", "\\boxed{42}"),
        ("nemotron", NEMOTRON_2, "instruction", "Qwen3-235B", None, "Hallo."),
        ("mixture-of-thoughts", MIXTURE, "math", "here", "Two.", "2"),
        ("open-thoughts", THOUGHTS_3, "stem", "here", "Light.", "Scattering."),
        (
            "open-thoughts",
            THOUGHTS_1_METADATA,
            "math",
            "DeepSeek-R1",
            "Three, and three more.",
            "It is \\boxed{6}.",
        ),
        ("chat", CHAT, "instruction", "m", None, "The Rhine."),
    ],
)
def test_a_conversation_becomes_a_trace_with_its_thought_apart(name, row, domain, teacher, thought, answer):
    trace = found(name, row).trace
    assert (trace.kind, trace.domain, trace.teacher) == ("imported", domain, teacher)
    assert said(trace)[-1] == ("assistant", thought, answer)
    assert trace.learn == tuple(m["role"] == "assistant" for m in trace.messages)
    assert trace.messages[-2]["role"] == "user"


@pytest.mark.parametrize(
    ("name", "row", "verifier", "spec", "right", "wrong"),
    [
        ("open-math-reasoning", OPEN_MATH, "math", {"expected": "\\frac{3}{4}"}, "\\boxed{0.75}", "\\boxed{0.7}"),
        ("open-science-reasoning", OPEN_SCIENCE, "choice", {"expected": "B"}, "\\boxed{B}", "\\boxed{C}"),
        ("nemotron", NEMOTRON_1, "math", {"expected": "42"}, "\\boxed{42}", "\\boxed{41}"),
        ("open-thoughts", THOUGHTS_1_METADATA, "math", {"expected": "6"}, "\\boxed{6}", "\\boxed{7}"),
        (
            "open-thoughts",
            THOUGHTS_1_METADATA
            | {"domain": "code", "test_cases": '{"inputs": ["2\\n", ["3", "4"]], "outputs": ["2\\n", ["3", "4"]]}'},
            "code",
            {"stdin_tests": [{"input": "2\n", "output": "2\n"}, {"input": "3\n4", "output": "3\n4"}]},
            "```python\nimport sys\nprint(sys.stdin.read().strip())\n```",
            "```python\nprint(2)\n```",
        ),
    ],
)
def test_an_expected_answer_becomes_a_problem_that_can_be_judged(name, row, verifier, spec, right, wrong):
    one = found(name, row)
    assert (one.problem.verifier, dict(one.problem.spec), one.problem.tags) == (verifier, spec, ("t",))
    assert one.trace.problem_id == one.problem.id
    assert verify(verifier, right, spec).outcome == "pass"
    assert verify(verifier, wrong, spec).outcome == "fail"


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("nemotron", NEMOTRON_1 | {"metadata": "no JSON"}),
        ("nemotron", NEMOTRON_1 | {"metadata": "[1]"}),
        ("nemotron", NEMOTRON_1 | {"category": "stem", "metadata": '{"expected_answer": "because of gravity"}'}),
        ("nemotron", NEMOTRON_1 | {"category": "stem", "metadata": '{"expected_answer": "B"}'}),
        ("open-math-reasoning", OPEN_MATH | {"expected_answer": "n/a"}),
        ("open-math-reasoning", OPEN_MATH | {"expected_answer": ""}),
        ("open-thoughts", THOUGHTS_1_METADATA | {"ground_truth_solution": "We get 6."}),
        ("open-thoughts", THOUGHTS_1_METADATA | {"ground_truth_solution": "We get \\boxed{6"}),
        ("open-thoughts", THOUGHTS_1_METADATA | {"domain": "code", "test_cases": "{"}),
        ("open-thoughts", THOUGHTS_1_METADATA | {"domain": "code", "test_cases": '{"fn_name": "f", "inputs": [1]}'}),
        ("chat", CHAT),
    ],
)
def test_without_an_answer_to_verify_there_is_a_trace_only(name, row):
    one = found(name, row)
    assert one.problem is None
    assert one.trace.problem_id == ""


def test_a_problem_without_a_solution_is_a_problem_only():
    one = found("open-math-reasoning", OPEN_MATH | {"generated_solution": "n/a", "inference_mode": "n/a"})
    assert one.trace is None
    assert one.problem.spec == {"expected": "\\frac{3}{4}"}


def test_an_answer_by_majority_is_tagged():
    one = found("open-math-reasoning", OPEN_MATH | {"problem_type": "no_answer_extracted"})
    assert one.problem.tags == ("t", "expected:majority")


@pytest.mark.parametrize(
    ("said", "rate"),
    [
        *[("0.65625", 0.65625), ("1", 1.0), (" 0 ", 0.0), (0.5, 0.5)],
        *[(none, None) for none in ("n/a", "", None, "nan", "-1", "65%", "1.5", [])],
    ],
)
def test_the_pass_rate_is_text_that_may_be_none(said, rate):
    prior = found("open-math-reasoning", OPEN_MATH | {"pass_rate_72b_tir": said}).prior
    assert prior == (("Qwen2.5-Math-72B-Instruct (TIR)", rate) if rate is not None else None)


def test_system_prompt_and_both_marks_of_openthoughts_go():
    assert said(found("open-thoughts", THOUGHTS_1, domain="math").trace) == [
        ("system", None, "Think long."),
        ("user", None, "Add 2 and 2."),
        ("assistant", "Four.", "It is 4."),
    ]


def test_a_rows_own_id_and_licence_are_kept():
    assert (found("nemotron", NEMOTRON_1).row, found("nemotron", NEMOTRON_1).licence) == ("11-22", "cc-by-4.0")
    assert (found("chat", CHAT).row, found("chat", CHAT).licence) == ("7", "CC0")


def test_tool_calls_stay_data():
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bonn"}'}}
    turns = [
        {"role": "user", "content": "Weather in Bonn?", "tool_calls": None},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": '{"sky": "grey"}', "tool_calls": None},
        {"role": "assistant", "content": "Grey.", "tool_calls": None},
    ]
    tools = json.dumps({"tools": [{"type": "function", "function": {"name": "weather"}}]})
    row = NEMOTRON_1 | {"category": "tool_calling", "messages": turns, "metadata": tools}
    trace = found("nemotron", row).trace
    assert '"name": "weather"' in trace.messages[0]["content"]
    assert trace.domain == "tool"
    called = {"name": "weather", "arguments": {"city": "Bonn"}, "id": "c1"}
    assert trace.messages[2] == {"role": "assistant", "content": "", "tool_calls": [called]}
    assert said(trace)[3] == ("tool", None, '{"sky": "grey"}')
    spec = {"expected": [{"name": "weather", "arguments": {"city": "Bonn"}}]}
    assert verify("tool_call", with_calls(trace.messages[2])["content"], spec).outcome == "pass"


def turns(*pairs):
    return {"messages": [{"role": role, "content": content} for role, content in pairs]}


@pytest.mark.parametrize(
    ("name", "row", "reason"),
    [
        ("open-math-reasoning", OPEN_MATH | {"problem_type": "converted_proof"}, "converted proof: "),
        ("open-math-reasoning", OPEN_MATH | {"inference_mode": "genselect"}, "genselect: "),
        (
            "open-math-reasoning",
            OPEN_MATH | {"expected_answer": "n/a", "generated_solution": "n/a"},
            "nothing to learn: ",
        ),
        ("open-math-reasoning", OPEN_MATH | {"generated_solution": "<think>\nLet me"}, "cut off: "),
        ("open-code-reasoning", OPEN_CODE | {"input": "-"}, "prompt left out: "),
        ("nemotron", NEMOTRON_1 | turns(("user", "-"), ("assistant", "x")), "prompt left out: "),
        ("nemotron", NEMOTRON_1 | {"category": "cooking"}, "unknown domain: 'cooking'"),
        ("nemotron", NEMOTRON_1 | {"messages": None}, "no conversation: "),
        ("mixture-of-thoughts", MIXTURE | {"source": "somewhere"}, "unknown domain: of source 'somewhere'"),
        ("open-thoughts", THOUGHTS_1, "no domain: "),
        ("chat", {"text": "words"}, "no conversation: among text there is none of messages"),
        ("chat", {"messages": "words"}, "no conversation: "),
        ("chat", {"messages": ["words"]}, "no conversation: "),
        ("chat", turns(("user", "a")), "no answer: the conversation ends with the user"),
        ("chat", turns(("assistant", "a")), "no conversation: nobody asks"),
        ("chat", turns(("user", ""), ("assistant", "a")), "empty turn: the user"),
        ("chat", turns(("user", "a"), ("assistant", "<think>b</think>")), "empty turn: the assistant"),
        ("chat", turns(("user", "a"), ("narrator", "b")), "unknown role: 'narrator'"),
        ("chat", turns(("user", "a"), ("assistant", [{"image": "b"}])), "no text: "),
    ],
)
def test_a_row_that_fits_nothing_says_why(name, row, reason):
    with pytest.raises(UnusableError) as error:
        layouts[name](row, TOLD)
    assert str(error.value).startswith(reason)
