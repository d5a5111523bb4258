"""Actions on single entities of the state, past what Graph lets a client do with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any, Final

from mockgraph.control.actions import ActionContext, Actions
from mockgraph.control.answers import EntitiesAnswer, JsonObject, KeyAnswer, Listing, SetAnswer
from mockgraph.errors import BadRequest, NotFound
from mockgraph.metadata.resources import Resource, ResourceKind, View
from mockgraph.odata.options import read_options as read_options
from mockgraph.service import SINGLETON
from mockgraph.state import State

ACTIONS = Actions()
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

_MOST = 1000  # entities of an answer

SetName = Annotated[str, "The set, by its path below security: alerts_v2."]
Key = Annotated[str, "The key of the entity; after its owner's and a '/', where it has one."]


@ACTIONS.get("/sets", command="sets")
def list_sets(
    context: ActionContext,
    every: Annotated[bool, "Those too that are deeper and hold nothing."] = False,
) -> Listing[SetAnswer]:
    """Return the sets of the state: the type, the number of entities, the roots that have it."""
    state = context.tenant.state
    return {"value": [_about(state, each) for each in sets_of(state, every=every)]}


@ACTIONS.get("/entities", command="entities list")
def list_entities(
    context: ActionContext,
    set: SetName,
    filter: Annotated[str | None, "The entities to return, as $filter has it."] = None,
    search: Annotated[str | None, "Words to look for, as $search has them."] = None,
    orderby: Annotated[str | None, "Their order, as $orderby has it."] = None,
    top: Annotated[int, "How many to return, 1000 at most."] = 50,
    skip: Annotated[int, "How many to pass over."] = 0,
) -> EntitiesAnswer:
    """Return entities of a set with their keys, oldest first, and how many match."""
    state = context.tenant.state
    resource = resource_named(state, set)
    options = {"$filter": filter, "$search": search, "$orderby": orderby}
    query = read_options(
        [(name, text) for name, text in options.items() if text],
        resource.type,
        resource=resource,
        now=state.clock.text(),
    )
    rows = state.db.rows(resource.path).in_order
    is_whole = query.filter is None and query.search is None
    matching = rows if is_whole else list(query.matching(rows))
    last = skip + min(top, _MOST)
    found = replace(query, filter=None, search=None).find(matching, last)[skip:last]
    return {
        "count": len(matching),
        "value": [{"key": each.key, "entity": dict(each)} for each in found],
    }


@ACTIONS.post("/entities", command="entities add", status=201)
def add_entity(
    context: ActionContext,
    set: Annotated[str, "The set, by its path below security: alerts_v2."],
    properties: Annotated[Mapping[str, Any], "What the entity has, as Graph's JSON."] = NOTHING,
) -> Annotated[Any, JsonObject]:
    """Make an entity of any set, with believable defaults, and return it."""
    return context.tenant.add(set, properties)


@ACTIONS.get("/entity", command="entities show")
def read_entity(context: ActionContext, set: SetName, key: Key) -> Annotated[Any, JsonObject]:
    """Return an entity, whole."""
    state = context.tenant.state
    found = state.db.rows(resource_named(state, set).path).find(key)
    if found is None:
        raise NotFound(f"There is no '{key[:200]}' in {set}.")
    return dict(found)


@ACTIONS.put("/entity", command="entities put", status=200)
def write_entity(
    context: ActionContext,
    set: SetName,
    key: Key,
    entity: Annotated[Mapping[str, Any], "The properties, all of them."],
) -> KeyAnswer:
    """Put an entity in the place of another, or add it; what does not fit changes nothing."""
    state = context.tenant.state
    state.db.table(resource_named(state, set).path).put(key, entity)
    return {"key": key}


@ACTIONS.delete("/entity", command="entities delete")
def remove_entity(context: ActionContext, set: SetName, key: Key) -> None:
    """Take an entity away, with all that it contains."""
    state = context.tenant.state
    read_entity(context, set, key)
    state.db.table(resource_named(state, set).path).put(key, None)


def sets_of(state: State, *, every: bool = False) -> list[Resource]:
    """Return the sets at the top, those that hold something, or every one that is known."""
    stored = state.service.stored
    roots = stored.children.values()
    found = [stored.resource(each) for each in state.db.filled_tables()]
    found += [each for root in roots for each in (root, *root.children().values())]
    if every:
        found += [each for root in roots for each in root.below()]
    held = {each.path: each for each in found if each is not None and _is_set(each)}
    return sorted(held.values(), key=lambda each: each.path.lower())


def _is_set(resource: Resource) -> bool:
    return resource.is_collection and resource.kind is ResourceKind.CONTAINED


def resource_named(state: State, name: str) -> Resource:
    """Return the set of a name, in any case. Raises BadRequest with the nearest names."""
    stored, path = state.service.stored, name.strip("/")
    resource = stored.resource(path) or stored.resource(f"{SINGLETON}/{path}")
    state.db.rows(name if resource is None else resource.path)  # which refuses what is no table
    if resource is None or not resource.is_collection:
        raise BadRequest(f"{name[:200]} is no set.")
    return resource


def roots_of(state: State, resource: Resource) -> list[View]:
    """Return the roots that serve a set."""
    views = state.service.views.values()
    return [each for each in views if each.resource(resource.path) is not None]


def _about(state: State, resource: Resource) -> SetAnswer:
    return {
        "set": resource.path,
        "type": resource.type_name,
        "count": len(state.db.rows(resource.path)),
        "roots": [each.name for each in roots_of(state, resource)],
    }
