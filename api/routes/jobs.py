"""Jobs: commands that take long, run beside the server; follow them, cancel them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from gradus.api.auth import ActorDep
from gradus.api.faults import Fault
from gradus.api.idempotency import idempotent
from gradus.api.jobs import job as jobs
from gradus.api.jobs.commands import JobRequest, argv_of
from gradus.api.jobs.events import read_events
from gradus.api.jobs.job import OVER, Job, State
from gradus.api.jobs.queue import Queue
from gradus.api.jobs.sse import EVENTS, LastEventId, stream
from gradus.api.routes.base import WorkspaceDep
from gradus.engine.workspace import Workspace
from gradus.errors import DataError


@asynccontextmanager
async def _working(app: Any) -> AsyncIterator[None]:
    """Start jobs as long as the server runs; they go on without it."""
    queue: Queue = app.state.queue
    queue.start()
    try:
        yield
    finally:
        await run_in_threadpool(queue.stop)


router = APIRouter(tags=["jobs"], lifespan=_working)


EXAMPLE = {"requestBody": {"content": {"application/json": {"example": {"command": "judge", "arguments": {}}}}}}


class JobRecord(BaseModel):
    """A job: what was asked for, by whom, how it stands. Times are in UTC."""

    id: str
    command: str
    arguments: dict[str, Any]
    actor: str
    created: str
    state: State
    started: str | None
    ended: str | None
    exit_code: int | None
    result: Any
    error: str | None


class JobPage(BaseModel):
    """Jobs, newest first, and the cursor of the next page; null on the last."""

    rows: list[JobRecord]
    next: str | None


def _queue(request: Request) -> Queue:
    queue: Queue = request.app.state.queue
    return queue


def _job(workspace: WorkspaceDep, id: Annotated[str, Path(max_length=40)]) -> Job:
    try:
        return jobs.find_job(workspace, id)
    except DataError as error:
        raise Fault(404, str(error)) from None


QueueDep = Annotated[Queue, Depends(_queue)]
JobDep = Annotated[Job, Depends(_job)]


def accepted(job: Job, queue: Queue, response: Response) -> JobRecord:
    """Say that a job was taken in, and where it is."""
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    record = JobRecord(**job.describe())
    queue.notify()
    return record


@router.post("/jobs", status_code=202, dependencies=[Depends(idempotent)], openapi_extra=EXAMPLE)
def start_job(
    request: JobRequest, response: Response, workspace: WorkspaceDep, queue: QueueDep, actor: ActorDep
) -> JobRecord:
    """Have a command run; those that write the workspace run one after the other."""
    argv = argv_of(request, workspace)
    arguments = request.arguments.model_dump(exclude_defaults=True)
    folder = jobs.new_job(workspace)
    job = jobs.submit(folder, request.command, arguments, argv=argv, writes=True, actor=actor.name)
    return accepted(job, queue, response)


@router.get("/jobs")
def list_jobs(
    workspace: WorkspaceDep,
    response: Response,
    state: State | None = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="rows a page")] = 100,
    cursor: Annotated[str | None, Query(max_length=40, description="`next` of the page before")] = None,
) -> JobPage:
    """Return the jobs, newest first."""
    rows: list[JobRecord] = []
    for job in reversed(_before(workspace, cursor)):
        if state is None or job.state() == state:
            if len(rows) == limit:
                last = rows[-1].id
                more = f"&state={state}" if state else ""
                response.headers["Link"] = f'</v1/jobs?limit={limit}{more}&cursor={last}>; rel="next"'
                return JobPage(rows=rows, next=last)
            rows.append(JobRecord(**job.describe()))
    return JobPage(rows=rows, next=None)


@router.get("/jobs/{id}")
def read_job(job: JobDep) -> JobRecord:
    """Return one job."""
    return JobRecord(**job.describe())


@router.get("/jobs/{id}/events", responses=EVENTS)
def watch_job(job: JobDep, after: LastEventId = 0) -> Response:
    """Follow a job: events `state`, `progress` and `log` as they come, `end` when it is over."""
    if after and job.state() in OVER and not any(read_events(job.events, after)):
        return Response(status_code=204)
    return stream(lambda last: read_events(job.events, last), lambda: job.state() in OVER, after)


@router.post("/jobs/{id}/cancel")
def cancel_job(job: JobDep, actor: ActorDep) -> JobRecord:
    """End a job with every process that it started; what is over stays as it is."""
    job.cancel(actor.name)
    return JobRecord(**job.describe())


def _before(workspace: Workspace, cursor: str | None) -> list[Job]:
    if cursor and not jobs.ID.fullmatch(cursor):
        raise DataError(f"cursor {cursor!r} is not one of ours; use `next` of the page before")
    return [job for job in jobs.list_jobs(workspace) if not cursor or job.id < cursor]
