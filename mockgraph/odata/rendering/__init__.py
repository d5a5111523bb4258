"""From an outcome to a response: bodies in OData's JSON format, status, headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import TypeVar

import orjson

from mockgraph import metadata as edm
from mockgraph.http import Response
from mockgraph.metadata.elements import EntitySet, OperationImport, Singleton
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import View
from mockgraph.odata.deprecation import deprecated_properties, deprecation, may_be_deprecated
from mockgraph.odata.rendering.next_link import page_body
from mockgraph.odata.rendering.representations import Representations
from mockgraph.odata.rendering.texts import dump, page_json, render_json
from mockgraph.odata.rendering.urls import Urls
from mockgraph.state.intent import (
    UNKNOWN_MEMBERS,
    Address,
    Intent,
    Outcome,
    Page,
    Preferences,
    RequestKind,
    Row,
)
from mockgraph.state.query import Query
from mockgraph.wsgi import Headers

__all__ = ["dump", "render", "render_json"]

T = TypeVar("T")
_ZIP = b"PK"  # the first bytes of an archive

_CONTENT_TYPES = {
    level: f"application/json;odata.metadata={level};odata.streaming=true;"
    "IEEE754Compatible=false;charset=utf-8"
    for level in ("none", "minimal", "full")
}


def render(outcome: Outcome, intent: Intent, layout: str) -> Response:
    """Return the response to a request that went well.

    ``layout`` is ``graph`` or ``documented``.
    """
    address = intent.address.pattern or intent.address
    renderer = _renderer(address, intent.origin, intent.preferences, layout)
    response = renderer.answer(renderer, outcome, intent)
    names = renderer.deprecated
    is_sent = bool(names) and not intent.body.keys().isdisjoint(names)
    if is_sent or intent.options or renderer.may_be_deprecated:
        response.headers += deprecation(intent)
    if outcome.location is not None:
        response.set("Location", renderer.urls.location(outcome.location))
    if renderer.applies_members:
        response.headers.append(("Preference-Applied", UNKNOWN_MEMBERS))
    return response


class _Renderer:
    """The answers to the requests of an address whose callers prefer the same.

    ``answer`` makes the response to one of them. ``may_be_deprecated`` tells that they may use what
    is deprecated whatever they send, ``deprecated`` are the properties by which those do that send
    them. ``applies_members`` tells that members of enumerations which came later are wanted, and
    shown.
    """

    def __init__(self, address: Address, origin: str, preferences: Preferences, layout: str):
        self._address = address
        self._view = address.view
        self._preferences = preferences
        self._layout = layout
        self._level = preferences.metadata
        self.answer = self._renderers[address.kind]
        self.urls = Urls(address, origin)
        self._representations = Representations(address, self.urls, preferences, layout)
        documented = layout == "documented"
        content_type = "application/json" if documented else _CONTENT_TYPES[self._level]
        self._content_type = ("Content-Type", content_type)
        returns = preferences.returns
        self._applied = [("Preference-Applied", f"return={returns}")] if returns else []
        if returns is None and address.kind is RequestKind.UPDATE:
            returns = "minimal" if address.resource.rules.update.answers == 204 else None
        self._is_minimal = returns == "minimal"
        self.may_be_deprecated = may_be_deprecated(address)
        self.deprecated = deprecated_properties(address.type) if address.steps else ()
        self.applies_members = preferences.unknown_members and not self._view.documented

    # -- one method an operation ----------------------------------------------------------

    def _options(self, _: Outcome, __: Intent) -> Response:
        return Response(204, headers=[("Allow", ", ".join(self._address.allowed))])

    def _empty(self, outcome: Outcome, _: Intent) -> Response:
        return Response(outcome.status or 204)

    def _entity(self, outcome: Outcome, intent: Intent) -> Response:
        row = _given(outcome.row)
        headers = [("ETag", row.etag or "")]
        if outcome.unchanged:
            return Response(304, headers=headers)
        return self._whole(row, outcome.status or 200, headers, intent.query)

    def _created(self, outcome: Outcome, intent: Intent) -> Response:
        row = _given(outcome.row)
        if outcome.status == 202:  # it is under way, and where is told by the location
            return Response(202)
        response = self._written(outcome, intent)
        url = self.urls.entity(row.resource or self._address.resource, row)
        response.headers.append(("Location", url))
        if response.status == 204:
            response.headers.append(("OData-EntityId", url))
        return response

    def _written(self, outcome: Outcome, intent: Intent) -> Response:
        """Answer a write with the entity, or with nothing where that is preferred."""
        row = _given(outcome.row)
        headers = [("ETag", row.etag or ""), *self._applied]
        if self._is_minimal:
            return Response(204, headers=headers)
        return self._whole(row, outcome.status or 200, headers, intent.query)

    def _collection(self, outcome: Outcome, intent: Intent) -> Response:
        page, query = _given(outcome.page), intent.query
        resource, context = self._address.resource, self.urls.context(query)
        texts = self._representations.entities_json(page.rows, resource, query)
        if texts is not None:
            return self._page(page, context, [], intent, texts)
        items = self._representations.entities(page.rows, resource, query)
        return self._page(page, context, items, intent)

    def _references(self, outcome: Outcome, intent: Intent) -> Response:
        page = _given(outcome.page)
        resource = self._address.resource
        links: list[Json] = [
            {"@odata.id": self.urls.entity(row.resource or resource, row)} for row in page.rows
        ]
        return self._page(page, f"{self.urls.metadata}#Collection($ref)", links, intent)

    def _reference(self, outcome: Outcome, _: Intent) -> Response:
        row = _given(outcome.row)
        body = {
            "@odata.context": f"{self.urls.metadata}#$ref",
            "@odata.id": self.urls.entity(row.resource or self._address.resource, row),
        }
        return self._json(body, 200)

    def _read_property(self, outcome: Outcome, intent: Intent) -> Response:
        return self._part(outcome, intent, self._property)

    def _read_value(self, outcome: Outcome, intent: Intent) -> Response:
        return self._part(outcome, intent, self._raw)

    def _part(
        self, outcome: Outcome, intent: Intent, render: Callable[[Outcome, Intent], Response]
    ) -> Response:
        """Answer with a part of an entity, and the entity's etag."""
        etag = _given(outcome.row).etag or ""
        response = Response(304) if outcome.unchanged else render(outcome, intent)
        response.headers.append(("ETag", etag))
        return response

    def _property(self, outcome: Outcome, intent: Intent) -> Response:
        if outcome.value is None:
            return Response(204)
        context = {"@odata.context": self.urls.context(intent.query)}
        value = self._representations.property(self._declared, outcome.value)
        body = {**context, **value} if isinstance(value, dict) else {**context, "value": value}
        return self._json(self._controlled(body), 200)

    def _raw(self, outcome: Outcome, _: Intent) -> Response:
        if outcome.value is None:
            return Response(204)
        value = self._representations.raw(self._declared, outcome.value)
        if isinstance(value, (dict, list)):
            return self._json(value, 200)
        return self._plain(value)

    @property
    def _declared(self) -> edm.PropertyField | None:
        """The property that the address leads to, None of a dynamic one."""
        return edm.property_at(self._address.type, self._address.path)

    def _text(self, outcome: Outcome, _: Intent) -> Response:
        return self._plain(outcome.value)

    def _stream(self, value: bytes, status: int) -> Response:
        is_text = not value.startswith(_ZIP)
        return Response(status, value, "text/plain;charset=utf-8" if is_text else "application/zip")

    def _plain(self, value: Json) -> Response:
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        return Response(200, text.encode(), "text/plain;charset=utf-8")

    def _acted(self, outcome: Outcome, _: Intent) -> Response:
        """Answer an operation by its return type: entities, values, one of them, or nothing."""
        returned = outcome.returned
        if returned is None or (
            outcome.page is None and outcome.row is None and outcome.value is None
        ):
            return Response(outcome.status or 204)
        status = outcome.status or 200
        if isinstance(outcome.value, bytes):
            return self._stream(outcome.value, status)
        context = f"{self.urls.metadata}#{str(returned).replace('Edm.', '')}"
        if outcome.page is not None:
            items = [
                self._representations.returned(returned.name, row) for row in outcome.page.rows
            ]
            return self._json(self._controlled({"@odata.context": context, "value": items}), status)
        if outcome.row is not None:
            item = self._representations.returned(returned.name, outcome.row)
            return self._json(self._controlled({"@odata.context": context, **item}), status)
        return self._json(
            self._controlled({"@odata.context": context, "value": outcome.value}), status
        )

    def _service_document(self, _: Outcome, __: Intent) -> Response:
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
        body = {"@odata.context": self.urls.metadata, "value": value}
        return self._json(self._controlled(body), 200)

    def _metadata(self, _: Outcome, __: Intent) -> Response:
        content = _metadata_document(self._view)
        return Response(200, content, "application/xml")

    def _batch(self, outcome: Outcome, _: Intent) -> Response:
        return render_json(outcome.value, 200, self._layout)

    _renderers: Mapping[RequestKind, Callable[[_Renderer, Outcome, Intent], Response]] = {
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
        RequestKind.UPDATE: _written,
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

    def _page(
        self,
        page: Page,
        context: str,
        items: list[Json],
        intent: Intent,
        texts: list[bytes] | None = None,
    ) -> Response:
        """Answer with a page of items, or of what is JSON already."""
        body = self._controlled(page_body(intent, page, context, items))
        text = dump(body, self._layout) if texts is None else page_json(body, texts)
        headers = [self._content_type]
        if size := self._preferences.max_page_size:
            headers.insert(0, ("Preference-Applied", f"odata.maxpagesize={size}"))
        return Response(200, text, headers=headers)

    def _whole(self, row: Row, status: int, headers: Headers, query: Query) -> Response:
        """Answer with an entity and its context URL, by these headers and the content type."""
        resource = self._address.resource
        text = self._representations.entity_json(row, resource, query)
        if text is None:
            shown = self._representations.entity(row, resource, query)
            body = self._controlled({"@odata.context": self.urls.context(query), **shown})
            text = dump(body, self._layout)
        elif self._level != "none":
            text = self.urls.context_json(query) + text[1:]
        headers.append(self._content_type)
        return Response(status, text, None, headers)

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

    def _json(self, body: Json, status: int) -> Response:
        return Response(status, dump(body, self._layout), headers=[self._content_type])


# Programs ask in few ways for few addresses, again and again.
_renderer = lru_cache(maxsize=1024)(_Renderer)


def _given(value: T | None) -> T:
    assert value is not None  # the state gives what the operation is about
    return value


@cache
def _metadata_document(view: View) -> bytes:
    from mockgraph.metadata import csdl_writer  # nobody who starts has to wait for it

    return csdl_writer.write(view.model).encode()
