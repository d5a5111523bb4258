"""Tests of the Entity Data Model."""

from __future__ import annotations

from typing import Any

from mockgraph import metadata as edm


def typed(schema: type[edm.StructuredSchema], value: Any) -> Any:
    """Return a value of a model's own as the pages of ``localtest`` print it."""
    find: Any = schema.schemas
    return edm.Projections(find.__self__, is_typed=True, is_masked=False)[schema].of(value)
