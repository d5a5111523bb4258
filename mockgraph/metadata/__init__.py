"""The Entity Data Model as marshmallow: Edm types as fields, structured types as schemas.

A type of a model becomes a subclass of :class:`EntitySchema` or :class:`ComplexSchema` when it is
first used (:mod:`.schemas`). Loading such a schema
validates without coercing and gives plain JSON values in the declared order; loading with
``partial=True`` gives only what was sent, for a PATCH to merge.
"""

from __future__ import annotations

from mockgraph.metadata.evolvable import masked_members, masked_property
from mockgraph.metadata.keys import composite_key, key_holders, key_names
from mockgraph.metadata.merge_patch import merge, whole
from mockgraph.metadata.names import NAMESPACE, Json, Properties, is_identifier
from mockgraph.metadata.primitives import (
    UNKNOWN_MEMBER,
    Boolean,
    DateTimeOffset,
    Double,
    Enum,
    EnumValues,
    Int32,
    Int64,
    Integer,
    PropertyField,
    String,
)
from mockgraph.metadata.structures import (
    MAX_DEPTH,
    Collection,
    Complex,
    ComplexSchema,
    EntitySchema,
    StructuredSchema,
    instance,
)
from mockgraph.metadata.values import (
    bare,
    documented,
    fully_typed,
    is_shallow,
    load,
    load_as,
    own_type,
    projected,
    property_at,
    typed,
)

__all__ = [
    "MAX_DEPTH",
    "NAMESPACE",
    "UNKNOWN_MEMBER",
    "Boolean",
    "Collection",
    "Complex",
    "ComplexSchema",
    "DateTimeOffset",
    "Double",
    "EntitySchema",
    "Enum",
    "EnumValues",
    "Int32",
    "Int64",
    "Integer",
    "Json",
    "Properties",
    "PropertyField",
    "String",
    "StructuredSchema",
    "bare",
    "composite_key",
    "documented",
    "fully_typed",
    "instance",
    "is_identifier",
    "is_shallow",
    "key_holders",
    "key_names",
    "load",
    "load_as",
    "masked_members",
    "masked_property",
    "merge",
    "own_type",
    "projected",
    "property_at",
    "typed",
    "whole",
]
