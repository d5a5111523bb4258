"""From a request and its address to an intent: the body, the headers, the query options.

Whatever is wrong with a request is said here, before anything is touched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import cast
from urllib.parse import parse_qsl

import orjson
from werkzeug.http import parse_options_header

from mockgraph import metadata as edm
from mockgraph.clock import Clock
from mockgraph.errors import (
    BadRequest,
    EmptyPayload,
    MalformedPayload,
    NotEmulated,
    UnsupportedMediaType,
)
from mockgraph.http import Request
from mockgraph.metadata.declarations import EntitySet, Service
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.etags import Preconditions, read_etags
from mockgraph.state.intent import Address, Intent, Operation, Preferences
from mockgraph.state.query import ALL, MAX_INT32, Query

MAX_TOP = 1000

_BOM = b"\xef\xbb\xbf"
_ENTITY_OPTIONS = frozenset({"select", "expand", "format"})
_FORMAT = frozenset({"format"})
_OPTIONS: Mapping[Operation, frozenset[str]] = {
    Operation.LIST: ALL,
    Operation.COUNT: frozenset({"filter", "search"}),
    Operation.LIST_REFERENCES: ALL - {"select", "expand"},
    Operation.READ: _ENTITY_OPTIONS,
    Operation.CREATE: _ENTITY_OPTIONS,
    Operation.UPDATE: _ENTITY_OPTIONS,
    Operation.READ_PROPERTY: _FORMAT,
    Operation.READ_REFERENCE: _FORMAT,
    Operation.ACT: _FORMAT,
    Operation.HUNT: _FORMAT,
    Operation.APPEND: _FORMAT,
    Operation.SERVICE_DOCUMENT: _FORMAT,
}
_NO_OPTIONS = Query()
_LEVELS = ("none", "minimal", "full")
_PAGE_SIZE = re.compile(r"[1-9][0-9]{0,9}")


def read(request: Request, address: Address, service: Service, clock: Clock) -> Intent:
    """The intent of a valid request, its time being the clock's. Raises 400, 413 and 415."""
    options = _read_options(request)
    query = _read_query(options, address, service, clock)
    return Intent(
        address,
        request.server_origin,
        request.path,
        options,
        _read_body(request, address),
        query,
        Preconditions(
            read_etags(request.environ.get("HTTP_IF_MATCH")),
            read_etags(request.environ.get("HTTP_IF_NONE_MATCH")),
        ),
        _preferences(request, query),
    )


def read_json(request: Request) -> Json:
    """The JSON value in a request's body. Raises 400, 413 and 415."""
    data = request.content
    if not data:
        raise EmptyPayload
    _check_media_type(request.environ.get("CONTENT_TYPE", ""))
    try:
        return orjson.loads(data.removeprefix(_BOM))
    except orjson.JSONDecodeError:
        raise MalformedPayload from None


@lru_cache(maxsize=256)
def _check_media_type(content_type: str) -> None:
    media_type = parse_options_header(content_type)[0].lower()
    if media_type == "":
        raise BadRequest(
            "Write requests (excluding DELETE) must contain the Content-Type header declaration."
        )
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedMediaType(media_type)


def _read_body(request: Request, address: Address) -> Properties:
    match address.operation:
        case Operation.CREATE:
            sent = read_json(request)
            at = request.path.rstrip("/").lower()
            if isinstance(sent, dict) and "@odata.id" in sent and at.endswith("/$ref"):
                raise NotEmulated("adding a reference to what its collection contains")
            return _without_navigation(address, edm.load(address.type, sent))
        case Operation.UPDATE:
            body = edm.load(address.type, read_json(request), partial=True)
            _check_needs(address, body)
            return _without_navigation(address, body)
        case Operation.APPEND:
            declared = cast("edm.Collection", address.type.properties()[address.path[0]])
            item = cast("edm.Complex", declared.item)
            return edm.load(item.schema, read_json(request))
        case Operation.BATCH | Operation.HUNT:
            return cast("Properties", read_json(request))
        case Operation.ACT if address.action and address.action.parameters:
            return edm.load(address.action.parameters, read_json(request))
        case _:
            return {}


def _without_navigation(address: Address, body: Properties) -> Properties:
    """Raises 501 where related entities come along: an open type would take them for its own."""
    navigations = address.resource.navigations if isinstance(address.resource, EntitySet) else ()
    for navigation in navigations:
        if navigation.name in body:
            raise NotEmulated(f"writing '{navigation.name}' together with what they belong to")
    return body


def _check_needs(address: Address, body: Properties) -> None:
    """Raises 400 where a PATCH lacks what the live service wants to see in each."""
    if address.root.documented or not isinstance(address.resource, EntitySet):
        return
    for path in address.resource.rules.update_needs:
        value: Json = body
        for name in path.split("/"):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is None:
            raise BadRequest(f"{path}: The property must be in the body of an update.")


def _read_options(request: Request) -> list[tuple[str, str]]:
    """The query options as pairs of decoded text; blanks may be ``+`` or ``%20``."""
    if not request.query_string:
        return []
    try:
        text = request.query_string.decode()
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError:
        raise BadRequest("The query string is not UTF-8, percent-encoded.") from None


def _read_query(
    options: Sequence[tuple[str, str]], address: Address, service: Service, clock: Clock
) -> Query:
    if not options:
        return _NO_OPTIONS
    from mockgraph.odata.options import read as read_options  # not needed by a start

    max_skip = None
    if isinstance(address.resource, EntitySet) and not address.root.documented:
        max_skip = address.resource.rules.max_skip
    return read_options(
        options,
        address.type,
        allowed=_OPTIONS.get(address.operation, frozenset()),
        navigation=_navigation(address, service),
        max_top=MAX_TOP,
        max_skip=MAX_INT32 if max_skip is None else max_skip,
        now=clock.text(),
    )


def _navigation(
    address: Address, service: Service
) -> dict[type[edm.StructuredType], dict[str, type[edm.StructuredType]]]:
    sets = service.sets_at(address.root).values()
    return {
        service.singleton.type: {each.name: each.type for each in sets},
        **{each.type: {n.name: n.target.type for n in each.navigations} for each in sets},
    }


def _preferences(request: Request, query: Query) -> Preferences:
    returns, page_size = None, None
    prefer = request.environ.get("HTTP_PREFER")
    for name, value in _prefer(prefer) if prefer else ():
        if name == "return" and value in ("minimal", "representation"):
            returns = returns or value
        elif name in ("odata.maxpagesize", "maxpagesize") and _PAGE_SIZE.fullmatch(value):
            page_size = page_size or int(value)
    return Preferences(returns, page_size, query.format or _accepted_level(request))


def _prefer(header: str) -> list[tuple[str, str]]:
    pairs = []
    for preference in header.split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        pairs.append((name.strip().lower(), value.strip().strip('"').lower()))
    return pairs


def _accepted_level(request: Request) -> str:
    accept = request.environ.get("HTTP_ACCEPT", "").lower()
    if "metadata=" in accept:
        for level in _LEVELS:
            if f"metadata={level}" in accept:
                return level
    return "minimal"
