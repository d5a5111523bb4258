"""State documents: the whole state as one JSON object that mirrors the URLs.

{"Security": {"providerStatus": [...], "alerts": [{...}], "cases": {"ediscoveryCases": [{...}]}}}

An entity holds what it contains, at every depth, and names what it refers to:
``"categories@odata.bind": ["security/labels/categories/c1"]``. Beside it stand, where there are
any, who may sign in, ``"Directory": {...}``, and the rows of hunting's tables,
``"Hunting": {"DeviceEvents": [{...}]}``. Both are kept as they are, for others to read. What runs
on after its request is in ``"Running": [{...}]``, where anything does. A store is opened here, too:
its tables must make a whole document.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mockgraph import metadata as edm
from mockgraph.collector import uncollected
from mockgraph.errors import BadRequest, MockGraphError, NotEmulated
from mockgraph.json_file import JsonItems
from mockgraph.metadata.entries import Entry, read_entry
from mockgraph.metadata.names import Json, Properties
from mockgraph.metadata.resources import SINGLE, Resource, ResourceKind, Service
from mockgraph.state.entities import REMOVED, join_key, owner_key
from mockgraph.state.links import link_key, link_to
from mockgraph.state.packing import packed
from mockgraph.state.runs import read_runs
from mockgraph.state.snapshots import Snapshot
from mockgraph.state.table_rules import (
    DIRECTORY_TABLE,
    HUNTING_TABLE,
    RUNS_TABLE,
    TableRules,
    new_key,
    own_key,
)
from mockgraph.state.tables import EntityDB

if TYPE_CHECKING:
    from mockgraph.state.store import Store
    from mockgraph.state.store_replay import Shape

# The members that say who may sign in and what there is to hunt in, and that of the singleton,
# spelt as localtest has it.
DIRECTORY: Final = "Directory"
HUNTING: Final = "Hunting"
RUNNING: Final = "Running"
SECURITY: Final = "Security"

# How many rows for hunting are in a block at most.
_ROWS = 1000

Tables = dict[str, Mapping[str, Mapping[str, Json]]]


def directory_in(database: EntityDB) -> Properties | None:
    """Return who may sign in; the same object for as long as nobody says otherwise."""
    return database.rows(DIRECTORY_TABLE).find(DIRECTORY)


def read_document(document: Json, service: Service, now: EntityDB | None = None) -> Tables:
    """Return a document as tables of properties. Ids may be given; missing ones are made.

    A document without the singleton's id, or without a directory, says what is the case
    ``now``. Raise BadRequest with the path of the fault where the document does not fit. A
    directory is not looked into, nor the rows for hunting.
    """
    known = service.stored.children
    members = (
        {}
        if not isinstance(document, dict)
        else {k: v for k, v in document.items() if k not in (DIRECTORY, HUNTING, RUNNING)}
    )
    if SECURITY not in members or any(name.lower() not in known for name in members):
        raise BadRequest(
            f'A state document is an object with the member "{SECURITY}", and '
            f'"{DIRECTORY}" and "{HUNTING}" beside it where there are any.'
        )
    reader = _DocumentReader()
    with uncollected():
        for name, value in members.items():
            resource = known[name.lower()]
            if resource.is_collection:
                reader.read_collection(resource, value, name)
            else:
                reader.read_singleton(resource, value, name, now)
        reader.check_references()
    tables: Tables = {**reader.tables}
    for each in (*known.values(), *known[SECURITY.lower()].children().values()):
        if contains_many(each):
            tables.setdefault(each.path, {})
    if DIRECTORY in document:
        directory = document[DIRECTORY]
        if not isinstance(directory, dict):
            raise BadRequest(f"{DIRECTORY}: an object is expected.")
        tables[DIRECTORY_TABLE] = {DIRECTORY: directory}
    elif now is not None:
        tables[DIRECTORY_TABLE] = now.rows(DIRECTORY_TABLE)
    hunting = document.get(HUNTING, {})
    if not isinstance(hunting, dict):
        raise BadRequest(f"{HUNTING}: an object is expected.")
    blocks = ((table, each) for table, rows in hunting.items() for each in in_blocks(rows))
    tables[HUNTING_TABLE] = {
        str(number): {"table": table, "rows": rows}
        for number, (table, rows) in enumerate(blocks, 1)
    }
    if RUNNING in document:
        tables[RUNS_TABLE] = read_runs(document[RUNNING], RUNNING)
    return tables


def in_blocks(rows: Json) -> list[Json]:
    """Return rows for hunting in the blocks in which they are stored; what is no list is one."""
    if not isinstance(rows, list) or not rows:
        return [rows]
    return [rows[at : at + _ROWS] for at in range(0, len(rows), _ROWS)]


class _DocumentReader:
    """Takes the entities of a document apart, into tables."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Mapping[str, Json]]] = {}
        self._references: list[tuple[Resource, str, str, str]] = []

    def read_singleton(
        self, resource: Resource, value: Json, path: str, now: EntityDB | None
    ) -> None:
        if not isinstance(value, dict):
            raise BadRequest(f"{path}: an object is expected.")
        if now is not None:
            before = now.rows(resource.path).find(SINGLE)
            value = {"id": before["id"], **value} if before and "id" in before else value
        own, collections = self._apart(resource, value)
        entry = _entry(resource, own, path)
        if path == SECURITY and not entry.properties.get("id"):
            entry.properties["id"] = new_key(resource)()
        self._put(resource, "", entry, path)
        for child, items in collections:
            self.read_collection(child, items, f"{path}/{child.name}")

    def _apart(
        self, resource: Resource, value: dict[str, Json]
    ) -> tuple[dict[str, Json], list[tuple[Resource, Json]]]:
        """Return what a singleton has but for the entities of its sets, and those.

        Read by themselves, they are never all unpacked at once.
        """
        own, collections = dict[str, Json](), list[tuple[Resource, Json]]()
        known = resource.navigation_names(resource.type.type_name)
        for name, item in value.items():
            child = known.get(name)
            if child is not None and contains_many(child) and isinstance(item, (list, JsonItems)):
                collections.append((child, item))
            else:
                own[name] = item
        return own, collections

    def read_collection(self, resource: Resource, value: Json, path: str) -> None:
        if not isinstance(value, (list, JsonItems)):
            raise BadRequest(f"{path}: an array is expected.")
        for index, item in enumerate(value):
            self._put(resource, "", _entry(resource, item, f"{path}/{index}"), f"{path}/{index}")

    def _put(self, resource: Resource, owner: str, entry: Entry, path: str) -> None:
        has_nothing = is_unset(resource, entry.properties)
        own = own_key(resource, entry.properties, new_key(resource), path)
        key = join_key(owner, own)
        rows = self.tables.setdefault(resource.path, {})
        if key in rows:
            names = ",".join(edm.key_names(resource.type))
            where = path if own == SINGLE else f"{path}/{names}"
            raise BadRequest(f"{where}: '{own}' is given twice.")
        if not has_nothing:
            rows[key] = packed(entry.properties)
        inner = owner_key(key)
        for child, entries in entry.contained.items():
            if not child.is_collection and not entries:
                removed = self.tables.setdefault(f"{child.path}{REMOVED}", {})
                removed[join_key(inner, SINGLE)] = {}
            for index, each in enumerate(entries):
                where = f"{path}/{child.name}"
                if child.is_collection:
                    where += f"/{index}"
                self._put(child, inner, each, where)
        for child, urls in entry.references.items():
            for url in urls:
                self._references.append((child, inner, url, f"{path}/{child.name}@odata.bind"))

    def check_references(self) -> None:
        """Keep the references. Raise BadRequest where a document has no such entity."""
        for resource, owner, url, path in self._references:
            found = resource.view.locate(url)
            held, key = found or (resource, "")
            entity = self.tables.get(held.path, {}).get(key)
            if entity is None:
                raise BadRequest(f"{path}: There is no entity at '{url[:200]}'.")
            type_name = edm.own_type(held.type, entity).type_name
            if not resource.view.model.derives_from(type_name, resource.type_name):
                raise BadRequest(f"{path}: '{url[:200]}' is no '{resource.type_name}'.")
            links = self.tables.setdefault(resource.links, {})
            links[link_key(owner, held.path, key)] = link_to(held.path, key)


