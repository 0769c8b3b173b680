"""The OpenAPI document: what FastAPI makes of the routes, with the one shape of errors in it.

An operation's id is the name of its function, which is that of its method in `gradus.api.client`.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from gradus.api.faults import MEDIA_TYPE, ProblemDetails
from gradus.api.routes.imports import ImportRequest

ERROR = {
    "description": "what is wrong, where, and what to do next",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
}
OURS = ("HTTPValidationError", "ValidationError")
"""FastAPI's own shapes of errors, which no route answers with."""


def operation_id(route: APIRoute) -> str:
    """Return the id of a route's operation."""
    return route.name


def describe(app: FastAPI) -> None:
    """Have app publish the document."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in OURS:
        schemas.pop(name, None)
    for model in (ProblemDetails, ImportRequest):
        schemas[model.__name__] = model.model_json_schema()
    for operations in document["paths"].values():
        for operation in operations.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
            operation["responses"]["default"] = ERROR
            for response in operation["responses"].values():
                _correct(response.get("content", {}))
    return document


def _correct(content: dict[str, Any]) -> None:
    """Take out what FastAPI adds to a stream of events: that it is one text, or JSON."""
    if "text/event-stream" in content:
        content["text/event-stream"].pop("schema", None)
        content.pop("application/json", None)
