"""From a request and its address to an intent: the body, the headers, the query options.

Whatever is wrong with a request is said here, before anything is touched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from os import SEEK_END
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote_plus

import orjson
from marshmallow import ValidationError
from werkzeug.http import parse_options_header

from mockgraph import metadata as edm
from mockgraph.clock import Clock
from mockgraph.errors import (
    BadRequest,
    EmptyPayload,
    MalformedPayload,
    NotEmulated,
    TooManyValues,
    UnsupportedMediaType,
)
from mockgraph.http import Request
from mockgraph.json_file import IsApart, JsonFile
from mockgraph.metadata.capabilities import InsertRules
from mockgraph.metadata.entries import Entry, read_entry
from mockgraph.metadata.names import Json, Properties
from mockgraph.metadata.resources import Resource
from mockgraph.state.behaviours import Behaviour, behaviour_at
from mockgraph.state.etags import Preconditions, read_etags
from mockgraph.state.intent import (
    UNKNOWN_MEMBERS,
    Address,
    Caller,
    Intent,
    OperationCall,
    Preferences,
    RequestKind,
    Target,
)
from mockgraph.state.query import ALL, MAX_INT32, NO_OPTIONS, Query

if TYPE_CHECKING:
    from mockgraph.odata.orderby import Order

MAX_TOP = 1000

# Objects, and arrays, that a body may have whatever its size, and the bytes for each beyond them.
_MAX_VALUES = 100_000
_LEAST_VALUE = 48

_BOM = b"\xef\xbb\xbf"
_ENTITY_OPTIONS = frozenset({"select", "expand", "format"})
_FORMAT = frozenset({"format"})
_ID = ("$id", "id")
_OPTIONS: Mapping[RequestKind, frozenset[str]] = {
    RequestKind.LIST: ALL,
    RequestKind.COUNT: frozenset({"filter", "search"}),
    RequestKind.LIST_REFERENCES: ALL - {"select", "expand"},
    RequestKind.READ: _ENTITY_OPTIONS,
    RequestKind.CREATE: _ENTITY_OPTIONS,
    RequestKind.UPDATE: _ENTITY_OPTIONS,
    RequestKind.READ_PROPERTY: _FORMAT,
    RequestKind.READ_REFERENCE: _FORMAT,
    RequestKind.ACT: _FORMAT,
    RequestKind.CALL: _FORMAT,
    RequestKind.APPEND: _FORMAT,
    RequestKind.SERVICE_DOCUMENT: _FORMAT,
}
_LEVELS = ("none", "minimal", "full")
_PAGE_SIZE = re.compile(r"[1-9][0-9]{0,9}")


def read(
    request: Request,
    address: Address,
    behaviours: Mapping[str, Behaviour],
    clock: Clock,
    caller: Caller,
) -> Intent:
    """Return the intent of a valid request, its time being the clock's. Raises 400, 413 and 415."""
    options = _read_options(request)
    environ = request.environ
    query = _read_query(options, address, clock, request.path)
    entry = _read_entry(request, address)
    return Intent(
        address,
        request.server_origin,
        request.path,
        options,
        _read_body(request, address, behaviours) if entry is None else entry.properties,
        query,
        _preconditions(environ.get("HTTP_IF_MATCH"), environ.get("HTTP_IF_NONE_MATCH")),
        _preferences(environ.get("HTTP_PREFER"), environ.get("HTTP_ACCEPT"), query.format),
        entry,
        _read_references(request, address, options, entry),
        caller,
        request.ending,
    )


def read_json(request: Request) -> Json:
    """Return the JSON value in a request's body. Raises 400, 413 and 415."""
    data = request.content
    if not data:
        raise EmptyPayload
    _check_media_type(request.environ.get("CONTENT_TYPE", ""))
    if len(data) > _MAX_VALUES:
        _check_number(data)
    try:
        return orjson.loads(data.removeprefix(_BOM))
    except orjson.JSONDecodeError:
        raise MalformedPayload from None


def read_large_json(request: Request, is_apart: IsApart) -> Json:
    """Return the JSON value in a request's body as ``read_json`` does, whatever its length.

    Where the body was too large to be kept in memory, the arrays at the paths that are apart are
    read from it an item at a time.
    """
    file = request.content_file()
    if file is None:
        return read_json(request)
    _check_media_type(request.environ.get("CONTENT_TYPE", ""))
    most = _MAX_VALUES + file.seek(0, SEEK_END) // _LEAST_VALUE
    return JsonFile(file, is_apart, most, TooManyValues(most)).read()


def _check_number(data: bytes) -> None:
    """Raise 413 where a body has more objects or arrays than one of its size may be made of.

    In memory each of them takes many times the bytes that it has in JSON.
    """
    most = _MAX_VALUES + len(data) // _LEAST_VALUE
    for begin, end in ((b"{", b"}"), (b"[", b"]")):
        number = data.count(begin)
        if number > most:
            raise TooManyValues(most) if data.count(end) == number else MalformedPayload


