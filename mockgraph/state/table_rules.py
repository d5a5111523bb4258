"""The resources of a service as rules for the documents of its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from typing import Any, Final

import orjson

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.guids import new_guid, new_number
from mockgraph.metadata.keys import key_of, key_property, missing_part
from mockgraph.metadata.names import Json, Properties
from mockgraph.metadata.resources import SINGLE, Resource, ResourceKind, Service
from mockgraph.spelling import nearest
from mockgraph.state.entities import REMOVED, join_key, split_key
from mockgraph.state.links import LINKS
from mockgraph.state.snapshots import Rows, Snapshot
from mockgraph.state.storage import Write

# The table of who may sign in; it holds one document at most, whose key is the member's name.
DIRECTORY_TABLE: Final = "_mockgraph/directory"
# The table of the rows for hunting, in blocks of a table's name and rows.
HUNTING_TABLE: Final = "_mockgraph/hunting"
# The tables of what runs on after its request, and of what behaviours keep beside the entities.
RUNS_TABLE: Final = "_mockgraph/runs"
KEPT_TABLE: Final = "_mockgraph/kept"

_JSON_ALONE = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_MAX_KEY = 512
# New keys that are numbers as text have eight digits.
_LEAST_NUMBER, _NUMBERS = 10**7, 9 * 10**7
# The types, beside whole numbers, of which a key is made where none is given.
_MADE = ("Edm.String", "Edm.Guid")
_OWN_TABLES = (DIRECTORY_TABLE, HUNTING_TABLE, RUNS_TABLE, KEPT_TABLE)


class TableRules:
    """The tables that a service has, and whether a document may be in one."""

    def __init__(self, service: Service):
        self._stored = service.stored

    @cached_property
    def tables(self) -> frozenset[str]:
        """The names of the tables, but for those of types that contain themselves."""
        top = self._stored.children.values()
        return frozenset(each.path for resource in top for each in (resource, *resource.below()))

    def resource(self, name: str) -> Resource | None:
        """Return the resource whose entities a table holds, None where there is no such table."""
        found = self._stored.resource(name)
        is_table = found is not None and found.path == name and found.kind is ResourceKind.CONTAINED
        return found if is_table else None

    def check_table(self, name: str) -> None:
        """Raise BadRequest where the service has no such table."""
        if name in _OWN_TABLES or self.resource(name) is not None:
            return
        if name.endswith(LINKS) and self._stored.resource(name.removesuffix(LINKS)) is not None:
            return
        if name.endswith(REMOVED) and self.resource(name.removesuffix(REMOVED)) is not None:
            return
        last = {each.rpartition("/")[2]: each for each in sorted(self.tables, reverse=True)}
        near = nearest(name, self.tables) or [last[each] for each in nearest(name, last)]
        told = f"; the nearest are {', '.join(near)}" if near else ""
        raise BadRequest(f"There is no table {name!r}{told}.")

    def check(self, write: Write, now: Snapshot) -> Write:
        """Return the documents loaded, every declared property in them.

        Raise BadRequest with the path of the fault, ``security/alerts/{id}/severity: ...``.
        """
        checked = {
            name: dict(self._checked(name, each, write, now)) for name, each in write.items()
        }
        for name, documents in [*checked.items()]:
            marks = self._marks(name, documents, now)
            if marks:
                checked[f"{name}{REMOVED}"] = marks
        return checked

    def key_of(self, name: str, document: Properties) -> str | None:
        """Return the key that a new document brings, None where it brings none."""
        resource = self.resource(name)
        if resource is None or not resource.is_collection or table_of_owners(resource):
            return None
        return given_key(resource, document)

    def _marks(
        self, name: str, documents: Mapping[str, Properties | None], now: Snapshot
    ) -> dict[str, Properties | None]:
        """Return the marks to put and to remove where one entities are removed, or written."""
        resource = self.resource(name)
        if resource is None or resource.is_collection:
            return {}
        marked = now.rows(f"{name}{REMOVED}")
        return {
            key: {} if document is None else None
            for key, document in documents.items()
            if document is None or key in marked
        }

    def _checked(
        self, name: str, documents: Mapping[str, Properties | None], write: Write, now: Snapshot
    ) -> Iterator[tuple[str, Properties | None]]:
        resource = self.resource(name)
        if name in _OWN_TABLES:
            raise BadRequest(f"{name}: It is set by a state document, or a seed.")
        if resource is None:
            self.check_table(name)
            raise BadRequest(f"{name}: It is set by requests and state documents.")
        owners = table_of_owners(resource)
        is_root = resource.owner is None and not resource.is_collection
        for key, document in documents.items():
            path = f"{name}/{key}"
            if is_root and (document is None or key != SINGLE):
                raise BadRequest(f"{path}: The singleton is there once; it can only be updated.")
            if document is None:
                yield key, None
                continue
            owner, own = ("", key) if owners is None else split_key(key)
            if owners is not None and not owner:
                raise BadRequest(f"{path}: The key is that of an owner, '/', and one of its own.")
            if owners is not None and not _is_there(owner, owners, write, now):
                raise BadRequest(f"{path}: There is no '{owner}' in {owners} to contain it.")
            yield key, _identified(resource, document, own, path)


def table_of_owners(resource: Resource) -> str | None:
    """Return the table of the entities whose keys come first in the keys of a resource's."""
    owner = resource.owner
    while owner is not None:
        if owner.is_collection:
            return owner.home.path
        owner = owner.owner
    return None


