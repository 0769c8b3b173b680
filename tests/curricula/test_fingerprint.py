"""Equal content has an equal fingerprint, however it was saved; whatever changes a token changes it."""

import hashlib
import json
import shutil

import pytest

from gradus.curricula.fingerprint import chat_template, template_fingerprint, tokenizer_fingerprint
from gradus.errors import DataError


@pytest.fixture
def folder(student, tmp_path):
    return shutil.copytree(student, tmp_path / "copy")


def edit(folder, file, change):
    path = folder / file
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def backwards(folder):
    for path in folder.glob("*.json"):
        data = json.loads(path.read_text())
        path.write_text(json.dumps(dict(reversed(data.items())), indent=4, ensure_ascii=True))


def merges_as_text(folder):
    def change(data):
        data["model"]["merges"] = [" ".join(pair) for pair in data["model"]["merges"]]

    edit(folder, "tokenizer.json", change)


def defaults_left_out(folder):
    def change(data):
        data["model"] = {key: value for key, value in data["model"].items() if value not in (None, False)}
        data |= {"truncation": {"max_length": 8}, "padding": None, "version": "9"}

    edit(folder, "tokenizer.json", change)


def template_in_config(folder):
    template = folder / "chat_template.jinja"
    edit(folder, "tokenizer_config.json", lambda data: data.update(chat_template=template.read_text()))
    template.unlink()


def template_among_named_ones(folder):
    template = folder / "chat_template.jinja"
    named = [{"name": "tool_use", "template": "{{ tools }}"}, {"name": "default", "template": template.read_text()}]
    edit(folder, "tokenizer_config.json", lambda data: data.update(chat_template=named))
    template.unlink()


def template_in_both(folder):
    edit(folder, "tokenizer_config.json", lambda data: data.update(chat_template="never read"))


def another_named_template(folder):
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates" / "tool_use.jinja").write_text("{{ tools }}")


def lines_of_windows(folder):
    path = folder / "chat_template.jinja"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")


def added_tokens_declared_twice(folder):
    added = json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
    decoder = {str(token.pop("id")): token for token in added}
    edit(folder, "tokenizer_config.json", lambda data: data.update(added_tokens_decoder=decoder))


def special_tokens_in_their_own_file(folder):
    def change(data):
        special = {name: {"content": data.pop(name), "lstrip": False} for name in ("bos_token", "eos_token")}
        (folder / "special_tokens_map.json").write_text(json.dumps(special))

    edit(folder, "tokenizer_config.json", change)


@pytest.mark.parametrize(
    "change",
    [
        backwards,
        merges_as_text,
        defaults_left_out,
        template_in_config,
        template_among_named_ones,
        template_in_both,
        another_named_template,
        lines_of_windows,
        added_tokens_declared_twice,
        special_tokens_in_their_own_file,
    ],
)
def test_what_is_saved_in_another_way_is_the_same(student, folder, change):
    change(folder)
    assert tokenizer_fingerprint(folder) == tokenizer_fingerprint(student)
    assert template_fingerprint(folder) == template_fingerprint(student)


def test_what_the_library_saves_again_is_the_same(student, tmp_path):
    from transformers import AutoTokenizer

    AutoTokenizer.from_pretrained(student).save_pretrained(tmp_path / "again")
    assert tokenizer_fingerprint(tmp_path / "again") == tokenizer_fingerprint(student)


def test_the_template_is_what_the_library_reads(folder):
    from transformers import AutoTokenizer

    for change in (template_in_both, another_named_template, template_among_named_ones):
        change(folder)
        read = AutoTokenizer.from_pretrained(folder).get_chat_template()
        assert read.removesuffix("\n") == chat_template(folder)
        shutil.rmtree(folder / "additional_chat_templates", ignore_errors=True)


def swap_merges(data):
    merges = data["model"]["merges"]
    merges[0], merges[1] = merges[1], merges[0]


TOKENIZER_CHANGES = {
    "order of merges": swap_merges,
    "an id": lambda data: data["model"]["vocab"].update({"a": data["model"]["vocab"]["b"]}),
    "normalizer": lambda data: data.update(normalizer={"type": "NFC"}),
    "spaces": lambda data: data["pre_tokenizer"].update(add_prefix_space=True),
    "an added token": lambda data: data["added_tokens"].append({"id": 999, "content": "<think>", "special": False}),
    "what is special": lambda data: data["added_tokens"][0].update(special=False),
}
CONFIG_CHANGES = {
    "an added token": lambda data: data.update(added_tokens_decoder={"999": {"content": "<think>", "special": False}}),
    "end of sequence": lambda data: data.update(eos_token="<|endoftext|>"),
    "beginning of sequence": lambda data: data.update(bos_token=None),
}


@pytest.mark.parametrize("name", TOKENIZER_CHANGES)
def test_another_tokenizer_is_another_fingerprint(student, folder, name):
    edit(folder, "tokenizer.json", TOKENIZER_CHANGES[name])
    assert tokenizer_fingerprint(folder) != tokenizer_fingerprint(student)
    assert template_fingerprint(folder) == template_fingerprint(student)


@pytest.mark.parametrize("name", CONFIG_CHANGES)
def test_another_configuration_is_another_fingerprint(student, folder, name):
    edit(folder, "tokenizer_config.json", CONFIG_CHANGES[name])
    assert tokenizer_fingerprint(folder) != tokenizer_fingerprint(student)


def test_another_template_is_another_fingerprint(student, folder):
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    assert tokenizer_fingerprint(folder) != tokenizer_fingerprint(student)
    assert template_fingerprint(folder) != template_fingerprint(student)


def test_other_weights_have_the_same_fingerprint(student, folder):
    (folder / "model.safetensors").write_bytes(b"other")
    assert tokenizer_fingerprint(folder) == tokenizer_fingerprint(student)


def test_a_fingerprint_of_before_is_compared_with_one_of_its_kind(student):
    """Those of manifests of format 2: SHA-256 of the bytes of tokenizer and template, without a version."""
    parts = (student / name for name in ("tokenizer.json", "chat_template.jinja"))
    old = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
    assert tokenizer_fingerprint(student, like=old) == old
    assert tokenizer_fingerprint(student).startswith("2:")
    assert tokenizer_fingerprint(student, like=tokenizer_fingerprint(student)) == tokenizer_fingerprint(student)


@pytest.mark.parametrize(("text", "match"), [(None, "no such file"), ("{", "not JSON"), ("[]", "not a JSON object")])
def test_a_folder_without_a_tokenizer_is_refused(folder, text, match):
    path = folder / "tokenizer.json"
    path.unlink()
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=match):
        tokenizer_fingerprint(folder)
