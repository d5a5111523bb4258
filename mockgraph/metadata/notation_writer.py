"""Writing a model in the notation of metadata; :mod:`notation` says how it looks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from mockgraph.metadata.annotations import Annotation
from mockgraph.metadata.elements import (
    OPTIONAL_PARAMETER,
    Annotations,
    ComplexType,
    EntityContainer,
    EntitySet,
    EntityType,
    EnumType,
    Facets,
    KeyProperty,
    NamedType,
    NavigationProperty,
    Operation,
    OperationImport,
    Parameter,
    Property,
    ReturnType,
    Singleton,
    Term,
    TypeDefinition,
    TypeRef,
    namespace_of,
    short_name,
)
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.namespaces import Schema
from mockgraph.metadata.notation import BINDING_PARAMETER, SHORT_PRIMITIVES
from mockgraph.metadata.notation_values import ValueWriter, as_token

# The standard vocabularies by their usual aliases, and MockGraph's own.
VOCABULARIES: Final = {
    "Aggregation": "Org.OData.Aggregation.V1",
    "Authorization": "Org.OData.Authorization.V1",
    "Capabilities": "Org.OData.Capabilities.V1",
    "Core": "Org.OData.Core.V1",
    "Measures": "Org.OData.Measures.V1",
    "MockGraph": "MockGraph.V1",
    "Validation": "Org.OData.Validation.V1",
}
_OWN_ALIAS: Final = "self"  # a schema's name for itself, which is no name for others


def write(model: Model) -> str:
    """Return the document of a model; parsing it gives an equal model."""
    return write_schemas(model.schemas.values(), abbreviations(model))


def abbreviations(model: Model) -> Mapping[str, str]:
    """Return names for namespaces: of the vocabularies, and the aliases of the schemas."""
    aliases = {name: full for name, full in model.aliases.items() if name != _OWN_ALIAS}
    return {
        name: namespace
        for name, namespace in {**aliases, **VOCABULARIES}.items()
        if name not in model.schemas
    }


def write_schemas(schemas: Iterable[Schema], short: Mapping[str, str]) -> str:
    """Return the document of some schemas; it begins with the abbreviations that it uses."""
    writer = NotationWriter(short)
    blocks = [line for schema in schemas for line in writer.schema(schema)]
    using = [f"using {name} = {short[name]}\n" for name in sorted(writer.used)]
    return "".join((*using, *("\n",) * bool(using), *blocks))


class NotationWriter:
    """Writes elements as lines; ``used`` are the abbreviations that stand in them."""

    def __init__(self, short: Mapping[str, str]) -> None:
        self.used: set[str] = set()
        self._short = short
        self._by_namespace = {namespace: name for name, namespace in short.items()}
        self._namespace = ""
        self._values = ValueWriter(self._shortened)

    # Names

    def _shortened(self, name: str) -> str:
        """Return a qualified name with an abbreviation, quoted where it would be taken for one."""
        namespace = namespace_of(name)
        if namespace in self._short:
            return json.dumps(name)
        short = self._by_namespace.get(namespace)
        if short is None:
            return name
        self.used.add(short)
        return f"{short}.{short_name(name)}"

    def _name(self, name: str) -> str:
        short = short_name(name)
        if SHORT_PRIMITIVES.get(short) == name:
            return short
        if namespace_of(name) == self._namespace and short not in SHORT_PRIMITIVES:
            return short
        return self._shortened(name)

    def type(self, type_: TypeRef) -> str:
        """Return a reference to a type."""
        return f"{self._name(type_.name)}{'[]' if type_.collection else ''}"

    # Blocks

    def schema(self, schema: Schema) -> Iterator[str]:
        """Return the lines of a schema, with an empty line before each block."""
        self._namespace = schema.namespace
        yield f"namespace {schema.namespace}\n"
        if schema.alias is not None:
            yield f"  alias {schema.alias}\n"
        yield from self._annotations(2, schema.annotations)
        for type_ in schema.types.values():
            yield "\n"
            yield from self.named_type(type_)
        for overloads in schema.operations.values():
            for operation in overloads:
                yield "\n"
                yield from self.operation(operation)
        for term in schema.terms.values():
            yield "\n"
            yield from self.term(term)
        for container in schema.containers.values():
            yield "\n"
            yield from self.container(container)
        for target, annotations_ in schema.targets.items():
            yield f"\nannotate {as_token(target)}\n"
            yield from self._annotations(2, annotations_)
        yield "\n"

    def named_type(self, type_: NamedType) -> Iterator[str]:
        """Return the lines of a type."""
        name = short_name(type_.name)
        if isinstance(type_, EnumType):
            underlying = (
                "" if type_.underlying == "Edm.Int32" else f" : {self._name(type_.underlying)}"
            )
            yield f"enum {name}{underlying}{' flags' * type_.flags}\n"
            for member in type_.members:
                yield f"  {member.name} {member.value}\n"
                yield from self._annotations(4, member.annotations)
        elif isinstance(type_, TypeDefinition):
            yield f"type {name} = {self._name(type_.underlying)}{_facets(type_.facets)}\n"
        else:
            yield from self._structured(type_)
        yield from self._annotations(2, type_.annotations)

    def _structured(self, type_: ComplexType) -> Iterator[str]:
        base = "" if type_.base is None else f" : {self._name(type_.base)}"
        flags = " abstract" * type_.abstract + " open" * type_.open
        if isinstance(type_, EntityType):
            yield f"entity {short_name(type_.name)}{base}{flags}{' stream' * type_.stream}\n"
            if type_.key:
                yield f"  key {', '.join(_key(each) for each in type_.key)}\n"
        else:
            yield f"complex {short_name(type_.name)}{base}{flags}\n"
        for property_ in type_.properties:
            yield from self.property(property_)
        for navigation in type_.navigation:
            yield from self.navigation(navigation)

    def property(self, property_: Property) -> Iterator[str]:
        """Return the lines of a structural property."""
        yield f"  {property_.name}: {self._use(property_, property_.default)}\n"
        yield from self._annotations(4, property_.annotations)

    def _use(
        self, element: Property | Parameter | ReturnType | Term, default: str | None = None
    ) -> str:
        null = "" if element.nullable else " not null"
        stated = "" if default is None else f" Default={json.dumps(default)}"
        return f"{self.type(element.type)}{null}{_facets(element.facets)}{stated}"

    def navigation(self, navigation: NavigationProperty) -> Iterator[str]:
        """Return the lines of a navigation property."""
        verb = "contains" if navigation.contains_target else "links"
        null = "" if navigation.nullable else " not null"
        partner = "" if navigation.partner is None else f" partner {as_token(navigation.partner)}"
        yield f"  {verb} {navigation.name}: {self.type(navigation.type)}{null}{partner}\n"
        for each in navigation.constraints:
            yield f"    where {as_token(each.property)} = {as_token(each.referenced)}\n"
            yield from self._annotations(6, each.annotations)
        if navigation.on_delete is not None:
            yield f"    on delete {navigation.on_delete.action}\n"
            yield from self._annotations(6, navigation.on_delete.annotations)
        yield from self._annotations(4, navigation.annotations)

    def operation(self, operation: Operation) -> Iterator[str]:
        """Return the lines of an overload."""
        binding = operation.binding
        bound = "" if binding is None else f" on {self.type(binding)}"
        path = operation.entity_set_path
        found = "" if path is None else f" path {as_token(path)}"
        composable = " composable" * operation.composable
        yield f"{operation.kind} {short_name(operation.name)}{bound}{composable}{found}\n"
        if binding is not None:
            first = operation.parameters[0]
            if first != Parameter(BINDING_PARAMETER, binding):
                yield from self._parameter("on ", first)
        for parameter in operation.own_parameters:
            yield from self._parameter("", parameter)
        if operation.returns is not None:
            yield f"  => {self._use(operation.returns)}\n"
            yield from self._annotations(4, operation.returns.annotations)
        yield from self._annotations(2, operation.annotations)

    def _parameter(self, prefix: str, parameter: Parameter) -> Iterator[str]:
        annotations_ = parameter.annotations
        optional = annotations_[:1] == (Annotation(OPTIONAL_PARAMETER),)
        use = f"{self._use(parameter)}{' optional' * optional}"
        yield f"  {prefix}{parameter.name}: {use}\n"
        yield from self._annotations(4, annotations_[1:] if optional else annotations_)

    def term(self, term: Term) -> Iterator[str]:
        """Return the lines of a term."""
        yield f"term {short_name(term.name)}: {self._use(term, term.default)}\n"
        if term.base is not None:
            yield f"  base {as_token(term.base)}\n"
        if term.applies_to:
            yield f"  applies to {' '.join(as_token(each) for each in term.applies_to)}\n"
        yield from self._annotations(2, term.annotations)

    def container(self, container: EntityContainer) -> Iterator[str]:
        """Return the lines of a container."""
        extends = "" if container.extends is None else f" : {as_token(container.extends)}"
        yield f"container {short_name(container.name)}{extends}\n"
        for child in container.children:
            yield from self.child(child)
        yield from self._annotations(2, container.annotations)

    def child(self, child: EntitySet | Singleton | OperationImport) -> Iterator[str]:
        """Return the lines of a set, a singleton or an import."""
        if isinstance(child, OperationImport):
            within = "" if child.entity_set is None else f" in {as_token(child.entity_set)}"
            listed = " listed" * child.in_service_document
            operation = self._shortened(child.operation)
            yield f"  {child.kind} {child.name} = {operation}{within}{listed}\n"
        else:
            if isinstance(child, EntitySet):
                flags = "" if child.in_service_document else " unlisted"
                yield f"  set {child.name}: {self._name(child.type)}{flags}\n"
            else:
                flags = " nullable" * child.nullable
                yield f"  singleton {child.name}: {self._name(child.type)}{flags}\n"
            for each in child.bindings:
                yield f"    bind {as_token(each.path)} -> {as_token(each.target)}\n"
        yield from self._annotations(4, child.annotations)

    def annotation(self, annotation: Annotation, indent: int = 0) -> str:
        """Return an annotation, without a newline at its end."""
        return self._values.annotation(annotation, indent)

    def _annotations(self, indent: int, annotations_: Annotations) -> Iterator[str]:
        for each in annotations_:
            yield f"{' ' * indent}{self.annotation(each, indent)}\n"


def _key(each: KeyProperty) -> str:
    return each.path if each.alias is None else f"{each.path} as {each.alias}"


def _facets(facets: Facets) -> str:
    stated = (
        ("MaxLength", facets.max_length),
        ("Precision", facets.precision),
        ("Scale", facets.scale),
        ("Unicode", facets.unicode),
        ("SRID", facets.srid),
    )
    return "".join(
        f" {name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in stated
        if value is not None
    )
