"""From an outcome to a response: bodies in OData's JSON format, status, headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeVar

import orjson

from mockgraph import metadata as edm
from mockgraph.http import Response
from mockgraph.metadata.declarations import EntitySet, Resource, Root, Service
from mockgraph.metadata.names import Json
from mockgraph.odata.rendering.texts import dump, render_json
from mockgraph.odata.rendering.urls import Urls
from mockgraph.state.intent import Address, Intent, Operation, Outcome, Page, Row
from mockgraph.state.query import Query

__all__ = ["dump", "render", "render_json"]

T = TypeVar("T")
_NO_OPTIONS = Query()
Structured = type[edm.StructuredType]

_CONTENT_TYPES = {
    level: f"application/json;odata.metadata={level};odata.streaming=true;"
    "IEEE754Compatible=false;charset=utf-8"
    for level in ("none", "minimal", "full")
}


def render(outcome: Outcome, intent: Intent, service: Service, layout: str) -> Response:
    """The response to a request that went well; ``layout`` is ``graph`` or ``documented``."""
    return _Renderer(intent, service, layout).response(outcome)


class _Renderer:
    """The answer to one intent."""

    def __init__(self, intent: Intent, service: Service, layout: str):
        self._intent = intent
        self._address: Address = intent.address
        self._service = service
        self._layout = layout
        self._level = intent.preferences.metadata
        self._urls = Urls(intent)

    def response(self, outcome: Outcome) -> Response:
        return self._operations[self._address.operation](self, outcome)

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
        return self._json(self._with_context(row), outcome.status or 200, headers)

    def _created(self, outcome: Outcome) -> Response:
        row = _given(outcome.row)
        response = self._returned(outcome, "representation")
        url = self._urls.entity(self._address.resource, row)
        response.headers.append(("Location", url))
        if response.status == 204:
            response.headers.append(("OData-EntityId", url))
        return response

    def _updated(self, outcome: Outcome) -> Response:
        resource = self._address.resource
        default = "representation"
        if isinstance(resource, EntitySet) and not self._address.root.documented:
            default = resource.rules.update_answers
        return self._returned(outcome, default)

    def _collection(self, outcome: Outcome) -> Response:
        page = _given(outcome.page)
        resource = self._address.within.target if self._address.within else self._address.resource
        query = self._intent.query
        return self._page(
            page, self._urls.context(), [self._item(each, resource, query) for each in page.rows]
        )

    def _references(self, outcome: Outcome) -> Response:
        page = _given(outcome.page)
        resource = self._address.resource
        links: list[Json] = [{"@odata.id": self._urls.entity(resource, row)} for row in page.rows]
        return self._page(page, f"{self._urls.metadata}#Collection($ref)", links)

    def _reference(self, outcome: Outcome) -> Response:
        body = {
            "@odata.context": f"{self._urls.metadata}#$ref",
            "@odata.id": self._urls.entity(self._address.resource, _given(outcome.row)),
        }
        return self._json(body, 200)

    def _read_property(self, outcome: Outcome) -> Response:
        return self._part(outcome, self._property)

    def _read_value(self, outcome: Outcome) -> Response:
        return self._part(outcome, self._raw)

    def _part(self, outcome: Outcome, render: Callable[[Outcome], Response]) -> Response:
        """What was read of an entity, with the entity's etag."""
        etag = _given(outcome.row).etag or ""
        response = Response(304) if outcome.unchanged else render(outcome)
        response.headers.append(("ETag", etag))
        return response

    def _property(self, outcome: Outcome) -> Response:
        if outcome.value is None:
            return Response(204)
        context = {"@odata.context": self._urls.context()}
        declared = edm.property_at(self._address.resource.type, self._address.path)
        value = self._annotated_value(declared, outcome.value)
        body = {**context, **value} if isinstance(value, dict) else {**context, "value": value}
        return self._json(self._controlled(body), 200)

    def _raw(self, outcome: Outcome) -> Response:
        if outcome.value is None:
            return Response(204)
        if isinstance(outcome.value, (dict, list)):
            return self._json(outcome.value, 200)
        return self._text(outcome)

    def _text(self, outcome: Outcome) -> Response:
        value = outcome.value
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        return Response(200, text.encode(), "text/plain;charset=utf-8")

    def _acted(self, outcome: Outcome) -> Response:
        if outcome.page is None:
            return Response(outcome.status or 204)
        schema = _given(outcome.type)
        name = edm.qualified(schema.edm_name())
        body: dict[str, Json] = {
            "@odata.context": f"{self._urls.metadata}#Collection({name})",
            "value": [self._value(schema, row) for row in outcome.page.rows],
        }
        return self._json(self._controlled(body), outcome.status or 200)

    def _service_document(self, _: Outcome) -> Response:
        root = self._address.root
        body = {
            "@odata.context": self._urls.metadata,
            "value": [{"name": root.singleton, "kind": "Singleton", "url": root.singleton}],
        }
        return self._json(self._controlled(body), 200)

    def _metadata(self, _: Outcome) -> Response:
        content = _metadata_document(self._service, self._address.root)
        return Response(200, content, "application/xml")

    def _batch(self, outcome: Outcome) -> Response:
        return render_json(outcome.value, 200, self._layout)

    def _hunted(self, outcome: Outcome) -> Response:
        context = f"{self._urls.metadata}#microsoft.graph.security.huntingQueryResults"
        return self._json(self._controlled({"@odata.context": context, **outcome.value}), 200)

    _operations: Mapping[Operation, Callable[[_Renderer, Outcome], Response]] = {
        Operation.OPTIONS: _options,
        Operation.SERVICE_DOCUMENT: _service_document,
        Operation.METADATA: _metadata,
        Operation.BATCH: _batch,
        Operation.LIST: _collection,
        Operation.COUNT: _text,
        Operation.COUNT_PROPERTY: _text,
        Operation.LIST_REFERENCES: _references,
        Operation.CREATE: _created,
        Operation.READ: _entity,
        Operation.READ_REFERENCE: _reference,
        Operation.UPDATE: _updated,
        Operation.DELETE: _empty,
        Operation.READ_PROPERTY: _read_property,
        Operation.READ_VALUE: _read_value,
        Operation.APPEND: _property,
        Operation.ACT: _acted,
        Operation.HUNT: _hunted,
    }

    # -- bodies ---------------------------------------------------------------------------

    def _page(self, page: Page, context: str, items: list[Json]) -> Response:
        body: dict[str, Json] = {"@odata.context": context}
        if page.total is not None:
            body["@odata.count"] = page.total
        body["value"] = items
        if page.next is not None:
            body["@odata.nextLink"] = self._urls.next_page(page.next)
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
        return self._json(self._with_context(row), outcome.status or 200, headers)

    def _with_context(self, row: Row) -> Json:
        resource, query = self._address.resource, self._intent.query
        if not self._is_kept(row, query):
            shown = self._shown(row, resource, query)
            return self._controlled({"@odata.context": self._urls.context(), **shown})
        text = self._kept(row, resource)
        if self._level == "none":
            return orjson.Fragment(text)
        context = orjson.dumps({"@odata.context": self._urls.context()})
        return orjson.Fragment(context[:-1] + b"," + text[1:])

    def _item(self, row: Row, resource: Resource, query: Query) -> Json:
        """An entity within a collection."""
        if self._is_kept(row, query):
            return orjson.Fragment(self._kept(row, resource))
        return self._shown(row, resource, query)

    def _is_kept(self, row: Row, query: Query) -> bool:
        """Whether the entity's JSON is the same for every caller, and worth keeping."""
        plain = query.select is None and self._level != "full" and self._layout == "graph"
        return plain and row.rendered is not None

    def _kept(self, row: Row, resource: Resource) -> bytes:
        """The JSON of a stored entity, from the last time if it was rendered like this before."""
        kept, how = _given(row.rendered), (self._level, self._address.root.documented)
        text = kept.get(how)
        if text is None:
            text = kept[how] = orjson.dumps(self._shown(row, resource, _NO_OPTIONS))
        return text

    def _shown(self, row: Row, resource: Resource, query: Query) -> dict[str, Json]:
        """An entity as the query selects it, with control information and expansions."""
        entity = row.entity if query.select is None else query.select.apply(row.entity)
        shown = self._annotated(resource.type, entity)
        if self._layout == "graph" and self._level != "none":
            shown = {"@odata.etag": row.etag, **self._links(row, resource), **shown}
        for name, page in row.expanded.items():
            shown.update(self._expanded(name, page, query))
        return shown

    def _links(self, row: Row, resource: Resource) -> dict[str, Json]:
        """Where an entity is read and edited, which only the full level spells out."""
        if self._level != "full":
            return {}
        url = self._urls.entity(resource, row)
        return {"@odata.id": url, "@odata.editLink": url}

    def _expanded(self, name: str, page: Page, query: Query) -> dict[str, Json]:
        inner = next(each for each in query.expand if each.name == name)
        target = next(each for each in self._service.sets.values() if each.type is inner.schema)
        rows = [self._shown(row, target, inner.query) for row in page.rows]
        counted = {} if page.total is None else {f"{name}@odata.count": page.total}
        return {**counted, name: rows}

    def _value(self, schema: Structured, row: Row) -> dict[str, Json]:
        if row.etag is not None:
            return self._shown(row, self._address.resource, _NO_OPTIONS)
        return self._annotated(schema, row.entity)

    def _annotated(self, schema: Structured, value: Mapping[str, Json]) -> dict[str, Json]:
        """The value with the type annotations that the root and the level ask for."""
        if self._level == "none":
            return edm.bare(value)
        if self._level == "full":
            return edm.fully_typed(schema, value)
        return edm.typed(schema, value) if self._address.root.documented else dict(value)

    def _annotated_value(self, declared: edm.Property | None, value: Json) -> Json:
        if isinstance(declared, edm.Complex):
            return self._annotated(declared.schema, value)
        if isinstance(declared, edm.Collection) and isinstance(declared.item, edm.Complex):
            schema = declared.item.schema
            return [self._annotated(schema, item) for item in value]
        return value

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


def _given(value: T | None) -> T:
    assert value is not None  # the state gives what the operation is about
    return value


@cache
def _metadata_document(service: Service, root: Root) -> bytes:
    from mockgraph.odata import metadata  # nobody who starts has to wait for it

    return metadata.write(service, root)
