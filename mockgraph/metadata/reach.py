"""The part of a model that hangs below a type: whatever can be met from there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mockgraph.metadata.elements import ComplexType, TypeRef, namespace_of
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.namespaces import Schema


def reachable(model: Model, start: Iterable[str], without: Iterable[str] = ()) -> dict[str, None]:
    """Return the names of the types that can be met from some, in the order they are met.

    They are met as types of properties, as derived types of those, as bases, and as parameters
    and results of the operations bound to them. ``without`` are types not to go on from.
    """
    found: dict[str, None] = {}
    barred = set(without)
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name in found or model.type(name) is None:
            continue
        found[name] = None
        if name not in barred:
            waiting.extend(reversed(list(dict.fromkeys(_met(model, name)))))
    for name in list(found):
        while (base := model.base_of(name)) is not None and base not in found:
            found[base] = None
            waiting.extend(_own(model, base))
            name = base
    return found if not waiting else found | reachable(model, waiting, (*barred, *found))


def _met(model: Model, name: str) -> Iterator[str]:
    if isinstance(model.type(name), ComplexType):
        for type_ in model.chain(name):
            yield from _own(model, type_.name)
        yield from model.derived(name)
        for collection in (False, True):
            for overloads in model.bound_operations(TypeRef(name, collection)).values():
                for operation in overloads:
                    yield from (each.type.name for each in operation.own_parameters)
                    if operation.returns is not None:
                        yield operation.returns.type.name


def _own(model: Model, name: str) -> Iterator[str]:
    """Return the types of the properties that a type itself declares."""
    type_ = model.structured(name)
    yield from (each.type.name for each in type_.properties)
    yield from (each.type.name for each in type_.navigation)


def part(model: Model, names: Iterable[str]) -> Model:
    """Return the model of some types, with what is bound to them and said of them."""
    kept = set(names)

    def within(schema: Schema) -> Schema:
        return Schema.of(
            schema.namespace,
            schema.alias,
            types=[type_ for name, type_ in schema.types.items() if name in kept],
            operations=[
                operation
                for overloads in schema.operations.values()
                for operation in overloads
                if operation.binding is not None and operation.binding.name in kept
            ],
            targets={
                target: annotations
                for target, annotations in schema.targets.items()
                if target.partition("/")[0] in kept
            },
        )

    namespaces = {namespace_of(name) for name in kept}
    schemas = (within(schema) for schema in model.schemas.values())
    return Model(
        schema
        for schema in schemas
        if schema.namespace in namespaces or schema.targets or schema.operations
    )
