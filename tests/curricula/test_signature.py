"""A signature holds for the very manifest and key that made it, and openssl says the same."""

import shutil
import subprocess

import pytest
from made_manifests import make_manifest, make_stage, make_workspace

from gradus.curricula.find import list_manifests
from gradus.curricula.signature import check_signature, sign
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, DataError

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the keys")


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Make two pairs of keys as the documentation says."""
    folder = tmp_path_factory.mktemp("keys")
    for name in "ab":
        openssl("genpkey", "-algorithm", "ed25519", "-out", folder / f"{name}.pem")
        openssl("pkey", "-in", folder / f"{name}.pem", "-pubout", "-out", folder / f"{name}.pub")
    openssl("genrsa", "-out", folder / "rsa.pem", "2048")
    openssl("pkcs8", "-topk8", "-in", folder / "a.pem", "-passout", "pass:x", "-out", folder / "locked.pem")
    (folder / "none.pem").write_text("not a key")
    return folder


@pytest.fixture
def path(tmp_path):
    root = make_workspace(tmp_path)
    return make_manifest(root, make_stage(root, [4, 6, 10]))


def test_a_signature_holds_and_openssl_agrees(path, keys):
    found = sign(path, keys / "a.pem")
    check_signature(path, keys / "a.pub")
    assert found.stat().st_size == 64
    openssl("pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", keys / "a.pub", "-sigfile", found, "-in", path)
    assert sign(path, keys / "a.pem").read_bytes() == found.read_bytes()


def test_a_signature_that_openssl_made_holds(path, keys):
    openssl("pkeyutl", "-sign", "-rawin", "-inkey", keys / "a.pem", "-out", path.with_suffix(".sig"), "-in", path)
    check_signature(path, keys / "a.pub")


def test_another_key_or_a_changed_signature_is_refused(path, keys):
    found = sign(path, keys / "a.pem")
    with pytest.raises(DataError, match=r"b\.pub"):
        check_signature(path, keys / "b.pub")
    raw = found.read_bytes()
    for spoilt in (bytes([raw[0] ^ 1]) + raw[1:], raw[:-1], raw + b"\0", b""):
        found.write_bytes(spoilt)
        with pytest.raises(DataError, match="not a signature of this manifest"):
            check_signature(path, keys / "a.pub")


def test_a_signature_of_another_manifest_is_refused(path, keys):
    root = path.parents[1]
    other = make_manifest(root, make_stage(root, [1, 2]))
    sign(other, keys / "a.pem").rename(path.with_suffix(".sig"))
    with pytest.raises(DataError, match="not a signature of this manifest"):
        check_signature(path, keys / "a.pub")


def test_a_manifest_without_a_signature_says_how_to_sign(path, keys):
    with pytest.raises(DataError, match="not signed; `gradus curriculum sign"):
        check_signature(path, keys / "a.pub")


def test_what_cannot_be_proven_is_not_signed(path, keys):
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(DataError, match="it was changed"):
        sign(path, keys / "a.pem")
    assert not path.with_suffix(".sig").exists()


@pytest.mark.parametrize("name", ["rsa.pem", "locked.pem", "none.pem", "missing.pem", "a.pub"])
def test_what_is_no_private_key_is_refused(path, keys, name):
    with pytest.raises(ConfigError, match="no Ed25519 private key"):
        sign(path, keys / name)


@pytest.mark.parametrize("name", ["none.pem", "missing.pub", "a.pem"])
def test_what_is_no_public_key_is_refused(path, keys, name):
    with pytest.raises(ConfigError, match="no Ed25519 public key"):
        check_signature(path, keys / name)


def test_a_signature_is_no_manifest(path, keys):
    sign(path, keys / "a.pem")
    assert list_manifests(Workspace(path.parents[1])) == [path]