def is_apart(path: Sequence[str], service: Service) -> bool:
    """Return whether what is at a path of a document is a set, or has sets of its own.

    Of a large document the entities of sets are read one after another.
    """
    top = service.stored.children.get(path[0].lower())
    if top is None or len(path) == 1:
        return top is not None
    child = top.navigation_names(top.type.type_name).get(path[1])
    return len(path) == 2 and not top.is_collection and child is not None and contains_many(child)


def contains_many(resource: Resource) -> bool:
    """Return whether a resource is a collection that contains its entities."""
    return resource.is_collection and resource.kind is ResourceKind.CONTAINED


def is_unset(resource: Resource, properties: Properties) -> bool:
    """Return whether properties say no more than those of an entity that was never written."""
    if resource.is_collection or resource.type.is_abstract:
        return False
    return properties == edm.whole(resource.type, {})


def _entry(resource: Resource, value: Json, path: str) -> Entry:
    try:
        return read_entry(resource, value, root=path)
    except NotEmulated as error:
        raise BadRequest(f"{path}: {error.message}") from None


def open_store(path: str | os.PathLike[str], durability: str) -> Store:
    """Open the store in a file. Raise MockGraphError where it cannot be used."""
    from mockgraph.state.store import Store  # loading locks takes long, and most have no store

    if not os.fspath(path):
        raise MockGraphError("A store is a file, and its name is empty; 'memory' keeps none.")
    return Store(Path(path), durability)


