"""Manifests: what can be trained on."""

from __future__ import annotations

import dataclasses
from typing import Any

from fastapi import APIRouter

from gradus.api.routes.base import WorkspaceDep
from gradus.curricula import manifest as m
from gradus.curricula.find import find_manifest, list_manifests
from gradus.curricula.manifest import Manifest

router = APIRouter(tags=["manifests"])


@router.get("/manifests")
def all_manifests(workspace: WorkspaceDep) -> list[dict[str, Any]]:
    """Return every manifest in short, newest first."""
    return [_short(m.read(path)) for path in reversed(list_manifests(workspace))]


@router.get("/manifests/{id}")
def read_manifest(id: str, workspace: WorkspaceDep) -> dict[str, Any]:
    """Return one manifest by its id, the start of its id, or `latest`."""
    manifest = m.read(find_manifest(workspace, id))
    return {"id": manifest.id} | dataclasses.asdict(manifest)


def _short(manifest: Manifest) -> dict[str, Any]:
    stages = [{"name": s.name, "context_length": s.context_length, "tokens": s.num_tokens} for s in manifest.stages]
    num_problems = manifest.rl.problems.num_rows if manifest.rl else 0
    return {"id": manifest.id, "name": manifest.name, "stages": stages, "rl_problems": num_problems}
