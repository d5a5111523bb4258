"""JSON batches (`$batch`): up to 20 requests in one, each answered by itself.

The format is that of OData JSON Format 4.01, part 19, as Microsoft's page "Combine multiple
HTTP requests using JSON batching" has it: what is wrong with the batch is refused whole, what
is wrong with one request is that request's answer.
"""

from __future__ import annotations

import base64
import logging
import re
import string
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote, unquote

import orjson

from mockgraph.errors import BadRequest, FailedDependency, GraphError, NotEmulated
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Service, View

MAX_ITEMS = 20

Headers = Sequence[tuple[str, str]]
Send = Callable[[str, str, str, Headers, bytes], tuple[int, Headers, bytes]]

_logger = logging.getLogger("mockgraph")

_METHOD = re.compile(r"[A-Za-z]{1,32}")
_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]{1,256}", re.ASCII)
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*", re.IGNORECASE | re.ASCII)
# From base64's alphabet for URLs, which the page asks for, to the one that clients send.
_TO_STANDARD = str.maketrans("-_", "+/")
# What concerns one connection (RFC 9110, 7.6.1) means nothing within a batch.
_OF_CONNECTION = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
    ]
)
_NOT_SENT = _OF_CONNECTION | {"host"}
_NOT_ANSWERED = _OF_CONNECTION | {"date"}


class Item(NamedTuple):
    """A request of a batch, as it was sent.

    ``body`` is a JSON value, text for what is base64, None where there is none;
    ``depends_on`` are the keys of other items: their ids in lower case, since the case of an
    id does not count.
    """

    id: str
    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: Json = None
    depends_on: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.id.lower()


# -- reading ------------------------------------------------------------------------------


def read(body: Json) -> tuple[Item, ...]:
    """Return the items of a batch, as sent but each after those that it depends on.

    Raises BadRequest that says where the batch is malformed, NotEmulated for atomicity groups.
    """
    requests = body.get("requests") if type(body) is dict else None
    if type(requests) is not list:
        raise BadRequest("A batch is an object with an array of requests, 'requests'.")
    if not 1 <= len(requests) <= MAX_ITEMS:
        raise BadRequest(f"requests: A batch holds 1 to {MAX_ITEMS} requests, not {len(requests)}.")
    items = [_read_item(f"requests/{index}", each) for index, each in enumerate(requests)]
    _check_ids(items)
    return tuple(_in_order(items))


def _read_item(at: str, value: Json) -> Item:
    if type(value) is not dict:
        raise BadRequest(f"{at}: A request is an object.")
    if value.get("atomicityGroup") is not None:
        raise NotEmulated("atomicity groups in a batch")
    method = _read_text(at, value, "method")
    if not _METHOD.fullmatch(method):
        raise BadRequest(f"{at}/method: The method is not one of HTTP.")
    headers = tuple(_read_headers(f"{at}/headers", value.get("headers")))
    body = value.get("body")
    if type(body) is str and not _content_type(headers):
        raise BadRequest(f"{at}/headers: A body that is not JSON needs a Content-Type.")
    return Item(
        _read_text(at, value, "id"),
        method.upper(),
        _read_text(at, value, "url"),
        headers,
        body,
        tuple(dict.fromkeys(_read_dependencies(f"{at}/dependsOn", value.get("dependsOn")))),
    )


def _read_text(at: str, value: Mapping[str, Json], name: str) -> str:
    text = value.get(name)
    if type(text) is not str or not text:
        raise BadRequest(f"{at}/{name}: A request needs the string '{name}', not empty.")
    return text


def _read_headers(at: str, value: Json) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if type(value) is not dict:
        raise BadRequest(f"{at}: The headers are an object of strings.")
    for name, text in value.items():
        if not _HEADER_NAME.fullmatch(name):
            raise BadRequest(f"{at}: A name is not that of a header.")
        if type(text) is not str or not _HEADER_VALUE.fullmatch(text):
            raise BadRequest(f"{at}/{name}: The value is not the text of a header.")
        yield name, text


def _read_dependencies(at: str, value: Json) -> Iterator[str]:
    if value is None:
        return
    if type(value) is not list:
        raise BadRequest(f"{at}: The dependencies are an array of ids.")
    for index, each in enumerate(value):
        if type(each) is not str:
            raise BadRequest(f"{at}/{index}: An id is a string.")
        yield each.lower()


def _check_ids(items: Sequence[Item]) -> None:
    keys: set[str] = set()
    for index, item in enumerate(items):
        if item.key in keys:
            raise BadRequest(f"requests/{index}/id: Another request has the id, in any case.")
        keys.add(item.key)
    for index, item in enumerate(items):
        if item.key in item.depends_on:
            raise BadRequest(f"requests/{index}/dependsOn: A request cannot depend on itself.")
        if not keys.issuperset(item.depends_on):
            raise BadRequest(f"requests/{index}/dependsOn: An id is not that of a request here.")


def _in_order(items: Sequence[Item]) -> Iterator[Item]:
    """The first item that waits for none, time and again. Raises BadRequest for a circle."""
    waiting = {item.key: item for item in items}
    while waiting:
        ready = next((i for i in waiting.values() if waiting.keys().isdisjoint(i.depends_on)), None)
        if ready is None:
            index = [item.key for item in items].index(next(iter(waiting)))
            raise BadRequest(f"requests/{index}/dependsOn: The dependencies go round in a circle.")
        yield waiting.pop(ready.key)


