"""Property paths: checked against the schema once, then read by closures."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, NamedTuple

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.odata.syntax import Kind, Path, quoted
from mockgraph.odata.types import Evaluate, Expression, Type, from_json, of_property


class Scope(NamedTuple):
    """What names mean: properties of the schema, and lambda variables, the outermost first.

    ``related`` are the schema's navigation properties, which an open type would take for
    dynamic ones; ``now`` is what ``now()`` gives, an instant in UTC as Graph writes it, or the
    present one if left out.
    """

    schema: type[edm.StructuredType]
    variables: tuple[tuple[str, Type], ...] = ()
    related: frozenset[str] = frozenset()
    now: str | None = None

    def within(self, name: str, type_: Type) -> Scope:
        return self._replace(variables=(*self.variables, (name, type_)))


def resolve(path: Path, scope: Scope) -> Expression:
    """The expression that reads a path; null where anything on the way is null.

    Raises BadRequest where a property does not exist on a closed type, or where a segment
    leads nowhere.
    """
    start, type_, names = _start(path, scope)
    counted = bool(names) and names[-1] == "$count"
    for name in names[:-1] if counted else names:
        type_ = member(type_, name)
    if counted:
        return Expression(Type(Kind.INTEGER), _count(_read(start, names[:-1], None), path, type_))
    return Expression(type_, _read(start, names, from_json(type_)))


def member(type_: Type, name: str) -> Type:
    """The type of a property of a value; raises BadRequest where it can have none."""
    if type_.kind is Kind.UNTYPED:
        return type_
    if type_.kind is Kind.COLLECTION:
        raise BadRequest(
            f"{quoted(name)} is asked of a collection, which takes any, all or $count."
        )
    if type_.kind is not Kind.COMPLEX:
        raise BadRequest(f"{quoted(name)} is asked of a value of type {type_.name}.")
    declared = type_.of.properties().get(name)
    if declared is not None:
        return of_property(declared)
    if not type_.of.is_open or name.startswith("$") or "." in name:
        raise BadRequest(f"The property {quoted(name)} does not exist on type '{type_.name}'.")
    return Type(Kind.UNTYPED)


def _start(path: Path, scope: Scope) -> tuple[Evaluate | None, Type, tuple[str, ...]]:
    """Where a path begins (None: at the scope itself), of what type, and what is left of it."""
    depth = len(scope.variables)
    first, *rest = path.names
    for hops, (name, type_) in enumerate(reversed(scope.variables)):
        if name == first:
            return _outwards(hops, itemgetter(0)), type_, tuple(rest)
    entity = _outwards(depth - 1, itemgetter(1)) if depth else None
    names = tuple(rest) if first == "$it" else path.names
    if names and names[0] in scope.related:
        raise NotEmulated(f"paths through the navigation property {quoted(names[0])}")
    return entity, Type(Kind.COMPLEX, scope.schema), names


def _outwards(hops: int, last: Evaluate) -> Evaluate:
    for _ in range(hops):
        last = _after(itemgetter(1), last)
    return last


def _after(first: Evaluate, second: Evaluate) -> Evaluate:
    return lambda scope: second(first(scope))


def _read(start: Evaluate | None, names: tuple[str, ...], convert: Evaluate | None) -> Evaluate:
    """The closure that follows the names; the commonest shapes without a detour."""
    if not names:
        value = start or (lambda scope: scope)
    elif start is None:
        value = _property(names[0])
    else:
        value = _step(start, names[0])
    for name in names[1:]:
        value = _step(value, name)
    if convert is None:
        return value
    return _converted(value, convert)


def _property(name: str) -> Evaluate:
    return lambda entity: entity.get(name)


def _step(value: Evaluate, name: str) -> Evaluate:
    def evaluate(scope: Any) -> Any:
        outer = value(scope)
        # A dynamic value may be no object at all.
        return outer.get(name) if isinstance(outer, dict) else None

    return evaluate


def _converted(value: Evaluate, convert: Evaluate) -> Evaluate:
    def evaluate(scope: Any) -> Any:
        stored = value(scope)
        return None if stored is None else convert(stored)

    return evaluate


def _count(value: Evaluate, path: Path, type_: Type) -> Evaluate:
    if type_.kind not in (Kind.COLLECTION, Kind.UNTYPED):
        raise BadRequest(f"{quoted('/'.join(path.names))}: only a collection has a $count.")

    def evaluate(scope: Any) -> int | None:
        items = value(scope)
        return len(items) if isinstance(items, list) else None

    return evaluate
