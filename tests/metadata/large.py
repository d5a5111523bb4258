"""A generator of CSDL as large as the whole v1.0 metadata of Graph."""

from __future__ import annotations

from collections.abc import Iterator

ENTITY_TYPES = 1229
COMPLEX_TYPES = 1700
ENUM_TYPES = 850
OPERATIONS = 1200

_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">'
    '<edmx:DataServices>\n<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" '
    'Namespace="microsoft.graph" Alias="graph">\n'
)
_TAIL = "</Schema>\n</edmx:DataServices></edmx:Edmx>\n"


def csdl() -> bytes:
    """Return a document of some 3.4 MB with 3,779 types, 1,200 operations and annotations."""
    return "".join((_HEAD, *_enums(), *_complex(), *_entities(), *_operations(), _TAIL)).encode()


def _enums() -> Iterator[str]:
    for index in range(ENUM_TYPES):
        members = "".join(
            f'  <Member Name="member{each}OfEnumeration{index}" Value="{each}" />\n'
            for each in range(14)
        )
        yield f'<EnumType Name="enumeration{index}">\n{members}</EnumType>\n'


def _complex() -> Iterator[str]:
    for index in range(COMPLEX_TYPES):
        base = "" if index < 40 else f' BaseType="graph.complex{index % 40}"'
        yield f'<ComplexType Name="complex{index}"{base} OpenType="true">\n{_properties(index)}'
        yield "</ComplexType>\n"


def _properties(index: int) -> str:
    return (
        f'  <Property Name="displayName{index}" Type="Edm.String" Unicode="false" />\n'
        f'  <Property Name="createdDateTime{index}" Type="Edm.DateTimeOffset" />\n'
        f'  <Property Name="state{index}" Type="graph.enumeration{index % ENUM_TYPES}" />\n'
        f'  <Property Name="lastModifiedDateTime{index}" Type="Edm.DateTimeOffset" />\n'
        f'  <Property Name="numbers{index}" Type="Collection(Edm.Int32)" Nullable="false" />\n'
        f'  <Property Name="details{index}" Type="graph.complex{index % COMPLEX_TYPES}" />\n'
    )


def _entities() -> Iterator[str]:
    yield '<EntityType Name="entity" Abstract="true"><Key><PropertyRef Name="id" /></Key>\n'
    yield '  <Property Name="id" Type="Edm.String" Nullable="false" />\n</EntityType>\n'
    for index in range(1, ENTITY_TYPES):
        base = "entity" if index < 50 else f"entity{index % 49 + 1}"
        yield f'<EntityType Name="entity{index}" BaseType="graph.{base}">\n{_properties(index)}'
        for each in range(3):
            target = (index * 7 + each) % (ENTITY_TYPES - 1) + 1
            yield (
                f'  <NavigationProperty Name="related{each}" '
                f'Type="Collection(graph.entity{target})" ContainsTarget="true" />\n'
            )
        yield "</EntityType>\n"
        yield (
            f'<Annotations Target="microsoft.graph.entity{index}/related0">\n'
            '  <Annotation Term="Org.OData.Core.V1.Description" '
            f'String="The entities of the kind {index} that are related to this one." />\n'
            '  <Annotation Term="Org.OData.Capabilities.V1.UpdateRestrictions"><Record>'
            '<PropertyValue Property="Updatable" Bool="false" />'
            "</Record></Annotation>\n</Annotations>\n"
        )


def _operations() -> Iterator[str]:
    for index in range(OPERATIONS):
        yield (
            f'<Action Name="operation{index}" IsBound="true">\n'
            f'  <Parameter Name="bindingParameter" Type="graph.entity{index % 1000 + 1}" />\n'
            f'  <Parameter Name="reason" Type="Edm.String" Unicode="false" />\n'
            f'  <ReturnType Type="graph.complex{index}" />\n</Action>\n'
        )
