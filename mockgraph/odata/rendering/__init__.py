"""From an outcome to a response: bodies in OData's JSON format, status, headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TypeAlias, TypeVar

import orjson

from mockgraph import metadata as edm
from mockgraph.http import Response
from mockgraph.metadata.elements import EntitySet, OperationImport, Singleton
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Resource, View
from mockgraph.odata.deprecation import deprecation
from mockgraph.odata.rendering.next_link import page_body
from mockgraph.odata.rendering.texts import dump, render_json
from mockgraph.odata.rendering.urls import Urls
from mockgraph.state.intent import (
    UNKNOWN_MEMBERS,
    Address,
    Intent,
    Outcome,
    Page,
    RequestKind,
    Row,
)
from mockgraph.state.packing import json_of
from mockgraph.state.query import Expansion, Query

__all__ = ["dump", "render", "render_json"]

T = TypeVar("T")
_NO_OPTIONS = Query()
_NOTHING: Mapping[str, Json] = {}  # a dict: others are slower to unpack
# The level, the root, the type, whether all members are shown, and what is selected as which type.
_Form: TypeAlias = tuple[str, str, str, bool, tuple[str | None, str] | None]
_MOST_FORMS = 8  # in which the JSON of an entity is kept
_ZIP = b"PK"  # the first bytes of an archive
Structured = type[edm.StructuredSchema]

_CONTENT_TYPES = {
    level: f"application/json;odata.metadata={level};odata.streaming=true;"
    "IEEE754Compatible=false;charset=utf-8"
    for level in ("none", "minimal", "full")
}


def render(outcome: Outcome, intent: Intent, layout: str) -> Response:
    """Return the response to a request that went well.

    ``layout`` is ``graph`` or ``documented``.
    """
    response = _Renderer(intent, layout).response(outcome)
    response.headers += deprecation(intent)
    if outcome.location is not None:
        response.set("Location", Urls(intent).location(outcome.location))
    if intent.preferences.unknown_members and not intent.address.view.documented:
        response.headers.append(("Preference-Applied", UNKNOWN_MEMBERS))
    return response


class _Renderer:
    """The answer to one intent."""

    def __init__(self, intent: Intent, layout: str):
        self._intent = intent
        self._address: Address = intent.address
        self._view = intent.address.view
        self._layout = layout
        self._level = intent.preferences.metadata
        self._all_members = self._view.documented or intent.preferences.unknown_members
        self._urls = Urls(intent)

    def response(self, outcome: Outcome) -> Response:
        return self._renderers[self._address.kind](self, outcome)

    # -- one method an operation ----------------------------------------------------------

    def _options(self, _: Outcome) -> Response:
        return Response(204, headers={"Allow": ", ".join(self._address.allowed)})

    def _empty(self, outcome: Outcome) -> Response:
        return Response(outcome.status or 204)

    def _entity(self, outcome: Outcome) -> Response:
        row = _given(outcome.row)
        headers = {"ETag": row.etag or ""}
        if outcome.unchanged:
            return Response(304, headers=headers)
        return self._whole(row, outcome.status or 200, headers)

    def _created(self, outcome: Outcome) -> Response:
        row = _given(outcome.row)
        if outcome.status == 202:  # it is under way, and where is told by the location
            return Response(202)
        response = self._returned(outcome, "representation")
        url = self._urls.entity(row.resource or self._address.resource, row)
        response.headers.append(("Location", url))
        if response.status == 204:
            response.headers.append(("OData-EntityId", url))
        return response

    def _updated(self, outcome: Outcome) -> Response:
        answers = self._address.resource.rules.update.answers
        return self._returned(outcome, "minimal" if answers == 204 else "representation")

    def _collection(self, outcome: Outcome) -> Response:
        page = _given(outcome.page)
        resource, query = self._address.resource, self._intent.query
        return self._page(page, self._urls.context(), self._items(page.rows, resource, query))

    def _references(self, outcome: Outcome) -> Response:
        page = _given(outcome.page)
        resource = self._address.resource
        links: list[Json] = [
            {"@odata.id": self._urls.entity(row.resource or resource, row)} for row in page.rows
        ]
        return self._page(page, f"{self._urls.metadata}#Collection($ref)", links)

    def _reference(self, outcome: Outcome) -> Response:
        row = _given(outcome.row)
        body = {
            "@odata.context": f"{self._urls.metadata}#$ref",
            "@odata.id": self._urls.entity(row.resource or self._address.resource, row),
        }
        return self._json(body, 200)

    def _read_property(self, outcome: Outcome) -> Response:
        return self._part(outcome, self._property)

    def _read_value(self, outcome: Outcome) -> Response:
        return self._part(outcome, self._raw)

    def _part(self, outcome: Outcome, render: Callable[[Outcome], Response]) -> Response:
        """Answer with a part of an entity, and the entity's etag."""
        etag = _given(outcome.row).etag or ""
        response = Response(304) if outcome.unchanged else render(outcome)
        response.headers.append(("ETag", etag))
        return response

    def _property(self, outcome: Outcome) -> Response:
        if outcome.value is None:
            return Response(204)
        context = {"@odata.context": self._urls.context()}
        value = self._annotated_value(self._declared, self._seen(outcome.value))
        body = {**context, **value} if isinstance(value, dict) else {**context, "value": value}
        return self._json(self._controlled(body), 200)

    def _raw(self, outcome: Outcome) -> Response:
        if outcome.value is None:
            return Response(204)
        value = self._seen(outcome.value)
        if isinstance(value, (dict, list)):
            return self._json(value, 200)
        return self._plain(value)

    @property
    def _declared(self) -> edm.PropertyField | None:
        """The property that the address leads to, None of a dynamic one."""
        return edm.property_at(self._address.type, self._address.path)

    def _seen(self, value: Json) -> Json:
        """The value of the property, with the members that the caller knows."""
        return value if self._all_members else edm.masked_property(self._declared, value)

    def _text(self, outcome: Outcome) -> Response:
        return self._plain(outcome.value)

    def _stream(self, value: bytes, status: int) -> Response:
        is_text = not value.startswith(_ZIP)
        return Response(status, value, "text/plain;charset=utf-8" if is_text else "application/zip")

    def _plain(self, value: Json) -> Response:
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        return Response(200, text.encode(), "text/plain;charset=utf-8")

    def _acted(self, outcome: Outcome) -> Response:
        """Answer an operation by its return type: entities, values, one of them, or nothing."""
        returned = outcome.returned
        if returned is None or (
            outcome.page is None and outcome.row is None and outcome.value is None
        ):
            return Response(outcome.status or 204)
        status = outcome.status or 200
        if isinstance(outcome.value, bytes):
            return self._stream(outcome.value, status)
        context = f"{self._urls.metadata}#{str(returned).replace('Edm.', '')}"
        if outcome.page is not None:
            items = [self._returned_item(returned.name, row) for row in outcome.page.rows]
            return self._json(self._controlled({"@odata.context": context, "value": items}), status)
        if outcome.row is not None:
            item = self._returned_item(returned.name, outcome.row)
            return self._json(self._controlled({"@odata.context": context, **item}), status)
        return self._json(
            self._controlled({"@odata.context": context, "value": outcome.value}), status
        )

    def _returned_item(self, type_name: str, row: Row) -> Mapping[str, Json]:
        if row.resource is not None:
            return self._shown(row, row.resource, _NO_OPTIONS)
        schema = self._view.schemas[type_name]
        value = row.entity if self._all_members else edm.masked_members(schema, row.entity)
        return self._annotated(schema, value)

    def _service_document(self, _: Outcome) -> Response:
        children = self._view.model.roots.values()
        value = [
            {"name": each.name, "kind": type(each).__name__, "url": each.name}
            for each in children
            if isinstance(each, Singleton)
            or (isinstance(each, EntitySet) and each.in_service_document)
        ]
        value += [
            {"name": each.name, "kind": "FunctionImport", "url": each.name}
            for each in children
            if isinstance(each, OperationImport) and each.in_service_document
        ]
        body = {"@odata.context": self._urls.metadata, "value": value}
        return self._json(self._controlled(body), 200)

    def _metadata(self, _: Outcome) -> Response:
        content = _metadata_document(self._view)
        return Response(200, content, "application/xml")

    def _batch(self, outcome: Outcome) -> Response:
        return render_json(outcome.value, 200, self._layout)

    _renderers: Mapping[RequestKind, Callable[[_Renderer, Outcome], Response]] = {
        RequestKind.OPTIONS: _options,
        RequestKind.SERVICE_DOCUMENT: _service_document,
        RequestKind.METADATA: _metadata,
        RequestKind.BATCH: _batch,
        RequestKind.LIST: _collection,
        RequestKind.COUNT: _text,
        RequestKind.COUNT_PROPERTY: _text,
        RequestKind.LIST_REFERENCES: _references,
        RequestKind.CREATE: _created,
        RequestKind.READ: _entity,
        RequestKind.READ_REFERENCE: _reference,
        RequestKind.UPDATE: _updated,
        RequestKind.DELETE: _empty,
        RequestKind.READ_PROPERTY: _read_property,
        RequestKind.READ_VALUE: _read_value,
        RequestKind.APPEND: _property,
        RequestKind.ACT: _acted,
        RequestKind.CALL: _acted,
        RequestKind.ADD_REFERENCE: _empty,
        RequestKind.SET_REFERENCE: _empty,
        RequestKind.REMOVE_REFERENCE: _empty,
    }

    # -- bodies ---------------------------------------------------------------------------

    def _page(self, page: Page, context: str, items: list[Json]) -> Response:
        body = page_body(self._intent, page, context, items)
        size = self._intent.preferences.max_page_size
        headers = {"Preference-Applied": f"odata.maxpagesize={size}"} if size else None
        return self._json(self._controlled(body), 200, headers)

    def _returned(self, outcome: Outcome, default: str) -> Response:
        """The answer to a write: the entity, or nothing where that is preferred."""
        row, preferred = _given(outcome.row), self._intent.preferences.returns
        headers = {"ETag": row.etag or ""}
        if preferred:
            headers["Preference-Applied"] = f"return={preferred}"
        if (preferred or default) == "minimal":
            return Response(204, headers=headers)
        return self._whole(row, outcome.status or 200, headers)

    def _whole(self, row: Row, status: int, headers: Mapping[str, str]) -> Response:
        """The answer that is an entity, with its context URL."""
        resource, query = self._address.resource, self._intent.query
        text = self._kept(row, resource, query, self._how(resource, query))
        if text is None:
            shown = self._shown(row, resource, query)
            body = self._controlled({"@odata.context": self._urls.context(), **shown})
            return self._json(body, status, headers)
        if self._level != "none":
            text = self._urls.context_json() + text[1:]
        return Response(status, text, _CONTENT_TYPES[self._level], headers)

    def _items(self, rows: Sequence[Row], resource: Resource, query: Query) -> list[Json]:
        """The entities of a collection."""
        how = self._how(resource, query)
        return [
            self._shown(row, resource, query)
            if (text := self._kept(row, resource, query, how)) is None
            else orjson.Fragment(text)
            for row in rows
        ]

    def _how(self, resource: Resource, query: Query) -> _Form | None:
        """The form of entities, None where their JSON is not worth keeping."""
        if self._level == "full" or self._layout != "graph":
            return None
        selected = None if query.select is None else (self._address.cast, query.select.text)
        return self._level, resource.view.name, resource.type_name, self._all_members, selected

    def _kept(self, row: Row, resource: Resource, query: Query, how: _Form | None) -> bytes | None:
        """The JSON of a stored entity, from the last time if it was rendered like this before."""
        kept = row.kept
        if how is None or kept is None or row.resource is not None:
            return None
        text = kept.get(how)
        if text is None:
            if len(kept) >= _MOST_FORMS:
                kept.clear()
            text = kept[how] = json_of(self._shown(row, resource, query))
        return text

    def _shown(self, row: Row, resource: Resource, query: Query) -> dict[str, Json]:
        """An entity as the query selects it, with control information and expansions."""
        held = row.resource or resource
        selected = row.entity if query.select is None else query.select.apply(row.entity)
        control: dict[str, Json] = {}
        if self._layout == "graph" and self._level != "none":
            control["@odata.etag"] = row.etag
            if self._level == "full":
                control |= self._links(row, held)
            if held.type_name != resource.type_name:
                control["@odata.type"] = f"#{held.type_name}"
        shown = self._presented(held.type, selected, control)
        for expansion, related in row.expanded.items():
            for name, item in self._expanded(expansion, related).items():
                _put(shown, name, item)
        return shown

    def _links(self, row: Row, resource: Resource) -> dict[str, Json]:
        """The URLs to read and edit an entity, which only the full level spells out."""
        url = self._urls.entity(resource, row)
        return {"@odata.id": url, "@odata.editLink": url}

    def _expanded(self, expansion: Expansion, related: Page | Row | None) -> dict[str, Json]:
        """An expanded navigation property: entities, their URLs, or how many they are."""
        name = expansion.name
        if not isinstance(related, Page):
            return {name: None if related is None else self._followed(expansion, related)}
        counted = {} if related.total is None else {f"{name}@odata.count": related.total}
        if expansion.only == "$count":
            return counted
        return {**counted, name: [self._followed(expansion, row) for row in related.rows]}

    def _followed(self, expansion: Expansion, row: Row) -> dict[str, Json]:
        if expansion.only == "$ref":
            return {"@odata.id": self._urls.entity(row.resource or expansion.resource, row)}
        return self._shown(row, expansion.resource, expansion.followed)

    def _annotated(self, schema: Structured, value: Mapping[str, Json]) -> Mapping[str, Json]:
        """The value with the type annotations that the root and the level ask for."""
        if self._level == "none":
            return edm.bare(value)
        if self._level == "full":
            return edm.fully_typed(schema, value)
        return edm.typed(schema, value) if self._view.documented else value

    def _annotated_value(self, declared: edm.PropertyField | None, value: Json) -> Json:
        if isinstance(declared, edm.Complex):
            return self._presented(declared.schema, value)
        if isinstance(declared, edm.Collection) and isinstance(declared.item, edm.Complex):
            return [self._annotated_value(declared.item, item) for item in value]
        return value

    def _presented(
        self, schema: Structured, value: Mapping[str, Json], control: Mapping[str, Json] = _NOTHING
    ) -> dict[str, Json]:
        """A stored value as the root's model, the caller and the level have it, below control
        information."""
        stored = self._view.stored.schemas
        if self._view.documented and self._level == "minimal":
            return edm.documented(schema, value, stored, control)
        declared = edm.projected(schema, value, stored)
        if not self._all_members:
            declared = edm.masked_members(schema, declared)
        return {**control, **self._annotated(schema, declared)}

    def _controlled(self, body: dict[str, Json]) -> dict[str, Json]:
        """The body with as much control information as was asked for, or as pages print."""
        if self._layout == "graph" and self._level != "none":
            return body
        kept = ("@odata.nextLink", "@odata.count" if self._layout == "graph" else "@odata.type")
        return {
            name: value
            for name, value in body.items()
            if not name.startswith("@odata.") or name in kept
        }

    def _json(self, body: Json, status: int, headers: Mapping[str, str] | None = None) -> Response:
        documented = self._layout == "documented"
        content_type = "application/json" if documented else _CONTENT_TYPES[self._level]
        return Response(status, dump(body, self._layout), content_type, headers)


def _put(shown: dict[str, Json], path: str, item: Json) -> None:
    """Put a member into an object, or into a complex value of it; null values are left so."""
    *above, name = path.split("/")
    for each in above:
        inner = shown.get(each, {})
        if not isinstance(inner, Mapping):
            return
        shown[each] = shown = {**inner}
    shown[name] = item


def _given(value: T | None) -> T:
    assert value is not None  # the state gives what the operation is about
    return value


@cache
def _metadata_document(view: View) -> bytes:
    from mockgraph.metadata import csdl_writer  # nobody who starts has to wait for it

    return csdl_writer.write(view.model).encode()
