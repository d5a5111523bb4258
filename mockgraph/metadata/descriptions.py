"""Leaving the prose of a model aside: descriptions, which are for people and state no facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mockgraph.metadata.annotations import Annotation, PropertyValue
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.immutable import Immutable
from mockgraph.metadata.namespaces import Schema

TERMS: Final = frozenset({"Org.OData.Core.V1.Description", "Org.OData.Core.V1.LongDescription"})
PROPERTIES: Final = frozenset({"Description", "LongDescription"})


def without_descriptions(model: Model) -> Model:
    """Return a model without descriptions, whether annotations or properties of a record."""
    return Model(_schema(schema) for schema in model.schemas.values())


def _schema(schema: Schema) -> Schema:
    targets = {target: _stripped(each) for target, each in schema.targets.items()}
    return schema._replace(
        types=_values(schema.types),
        operations=_values(schema.operations),
        terms=_values(schema.terms),
        containers=_values(schema.containers),
        targets={target: each for target, each in targets.items() if each},
        annotations=_stripped(schema.annotations),
    )


def _values(elements: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _stripped(each) for name, each in elements.items()}


def _stripped(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_stripped(each) for each in value if not _is_prose(each))
    if isinstance(value, Immutable):
        changed = {
            name: _stripped(before)
            for name, before in value.field_items()
            if (before and isinstance(before, tuple)) or isinstance(before, Immutable)
        }
        return value.replaced(**changed) if changed else value
    return value


def _is_prose(value: object) -> bool:
    if isinstance(value, Annotation):
        return value.term in TERMS
    return isinstance(value, PropertyValue) and value.name in PROPERTIES
