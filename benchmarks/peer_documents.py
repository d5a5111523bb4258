"""The configuration of the peers: the same object and alerts, in the form of each."""

from __future__ import annotations

import json
import uuid
from typing import Any

from benchmarks import documents


def environment(port: int, buckets: dict[str, Any]) -> dict[str, Any]:
    """Mockoon's data file: a CRUD route for each data bucket. Mockoon fills in the rest."""
    data, routes = [], []
    for number, (name, value) in enumerate(buckets.items()):
        bucket = f"b{number:03}"
        data.append(
            {"uuid": str(uuid.uuid4()), "id": bucket, "name": name, "value": json.dumps(value)}
        )
        response = {"bodyType": "DATABUCKET", "databucketID": bucket, "default": True}
        routes.append(
            {
                "uuid": str(uuid.uuid4()),
                "type": "crud",
                "method": "",
                "endpoint": name,
                "responses": [{"uuid": str(uuid.uuid4()), **response}],
            }
        )
    children = [{"type": "route", "uuid": each["uuid"]} for each in routes]
    return {
        "uuid": str(uuid.uuid4()),
        "name": "security",
        "port": port,
        "data": data,
        "routes": routes,
        "rootChildren": children,
    }


def openapi(path: str) -> dict[str, Any]:
    """The page's PATCH and GET of the singleton, as an OpenAPI description."""
    text = {"type": "string", "nullable": True}
    names = ("endpoint", "provider", "region", "vendor", "@odata.type")
    status = dict.fromkeys(names, text) | {"enabled": {"type": "boolean", "nullable": True}}
    item = {"type": "object", "properties": status, "additionalProperties": False}
    listed = {"type": "array", "items": item}
    security = {
        "type": "object",
        "properties": {"@odata.type": text, "id": text, "providerStatus": listed},
    }
    answer = {"application/json": {"schema": security, "example": documents.security()}}
    answered = {"responses": {"200": {"description": "The object", "content": answer}}}
    sent = {"requestBody": {"content": {"application/json": {"schema": security}}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Security", "version": "1"},
        "paths": {path: {"get": answered, "patch": sent | answered}},
    }


def stub(method: str, path: str) -> dict[str, Any]:
    answer = {"status": 200, "jsonBody": documents.security()}
    headers = {"headers": {"Content-Type": "application/json"}}
    return {"request": {"method": method, "urlPath": path}, "response": answer | headers}


def attribute(value: Any) -> dict[str, Any]:
    """A JSON value as DynamoDB writes it."""
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, dict):
        return {"M": {name: attribute(item) for name, item in value.items()}}
    if isinstance(value, list):
        return {"L": [attribute(item) for item in value]}
    return {"S": str(value)}
