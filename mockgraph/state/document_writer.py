"""The state written as a document: as a value, or as JSON piece by piece.

The form of a document is that of :mod:`mockgraph.state.documents`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Final
from urllib.parse import unquote

import orjson

from mockgraph import metadata as edm
from mockgraph.json_file import JsonItems
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import SINGLE, Resource, ResourceKind, Service
from mockgraph.state.documents import (
    DIRECTORY,
    HUNTING,
    RUNNING,
    SECURITY,
    contains_many,
    directory_in,
    is_unset,
)
from mockgraph.state.entities import REMOVED, Entity, join_key
from mockgraph.state.packing import Entities, PackedEntity, in_pieces, unpacked
from mockgraph.state.persistent_maps import Ordered
from mockgraph.state.table_rules import HUNTING_TABLE, RUNS_TABLE
from mockgraph.state.tables import EntityDB

_INDENT: Final = b"  "


class WrittenDocument:
    """A state as a document, of one moment. Its entities are written as they are asked for."""

    def __init__(self, database: EntityDB, service: Service):
        self._members = _members(database, service)

    def value(self) -> dict[str, Json]:
        """Return the document; it shares its values with the state, so read it only."""
        value: dict[str, Json] = _whole(self._members)
        return value

    def pieces(self, *, indented: bool = False) -> Iterator[bytes]:
        """Give the document as JSON, about 64 KiB at once.

        Compact, or laid out as the reference pages print it, with CRLF.
        """
        texts = _texts(self._members, b"\n" if indented else None)
        pieces = in_pieces(texts)
        return (piece.replace(b"\n", b"\r\n") for piece in pieces) if indented else pieces


def indented(document: Json) -> Iterator[bytes]:
    """Give a document that was read from a file as indented JSON, about 64 KiB at once."""
    return in_pieces(chain(_texts(_listed(document), b"\n"), (b"\n",)))


def _listed(value: Json) -> Json:
    if isinstance(value, JsonItems):
        return _Listed(value)
    return {name: _listed(item) for name, item in value.items()} if type(value) is dict else value


class _Listed:
    """The entities of a set in a document, each made when it is asked for."""

    def __init__(
        self,
        items: Ordered[Entity] | JsonItems | Sequence[Json],
        value: Callable[[Entity], dict[str, Json]] = dict,
    ):
        self._items = items
        self._value = value

    def _stored(self) -> Iterable[Json]:
        items = self._items
        return items.stored() if isinstance(items, Entities) else items

    def values(self) -> Iterator[Json]:
        """Give each as a value."""
        for item in self._stored():
            is_stored = isinstance(item, (Entity, PackedEntity))
            yield _whole(self._value(unpacked(item))) if is_stored else item

    def texts(self, begin: bytes | None) -> Iterator[bytes]:
        """Give each as JSON, that of one that is packed as it is."""
        is_as_stored = self._value is dict and begin is None
        for item in self._stored():
            if is_as_stored and isinstance(item, PackedEntity):
                yield item.json
            elif isinstance(item, (Entity, PackedEntity)):
                yield _text(_whole(self._value(unpacked(item))), begin)
            else:
                yield _text(item, begin)


def _whole(value: Json) -> Json:
    """Return a value of a document with lists in the place of what is listed."""
    if isinstance(value, _Listed):
        return list(value.values())
    if type(value) is dict and _has_lists(value):
        return {name: _whole(item) for name, item in value.items()}
    return value


def _has_lists(value: Json) -> bool:
    return type(value) is dict and any(
        isinstance(item, _Listed) or _has_lists(item) for item in value.values()
    )


def _texts(value: Json, begin: bytes | None) -> Iterator[bytes]:
    """Give a value of a document as JSON; ``begin`` begins a line there, None where none does."""
    inner = None if begin is None else begin + _INDENT
    items: Iterator[Iterable[bytes]]
    if isinstance(value, _Listed):
        brackets = b"[]"
        items = ((text,) for text in value.texts(inner))
    elif _has_lists(value):
        brackets = b"{}"
        colon = b":" if begin is None else b": "
        items = (
            chain((orjson.dumps(name) + colon,), _texts(item, inner))
            for name, item in value.items()
        )
    else:
        yield _text(value, begin)
        return
    before = brackets[:1]
    for item in items:
        yield before + (inner or b"")
        yield from item
        before = b","
    if before != b",":
        yield brackets
    else:
        yield (begin or b"") + brackets[1:]


def _text(value: Json, begin: bytes | None) -> bytes:
    if begin is None:
        return orjson.dumps(value)
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).replace(b"\n", begin)


def _members(database: EntityDB, service: Service) -> dict[str, Json]:
    writer = _DocumentWriter(database)
    document: dict[str, Json] = {}
    for each in service.stored.children.values():
        member = SECURITY if each.name.lower() == SECURITY.lower() else each.name
        if each.is_collection:
            document[member] = writer.entities(each, "")
        elif not each.type.is_abstract or database.rows(each.path):
            document[member] = writer.singleton(each)
    if (directory := directory_in(database)) is not None:
        document[DIRECTORY] = dict(directory)
    if hunting := _hunting_in(database):
        document[HUNTING] = hunting
    if running := database.rows(RUNS_TABLE):
        document[RUNNING] = _Listed(running.in_order)
    return document


def _hunting_in(database: EntityDB) -> dict[str, Json]:
    """Return the rows of hunting's tables, by table: they are stored in blocks, as they came."""
    tables: dict[str, list[Json]] = {}
    for block in database.rows(HUNTING_TABLE).in_order:
        tables.setdefault(block["table"], []).extend(block["rows"])
    return {table: _Listed(rows) for table, rows in tables.items()}


