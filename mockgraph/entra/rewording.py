"""Errors that others give on Entra's endpoints, such as a test's faults, said as Entra says them.

Clients of Entra look for OAuth's word in ``error``: MSAL waits and tries again where it is
``temporarily_unavailable``.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import orjson

from mockgraph.entra.answers import error_body
from mockgraph.entra.errors import EntraError
from mockgraph.entra.routes import answers_programs

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from mockgraph.entra.entra import Entra
    from mockgraph.http import Response


class _Refused(EntraError):
    number = 90013
    text = "{}"


class _Throttled(EntraError):
    number = 90055
    error = "temporarily_unavailable"
    text = "{}"


class _Failed(EntraError):
    number = 90024
    error = "server_error"
    text = "{}"


class _Unavailable(EntraError):
    number = 90006
    error = "temporarily_unavailable"
    text = "{}"


def reword(entra: Entra, request: Request, response: Response) -> None:
    """Make an error in Graph's shape one in Entra's, with the same status and message.

    Others are left as they are, and so is an answer on a path that is none of Entra's.
    """
    if not answers_programs(request.path):
        return
    try:
        error = orjson.loads(response.body)["error"]
        _, message = error["innerError"], error["message"]
    except (ValueError, KeyError, TypeError):
        return
    trace_id = str(uuid.uuid4())
    said = _kind(response.status)(message)
    response.body = orjson.dumps(error_body(entra, request, said, trace_id))
    response.headers = [pair for pair in response.headers if pair[0].lower() != "content-length"]
    response.set("Content-Type", "application/json; charset=utf-8")
    response.set("x-ms-request-id", trace_id)


def _kind(status: int) -> type[EntraError]:
    if status == 429:
        return _Throttled
    if status == 500:
        return _Failed
    return _Unavailable if status > 500 else _Refused
