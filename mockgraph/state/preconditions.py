"""Whether a request may act on an entity as it stands: etags, and what must not change."""

from __future__ import annotations

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest, PreconditionFailed
from mockgraph.metadata.declarations import EntitySet, Resource, Root
from mockgraph.metadata.names import Properties
from mockgraph.state.entities import Entity
from mockgraph.state.intent import Preconditions


def check(preconditions: Preconditions, entity: Entity) -> None:
    """Raises 412 where a write's preconditions do not hold."""
    if _misses(preconditions, entity):
        raise PreconditionFailed
    if _matches(preconditions.none_match, entity):
        raise PreconditionFailed("The entity exists, or has the etag that it must not have.")


def unchanged(preconditions: Preconditions, entity: Entity) -> bool:
    """Whether a reader already has the entity. Raises 412 on an If-Match that fails."""
    if _misses(preconditions, entity):
        raise PreconditionFailed
    return _matches(preconditions.none_match, entity)


def _misses(preconditions: Preconditions, entity: Entity) -> bool:
    return bool(preconditions.match) and not _matches(preconditions.match, entity)


def _matches(tags: tuple[str, ...], entity: Entity) -> bool:
    return "*" in tags or entity.etag.removeprefix("W/") in tags


def allowed_changes(
    root: Root, resource: Resource, body: Properties, before: Properties
) -> Properties:
    """What of a PATCH may take effect. Raises 400 where it would change what it must not.

    What the live service lets nobody change may be sent back as it was; what it needs to see
    in each update, to know whose the entity is, changes nothing either.
    """
    _check_nulls(resource, body, before)
    if root.documented or not isinstance(resource, EntitySet) or resource.rules.updatable is None:
        return body
    updatable, declared = resource.rules.updatable, resource.type.properties()
    needed = {path.split("/")[0] for path in resource.rules.update_needs}
    fixed = {
        name: value
        for name, value in body.items()
        if name not in updatable
        and name not in needed
        and not (name in declared and declared[name].computed)
    }
    after = edm.merge(resource.type, before, fixed)
    for name in fixed:
        if name not in before or after[name] != before[name]:
            raise BadRequest(f"{name}: The property cannot be updated.")
    return {name: value for name, value in body.items() if name in updatable}


def _check_nulls(resource: Resource, body: Properties, before: Properties) -> None:
    declared = resource.type.properties()
    for name, value in body.items():
        if value is not None or name not in declared:
            continue
        fixed = not declared[name].nullable and not declared[name].computed
        if fixed and before.get(name) is not None:
            raise BadRequest(f"{name}: The property is not nullable.")
