"""Drift: what came, went or changed between two models, for people and as data.

Elements are compared by what they say, so the order of properties or overloads is no change.
A part of a type is told of by its path (``microsoft.graph.alert/severity``), an operation with
what it is bound to (``microsoft.graph.security.close(microsoft.graph.security.ediscoveryCase)``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from mockgraph.metadata.annotations import Annotation
from mockgraph.metadata.descriptions import without_descriptions
from mockgraph.metadata.elements import (
    Annotations,
    Child,
    ComplexType,
    EnumType,
    Member,
    NamedType,
    NavigationProperty,
    Operation,
    OperationImport,
    Property,
    Term,
)
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.notation_writer import NotationWriter, abbreviations
from mockgraph.metadata.reach import reachable
from mockgraph.metadata.roots import declared, served
from mockgraph.metadata.vocabulary import PARTIAL, tagged

Difference: TypeAlias = Literal["came", "went", "changed"]
Kind: TypeAlias = Literal["type", "property", "member", "operation", "term", "root", "annotation"]

_SIGNS: Final[Mapping[Difference, str]] = {"came": "+", "went": "-", "changed": "~"}
_INDENT: Final = "      "
_SECURITY: Final = "microsoft.graph.security"
_ENTITY: Final = "microsoft.graph.entity"


@dataclass(frozen=True, slots=True)
class Change:
    """A difference of one element; ``before`` and ``after`` are it in the notation."""

    difference: Difference
    kind: Kind
    path: str
    before: str | None = None
    after: str | None = None

    def as_json(self) -> dict[str, str]:
        """Return the change as a JSON object, without what it does not have."""
        found = {
            "difference": self.difference,
            "kind": self.kind,
            "path": self.path,
            "before": self.before,
            "after": self.after,
        }
        return {name: value for name, value in found.items() if value is not None}

    def __str__(self) -> str:
        lines = [f"{_SIGNS[self.difference]} {self.kind} {self.path}"]
        if self.before is not None and self.difference == "changed":
            lines += [f"{_INDENT}- {line}" for line in self.before.splitlines()]
        if self.after is not None:
            sign = "+ " if self.difference == "changed" else ""
            lines += [f"{_INDENT}{sign}{line}" for line in self.after.splitlines()]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Drift:
    """All changes between two models, in the order of their paths."""

    changes: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.changes)

    def as_json(self) -> dict[str, Any]:
        """Return the report as a JSON object: the changes, and their numbers by kind."""
        numbers = Counter((each.kind, each.difference) for each in self.changes)
        summary: dict[str, dict[str, int]] = {}
        for (kind, difference), number in sorted(numbers.items()):
            summary.setdefault(kind, {})[difference] = number
        return {"summary": summary, "changes": [each.as_json() for each in self.changes]}

    def __str__(self) -> str:
        if not self.changes:
            return "No drift."
        numbers = Counter(each.difference for each in self.changes)
        counted = ", ".join(f"{numbers[each]} {each}" for each in _SIGNS if numbers[each])
        return "\n".join([*map(str, self.changes), f"{len(self.changes)} differences: {counted}."])


def compare(
    old: Model,
    new: Model,
    within: Container[str] | None = None,
    partial: Container[str] = frozenset(),
) -> Drift:
    """Return what came, went and changed from one model to another.

    ``within`` are the types that count, None for all: of others, and of operations bound to
    others or unbound, nothing is told. ``partial`` are types that the old model declares in part:
    what they have besides in the new one is no change.
    """
    changes = _Comparison(old, new, within, partial).changes()
    return Drift(tuple(sorted(changes, key=lambda each: (each.path, each.kind))))


def bundled_drift(root: str, given: Model) -> Drift:
    """Return how a newer model differs from what is bundled for a root.

    Of the newer model, which may be all of Graph, counts what hangs below Security.
    Descriptions, of which none are bundled, are no difference. Raises KeyError for no root.
    """
    bundled, rules = declared(root), served(root)
    partial = {name for name in rules.type_names() if tagged(rules.annotations(name), PARTIAL)}
    within = {*bundled.type_names(), *reachable(given, [_SECURITY], without={*partial, _ENTITY})}
    return compare(bundled, without_descriptions(given), within, partial)


class _Comparison:
    def __init__(
        self, old: Model, new: Model, within: Container[str] | None, partial: Container[str]
    ) -> None:
        self._old = old
        self._new = new
        self._within = within
        self._partial = partial
        self._writer = NotationWriter({**abbreviations(old), **abbreviations(new)})

    def changes(self) -> Iterator[Change]:
        yield from self._types()
        yield from self._members()
        yield from self._pairs(
            "operation", self._operations(self._old), self._operations(self._new), self._operation
        )
        yield from self._pairs("term", _terms(self._old), _terms(self._new), self._term)
        yield from self._pairs("root", self._roots(self._old), self._roots(self._new), self._child)
        yield from self._annotations()

    def _counts(self, name: str) -> bool:
        return self._within is None or name in self._within

    def _pairs(
        self,
        kind: Kind,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        text: Callable[[Any], str | None],
    ) -> Iterator[Change]:
        for path in old.keys() - new.keys():
            yield Change("went", kind, path, before=text(old[path]))
        for path in new.keys() - old.keys():
            yield Change("came", kind, path, after=text(new[path]))
        for path in old.keys() & new.keys():
            if old[path] != new[path]:
                yield Change("changed", kind, path, text(old[path]), text(new[path]))

    # Types

    def _types(self) -> Iterator[Change]:
        """Return the types that came or went, whole, and those whose first line changed."""
        for each in self._pairs("type", self._heads(self._old), self._heads(self._new), self._text):
            if each.difference == "came":
                yield replace(each, after=self._text(self._new.type(each.path)))
            elif each.difference == "went":
                yield replace(each, before=self._text(self._old.type(each.path)))
            else:
                yield each

    def _heads(self, model: Model) -> dict[str, NamedType]:
        found = {name: model.type(name) for name in model.type_names() if self._counts(name)}
        return {name: _head(type_) for name, type_ in found.items() if type_ is not None}

    def _text(self, type_: NamedType | None) -> str | None:
        return None if type_ is None else "".join(self._writer.named_type(type_)).rstrip("\n")

    def _members(self) -> Iterator[Change]:
        """Return the changes inside of the types that both models have."""
        for name in self._old.type_names():
            old, new = self._old.type(name), self._new.type(name)
            if not self._counts(name) or old is None or new is None:
                continue
            partial = name in self._partial
            for kind, before, after in _parts(old, new):
                for each in self._pairs(kind, before, after, self._line):
                    if not (partial and each.difference == "came"):
                        yield replace(each, path=f"{name}/{each.path}")

    def _line(self, element: Property | NavigationProperty | Member) -> str:
        if isinstance(element, Member):
            return f"{element.name} {element.value}"
        if isinstance(element, Property):
            lines = self._writer.property(element)
        else:
            lines = self._writer.navigation(element)
        return "".join(lines).strip()

    # Operations and the root of the service

    def _operations(self, model: Model) -> dict[str, Operation]:
        return {
            _signature(each): _bare(each)
            for schema in model.schemas.values()
            for overloads in schema.operations.values()
            for each in overloads
            if self._within is None or (each.binding and self._counts(each.binding.name))
        }

    def _operation(self, operation: Operation) -> str:
        return "".join(self._writer.operation(operation)).rstrip("\n")

    def _term(self, term: Term) -> str:
        return "".join(self._writer.term(term)).rstrip("\n")

    def _roots(self, model: Model) -> dict[str, Child]:
        return {
            f"{model.container_of(name).name}/{name}": child.replaced(annotations=())
            for name, child in model.roots.items()
            if self._within is None or self._is_of_those(child)
        }

    def _is_of_those(self, child: Child) -> bool:
        if isinstance(child, OperationImport):
            return False
        return self._counts(child.type) and child.type not in self._partial

    def _child(self, child: Child) -> str:
        return "".join(self._writer.child(child)).strip()

    # Annotations

    def _annotations(self) -> Iterator[Change]:
        old, new = _annotated(self._old), _annotated(self._new)
        for target in old.keys() | new.keys():
            counts = self._counts(target.partition("/")[0].partition("(")[0])
            if not counts or _has(self._old, target) != _has(self._new, target):
                continue  # what came or went as a whole did so with its annotations
            before, after = _by_key(old.get(target, ())), _by_key(new.get(target, ()))
            for each in self._pairs("annotation", before, after, self._writer.annotation):
                yield replace(each, path=f"{target}{each.path}")


def _annotated(model: Model) -> dict[str, Annotations]:
    """Return what is said of the elements of a model, by their paths."""
    found: dict[str, Annotations] = {}
    for schema in model.schemas.values():
        found.update(_operations_annotated(schema.operations.values()))
        paths = [
            *schema.targets,
            *(path for type_ in schema.types.values() for path in _paths(type_)),
            *schema.terms,
            *schema.containers,
            *(
                f"{container.name}/{child.name}"
                for container in schema.containers.values()
                for child in container.children
            ),
        ]
        found.update((path, model.annotations(path)) for path in paths)
    return {path: annotations for path, annotations in found.items() if annotations}


def _paths(type_: NamedType) -> Iterator[str]:
    yield type_.name
    if isinstance(type_, EnumType):
        yield from (f"{type_.name}/{each.name}" for each in type_.members)
    elif isinstance(type_, ComplexType):
        yield from (f"{type_.name}/{each.name}" for each in type_.properties)
        yield from (f"{type_.name}/{each.name}" for each in type_.navigation)


def _operations_annotated(
    operations: Iterable[tuple[Operation, ...]],
) -> Iterator[tuple[str, Annotations]]:
    for overloads in operations:
        for each in overloads:
            yield _signature(each), each.annotations
            for parameter in each.parameters:
                yield f"{_signature(each)}/{parameter.name}", parameter.annotations


def _has(model: Model, target: str) -> bool:
    """Return whether a model has the element at a path."""
    if "(" not in target:
        return model.element(target) is not None
    signature, _, parameter = target.partition("/")
    return any(
        _signature(each) == signature
        and (not parameter or any(known.name == parameter for known in each.parameters))
        for each in model.operations(signature.partition("(")[0])
    )


def _by_key(annotations: Annotations) -> dict[str, Annotation]:
    return {
        f"@{each.term}" + ("" if each.qualifier is None else f"#{each.qualifier}"): each
        for each in annotations
    }


def _head(type_: NamedType) -> NamedType:
    """Return a type without what is compared for itself."""
    if isinstance(type_, EnumType):
        return type_.replaced(members=(), annotations=())
    if isinstance(type_, ComplexType):
        return type_.replaced(properties=(), navigation=(), annotations=())
    return type_.replaced(annotations=())


def _parts(
    old: NamedType, new: NamedType
) -> Iterator[tuple[Kind, Mapping[str, Any], Mapping[str, Any]]]:
    if isinstance(old, EnumType) and isinstance(new, EnumType):
        yield "member", _by_name(old.members), _by_name(new.members)
    elif isinstance(old, ComplexType) and isinstance(new, ComplexType):
        yield (
            "property",
            _by_name(old.properties) | _by_name(old.navigation),
            _by_name(new.properties) | _by_name(new.navigation),
        )


def _by_name(elements: Iterable[Property | NavigationProperty | Member]) -> dict[str, Any]:
    return {each.name: each.replaced(annotations=()) for each in elements}


def _bare(operation: Operation) -> Operation:
    """Return an operation without annotations, but for those that make parameters optional."""
    parameters = tuple(
        each.replaced(annotations=each.annotations[:1] if each.optional else ())
        for each in operation.parameters
    )
    returns = operation.returns
    return operation.replaced(
        parameters=parameters,
        returns=None if returns is None else returns.replaced(annotations=()),
        annotations=(),
    )


def _signature(operation: Operation) -> str:
    binding = operation.binding
    listed = [str(binding)] if binding is not None else []
    if operation.kind == "function":
        listed += sorted(each.name for each in operation.own_parameters)
    return f"{operation.name}({','.join(listed)})"


def _terms(model: Model) -> dict[str, Term]:
    return {
        name: term.replaced(annotations=())
        for schema in model.schemas.values()
        for name, term in schema.terms.items()
    }
