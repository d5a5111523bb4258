"""State documents: the whole state as one JSON object that mirrors the URLs.

{"Security": {"providerStatus": [...], "alerts": [{...}], "tiIndicators": [{...}]}}

Who may sign in stands beside it, ``"Directory": {...}``, where that was ever said, and the rows
of hunting's tables, ``"Hunting": {"DeviceEvents": [{...}]}``. Both are kept as they are, for
others to read. A store is opened here, too: its tables must make a whole document.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mockgraph import metadata as edm
from mockgraph.collector import uncollected
from mockgraph.errors import BadRequest, MockGraphError
from mockgraph.metadata.declarations import DIRECTORY, HUNTING, EntitySet, Service
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.schemas import DIRECTORY_TABLE, HUNTING_TABLE, OWN_TABLES, load_entity
from mockgraph.state.snapshots import Snapshot
from mockgraph.state.tables import EntityDB

if TYPE_CHECKING:
    from mockgraph.state.store import Store

Tables = dict[str, Mapping[str, Mapping[str, Json]]]


def write_document(database: EntityDB, service: Service) -> dict[str, Json]:
    """Return the state as a document; it shares its values with the state, so read it only."""
    (singleton,) = database.table(service.table_of(service.singleton)).rows.in_order
    sets = {
        each.name: [dict(entity) for entity in database.table(name).rows.in_order]
        for name, each in service.tables.items()
        if isinstance(each, EntitySet)
    }
    directory = directory_in(database)
    beside: dict[str, Json] = {} if directory is None else {DIRECTORY: dict(directory)}
    if hunting := _hunting_in(database):
        beside[HUNTING] = hunting
    return {service.singleton.name: {**singleton, **sets}, **beside}


def directory_in(database: EntityDB) -> Properties | None:
    """Return who may sign in; the same object for as long as nobody says otherwise."""
    return database.table(DIRECTORY_TABLE).rows.find(DIRECTORY)


def _hunting_in(database: EntityDB) -> dict[str, Json]:
    """Return the rows of hunting's tables, by table: they are stored in blocks, as they came."""
    tables: dict[str, Json] = {}
    for block in database.table(HUNTING_TABLE).rows.in_order:
        tables.setdefault(block["table"], []).extend(block["rows"])
    return tables


def read_document(document: Json, service: Service, now: EntityDB | None = None) -> Tables:
    """Return a document as tables of properties. Ids may be given; missing ones are made.

    A document without the singleton's id, or without a directory, says what is the case
    ``now``. Raise BadRequest with the path of the fault where the document does not fit. A
    directory is not looked into, nor the rows for hunting.
    """
    singleton = service.singleton
    own_table = service.table_of(singleton)
    if not isinstance(document, dict) or set(document) - {DIRECTORY, HUNTING} != {singleton.name}:
        raise BadRequest(
            f'A state document is an object with the member "{singleton.name}", and '
            f'"{DIRECTORY}" and "{HUNTING}" beside it where there are any.'
        )
    body = document[singleton.name]
    if not isinstance(body, dict):
        raise BadRequest(f"{singleton.name}: an object is expected.")
    names = {each.name for each in service.sets.values()}
    own = {name: value for name, value in body.items() if name not in names}
    if now is not None:
        own.setdefault("id", next(iter(now.table(own_table).rows)))
    entity = load_entity(singleton, own, singleton.name)
    tables: Tables = {own_table: {entity["id"]: entity}}
    with uncollected():
        for each in service.sets.values():
            items = body.get(each.name, [])
            path = f"{singleton.name}/{each.name}"
            tables[service.table_of(each)] = _entities(each, items, path)
    if DIRECTORY in document:
        directory = document[DIRECTORY]
        if not isinstance(directory, dict):
            raise BadRequest(f"{DIRECTORY}: an object is expected.")
        tables[DIRECTORY_TABLE] = {DIRECTORY: directory}
    elif now is not None:
        tables[DIRECTORY_TABLE] = now.table(DIRECTORY_TABLE).rows
    hunting = document.get(HUNTING, {})
    if not isinstance(hunting, dict):
        raise BadRequest(f"{HUNTING}: an object is expected.")
    tables[HUNTING_TABLE] = {
        str(number): {"table": table, "rows": rows}
        for number, (table, rows) in enumerate(hunting.items(), 1)
    }
    return tables


def _entities(resource: EntitySet, items: Json, path: str) -> dict[str, dict[str, Json]]:
    if not isinstance(items, list):
        raise BadRequest(f"{path}: an array is expected.")
    rows: dict[str, dict[str, Json]] = {}
    for index, item in enumerate(items):
        entity = load_entity(resource, item, f"{path}/{index}")
        if entity["id"] in rows:
            raise BadRequest(f"{path}/{index}/id: '{entity['id']}' is given twice.")
        rows[entity["id"]] = entity
    return rows


def open_store(path: str | os.PathLike[str], durability: str) -> Store:
    """Open the store in a file. Raise MockGraphError where it cannot be used."""
    from mockgraph.state.store import Store  # loading locks takes long, and most have no store

    if not os.fspath(path):
        raise MockGraphError("A store is a file, and its name is empty; 'memory' keeps none.")
    return Store(Path(path), durability)


def tables_in(store: Store, service: Service, initial: Snapshot) -> Snapshot:
    """Return the tables of a store; where it does not say who may sign in, ``initial`` does.

    Raise MockGraphError where whole lines do not make a whole state.
    """
    found, singleton = store.state, service.table_of(service.singleton)
    unknown = sorted(found.tables.keys() - service.tables.keys() - OWN_TABLES.keys())
    if unknown or len(found.rows(singleton)) != 1:
        fault = f"it has '{unknown[0]}'" if unknown else f"it does not have one '{singleton}'"
        raise MockGraphError(f"The store {store.path} is damaged: {fault}; it was left as it is.")
    directory = found.rows(DIRECTORY_TABLE) or initial.rows(DIRECTORY_TABLE)
    return Snapshot({**found.tables, DIRECTORY_TABLE: directory}, found.revision)


def incomplete_in(
    database: EntityDB, service: Service
) -> Iterator[tuple[str, str, Mapping[str, Json]]]:
    """Give table, key and whole properties of each entity that lacks a declared property."""
    for name, resource in service.tables.items():
        declared = resource.type.properties().keys()
        for entity in database.table(name).rows.in_order:
            if not declared <= entity.keys():
                yield name, entity.key, edm.whole(resource.type, entity)
