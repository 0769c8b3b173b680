"""`gradus curriculum verify|sign|export|schema`, as they are typed."""

import json
import shutil
import subprocess

import pytest
from datasets import load_dataset

from gradus.api.cli import main
from gradus.curricula.find import find_manifest
from gradus.curricula.manifest import read
from gradus.curricula.schema import manifest_schema


@pytest.fixture
def gradus(spoilable, capsys):
    """Return a function that runs a command in the workspace and returns what it prints as JSON."""

    def run(*arguments, status=0):
        capsys.readouterr()
        assert main([*map(str, arguments), "--workspace", str(spoilable.workspace.root), "--json"]) == status
        shown = capsys.readouterr()
        return json.loads(shown.out) if not status else shown.err

    return run


@pytest.fixture
def path(spoilable):
    return find_manifest(spoilable.workspace, "latest")


def test_verify_says_how_much_it_read_and_how_fast(gradus, path):
    found = gradus("curriculum", "verify")
    assert found["manifest"] == path.stem
    assert found["files"] == len(read(path).files())
    assert found["bytes"] > 1000
    assert found["signed"] is False


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the keys")
def test_a_manifest_is_signed_and_its_signature_verified(gradus, path, tmp_path):
    key, public = tmp_path / "key.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    assert "not signed" in gradus("curriculum", "verify", "--public-key", public, status=3)
    signed = gradus("curriculum", "sign", "--key", key)
    assert signed == {"manifest": path.stem, "signature": str(path.with_suffix(".sig"))}
    assert gradus("curriculum", "verify", "--public-key", public)["signed"] is True
    assert "needs --key" in gradus("curriculum", "sign", status=2)


@pytest.mark.parametrize("packed", [[], ["--packed"]])
def test_stages_are_exported_and_loaded(gradus, path, tmp_path, packed):
    counts = gradus("curriculum", "export", "--to", tmp_path / "out", *packed)
    for stage in read(path).stages:
        rows = load_dataset(str(tmp_path / "out"), stage.name, split="train", cache_dir=str(tmp_path / "cache"))
        assert len(rows) == counts["rows"][stage.name] == (stage.num_sequences if packed else stage.num_documents)
        assert sum(map(len, rows["input_ids"])) == stage.num_tokens
    assert "needs --to" in gradus("curriculum", "export", status=2)


def test_the_schema_needs_no_workspace(capsys):
    assert main(["curriculum", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == manifest_schema()
