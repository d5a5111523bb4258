"""State documents: the whole state as one JSON object that mirrors the URLs.

{"Security": {"providerStatus": [...], "alerts": [{...}], "tiIndicators": [{...}]}}
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from mockgraph import edm
from mockgraph.errors import BadRequest
from mockgraph.model import Json, Service
from mockgraph.state.tables import EntityDB

Tables = dict[str, dict[str, dict[str, Json]]]


def write_document(db: EntityDB, service: Service) -> dict[str, Json]:
    """The state as a document; it shares its values with the state, so read it only."""
    name = service.singleton.name
    (singleton,) = db.entity_table(name).entities()
    sets = {
        each.name: [dict(entity) for entity in db.entity_table(each.name).entities()]
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
    entity = _entity(singleton.type, own, singleton.name)
    tables: Tables = {singleton.name: {entity["id"]: entity}}
    for each in service.sets.values():
        items = body.get(each.name, [])
        tables[each.name] = _entities(each.type, items, f"{singleton.name}/{each.name}")
    return tables


def _entities(schema: Any, items: Json, path: str) -> dict[str, dict[str, Json]]:
    if not isinstance(items, list):
        raise BadRequest(f"{path}: an array is expected.")
    rows: dict[str, dict[str, Json]] = {}
    for index, item in enumerate(items):
        entity = _entity(schema, item, f"{path}/{index}")
        if entity["id"] in rows:
            raise BadRequest(f"{path}/{index}/id: '{entity['id']}' is given twice.")
        rows[entity["id"]] = entity
    return rows


def _entity(schema: Any, value: Mapping[str, Json], path: str) -> dict[str, Json]:
    entity = edm.load(schema, value, root=path)
    if not entity["id"]:
        entity["id"] = str(uuid.uuid4())
    return entity
