"""The schemas of a service as rules for the documents of its tables."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import orjson

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.metadata.declarations import EntitySet, Resource, Singleton
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.entities import split_key
from mockgraph.state.snapshots import Snapshot
from mockgraph.state.storage import Write

# The table of who may sign in; it holds one document at most, whose key is the member's name.
DIRECTORY_TABLE: Final = "_mockgraph/directory"
# The table of the rows for hunting, in blocks as they came.
HUNTING_TABLE: Final = "_mockgraph/hunting"
# What is set by a state document alone, by its table.
OWN_TABLES: Final = {DIRECTORY_TABLE: "Who may sign in", HUNTING_TABLE: "What is hunted in"}

_JSON_ALONE = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


class Schemas:
    """The tables of a service, and whether a document may be in one.

    A set below another one has the entities that those of the other contain: each needs an
    owner, whose key comes first in its own.
    """

    def __init__(self, tables: Mapping[str, Resource]):
        self._tables = tables
        self.tables: Collection[str] = tables.keys()

    def check_table(self, name: str) -> None:
        """Raise BadRequest where the service has no such table."""
        if name not in self.tables and name not in OWN_TABLES:
            known = ", ".join(self.tables)
            raise BadRequest(f"There is no table {name!r}; the tables are {known}.")

    def check(self, write: Write, now: Snapshot) -> Write:
        """Return the documents loaded, every declared property in them.

        Raise BadRequest with the path of the fault, ``security/alerts/{id}/severity: ...``.
        """
        return {name: dict(self._checked(name, each, write, now)) for name, each in write.items()}

    def _checked(
        self, name: str, documents: Mapping[str, Properties | None], write: Write, now: Snapshot
    ) -> Iterator[tuple[str, Properties | None]]:
        self.check_table(name)
        if name in OWN_TABLES:
            raise BadRequest(f"{name}: {OWN_TABLES[name]} is set by a state document, or a seed.")
        resource, owners = self._tables[name], self._table_of_owners(name)
        for key, document in documents.items():
            path = f"{name}/{key}"
            if isinstance(resource, Singleton) and (document is None or key not in now.rows(name)):
                raise BadRequest(f"{path}: The singleton is there once; it can only be updated.")
            if document is not None:
                owner, own_id = split_key(key) if owners else ("", key)
                if owners and not _is_there(owner, owners, write, now):
                    raise BadRequest(f"{path}: There is no '{owner}' in {owners} to contain it.")
                yield key, _identified(resource, document, own_id, path)
            else:
                yield key, None

    def _table_of_owners(self, name: str) -> str | None:
        """Return the nearest table above that is a set's: its entities contain those of this."""
        while "/" in name:
            name = name.rpartition("/")[0]
            if isinstance(self._tables.get(name), EntitySet):
                return name
        return None


def load_entity(resource: Resource, value: Json, path: str) -> dict[str, Json]:
    """Return an entity with every declared property, and a new id where it brings none.

    Raise BadRequest, with the path of the fault below this one, where it does not fit.
    """
    entity = edm.load(resource.type, value, root=path)
    if not entity["id"]:
        entity["id"] = str(uuid.uuid4())
    check_id(entity["id"], resource, path)
    return entity


def check_id(own_id: str, resource: Resource, path: str = "") -> None:
    """Raise BadRequest where a URL with the id would lead elsewhere or nowhere."""
    where = f"{path}/id" if path else "id"
    if "/" in own_id or own_id.startswith("$") or not own_id.isprintable() or len(own_id) > 512:
        raise BadRequest(
            f"{where}: A key is at most 512 printable characters, without "
            "'/' and with no '$' in front."
        )
    actions = resource.actions if isinstance(resource, EntitySet) else ()
    names = {action.name.lower() for action in actions if not action.on_entity}
    if own_id in (".", "..") or own_id.lower().removeprefix(f"{edm.NAMESPACE}.") in names:
        raise BadRequest(f"{where}: '{own_id}' means something else in a URL.")


def _identified(resource: Resource, document: Properties, own_id: str, path: str) -> Properties:
    """Return the entity of a document, whose ``id`` may be left out."""
    value = _plain(document, path)
    if value.get("id") is None:
        value["id"] = own_id
    entity = load_entity(resource, value, path)
    if entity["id"] != own_id:
        raise BadRequest(f"{path}/id: An id cannot be changed, nor differ from the document's.")
    return entity


def _plain(document: Properties, path: str) -> dict[str, Any]:
    """Return a copy of a document, as JSON has it. Raise BadRequest where that has not."""
    try:
        value: dict[str, Any] = orjson.loads(orjson.dumps(dict(document), option=_JSON_ALONE))
    except TypeError as error:
        raise BadRequest(f"{path}: It cannot be written as JSON: {error}.") from None
    return value


def _is_there(key: str, name: str, write: Write, now: Snapshot) -> bool:
    written = write.get(name, {})
    return written[key] is not None if key in written else key in now.rows(name)
