"""Thoughts, tool calls and tool results are rendered as the template has it, else as text, and never lost.

The templates are ours, written after how those families behave: SmolLM2 knows roles and contents alone; Qwen3 reads
`reasoning_content`, hides earlier thoughts, and tags calls; Llama 3 trims, allows one call a turn and shows no text
beside it; a third one opens the thought in its generation prompt; a fourth cuts thoughts off for good.
"""

import json
import shutil
from pathlib import Path

import pytest

from gradus.api import steps
from gradus.api.importing import import_rows
from gradus.curricula.chat import Renderer, RewrittenError
from gradus.curricula.conventions import RenderConfig
from gradus.curricula.manifest import read_shard
from gradus.curricula.recipe import load_recipe
from gradus.curricula.verify import verify
from gradus.engine.exchange.layouts.base import Told
from gradus.engine.exchange.rows import open_rows
from gradus.engine.export.export import Chosen, export
from gradus.errors import ConfigError, DataError

QWEN = (
    "{%- set ns = namespace(last=0) %}"
    "{%- for m in messages %}{% if m.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}"
    "{%- for m in messages %}{% if m.role == 'assistant' %}"
    "{{- '<|im_start|>assistant\n' }}"
    "{%- if loop.index0 > ns.last and (loop.last or m.reasoning_content) %}"
    "{{- '<think>\n' + (m.reasoning_content or '').strip('\n') + '\n</think>\n\n' }}{% endif %}"
    "{{- m.content.split('</think>')[-1].lstrip('\n') }}"
    "{%- for call in m.tool_calls or [] %}{% set f = call.function or call %}"
    "{{- ('\n' if m.content or not loop.first else '') + '<tool_call>\n{\"name\": \"' + f.name }}"
    '{{- \'", "arguments": \' }}'
    "{{- (f.arguments | tojson) + '}\n</tool_call>' }}{% endfor %}{{- '<|im_end|>\n' }}"
    "{%- elif m.role == 'tool' %}"
    "{{- '<|im_start|>user\n<tool_response>\n' + m.content + '\n</tool_response><|im_end|>\n' }}"
    "{%- else %}{{- '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA = (
    "{%- macro head(role) %}{{- '<|start|>' + role + '<|end|>\n\n' }}{% endmacro %}"
    "{%- for m in messages %}{% if m.tool_calls %}"
    "{%- if m.tool_calls | length != 1 %}{{- raise_exception('one call at a time') }}{% endif %}"
    "{{- head('assistant') + '{\"name\": \"' + m.tool_calls[0].function.name + '\", \"parameters\": ' }}"
    "{{- (m.tool_calls[0].function.arguments | tojson) + '}<|eot|>' }}"
    "{%- elif m.role == 'tool' %}{{- head('ipython') + (m.content | tojson) + '<|eot|>' }}"
    "{%- elif m.role in ['system', 'user', 'assistant'] %}{{- head(m.role) + m.content | trim + '<|eot|>' }}"
    "{%- else %}{{- raise_exception('no such role') }}{% endif %}{% endfor %}"
    "{%- if add_generation_prompt %}{{- head('assistant') }}{% endif %}"
)
OPENS = (
    "{%- for m in messages %}{{- '[' + m.role + ']' }}"
    "{%- if m.role == 'assistant' %}{{- '<think>' + (m.reasoning or '') + '</think>' }}{% endif %}"
    "{{- m.content + '[end]' }}{% endfor %}{% if add_generation_prompt %}{{- '[assistant]<think>' }}{% endif %}"
)
CUTS = (
    "{%- for m in messages %}{{- '[' + m.role + ']' + m.content.split('</think>')[-1] + '[end]' }}{% endfor %}"
    "{%- if add_generation_prompt %}{{- '[assistant]' }}{% endif %}"
)
TWO_ROLES = (
    "{%- for m in messages %}{% if m.role not in ['user', 'assistant'] %}{{- raise_exception('no such role') }}"
    "{% endif %}{{- '[' + m.role + ']' + m.content + '[end]' }}{% endfor %}"
    "{%- if add_generation_prompt %}{{- '[assistant]' }}{% endif %}"
)
DEAF = "{%- for m in messages %}{% if m.role != 'system' %}{{- m.role + m.content }}{% endif %}{% endfor %}"


@pytest.fixture(scope="module")
def speaking(student, tmp_path_factory):
    """Return a function that opens the tiny student with another template; without one, it has SmolLM2's."""

    def make(template=None, **options):
        folder = tmp_path_factory.mktemp("spoken") / "m"
        shutil.copytree(student, folder)
        if template:
            (folder / "chat_template.jinja").write_text(template)
        return Renderer(folder, RenderConfig(**options))

    return make


def user(content):
    return {"role": "user", "content": content}


def assistant(content, **more):
    return {"role": "assistant", "content": content, **more}


def call(name, **arguments):
    return {"name": name, "arguments": arguments}


def tool(content):
    return {"role": "tool", "content": content}


