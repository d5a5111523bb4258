"""Answers that a test prepares, for a stub or a fault: a status, headers and a body.

What is given is checked and written down as bytes at once, so that nothing which the test
does to it later changes the answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from wsgiref.util import is_hop_by_hop

import orjson

from mockgraph.errors import BadRequest
from mockgraph.http import Response

HeaderValues = Mapping[str, str | Sequence[str]] | Sequence[tuple[str, str]]
Pairs = tuple[tuple[str, str], ...]

_JSON = "application/json"
_TEXT = "text/plain;charset=utf-8"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Body(NamedTuple):
    """The bytes of a body, and what they are."""

    data: bytes
    content_type: str

    def shown(self) -> Any:
        """The body as JSON shows it: a value, or a text."""
        if self.content_type == _JSON:
            return orjson.loads(self.data)
        return self.data.decode(errors="replace")


class Prepared(NamedTuple):
    """A whole answer."""

    status: int
    headers: Pairs = ()
    body: Body | None = None

    def response(self) -> Response:
        """The answer, made anew for one request."""
        response = Response(self.status)
        if self.body is not None:
            put_body(response, self.body)
        put_headers(response, self.headers)
        return response


def put_body(response: Response, body: Body) -> None:
    """Give a response this body."""
    put_data(response, body.data)
    response.set("Content-Type", body.content_type)


def put_data(response: Response, data: bytes) -> None:
    """Give a response these bytes, whatever they are."""
    response.body, response.chunks = data, None
    response.headers = [pair for pair in response.headers if pair[0].lower() != "content-length"]


def data_of(response: Response) -> bytes:
    """The bytes of a response, which keeps them where they were to come bit by bit."""
    if response.chunks is not None:
        put_data(response, b"".join(response.chunks))
    return response.body


def put_headers(response: Response, headers: Pairs) -> None:
    """Give a response these headers instead of its own of the same names."""
    names = {name.lower() for name, _ in headers}
    kept = [pair for pair in response.headers if pair[0].lower() not in names]
    response.headers = [*kept, *headers]


def read_status(status: int) -> int:
    """A status that an answer may have. Raises BadRequest."""
    if not 200 <= status <= 599:
        raise BadRequest("status: A status goes from 200 to 599.")
    return status


def read_headers(headers: HeaderValues | None) -> Pairs:
    """Headers as pairs; one name may have several values.

    Raises BadRequest for what cannot be sent, and for what the server alone can say: the
    headers of the connection, and the length of the content.
    """
    if headers is None:
        return ()
    pairs: list[tuple[str, str]] = []
    for name, values in headers.items() if isinstance(headers, Mapping) else headers:
        if not _TOKEN.fullmatch(name):
            raise BadRequest(f"headers: {name!r} is not the name of a header.")
        if is_hop_by_hop(name) or name.lower() == "content-length":
            raise BadRequest(f"headers/{name}: This header is the server's.")
        for value in [values] if isinstance(values, str) else values:
            if _CONTROL.search(value) or not _is_latin(value):
                raise BadRequest(f"headers/{name}: The value cannot be sent in a header.")
            pairs.append((name, value))
    return tuple(pairs)


def shown_headers(headers: Pairs) -> dict[str, str | list[str]]:
    """Headers as JSON gives them: a list where there are several of one name."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    return {name: each[0] if len(each) == 1 else each for name, each in values.items()}


def json_body(value: Any, name: str = "json") -> Body:
    """A JSON value as a body. Raises BadRequest, in the given name, where it is none."""
    try:
        return Body(orjson.dumps(value), _JSON)
    except TypeError as error:
        raise BadRequest(f"{name}: The value cannot be written as JSON: {error}.") from None


def any_body(value: Any, name: str = "body") -> Body:
    """A body: text or bytes as they are, any other value as JSON. Raises BadRequest."""
    if isinstance(value, bytes):
        return Body(value, "application/octet-stream")
    if not isinstance(value, str):
        return json_body(value, name)
    try:
        return Body(value.encode(), _TEXT)
    except UnicodeEncodeError:
        raise BadRequest(f"{name}: The text cannot be written as UTF-8.") from None


def _is_latin(text: str) -> bool:
    """Whether the text can be sent as ISO 8859-1, as WSGI has headers."""
    return all(character <= "\xff" for character in text)
