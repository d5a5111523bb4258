"""Entities and values as JSON, by the root, by what its callers prefer and by the layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import orjson

from mockgraph import metadata as edm
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Resource
from mockgraph.odata.rendering.texts import joined
from mockgraph.odata.rendering.urls import Urls
from mockgraph.state.entities import Entity
from mockgraph.state.intent import Address, Page, Preferences, Row
from mockgraph.state.packing import json_of
from mockgraph.state.query import NO_OPTIONS, Expansion, Query

# How this caller sees entities, their declared type, and what is selected as which type; and the
# type of those that hold them where that is another one.
_Form: TypeAlias = tuple[str | tuple[str | None, str] | None, ...]
_MOST_FORMS = 8  # in which the JSON of an entity is kept
Structured = type[edm.StructuredSchema]


class Representations:
    """The entities and values at an address, and what they expand to, as a caller sees them.

    ``layout`` is ``graph`` or ``documented``.
    """

    def __init__(self, address: Address, urls: Urls, preferences: Preferences, layout: str):
        view, level = address.view, preferences.metadata
        all_members = view.documented or preferences.unknown_members
        self._cast = address.cast
        self._urls = urls
        self._view = view
        self._level = level
        self._has_control = layout == "graph" and level != "none"
        stored, is_masked = view.stored.schemas, not all_members
        is_typed = view.documented and level == "minimal"
        self._projections = edm.projections(stored, is_typed=is_typed, is_masked=is_masked)
        self._unmarked = edm.projections(stored, is_typed=False, is_masked=is_masked)
        # Where the JSON of entities is worth keeping.
        self._way: str | None = None
        if level != "full" and layout == "graph":
            self._way = f"{level} {view.name} {all_members}"
        self._plain = self._form(address.resource, NO_OPTIONS, None) if address.steps else None

    # -- entities -------------------------------------------------------------------------

    def entity_json(self, row: Row, resource: Resource, query: Query) -> bytes | None:
        """Return an entity as JSON, None where that is not kept for the next time."""
        plain = query.select is None
        form = self._plain if plain else self._form(resource, query, self._cast)
        return self._json(row, resource, query, form)

    def entities(self, rows: Sequence[Row], resource: Resource, query: Query) -> list[Json]:
        """Return the entities of a collection."""
        return [self.entity(row, resource, query) for row in rows]

    def entities_json(
        self, rows: Sequence[Row], resource: Resource, query: Query
    ) -> list[bytes] | None:
        """Return each entity of a collection as JSON, None where that is not kept."""
        form = self._form(resource, query, self._cast)
        if form is None:
            return None
        return [
            self._json(row, resource, query, form) or json_of(self.entity(row, resource, query))
            for row in rows
        ]

    def entity(self, row: Row, resource: Resource, query: Query = NO_OPTIONS) -> dict[str, Json]:
        """Return an entity as the query selects it, with control information and expansions."""
        control, members = self._parts(row, resource, query)
        shown = {**control, **members}
        for name, item in self._expansions(row).items():
            _put(shown, name, item)
        return shown

    def _form(self, resource: Resource, query: Query, cast: str | None) -> _Form | None:
        """The form of entities, None where their JSON is not worth keeping."""
        if self._way is None:
            return None
        selected = None if query.select is None else (cast, query.select.text)
        return self._way, resource.type_name, selected

    def _json(self, row: Row, resource: Resource, query: Query, form: _Form | None) -> bytes | None:
        """The JSON of a stored entity, from the last time if it was rendered like this before.

        What it expands to is put behind it, unless that is within complex values of it.
        """
        entity, expanded, held = row
        if form is None or not isinstance(entity, Entity):
            return None
        if held is not None and held.type_name != resource.type_name:
            form = (*form, held.type_name)
        kept = entity.rendered
        text = kept.get(form)
        if text is None:
            if len(kept) >= _MOST_FORMS:
                kept.clear()
            control, members = self._parts(row, resource, query)
            text = kept[form] = joined(orjson.dumps(control), orjson.dumps(members))
        if not expanded:
            return text
        if any("/" in each.name for each in expanded):
            return None
        return joined(text, orjson.dumps(self._expansions(row)))

    def _parts(
        self, row: Row, resource: Resource, query: Query
    ) -> tuple[Mapping[str, Json], Mapping[str, Json]]:
        """The control information of an entity, and its other members, as the query selects."""
        held = row.resource or resource
        value, select = row.entity, query.select
        if select is not None:
            projection = self._projections[held.type]
            value = projection.selected(value, select.names) or select.apply(value)
        control: dict[str, Json] = {}
        if self._has_control:
            control["@odata.etag"] = row.etag
            if self._level == "full":
                url = self._urls.entity(held, row)
                control |= {"@odata.id": url, "@odata.editLink": url}
            if held.type_name != resource.type_name and "@odata.type" not in value:
                control["@odata.type"] = f"#{held.type_name}"
        if self._level == "minimal" and "@odata.type" not in value:
            projection = self._projections[held.type]
            return {**control, **projection.mark}, projection.unmarked(value)
        return control, self.complex(held.type, value)

    def _expansions(self, row: Row) -> dict[str, Json]:
        """What an entity is expanded to, by the paths of the navigation properties."""
        shown: dict[str, Json] = {}
        for expansion, related in row.expanded.items():
            shown |= self._expanded(expansion, related)
        return shown

    def _expanded(self, expansion: Expansion, related: Page | Row | None) -> dict[str, Json]:
        """An expanded navigation property: entities, their URLs, or how many they are."""
        name = expansion.name
        if not isinstance(related, Page):
            return {name: None if related is None else self._followed(expansion, related)}
        counted = {} if related.total is None else {f"{name}@odata.count": related.total}
        if expansion.only == "$count":
            return counted
        return {**counted, name: [self._followed(expansion, row) for row in related.rows]}

    def _followed(self, expansion: Expansion, row: Row) -> Json:
        resource, query = expansion.resource, expansion.followed
        if expansion.only == "$ref":
            return {"@odata.id": self._urls.entity(row.resource or resource, row)}
        cast = None if expansion.of_type is None else expansion.of_type.type_name
        text = self._json(row, resource, query, self._form(resource, query, cast))
        return self.entity(row, resource, query) if text is None else orjson.Fragment(text)

    # -- values ---------------------------------------------------------------------------

    def complex(self, schema: Structured, value: Mapping[str, Json]) -> Mapping[str, Json]:
        """Return a value of a structured type with the annotations that the level asks for."""
        shown = self._projections[schema].of(value)
        if self._level == "none":
            return edm.bare(shown)
        return edm.fully_typed(schema, shown) if self._level == "full" else shown

    def property(self, declared: edm.PropertyField | None, value: Json) -> Json:
        """Return the value of a property, which is None of a dynamic one."""
        item = None if declared is None else edm.item_of(declared)
        if not isinstance(item, edm.Complex):
            return self.raw(declared, value)
        if isinstance(value, list):
            return [self.complex(item.schema, each) for each in value]
        return self.complex(item.schema, value)

    def raw(self, declared: edm.PropertyField | None, value: Json) -> Json:
        """Return the value of a property without annotations."""
        return self._unmarked.of_property(declared, value)

    def returned(self, type_name: str, row: Row) -> Mapping[str, Json]:
        """Return an entity or a complex value that an action or function returns."""
        if row.resource is not None:
            return self.entity(row, row.resource)
        return self.complex(self._view.schemas[type_name], row.entity)


def _put(shown: dict[str, Json], path: str, item: Json) -> None:
    """Put a member into an object, or into a complex value of it; null values are left so."""
    *above, name = path.split("/")
    for each in above:
        inner = shown.get(each, {})
        if not isinstance(inner, Mapping):
            return
        shown[each] = shown = {**inner}
    shown[name] = item
