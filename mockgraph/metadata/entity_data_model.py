"""The model: schemas by namespace, and the lookups that addressing and validation ask for.

Nothing is looked at before it is asked for. A schema of the notation parses a type when it is
first used, and each index here is made when the first lookup needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias, TypeVar

from mockgraph.errors import MockGraphError
from mockgraph.metadata.annotations import merged_annotations
from mockgraph.metadata.elements import (
    Annotations,
    Child,
    ComplexType,
    EntityContainer,
    EntityType,
    EnumType,
    KeyProperty,
    Member,
    NamedType,
    NavigationProperty,
    Operation,
    Property,
    Term,
    TypeDefinition,
    TypeRef,
    namespace_of,
    short_name,
)
from mockgraph.metadata.namespaces import Schema, laid_over

Element: TypeAlias = (
    NamedType | Property | NavigationProperty | Member | Term | EntityContainer | Child
)
N = TypeVar("N", Property, NavigationProperty, Member, Child)


class Model:
    """An immutable Entity Data Model; two are equal where their schemas say the same.

    Names given to a lookup are qualified with a namespace or an alias. Those that say so in
    their description are matched without regard to case, as segments of a URL are.
    """

    def __init__(self, schemas: Iterable[Schema] = ()) -> None:
        by_namespace: dict[str, Schema] = {}
        for each in schemas:
            below = by_namespace.get(each.namespace)
            by_namespace[each.namespace] = each if below is None else laid_over(below, each)
        self.schemas: Mapping[str, Schema] = by_namespace
        self._chains: dict[str, tuple[ComplexType, ...]] = {}
        self._bound_by_name: dict[tuple[str, bool], Mapping[str, tuple[Operation, ...]]] = {}
        self._properties: dict[str, Mapping[str, Property]] = {}
        self._navigation: dict[str, Mapping[str, NavigationProperty]] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model):
            return NotImplemented
        mine, others = self.schemas, other.schemas
        return mine.keys() == others.keys() and all(
            schema.says == others[namespace].says for namespace, schema in mine.items()
        )

    def __repr__(self) -> str:
        return f"<Model of {', '.join(self.schemas)}>"

    def with_layer(self, above: Model) -> Model:
        """Return a model that says what both say; see :func:`namespaces.laid_over`."""
        return Model((*self.schemas.values(), *above.schemas.values()))

    # Names

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """The namespace of each alias; of two schemas with one alias the first has it."""
        return {
            each.alias: each.namespace
            for each in reversed(list(self.schemas.values()))
            if each.alias is not None
        }

    def qualified(self, name: str) -> str:
        """Return a name with the namespace in place of its alias, if it has one."""
        prefix, _, short = name.rpartition(".")
        namespace = prefix if prefix in self.schemas else self.aliases.get(prefix, prefix)
        return f"{namespace}.{short}" if prefix else name

    @cached_property
    def _folded(self) -> Mapping[str, str]:
        folded: dict[str, str] = {}
        for schema in self.schemas.values():
            for name in (*schema.types, *schema.operations):
                folded.setdefault(name.lower(), name)
        return folded

    @cached_property
    def _folded_aliases(self) -> Mapping[str, str]:
        return {alias.lower(): namespace for alias, namespace in self.aliases.items()}

    def cased(self, name: str) -> str | None:
        """Return a type's or an operation's qualified name, found without regard to case."""
        folded = self._folded
        found = folded.get(name.lower())
        if found is None:
            prefix, _, short = name.lower().rpartition(".")
            namespace = self._folded_aliases.get(prefix)
            found = folded.get(f"{namespace.lower()}.{short}") if namespace else None
        return found

    # Types

    def type(self, name: str) -> NamedType | None:
        """Return the type of a qualified name, None where the model has none."""
        schema = self.schemas.get(namespace_of(name))
        if schema is not None and name in schema.types:
            return schema.types[name]
        qualified = self.qualified(name)
        return self.type(qualified) if qualified != name else None

    def find_type(self, name: str) -> NamedType | None:
        """Return the type of a qualified name without regard to case: for casts in URLs."""
        cased = self.cased(name)
        return None if cased is None else self.type(cased)

    def structured(self, name: str) -> ComplexType:
        """Return an entity or complex type. Raises KeyError where the name is of no such."""
        found = self.type(name)
        if not isinstance(found, ComplexType):
            raise KeyError(name)
        return found

    def type_names(self) -> Iterable[str]:
        """Return the qualified names of all types, in the order of their declaration."""
        return (name for schema in self.schemas.values() for name in schema.types)

    def underlying(self, name: str) -> str:
        """Return the primitive type of a type definition, of any other name the name."""
        found = self.type(name)
        return found.underlying if isinstance(found, TypeDefinition) else name

    # Inheritance

    def base_of(self, name: str) -> str | None:
        """Return the name of the base of a type, without parsing the type."""
        schema = self.schemas.get(namespace_of(name))
        return None if schema is None else schema.bases.get(name)

    def chain(self, name: str) -> tuple[ComplexType, ...]:
        """Return a type and its bases, nearest first.

        Raises KeyError for a name of no structured type, MockGraphError where the bases lead
        back to one of them.
        """
        known = self._chains.get(name)
        if known is None:
            found = [self.structured(name)]
            while (base := found[-1].base) is not None:
                found.append(self.structured(base))
                if found[-1] in found[:-1]:
                    raise MockGraphError(f"The type {name} derives from itself.")
            known = self._chains[name] = tuple(found)
        return known

    def derives_from(self, name: str, base: str) -> bool:
        """Return whether a type is the other one or derives from it."""
        passed = 0
        current: str | None = name
        while current is not None and current != base and passed <= len(self._direct):
            current = self.base_of(current)
            passed += 1
        return current == base

    @cached_property
    def _direct(self) -> Mapping[str, list[str]]:
        derived: dict[str, list[str]] = {}
        for schema in self.schemas.values():
            for name, base in schema.bases.items():
                derived.setdefault(base, []).append(name)
        return derived

    def derived(self, name: str) -> tuple[str, ...]:
        """Return the names of all types that derive from a type, near ones before far ones."""
        found = dict.fromkeys(self._direct.get(name, ()))
        waiting = list(found)
        for each in waiting:
            for further in self._direct.get(each, ()):
                if further not in found:
                    found[further] = None
                    waiting.append(further)
        return tuple(found)

    # What a structured type has, inherited first

    def properties(self, name: str) -> Mapping[str, Property]:
        """Return the structural properties of a type by name, inherited ones first."""
        known = self._properties.get(name)
        if known is None:
            known = self._properties[name] = {
                each.name: each for type_ in reversed(self.chain(name)) for each in type_.properties
            }
        return known

    def navigation(self, name: str) -> Mapping[str, NavigationProperty]:
        """Return the navigation properties of a type by name, inherited ones first."""
        known = self._navigation.get(name)
        if known is None:
            known = self._navigation[name] = {
                each.name: each for type_ in reversed(self.chain(name)) for each in type_.navigation
            }
        return known

    def navigates(self, name: str) -> bool:
        """Return whether a complex type has navigation properties, without parsing the type."""
        passed: list[str] = []
        current: str | None = name
        while current is not None and current not in passed:
            schema = self.schemas.get(namespace_of(current))
            if schema is not None and current in schema.navigating:
                return True
            passed.append(current)
            current = self.base_of(current)
        return False

    def declaring(self, name: str, member: str) -> str | None:
        """Return the type in the chain that declares a property, nearest first."""
        for type_ in self.chain(name):
            if _member(type_, member) is not None:
                return type_.name
        return None

    def key(self, name: str) -> tuple[KeyProperty, ...]:
        """Return the key of an entity type, its own or inherited; empty where it has none."""
        for type_ in self.chain(name):
            if isinstance(type_, EntityType) and type_.key:
                return type_.key
        return ()

    def is_open(self, name: str) -> bool:
        """Return whether dynamic properties are allowed: the type or a base of it is open."""
        return any(type_.open for type_ in self.chain(name))

    def has_stream(self, name: str) -> bool:
        """Return whether the entities are media entities."""
        return any(isinstance(each, EntityType) and each.stream for each in self.chain(name))

    # Operations

    def operations(self, name: str) -> tuple[Operation, ...]:
        """Return the overloads of a qualified name, empty where the model has none."""
        name = self.qualified(name)
        schema = self.schemas.get(namespace_of(name))
        return () if schema is None else schema.operations.get(name, ())

    @cached_property
    def _bound(self) -> Mapping[TypeRef, Mapping[str, Sequence[int]]]:
        bound: dict[TypeRef, dict[str, list[int]]] = {}
        for schema in self.schemas.values():
            for name, bindings in schema.bindings.items():
                for index, binding in enumerate(bindings):
                    if binding is not None:
                        bound.setdefault(binding, {}).setdefault(name, []).append(index)
        return bound

    def bound_operations(self, type: TypeRef) -> Mapping[str, tuple[Operation, ...]]:
        """Return the operations bound to a type or to a collection of it, by qualified name.

        Those of base types are among them, except where the type has one of the same name.
        """
        found: dict[str, tuple[Operation, ...]] = {}
        for each in self.chain(type.name):
            here = self._bound.get(TypeRef(each.name, type.collection), {})
            for name, indexes in here.items():
                if name not in found:
                    overloads = self.operations(name)
                    found[name] = tuple(overloads[index] for index in indexes)
        return found

    def bound_operation(
        self, type_name: str, name: str, *, of_collection: bool = False
    ) -> tuple[Operation, ...]:
        """Return the overloads of an operation bound to a type, by its qualified or short name.

        Both are matched without regard to case. Of a short name that two namespaces have, the
        operation nearest to the type is meant. Empty where nothing of the name is bound to it.
        """
        known = self._bound_by_name.get((type_name, of_collection))
        if known is None:
            bound = self.bound_operations(TypeRef(type_name, of_collection))
            named = {**bound}
            for qualified, overloads in bound.items():
                named.setdefault(short_name(qualified).lower(), overloads)
            known = self._bound_by_name[type_name, of_collection] = named
        wanted = self.cased(name) if "." in name else name.lower()
        return known.get(wanted or "", ())

    # The root of the service

    @cached_property
    def _children(self) -> Mapping[str, tuple[EntityContainer, Child]]:
        return {
            child.name: (container, child)
            for schema in self.schemas.values()
            for container in schema.containers.values()
            for child in container.children
        }

    @property
    def containers(self) -> tuple[EntityContainer, ...]:
        """The entity containers of all schemas."""
        return tuple(
            each for schema in self.schemas.values() for each in schema.containers.values()
        )

    @cached_property
    def roots(self) -> Mapping[str, Child]:
        """The entity sets, singletons and imports at the root of the service, by name."""
        return {name: child for name, (_, child) in self._children.items()}

    def container_of(self, root: str) -> EntityContainer:
        """Return the container of a set, singleton or import. Raises KeyError."""
        return self._children[root][0]

    # Annotations

    @cached_property
    def _targets(self) -> Mapping[str, tuple[Schema, ...]]:
        found: dict[str, tuple[Schema, ...]] = {}
        for schema in self.schemas.values():
            for target in schema.targets:
                found[target] = (*found.get(target, ()), schema)
        return found

    def annotations(self, target: str) -> Annotations:
        """Return what is said of an element, at the element and out of line.

        The target is a path as ``Annotations Target=`` has it: a type, ``TYPE/PROPERTY``, a
        container, ``CONTAINER/SET``, and any longer path below one, which only annotations
        out of line can speak of.
        """
        element = self.element(target)
        found: Annotations = () if element is None else element.annotations
        for schema in self._targets.get(target, ()):
            found = merged_annotations(found, schema.targets[target])
        return found

    def element(self, target: str) -> Element | None:
        """Return the element at a path of one or two segments, None where there is none."""
        name, _, child = target.partition("/")
        schema = self.schemas.get(namespace_of(name))
        if schema is None or "/" in child:
            return None
        if name in schema.types:
            type_ = schema.types[name]
            return _member(type_, child) if child else type_
        if name in schema.containers:
            container = schema.containers[name]
            return container if not child else _named(container.children, child)
        return schema.terms.get(name) if not child else None


def _member(type_: NamedType, name: str) -> Property | NavigationProperty | Member | None:
    if isinstance(type_, EnumType):
        return _named(type_.members, name)
    if isinstance(type_, ComplexType):
        return _named(type_.properties, name) or _named(type_.navigation, name)
    return None


def _named(elements: Iterable[N], name: str) -> N | None:
    return next((each for each in elements if each.name == name), None)
