"""Who vouches for a manifest: an optional Ed25519 signature beside it, `manifests/<id>.sig`.

Signed is the file, byte for byte; since it names every other file by its hash, the signature covers all that a run
trains on. It is the 64 bytes of RFC 8032 and nothing else, so that openssl makes and checks the same:

    openssl genpkey -algorithm ed25519 -out key.pem
    openssl pkey -in key.pem -pubout -out public.pem
    openssl pkeyutl -verify -rawin -pubin -inkey public.pem -sigfile <id>.sig -in <id>.json

A manifest has one signature at a time. Not covered: whose key it is, keys with a password, and when it was signed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradus.curricula.verify import verify
from gradus.engine.parts import atomic_file
from gradus.errors import ConfigError, DataError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def signature_path(path: Path) -> Path:
    """Return where a manifest's signature lies."""
    return path.with_suffix(".sig")


def sign(path: Path, key_path: Path) -> Path:
    """Prove a manifest, sign it with a private key, and return the signature's path."""
    key = _private(key_path)
    verify(path)
    with atomic_file(signature_path(path)) as file:
        file.write(key.sign(path.read_bytes()))
    return signature_path(path)


def check_signature(path: Path, public_path: Path) -> None:
    """Raise DataError unless the manifest's signature is that of the public key's owner."""
    from cryptography.exceptions import InvalidSignature

    key, found = _public(public_path), signature_path(path)
    if not found.is_file():
        raise DataError(f"{path}: not signed; `gradus curriculum sign --key FILE` signs it")
    try:
        key.verify(found.read_bytes(), path.read_bytes())
    except InvalidSignature:
        raise DataError(f"{found}: not a signature of this manifest by the key of {public_path}") from None


def _private(path: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    def load(raw: bytes) -> Any:
        return load_pem_private_key(raw, password=None)

    how = f"`openssl genpkey -algorithm ed25519 -out {path}` makes one"
    return _key(path, load, Ed25519PrivateKey, f"no Ed25519 private key without a password, in PEM; {how}")


def _public(path: Path) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    how = f"`openssl pkey -in KEY -pubout -out {path}` makes it of a private one"
    return _key(path, load_pem_public_key, Ed25519PublicKey, f"no Ed25519 public key in PEM; {how}")


def _key(path: Path, load: Any, kind: type[Any], wanted: str) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        key = load(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; {wanted}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError(f"{path}: {wanted}") from None
    if not isinstance(key, kind):
        raise ConfigError(f"{path}: {wanted}")
    return key