# -- running ------------------------------------------------------------------------------


def run_batch(
    items: Sequence[Item],
    view: View,
    service: Service,
    send: Send,
    *,
    prefix: str = "",
    at: datetime | None = None,
) -> dict[str, Json]:
    """Send each item in turn, and gather the answers: ``{"responses": [...]}``.

    ``send`` is given method, path, query, headers and body, and gives status, headers and body;
    path and query are percent-encoded, the path without ``prefix``, under which the caller
    knows the service. What an item depends on has to come before it, as ``read`` sees to. Items
    that are not sent are refused at the moment ``at``, in UTC, or at the present one.
    """
    failed: set[str] = set()
    responses = []
    for item in items:
        try:
            if not failed.isdisjoint(item.depends_on):
                raise FailedDependency
            response = _sent(item, view, service, send, prefix)
        except GraphError as error:
            response = _refusal(item, error, at)
        if response["status"] >= 400:
            failed.add(item.key)
        responses.append(response)
    return {"responses": responses}


def _sent(item: Item, view: View, service: Service, send: Send, prefix: str) -> dict[str, Json]:
    """The answer to an item that is sent. Raises GraphError, whatever goes wrong."""
    try:
        path, query = resolve_item(item.url, view, service, prefix)
        headers, body = _content(item)
        return _response(item, *send(item.method, path, query, headers, body))
    except GraphError:
        raise
    except Exception as error:
        _logger.error("%s %s failed in a batch", item.method, item.url, exc_info=error)
        raise GraphError from None


def resolve_item(url: str, view: View, service: Service, prefix: str = "") -> tuple[str, str]:
    """Return the path, from the root on, and the query that an item's URL means.

    It may be relative to the root, begin with it, or be absolute, whatever the host: clients
    send all three. Raises BadRequest where it leads to another root, or to ``$batch``.
    """
    origin = _ORIGIN.match(url)
    rest = url[origin.end() :] if origin else url
    path, _, query = rest.partition("#")[0].partition("?")
    if prefix and path.startswith(f"{prefix}/"):
        path = path.removeprefix(prefix)
    path = path.removeprefix("/")
    first, _, below = path.partition("/")
    name = unquote(first).lower()
    if name == view.name:
        path = below
    elif name in service.views:
        raise BadRequest(f"url: A batch of the root '{view.name}' does not reach '{name}'.")
    if unquote(path).strip("/").lower() == "$batch":
        raise BadRequest("url: A batch cannot hold another batch.")
    return _encoded(f"/{view.name}/{path}" if path else f"/{view.name}"), _encoded(query)


def _encoded(text: str) -> str:
    """The text as it is, but percent-encoded where a URL cannot hold it: blanks, other scripts."""
    return quote(text, safe=string.punctuation)


def _content(item: Item) -> tuple[list[tuple[str, str]], bytes]:
    """The headers and the body to send. Raises BadRequest where text is not base64."""
    headers = [each for each in item.headers if each[0].lower() not in _NOT_SENT]
    if item.body is None:
        return headers, b""
    if type(item.body) is str:
        return headers, _decoded(item.body)
    if not _content_type(headers):
        headers.append(("Content-Type", "application/json"))
    try:
        return headers, orjson.dumps(item.body)
    except orjson.JSONEncodeError:
        raise BadRequest("body: The value is nested too deep.") from None


def _decoded(text: str) -> bytes:
    """The bytes of base64 in either alphabet, padded or not."""
    bare = text.rstrip("=").translate(_TO_STANDARD)
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        raise BadRequest("body: Text in the place of a body has to be base64.") from None


def _response(item: Item, status: int, headers: Headers, body: bytes) -> dict[str, Json]:
    response: dict[str, Json] = {"id": item.id, "status": status, "headers": _flat(headers)}
    if body:
        is_json = _is_json(_content_type(headers))
        response["body"] = orjson.loads(body) if is_json else base64.b64encode(body).decode()
    return response


def _refusal(item: Item, error: GraphError, at: datetime | None) -> dict[str, Json]:
    """The answer to an item that was not sent, or whose sending failed."""
    request_id = str(uuid.uuid4())
    named = [text for name, text in item.headers if name.lower() == "client-request-id"]
    client_request_id = named[0] if named else request_id
    headers = [
        ("request-id", request_id),
        ("client-request-id", client_request_id),
        ("OData-Version", "4.0"),
        ("Content-Type", "application/json"),
        *error.headers,
    ]
    return {
        "id": item.id,
        "status": error.status,
        "headers": _flat(headers),
        "body": error.body(request_id, client_request_id, at),
    }


def _flat(headers: Headers) -> dict[str, str]:
    """Return each header once, as first spelt; what comes more than once is joined."""
    spelt: dict[str, str] = {}
    joined: dict[str, str] = {}
    for name, text in headers:
        if name.lower() not in _NOT_ANSWERED:
            name = spelt.setdefault(name.lower(), name)
            joined[name] = f"{joined[name]}, {text}" if name in joined else text
    return joined


def _content_type(headers: Headers) -> str:
    return next((text for name, text in headers if name.lower() == "content-type"), "")


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")
