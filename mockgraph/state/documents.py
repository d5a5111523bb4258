"""State documents: the whole state as one JSON object that mirrors the URLs.

{"Security": {"providerStatus": [...], "alerts": [{...}], "tiIndicators": [{...}]}}

Who may sign in stands beside it, ``"Directory": {...}``, where that was ever said, and the rows
of hunting's tables, ``"Hunting": {"DeviceEvents": [{...}]}``. Both are kept as they are, for
others to read.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from mockgraph import metadata as edm
from mockgraph.collector import uncollected
from mockgraph.errors import BadRequest
from mockgraph.metadata.declarations import DIRECTORY, HUNTING, EntitySet, Resource, Service
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.keys import check_key
from mockgraph.state.rows import Snapshot

Tables = dict[str, Mapping[str, Mapping[str, Json]]]


def write_document(snapshot: Snapshot, service: Service) -> dict[str, Json]:
    """The state as a document; it shares its values with the state, so read it only."""
    name = service.singleton.name
    (singleton,) = snapshot.rows(name).in_order
    sets = {
        each.name: [dict(entity) for entity in snapshot.rows(each.name).in_order]
        for each in service.sets.values()
    }
    directory = directory_in(snapshot)
    beside: dict[str, Json] = {} if directory is None else {DIRECTORY: dict(directory)}
    if hunting := _hunting_in(snapshot):
        beside[HUNTING] = hunting
    return {name: {**singleton, **sets}, **beside}


def _hunting_in(snapshot: Snapshot) -> dict[str, Json]:
    """The rows of hunting's tables, by table: they are stored in blocks, as they came."""
    tables: dict[str, Json] = {}
    for block in snapshot.rows(HUNTING).in_order:
        tables.setdefault(block["table"], []).extend(block["rows"])
    return tables


def directory_in(snapshot: Snapshot) -> Properties | None:
    """Who may sign in; the same object for as long as nobody says otherwise."""
    return snapshot.rows(DIRECTORY).find(DIRECTORY)


def read_document(document: Json, service: Service, now: Snapshot | None = None) -> Tables:
    """A document as tables of properties. Ids may be given; missing ones are made.

    A document without the singleton's id, or without a directory, says what is the case
    ``now``. Raises BadRequest with the path of the fault where the document does not fit. A
    directory is not looked into, nor the rows for hunting.
    """
    singleton = service.singleton
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
        own.setdefault("id", next(iter(now.rows(singleton.name))))
    entity = _entity(singleton, own, singleton.name)
    tables: Tables = {singleton.name: {entity["id"]: entity}}
    with uncollected():
        for each in service.sets.values():
            items = body.get(each.name, [])
            tables[each.name] = _entities(each, items, f"{singleton.name}/{each.name}")
    if DIRECTORY in document:
        directory = document[DIRECTORY]
        if not isinstance(directory, dict):
            raise BadRequest(f"{DIRECTORY}: an object is expected.")
        tables[DIRECTORY] = {DIRECTORY: directory}
    elif now is not None:
        tables[DIRECTORY] = now.rows(DIRECTORY)
    hunting = document.get(HUNTING, {})
    if not isinstance(hunting, dict):
        raise BadRequest(f"{HUNTING}: an object is expected.")
    tables[HUNTING] = {
        str(number): {"table": table, "rows": rows}
        for number, (table, rows) in enumerate(hunting.items(), 1)
    }
    return tables


def _entities(resource: EntitySet, items: Json, path: str) -> dict[str, dict[str, Json]]:
    if not isinstance(items, list):
        raise BadRequest(f"{path}: an array is expected.")
    rows: dict[str, dict[str, Json]] = {}
    for index, item in enumerate(items):
        entity = _entity(resource, item, f"{path}/{index}")
        if entity["id"] in rows:
            raise BadRequest(f"{path}/{index}/id: '{entity['id']}' is given twice.")
        rows[entity["id"]] = entity
    return rows


def _entity(resource: Resource, value: Mapping[str, Json], path: str) -> dict[str, Json]:
    entity = edm.load(resource.type, value, root=path)
    if not entity["id"]:
        entity["id"] = str(uuid.uuid4())
    check_key(entity["id"], resource, path)
    return entity