def decoded(renderer, sample):
    """Return the whole text, and the runs of it that are learnt."""
    ids, mask = sample
    runs, current = [], []
    for token, flag in [*zip(ids, mask, strict=True), (None, False)]:
        if flag:
            current.append(token)
        elif current:
            runs.append(renderer._tokenizer.decode(current))
            current = []
    return renderer._tokenizer.decode(ids), runs


def learnt(renderer, messages):
    """Return what is learnt of a conversation of which every assistant's turn is to be learnt."""
    return decoded(renderer, renderer.trace(messages, [m["role"] == "assistant" for m in messages]))[1]


THINKING = [user("1 + 1?"), assistant("2", reasoning="one and one")]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (None, "<think>\none and one\n</think>\n\n2<|im_end|>"),
        (QWEN, "<think>\none and one\n</think>\n\n2<|im_end|>"),
        (LLAMA, "<think>\none and one\n</think>\n\n2<|eot|>"),
        (OPENS, "one and one</think>2[end]"),
    ],
    ids=["SmolLM2", "Qwen3", "Llama", "opens"],
)
def test_a_thought_is_learnt_with_its_answer(speaking, template, said):
    renderer = speaking(template)
    assert learnt(renderer, THINKING) == [said]
    prompt = renderer.prompt(THINKING[:1])
    assert list(renderer.trace(THINKING, [False, True])[0][: len(prompt)]) == prompt


@pytest.mark.slow
def test_the_real_template_of_the_default_model_wraps_thoughts():
    from gradus.engine.models import resolve_model

    folder = resolve_model("default")
    assert learnt(Renderer(folder), THINKING) == ["<think>\none and one\n</think>\n\n2<|im_end|>"]


def test_the_wrapper_is_the_recipes(speaking):
    renderer = speaking(thought="Thoughts: {reasoning}\nAnswer: ")
    assert learnt(renderer, THINKING) == ["Thoughts: one and one\nAnswer: 2<|im_end|>"]
    assert renderer.definition != speaking().definition
    assert renderer.fingerprint == speaking().fingerprint


def test_a_wrapper_without_the_thought_is_refused():
    with pytest.raises(ConfigError, match="thought must hold"):
        load_recipe("demo", ["render.thought=<think>"])


@pytest.mark.parametrize(
    ("override", "match"),
    [
        ("render.today=yesterday", "today must be a date, as 2026-01-01, not 'yesterday'"),
        ('render.options={"add_generation_prompt"=true}', "options cannot set add_generation_prompt"),
        ("render.tomorrow=1", "tomorrow"),
    ],
)
def test_bad_settings_are_refused(override, match):
    with pytest.raises(ConfigError, match=match):
        load_recipe("demo", [override])


def test_a_thought_that_equals_the_answer_is_not_lost(speaking):
    """Whether a template shows thoughts is not to be seen from a text that holds the same word anyway."""
    assert learnt(speaking(), [user("2?"), assistant("2", reasoning="2")]) == ["<think>\n2\n</think>\n\n2<|im_end|>"]


def test_a_template_that_cuts_every_thought_off_is_refused(speaking):
    with pytest.raises(DataError, match="cannot show the assistant's thought and text, not even as text"):
        learnt(speaking(CUTS), THINKING)


def test_what_a_template_does_not_show_is_an_error(speaking):
    with pytest.raises(DataError, match="leaves out what the system says"):
        speaking(DEAF).trace([{"role": "system", "content": "Rhyme."}, *THINKING], [False, False, False])
    with pytest.raises(DataError, match="refuses the conversation: no such role"):
        speaking(TWO_ROLES).trace([{"role": "system", "content": "Rhyme."}, *THINKING], [False] * 3)


def test_turns_that_the_template_rewrites_are_learnt_one_by_one(speaking):
    renderer = speaking(QWEN)
    messages = [*THINKING, user("2 + 2?"), assistant("4", reasoning="twice two")]
    learn = [False, True, False, True]
    with pytest.raises(RewrittenError):
        renderer.trace(messages, learn)
    first, second = (decoded(renderer, sample) for sample in renderer.samples(messages, learn))
    assert first[1] == ["<think>\none and one\n</think>\n\n2<|im_end|>"]
    assert second[1] == ["<think>\ntwice two\n</think>\n\n4<|im_end|>"]
    assert "2 + 2" not in first[0]
    assert "one and one" not in second[0]


def test_turns_that_stay_as_they_are_are_learnt_at_once(speaking):
    messages = [*THINKING, user("2 + 2?"), assistant("4", reasoning="twice two")]
    (sample,) = speaking().samples(messages, [False, True, False, True])
    assert len(decoded(speaking(), sample)[1]) == 2


CALLING = [user("Weather?"), assistant("", tool_calls=[call("weather", city="Rome")]), tool("sunny"), assistant("Sun.")]
HERMES = '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>'


