"""The metadata document (`$metadata`): CSDL 4.0 in XML, written from the schemas.

What a root serves is what its document declares. The types derived from
microsoft.graph.security.alertEvidence are not in it: the schemas know their names alone, and
keep what they add as dynamic properties of the open base type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from mockgraph import metadata as edm
from mockgraph.metadata.declarations import Action, EntitySet, Root, Service

Structured = type[edm.StructuredType]
Declared = Structured | type[edm.Enumeration]

_ALIAS = "graph"
_CONTAINER = "GraphService"
_COMPUTED = "Org.OData.Core.V1.Computed"
_EDM_XML = "http://docs.oasis-open.org/odata/ns/edm"
_EDMX_XML = "http://docs.oasis-open.org/odata/ns/edmx"
_CORE_URI = "https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Core.V1.xml"


def write(service: Service, root: Root) -> bytes:
    """The document of what a root serves: UTF-8, indented, the same each time."""
    edmx = _Document(service, root).write()
    ElementTree.indent(edmx)
    text: bytes = ElementTree.tostring(edmx, encoding="utf-8", xml_declaration=True)
    return text


class _Document:
    """One document in the making: a Schema element a namespace, the container in the first."""

    def __init__(self, service: Service, root: Root):
        self._root = root
        self._singleton = service.singleton
        self._sets = service.sets_at(root)
        self._services = Element("edmx:DataServices")
        self._schemas: dict[str, Element] = {}

    def write(self) -> Element:
        types = self._types()
        for kind in (edm.Enumeration, edm.EntityType, edm.ComplexType):
            for each in types:
                if issubclass(each, kind):
                    self._write_type(each)
        for each_set in self._sets.values():
            for action in each_set.actions:
                self._write_action(each_set, action)
        container = SubElement(self._schema(edm.NAMESPACE), "EntityContainer", Name=_CONTAINER)
        type_name = _spelled(_qualified(self._singleton.type))
        SubElement(container, "Singleton", Name=self._root.singleton, Type=type_name)
        return self._wrapped()

    def _wrapped(self) -> Element:
        # ElementTree takes names with a prefix as they are. Its own handling of namespaces
        # wants either a process-wide registry of prefixes or a prefix on every name.
        edmx = Element("edmx:Edmx", {"xmlns:edmx": _EDMX_XML, "Version": "4.0"})
        reference = SubElement(edmx, "edmx:Reference", Uri=_CORE_URI)
        SubElement(reference, "edmx:Include", Namespace=_COMPUTED.rpartition(".")[0])
        edmx.append(self._services)
        return edmx

    def _types(self) -> list[Declared]:
        """Every type that is served, each once, in the order in which it is met."""
        met: dict[Declared, None] = {}
        _meet(self._singleton.type, met)
        for each in self._sets.values():
            _meet(each.type, met)
            for action in each.actions:
                if action.returns is not None:
                    _meet(action.returns, met)
                for declared in _parameters(action).values():
                    _meet_type_of(declared, met)
        return list(met)

    def _schema(self, namespace: str) -> Element:
        if namespace not in self._schemas:
            facets = {"Alias": _ALIAS} if namespace == edm.NAMESPACE else {}
            self._schemas[namespace] = SubElement(
                self._services, "Schema", {"xmlns": _EDM_XML, "Namespace": namespace, **facets}
            )
        return self._schemas[namespace]

    def _write_type(self, declared: Declared) -> None:
        namespace, _, name = _qualified(declared).rpartition(".")
        schema = self._schema(namespace)
        if issubclass(declared, edm.Enumeration):
            _write_enumeration(schema, name, declared)
        else:
            self._write_structured(schema, name, declared)

    def _write_structured(self, schema: Element, name: str, declared: Structured) -> None:
        is_entity = issubclass(declared, edm.EntityType)
        element = SubElement(schema, "EntityType" if is_entity else "ComplexType", Name=name)
        base = _base(declared)
        if base is not None:
            element.set("BaseType", _spelled(_qualified(base)))
        if declared.is_open:
            element.set("OpenType", "true")
        if declared is edm.EntityType:
            element.set("Abstract", "true")
            SubElement(SubElement(element, "Key"), "PropertyRef", Name="id")
        inherited = base.properties() if base is not None else {}
        for property_name, each in declared.properties().items():
            if property_name not in inherited:
                _write_property(element, property_name, each)
        for facets in self._navigations(declared):
            SubElement(element, "NavigationProperty", facets)

    def _navigations(self, declared: Structured) -> Iterator[dict[str, str]]:
        """The singleton contains its sets; what leads from one set to another does not."""
        if declared is self._singleton.type:
            for each in self._sets.values():
                yield {**_navigation(each.name, each), "ContainsTarget": "true"}
        for each in self._sets.values():
            if each.type is declared:
                for navigation in each.navigations:
                    if navigation.target in self._sets.values():
                        yield _navigation(navigation.name, navigation.target)

    def _write_action(self, bound_to: EntitySet, action: Action) -> None:
        name = _qualified(bound_to.type)
        schema = self._schema(name.rpartition(".")[0])
        element = SubElement(schema, "Action", Name=action.name, IsBound="true")
        binding = name if action.on_entity else f"Collection({name})"
        SubElement(element, "Parameter", Name="bindparameter", Type=_spelled(binding))
        for parameter, each in _parameters(action).items():
            SubElement(element, "Parameter", Name=parameter, Type=_spelled(each.type_name))
        if action.returns is not None:
            returned = f"Collection({_qualified(action.returns)})"
            SubElement(element, "ReturnType", Type=_spelled(returned))


def _meet(declared: Declared, met: dict[Declared, None]) -> None:
    """Add a type, and what it is made of; its base comes before it."""
    if declared in met:
        return
    if issubclass(declared, edm.Enumeration):
        met[declared] = None
        return
    base = _base(declared)
    if base is not None:
        _meet(base, met)
    met[declared] = None
    for each in declared.properties().values():
        _meet_type_of(each, met)


def _meet_type_of(declared: edm.Property, met: dict[Declared, None]) -> None:
    if isinstance(declared, edm.Collection):
        declared = declared.item
    if isinstance(declared, edm.Enum):
        _meet(declared.members, met)
    elif isinstance(declared, edm.Complex):
        _meet(declared.schema, met)


def _base(declared: Structured) -> Structured | None:
    """The type that a type is derived from; ComplexType is none, EntityType is `entity`."""
    parents = (each for each in declared.__mro__[1:] if issubclass(each, edm.StructuredType))
    parent = next(parents)
    return None if parent in (edm.ComplexType, edm.StructuredType) else parent


def _parameters(action: Action) -> Mapping[str, edm.Property]:
    return {} if action.parameters is None else action.parameters.properties()


def _write_enumeration(schema: Element, name: str, declared: type[edm.Enumeration]) -> None:
    element = SubElement(schema, "EnumType", Name=name)
    for member_name, member in declared.__members__.items():
        SubElement(element, "Member", Name=member_name, Value=str(member.value))


def _write_property(parent: Element, name: str, declared: edm.Property) -> None:
    element = SubElement(parent, "Property", Name=name, Type=_spelled(declared.type_name))
    # Of a collection, the facet would speak of the items; the documented metadata is silent.
    if not declared.nullable and not isinstance(declared, edm.Collection):
        element.set("Nullable", "false")
    if declared.computed:
        SubElement(element, "Annotation", Term=_COMPUTED, Bool="true")


def _navigation(name: str, target: EntitySet) -> dict[str, str]:
    return {"Name": name, "Type": _spelled(f"Collection({_qualified(target.type)})")}


def _qualified(declared: Declared) -> str:
    return edm.qualified("entity" if declared is edm.EntityType else declared.edm_name())


def _spelled(type_name: str) -> str:
    """A type's name with the alias for its namespace, where that has one."""
    if type_name.startswith("Collection("):
        return f"Collection({_spelled(type_name[len('Collection(') : -1])})"
    namespace, _, name = type_name.rpartition(".")
    return f"{_ALIAS}.{name}" if namespace == edm.NAMESPACE else type_name
