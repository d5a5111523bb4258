"""The values of annotations, read from CSDL XML (OData CSDL 4.0, section 14)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from mockgraph.metadata.annotations import (
    CONSTANTS,
    DEFAULT,
    PATHS,
    Annotation,
    Constant,
    DynamicExpression,
    EnumMembers,
    PathExpression,
    PropertyValue,
    Record,
    Value,
)
from mockgraph.metadata.csdl_tree import SourceDocument, XmlElement, shortened

_UNARY = {"IsOf", "Cast", "LabeledElement", "LabeledElementReference", "Neg", "Not", "UrlRef"}
_BINARY = {
    "Add",
    "Div",
    "DivBy",
    "Eq",
    "Ge",
    "Gt",
    "Has",
    "In",
    "Le",
    "Lt",
    "Mod",
    "Mul",
    "Ne",
    "Sub",
}
OPERATORS: Final = _UNARY | _BINARY | {"And", "Apply", "If", "Or"}
_PLAIN: Final = ("Bool", "Int", "String")
_ATTRIBUTES: Final = (*_PLAIN, *CONSTANTS, *PATHS, "EnumMember", "UrlRef")
_IDENTIFIER: Final = re.compile(r"[^\W\d]\w{0,127}")
_QUALIFIED: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
_INT: Final = re.compile(r"[+-]?\d{1,40}")
_FLOAT: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|-?INF|NaN")


class ExpressionReader:
    """Reads annotations and their values; ``resolve`` puts namespaces in place of aliases."""

    def __init__(self, source: SourceDocument, resolve: Callable[[str], str]) -> None:
        self._source = source
        self._resolve = resolve

    def annotations(self, node: XmlElement, qualifier: str | None = None) -> tuple[Annotation, ...]:
        """Return the annotations among the children of an element."""
        found: dict[tuple[str, str | None], Annotation] = {}
        for child in node.children:
            if child.tag != "Annotation":
                continue
            term = child.attributes.get("Term", "")
            if not _QUALIFIED.fullmatch(term):
                raise self._source.error(child, "an annotation needs a Term, a qualified name.")
            named = child.attributes.get("Qualifier", qualifier)
            if named is not None and not _IDENTIFIER.fullmatch(named):
                raise self._source.error(child, "Qualifier is no name.")
            each = Annotation(
                self._resolve(term), self._stated(child), named, self.annotations(child)
            )
            if each.key in found:
                raise self._source.error(child, "the element has this annotation already.")
            found[each.key] = each
        return tuple(found.values())

    def path(self, text: str) -> str:
        """Return a path whose qualified segments and terms have no alias."""
        return "/".join(
            f"@{self._resolve(each[1:])}" if each.startswith("@") else self._resolve(each)
            for each in text.strip().split("/")
        )

    def _stated(self, node: XmlElement) -> Value:
        """Return what an element says in an attribute or in its one child."""
        stated = [name for name in _ATTRIBUTES if name in node.attributes]
        children = [each for each in node.children if each.tag != "Annotation"]
        if len(stated) + len(children) > 1:
            raise self._source.error(node, "it says more than one value.")
        if stated:
            return self._constant(node, stated[0], node.attributes[stated[0]])
        return self._value(children[0]) if children else DEFAULT

    def _value(self, node: XmlElement) -> Value:
        tag = node.tag
        if tag == "Null":
            return None
        if tag == "Collection":
            return tuple(self._value(each) for each in node.children)
        if tag == "Record":
            return self._record(node)
        if tag in OPERATORS:
            return self._expression(node)
        if tag in _ATTRIBUTES:
            return self._constant(node, tag, node.text)
        raise self._source.error(node, "CSDL has no such expression.")

    def _constant(self, node: XmlElement, kind: str, text: str) -> Value:
        if kind == "String":
            return text
        text = text.strip()
        if kind == "Bool" and text in ("true", "false"):
            return text == "true"
        if kind == "Int" and _INT.fullmatch(text):
            return int(text)
        if kind == "Float" and _FLOAT.fullmatch(text):
            return Constant(kind, text) if text == "NaN" else float(text)
        if kind in (*_PLAIN, "Float"):
            raise self._source.error(node, f"'{shortened(text)}' is no {kind}.")
        if kind == "UrlRef":
            return DynamicExpression("UrlRef", (), (text,))
        if kind == "EnumMember":
            return self._members(node, text)
        if kind in PATHS:
            return PathExpression(kind, self.path(text))
        return Constant(kind, text)

    def _members(self, node: XmlElement, text: str) -> EnumMembers:
        pairs = [each.rpartition("/") for each in text.split()]
        types = {self._resolve(type_) for type_, _, _ in pairs}
        named = all(_IDENTIFIER.fullmatch(member) for _, _, member in pairs)
        if len(types) != 1 or not named or not all(map(_QUALIFIED.fullmatch, types)):
            raise self._source.error(node, f"'{shortened(text)}' names no members of a type.")
        return EnumMembers(types.pop(), tuple(member for _, _, member in pairs))

    def _record(self, node: XmlElement) -> Record:
        values: dict[str, PropertyValue] = {}
        for child in node.children:
            if child.tag == "Annotation":
                continue
            name = child.attributes.get("Property", "")
            if child.tag != "PropertyValue" or not _IDENTIFIER.fullmatch(name):
                raise self._source.error(child, "a record has PropertyValues that name a Property.")
            if name in values:
                raise self._source.error(child, "the record has this property already.")
            values[name] = PropertyValue(name, self._stated(child), self.annotations(child))
        type_ = node.attributes.get("Type")
        if type_ is not None and not _QUALIFIED.fullmatch(type_):
            raise self._source.error(node, "Type is no qualified name.")
        return Record(
            tuple(values.values()),
            None if type_ is None else self._resolve(type_),
            self.annotations(node),
        )

    def _expression(self, node: XmlElement) -> DynamicExpression:
        attributes = tuple(
            (
                name,
                self._type(value)
                if name == "Type"
                else self._resolve(value)
                if name == "Name" and node.tag == "LabeledElementReference"
                else value,
            )
            for name, value in node.attributes.items()
            if name not in _ATTRIBUTES
        )
        operands = tuple(self._value(each) for each in node.children if each.tag != "Annotation")
        stated = [name for name in _ATTRIBUTES if name in node.attributes]
        if stated:
            operands = (*operands, self._constant(node, stated[0], node.attributes[stated[0]]))
        if node.tag == "LabeledElementReference" and node.text.strip():
            attributes = (("Name", self._resolve(node.text.strip())),)
        return DynamicExpression(node.tag, attributes, operands, self.annotations(node))

    def _type(self, text: str) -> str:
        if text.startswith("Collection(") and text.endswith(")"):
            return f"Collection({self._resolve(text[11:-1])})"
        return self._resolve(text)
