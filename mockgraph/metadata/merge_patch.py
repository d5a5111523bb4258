"""The merge of a PATCH into a value of a structured type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from mockgraph.metadata.names import Json
from mockgraph.metadata.structures import Complex, StructuredSchema, unset

_TYPE = "@odata.type"


def merge(
    schema: type[StructuredSchema], current: Mapping[str, Json], changes: Mapping[str, Json]
) -> dict[str, Json]:
    """Return a value after a PATCH.

    Whatever was left out stays, complex values merge, all else is replaced; so is a complex value
    by one of another type.
    """
    own = schema.named_by(changes if _TYPE in changes else current)
    merged = {**current, **changes}
    if not _complex(own).keys().isdisjoint(changes):
        _merge_complex(own, current, changes, merged)
    if own.is_open:
        for name in changes:
            mark = f"{name}{_TYPE}"
            if mark in current and mark not in changes:
                del merged[mark]  # it was the type of the value before
    return merged


def _merge_complex(
    schema: type[StructuredSchema],
    current: Mapping[str, Json],
    changes: Mapping[str, Json],
    merged: dict[str, Json],
) -> None:
    """Put into a merged value its complex values, merged."""
    for name, inner in _complex(schema).items():
        value = changes.get(name)
        if value is not None:
            own = inner.named_by(value)
            before = current.get(name)
            if before is None or (_TYPE in value and inner.named_by(before) is not own):
                merged[name] = value if _is_whole(own, value) else merge(own, unset(own), value)
            else:
                merged[name] = merge(own, before, value)


@cache
def _complex(schema: type[StructuredSchema]) -> Mapping[str, type[StructuredSchema]]:
    """The types of the properties that hold one complex value."""
    return {
        name: declared.schema
        for name, declared in schema.properties().items()
        if isinstance(declared, Complex)
    }


def whole(schema: type[StructuredSchema], value: Mapping[str, Json]) -> dict[str, Json]:
    """Return the value with every declared property, unset ones as null or ``[]``, in order."""
    own = schema.named_by(value)
    made = unset(own, value)
    if _TYPE in value:
        made = {_TYPE: value[_TYPE], **made}
    made.update(value)
    _merge_complex(own, {}, value, made)
    return made


def _is_whole(own: type[StructuredSchema], value: Mapping[str, Json]) -> bool:
    """Whether a value of this very type has the declared properties in order and no others.

    All complex values in it must, too, as they do where it was loaded.
    """
    if tuple(value) != _names(own):
        return False
    for name, inner in _complex(own).items():
        item = value[name]
        if item is not None and (inner.is_abstract or not _is_whole(inner, item)):
            return False
    return True


@cache
def _names(schema: type[StructuredSchema]) -> tuple[str, ...]:
    """The names of the declared properties in order."""
    return tuple(schema.properties())
