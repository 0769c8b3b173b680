"""What `gradus curriculum` does with a manifest's files: prove, sign, and write them for other trainers."""

from __future__ import annotations

import json
import time
from pathlib import Path

from gradus.api.commands.base import Result
from gradus.curricula import manifest as m
from gradus.curricula.verify import verify
from gradus.errors import ConfigError


def verified(path: Path, public_key: Path | None) -> Result:
    """Prove a manifest, and whose signature it has if a key is given."""
    start = time.perf_counter()
    manifest = verify(path)
    seconds = time.perf_counter() - start
    num_bytes = sum(m.shard_path(path, shard).stat().st_size for shard in manifest.files().values())
    speed = num_bytes / 1e6 / seconds
    text = f"{path}: {len(manifest.files())} files of {num_bytes / 1e6:.1f} MB are what it says ({speed:.0f} MB/s)"
    if public_key:
        from gradus.curricula.signature import check_signature

        check_signature(path, public_key)
        text += f"; signed by the key of {public_key}"
    found = {"manifest": manifest.id, "files": len(manifest.files()), "bytes": num_bytes, "seconds": round(seconds, 3)}
    return Result(found | {"signed": bool(public_key)}, text)


def signed(path: Path, key: Path | None) -> Result:
    """Sign a manifest that is proven."""
    if key is None:
        raise ConfigError(
            "`curriculum sign` needs --key FILE: `openssl genpkey -algorithm ed25519 -out FILE` makes one"
        )
    from gradus.curricula.signature import sign

    found = sign(path, key)
    return Result({"manifest": path.stem, "signature": str(found)}, f"{path}: proven and signed, in {found}")


def exported(path: Path, folder: Path | None, *, packed: bool) -> Result:
    """Write the stages for other trainers."""
    if folder is None:
        raise ConfigError("`curriculum export` needs --to FOLDER, a new one or an earlier export")
    from gradus.curricula.export import export_stages

    counts = export_stages(path, folder, packed=packed)
    what = "sequences" if packed else "documents"
    text = "\n".join(f"  {num:>8} {what} of {stage}" for stage, num in counts["rows"].items())
    return Result(counts | {"manifest": path.stem}, f"{counts['kept']} documents written to {folder}\n{text}")


def schema() -> Result:
    """Print the JSON Schema of manifests."""
    from gradus.curricula.schema import manifest_schema

    found = manifest_schema()
    return Result(found, json.dumps(found, indent=1, ensure_ascii=False))
