"""Manifests: what can be trained on. A manifest never changes, so its ETag is its id."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from gradus.api.faults import Fault
from gradus.api.routes.base import ETAG, NOT_MODIFIED, StoreDep, WorkspaceDep, unless_same
from gradus.curricula import manifest as m
from gradus.curricula.course import courses
from gradus.curricula.diff import diff
from gradus.curricula.find import find_manifest
from gradus.curricula.find import list_manifests as manifest_paths
from gradus.curricula.manifest import Manifest
from gradus.engine.workspace import Workspace
from gradus.errors import DataError

router = APIRouter(tags=["manifests"])
RESPONSES: dict[int | str, dict[str, Any]] = {200: {"headers": ETAG}, **NOT_MODIFIED}


class StageInShort(BaseModel):
    """One stage of a curriculum."""

    name: str
    context_length: int
    tokens: int


class ManifestInShort(BaseModel):
    """What a list says of a manifest."""

    id: str
    name: str
    stages: list[StageInShort]
    rl_problems: int


@router.get("/manifests", responses=RESPONSES)
def list_manifests(request: Request, response: Response, workspace: WorkspaceDep) -> list[ManifestInShort]:
    """Return every manifest in short, newest first."""
    paths = manifest_paths(workspace)
    names = "\n".join(path.stem for path in paths)
    unless_same(request, response, f'"{hashlib.sha256(names.encode()).hexdigest()}"')
    return [_short(m.read(path)) for path in reversed(paths)]


@router.get("/manifests/{id}", responses=RESPONSES)
def read_manifest(id: str, request: Request, response: Response, workspace: WorkspaceDep) -> dict[str, Any]:
    """Return one manifest by its id, the start of its id, or `latest`."""
    path = manifest_path(workspace, id)
    unless_same(request, response, f'"{path.stem}"')
    manifest = m.read(path)
    return {"id": manifest.id} | dataclasses.asdict(manifest)


class DifficultyRow(BaseModel):
    """What a stage holds of one domain and difficulty band."""

    domain: str
    band: str
    traces: int
    tokens: int


class Course(BaseModel):
    """How a stage runs, in parts of equally many sequences."""

    name: str
    policy: str
    num_sequences: int
    upto: list[int] = Field(description="how many sequences are done at the end of each part")
    tokens: dict[str, list[int]] = Field(description="by entry of the mixture, the tokens of each part")
    scheduled: dict[str, list[float]] = Field(description="by entry, its share of each part's sequences by schedule")
    difficulty: list[DifficultyRow]


@router.get("/manifests/{id}/course", responses=RESPONSES)
def read_course(id: str, request: Request, response: Response, workspace: WorkspaceDep) -> list[Course]:
    """Return for every stage of a manifest its mixture over time, and how hard its traces are for the student."""
    path = manifest_path(workspace, id)
    unless_same(request, response, f'"{path.stem}"')
    return [Course(**course) for course in courses(path, m.read(path))]


class Change(BaseModel):
    """Traces or RL problems that came, went, moved or are drawn more or less often, for one reason."""

    section: Literal["traces", "rl"]
    change: str
    reason: str
    num: int
    ids: list[str] = Field(description="at most 20 of them")


class ManifestDiff(BaseModel):
    """What differs between two manifests; `text` says it in sentences."""

    a: str
    b: str
    same: bool
    settings: list[dict[str, Any]]
    stages: list[dict[str, Any]]
    changes: list[Change]
    text: list[str]


@router.get("/manifests/{a}/diff/{b}")
def diff_manifests(a: str, b: str, workspace: WorkspaceDep, store: StoreDep) -> ManifestDiff:
    """Say what differs between two manifests, and why: by what people said, by cleaning, by the recipe."""
    return ManifestDiff(**diff(store, manifest_path(workspace, a), manifest_path(workspace, b)))


def manifest_path(workspace: Workspace, name: str) -> Path:
    """Return the file of a manifest; 404 where there is none."""
    try:
        return find_manifest(workspace, name)
    except DataError as error:
        raise Fault(404, str(error)) from None


def _short(manifest: Manifest) -> ManifestInShort:
    return ManifestInShort(
        id=manifest.id,
        name=manifest.name,
        stages=[
            StageInShort(name=stage.name, context_length=stage.context_length, tokens=stage.num_tokens)
            for stage in manifest.stages
        ],
        rl_problems=manifest.rl.problems.num_rows if manifest.rl else 0,
    )
