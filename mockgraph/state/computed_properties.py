"""Properties that the service itself gives their values: times, authors, first values.

The metadata says of which properties that is so: those that are ``Computed`` and bear one of the
names below, those that tell the ``TimeOf`` another's value, and those with an ``InitialValue``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache

from mockgraph import metadata as edm
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.intent import Caller

# What tells when and by whom an entity was made, and when and by whom it was last changed.
_CHANGED = frozenset(
    {
        "lastModifiedDateTime",
        "lastUpdateDateTime",
        "lastUpdatedDateTime",
        "modifiedDateTime",
        "updatedDateTime",
    }
)
TIMES_OF_CHANGE = _CHANGED | {"createdDateTime", "creationDateTime"}
_CHANGED_BY = frozenset({"lastModifiedBy"})
AUTHORS = _CHANGED_BY | {"author", "createdBy"}

Schema = type[edm.StructuredSchema]


@cache
def computed(schema: Schema) -> frozenset[str]:
    """Return the properties whose values the service alone gives, but for the key."""
    found = (name for name, each in schema.properties().items() if each.computed)
    return frozenset(found) - edm.key_holders(schema)


def computed_unset(schema: Schema) -> dict[str, Json]:
    """Return what new entities have for the computed properties before these are given values."""
    unset = {**_unset(schema)}
    for name in _made_anew(schema):
        unset[name] = schema.properties()[name].unset()
    return unset


@cache
def _unset(schema: Schema) -> Mapping[str, Json]:
    return {name: schema.properties()[name].unset() for name in computed(schema)}


@cache
def _made_anew(schema: Schema) -> Sequence[str]:
    """The computed properties that are not shared while they are unset: they can be edited."""
    return [name for name, value in _unset(schema).items() if isinstance(value, list | dict)]


@cache
def unsettable(schema: Schema) -> frozenset[str]:
    """Return the properties that no request sets: computed ones, and those of the key."""
    return computed(schema) | edm.key_holders(schema)


def of_new(
    schema: Schema, given: Properties, now: Callable[[], str], caller: Caller
) -> dict[str, Json]:
    """Return the values that the service gives a new entity of a type, beyond those given.

    They are to be merged, and not edited.
    """
    initial, times, authors, told = _on_creation(schema)
    at = now() if times or told else ""
    values = {**initial, **dict.fromkeys(times, at)}
    for name in authors:
        values[name] = _author(schema, name, caller)
    for name, (of, value) in told:
        if given.get(of) == value:
            values[name] = at
    return {name: value for name, value in values.items() if given.get(name) in (None, [])}


def of_changed(
    schema: Schema,
    before: Properties,
    changes: Properties,
    now: Callable[[], str],
    caller: Caller,
) -> dict[str, Json]:
    """Return the values that the service gives an entity of a type that changes, as ``of_new``."""
    times, authors, told = _on_change(schema)
    if not (times or authors or told):
        return {}
    at = now()
    values: dict[str, Json] = dict.fromkeys(times, at)
    for name in authors:
        values[name] = _author(schema, name, caller)
    for name, (of, value) in told:
        if of in changes and (changes[of] == value) is not (before.get(of) == value):
            values[name] = at if changes[of] == value else None
    return values


@cache
def _on_change(
    schema: Schema,
) -> tuple[frozenset[str], frozenset[str], Sequence[tuple[str, tuple[str, str]]]]:
    """The properties that tell when, and by whom, an entity changed, and what else is told."""
    return _named(schema, _CHANGED), _named(schema, _CHANGED_BY), _told(schema)


@cache
def _on_creation(
    schema: Schema,
) -> tuple[
    Mapping[str, Json], frozenset[str], frozenset[str], Sequence[tuple[str, tuple[str, str]]]
]:
    """The first values of properties, and what ``_on_change`` gives of those of new entities."""
    declared = schema.properties().items()
    initial = {name: each.initial for name, each in declared if each.initial is not None}
    return initial, _named(schema, TIMES_OF_CHANGE), _named(schema, AUTHORS), _told(schema)


def _named(schema: Schema, names: frozenset[str]) -> frozenset[str]:
    """The computed properties among those with these names."""
    return names & computed(schema)


def _told(schema: Schema) -> Sequence[tuple[str, tuple[str, str]]]:
    """The properties that tell when another came to have a value, and the two of each."""
    declared = schema.properties().items()
    return [(name, each.time_of) for name, each in declared if each.time_of is not None]


@lru_cache(maxsize=1024)
def _author(schema: Schema, name: str, caller: Caller) -> Json:
    """The caller, as a property of this type has it; the same value each time."""
    declared = schema.properties()[name]
    if not isinstance(declared, edm.Complex):
        return caller.name
    is_set = "user" in declared.schema.properties()
    return edm.whole(declared.schema, identity_set(caller) if is_set else identity(caller))


def identity(caller: Caller) -> Properties:
    """Return the caller as Graph's identity."""
    return {"displayName": caller.name, "id": caller.id}


def identity_set(caller: Caller) -> Properties:
    """Return the caller as Graph's identitySet: an application, or the user that it calls for."""
    return {"application" if caller.is_app else "user": identity(caller)}
