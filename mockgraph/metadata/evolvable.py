"""Evolvable enumerations: members that clients see only once they say that they know of them.

Members that are declared after ``unknownFutureValue`` came later. Graph answers them as that
member, unless a request has the preference ``include-unknown-enum-members`` (page "Best
practices for working with Microsoft Graph", "Handling future members in evolvable
enumerations").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from mockgraph.metadata.names import Json
from mockgraph.metadata.primitives import UNKNOWN_MEMBER, Enum, EnumValues, PropertyField
from mockgraph.metadata.structures import Collection, Complex, StructuredSchema

if TYPE_CHECKING:
    from mockgraph.metadata.schemas import Schemas

Mask = Callable[[Any], Any]


def masked_members(schema: type[StructuredSchema], value: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return a value with each later member, at any depth, as ``unknownFutureValue``."""
    masks = _masks(schema.named_by(value) if "@odata.type" in value else schema)
    if not masks:
        return value
    shown = dict(value)
    for name, mask in masks.items():
        held = shown.get(name)
        if held:
            shown[name] = mask(held)
    return shown


def masked_property(declared: PropertyField | None, value: Json) -> Json:
    """Return the value of a property with later members as ``unknownFutureValue``."""
    mask = None if declared is None or not value else _mask(declared)
    return value if mask is None else mask(value)


@cache
def _masks(schema: type[StructuredSchema]) -> Mapping[str, Mask]:
    """The masking of the properties that may hold a later member, by name."""
    found = ((name, _mask(declared)) for name, declared in schema.properties().items())
    return {name: mask for name, mask in found if mask is not None}


def _mask(declared: PropertyField) -> Mask | None:
    if isinstance(declared, Collection):
        one = _mask(declared.item)
        return None if one is None else lambda items: [one(item) for item in items]
    if isinstance(declared, Enum) and declared.values.later:
        return _of_members(declared.values)
    if isinstance(declared, Complex) and _may_hold(declared.schema):
        return lambda value: masked_members(declared.schema, value)
    return None


def _of_members(values: EnumValues) -> Mask:
    later = values.later
    if not values.is_flags:
        return lambda text: UNKNOWN_MEMBER if text in later else text

    def mask(text: str) -> str:
        shown = (UNKNOWN_MEMBER if each in later else each for each in text.split(","))
        return ",".join(dict.fromkeys(shown))

    return mask


def _may_hold(schema: type[StructuredSchema]) -> bool:
    """Whether values of a type may have a later member in them.

    Those of types that others derive from may: nobody has to look at all of these.
    """
    seen: set[type[StructuredSchema]] = set()
    waiting = [schema]
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        if _has_heirs(each):
            return True
        for declared in each.properties().values():
            item = declared.item if isinstance(declared, Collection) else declared
            if isinstance(item, Enum) and item.values.later:
                return True
            if isinstance(item, Complex):
                waiting.append(item.schema)
    return False


def _has_heirs(schema: type[StructuredSchema]) -> bool:
    find: Any = schema.schemas  # a method of the schemas of its model, where it has one
    schemas: Schemas | None = getattr(find, "__self__", None)
    return schemas is not None and bool(schemas.model.derived(schema.type_name))