@lru_cache(maxsize=256)
def _check_media_type(content_type: str) -> None:
    media_type = parse_options_header(content_type)[0].lower()
    if media_type == "":
        raise BadRequest(
            "Write requests (excluding DELETE) must contain the Content-Type header declaration."
        )
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedMediaType(media_type)


def _read_entry(request: Request, address: Address) -> Entry | None:
    """Read the entity that a request sends, with what comes along."""
    kind = address.kind
    is_update = kind is RequestKind.UPDATE
    if not is_update and kind is not RequestKind.CREATE:
        return None
    resource, sent = address.resource, read_json(request)
    names_one = not is_update and type(sent) is dict and "@odata.id" in sent
    if names_one and request.path.rstrip("/").lower().endswith("/$ref"):
        raise NotEmulated("adding a reference to what its collection contains")
    is_shallow = edm.is_shallow(request.content)
    entry = read_entry(resource, sent, address.type, partial=is_update, is_shallow=is_shallow)
    if is_update:
        _check_required(entry.properties, resource.rules.update.required, "an update")
    else:
        _check_insert(entry.properties, resource.rules.insert)
    return entry


def _read_body(
    request: Request, address: Address, behaviours: Mapping[str, Behaviour]
) -> Properties:
    call = address.call
    match address.kind:
        case RequestKind.APPEND:
            declared = cast("edm.Collection", address.type.properties()[address.path[0]])
            item = cast("edm.Complex", declared.item)
            sent = read_json(request)
            # The SDKs send a list, as they are made of metadata where it is a collection.
            items = sent if isinstance(sent, list) and sent else [sent]
            return {"value": [edm.load(item.schema, each) for each in items]}
        case RequestKind.BATCH:
            return cast("Properties", read_json(request))
        case RequestKind.ACT if call is not None:
            behaviour = behaviour_at(behaviours, call.name, address.bound_to)
            changes = behaviour is not None and behaviour.changes
            parameters = address.view.schemas.parameters(call.overloads[0], changes=changes)
            needs_body = parameters.required or request.content
            return edm.load(parameters, read_json(request) if needs_body else {})
        case RequestKind.CALL if call is not None:
            return _read_arguments(call, address, request)
        case _:
            return {}


def _read_arguments(call: OperationCall, address: Address, request: Request) -> Properties:
    """Read the arguments of a function, which stand in its URL, some of them as aliases."""
    (function,) = call.overloads
    schema = address.view.schemas.parameters(function)
    aliases = {name: value for name, value in request.args.items() if name.startswith("@")}
    values: dict[str, Json] = {}
    for name, text in call.arguments.items():
        if text.startswith("@"):  # null without a value (OData 4.01, part 1, 11.2.6.1.3)
            text = aliases.get(text, "null")
        field = schema.properties()[name]
        try:
            values[name] = None if text == "null" else read_literal(field, text)
        except ValidationError as error:
            raise BadRequest(f"{name}: {error.messages[0]}") from None
    return edm.load(schema, values)


def read_literal(field: edm.PropertyField, text: str) -> Json:
    """Return the value of a literal in a URL, by its parameter's type. Raises ValidationError."""
    if isinstance(field, edm.Collection | edm.Complex):
        try:
            return field.read(orjson.loads(text), False)
        except orjson.JSONDecodeError:
            raise field.refuse(text) from None
    _, quote, rest = text.partition("'")
    if quote and rest.endswith("'"):
        return field.from_text(rest[:-1].replace("''", "'"))
    return field.from_text(text)


def _read_references(
    request: Request, address: Address, options: Sequence[tuple[str, str]], entry: Entry | None
) -> Mapping[Resource, Sequence[Target]]:
    """Read what a request refers to: the stored entities behind the URLs that it names."""
    if entry is not None:
        if not entry.references:
            return {}
        return {
            resource: [_target(url, resource, address) for url in urls]
            for resource, urls in entry.references.items()
        }
    if address.kind in (RequestKind.ADD_REFERENCE, RequestKind.SET_REFERENCE):
        sent = read_json(request)
        url = sent.get("@odata.id") if isinstance(sent, dict) else None
        if not isinstance(url, str):
            raise BadRequest("The body must hold the URL of an entity as '@odata.id'.")
        return {address.resource: [_target(url, address.resource, address)]}
    if address.kind is RequestKind.REMOVE_REFERENCE:
        urls = [value for name, value in options if name.lower() in _ID]
        if address.resource.is_collection and address.key is None and not urls:
            raise BadRequest("The query option '$id' must name the reference that is to go.")
        return {address.resource: [_target(url, address.resource, address) for url in urls]}
    return {}


