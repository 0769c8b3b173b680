"""Every error in one shape: `application/problem+json` of RFC 9457.

`{type, title, status, detail, instance}`: `title` is the status in words, `detail` what is wrong, where, and what to do
next, `instance` the path that was asked for. What nobody foresaw is a 500 that says nothing of the inside: see logs.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from gradus.api.methods import allowed_methods
from gradus.api.paths import without_root
from gradus.errors import ConfigError, DataError, GradusError, MachineError, WorkspaceError

MEDIA_TYPE = "application/problem+json"
STATUS = {ConfigError: 422, DataError: 422, WorkspaceError: 409, MachineError: 503}


class ProblemDetails(BaseModel):
    """What is wrong with a request, as RFC 9457 has it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "no problem 'ffff'; GET /v1/problems lists them",
                    "instance": "/v1/problems/ffff",
                }
            ]
        }
    )
    type: str = Field(description="`about:blank`: the status says which kind it is")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="what is wrong, where, and what to do next")
    instance: str = Field(description="the path of the request")


class Fault(HTTPException):
    """Refuse the request: `Fault(404, "no problem 'x'; GET /v1/problems lists them")`."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, dict(headers or {}))


class AnswerError(HTTPException):
    """Answer with this response, and go no further."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def problem_response(
    status: int, detail: str, headers: Mapping[str, str] | None = None, *, instance: str = ""
) -> JSONResponse:
    """Return an error as the one shape."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
    }
    return JSONResponse(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def answer_errors(app: FastAPI) -> None:
    """Have app answer every error in the one shape."""

    @app.exception_handler(GradusError)
    def explain(request: Request, error: GradusError) -> JSONResponse:
        status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)
        detail = without_root(request.app.state.workspace.root, str(error))
        return problem_response(status, detail, instance=request.url.path)

    @app.exception_handler(HTTPException)
    def refuse(request: Request, error: HTTPException) -> Response:
        return _refusal(request, error)

    @app.exception_handler(RequestValidationError)
    def correct(request: Request, error: RequestValidationError) -> JSONResponse:
        return _correction(request, error)


def _refusal(request: Request, error: HTTPException) -> Response:
    if isinstance(error, AnswerError):
        return error.response
    if error.status_code < 400:
        return Response(status_code=error.status_code, headers=error.headers)
    path, status, detail, headers = request.url.path, error.status_code, error.detail, dict(error.headers or {})
    if status == 404 and detail == HTTPStatus(404).phrase:
        detail = f"no {path}; /openapi.json lists what there is"
    if status == 405:
        headers["Allow"] = ", ".join(allowed_methods(request.app, request.scope))
        detail = f"{path} takes {headers['Allow']}, not {request.method}"
    detail = without_root(request.app.state.workspace.root, detail)
    return problem_response(status, detail, headers, instance=path)


def _correction(request: Request, error: RequestValidationError) -> JSONResponse:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    of_body = any(one["loc"][0] == "body" for one in error.errors())
    if of_body and request.headers.get("content-length") != "0" and not (media.endswith(("/json", "+json"))):
        given = repr(media) if media else "none"
        wanted = f"Content-Type: application/json is wanted, not {given}"
        return problem_response(415, wanted, instance=request.url.path)
    wrong = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return problem_response(422, "; ".join(wrong), instance=request.url.path)
