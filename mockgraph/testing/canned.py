"""Canned responses, for a stub or a fault: a status, headers and a body.

Values are checked and serialized when they are given, so that nothing which the test does to
them later changes the response.
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
    """The bytes of a body, and their media type."""

    data: bytes
    content_type: str

    def as_json(self) -> Any:
        """Return the body as JSON shows it: a value, or a text."""
        if self.content_type == _JSON:
            return orjson.loads(self.data)
        return self.data.decode(errors="replace")


class CannedResponse(NamedTuple):
    """A response that is the same for each request."""

    status: int
    headers: Pairs = ()
    body: Body | None = None

    def response(self) -> Response:
        """Return a new response, for one request."""
        response = Response(self.status)
        if self.body is not None:
            put_body(response, self.body)
        put_headers(response, self.headers)
        return response

    def as_json(self) -> dict[str, Any]:
        """Return the status, and headers and body where there are any."""
        members: dict[str, Any] = {"status": self.status}
        if self.headers:
            members["headers"] = headers_as_json(self.headers)
        if self.body is not None:
            members["body"] = self.body.as_json()
        return members


def put_body(response: Response, body: Body) -> None:
    """Give a response this body."""
    put_data(response, body.data)
    response.set("Content-Type", body.content_type)


def put_data(response: Response, data: bytes) -> None:
    """Give a response these bytes, and leave its media type."""
    response.body, response.chunks = data, None
    response.headers = [pair for pair in response.headers if pair[0].lower() != "content-length"]


def data_of(response: Response) -> bytes:
    """Return the bytes of a response; one in chunks becomes one of a single body."""
    if response.chunks is not None:
        put_data(response, b"".join(response.chunks))
    return response.body


def put_headers(response: Response, headers: Pairs) -> None:
    """Give a response these headers instead of its own of the same names."""
    names = {name.lower() for name, _ in headers}
    kept = [pair for pair in response.headers if pair[0].lower() not in names]
    response.headers = [*kept, *headers]


def read_status(status: int) -> int:
    """Return a status, from 200 to 599. Raises BadRequest out of the range."""
    if not 200 <= status <= 599:
        raise BadRequest("status: A status goes from 200 to 599.")
    return status


def read_headers(headers: HeaderValues | None) -> Pairs:
    """Return headers as pairs; one name may have several values.

    Raises BadRequest for names and values that cannot be sent, and for headers that are the
    server's: those of the connection (RFC 9110, 7.6.1), and Content-Length.
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


def headers_as_json(headers: Pairs) -> dict[str, str | list[str]]:
    """Return headers as JSON gives them: a list where there are several of one name."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    return {name: each[0] if len(each) == 1 else each for name, each in values.items()}


def json_body(value: Any, name: str = "json") -> Body:
    """Return a value as a body of JSON. Raises BadRequest, in the given name, where it is none."""
    try:
        return Body(orjson.dumps(value), _JSON)
    except TypeError as error:
        raise BadRequest(f"{name}: The value cannot be written as JSON: {error}.") from None


def any_body(value: Any, name: str = "body") -> Body:
    """Return a body: text or bytes as they are, any other value as JSON. Raises BadRequest."""
    if isinstance(value, bytes):
        return Body(value, "application/octet-stream")
    if not isinstance(value, str):
        return json_body(value, name)
    try:
        return Body(value.encode(), _TEXT)
    except UnicodeEncodeError:
        raise BadRequest(f"{name}: The text cannot be written as UTF-8.") from None


def _is_latin(text: str) -> bool:
    """Return whether the text can be sent as ISO 8859-1, as WSGI has headers."""
    return all(character <= "\xff" for character in text)
