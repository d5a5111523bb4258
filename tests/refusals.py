"""The shape of every refusal: Graph's error, as both SDKs read it."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any, Protocol


class Headers(Protocol):
    """The headers of the test client's responses, and of http.client's."""

    def __getitem__(self, name: str, /) -> str: ...


def message_of(status: int, headers: Headers, body: bytes) -> tuple[str, str]:
    """The code and the message of a refusal, once all else of it was checked."""
    assert 400 <= status < 600
    assert headers["Content-Type"] == "application/json"
    document: dict[str, Any] = json.loads(body)
    assert document.keys() == {"error"}
    error = document["error"]
    assert error.keys() == {"code", "message", "innerError"}
    inner = error["innerError"]
    assert inner.keys() == {"date", "request-id", "client-request-id"}
    datetime.strptime(inner["date"], "%Y-%m-%dT%H:%M:%S")
    assert str(uuid.UUID(inner["request-id"])) == inner["request-id"] == headers["request-id"]
    assert inner["client-request-id"] == headers["client-request-id"]
    assert headers["OData-Version"] == "4.0"
    assert isinstance(error["message"], str)
    assert error["message"]
    return error["code"], error["message"]
