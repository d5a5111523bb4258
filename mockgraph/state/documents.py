"""State documents: the whole state as one JSON object that mirrors the URLs.

{"Security": {"providerStatus": [...], "alerts": [{...}], "tiIndicators": [{...}]}}
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from mockgraph import edm
from mockgraph.errors import BadRequest
from mockgraph.model import EntitySet, Json, Resource, Service
from mockgraph.state.garbage import uncollected
from mockgraph.state.keys import check_key
from mockgraph.state.rows import Snapshot

Tables = dict[str, dict[str, dict[str, Json]]]


def write_document(snapshot: Snapshot, service: Service) -> dict[str, Json]:
    """The state as a document; it shares its values with the state, so read it only."""
    name = service.singleton.name
    (singleton,) = snapshot.rows(name).in_order
    sets = {
        each.name: [dict(entity) for entity in snapshot.rows(each.name).in_order]
        for each in service.sets.values()
    }
    return {name: {**singleton, **sets}}


def read_document(document: Json, service: Service, current_id: str | None) -> Tables:
    """A document as tables of properties. Ids may be given; missing ones are made.

    ``current_id`` is the singleton's, for a document that gives none. Raises BadRequest with
    the path of the fault where the document does not fit.
    """
    singleton = service.singleton
    if not isinstance(document, dict) or set(document) != {singleton.name}:
        raise BadRequest(f'A state document is an object with the one member "{singleton.name}".')
    body = document[singleton.name]
    if not isinstance(body, dict):
        raise BadRequest(f"{singleton.name}: an object is expected.")
    names = {each.name for each in service.sets.values()}
    own = {name: value for name, value in body.items() if name not in names}
    if current_id:
        own.setdefault("id", current_id)
    entity = _entity(singleton, own, singleton.name)
    tables: Tables = {singleton.name: {entity["id"]: entity}}
    with uncollected():
        for each in service.sets.values():
            items = body.get(each.name, [])
            tables[each.name] = _entities(each, items, f"{singleton.name}/{each.name}")
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
