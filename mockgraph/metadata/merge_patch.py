"""The merge of a PATCH into a value of a structured type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from mockgraph.metadata.names import Json
from mockgraph.metadata.structures import Complex, StructuredSchema, common_names, unset

_TYPE = "@odata.type"


def merge(
    schema: type[StructuredSchema], current: Mapping[str, Json], changes: Mapping[str, Json]
) -> dict[str, Json]:
    """Return a value after a PATCH.

    Whatever was left out stays, complex values merge, all else is replaced; so is a complex value
    by one of another type.
    """
    schema = schema.named_by(changes if "@odata.type" in changes else current)
    merged = {**current, **changes}
    if schema.is_open and not current.keys() <= common_names(schema):
        for mark in [name for name in current if name.endswith(_TYPE)]:
            if mark.removesuffix(_TYPE) in changes and mark not in changes:
                del merged[mark]  # it was the type of the value before
    for name, inner in _complex(schema).items():
        value = changes.get(name)
        if value is not None:
            own = inner.named_by(value)
            before = current.get(name)
            if before is None or ("@odata.type" in value and inner.named_by(before) is not own):
                before = unset(own)
            merged[name] = merge(own, before, value)
    return merged


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
    before = unset(own)
    if "@odata.type" in value:
        before = {"@odata.type": value["@odata.type"], **before}
    return merge(own, before, value)
