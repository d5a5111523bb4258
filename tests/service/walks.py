"""Values that a model takes, one for each type, and the resources that a view declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mockgraph import metadata as edm
from mockgraph.metadata import primitives
from mockgraph.metadata.resources import Resource, ResourceKind

from . import concrete

Json = Any

_VALUES: dict[type[edm.PropertyField], Json] = {
    primitives.Binary: "AAEC",
    primitives.Boolean: True,
    primitives.Byte: 7,
    primitives.SByte: -7,
    primitives.Int16: 7,
    primitives.Int32: 7,
    primitives.Int64: 7,
    primitives.Single: 1.5,
    primitives.Double: 1.5,
    primitives.Decimal: 1.5,
    primitives.String: "text",
    primitives.Guid: "01234567-89ab-cdef-0123-456789abcdef",
    primitives.Date: "2024-02-29",
    primitives.TimeOfDay: "07:59:59",
    primitives.Duration: "P1DT12H",
    primitives.DateTimeOffset: "2024-02-29T00:00:00Z",
    primitives.Untyped: {"any": ["thing"]},
}
_DEEP = 2


def value_of(declared: edm.PropertyField, depth: int = 0) -> Json:
    """A value of a property; complex ones are null, and collections of them empty, where deep."""
    if isinstance(declared, edm.Collection):
        is_deep = isinstance(declared.item, edm.Complex) and depth >= _DEEP
        return [] if is_deep else [value_of(declared.item, depth)]
    if isinstance(declared, edm.Complex):
        return None if depth >= _DEEP else entity_of(declared.schema, depth + 1)
    if isinstance(declared, edm.Enum):
        return next(iter(declared.values.members))
    if isinstance(declared, primitives.Geography):
        shape = declared.type_name.removeprefix("Edm.Geography").removeprefix("Edm.Geometry")
        return {"type": shape or "Point", "coordinates": [1.5, 2]}
    return _VALUES[type(declared)]


def entity_of(schema: type[edm.StructuredSchema], depth: int = 0) -> dict[str, Json]:
    """A value of a structured type; of an abstract one, of the first that derives from it."""
    own = concrete(schema)
    value: dict[str, Json] = {} if own is schema else {"@odata.type": f"#{own.type_name}"}
    keys = edm.key_names(own)
    for name, declared in own.properties().items():
        if name not in keys or name != "id":
            value[name] = value_of(declared, depth)
    return value


def change_of(resource: Resource) -> dict[str, Json]:
    """A body that an update of an entity takes: all of its values once more, but for its keys."""
    schema = resource.type
    rules = resource.rules.update
    keys = edm.key_names(schema)
    names = [
        name
        for name, declared in schema.properties().items()
        if name not in keys and not declared.computed and not declared.immutable
    ]
    if rules.updatable_properties is not None:
        needed = {path.split("/")[0] for path in rules.required}
        names = [each for each in names if each in {*rules.updatable_properties, *needed}]
    return {name: value_of(schema.properties()[name]) for name in names}


def below(resource: Resource, above: frozenset[str] = frozenset()) -> Iterator[Resource]:
    """A resource and those below it, but for what is below one of the same type."""
    yield resource
    if resource.kind is ResourceKind.CONTAINED and resource.type_name not in above:
        for child in resource.children().values():
            yield from below(child, above | {resource.type_name})
