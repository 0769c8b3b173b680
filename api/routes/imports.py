"""Imports: rows of a file, sent in the body or lying in the workspace, become problems and traces, by a job."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gradus.api import importing
from gradus.api.auth import ActorDep
from gradus.api.faults import Fault
from gradus.api.idempotency import idempotent
from gradus.api.jobs import job as jobs
from gradus.api.paths import inside
from gradus.api.routes.base import WorkspaceDep
from gradus.api.routes.jobs import JobRecord, QueueDep, accepted
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, DataError

router = APIRouter(tags=["imports"])
SUFFIXES = {
    "application/x-ndjson": ".jsonl",
    "application/jsonl": ".jsonl",
    "application/vnd.apache.parquet": ".parquet",
}
OURS = re.compile(r"(server|parts|snapshots)(/|$)|gradus\.duckdb|\.")
"""What a workspace keeps for itself."""
JSON_BYTES = 64 << 10
Text = Annotated[str, Field(max_length=200)]


class Told(BaseModel):
    """What is said of the rows; what they say themselves counts first."""

    model_config = ConfigDict(extra="forbid")
    format: str = Field(max_length=100, description="the layout of the rows, as `jsonl`")
    split: Text | None = None
    licence: Text = ""
    domain: Text = ""
    tags: list[Text] = Field(default=[], max_length=20)


class ImportRequest(Told):
    """A file or folder of the workspace, by its path in it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"path": "imports/mine.jsonl", "format": "jsonl"}]})
    path: str = Field(max_length=1000)


class UploadQuery(BaseModel):
    """What is said of rows that are sent in the body; without `format` the body is an ImportRequest."""

    model_config = ConfigDict(extra="forbid")
    format: str | None = Field(default=None, max_length=100, description="the layout of the rows that are sent")
    name: str = Field(default="upload", pattern=r"^[\w-]{1,60}$", description="their source's name")
    split: Text | None = None
    licence: Text = ""
    domain: Text = ""
    tags: list[Text] = Field(default=[], max_length=20)


BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": ImportRequest.model_json_schema()},
            **{media: {"schema": {"type": "string", "format": "binary"}} for media in SUFFIXES},
        },
    }
}


@router.post("/imports", status_code=202, dependencies=[Depends(idempotent)], openapi_extra=BODY)
async def start_import(
    request: Request,
    told: Annotated[UploadQuery, Query()],
    response: Response,
    workspace: WorkspaceDep,
    queue: QueueDep,
    actor: ActorDep,
) -> JobRecord:
    """Import a file that lies in the workspace, or that the body is (JSON lines or Parquet, as `Content-Type` says)."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == "application/json":
        told_by_body = _parsed(await _said(request))
        source = await run_in_threadpool(_source, workspace, told_by_body.path)
        asked: Told = told_by_body
        folder = jobs.new_job(workspace)
    else:
        suffix = SUFFIXES.get(media)
        if suffix is None:
            raise Fault(415, f"Content-Type {media!r}: wanted is application/json, {', '.join(SUFFIXES)}")
        asked = _asked(told)
        folder = jobs.new_job(workspace)
        source = folder / f"{told.name}{suffix}"
        with source.open("wb") as file:
            await _receive(request, file)
    arguments = {"source": source.name, **asked.model_dump(exclude_defaults=True)}
    argv = ["problems", "import", str(source), *_options(asked)]
    job = jobs.submit(folder, "import", arguments, argv=argv, writes=True, actor=actor.name)
    return accepted(job, queue, response)


async def _said(request: Request) -> bytes:
    """Return a body that is no file, and so is short."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > JSON_BYTES:
            raise Fault(413, f"more than {JSON_BYTES} bytes of JSON; rows are sent as {', '.join(SUFFIXES)}")
    return body


def _parsed(body: bytes) -> ImportRequest:
    try:
        asked = ImportRequest.model_validate_json(body)
    except ValidationError as error:
        wrong = [
            {**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False, include_context=False)
        ]
        raise RequestValidationError(wrong) from None
    return _known(asked)


def _asked(told: UploadQuery) -> Told:
    if told.format is None:
        raise Fault(422, f"query.format: is needed: one of {', '.join(importing.formats())}")
    return _known(Told(**told.model_dump(exclude={"name"})))


def _known(told: Any) -> Any:
    if told.format not in importing.formats():
        raise ConfigError(f"no format {told.format!r}. Known: {', '.join(importing.formats())}.")
    return told


def _source(workspace: Workspace, path: str) -> Path:
    found = inside(workspace.root, path)
    if OURS.match(str(found.relative_to(workspace.root.resolve()))):
        raise DataError(f"{path!r} is the workspace's own; put what is to be imported into a folder as `imports`")
    if not found.exists():
        raise DataError(f"{path!r}: no such file in the workspace; send the rows in the body, or put it there")
    return found


async def _receive(request: Request, file: BinaryIO) -> None:
    """Write the body into a file; jobs of a server that is killed meanwhile are not in the queue yet."""
    async for chunk in request.stream():
        await run_in_threadpool(file.write, chunk)
    file.flush()
    await run_in_threadpool(os.fsync, file.fileno())


def _options(told: Told) -> list[str]:
    given = {"--format": told.format, "--split": told.split, "--licence": told.licence, "--domain": told.domain}
    return [*(f"{name}={value}" for name, value in given.items() if value), *(f"--tag={tag}" for tag in told.tags)]
