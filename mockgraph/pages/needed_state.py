"""The state in which a request can have its documented answer, as a state document.

Entities are put where they are held: below their owners, which are made as far as they are not
there, or where a reference or a constraint leads.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Resource, ResourceKind
from mockgraph.state.documents import HUNTING, SECURITY
from mockgraph.state.intent import Step
from mockgraph.state.table_rules import check_key

_BIND: Final = "@odata.bind"


class NeededState:
    """A state document that grows by entities; ``document`` is it."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {SECURITY: {}}

    def put(
        self, steps: Sequence[Step], properties: Mapping[str, Json] = {}, cast: str = ""
    ) -> None:
        """Have an entity at the end of a path, with these properties; one that is there grows.

        Where the last step is a collection and has no key, only its owner is there.
        """
        if not steps:
            return
        at: dict[str, Any] = self.document
        placed: list[tuple[Resource, str, dict[str, Any]]] = []
        for index, step in enumerate(steps):
            is_last = index == len(steps) - 1
            resource = step.resource
            if is_last and resource.is_collection and step.key is None:
                return
            kept = self._at(at, resource, step.key, placed)
            if is_last:
                _grow(self, steps, kept, properties)
            type_name = cast if is_last and cast else resource.home.type_name
            _name_type(kept, resource, type_name)
            if step.key is not None:
                placed.append((resource, step.key, kept))
            at = kept

    def put_rows(self, table: str, rows: Sequence[Json]) -> None:
        """Have rows in one of hunting's tables."""
        self.document.setdefault(HUNTING, {}).setdefault(table, []).extend(rows)

    def _at(
        self,
        at: dict[str, Any],
        resource: Resource,
        key: str | None,
        placed: Sequence[tuple[Resource, str, dict[str, Any]]],
    ) -> dict[str, Any]:
        """The object that stands for an entity, made if it is not there."""
        if resource.owner is None:
            name = SECURITY if resource.name.lower() == SECURITY.lower() else resource.name
            return _child(self.document, name, resource, key)
        if resource.kind is ResourceKind.CONTAINED:
            return _child(at, resource.name, resource, key)
        held, keys = self._held(resource.home, key, placed)
        if resource.kind is ResourceKind.REFERENCE:
            url = unquote(resource.home.url("/".join(keys) or "$"))
            if resource.is_collection:
                urls = at.setdefault(f"{resource.name}{_BIND}", [])
                urls += [] if url in urls else [url]
            else:
                at[f"{resource.name}{_BIND}"] = url
        elif resource.navigation is not None:
            for each in resource.navigation.constraints:
                if (value := at.get(each.property)) is not None:
                    held[each.referenced] = value
        return held

    def _held(
        self,
        home: Resource,
        key: str | None,
        placed: Sequence[tuple[Resource, str, dict[str, Any]]],
    ) -> tuple[dict[str, Any], list[str]]:
        """The object of an entity where it is held, and the keys along the way."""
        known = {each.path: own for each, own, _ in placed}
        at, keys = self.document, []
        for each in home.chain:
            own = None
            if each.is_collection:
                own = known.get(each.path, "1") if each is not home else key or str(uuid.uuid4())
                keys.append(own)
            name = each.name
            if each.owner is None and name.lower() == SECURITY.lower():
                name = SECURITY
            at = _child(at, name, each, own)
            if each is not home:
                _name_type(at, each, each.type_name)
        return at, keys


def _child(at: dict[str, Any], name: str, resource: Resource, key: str | None) -> dict[str, Any]:
    if not resource.is_collection:
        child: dict[str, Any] = at.setdefault(name, {})
        return child
    entities: list[dict[str, Any]] = at.setdefault(name, [])
    names = edm.key_names(resource.type)
    for each in entities:
        if all(each.get(part) == key for part in names):
            return each
    entities.append(dict.fromkeys(names, key))
    return entities[-1]


def _grow(
    state: NeededState, steps: Sequence[Step], kept: dict[str, Any], properties: Mapping[str, Json]
) -> None:
    """Give an entity its properties, and the entities that are shown within it."""
    resource = steps[-1].resource
    known = {each.name: each for each in resource.children(_type_of(properties, resource)).values()}
    fixed = set(edm.key_names(resource.type)) if resource.home.is_collection else set()
    if resource.navigation is not None:
        fixed |= {each.referenced for each in resource.navigation.constraints}
    shown = {k: v for k, v in properties.items() if k not in known}
    before = {k: v for k, v in kept.items() if k in fixed or k not in shown}
    kept.clear()
    kept.update({**shown, **before})
    for name, child in known.items():
        inner = properties.get(name)
        if inner is None:
            continue
        for item in inner if isinstance(inner, list) else [inner]:
            held = child.home.is_collection
            key = entity_key(child, item) or str(uuid.uuid4()) if held else None
            state.put([*steps, Step(child, key)], item)


def _type_of(properties: Mapping[str, Json], resource: Resource) -> str:
    name = properties.get("@odata.type")
    found = resource.view.schemas.find(name.removeprefix("#")) if isinstance(name, str) else None
    return resource.type_name if found is None else found.type_name


def _name_type(kept: dict[str, Any], resource: Resource, type_name: str) -> None:
    """Name a type that is not abstract, where the entity's own is and it names none."""
    view = resource.view
    schema = view.schemas[type_name]
    if "@odata.type" in kept:
        return
    if schema.is_abstract:
        heirs = (view.schemas[each] for each in view.model.derived(type_name))
        schema = next((each for each in heirs if not each.is_abstract), schema)
    if schema.type_name != resource.home.type_name:
        kept["@odata.type"] = f"#{schema.type_name}"


def entity_key(resource: Resource, entity: Json) -> str | None:
    """Return the own key of an entity that is shown, None where it shows none that can be one."""
    if not isinstance(entity, dict):
        return None
    names = edm.key_names(resource.type)
    found = [entity.get(name) for name in names]
    values = {name: each for name, each in zip(names, found, strict=True) if each}
    if not names or len(values) < len(names) or not all(isinstance(each, str) for each in found):
        return None
    key = str(found[0]) if len(names) == 1 else edm.composite_key(values)
    try:
        check_key(key, resource, "")
    except BadRequest:
        return None
    return key
