"""Exports: the workspace's records for others, written by a job and then downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from gradus.api.auth import ActorDep
from gradus.api.faults import Fault
from gradus.api.idempotency import idempotent
from gradus.api.jobs import job as jobs
from gradus.api.paths import inside
from gradus.api.routes.base import WorkspaceDep
from gradus.api.routes.jobs import JobDep, JobRecord, QueueDep, accepted
from gradus.curricula.find import find_manifest
from gradus.errors import DataError

router = APIRouter(tags=["exports"])
FOLDER = "export"
BINARY: dict[int | str, dict[str, Any]] = {
    200: {"description": "the file", "content": {"application/octet-stream": {}}}
}


class ExportRequest(BaseModel):
    """What is exported, and how."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"what": "traces", "format": "parquet"}]})
    what: Literal["traces", "problems", "attempts"] = "traces"
    format: Literal["datasets", "jsonl", "parquet"] = Field(default="datasets", description="`datasets`: with a card")
    manifest: str | None = Field(default=None, max_length=100, description="only what it names, a split a stage")


class ExportedFile(BaseModel):
    """A file of an export, by its path in it."""

    path: str
    size_bytes: int


@router.post("/exports", status_code=202, dependencies=[Depends(idempotent)])
def start_export(
    request: ExportRequest, response: Response, workspace: WorkspaceDep, queue: QueueDep, actor: ActorDep
) -> JobRecord:
    """Export records; the job's files are at `/v1/exports/{id}/files` when it has succeeded."""
    folder = jobs.new_job(workspace)
    argv = ["export", f"--to={folder / FOLDER}", f"--what={request.what}", f"--format={request.format}"]
    if request.manifest:
        argv.append(f"--manifest={find_manifest(workspace, request.manifest).stem}")
    arguments = request.model_dump(exclude_none=True)
    job = jobs.submit(folder, "export", arguments, argv=argv, writes=False, actor=actor.name)
    return accepted(job, queue, response)


def _folder(job: JobDep) -> Path:
    """Return the folder of an export that is whole."""
    if job.request().command != "export":
        raise Fault(404, f"job {job.id} is no export; POST /v1/exports makes one")
    if job.state() != "succeeded":
        raise Fault(409, f"export {job.id} is {job.state()}; GET /v1/jobs/{job.id} says more")
    return job.folder / FOLDER


FolderDep = Annotated[Path, Depends(_folder)]


@router.get("/exports/{id}/files")
def list_export(folder: FolderDep) -> list[ExportedFile]:
    """Return the files of an export."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [ExportedFile(path=str(path.relative_to(folder)), size_bytes=path.stat().st_size) for path in paths]


@router.get("/exports/{id}/files/{path:path}", response_class=FileResponse, responses=BINARY)
def download_export(folder: FolderDep, path: str) -> FileResponse:
    """Return one file of an export; a part of it, where `Range` asks for that."""
    try:
        found = inside(folder, path)
    except DataError as error:
        raise Fault(404, str(error)) from None
    if not found.is_file():
        raise Fault(404, f"no file {path!r} in this export; GET /v1/exports/…/files lists them")
    return FileResponse(found, filename=found.name, media_type="application/octet-stream")