def _target(url: str, resource: Resource, address: Address) -> Target:
    """Find what a URL leads to, a whole one or one that is relative to the root. Raises 400."""
    found = address.view.target(url)
    if found is None:
        raise BadRequest(f"The URL '{url[:200]}' leads to no entity of this service.")
    held, key = found
    model = address.view.model
    if not model.derives_from(held.type_name, resource.type_name) and not model.derives_from(
        resource.type_name, held.type_name
    ):
        raise BadRequest(f"The entity at '{url[:200]}' is no '{resource.type_name}'.")
    return Target(held.path, key)


def _check_insert(body: Properties, rules: InsertRules) -> None:
    _check_required(body, rules.required, "a new entity")
    for name in rules.non_insertable:
        if body.get(name) not in (None, []):
            raise BadRequest(f"{name}: The property cannot be given to a new entity.")


def _check_required(body: Properties, paths: Sequence[str], of_what: str) -> None:
    """Raise 400 where a body lacks what the service wants to see in each such request."""
    for path in paths:
        value: Json = body
        for name in path.split("/"):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is None:
            raise BadRequest(f"{path}: The property must be in the body of {of_what}.")


def _read_options(request: Request) -> list[tuple[str, str]]:
    """The query options as pairs of decoded text; blanks may be ``+`` or ``%20``."""
    if not request.query_string:
        return []
    try:
        pairs = (each.partition("=") for each in request.query_string.decode().split("&") if each)
        return [(_decoded(name), _decoded(value)) for name, _, value in pairs]
    except ValueError:
        raise BadRequest("The query string is not UTF-8, percent-encoded.") from None


_decoded = partial(unquote_plus, errors="strict")


def _read_query(
    options: Sequence[tuple[str, str]], address: Address, clock: Clock, path: str
) -> Query:
    if address.kind is RequestKind.CALL:
        options = [pair for pair in options if not pair[0].startswith("@")]
    elif address.kind is RequestKind.REMOVE_REFERENCE:
        options = [pair for pair in options if pair[0].lower() not in _ID]
    order = None
    if address.kind is RequestKind.LIST:
        order = address.resource.rules.page.default_order
        _check_filtered(options, address.resource)
    if not options and order is None:
        return NO_OPTIONS
    from mockgraph.odata import options as query_options  # not needed by a start
    from mockgraph.odata import restrictions

    if not address.steps:
        allowed = _OPTIONS.get(address.kind, frozenset())
        return query_options.read_options(options, edm.ComplexSchema, allowed=allowed)
    restrictions.check_supported(options, address.resource)
    page = address.resource.rules.page
    return query_options.read_options(
        options,
        address.type,
        resource=address.resource,
        allowed=_OPTIONS.get(address.kind, frozenset()),
        max_top=MAX_TOP if page.max_top is None else page.max_top,
        max_skip=MAX_INT32 if page.max_skip is None else page.max_skip,
        now=clock.text(),
        path=path,
        default_order=None if order is None else _ordered_by(order, address.type),
    )


@lru_cache(maxsize=256)
def _ordered_by(order: str, schema: type[edm.StructuredSchema]) -> Order:
    from mockgraph.odata.expressions import Scope
    from mockgraph.odata.orderby import compile_orderby

    return compile_orderby(order, Scope(schema))


def _check_filtered(options: Sequence[tuple[str, str]], resource: Resource) -> None:
    """Raise 400 where a list lacks the filter that the resource demands."""
    if not resource.rules.filter.requires_filter:
        return
    if "filter" not in [name.lower().removeprefix("$") for name, _ in options]:
        raise BadRequest(f"'{resource.name}' is listed with the option '$filter' only.")


# Programs send few headers, again and again: what the last ones mean is remembered.
@lru_cache(maxsize=256)
def _preconditions(match: str | None, none_match: str | None) -> Preconditions:
    return Preconditions(read_etags(match), read_etags(none_match))


@lru_cache(maxsize=256)
def _preferences(prefer: str | None, accept: str | None, level: str | None) -> Preferences:
    returns, page_size, unknown_members = None, None, False
    for name, value in _prefer(prefer) if prefer else ():
        if name == "return" and value in ("minimal", "representation"):
            returns = returns or value
        elif name in ("odata.maxpagesize", "maxpagesize") and _PAGE_SIZE.fullmatch(value):
            page_size = page_size or int(value)
        elif name == UNKNOWN_MEMBERS:
            unknown_members = True
    level = level or _accepted_level(accept or "")
    return Preferences(returns, page_size, level, unknown_members)


def _prefer(header: str) -> list[tuple[str, str]]:
    pairs = []
    for preference in header.split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        pairs.append((name.strip().lower(), value.strip().strip('"').lower()))
    return pairs


def _accepted_level(accept: str) -> str:
    accept = accept.lower()
    if "metadata=" in accept:
        for level in _LEVELS:
            if f"metadata={level}" in accept:
                return level
    return "minimal"