def tables_in(store: Store, service: Service, rules: TableRules, initial: Snapshot) -> Snapshot:
    """Return the tables of a store; where it does not say who may sign in, ``initial`` does.

    Raise MockGraphError where whole lines do not make a whole state.
    """
    found = store.state
    for name in sorted(found.tables):
        try:
            rules.check_table(name)
        except BadRequest:
            raise _damaged(store, f"it has '{name}'") from None
    singleton = service.stored.children[SECURITY.lower()].path
    if found.rows(singleton).find(SINGLE) is None:
        raise _damaged(store, f"it does not have one '{singleton}'")
    directory = found.rows(DIRECTORY_TABLE) or initial.rows(DIRECTORY_TABLE)
    return Snapshot({**found.tables, DIRECTORY_TABLE: directory}, found.revision)


def _damaged(store: Store, fault: str) -> MockGraphError:
    return MockGraphError(f"The store {store.path} is damaged: {fault}; it was left as it is.")


def incomplete_in(
    database: EntityDB, rules: TableRules, shapes: Mapping[str, Collection[Shape]]
) -> Iterator[tuple[str, str, Mapping[str, Json]]]:
    """Give table, key and whole properties of each entity that lacks a declared property.

    Tables are passed over of whose shapes none lacks one.
    """
    for name in database.filled_tables():
        resource = rules.resource(name)
        if resource is None or _are_whole(resource, shapes.get(name)):
            continue
        for entity in database.rows(name).in_order:
            declared = edm.own_type(resource.type, entity).properties().keys()
            if not declared <= entity.keys():
                yield name, entity.key, edm.whole(resource.type, entity)


def _are_whole(resource: Resource, shapes: Collection[Shape] | None) -> bool:
    """Return whether no entity of these shapes, where they are known, lacks a declared property."""
    if shapes is None:
        return False
    for type_name, *names in shapes:
        own = edm.own_type(resource.type, {"@odata.type": type_name} if type_name else {})
        if not own.properties().keys() <= {*names}:
            return False
    return True
