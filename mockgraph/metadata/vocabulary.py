"""The terms that MockGraph understands, and what ``Org.OData.Core.V1`` says of an element.

MockGraph's own vocabulary, ``MockGraph.V1``, says what the live service demands and its metadata
does not say:

- ``MaxTop``, ``MaxSkip`` (Edm.Int32): the largest ``$top`` and ``$skip`` of a collection;
- ``DefaultOrder`` (Edm.String): its order where none is asked for, as ``$orderby`` has it;
- ``UpdatableProperties`` (Collection(Edm.PropertyPath)): the properties that may change;
- ``UpdateRequires`` (Collection(Edm.PropertyPath)): what the body of an update must hold;
- ``UpdateAnswers`` (Edm.Int32): the status of a successful update without a preference;
- ``TimeOf`` (a record of ``Property`` and ``Value``): the service writes the time at which the
  other property came to have the value, and null once it has another;
- ``LenientInstants`` (Core.Tag): instants of the type may lack their time, their ``T`` or offset;
- ``InitialValue`` (Edm.PrimitiveType): the value that the service gives a property of a new
  entity, where the create gives none or, as it is computed, may give none;
- ``NumericKeys`` (Core.Tag): the service makes keys that are numbers, as text;
- ``Partial`` (Core.Tag): the type is declared in part, as it is not of Security.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from mockgraph.metadata.annotations import (
    DEFAULT,
    Annotation,
    Constant,
    EnumMembers,
    PathExpression,
    Record,
    Value,
    find_annotation,
)
from mockgraph.metadata.elements import OPTIONAL_PARAMETER

CORE: Final = "Org.OData.Core.V1."
CAPABILITIES: Final = "Org.OData.Capabilities.V1."
MOCKGRAPH: Final = "MockGraph.V1."

COMPUTED: Final = f"{CORE}Computed"
IMMUTABLE: Final = f"{CORE}Immutable"
PERMISSIONS: Final = f"{CORE}Permissions"
REVISIONS: Final = f"{CORE}Revisions"
PARTIAL: Final = f"{MOCKGRAPH}Partial"
TIME_OF: Final = f"{MOCKGRAPH}TimeOf"
LENIENT_INSTANTS: Final = f"{MOCKGRAPH}LenientInstants"
NUMERIC_KEYS: Final = f"{MOCKGRAPH}NumericKeys"
INITIAL_VALUE: Final = f"{MOCKGRAPH}InitialValue"


class Permission(NamedTuple):
    """A permission that does: a scheme, and scopes of which each does by itself."""

    scheme: str
    scopes: tuple[str, ...]


class Revision(NamedTuple):
    """A change of an element: ``kind`` is ``Added``, ``Modified`` or ``Deprecated``."""

    kind: str
    version: str | None = None
    description: str | None = None
    date: datetime.date | None = None
    removal: datetime.date | None = None


def tagged(annotations: Iterable[Annotation], term: str) -> bool:
    """Return whether a term that says yes or no says yes; without a value it does."""
    found = find_annotation(annotations, term)
    return found is not None and (found.value is DEFAULT or found.value is True)


def is_computed(annotations: Iterable[Annotation]) -> bool:
    """Return whether the service alone gives the property its value (Core.Computed)."""
    return tagged(annotations, COMPUTED)


def is_immutable(annotations: Iterable[Annotation]) -> bool:
    """Return whether a value can be given at creation only (Core.Immutable)."""
    return tagged(annotations, IMMUTABLE)


def read_only(annotations: Iterable[Annotation]) -> bool:
    """Return whether the property can be read and not written (Core.Permissions)."""
    found = find_annotation(annotations, PERMISSIONS)
    return (
        found is not None
        and isinstance(found.value, EnumMembers)
        and found.value.members == ("Read",)
    )


def time_of(annotations: Iterable[Annotation]) -> tuple[str, str] | None:
    """Return the property and the value whose time a property tells, None where it tells none."""
    found = find_annotation(annotations, TIME_OF)
    if found is None or not isinstance(found.value, Record):
        return None
    name, value = (_text(found.value.get(each)) for each in ("Property", "Value"))
    return None if name is None or value is None else (name, value)


def initial_value(annotations: Iterable[Annotation]) -> str | int | None:
    """Return the value of a property of a new entity, None where the service gives none."""
    found = find_annotation(annotations, INITIAL_VALUE)
    value = None if found is None else found.value
    return value if isinstance(value, str | int) else None


def default_of(annotations: Iterable[Annotation]) -> str | None:
    """Return the default of an optional parameter as text, None where it is not said."""
    found = find_annotation(annotations, OPTIONAL_PARAMETER)
    if found is None or not isinstance(found.value, Record):
        return None
    default = found.value.get("DefaultValue")
    return default if isinstance(default, str) else None


def revisions(annotations: Iterable[Annotation]) -> tuple[Revision, ...]:
    """Return the changes that are announced of an element (Core.Revisions)."""
    found = find_annotation(annotations, REVISIONS)
    if found is None:
        return ()
    return tuple(_revision(each) for each in _records(found.value))


def deprecated(annotations: Iterable[Annotation]) -> Revision | None:
    """Return the revision that deprecates an element, None where there is none."""
    return next((each for each in revisions(annotations) if each.kind == "Deprecated"), None)


def permissions(value: Value) -> tuple[Permission, ...]:
    """Return the permissions that a restriction lists (Capabilities.PermissionType)."""
    return tuple(
        Permission(
            _text(each.get("SchemeName")) or "",
            tuple(_text(scope.get("Scope")) or "" for scope in _records(each.get("Scopes"))),
        )
        for each in _records(value)
    )


def texts(value: Value) -> tuple[str, ...]:
    """Return a collection of strings or paths as texts, a single one as a collection of one."""
    items = value if isinstance(value, tuple) else (value,)
    return tuple(text for each in items if (text := _text(each)) is not None)


def _records(value: Value) -> Iterator[Record]:
    items = value if isinstance(value, tuple) else (value,)
    return (each for each in items if isinstance(each, Record))


def _text(value: Value) -> str | None:
    if isinstance(value, PathExpression | Constant):
        return value.text
    return value if isinstance(value, str) else None


def _revision(record: Record) -> Revision:
    kind = record.get("Kind")
    return Revision(
        kind.members[0] if isinstance(kind, EnumMembers) else "Added",
        _text(record.get("Version")),
        _text(record.get("Description")),
        _date(record.get("Date")),
        _date(record.get("RemovalDate")),
    )


def _date(value: Value) -> datetime.date | None:
    text = _text(value)
    try:
        return None if text is None else datetime.date.fromisoformat(text[:10])
    except ValueError:
        return None
