"""Schemas: what a namespace declares, and one schema laid over another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from mockgraph.metadata.annotations import merged_annotations
from mockgraph.metadata.elements import (
    Annotations,
    ComplexType,
    EntityContainer,
    EntityType,
    EnumType,
    NamedType,
    Operation,
    Term,
    TypeRef,
)


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)
S = TypeVar("S")
T = TypeVar("T")


class Deferred(Mapping[str, T], Generic[S, T]):
    """A mapping of names to what is made of a source when it is first asked for."""

    __slots__ = ("_made", "_make", "_sources")

    def __init__(self, sources: Mapping[str, S], make: Callable[[str, S], T]) -> None:
        self._sources = sources
        self._make = make
        self._made: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(name, self._sources[name])
        return made

    def __contains__(self, name: object) -> bool:
        return name in self._sources

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


class Schema(NamedTuple):
    """A namespace and what it declares, by qualified name.

    ``targets`` are the annotations written out of line, by the path of the element that they
    are of, which may lie in another schema. ``bases`` and ``bindings`` say what an index
    needs to know without a type or an operation being parsed: the base of each derived type,
    and what each overload is bound to; ``navigating`` are the complex types that themselves declare
    navigation properties.
    """

    namespace: str
    alias: str | None = None
    types: Mapping[str, NamedType] = _NONE
    operations: Mapping[str, tuple[Operation, ...]] = _NONE
    terms: Mapping[str, Term] = _NONE
    containers: Mapping[str, EntityContainer] = _NONE
    targets: Mapping[str, Annotations] = _NONE
    annotations: Annotations = ()
    bases: Mapping[str, str] = _NONE
    bindings: Mapping[str, tuple[TypeRef | None, ...]] = _NONE
    navigating: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        namespace: str,
        alias: str | None = None,
        *,
        types: Iterable[NamedType] = (),
        operations: Iterable[Operation] = (),
        terms: Iterable[Term] = (),
        containers: Iterable[EntityContainer] = (),
        targets: Mapping[str, Annotations] | None = None,
        annotations: Annotations = (),
    ) -> Schema:
        """Return the schema of elements that are at hand already."""
        by_name = {each.name: each for each in types}
        overloads: dict[str, list[Operation]] = {}
        for each in operations:
            overloads.setdefault(each.name, []).append(each)
        return cls(
            namespace,
            alias,
            by_name,
            {name: tuple(several) for name, several in overloads.items()},
            {each.name: each for each in terms},
            {each.name: each for each in containers},
            dict(targets or {}),
            annotations,
            {
                each.name: each.base
                for each in by_name.values()
                if isinstance(each, ComplexType) and each.base is not None
            },
            {name: tuple(each.binding for each in several) for name, several in overloads.items()},
            frozenset(
                each.name
                for each in by_name.values()
                if type(each) is ComplexType and each.navigation
            ),
        )

    @property
    def says(self) -> tuple[object, ...]:
        """All that the schema says, to be compared; the order of elements says nothing."""
        return (
            self.alias,
            self.types,
            {name: frozenset(overloads) for name, overloads in self.operations.items()},
            self.terms,
            self.containers,
            {target: frozenset(annotations) for target, annotations in self.targets.items()},
            self.annotations,
        )


def laid_over(below: Schema, above: Schema) -> Schema:
    """Return a schema that says what both say.

    Of a type that both declare the head is that of the upper one; members and properties are
    those of both, the upper one's where both have one of the name. So a file that declares a
    type anew and one that merely adds a property are the same thing.
    """
    return Schema(
        below.namespace,
        above.alias or below.alias,
        _both(below.types, above.types, _type),
        _both(below.operations, above.operations, _overloads),
        {**below.terms, **above.terms},
        _both(below.containers, above.containers, _container),
        _both(below.targets, above.targets, merged_annotations),
        merged_annotations(below.annotations, above.annotations),
        {**below.bases, **above.bases},
        _bindings(below, above),
        below.navigating | above.navigating,
    )


def _both(
    below: Mapping[str, T], above: Mapping[str, T], merge: Callable[[T, T], T]
) -> Mapping[str, T]:
    if not below or not above:
        return above or below

    def make(name: str, _: None) -> T:
        if name not in below or name not in above:
            return above[name] if name in above else below[name]
        lower, upper = below[name], above[name]
        return upper if lower is upper else merge(lower, upper)  # both may be of one layer

    return Deferred(dict.fromkeys((*below, *above)), make)


def _bindings(below: Schema, above: Schema) -> Mapping[str, tuple[TypeRef | None, ...]]:
    merged_bindings = {**below.bindings, **above.bindings}
    for name in below.bindings.keys() & above.bindings.keys():
        if below.bindings[name] is above.bindings[name]:
            continue  # both are of one layer, so that no operation has to be read
        overloads = _overloads(below.operations[name], above.operations[name])
        merged_bindings[name] = tuple(each.binding for each in overloads)
    return merged_bindings


def _type(below: NamedType, above: NamedType) -> NamedType:
    if isinstance(below, EnumType) and isinstance(above, EnumType):
        return above.replaced(
            members=_named(below.members, above.members),
            annotations=merged_annotations(below.annotations, above.annotations),
        )
    if type(below) is not type(above) or not isinstance(above, ComplexType):
        return above
    assert isinstance(below, ComplexType)
    both = above.replaced(
        base=above.base or below.base,
        properties=_named(below.properties, above.properties),
        navigation=_named(below.navigation, above.navigation),
        annotations=merged_annotations(below.annotations, above.annotations),
    )
    if isinstance(both, EntityType) and isinstance(below, EntityType):
        return both.replaced(key=both.key or below.key)
    return both


def _overloads(below: tuple[Operation, ...], above: tuple[Operation, ...]) -> tuple[Operation, ...]:
    return tuple({each.signature: each for each in (*below, *above)}.values())


def _container(below: EntityContainer, above: EntityContainer) -> EntityContainer:
    return above.replaced(
        extends=above.extends or below.extends,
        sets=_named(below.sets, above.sets),
        singletons=_named(below.singletons, above.singletons),
        imports=_named(below.imports, above.imports),
        annotations=merged_annotations(below.annotations, above.annotations),
    )


def _named(below: tuple[N, ...], above: tuple[N, ...]) -> tuple[N, ...]:
    return tuple({each.name: each for each in (*below, *above)}.values())
