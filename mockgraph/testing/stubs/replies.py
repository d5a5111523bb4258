"""What stubs answer: prepared, or made by a function of the test's own."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from werkzeug.wrappers import Response as WerkzeugResponse

from mockgraph.errors import BadRequest
from mockgraph.http import Request, Response
from mockgraph.testing.answers import (
    Body,
    HeaderValues,
    Prepared,
    any_body,
    json_body,
    read_headers,
    read_status,
    shown_headers,
)
from mockgraph.testing.matching import (
    CallbackFailed,
    Criterion,
    PathPattern,
    Predicate,
    call,
    name_of,
)

Function = Callable[..., Any]


class Reply(TypedDict, total=False):
    """What a stub answers, and for which requests of its method and path.

    The answer has a ``status`` (200 if left out, 204 where there is no body), ``headers``, and
    one of ``json``, ``text`` and ``body`` at most, the last being a text as it is or another
    value as JSON. ``times`` is how many requests it answers, None (so if left out) for any
    number. The rest narrows these down as :class:`mockgraph.testing.matching.Matching` says.
    """

    status: int
    headers: HeaderValues | None
    json: Any
    text: str
    body: Any
    times: int | None
    query: Mapping[str, Criterion] | None
    request_headers: Mapping[str, Criterion] | None
    caller: str | None
    in_batch: bool | None
    predicate: Predicate | None


def prepared(reply: Reply) -> Prepared:
    """The answer that was asked for. Raises BadRequest where it is impossible."""
    bodies = [name for name in ("json", "text", "body") if name in reply]
    if len(bodies) > 1:
        raise BadRequest(f"{bodies[1]}: There is {bodies[0]} already.")
    body = _body(reply)
    status = reply.get("status", 204 if body is None else 200)
    return Prepared(read_status(status), read_headers(reply.get("headers")), body)


def _body(reply: Reply) -> Body | None:
    if "json" in reply:
        return json_body(reply["json"])
    if "text" in reply:
        return any_body(reply["text"], "text")
    body = reply.get("body")
    return None if body is None else any_body(body)


class Callback:
    """A function that answers, and the names in the path that it has parameters for."""

    def __init__(self, function: Function, path: PathPattern):
        self._function = function
        self._name = f"function {name_of(function)} of the stub for {path.text}"
        parameters = inspect.signature(function).parameters.values()
        takes_all = any(each.kind is each.VAR_KEYWORD for each in parameters)
        own = {each.name for each in parameters}
        self._names = [name for name in path.names if takes_all or name in own]
        inspect.signature(function).bind(None, **dict.fromkeys(self._names))

    def response(self, request: Request) -> Response:
        """What the function answers. Raises CallbackFailed, and the refusal that it raises."""
        parts = request.view_args or {}
        named = {name: parts[name] for name in self._names}
        value = call(self._function, self._name, request, **named)
        try:
            return _as_response(value)
        except Exception as error:
            raise CallbackFailed(self._name, error) from error

    def __str__(self) -> str:
        return name_of(self._function)


def callback(function: Function, reply: Reply, path: PathPattern) -> Callback:
    """The function as an answer. Raises BadRequest where it cannot be called, or is not alone."""
    for name in ("status", "headers", "json", "text", "body"):
        if name in reply:
            raise BadRequest(f"{name}: The function is to answer.")
    if inspect.iscoroutinefunction(function):
        raise BadRequest(f"{name_of(function)}: A function that is async cannot answer.")
    try:
        return Callback(function, path)
    except (TypeError, ValueError) as error:
        raise BadRequest(
            f"{name_of(function)} cannot be called with the request and with the names in "
            f"{path.text} that it has parameters for: {error}."
        ) from None


def _as_response(value: Any) -> Response:
    """What a function returned, as an answer. Raises some exception where it is none."""
    match value:
        case Response():
            own = copy.copy(value)
            own.headers = list(value.headers)
            return own
        case WerkzeugResponse():
            return _taken(value)
        case None:
            return Response(204)
        case (int(status), body, *headers) if type(value) is tuple and len(headers) < 2:
            content = None if body is None else any_body(body)
            given = read_headers(headers[0]) if headers else ()
            return Prepared(read_status(status), given, content).response()
        case tuple():
            raise TypeError("a tuple is a status and a body, and headers where there are any")
        case _:
            return Prepared(200, body=any_body(value)).response()


def _taken(response: WerkzeugResponse) -> Response:
    """A response of the framework's as one of ours."""
    taken = Response(response.status_code, response.get_data())
    taken.headers = [pair for pair in response.headers if pair[0].lower() != "content-length"]
    return taken


def shown(answer: Prepared) -> dict[str, Any]:
    """A prepared answer as JSON."""
    told: dict[str, Any] = {"status": answer.status}
    if answer.headers:
        told["headers"] = shown_headers(answer.headers)
    if answer.body is not None:
        told["body"] = answer.body.shown()
    return told
