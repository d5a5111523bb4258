"""The rules of updates: what of the changes to an entity may take effect, and what does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.metadata.keys import key_of
from mockgraph.metadata.names import Json, Properties
from mockgraph.metadata.resources import Resource

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")

Schema = type[edm.StructuredSchema]


class UpdatePlan(NamedTuple):
    """The plan for updates of the entities of a type at a resource.

    ``resource`` is that of the root by which changes come, ``shown`` the type that an entity had
    there, ``own`` the stored type that it has once it is changed. The properties ``aside`` are
    left as they are; those that are ``free`` may be given any value but null, whatever it has now.
    """

    resource: Resource
    shown: Schema
    own: Schema
    aside: frozenset[str]
    free: frozenset[str]

    def effective(self, before: Properties, changes: Properties) -> Properties:
        """Return what takes effect of valid changes to an entity.

        Raise 400 where something would change that must not.
        """
        if changes.keys() <= self.free and None not in changes.values():
            return changes
        return self._looked_at(before, changes)

    def _looked_at(self, before: Properties, changes: Properties) -> Properties:
        """Do what ``effective`` does, by a look at each change and what it changes."""
        resource, own, aside = self.resource, self.own, self.aside
        allowed = _allowed_changes(resource, self.shown, own, changes, before)
        if resource.stored.refers_out:
            # The key is what the reference says, where it says one.
            aside -= {name for name in edm.key_names(own) if changes.get(name) is not None}
        if not resource.is_collection and key_of(own, before) is None:
            # The key of the one entity that there is can be given once.
            aside -= {name for name in edm.key_names(own) if before.get(name) is None}
        return {
            name: value
            for name, value in allowed.items()
            if name not in aside
            and not (value == edm.UNKNOWN_MEMBER and _is_later(own, name, before.get(name)))
        }


@lru_cache(maxsize=4096)
def update_plan(
    resource: Resource, was: Schema, own: Schema, left_aside: Callable[[Schema], frozenset[str]]
) -> UpdatePlan:
    """Return the plan for updates, at a root's resource, of entities from one type to another.

    Both are stored types, and the same unless an update names another.
    """
    shown = edm.own_type(resource.type, {"@odata.type": was.type_name})
    aside = left_aside(own)
    updatable = resource.rules.update.updatable_properties
    free = (
        frozenset(
            name
            for name, declared in own.properties().items()
            if (updatable is None or name in updatable)
            and not (isinstance(declared, edm.Enum) and declared.values.later)
            and not isinstance(declared, edm.Complex)  # there may be nulls in the value
        )
        - aside
        - _fixed(resource, shown)
    )
    return UpdatePlan(resource, shown, own, aside, free)


@lru_cache(maxsize=4096)
def _fixed(resource: Resource, own: Schema) -> frozenset[str]:
    """The properties that no update may change, of entities of this type there."""
    immutable = (name for name, each in own.properties().items() if each.immutable)
    return frozenset((*immutable, *resource.rules.update.non_updatable))


def _is_later(own: Schema, name: str, held: Json) -> bool:
    """Whether a value was answered as ``unknownFutureValue``, which then is its echo."""
    declared = own.properties().get(name)
    return isinstance(declared, edm.Enum) and held in declared.values.later


def _allowed_changes(
    resource: Resource,
    shown: Schema,
    stored: Schema,
    body: Properties,
    before: Properties,
) -> Properties:
    """Return what of a PATCH may take effect. Raise 400 where it would change what it must not.

    What the live service lets nobody change may be sent back as it was; what it needs to see
    in each update, to know whose the entity is, changes nothing either.
    """
    declared = stored.properties()
    _check_nulls(declared, body, before)
    rules = resource.rules.update
    updatable = rules.updatable_properties
    fixed = _fixed(resource, shown)
    if updatable is None and fixed.isdisjoint(body):
        return body
    needed = {path.split("/")[0] for path in rules.required}
    changed = {
        name: value
        for name, value in body.items()
        if (name in fixed or (updatable is not None and name not in updatable))
        and name not in needed
        and not (name in declared and declared[name].computed)
        and "@" not in name
    }
    after = edm.merge(resource.type, before, changed)
    for name in changed:
        if name not in before or not _is_echo(after[name], before[name]):
            raise BadRequest(f"{name}: The property cannot be updated.")
    if updatable is None:
        return {name: value for name, value in body.items() if name not in fixed}
    return {name: value for name, value in body.items() if name in updatable}


def _is_echo(sent: Json, held: Json) -> bool:
    """Whether a value is one that was answered: all of it, or as much as a client makes of it.

    Members that clients do not know were answered as unknownFutureValue, and SDKs keep six of
    the seven digits that an instant may have.
    """
    if sent == held or (sent == edm.UNKNOWN_MEMBER and isinstance(held, str)):
        return True
    if isinstance(sent, dict) and isinstance(held, dict):
        return sent.keys() == held.keys() and all(_is_echo(sent[name], held[name]) for name in sent)
    if isinstance(sent, list) and isinstance(held, list):
        return len(sent) == len(held) and all(map(_is_echo, sent, held))
    if isinstance(sent, str) and isinstance(held, str):
        return _as_kept(sent) == _as_kept(held)
    return False


def _as_kept(text: str) -> str:
    """An instant with six digits of its fraction, as clients keep it; any other text as it is."""
    return f"{text[:26].rstrip('Z').rstrip('0').rstrip('.')}Z" if _INSTANT.match(text) else text


def _check_nulls(
    declared: Mapping[str, edm.PropertyField], body: Properties, before: Properties, at: str = ""
) -> None:
    """Raise 400 where a null would take the place of a value that must be there, at any depth."""
    for name, value in body.items():
        field, held = declared.get(name), before.get(name)
        if field is None:
            continue
        if value is None:
            if held is not None and not field.nullable and not field.computed:
                raise BadRequest(f"{at}{name}: The property is not nullable.")
        elif type(value) is dict and isinstance(field, edm.Complex):
            own = edm.own_type(field.schema, value if "@odata.type" in value else held or value)
            _check_nulls(own.properties(), value, held or edm.whole(own, {}), f"{at}{name}/")
