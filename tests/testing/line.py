"""A line as the app has it, around one answer: requests without a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from mockgraph.errors import GraphError
from mockgraph.http import Request, Response
from mockgraph.testing.faults import Faults
from mockgraph.testing.stubs import Stubs

ALERT = b'{"@odata.etag":"W/\\"7\\"","id":"1","title":"a \\"@odata.etag\\":\\"x\\" in it"}'


def make_request(
    method: str = "GET",
    path: str = "/v1.0/security/alerts",
    headers: dict[str, str] | None = None,
    **environ: Any,
) -> Request:
    """A request; its environment is given in keywords, ``wsgi_input`` for ``wsgi.input``."""
    url, _, query = path.partition("?")
    made = EnvironBuilder(
        url, method=method, query_string=query, headers=Headers(headers or {})
    ).get_environ()
    named = {
        name if name.isupper() else name.replace("_", ".", 1): value
        for name, value in environ.items()
    }
    return Request({**made, **named})


def work(_: Request) -> Response:
    """Answer as the service would."""
    response = Response(200, ALERT, "application/json")
    response.set("ETag", 'W/"7"')
    return response


def answer(
    request: Request,
    faults: Faults | None = None,
    stubs: Stubs | None = None,
    work: Callable[[Request], Response] = work,
) -> Response:
    """Return the answer to a request."""
    stub = stubs.find(request) if stubs else None
    strike = faults.strike(request) if faults is not None else None
    response = strike.answer if strike else None
    response = response or (stub.answer(request) if stub else work(request))
    return strike.apply(response) if strike else response


def sent(request: Request, response: Response) -> tuple[str, list[tuple[str, str]], list[bytes]]:
    """Return the bytes on the wire: the status line, the headers, the body piece by piece."""
    begun: list[Any] = []
    pieces = list(response.send(request.method, lambda *given: begun.extend(given)))
    return begun[0], begun[1], pieces


def refusal(call: Callable[[], Any]) -> GraphError:
    """The refusal that a call raises."""
    try:
        call()
    except GraphError as error:
        return error
    raise AssertionError("Nothing was refused.")
