"""Entities as they are sent and seeded: with what they contain, and what they refer to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from marshmallow import ValidationError

from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.metadata.keys import key_names, key_of
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Resource, ResourceKind
from mockgraph.metadata.structures import MAX_DEPTH, StructuredSchema, common_names
from mockgraph.metadata.values import load

_BIND = "@odata.bind"
_LAST_KEY = re.compile(r"(?:\('([^']+)'\)|/([^/()]+))/?$")


class Entry(NamedTuple):
    """An entity's own properties, validated, and what comes with them.

    ``contained`` has the entities of each navigation property that contains them, all that were
    sent; ``references`` has the URLs of the entities that a navigation property is to refer to.
    Both have none for one that was sent as null.
    """

    properties: dict[str, Json]
    contained: Mapping[Resource, Sequence[Entry]] = {}
    references: Mapping[Resource, Sequence[str]] = {}


def read_entry(
    resource: Resource,
    value: Json,
    schema: type[StructuredSchema] | None = None,
    *,
    partial: bool = False,
    root: str = "",
    depth: int = 0,
    is_shallow: bool = False,
) -> Entry:
    """Validate an entity of a resource, and the entities within it.

    ``schema`` is the type that it is cast to, the declared one if left out; with ``partial`` only
    what was sent is read, and entities of other resources, as an expansion answered them, are left
    aside; ``is_shallow`` tells that the value is known not to be too deep. Raises BadRequest with
    the path of the fault below ``root``, and NotEmulated where entities come along that their
    navigation property does not contain.
    """
    schema = schema or resource.type
    if type(value) is dict and (within := resource.within(schema.type_name)):
        value = _lifted(value, within)
    if type(value) is not dict or value.keys() <= common_names(schema):
        return Entry(load(schema, value, partial=partial, root=root, is_shallow=is_shallow))
    try:
        own = schema.named_by(value) if "@odata.type" in value else schema
    except ValidationError:
        own = schema  # refused below, with its path
    known = resource.navigation_names(own.type_name)
    if known.keys().isdisjoint(value) and not any(name.endswith(_BIND) for name in value):
        return Entry(load(schema, value, partial=partial, root=root))
    if depth == MAX_DEPTH:
        raise BadRequest(f"{root}: Entities are nested more than {MAX_DEPTH} levels deep.")
    contained: dict[Resource, Sequence[Entry]] = {}
    references: dict[Resource, Sequence[str]] = {}
    plain: dict[str, Json] = {}
    for name, item in value.items():
        path = f"{root}/{name}" if root else name
        if name in known and item is None and known[name].kind is ResourceKind.REFERENCE:
            references[known[name]] = _none(known[name], path)
        elif name in known and partial and _is_expanded(known[name], item):
            continue  # clients send back what they were answered
        elif name in known:
            contained[known[name]] = _contained(known[name], item, partial, path, depth + 1)
        elif name.endswith(_BIND):
            target = known.get(name.removesuffix(_BIND))
            if target is None:
                raise BadRequest(f"{path}: There is no navigation property of this name.")
            urls = _urls(item, target, path)
            if target.kind is ResourceKind.REFERENCE:
                references[target] = urls
            else:
                contained[target] = [_elsewhere(target, each, path) for each in urls]
        else:
            plain[name] = item
    return Entry(load(schema, plain, partial=partial, root=root), contained, references)


def _lifted(value: dict[str, Json], within: Iterable[str]) -> dict[str, Json]:
    """Return an entity with what complex values in it have navigation properties lead to beside.

    ``{"settings": {"adapters": [...]}}`` becomes ``{"settings": {}, "settings/adapters": [...]}``.
    """
    lifted = {**value}
    for path in within:
        *above, name = path.split("/")
        for sent in (name, f"{name}{_BIND}"):
            holder: Json = lifted
            for each in above:
                holder = holder.get(each) if type(holder) is dict else None
            if type(holder) is dict and sent in holder:
                _take(lifted, above, sent)
                lifted["/".join((*above, sent))] = holder[sent]
    return lifted


def _take(value: dict[str, Json], above: Sequence[str], name: str) -> None:
    """Take a member out of an object within a value; the objects on the way are copied."""
    for each in above:
        value[each] = value = {**value[each]}
    del value[name]


def _contained(
    resource: Resource, value: Json, partial: bool, path: str, depth: int
) -> Sequence[Entry]:
    if resource.kind is not ResourceKind.CONTAINED:
        raise NotEmulated(f"writing '{resource.name}' together with what they belong to")
    if not resource.is_collection:
        if value is None:
            return _none(resource, path)
        return (read_entry(resource, value, partial=partial, root=path, depth=depth),)
    if type(value) is not list:
        raise BadRequest(f"{path}: an array is expected.")
    return [
        read_entry(resource, item, root=f"{path}/{index}", depth=depth)
        for index, item in enumerate(value)
    ]


def _is_expanded(resource: Resource, value: Json) -> bool:
    """Whether a value is what expanding a navigation property to other resources answers.

    That is entities which are there already: each has its key.
    """
    if resource.kind is ResourceKind.CONTAINED or isinstance(value, list) != resource.is_collection:
        return False
    entities = value if isinstance(value, list) else [value]
    return all(type(each) is dict and key_of(resource.type, each) for each in entities)


def _none(resource: Resource, path: str) -> tuple[()]:
    """Read a null as a navigation property that leads to nothing. Raise 400."""
    navigation = resource.navigation
    if resource.is_collection or (navigation is not None and not navigation.nullable):
        raise BadRequest(f"{path}: The navigation property is not nullable.")
    return ()


def _urls(value: Json, resource: Resource, path: str) -> Sequence[str]:
    urls = value if type(value) is list else [value]
    if (type(value) is list) != resource.is_collection or not all(type(x) is str for x in urls):
        expected = "an array of URLs" if resource.is_collection else "a URL"
        raise BadRequest(f"{path}: {expected} is expected.")
    navigation = resource.navigation
    if resource.kind is ResourceKind.RELATED or (navigation and navigation.contains_target):
        raise BadRequest(f"{path}: This navigation property holds its entities itself.")
    return urls


def _elsewhere(resource: Resource, url: str, path: str) -> Entry:
    """Return the entity that a URL refers to, where no set of the service has such: its key."""
    try:
        key = _LAST_KEY.search(unquote(urlsplit(url).path))
    except ValueError:  # a host in brackets that is no address
        key = None
    names = key_names(resource.type)
    if key is None or len(names) != 1:
        raise BadRequest(f"{path}: The URL '{url[:200]}' ends with no key.")
    return read_entry(resource, {names[0]: key[1] or key[2]}, root=path)
