"""Opening a store, and what is to be found in one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mockgraph import metadata as edm
from mockgraph.errors import MockGraphError
from mockgraph.metadata.declarations import DIRECTORY, HUNTING, Resource, Service
from mockgraph.metadata.names import Json
from mockgraph.state.rows import Snapshot

if TYPE_CHECKING:
    from mockgraph.state.store import Store


def open_store(path: str | os.PathLike[str], durability: str) -> Store:
    """A store in a file. Raises MockGraphError where it cannot be used."""
    from mockgraph.state.store import Store  # loading locks takes long, and most have no store

    return Store(Path(path), durability)


def tables_in(store: Store, service: Service, initial: Snapshot) -> Snapshot:
    """The tables of a store; where it does not say who may sign in, ``initial`` does.

    Raises MockGraphError where whole lines do not make a whole state.
    """
    found, singleton = store.state, service.singleton.name
    sets = {each.name for each in service.sets.values()}
    unknown = sorted(found.tables.keys() - sets - {singleton, DIRECTORY, HUNTING})
    if unknown or len(found.rows(singleton)) != 1:
        fault = f"it has '{unknown[0]}'" if unknown else f"it does not have one '{singleton}'"
        raise MockGraphError(f"The store {store.path} is damaged: {fault}; it was left as it is.")
    directory = found.rows(DIRECTORY) or initial.rows(DIRECTORY)
    return Snapshot({**found.tables, DIRECTORY: directory}, found.revision)


def lacking(snapshot: Snapshot, service: Service) -> dict[str, dict[str, dict[str, Json]]]:
    """The entities that lack a declared property, made whole: an older MockGraph knew fewer."""
    tables: dict[str, dict[str, dict[str, Json]]] = {}
    resources: list[Resource] = [service.singleton, *service.sets.values()]
    for each in resources:
        declared = each.type.properties().keys()
        for entity in snapshot.rows(each.name).in_order:
            if not declared <= entity.keys():
                whole = edm.whole(each.type, entity)
                tables.setdefault(each.name, {})[entity.key] = whole
    return tables
