"""CSDL documents that cannot be: each is refused with its file, its line and the element."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockgraph.errors import MockGraphError
from mockgraph.metadata import csdl

from .documents import HEAD, SCHEMA, document

ENTITY = '<EntityType Name="e"><Key><PropertyRef Name="id" /></Key>'
ID = '<Property Name="id" Type="Edm.String" Nullable="false" />'
COMPLEX = '<ComplexType Name="c">'
REFUSED = {
    "a type that is not there": (
        [COMPLEX, '<Property Name="p" Type="a.gone" />', "</ComplexType>"],
        'line 5, <Property Name="p">: n.gone: there is no such type.',
    ),
    "a collection of what is not there": (
        [COMPLEX, '<Property Name="p" Type="Collection(n.gone)" />', "</ComplexType>"],
        'line 5, <Property Name="p">: n.gone: there is no such type.',
    ),
    "a namespace that is not there": (
        [COMPLEX, '<Property Name="p" Type="other.thing" />', "</ComplexType>"],
        'line 5, <Property Name="p">: other.thing: there is no such type.',
    ),
    "a primitive type that is not there": (
        [COMPLEX, '<Property Name="p" Type="Edm.Int128" />', "</ComplexType>"],
        'line 5, <Property Name="p">: Edm.Int128: there is no such type.',
    ),
    "a base that is not there": (
        ['<ComplexType Name="c" BaseType="a.gone" />'],
        'line 4, <ComplexType Name="c">: n.gone: there is no such type.',
    ),
    "a base of another kind": (
        ['<ComplexType Name="c" />', '<EntityType Name="e" BaseType="a.c" />'],
        'line 5, <EntityType Name="e">: n.c: the base is of another kind of type.',
    ),
    "a type that derives from itself": (
        ['<ComplexType Name="c" BaseType="n.c" />'],
        'line 4, <ComplexType Name="c">: n.c derives from itself.',
    ),
    "types that derive from each other": (
        [
            '<ComplexType Name="c" BaseType="a.d" />',
            '<ComplexType Name="d" BaseType="a.f" />',
            '<ComplexType Name="f" BaseType="a.c" />',
        ],
        'line 4, <ComplexType Name="c">: n.c derives from itself.',
    ),
    "navigation to what is not there": (
        [ENTITY, ID, '<NavigationProperty Name="v" Type="a.gone" />', "</EntityType>"],
        'line 6, <NavigationProperty Name="v">: n.gone: there is no such type.',
    ),
    "navigation to a complex type": (
        [
            ENTITY,
            ID,
            '<NavigationProperty Name="v" Type="a.c" />',
            '</EntityType><ComplexType Name="c" />',
        ],
        'line 6, <NavigationProperty Name="v">: n.c: it is no entity type.',
    ),
    "a key that is not there": (
        [ENTITY, "</EntityType>"],
        'line 4, <PropertyRef Name="id">: n.e has no such property.',
    ),
    "a parameter of what is not there": (
        ['<Action Name="x">', '<Parameter Name="p" Type="a.gone" />', "</Action>"],
        'line 5, <Parameter Name="p">: n.gone: there is no such type.',
    ),
    "a result of what is not there": (
        ['<Function Name="x">', '<ReturnType Type="a.gone" />', "</Function>"],
        "line 5, <ReturnType>: n.gone: there is no such type.",
    ),
    "a set of what is not there": (
        [
            '<EntityContainer Name="s">',
            '<EntitySet Name="p" EntityType="a.gone" />',
            "</EntityContainer>",
        ],
        'line 5, <EntitySet Name="p">: n.gone: there is no such type.',
    ),
    "an import of what is not there": (
        [
            '<EntityContainer Name="s">',
            '<ActionImport Name="p" Action="a.gone" />',
            "</EntityContainer>",
        ],
        'line 5, <ActionImport Name="p">: n.gone: there is no such Action.',
    ),
    "a container that extends itself": (
        ['<EntityContainer Name="s" Extends="a.s" />'],
        'line 4, <EntityContainer Name="s">: n.s extends itself.',
    ),
    "a definition of no primitive type": (
        ['<TypeDefinition Name="t" UnderlyingType="a.c" /><ComplexType Name="c" />'],
        "a type definition is of a primitive type.",
    ),
    "a type twice": (
        ['<ComplexType Name="c" />', '<EnumType Name="c" />'],
        'line 5, <EnumType Name="c">: declared in line 4 already.',
    ),
    "a property twice": (
        [COMPLEX, *['<Property Name="p" Type="Edm.Int32" />'] * 2, "</ComplexType>"],
        'line 6, <Property Name="p">: <ComplexType Name="c"> has one of this name already.',
    ),
    "an overload twice": (
        ['<Action Name="x" />', '<Action Name="x" />'],
        'line 5, <Action Name="x">: an overload like it is in line 4 already.',
    ),
    "no name": (["<ComplexType />"], "line 4, <ComplexType>: the attribute Name is missing."),
    "no type": ([COMPLEX, '<Property Name="p" />', "</ComplexType>"], "Type is missing."),
    "a name that is none": (['<ComplexType Name="1 c" />'], "Name is no name"),
    "an element that is none": (["<Widget />"], "line 4, <Widget>: a <Schema> has no such element"),
    "a flag that is none": (
        ['<ComplexType Name="c" OpenType="maybe" />'],
        "OpenType is true or false, not 'maybe'.",
    ),
    "a number that is none": (
        [COMPLEX, '<Property Name="p" Type="Edm.String" MaxLength="long" /></ComplexType>'],
        "MaxLength is a number, not 'long'.",
    ),
    "a value out of range": (
        [
            '<EnumType Name="f" UnderlyingType="Edm.Byte">',
            '<Member Name="m" Value="256" />',
            "</EnumType>",
        ],
        'line 5, <Member Name="m">: 256 is no Edm.Byte.',
    ),
    "an enumeration of strings": (
        ['<EnumType Name="f" UnderlyingType="Edm.String" />'],
        "Edm.String is no integer type.",
    ),
    "a binding without a parameter": (
        ['<Action Name="x" IsBound="true" />'],
        "what is bound needs a binding parameter.",
    ),
    "a function without a result": (['<Function Name="x" />'], "a function needs a ReturnType."),
    "an annotation without a term": (["<Annotation />"], "an annotation needs a Term"),
    "two values": (
        ['<Annotation Term="n.t" Int="1" Bool="true" />'],
        'line 4, <Annotation Term="n.t">: it says more than one value.',
    ),
    "a truth that is none": (['<Annotation Term="n.t" Bool="yes" />'], "'yes' is no Bool."),
    "a member of flags without a value": (
        ['<EnumType Name="f" IsFlags="true"><Member Name="m" /></EnumType>'],
        '<Member Name="m">: a member of flags needs a Value.',
    ),
    "a property and navigation of one name": (
        [
            ENTITY,
            ID,
            '<NavigationProperty Name="id" Type="a.e" />',
            "</EntityType>",
        ],
        'line 4, <EntityType Name="e">: two properties have the name id.',
    ),
    "two keys": (
        [ENTITY, ID, '<Key><PropertyRef Name="id" /></Key>', "</EntityType>"],
        'line 6, <Key>: <EntityType Name="e"> has one <Key> at most.',
    ),
    "an alias of a key that is none": (
        ['<EntityType Name="e"><Key><PropertyRef Name="id" Alias="1" /></Key></EntityType>'],
        "Alias is no name.",
    ),
    "a way to delete that is none": (
        [
            ENTITY,
            ID,
            '<NavigationProperty Name="v" Type="a.e">',
            '<OnDelete Action="Explode" /></NavigationProperty></EntityType>',
        ],
        'line 7, <OnDelete Action="Explode">: CSDL has no such Action.',
    ),
    "two children of one name": (
        [
            '<EntityContainer Name="s"><EntitySet Name="x" EntityType="a.e" />',
            '<Singleton Name="x" Type="a.e" /></EntityContainer>',
        ],
        'line 4, <EntityContainer Name="s">: two of its children have the same name.',
    ),
    "a container that extends what is not there": (
        ['<EntityContainer Name="s" Extends="a.gone" />'],
        "n.gone: there is no such container.",
    ),
    "a qualifier that is none": (
        ['<Annotation Term="n.t" Qualifier="a b" />'],
        "Qualifier is no name.",
    ),
    "an annotation twice": (
        ['<Annotation Term="n.t" />', '<Annotation Term="a.t" />'],
        'line 5, <Annotation Term="a.t">: the element has this annotation already.',
    ),
    "members of no type": (
        ['<Annotation Term="n.t" EnumMember="high" />'],
        "'high' names no members of a type.",
    ),
    "a record of other things": (
        ['<Annotation Term="n.t"><Record><Int>1</Int></Record></Annotation>'],
        "a record has PropertyValues that name a Property.",
    ),
    "a record with a property twice": (
        [
            '<Annotation Term="n.t"><Record><PropertyValue Property="p" />',
            '<PropertyValue Property="p" /></Record></Annotation>',
        ],
        'line 5, <PropertyValue Property="p">: the record has this property already.',
    ),
    "a record of no type": (
        ['<Annotation Term="n.t"><Record Type="here" /></Annotation>'],
        "Type is no qualified name.",
    ),
    "an expression that is none": (
        ['<Annotation Term="n.t"><Guess /></Annotation>'],
        "CSDL has no such expression.",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_document_that_cannot_be(what: str) -> None:
    lines, message = REFUSED[what]
    with pytest.raises(MockGraphError) as caught:
        csdl.parse([("my.csdl", document(*lines))])
    assert str(caught.value).startswith("my.csdl, line ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


ALIASES = {
    'Namespace="1"': "Namespace is no name of a namespace.",
    'Namespace="n" Alias="a b"': "'a b' is no name for an alias.",
}


@pytest.mark.parametrize("attributes", ALIASES)
def test_a_namespace_that_is_none(attributes: str) -> None:
    data = document().replace(b'Namespace="n" Alias="a"', attributes.encode())
    with pytest.raises(MockGraphError, match="line 3, <Schema Namespace=") as caught:
        csdl.parse([("my.csdl", data)])
    assert ALIASES[attributes] in str(caught.value)


def test_an_alias_of_two_namespaces() -> None:
    second = SCHEMA.replace('"n"', '"m"')
    with pytest.raises(MockGraphError, match=r"line 5, .* is of another namespace already"):
        csdl.parse([("my.csdl", document("</Schema>", second))])


NO_CSDL = {
    b"": "my.csdl, line 1: not well-formed XML: no element found.",
    HEAD.encode(): "my.csdl, line 1: not well-formed XML: no element found.",
    b"\n" + HEAD.encode() + b"</b>": "my.csdl, line 2: not well-formed XML: mismatched tag.",
    b"{}": "my.csdl, line 1: not well-formed XML: invalid token.",
    b"<html/>": "my.csdl, line 1: not CSDL 4.0: the document begins with <html>",
    b'<?xml version="1.0" encoding="klingon"?><a/>': "not well-formed XML: unknown encoding",
    b"\xff\xfe<\0": "not well-formed XML",
    HEAD.encode() + b"</edmx:Edmx>": "CSDL has one <edmx:DataServices>.",
    HEAD.encode() + b"<edmx:DataServices/></edmx:Edmx>": "there is no <Schema> in it.",
    HEAD.encode().replace(b"4.0", b"3.0") + b"</edmx:Edmx>": "only the versions 4.0 and 4.01",
}


@pytest.mark.parametrize("data", NO_CSDL)
def test_what_is_no_csdl(data: bytes) -> None:
    with pytest.raises(MockGraphError) as caught:
        csdl.parse([("my.csdl", data)])
    assert NO_CSDL[data] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MockGraphError, match=r"Cannot read .*gone\.csdl: No such file"):
        csdl.read(tmp_path / "gone.csdl")
