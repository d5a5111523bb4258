"""The state in which a documented request can have its documented answer.

What the answer shows is there before, but for what the request itself writes: so the answer shows
the request and not the state.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from mockgraph.errors import GraphError
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Resource, ResourceKind, Service
from mockgraph.odata import addressing
from mockgraph.pages.needed_state import NeededState, entity_key
from mockgraph.pages.page_operations import gives_what_it_is_bound_to
from mockgraph.service import BEHAVIOURS
from mockgraph.service.hunting_query import HUNT
from mockgraph.state.intent import Address, RequestKind, Step

_TABLE = re.compile(r"\s*(\w+)\s*(?:\||$)", re.MULTILINE)


def state_needed(address: Address, body: Json, answer: Json) -> NeededState:
    """Return a state in which the request can have the documented answer.

    What a write sets is left out, so that the answer shows the write and not the seed.
    """
    state = NeededState()
    cast, steps = address.cast or "", address.steps
    if address.call is not None:
        _put_for_call(state, address, body, answer)
    elif address.kind in (RequestKind.LIST, RequestKind.COUNT, RequestKind.LIST_REFERENCES):
        state.put(steps)
        for item in _listed(address, answer):
            key = entity_key(address.resource, item) or str(uuid.uuid4())
            state.put([*steps[:-1], Step(address.resource, key)], item, cast)
    elif steps:
        shown = answer if isinstance(answer, dict) else {}
        if address.path:
            shown = _at_path(address, answer)
        elif address.kind is RequestKind.CREATE:
            shown = {}
        elif address.writes and isinstance(body, dict):
            only = address.resource.rules.update.updatable_properties
            written = body.keys() if only is None else body.keys() & set(only)
            shown = {name: value for name, value in shown.items() if name not in written}
        state.put(steps, shown, cast)
        if steps[-1].key is not None and not address.path:  # one that is not meant
            state.put([*steps[:-1], Step(address.resource, str(uuid.uuid4()))], {}, cast)
    return state


def _listed(address: Address, answer: Json) -> list[Json]:
    if address.kind is RequestKind.COUNT:
        is_number = isinstance(answer, int) and 0 <= answer <= 100
        return [{} for _ in range(answer)] if is_number else []
    items = answer.get("value") if isinstance(answer, dict) else None
    return [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []


def _at_path(address: Address, answer: Json) -> dict[str, Json]:
    """The properties of an entity that has the value shown at a path; of items added, none."""
    wrapped = isinstance(answer, dict) and answer.keys() == {"value"}
    value = answer["value"] if wrapped else answer
    if address.kind is RequestKind.APPEND:
        value = value[:-1] if isinstance(value, list) else []
    for name in reversed(address.path):
        value = {name: value}
    return value if isinstance(value, dict) and address.kind is not RequestKind.READ_VALUE else {}


def _put_for_call(state: NeededState, address: Address, body: Json, answer: Json) -> None:
    """Have the entities that an action's parameters name, by key or, as text, by external id.

    Of an entity that is shown as it is afterwards, what the action does not set is there before.
    """
    state.put(address.steps)
    _put_parameters(state, address, body)
    if gives_what_it_is_bound_to(address):
        _put_what_is_read(state, address, answer)
        return
    if address.key is not None or not address.steps or not address.resource.is_collection:
        return
    behaviour = BEHAVIOURS.get(address.call.name) if address.call else None
    if behaviour is not None and behaviour.creates:
        return
    shown = answer.get("value", []) if isinstance(answer, dict) else []
    before = {each["id"]: each for each in shown if isinstance(each, dict) and each.get("id")}
    external = "externalId" in address.type.properties()
    resource, above = address.resource, address.steps[:-1]
    for value in _named_by(body):
        if isinstance(value, str):
            given = {"externalId": value} if external else {}
            state.put([*above, Step(resource, value)], given)
        elif isinstance(value, dict) and isinstance(value.get("id"), str):
            kept = before.get(value["id"], {})
            given = {name: item for name, item in kept.items() if name not in value}
            state.put([*above, Step(resource, value["id"])], given)


def _put_parameters(state: NeededState, address: Address, body: Json) -> None:
    """Have the entities whose keys parameters of an entity type give, where they would be found.

    That is in the nearest collection beside or above what the operation is bound to.
    """
    call, sent = address.call, body if isinstance(body, dict) else {}
    folded = {name.lower(): value for name, value in sent.items()}
    for each in call.overloads[0].own_parameters if call is not None else ():
        value = folded.get(each.name.lower())
        for item in value if isinstance(value, list) else [value]:
            kind = each.type.name
            for above in range(len(address.steps) - 1, -1, -1):
                steps = address.steps[: above + 1]
                holder = _holding(steps[-1].resource, kind)
                key = entity_key(holder, item) if holder is not None else None
                if holder is not None and key is not None:
                    state.put([*steps, Step(holder, key)])
                    break


def _holding(owner: Resource, type_name: str) -> Resource | None:
    """The collection directly below an entity that contains entities of a type."""
    return next(
        (
            each
            for each in owner.children().values()
            if each.is_collection
            and each.kind is ResourceKind.CONTAINED
            and each.type_name == type_name
        ),
        None,
    )


def _put_what_is_read(state: NeededState, address: Address, answer: Json) -> None:
    """Have the entities that a function gives, where it gives what it is bound to."""
    resource, steps = address.resource, address.steps
    if address.key is not None or not resource.is_collection:
        state.put(steps, answer if isinstance(answer, dict) else {}, address.cast or "")
        return
    for item in _listed(address, answer) or [answer]:
        if isinstance(item, dict):
            key = entity_key(resource, item) or str(uuid.uuid4())
            state.put([*steps[:-1], Step(resource, key)], item, address.cast or "")


def _named_by(body: Json) -> list[Json]:
    """Return the entities, or their keys, that the parameters of an action name."""
    found = []
    for name, value in body.items() if isinstance(body, dict) else ():
        is_naming = name == "value" or name.lower().endswith(("id", "ids"))
        items = value if isinstance(value, list) else [value]
        found += [each for each in items if each] if is_naming else []
    return found


def referred(body: Json) -> Iterator[str]:
    """Give the URLs of the entities that a body refers to, at any level."""
    if isinstance(body, list):
        for item in body:
            yield from referred(item)
    for name, value in body.items() if isinstance(body, dict) else ():
        if name == "@odata.id" or name.endswith("@odata.bind"):
            yield from (each for each in (value if isinstance(value, list) else [value]) if each)
        else:
            yield from referred(value)


def put_target(url: Json, address: Address, service: Service, state: NeededState) -> None:
    """Have the entity that a URL leads to, where it leads to one."""
    if not isinstance(url, str):
        return
    try:
        path = unquote(urlsplit(url).path)
        rooted = path if addressing.root_of(path, service) else f"/{address.view.name}/{path}"
        found = addressing.resolve("GET", rooted.replace("//", "/"), service)
    except (GraphError, ValueError):
        return
    if found.steps and not found.path and found.call is None:
        state.put(found.steps, {}, found.cast or "")


def put_rows(address: Address, body: Json, answer: Json, state: NeededState) -> str | None:
    """Have the rows that a hunting query shows in the table that it begins with.

    Returns the time by which all of them are recent.
    """
    if address.call_name != HUNT or not isinstance(body, dict) or not isinstance(answer, dict):
        return None
    query, rows = body.get("query", body.get("Query")), answer.get("results")
    table = _TABLE.search(query) if isinstance(query, str) else None
    if table is None or not isinstance(rows, list):
        return None
    state.put_rows(table[1], [row for row in rows if isinstance(row, dict)])
    times = [row.get("Timestamp") for row in rows if isinstance(row, dict)]
    return max((each for each in times if isinstance(each, str)), default=None)