@pytest.mark.parametrize(
    ("template", "said", "result"),
    [
        (None, HERMES + "<|im_end|>", "<|im_start|>tool\nsunny<|im_end|>"),
        (
            QWEN,
            "<think>\n\n</think>\n\n" + HERMES + "<|im_end|>",
            "<|im_start|>user\n<tool_response>\nsunny\n</tool_response><|im_end|>",
        ),
        (
            LLAMA,
            '{"name": "weather", "parameters": {"city": "Rome"}}<|eot|>',
            '<|start|>ipython<|end|>\n\n"sunny"<|eot|>',
        ),
        (TWO_ROLES, HERMES + "[end]", "[user]<tool_response>\nsunny\n</tool_response>[end]"),
    ],
    ids=["SmolLM2", "Qwen3", "Llama", "two roles"],
)
def test_calls_are_learnt_and_results_are_read(speaking, template, said, result):
    renderer = speaking(template)
    (sample,) = renderer.samples(CALLING, [False, True, False, False])
    assert decoded(renderer, sample)[1] == [said]
    assert result in decoded(renderer, renderer.trace(CALLING, [False] * 4))[0]


@pytest.mark.parametrize(
    "answer",
    [
        assistant("I look.", tool_calls=[call("weather", city="Rome")]),
        assistant("", tool_calls=[call("weather", city="Rome"), call("weather", city="Oslo")]),
        assistant("", reasoning="which city?", tool_calls=[call("weather", city="Rome")]),
    ],
    ids=["text beside it", "two", "a thought before it"],
)
@pytest.mark.parametrize("template", [None, QWEN, LLAMA, OPENS, TWO_ROLES])
def test_calls_that_a_template_would_lose_or_refuse_become_text(speaking, template, answer):
    (said,) = learnt(speaking(template), [user("Weather?"), answer])
    parts = [
        answer["content"],
        answer.get("reasoning", ""),
        *(one["arguments"]["city"] for one in answer["tool_calls"]),
    ]
    assert all(part in said for part in parts)
    assert said.count("weather") == len(answer["tool_calls"])


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("c.function.arguments", '[weather {"city": "Rome"}][end]'),
        ("'' ~ c.function.arguments", '[weather {"city": "Rome"}][end]'),
        ("c.function.arguments | tojson", '[weather {"city": "Rome"}][end]'),
        ("''", HERMES + "[end]"),
    ],
    ids=["joined to text", "shown as Python does", "as JSON", "left out"],
)
def test_arguments_are_handed_over_as_the_template_writes_json(speaking, shown, said):
    """DeepSeek's joins them to text, so it wants JSON; what would show a table as Python does, gets JSON too."""
    joined = shown == "c.function.arguments"
    template = TWO_ROLES.replace(
        "m.content + '[end]'",
        "m.content }}{% for c in m.tool_calls or [] %}{{ '[' + c.function.name + ' ' "
        + ("+" if joined else "~")
        + f" ({shown}) "
        + ("+" if joined else "~")
        + " ']' }}{% endfor %}{{ '[end]'",
    )
    assert learnt(speaking(template), CALLING[:2]) == [said]


@pytest.mark.parametrize("template", [None, QWEN, LLAMA, OPENS])
def test_every_token_outside_the_mask_is_of_the_others(speaking, template):
    """The learnt runs, cut out, leave what the template says around an empty answer."""
    renderer = speaking(template)
    text, (said,) = decoded(renderer, renderer.trace(THINKING, [False, True]))
    before = renderer._tokenizer.decode(renderer.prompt(THINKING[:1]))
    assert text.rstrip() == before + said


def test_a_manifest_has_a_row_for_each_rewritten_turn_and_drops_with_a_reason_what_cannot_be_shown(
    speaking, spoilable, tmp_path
):
    """Imported by the product's own importer, built, verified and exported."""
    two = [*THINKING, user("2 + 2?"), assistant("4", reasoning="twice two")]
    cut = [user("3 + 3?"), assistant("<think>six</think>6 </think> or so")]
    path = tmp_path / "chats.jsonl"
    path.write_text("".join(json.dumps({"domain": "math", "messages": said}) + "\n" for said in (two, cut)))
    counts = import_rows(spoilable.workspace, open_rows(str(path)), "chat", Told(source="here"))
    assert (counts["in"], counts["traces"]) == (2, 2)
    folder = tmp_path / "student"
    shutil.copytree(Path(spoilable.recipe.student), folder)
    (folder / "chat_template.jinja").write_text(QWEN)
    recipe = load_recipe(
        str(spoilable.recipe_path),
        [
            f"student={folder}",
            'stages=[{name="only", context_length=512, token_budget=9999, mixture={"*/imported"=1}}]',
        ],
    )
    built = steps.build(spoilable.workspace, recipe)
    manifest = verify(built)
    (stage,) = manifest.stages
    rows = read_shard(built, stage.shards[0]).to_pylist()
    assert len(rows) == 2
    assert len({row["trace_id"] for row in rows}) == 1
    assert [reason for reason in manifest.dropped if "leaves out" in reason]
    chosen = Chosen(manifest=manifest.id, ids=[("only", [row["trace_id"] for row in rows])])
    assert export(spoilable.workspace, tmp_path / "out", what="traces", form="jsonl", chosen=chosen)["kept"] == 1
