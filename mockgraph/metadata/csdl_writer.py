"""Writing a model as CSDL XML 4.0, the way ``$metadata`` answers it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final
from xml.sax.saxutils import quoteattr

from mockgraph.errors import MockGraphError
from mockgraph.metadata.annotations import (
    DEFAULT,
    Annotation,
    Constant,
    DynamicExpression,
    EnumMembers,
    PathExpression,
    PropertyValue,
    Record,
    Value,
)
from mockgraph.metadata.csdl_tree import EDM, EDMX
from mockgraph.metadata.elements import (
    Annotations,
    ComplexType,
    EntityContainer,
    EntitySet,
    EntityType,
    EnumType,
    Facets,
    NamedType,
    NavigationProperty,
    Operation,
    Parameter,
    Property,
    ReturnType,
    Singleton,
    Term,
    short_name,
)
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.namespaces import Schema

# Characters that no XML 1.0 document can hold, not even as references.
_UNWRITABLE: Final = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NEWLINES: Final = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}

Attribute = str | int | bool | None


def write(model: Model) -> str:
    """Return the document of a model; reading it gives an equal model.

    Names are written with their namespaces, not with aliases, which are declared all the same.
    Raises MockGraphError for a text that no XML document can hold.
    """
    return "".join(_document(model))


def _document(model: Model) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>\n'
    yield f'<edmx:Edmx xmlns:edmx="{EDMX}" Version="4.0">\n'
    yield "  <edmx:DataServices>\n"
    for schema in model.schemas.values():
        yield from _element(
            2,
            "Schema",
            [("xmlns", EDM), ("Namespace", schema.namespace), ("Alias", schema.alias)],
            _schema(schema),
        )
    yield "  </edmx:DataServices>\n"
    yield "</edmx:Edmx>\n"


def _element(
    depth: int,
    tag: str,
    attributes: Iterable[tuple[str, Attribute]],
    children: Iterable[str] = (),
) -> Iterator[str]:
    """Write an element; attributes that are None are left out, children are written lines."""
    indent = "  " * depth
    start = f"{indent}<{tag}{''.join(_attributes(attributes))}"
    empty = True
    for child in children:
        if empty:
            yield f"{start}>\n"
            empty = False
        yield child
    yield f"{start} />\n" if empty else f"{indent}</{tag}>\n"


def _attributes(attributes: Iterable[tuple[str, Attribute]]) -> Iterator[str]:
    for name, value in attributes:
        if value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            if _UNWRITABLE.search(text):
                raise MockGraphError(f"XML cannot hold the characters of the {name} {text!a:.80}.")
            yield f" {name}={quoteattr(text, _NEWLINES)}"


def _schema(schema: Schema) -> Iterator[str]:
    for type_ in schema.types.values():
        yield from _type(type_)
    for overloads in schema.operations.values():
        for operation in overloads:
            yield from _operation(operation)
    for term in schema.terms.values():
        yield from _term(term)
    for container in schema.containers.values():
        yield from _container(container)
    for target, said in schema.targets.items():
        yield from _element(3, "Annotations", [("Target", target)], _annotations(4, said))
    yield from _annotations(3, schema.annotations)


def _type(type_: NamedType) -> Iterator[str]:
    name = ("Name", short_name(type_.name))
    if isinstance(type_, EnumType):
        underlying = None if type_.underlying == "Edm.Int32" else type_.underlying
        attributes = [name, ("UnderlyingType", underlying), ("IsFlags", type_.flags or None)]
        yield from _element(3, "EnumType", attributes, _members(type_))
    elif isinstance(type_, ComplexType):
        yield from _structured(type_)
    else:
        yield from _element(
            3,
            "TypeDefinition",
            [name, ("UnderlyingType", type_.underlying), *_facets(type_.facets)],
            _annotations(4, type_.annotations),
        )


def _members(type_: EnumType) -> Iterator[str]:
    for member in type_.members:
        yield from _element(
            4,
            "Member",
            [("Name", member.name), ("Value", member.value)],
            _annotations(5, member.annotations),
        )
    yield from _annotations(4, type_.annotations)


def _structured(type_: ComplexType) -> Iterator[str]:
    attributes: list[tuple[str, Attribute]] = [
        ("Name", short_name(type_.name)),
        ("BaseType", type_.base),
        ("Abstract", type_.abstract or None),
        ("OpenType", type_.open or None),
    ]
    if isinstance(type_, EntityType):
        attributes.append(("HasStream", type_.stream or None))
    tag = "EntityType" if isinstance(type_, EntityType) else "ComplexType"
    yield from _element(3, tag, attributes, _structure(type_))


def _structure(type_: ComplexType) -> Iterator[str]:
    if isinstance(type_, EntityType) and type_.key:
        references = (
            line
            for each in type_.key
            for line in _element(5, "PropertyRef", [("Name", each.path), ("Alias", each.alias)])
        )
        yield from _element(4, "Key", [], references)
    for property_ in type_.properties:
        yield from _typed(4, "Property", property_, property_.name, property_.default)
    for navigation in type_.navigation:
        yield from _navigation(navigation)
    yield from _annotations(4, type_.annotations)


def _typed(
    depth: int,
    tag: str,
    element: Property | Parameter | ReturnType | Term,
    name: str | None,
    default: str | None = None,
    *further: tuple[str, Attribute],
) -> Iterator[str]:
    attributes = [
        ("Name", name),
        ("Type", str(element.type)),
        ("Nullable", None if element.nullable else False),
        *_facets(element.facets),
        ("DefaultValue", default),
        *further,
    ]
    yield from _element(depth, tag, attributes, _annotations(depth + 1, element.annotations))


def _facets(facets: Facets) -> Iterable[tuple[str, Attribute]]:
    return (
        ("MaxLength", facets.max_length),
        ("Precision", facets.precision),
        ("Scale", facets.scale),
        ("Unicode", facets.unicode),
        ("SRID", facets.srid),
    )


def _navigation(navigation: NavigationProperty) -> Iterator[str]:
    attributes: list[tuple[str, Attribute]] = [
        ("Name", navigation.name),
        ("Type", str(navigation.type)),
        ("Nullable", None if navigation.nullable else False),
        ("Partner", navigation.partner),
        ("ContainsTarget", navigation.contains_target or None),
    ]
    yield from _element(4, "NavigationProperty", attributes, _relation(navigation))


def _relation(navigation: NavigationProperty) -> Iterator[str]:
    for each in navigation.constraints:
        attributes = [("Property", each.property), ("ReferencedProperty", each.referenced)]
        yield from _element(
            5, "ReferentialConstraint", attributes, _annotations(6, each.annotations)
        )
    if navigation.on_delete is not None:
        on_delete = navigation.on_delete
        yield from _element(
            5, "OnDelete", [("Action", on_delete.action)], _annotations(6, on_delete.annotations)
        )
    yield from _annotations(5, navigation.annotations)


def _operation(operation: Operation) -> Iterator[str]:
    attributes: list[tuple[str, Attribute]] = [
        ("Name", short_name(operation.name)),
        ("IsBound", operation.bound or None),
        ("EntitySetPath", operation.entity_set_path),
        ("IsComposable", operation.composable or None),
    ]
    tag = "Action" if operation.kind == "action" else "Function"
    yield from _element(3, tag, attributes, _call(operation))


def _call(operation: Operation) -> Iterator[str]:
    for parameter in operation.parameters:
        yield from _typed(4, "Parameter", parameter, parameter.name)
    if operation.returns is not None:
        yield from _typed(4, "ReturnType", operation.returns, None)
    yield from _annotations(4, operation.annotations)


def _term(term: Term) -> Iterator[str]:
    yield from _typed(
        3,
        "Term",
        term,
        short_name(term.name),
        term.default,
        ("BaseTerm", term.base),
        ("AppliesTo", " ".join(term.applies_to) or None),
    )


def _container(container: EntityContainer) -> Iterator[str]:
    attributes = [("Name", short_name(container.name)), ("Extends", container.extends)]
    yield from _element(3, "EntityContainer", attributes, _children(container))


def _children(container: EntityContainer) -> Iterator[str]:
    for each in container.sets:
        in_document = None if each.in_service_document else False
        attributes: list[tuple[str, Attribute]] = [
            ("Name", each.name),
            ("EntityType", each.type),
            ("IncludeInServiceDocument", in_document),
        ]
        yield from _element(4, "EntitySet", attributes, _bound(each))
    for single in container.singletons:
        attributes = [
            ("Name", single.name),
            ("Type", single.type),
            ("Nullable", single.nullable or None),
        ]
        yield from _element(4, "Singleton", attributes, _bound(single))
    for imported in container.imports:
        kind = "Action" if imported.kind == "action" else "Function"
        attributes = [
            ("Name", imported.name),
            (kind, imported.operation),
            ("EntitySet", imported.entity_set),
            ("IncludeInServiceDocument", imported.in_service_document or None),
        ]
        yield from _element(4, f"{kind}Import", attributes, _annotations(5, imported.annotations))
    yield from _annotations(4, container.annotations)


def _bound(child: EntitySet | Singleton) -> Iterator[str]:
    for each in child.bindings:
        yield from _element(
            5, "NavigationPropertyBinding", [("Path", each.path), ("Target", each.target)]
        )
    yield from _annotations(5, child.annotations)


# Annotations


def _annotations(depth: int, annotations: Annotations) -> Iterator[str]:
    for each in annotations:
        yield from _stated(
            depth, "Annotation", [("Term", each.term), ("Qualifier", each.qualifier)], each
        )


def _stated(
    depth: int,
    tag: str,
    attributes: list[tuple[str, Attribute]],
    element: Annotation | PropertyValue,
) -> Iterator[str]:
    """Write an element with its value, as an attribute where it can be one."""
    stated = _constant(element.value)
    children: Iterable[str] = ()
    if stated is not None:
        attributes = [*attributes, stated]
    elif element.value is not DEFAULT:
        children = _value(depth + 1, element.value)
    yield from _element(
        depth, tag, attributes, (*children, *_annotations(depth + 1, element.annotations))
    )


def _constant(value: Value) -> tuple[str, str] | None:
    """Return a value as the attribute that says it, None where only an element can."""
    if isinstance(value, bool):
        return "Bool", str(value).lower()
    if isinstance(value, int):
        return "Int", str(value)
    if isinstance(value, float):
        return "Float", repr(value).replace("inf", "INF")
    if isinstance(value, str):
        return "String", value
    if isinstance(value, Constant | PathExpression):
        return value.kind, value.text
    if isinstance(value, EnumMembers):
        return "EnumMember", " ".join(f"{value.type}/{each}" for each in value.members)
    return None


def _value(depth: int, value: Value) -> Iterator[str]:
    if isinstance(value, Record):
        yield from _element(depth, "Record", [("Type", value.type)], _record(depth + 1, value))
    elif isinstance(value, tuple):
        items = (line for each in value for line in _value(depth + 1, each))
        yield from _element(depth, "Collection", [], items)
    elif isinstance(value, DynamicExpression):
        operands = (line for each in value.operands for line in _value(depth + 1, each))
        annotations = _annotations(depth + 1, value.annotations)
        yield from _element(depth, value.operator, value.attributes, (*operands, *annotations))
    elif (stated := _constant(value)) is not None:
        tag, text = stated
        yield f"{'  ' * depth}<{tag}>{_text(text)}</{tag}>\n"
    else:
        yield from _element(depth, "Null", [])


def _text(text: str) -> str:
    (written,) = _attributes([("text", text)])
    return written[len(" text=") + 1 : -1]


def _record(depth: int, record: Record) -> Iterator[str]:
    for each in record.values:
        yield from _stated(depth, "PropertyValue", [("Property", each.name)], each)
    yield from _annotations(depth, record.annotations)
