"""Checking that whatever a CSDL document refers to is there, and that nothing goes in a circle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from mockgraph.metadata.csdl_tree import SourceDocument, XmlElement, shortened
from mockgraph.metadata.elements import (
    ABSTRACT,
    PRIMITIVES,
    ComplexType,
    EntityType,
)
from mockgraph.metadata.entity_data_model import Model

# The standard vocabularies: their types are used by terms, and are not read.
VOCABULARIES: Final = "Org.OData."
MAX_INHERITANCE: Final = 64
_TYPED: Final = frozenset({"Property", "Parameter", "ReturnType", "Term"})


def check_references(
    model: Model,
    source: SourceDocument,
    schemas: Sequence[XmlElement],
    resolve: Callable[[str], str],
) -> None:
    """Check the references of a document's schemas in the model that holds them.

    Raises MockGraphError, one line that names file, line and element. Terms and the targets of
    annotations are not looked for: they may be of documents that are not read. A navigation
    property of a complex type may lead out of the model: where a part of a larger model was cut
    out, such is what was cut through.
    """
    checker = _Checker(model, source, resolve)
    for schema in schemas:
        for node in schema.children:
            checker.declaration(node, schema.attributes["Namespace"])


class _Checker:
    def __init__(self, model: Model, source: SourceDocument, resolve: Callable[[str], str]) -> None:
        self._model = model
        self._source = source
        self._resolve = resolve
        self._known = frozenset(model.type_names())
        self._entities = frozenset(
            name for name in self._known if isinstance(model.type(name), EntityType)
        )
        self._derives: dict[str, int] = {}  # how many types derive from each other up to it

    def declaration(self, node: XmlElement, namespace: str) -> None:
        tag = node.tag
        if tag in ("EntityType", "ComplexType"):
            self._bases(node, f"{namespace}.{node.attributes['Name']}")
        elif tag == "TypeDefinition":
            underlying = node.attributes["UnderlyingType"]
            if underlying not in PRIMITIVES:
                raise self._missing(node, underlying, "a type definition is of a primitive type")
        elif tag == "EntityContainer":
            self._container(node, f"{namespace}.{node.attributes['Name']}")
        elif tag == "Term":
            self._typed(node)
        for child in node.children:
            if child.tag in _TYPED:
                self._typed(child)
            elif child.tag == "NavigationProperty":
                self._navigation(child, node.tag)
            elif child.tag == "Key":
                self._key(child, f"{namespace}.{node.attributes['Name']}")

    def _missing(
        self, node: XmlElement, name: str, why: str = "there is no such type"
    ) -> Exception:
        return self._source.error(node, f"{shortened(name)}: {why}.")

    def _item(self, text: str) -> str:
        inner = text[11:-1].strip() if text.startswith("Collection(") else text
        return self._resolve(inner)

    def _typed(self, node: XmlElement) -> None:
        name = self._item(node.attributes["Type"])
        if name not in self._known and not self._elsewhere(name):
            raise self._missing(node, name)

    def _elsewhere(self, name: str) -> bool:
        return name in PRIMITIVES or name in ABSTRACT or name.startswith(VOCABULARIES)

    def _navigation(self, node: XmlElement, within: str) -> None:
        name = self._item(node.attributes["Type"])
        # The reference of v1.0 itself has one: a part of a model does not follow them.
        if within != "ComplexType" or name in self._known:
            self._entity(node, name)

    def _entity(self, node: XmlElement, name: str) -> None:
        if name not in self._known and name != "Edm.EntityType":
            raise self._missing(node, name)
        if name in self._known and name not in self._entities:
            raise self._missing(node, name, "it is no entity type")

    def _bases(self, node: XmlElement, name: str) -> None:
        passed: list[str] = []
        current: str | None = name
        while current is not None and current not in self._derives:
            if current in passed:
                raise self._source.error(node, f"{shortened(name)} derives from itself.")
            if len(passed) > MAX_INHERITANCE:
                raise self._source.error(node, f"it has more than {MAX_INHERITANCE} bases.")
            passed.append(current)
            current = self._model.base_of(current)
            if current is not None and current not in self._known:
                if len(passed) == 1:
                    raise self._missing(node, current)
                current = None  # told of where that type is declared
        depth = 0 if current is None else self._derives[current]
        for each in reversed(passed):
            depth += 1
            self._derives[each] = depth
        if depth > MAX_INHERITANCE:
            raise self._source.error(node, f"it has more than {MAX_INHERITANCE} bases.")
        base = self._model.base_of(name)
        if base is not None and (base in self._entities) != (node.tag == "EntityType"):
            raise self._missing(node, base, "the base is of another kind of type")

    def _key(self, node: XmlElement, name: str) -> None:
        for child in node.children:
            if child.tag == "PropertyRef" and not self._reaches(name, child.attributes["Name"]):
                raise self._source.error(child, f"{shortened(name)} has no such property.")

    def _reaches(self, name: str, path: str) -> bool:
        for segment in path.split("/"):
            if not isinstance(self._model.type(name), ComplexType):
                return False
            found = self._model.properties(name).get(segment) or self._model.navigation(name).get(
                segment
            )
            if found is None:
                return False
            name = found.type.name
        return True

    def _container(self, node: XmlElement, name: str) -> None:
        self._extends(node, name)
        for child in node.children:
            if child.tag in ("EntitySet", "Singleton"):
                attribute = "EntityType" if child.tag == "EntitySet" else "Type"
                self._entity(child, self._resolve(child.attributes[attribute]))
            elif child.tag in ("ActionImport", "FunctionImport"):
                attribute = child.tag.removesuffix("Import")
                operation = self._resolve(child.attributes[attribute])
                kinds = {each.kind for each in self._model.operations(operation)}
                if attribute.lower() not in kinds:
                    raise self._missing(child, operation, f"there is no such {attribute}")

    def _extends(self, node: XmlElement, name: str) -> None:
        containers = {each.name: each for each in self._model.containers}
        passed: Iterable[str] = []
        current: str | None = name
        while current is not None:
            if current not in containers:
                raise self._missing(node, current, "there is no such container")
            if current in passed:
                raise self._source.error(node, f"{shortened(name)} extends itself.")
            passed = [*passed, current]
            current = containers[current].extends
