"""Names of properties as they are declared, however a query spells them.

The live service reads them without regard to case; Microsoft's page "List healthIssues" filters by
``Status eq 'open'``. A documented root, whose schemas say so, takes them exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.metadata.resources import Resource
from mockgraph.odata.ast import Lambda, Literal, Path, ValueKind
from mockgraph.odata.types import Type, narrowed, of_property, of_related

N = TypeVar("N")
_UNKNOWN = Type(ValueKind.UNTYPED)
_NO_VARIABLES: Mapping[str, Type] = {}


def as_declared(node: N, schema: type[edm.StructuredSchema], resource: Resource | None) -> N:
    """Return a tree, or several, with the names in its paths as they are declared.

    Names that lead nowhere stay, for whoever compiles the tree to refuse.
    """
    if not schema.any_case:
        return node
    renamed: N = _renamed(node, Type(ValueKind.COMPLEX, schema, resource), _NO_VARIABLES)
    return renamed


def _renamed(node: Any, entity: Type, variables: Mapping[str, Type]) -> Any:
    match node:
        case Path(names):
            return Path(_followed(names, entity, variables)[0])
        case Lambda(path, quantifier, variable, body):
            names, collection = _followed(path.names, entity, variables)
            is_typed = collection.kind is ValueKind.COLLECTION
            item = collection.of if is_typed else _UNKNOWN
            inner = variables if variable is None else {**variables, variable: item}
            return Lambda(Path(names), quantifier, variable, _renamed(body, entity, inner))
        case Literal():
            return node
        case tuple() | list() if type(node) in (tuple, list):
            return type(node)(_renamed(each, entity, variables) for each in node)
        case _ if is_dataclass(node) and not isinstance(node, type):
            changes = {
                each.name: _renamed(getattr(node, each.name), entity, variables)
                for each in fields(node)
            }
            return replace(node, **changes)
        case _:
            return node


def _followed(
    names: tuple[str, ...], entity: Type, variables: Mapping[str, Type]
) -> tuple[tuple[str, ...], Type]:
    """Return the names of a path as they are declared, and the type that it leads to."""
    first, *rest = names
    if first == "$root":
        return names, _UNKNOWN
    at, spelt = variables.get(first), [first]
    if at is None:
        at, spelt, rest = (entity, [first], rest) if first == "$it" else (entity, [], list(names))
    for name in rest:
        declared, at = _step(at, name)
        spelt.append(declared)
    return tuple(spelt), at


def _step(at: Type, name: str) -> tuple[str, Type]:
    """Return the declared name of a segment, and the type behind it."""
    if at.kind not in (ValueKind.COMPLEX, ValueKind.COLLECTION):
        return name, _UNKNOWN
    if "." in name:
        try:
            return name, narrowed(at, name)[0]
        except BadRequest:
            return name, _UNKNOWN
    if at.kind is ValueKind.COLLECTION:
        return name, _UNKNOWN
    related = None
    if at.resource is not None:
        related = at.resource.children(at.of.type_name).get(name.lower())
    if related is not None:
        return related.name, of_related(related)
    declared = at.of.declared_name(name)
    if declared is None:
        return name, _UNKNOWN
    return declared, of_property(at.of.properties()[declared])
