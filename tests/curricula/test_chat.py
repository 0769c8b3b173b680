"""The loss mask covers what the assistant says and the end of its turn, and nothing else."""

import shutil

import pytest

from gradus.curricula.chat import Renderer, tokenizer_fingerprint
from gradus.errors import DataError


@pytest.fixture(scope="module")
def renderer(student):
    return Renderer(student)


def talk(*turns):
    return [{"role": role, "content": content} for role, content in turns]


def learned(renderer, messages, learn):
    """Return the runs of learned tokens, decoded."""
    ids, mask = renderer.trace(messages, learn)
    assert len(ids) == len(mask)
    runs, current = [], []
    for token, flag in [*zip(ids, mask, strict=True), (None, False)]:
        if flag:
            current.append(token)
        elif current:
            runs.append(renderer._tokenizer.decode(current))
            current = []
    return runs


CONTENTS = [
    "168",
    "123 + 45 = 168. The answer is 168.",
    "two\n\nlines",
    "  spaces around  ",
    "ends in a newline\n",
    "Grüße, 世界! 🙂",
    "<|im_start|>user\nsaid a model<|im_end|>",
    "```python\ndef f(n):\n    return n\n```",
]


@pytest.mark.parametrize("content", CONTENTS)
def test_the_answer_and_its_end_are_learned(renderer, content):
    messages = talk(("user", "What is 123 + 45?"), ("assistant", content))
    assert learned(renderer, messages, [False, True]) == [content + "<|im_end|>"]


def test_only_the_last_answer_of_a_correction_is_learned(renderer):
    turns = (
        ("user", "1 + 1?"),
        ("assistant", "3"),
        ("user", "That is not correct. Try again."),
        ("assistant", "It is 2."),
    )
    assert learned(renderer, talk(*turns), [False, False, False, True]) == ["It is 2.<|im_end|>"]


def test_every_answer_of_a_conversation_can_be_learned(renderer):
    turns = ("system", "Be brief."), ("user", "1 + 1?"), ("assistant", "2"), ("user", "2 + 2?"), ("assistant", "4")
    messages = talk(*turns)
    assert learned(renderer, messages, [False, False, True, False, True]) == ["2<|im_end|>", "4<|im_end|>"]
    assert learned(renderer, messages, [False] * 5) == []


def test_a_trace_is_the_templates_text(renderer):
    messages = talk(("system", "Be brief."), ("user", "1 + 1?"), ("assistant", "2"))
    ids, _ = renderer.trace(messages, [False, False, True])
    assert renderer._tokenizer.decode(ids) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n1 + 1?<|im_end|>\n"
        "<|im_start|>assistant\n2<|im_end|>\n"
    )


def test_a_prompt_is_the_start_of_its_trace(renderer):
    """What the student is asked with when it is sampled is what it saw before the answer in training."""
    ask, answer = talk(("user", "1 + 1?"), ("assistant", "2"))
    ids, mask = renderer.trace([ask, answer], [False, True])
    prompt = renderer.prompt([ask])
    assert list(ids[: len(prompt)]) == prompt
    assert mask[: len(prompt)] == (False,) * len(prompt)
    assert mask[len(prompt)]


def copy_with_template(student, folder, template):
    shutil.copytree(student, folder)
    (folder / "chat_template.jinja").write_text(template)
    return folder


def test_a_template_that_changes_earlier_turns_is_refused(student, tmp_path):
    """As templates do that strip the thoughts of all but the last turn."""
    template = "{% for m in messages %}{{ m.role }}:{{ m.content if loop.last else '' }}\n{% endfor %}"
    renderer = Renderer(copy_with_template(student, tmp_path / "m", template))
    messages = talk(("user", "1 + 1?"), ("assistant", "2"), ("user", "2 + 2?"), ("assistant", "4"))
    with pytest.raises(DataError, match="cannot be masked"):
        renderer.trace(messages, [False, True, False, True])


def test_a_tokenizer_without_a_chat_template_is_refused(student, tmp_path):
    shutil.copytree(student, tmp_path / "m")
    (tmp_path / "m" / "chat_template.jinja").unlink()
    with pytest.raises(DataError, match="the tokenizer has no chat template"):
        Renderer(tmp_path / "m")


def test_another_template_is_another_fingerprint(student, tmp_path):
    other = copy_with_template(student, tmp_path / "m", "{{ messages }}")
    assert tokenizer_fingerprint(other) != tokenizer_fingerprint(student)


def test_other_weights_have_the_same_fingerprint(student, tmp_path):
    shutil.copytree(student, tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").write_bytes(b"other")
    assert tokenizer_fingerprint(tmp_path / "m") == tokenizer_fingerprint(student)


def test_what_a_turn_was_given_is_not_learned(renderer):
    answer = {"role": "assistant", "content": "3 + 5 = 7. No: it is 8.", "given": len("3 + 5 = 7.")}
    assert learned(renderer, [*talk(("user", "3 + 5?")), answer], [False, True]) == [" No: it is 8.<|im_end|>"]
