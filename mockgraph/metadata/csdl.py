"""Reading CSDL XML 4.0 and 4.01: a document, or several that refer to each other, as a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from mockgraph.metadata.annotations import Annotation, merged_annotations
from mockgraph.metadata.csdl_expressions import ExpressionReader
from mockgraph.metadata.csdl_tree import SourceDocument, XmlElement, read_bytes, shortened, tree
from mockgraph.metadata.elements import (
    INTEGERS,
    NO_FACETS,
    Annotations,
    ComplexType,
    EntityContainer,
    EntitySet,
    EntityType,
    EnumType,
    Facets,
    KeyProperty,
    Member,
    NamedType,
    NavigationBinding,
    NavigationProperty,
    OnDelete,
    Operation,
    OperationImport,
    OperationKind,
    Parameter,
    Property,
    ReferentialConstraint,
    ReturnType,
    Singleton,
    Term,
    TypeDefinition,
    TypeRef,
)
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.namespaces import Schema
from mockgraph.metadata.references import check_references

T = TypeVar("T")

_IDENTIFIER: Final = re.compile(r"[^\W\d]\w{0,127}")
_NAMESPACE: Final = re.compile(r"[^\W\d]\w{0,127}(\.[^\W\d]\w{0,127}){0,63}")
_NUMBER: Final = re.compile(r"[+-]?\d{1,20}")


def read(*paths: Path, known: Model | None = None) -> Model:
    """Return the model of CSDL files, which may refer to each other and to what is known.

    Raises MockGraphError, one line that names file, line and element, for a file that cannot be
    read, is not well-formed, is not CSDL 4.0, refers to what is not there, or is circular.
    """
    return parse([(str(path), read_bytes(path)) for path in paths], known)


def parse(documents: Iterable[tuple[str, bytes]], known: Model | None = None) -> Model:
    """Return the model of documents, given as names for messages and contents.

    The model has what the documents declare, and not what is merely known. Raises
    MockGraphError as :func:`read` does.
    """
    read_documents = [_CsdlDocument(SourceDocument(name), data) for name, data in documents]
    schemas = [schema for document in read_documents for schema in document.schemas()]
    model = Model(schemas)
    whole = model if known is None else known.with_layer(model)
    for document in read_documents:
        check_references(whole, document.source, document.nodes, document.resolve)
    return model


class _CsdlDocument:
    def __init__(self, source: SourceDocument, data: bytes) -> None:
        self.source = source
        root = tree(data, source)
        if root.attributes.get("Version") not in ("4.0", "4.01"):
            raise source.error(root, "only the versions 4.0 and 4.01 of CSDL are read.")
        services = [each for each in root.children if each.tag == "DataServices"]
        if len(services) != 1:
            raise source.error(root, "CSDL has one <edmx:DataServices>.")
        self.nodes = [each for each in services[0].children if each.tag == "Schema"]
        if not self.nodes:
            raise source.error(services[0], "there is no <Schema> in it.")
        self._aliases: dict[str, str] = {}
        includes = [
            included
            for reference in root.children
            if reference.tag == "Reference"
            for included in reference.children
            if included.tag == "Include"
        ]
        for node in (*includes, *self.nodes):
            self._add_alias(node)
        self._expressions = ExpressionReader(source, self.resolve)
        self._declared: dict[tuple[str, str], XmlElement] = {}

    def _add_alias(self, node: XmlElement) -> None:
        namespace = self._required(node, "Namespace")
        if not _NAMESPACE.fullmatch(namespace):
            raise self.source.error(node, "Namespace is no name of a namespace.")
        alias = node.attributes.get("Alias")
        if alias is None:
            return
        if not _IDENTIFIER.fullmatch(alias):
            raise self.source.error(node, f"'{shortened(alias)}' is no name for an alias.")
        if self._aliases.setdefault(alias, namespace) != namespace:
            raise self.source.error(node, f"the alias '{alias}' is of another namespace already.")

    def resolve(self, name: str) -> str:
        """Return a qualified name with the namespace in place of its alias."""
        prefix, dot, short = name.rpartition(".")
        return f"{self._aliases.get(prefix, prefix)}.{short}" if dot else name

    def schemas(self) -> Iterable[Schema]:
        return [self._schema(node) for node in self.nodes]

    # Attributes

    def _required(self, node: XmlElement, name: str) -> str:
        value = node.attributes.get(name)
        if not value:
            raise self.source.error(node, f"the attribute {name} is missing.")
        return value

    def _name(self, node: XmlElement) -> str:
        name = self._required(node, "Name")
        if not _IDENTIFIER.fullmatch(name):
            raise self.source.error(
                node, "Name is no name: letters, digits and _, at most 128, no digit first."
            )
        return name

    def _flag(self, node: XmlElement, name: str, default: bool = False) -> bool:
        value = node.attributes.get(name)
        if value is None:
            return default
        if value not in ("true", "false"):
            raise self.source.error(node, f"{name} is true or false, not '{shortened(value)}'.")
        return value == "true"

    def _number(self, node: XmlElement, name: str, *words: str) -> int | str | None:
        value = node.attributes.get(name)
        if value is None or value in words:
            return value
        if not _NUMBER.fullmatch(value):
            raise self.source.error(node, f"{name} is a number, not '{shortened(value)}'.")
        return int(value)

    def _facets(self, node: XmlElement) -> Facets:
        if not node.attributes.keys() & {"MaxLength", "Precision", "Scale", "Unicode", "SRID"}:
            return NO_FACETS
        precision = self._number(node, "Precision")
        return Facets(
            self._number(node, "MaxLength", "max"),
            precision if isinstance(precision, int) else None,
            self._number(node, "Scale", "variable", "floating"),
            self._flag(node, "Unicode") if "Unicode" in node.attributes else None,
            self._number(node, "SRID", "variable"),
        )

    def _type(self, node: XmlElement, default: str | None = None) -> TypeRef:
        text = node.attributes.get("Type") or default or self._required(node, "Type")
        if text.startswith("Collection(") and text.endswith(")"):
            return TypeRef(self.resolve(text[11:-1].strip()), True)
        return TypeRef(self.resolve(text))

    def _reference(self, node: XmlElement, name: str) -> str | None:
        value = node.attributes.get(name)
        return None if value is None else self.resolve(value)

    def _path(self, node: XmlElement, name: str) -> str | None:
        value = node.attributes.get(name)
        return None if value is None else self._expressions.path(value)

    def _several(
        self, node: XmlElement, tag: str, make: Callable[[XmlElement], T]
    ) -> tuple[T, ...]:
        """Return what is made of the children of one tag, each name once."""
        names: set[str] = set()
        found = []
        for child in node.children:
            if child.tag == tag:
                name = child.attributes.get("Name", "")
                if name and name in names:
                    raise self.source.error(child, f"{node} has one of this name already.")
                names.add(name)
                found.append(make(child))
        return tuple(found)

    def _only(self, node: XmlElement, tag: str) -> XmlElement | None:
        found = [child for child in node.children if child.tag == tag]
        if len(found) > 1:
            raise self.source.error(found[1], f"{node} has one <{tag}> at most.")
        return found[0] if found else None

    # Elements

    def _schema(self, node: XmlElement) -> Schema:
        namespace = node.attributes["Namespace"]
        types: list[NamedType] = []
        operations: list[Operation] = []
        terms: list[Term] = []
        containers: list[EntityContainer] = []
        targets: dict[str, list[Annotation]] = {}
        for child in node.children:
            if child.tag in _TYPES:
                types.append(_TYPES[child.tag](self, child, self._declare(namespace, child)))
            elif child.tag in ("Action", "Function"):
                operations.append(self._operation(child, f"{namespace}.{self._name(child)}"))
            elif child.tag == "Term":
                terms.append(self._term(child, self._declare(namespace, child, "term")))
            elif child.tag == "EntityContainer":
                containers.append(
                    self._container(child, self._declare(namespace, child, "container"))
                )
            elif child.tag == "Annotations":
                target, annotations = self._annotations(child)
                targets.setdefault(target, []).extend(annotations)
            elif child.tag != "Annotation":
                raise self.source.error(child, "a <Schema> has no such element.")
        return Schema.of(
            namespace,
            node.attributes.get("Alias"),
            types=types,
            operations=operations,
            terms=terms,
            containers=containers,
            targets={
                target: merged_annotations((), several) for target, several in targets.items()
            },
            annotations=self._expressions.annotations(node),
        )

    def _declare(self, namespace: str, node: XmlElement, kind: str = "type") -> str:
        name = f"{namespace}.{self._name(node)}"
        first = self._declared.setdefault((kind, name), node)
        if first is not node:
            raise self.source.error(node, f"declared in line {first.line} already.")
        return name

    def _annotations(self, node: XmlElement) -> tuple[str, Annotations]:
        target = self._required(node, "Target")
        name, parenthesis, rest = target.partition("(")
        if parenthesis:  # an overload: its name, and the types of its parameters
            types, _, path = rest.rpartition(")")
            listed = ",".join(str(self._named_type(each)) for each in types.split(",") if each)
            return (
                f"{self._expressions.path(name)}({listed}){path}",
                self._expressions.annotations(node, node.attributes.get("Qualifier")),
            )
        return self._expressions.path(target), self._expressions.annotations(
            node, node.attributes.get("Qualifier")
        )

    def _named_type(self, text: str) -> TypeRef:
        return self._type(XmlElement("Type", {"Type": text.strip()}, 0))

    def _enumeration(self, node: XmlElement, name: str) -> EnumType:
        underlying = node.attributes.get("UnderlyingType", "Edm.Int32")
        if underlying not in INTEGERS:
            raise self.source.error(node, f"{shortened(underlying)} is no integer type.")
        flags = self._flag(node, "IsFlags")
        low, high = INTEGERS[underlying]
        following = 0

        def member(child: XmlElement) -> Member:
            nonlocal following
            value = self._number(child, "Value")
            if value is None and flags:
                raise self.source.error(child, "a member of flags needs a Value.")
            number = value if isinstance(value, int) else following
            if not low <= number <= high:
                raise self.source.error(child, f"{number} is no {underlying}.")
            following = number + 1
            return Member(self._name(child), number, self._expressions.annotations(child))

        return EnumType(
            name,
            self._several(node, "Member", member),
            underlying,
            flags,
            self._expressions.annotations(node),
        )

    def _definition(self, node: XmlElement, name: str) -> TypeDefinition:
        underlying = self._required(node, "UnderlyingType")
        return TypeDefinition(
            name, underlying, self._facets(node), self._expressions.annotations(node)
        )

    def _entity(self, node: XmlElement, name: str) -> EntityType:
        key = self._only(node, "Key")
        structure = self._complex(node, name)
        return EntityType(
            name,
            structure.base,
            structure.abstract,
            structure.open,
            structure.properties,
            structure.navigation,
            structure.annotations,
            () if key is None else self._several(key, "PropertyRef", self._key_property),
            self._flag(node, "HasStream"),
        )

    def _complex(self, node: XmlElement, name: str) -> ComplexType:
        properties = self._several(node, "Property", self._property)
        navigation = self._several(node, "NavigationProperty", self._navigation)
        twice = {each.name for each in properties} & {each.name for each in navigation}
        if twice:
            raise self.source.error(node, f"two properties have the name {twice.pop()}.")
        return ComplexType(
            name,
            self._reference(node, "BaseType"),
            self._flag(node, "Abstract"),
            self._flag(node, "OpenType"),
            properties,
            navigation,
            self._expressions.annotations(node),
        )

    def _key_property(self, node: XmlElement) -> KeyProperty:
        alias = node.attributes.get("Alias")
        if alias is not None and not _IDENTIFIER.fullmatch(alias):
            raise self.source.error(node, "Alias is no name.")
        return KeyProperty(self._required(node, "Name"), alias)

    def _property(self, node: XmlElement) -> Property:
        return Property(
            self._name(node),
            self._type(node),
            self._flag(node, "Nullable", True),
            self._facets(node),
            node.attributes.get("DefaultValue"),
            self._expressions.annotations(node),
        )

    def _navigation(self, node: XmlElement) -> NavigationProperty:
        on_delete = self._only(node, "OnDelete")
        return NavigationProperty(
            self._name(node),
            self._type(node),
            self._flag(node, "Nullable", True),
            self._flag(node, "ContainsTarget"),
            self._path(node, "Partner"),
            self._several(node, "ReferentialConstraint", self._constraint),
            None if on_delete is None else self._on_delete(on_delete),
            self._expressions.annotations(node),
        )

    def _constraint(self, node: XmlElement) -> ReferentialConstraint:
        return ReferentialConstraint(
            self._required(node, "Property"),
            self._required(node, "ReferencedProperty"),
            self._expressions.annotations(node),
        )

    def _on_delete(self, node: XmlElement) -> OnDelete:
        action = self._required(node, "Action")
        if action not in ("Cascade", "None", "SetNull", "SetDefault"):
            raise self.source.error(node, "CSDL has no such Action.")
        return OnDelete(action, self._expressions.annotations(node))

    def _operation(self, node: XmlElement, name: str) -> Operation:
        kind: OperationKind = "action" if node.tag == "Action" else "function"
        returns = self._only(node, "ReturnType")
        bound = self._flag(node, "IsBound")
        parameters = self._several(node, "Parameter", self._parameter)
        if bound and not parameters:
            raise self.source.error(node, "what is bound needs a binding parameter.")
        if kind == "function" and returns is None:
            raise self.source.error(node, "a function needs a ReturnType.")
        operation = Operation(
            name,
            kind,
            bound,
            parameters,
            None if returns is None else self._returns(returns),
            self._path(node, "EntitySetPath"),
            self._flag(node, "IsComposable"),
            self._expressions.annotations(node),
        )
        key = (name, str(operation.signature))
        if self._declared.setdefault(key, node) is not node:
            raise self.source.error(
                node, f"an overload like it is in line {self._declared[key].line} already."
            )
        return operation

    def _parameter(self, node: XmlElement) -> Parameter:
        return Parameter(
            self._name(node),
            self._type(node),
            self._flag(node, "Nullable", True),
            self._facets(node),
            self._expressions.annotations(node),
        )

    def _returns(self, node: XmlElement) -> ReturnType:
        return ReturnType(
            self._type(node),
            self._flag(node, "Nullable", True),
            self._facets(node),
            self._expressions.annotations(node),
        )

    def _term(self, node: XmlElement, name: str) -> Term:
        return Term(
            name,
            self._type(node),
            self._flag(node, "Nullable", True),
            self._facets(node),
            node.attributes.get("DefaultValue"),
            self._reference(node, "BaseTerm"),
            tuple(node.attributes.get("AppliesTo", "").split()),
            self._expressions.annotations(node),
        )

    def _container(self, node: XmlElement, name: str) -> EntityContainer:
        imports = (
            *self._several(node, "ActionImport", self._action_import),
            *self._several(node, "FunctionImport", self._function_import),
        )
        container = EntityContainer(
            name,
            self._reference(node, "Extends"),
            self._several(node, "EntitySet", self._entity_set),
            self._several(node, "Singleton", self._singleton),
            imports,
            self._expressions.annotations(node),
        )
        names = [each.name for each in container.children]
        if len(set(names)) < len(names):
            raise self.source.error(node, "two of its children have the same name.")
        return container

    def _entity_set(self, node: XmlElement) -> EntitySet:
        return EntitySet(
            self._name(node),
            self.resolve(self._required(node, "EntityType")),
            self._flag(node, "IncludeInServiceDocument", True),
            self._several(node, "NavigationPropertyBinding", self._binding),
            self._expressions.annotations(node),
        )

    def _singleton(self, node: XmlElement) -> Singleton:
        return Singleton(
            self._name(node),
            self.resolve(self._required(node, "Type")),
            self._flag(node, "Nullable"),
            self._several(node, "NavigationPropertyBinding", self._binding),
            self._expressions.annotations(node),
        )

    def _binding(self, node: XmlElement) -> NavigationBinding:
        path, target = self._required(node, "Path"), self._required(node, "Target")
        return NavigationBinding(self._expressions.path(path), self._expressions.path(target))

    def _action_import(self, node: XmlElement) -> OperationImport:
        return OperationImport(
            self._name(node),
            "action",
            self.resolve(self._required(node, "Action")),
            self._path(node, "EntitySet"),
            annotations=self._expressions.annotations(node),
        )

    def _function_import(self, node: XmlElement) -> OperationImport:
        return OperationImport(
            self._name(node),
            "function",
            self.resolve(self._required(node, "Function")),
            self._path(node, "EntitySet"),
            self._flag(node, "IncludeInServiceDocument"),
            self._expressions.annotations(node),
        )


_TYPES: Final[Mapping[str, Callable[[_CsdlDocument, XmlElement, str], NamedType]]] = {
    "EnumType": _CsdlDocument._enumeration,
    "TypeDefinition": _CsdlDocument._definition,
    "ComplexType": _CsdlDocument._complex,
    "EntityType": _CsdlDocument._entity,
}
