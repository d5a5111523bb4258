"""The Entity Data Model as marshmallow: Edm types as fields, structured types as schemas.

A type of a model becomes a subclass of :class:`EntitySchema` or :class:`ComplexSchema` when it is
first used (:mod:`.schemas`). Loading such a schema
validates without coercing and gives plain JSON values in the declared order; loading with
``partial=True`` gives only what was sent, for a PATCH to merge.
"""

from __future__ import annotations

from mockgraph.metadata import validator_expressions  # noqa: F401  # before marshmallow
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
from mockgraph.metadata.projections import Projections, projections
from mockgraph.metadata.structures import (
    MAX_DEPTH,
    Collection,
    Complex,
    ComplexSchema,
    EntitySchema,
    StructuredSchema,
    instance,
    item_of,
)
from mockgraph.metadata.values import (
    bare,
    fully_typed,
    is_shallow,
    load,
    load_as,
    own_type,
    property_at,
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
    "Projections",
    "Properties",
    "PropertyField",
    "String",
    "StructuredSchema",
    "bare",
    "composite_key",
    "fully_typed",
    "instance",
    "is_identifier",
    "is_shallow",
    "item_of",
    "key_holders",
    "key_names",
    "load",
    "load_as",
    "merge",
    "own_type",
    "projections",
    "property_at",
    "whole",
]
