"""The control plane as an OpenAPI 3.1 description, derived from the declarations of its actions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mockgraph import __version__
from mockgraph.control import PREFIX
from mockgraph.control.actions import ControlAction
from mockgraph.control.json_schemas import ERROR, body_schema, schema_of, schema_of_type


def description(actions: Iterable[ControlAction], server: str) -> dict[str, Any]:
    """Return the description of the actions of a server at this URL.

    ``x-mockgraph-destructive`` marks what loses something that no other action brings back.
    """
    paths: dict[str, dict[str, Any]] = {}
    for each in actions:
        paths.setdefault(f"{PREFIX}{each.path}", {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "MockGraph's control plane",
            "version": __version__,
            "description": "What a test does to MockGraph rather than to Graph. Behind "
            "/t/{tenant} it is about that tenant.",
        },
        "servers": [{"url": server or "/"}],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR},
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "x-mockgraph-token"}
            },
        },
    }


def _operation(action: ControlAction) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": action.name,
        "summary": action.summary,
        "tags": [action.path.split("/")[1] if action.path else "about"],
        "responses": _responses(action),
    }
    if action.is_destructive:
        operation["x-mockgraph-destructive"] = True
    if parameters := _parameters(action):
        operation["parameters"] = parameters
    takes_body = action.document is not None or (action.members and not action.is_asked_by_query)
    if takes_body:
        content = {"application/json": {"schema": body_schema(action)}}
        operation["requestBody"] = {"required": action.needs_body, "content": content}
    return operation


def _parameters(action: ControlAction) -> list[dict[str, Any]]:
    found = []
    in_query = action.members if action.is_asked_by_query else ()
    for each in action.parameters:
        if each.name in action.path_names:
            place = {"name": each.name, "in": "path", "required": True}
        elif each in in_query:
            place = {"name": each.query_name, "in": "query", "required": each.is_required}
        else:
            continue
        found.append({**place, "description": each.help, "schema": schema_of(each)})
    return found


def _responses(action: ControlAction) -> dict[str, Any]:
    told: dict[str, Any] = {"description": action.summary}
    if action.is_stream:
        told["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    elif action.answers:
        told["content"] = {"application/json": {"schema": schema_of_type(action.answer_type)}}
    status = action.status if action.answers else 204
    error = {"$ref": "#/components/schemas/Error"}
    refused = {
        "description": "A refusal, in Graph's shape.",
        "content": {"application/json": {"schema": error}},
    }
    return {str(status): told, "default": refused}