class _DocumentWriter:
    """Writes what tables hold; those that hold nothing are passed over."""

    def __init__(self, database: EntityDB):
        self._database = database
        self._filled = database.filled_tables()
        self._above = {above for name in self._filled for above in _all_above(name)}

    def entities(self, resource: Resource, owner: str) -> _Listed:
        rows = self._database.rows(resource.path)
        found = rows.in_order if not owner else rows.owned_by(owner)
        if resource.path not in self._above:
            return _Listed(found)
        return _Listed(found, partial(self._with_below, resource))

    def singleton(self, resource: Resource) -> dict[str, Json]:
        """Return the one entity at the root, with a list for each collection directly below it."""
        entity = self._written(resource, SINGLE)
        lists = {
            each.name: self.entities(each, "")
            for each in resource.children().values()
            if contains_many(each)
        }
        below = self._below(resource, "")
        return _nested(
            {**(entity or {}), **lists, **{k: v for k, v in below.items() if k not in lists}}
        )

    def _with_below(self, resource: Resource, entity: Entity) -> dict[str, Json]:
        schema = edm.own_type(resource.type, entity)
        return _nested({**entity, **self._below(resource, entity.key, schema.type_name)})

    def _below(
        self, resource: Resource, owner: str, type_name: str | None = None
    ) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for each in resource.children(type_name).values():
            if each.kind is ResourceKind.REFERENCE:
                urls = self._references(each, owner)
                if urls:
                    found[f"{each.name}@odata.bind"] = urls if each.is_collection else urls[0]
            elif each.kind is ResourceKind.CONTAINED and self._is_filled(each):
                if each.is_collection:
                    found[each.name] = self.entities(each, owner)
                else:
                    found.update(self._single(each, owner))
        return found

    def _single(self, resource: Resource, owner: str) -> dict[str, Json]:
        """The entity by its resource's name: null if it was deleted, nothing if never written."""
        key = join_key(owner, SINGLE)
        entity = self._written(resource, key)
        if entity is None and key in self._database.rows(f"{resource.path}{REMOVED}"):
            return {resource.name: None}
        below = self._below(resource, owner)
        return {resource.name: _nested({**(entity or {}), **below})} if entity or below else {}

    def _written(self, resource: Resource, key: str) -> Entity | None:
        """The one entity of a single-valued resource, None where nothing of it was ever set."""
        entity = self._database.rows(resource.path).find(key)
        return None if entity is None or is_unset(resource, entity) else entity

    def _references(self, resource: Resource, owner: str) -> list[str]:
        if resource.links not in self._filled:
            return []
        links = self._database.rows(resource.links).owned_by(owner)
        view = resource.view
        found = ((view.resource(link["table"]), link["key"]) for link in links)
        return [unquote(target.url(key)) for target, key in found if target is not None]

    def _is_filled(self, resource: Resource) -> bool:
        return resource.path in self._filled or resource.path in self._above


def _nested(value: dict[str, Json]) -> dict[str, Json]:
    """Return an entity with what is below its complex values put into them."""
    for path in [name for name in value if "/" in name]:
        item, inner = value.pop(path), value
        *above, name = path.split("/")
        for each in above:
            inner[each] = inner = {**(inner.get(each) or {})}
        inner[name] = item
    return value


def _all_above(name: str) -> Iterator[str]:
    """Give the paths of the resources that one is below."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name
