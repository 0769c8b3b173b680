"""A trainer takes a manifest only with the tokenizer and template that rendered it, and says which of them differs."""

import dataclasses
import hashlib
import json
import shutil

import pytest
import tiny

from gradus.curricula import manifest as manifests
from gradus.curricula.fingerprint import template_fingerprint, tokenizer_fingerprint
from gradus.errors import DataError
from gradus.trainer import sft
from gradus.trainer.command import check_tokenizer


@pytest.fixture
def folder(model, tmp_path):
    return shutil.copytree(model, tmp_path / "copy")


@pytest.fixture
def manifest(model, tmp_path):
    made = manifests.read(
        tiny.make_manifest(tmp_path / "workspace", model, stages=[tiny.make_stage(tmp_path / "workspace", "one")])
    )
    tokenizer = dataclasses.replace(made.tokenizer, template=template_fingerprint(model))
    return dataclasses.replace(made, tokenizer=tokenizer)


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def another_template(folder):
    (folder / "chat_template.jinja").write_text("hello")


def another_end(folder):
    edit(folder / "tokenizer_config.json", eos_token="#")


def another_token(folder):
    edit(folder / "tokenizer_config.json", added_tokens_decoder={"300": {"content": "<think>"}})


def another_normalizer(folder):
    edit(folder / "tokenizer.json", normalizer={"type": "Lowercase"})


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (another_template, "chat template"),
        (another_end, "tokenizer"),
        (another_token, "tokenizer"),
        (another_normalizer, "tokenizer"),
    ],
)
def test_what_differs_is_named(manifest, folder, change, what):
    check_tokenizer(manifest, folder)
    change(folder)
    with pytest.raises(DataError, match=f"its {what} is another .* of tiny\\); build the curriculum for this model"):
        check_tokenizer(manifest, folder)


def test_the_same_saved_in_another_way_is_taken(manifest, folder):
    for path in folder.glob("tokenizer*.json"):
        path.write_text(json.dumps(dict(reversed(json.loads(path.read_text()).items())), indent=3))
    edit(folder / "tokenizer_config.json", chat_template=(folder / "chat_template.jinja").read_text())
    (folder / "chat_template.jinja").unlink()
    check_tokenizer(manifest, folder)


def test_a_manifest_of_before_is_taken_with_the_very_bytes_that_it_names(manifest, folder):
    digest = hashlib.sha256((folder / "tokenizer.json").read_bytes() + (folder / "chat_template.jinja").read_bytes())
    old = dataclasses.replace(manifest, tokenizer=manifests.Tokenizer(model_id="tiny", fingerprint=digest.hexdigest()))
    check_tokenizer(old, folder)
    another_template(folder)
    with pytest.raises(DataError, match="build the curriculum for this model"):
        check_tokenizer(old, folder)


def test_training_does_not_start_with_another_tokenizer(model, folder, tmp_path, caplog):
    stage = tiny.make_stage(tmp_path / "workspace", "one")
    path = tiny.make_manifest(tmp_path / "workspace", model, stages=[stage])
    assert tokenizer_fingerprint(model) == manifests.read(path).tokenizer.fingerprint
    another_end(folder)
    where = ["--manifest", str(path), "--model", str(folder), "--run", str(tmp_path / "run")]
    assert sft.main([*where, "steps=1"]) == 3
    assert not (tmp_path / "run" / "run.json").exists()
