"""A contract check: the same requests to a real service and to a mock, compared by shape.

Status, error code, properties, types and the headers that clients read are compared; values are
not. Only requests that read are sent unless the caller says otherwise, and only to the two servers
that are named. Tokens go into the header ``Authorization`` and nowhere else.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

import orjson

from mockgraph.errors import MockGraphError
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Service
from mockgraph.service import SERVICE

_TIMEOUT: Final = 60
_READING: Final = frozenset({"GET", "HEAD"})
_SAFE: Final = "/$&=(),'@:;!*+?%-._~"
# The headers that clients read, and whether their values are compared, too.
_HEADERS: Final = {
    "content-type": True,
    "odata-version": True,
    "preference-applied": True,
    "location": False,
    "retry-after": False,
    "www-authenticate": False,
}
# What depends on the data of a tenant alone.
_OF_DATA: Final = frozenset({"@odata.nextLink", "@odata.deltaLink", "@odata.count", "@odata.etag"})
_MOST_DRIFT: Final = 50  # lines of one request


class Asked(NamedTuple):
    """A request of a check: ``path`` is below the root and has the query with it."""

    method: str
    path: str
    headers: Mapping[str, str] = {}
    body: Json = None


class Answered(NamedTuple):
    """The answer of one of the two: headers by names in small letters, the body as JSON."""

    status: int
    headers: Mapping[str, str]
    body: Json


class ContractDrift(NamedTuple):
    """The differences of a mock to the real service in the answers to one request."""

    request: str
    differences: tuple[str, ...]


class RemoteServer:
    """A server of Graph, real or mock, at a URL that ends with the root: ``https://host/v1.0``."""

    def __init__(self, url: str, token: str | None):
        try:
            parts = urlsplit(url)
            is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_one = False
        if not is_one:
            raise MockGraphError(f"{url} is no http or https URL.")
        if token is not None and not (token.isascii() and token.isprintable() and token):
            raise MockGraphError("The token is no text that a header can carry.")
        self.url = url.rstrip("/")
        self._is_secure, self._host = parts.scheme == "https", parts.netloc
        self._path = parts.path.rstrip("/")
        self._token = token

    def ask(self, request: Asked) -> Answered:
        """Send a request. Raises MockGraphError where no HTTP answer comes back."""
        kind = http.client.HTTPSConnection if self._is_secure else http.client.HTTPConnection
        headers = {"Accept": "application/json", **request.headers}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        content = None if request.body is None else orjson.dumps(request.body)
        if content is not None:
            headers.setdefault("Content-Type", "application/json")
        target = quote(f"{self._path}/{request.path.lstrip('/')}", safe=_SAFE)
        connection = kind(self._host, timeout=_TIMEOUT)
        try:
            connection.request(request.method, target, content, headers)
            response = connection.getresponse()
            given = {name.lower(): value for name, value in response.getheaders()}
            return Answered(response.status, given, _json(response.read()))
        except (OSError, http.client.HTTPException) as error:
            raise MockGraphError(f"{self.url} does not answer: {error}") from None
        finally:
            connection.close()


def check_contract(
    real: RemoteServer, mock: RemoteServer, requests: Iterable[Asked], *, writes: bool = False
) -> Iterator[ContractDrift]:
    """Send requests to both, and give the differences of the mock, one drift a request.

    One without differences is given, too. Raises MockGraphError for a request that may write,
    unless ``writes`` says that it may be sent.
    """
    for request in requests:
        if request.method not in _READING and not writes:
            raise MockGraphError(f"{request.method} {request.path} may write; see --writes.")
        found = tuple(differences(real.ask(request), mock.ask(request)))
        yield ContractDrift(f"{request.method} /{request.path.lstrip('/')}", found[:_MOST_DRIFT])


def differences(real: Answered, mock: Answered) -> Iterator[str]:
    """Give how the answer of a mock differs in its shape from that of the real service."""
    if real.status != mock.status:
        yield f"answers {mock.status}, the service {real.status}"
        return
    for name, is_compared in _HEADERS.items():
        theirs, mine = real.headers.get(name), mock.headers.get(name)
        if (theirs is None) != (mine is None):
            who = "is" if theirs is None else "is not"
            yield f"the header '{name}' {who} answered, by the service it is{' not' * (not theirs)}"
        elif is_compared and theirs and mine and _media(theirs) != _media(mine):
            yield f"the header '{name}' is '{mine}', the service's '{theirs}'"
    if real.status >= 400:
        codes = [_code(each.body) for each in (mock, real)]
        if codes[0] != codes[1]:
            yield f"the code of the error is '{codes[0]}', the service's '{codes[1]}'"
        return
    yield from _shapes(real.body, mock.body, "")


def _shapes(real: Json, mock: Json, path: str) -> Iterator[str]:
    """Compare two values by their properties and types; null is of any type."""
    if real is None or mock is None:
        return
    if _kind(real) != _kind(mock):
        yield f"'{path or 'the body'}' is {_kind(mock)}, the service's {_kind(real)}"
    elif isinstance(real, list):
        if real and mock:
            yield from _shapes(_merged(real), _merged(mock), f"{path}[]")
    elif isinstance(real, dict):
        for name in dict.fromkeys((*real, *mock)):
            where = f"{path}/{name}" if path else name
            if name in _OF_DATA or name.endswith("@odata.context"):
                continue
            if name not in mock:
                yield f"'{where}' is not answered, by the service it is"
            elif name not in real:
                yield f"'{where}' is answered, by the service it is not"
            else:
                yield from _shapes(real[name], mock[name], where)


def _merged(items: Sequence[Json]) -> Json:
    """Return a value with the properties of all items, or the first item that is not null."""
    objects = [each for each in items if isinstance(each, dict)]
    if not objects:
        return next((each for each in items if each is not None), None)
    merged: dict[str, Json] = {}
    for each in objects:
        merged |= {k: v for k, v in each.items() if v is not None or k not in merged}
    return merged


def _kind(value: Json) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "an array" if isinstance(value, list) else "an object"


def _media(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def _code(body: Json) -> Any:
    error = body.get("error") if isinstance(body, dict) else None
    return error.get("code") if isinstance(error, dict) else None


def _json(content: bytes) -> Json:
    try:
        return orjson.loads(content) if content else None
    except orjson.JSONDecodeError:
        return content.decode("utf-8", "replace")


def collections(root: str, service: Service = SERVICE) -> list[Asked]:
    """Return a request for the first entity of each collection directly below ``/security``.

    Raises MockGraphError where there is no such root.
    """
    view = service.views.get(root.lower())
    security = None if view is None else view.resource("security")
    if security is None:
        raise MockGraphError(f"There is no root '{root}' with a Security service.")
    found = (each for each in security.children().values() if each.is_collection)
    return [
        Asked("GET", f"security/{each.name}?$top=1") for each in found if each.rules.read.readable
    ]


class Recorded(NamedTuple):
    """A request that a test made, and the mock's answer to it."""

    root: str
    request: Asked
    answer: Answered


def drift_of_recorded(
    url: str, token: str | None, recorded: Iterable[Recorded]
) -> Iterator[ContractDrift]:
    """Send the requests of a test that read to the service at ``url``, and give the drift.

    ``url`` ends with the host. Those that may write are not sent.
    """
    for root, request, answer in recorded:
        if request.method in _READING:
            real = RemoteServer(f"{url.rstrip('/')}/{root}", token).ask(request)
            if found := tuple(differences(real, answer)):
                yield ContractDrift(f"{request.method} /{root}{request.path}", found[:_MOST_DRIFT])
