"""What a folder's tokenizer and chat template are, as one hash: rendered tokens mean the same only where it is equal.

Version 2, `2:<sha256>`, covers what decides how text becomes tokens: the normalizer, pre-tokenizer and model of
`tokenizer.json`, all added tokens wherever they are declared, BOS and EOS, and the chat template that is used where
none is named, be it in `chat_template.jinja` or `tokenizer_config.json`. How the JSON is laid out does not count, nor
what each version of transformers adds to it without effect. Not covered: other named templates, limits of length,
padding, and what is only used to decode. Hashes without a version are of the bytes; manifests made before have them.
Standard library only.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from gradus.errors import DataError

VERSION = "2:"
WITHOUT_EFFECT = ("version", "truncation", "padding", "decoder", "post_processor")
"""Of `tokenizer.json`: we cut and pad nothing, and every special token is the template's."""
FLAGS = ("special", "lstrip", "rstrip", "single_word", "normalized")
"""Of an added token."""


def tokenizer_fingerprint(folder: Path, like: str = VERSION) -> str:
    """Return the hash of a model folder's tokenizer and template, of the version that `like` is of."""
    if not like.startswith(VERSION):
        return _of_bytes(folder)
    config, tokenizer = _config(folder), _read(folder / "tokenizer.json")
    said = {
        "tokenizer": {key: value for key, value in tokenizer.items() if key not in (*WITHOUT_EFFECT, "added_tokens")}
        | {"model": _model(tokenizer.get("model") or {})},
        "added": _added(tokenizer, config),
        "special": {name: _special(folder, config, name) for name in ("bos_token", "eos_token")},
        "template": chat_template(folder),
    }
    return _hash(said)


def template_fingerprint(folder: Path) -> str:
    """Return the hash of the chat template alone."""
    return _hash(chat_template(folder))


def chat_template(folder: Path) -> str:
    """Return the template that is used where none is named, as Jinja reads it; empty: there is none."""
    file = folder / "chat_template.jinja"
    found: Any = file.read_text(encoding="utf-8") if file.exists() else _config(folder).get("chat_template")
    if isinstance(found, list):
        found = {one["name"]: one["template"] for one in found}
    if isinstance(found, dict):
        found = found.get("default")
    lines = str(found or "").replace("\r\n", "\n").replace("\r", "\n")
    return lines.removesuffix("\n")


def _model(model: dict[str, Any]) -> dict[str, Any]:
    """Return the model with merges as pairs, without what is the same as not said."""
    said = {key: value for key, value in model.items() if value is not None and value is not False and value != ""}
    if "merges" in said:
        said["merges"] = [merge.split(" ") if isinstance(merge, str) else merge for merge in said["merges"]]
    return said


def _added(tokenizer: dict[str, Any], config: dict[str, Any]) -> list[Any]:
    """Return every added token once, by id; two for an id that is declared in two ways."""
    declared = [(token["id"], token) for token in tokenizer.get("added_tokens") or ()]
    declared += [(int(number), token) for number, token in (config.get("added_tokens_decoder") or {}).items()]
    return sorted({(place, one["content"], *(bool(one.get(flag)) for flag in FLAGS)) for place, one in declared})


def _special(folder: Path, config: dict[str, Any], name: str) -> str:
    """Return a special token, which older folders declare in a file of its own, and some as a record."""
    token: Any = config.get(name) or _read(folder / "special_tokens_map.json", needed=False).get(name)
    return str(token.get("content") if isinstance(token, dict) else token or "")


def _config(folder: Path) -> dict[str, Any]:
    return _read(folder / "tokenizer_config.json", needed=False)


def _read(path: Path, *, needed: bool = True) -> dict[str, Any]:
    if not needed and not path.exists():
        return {}
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; a model's folder needs its tokenizer") from None
    except ValueError as error:
        raise DataError(f"{path}: not JSON: {error}") from None
    if not isinstance(data, dict):
        raise DataError(f"{path}: not a JSON object")
    return data


def _hash(said: Any) -> str:
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return VERSION + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _of_bytes(folder: Path) -> str:
    digest = hashlib.sha256((folder / "tokenizer.json").read_bytes())
    template = folder / "chat_template.jinja"
    if template.exists():
        digest.update(template.read_bytes())
    else:
        digest.update(str(_read(folder / "tokenizer_config.json").get("chat_template", "")).encode())
    return digest.hexdigest()