def is_there(resource: Resource | None, owner: str, rows: Callable[[str], Rows]) -> bool:
    """Return whether an entity is there, so that others may belong to it; the root always is.

    ``owner`` is what the keys of what it contains begin with; ``rows`` gives those of a table.
    """
    while resource is not None and not resource.is_collection:
        key = join_key(owner, SINGLE)
        if rows(resource.path).find(key) is None and (
            resource.type.is_abstract or rows(f"{resource.path}{REMOVED}").find(key) is not None
        ):
            return False
        resource = resource.owner
    return resource is None or rows(resource.home.path).find(owner) is not None


def given_key(resource: Resource, properties: Properties) -> str | None:
    """Return the own key that properties make, None where they have no key, or not all of it."""
    if not resource.is_collection:
        return SINGLE
    return key_of(resource.type, properties)


def name_single(resource: Resource, properties: dict[str, Json]) -> None:
    """Give the one entity of a single-valued resource an id where it has none: its name."""
    if not properties.get("id") and edm.key_names(resource.type) == ("id",):
        properties["id"] = resource.name


def own_key(resource: Resource, entity: dict[str, Json], new: Callable[[], Json], path: str) -> str:
    """Return an entity's own key, and give it a new one where it brings none.

    Raise BadRequest, with the path of the fault below this one, where a URL with the key would
    lead elsewhere or nowhere, or where a key of several properties is not given.
    """
    if not resource.is_collection:
        name_single(resource, entity)
        return SINGLE
    names = edm.key_names(resource.type)
    if len(names) == 1 and names[0] in entity and entity[names[0]] in (None, ""):
        made = entity[names[0]] = new()
        if isinstance(made, str):
            return made
    key = given_key(resource, entity)
    if key is None:
        missing = missing_part(resource.type, entity)
        raise BadRequest(f"{_below(path, missing)}: The key must be given.")
    check_key(key, resource, _below(path, names[0]))
    return key


def _below(path: str, name: str) -> str:
    return f"{path}/{name}" if path and name else path or name


@cache
def new_key(resource: Resource) -> Callable[[], Json]:
    """Return what makes new keys for the entities of a resource."""
    declared = key_property(resource.type)
    if isinstance(declared, edm.Integer):
        most = declared.most
        return lambda: new_number(most)
    if resource.rules.insert.numeric_keys:
        return lambda: str(_LEAST_NUMBER + new_number(_NUMBERS))
    return new_guid if declared is None or declared.edm in _MADE else lambda: None


def check_key(key: str, resource: Resource, where: str) -> None:
    """Raise BadRequest where a URL with the key would lead elsewhere or nowhere."""
    if "/" in key or key.startswith("$") or not key.isprintable() or len(key) > _MAX_KEY:
        raise BadRequest(
            f"{where}: A key is at most {_MAX_KEY} printable characters, without "
            "'/' and with no '$' in front."
        )
    name = key.partition("(")[0].lower()
    is_type = "." in key and resource.view.model.find_type(key) is not None
    if key in (".", "..") or name in resource.reserved or is_type:
        raise BadRequest(f"{where}: '{key}' means something else in a URL.")


def _identified(resource: Resource, document: Properties, own: str, path: str) -> Properties:
    """Return the entity of a document, whose key properties may be left out."""
    value = json_copy(document, path)
    names = edm.key_names(resource.type)
    declared = resource.type.properties().get(names[0]) if len(names) == 1 else None
    if resource.is_collection and declared is not None and value.get(names[0]) is None:
        value[names[0]] = declared.from_text(own)
    entity = edm.load(resource.type, value, root=path)
    name_single(resource, entity)
    if resource.is_collection and own_key(resource, entity, new_key(resource), path) != own:
        where = f"{path}/{names[0]}" if names else path
        raise BadRequest(f"{where}: An id cannot be changed, nor differ from the document's.")
    return entity


def json_copy(document: Properties, path: str) -> dict[str, Any]:
    """Return a copy of a document, as JSON has it. Raise BadRequest where that has not."""
    try:
        value: dict[str, Any] = orjson.loads(orjson.dumps(dict(document), option=_JSON_ALONE))
    except TypeError as error:
        raise BadRequest(f"{path}: It cannot be written as JSON: {error}.") from None
    return value


def _is_there(key: str, name: str, write: Write, now: Snapshot) -> bool:
    written = write.get(name, {})
    return written[key] is not None if key in written else key in now.rows(name)
