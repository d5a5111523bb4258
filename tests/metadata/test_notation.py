"""Models written and read again: as CSDL and in the notation, the same model comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.errors import MockGraphError
from mockgraph.metadata import csdl, csdl_writer, notation, notation_writer
from mockgraph.metadata.annotations import Annotation
from mockgraph.metadata.elements import ComplexType, EntityType, Operation, TypeRef
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.namespaces import Schema

from .strategies import models

# Hypothesis writes the nested strategy down where it tries again, and finds it long.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@given(models())
def test_csdl_is_read_as_it_was_written(model: Model) -> None:
    written = csdl_writer.write(model)
    assert csdl.parse([("written.csdl", written.encode())]) == model


@given(models())
def test_the_notation_is_read_as_it_was_written(model: Model) -> None:
    assert notation.parse([("written.edm", notation_writer.write(model))]) == model


@given(models())
def test_the_notation_is_written_the_same_each_time(model: Model) -> None:
    written = notation_writer.write(model)
    assert notation_writer.write(notation.parse([("written.edm", written)])) == written


@given(models())
def test_an_index_knows_what_the_types_say(model: Model) -> None:
    lazy = notation.parse([("written.edm", notation_writer.write(model))])
    for name in model.type_names():
        declared = model.type(name)
        assert lazy.base_of(name) == getattr(declared, "base", None)
        assert set(lazy.derived(name)) == {
            other for other in model.type_names() if other != name and derives(model, other, name)
        }
        if isinstance(declared, ComplexType):
            for collection in (False, True):
                type_ = TypeRef(name, collection)
                assert bound(lazy, type_) == bound(model, type_)


def derives(model: Model, name: str, base: str) -> bool:
    """Whether a type derives from another, by walking up."""
    type_ = model.type(name)
    return isinstance(type_, ComplexType) and (
        type_.base == base or (type_.base is not None and derives(model, type_.base, base))
    )


def bound(model: Model, type_: TypeRef) -> set[Operation]:
    return {each for several in model.bound_operations(type_).values() for each in several}


@given(models(), models())
def test_a_layer_over_a_model_says_what_both_say(below: Model, above: Model) -> None:
    both = below.with_layer(above)
    assert set(both.type_names()) == {*below.type_names(), *above.type_names()}
    for name in both.type_names():
        lower, upper = below.type(name), above.type(name)
        if lower is None or upper is None:
            assert both.type(name) == (lower or upper)
        elif type(lower) is type(upper) and isinstance(upper, ComplexType):
            assert isinstance(lower, ComplexType)
            merged = both.structured(name)
            declared = {each.name for each in (*lower.properties, *upper.properties)}
            assert {each.name for each in merged.properties} == declared
            assert set(upper.properties) <= set(merged.properties)


@given(models())
def test_a_model_over_itself_is_the_model(model: Model) -> None:
    assert model.with_layer(model) == model


@given(st.sampled_from(["\0", "\x08", "\ufffe", "\ud800"]))
def test_what_xml_cannot_hold_is_refused(character: str) -> None:
    said = Annotation("Org.OData.Core.V1.Description", f"a{character}b")
    model = Model([Schema.of("one", types=[EntityType("one.a", annotations=(said,))])])
    with pytest.raises(MockGraphError, match="XML cannot hold"):
        csdl_writer.write(model)


MALFORMED = {
    "entity alert": "line 1: a namespace is missing before it",
    "namespace n\nthing x": "line 2: the notation has no 'thing'",
    "namespace n\nentity": "line 2: a name is missing",
    "namespace n\nenum a\n\nenum a": "line 4: n.a is declared already",
}
MALFORMED_INSIDE = {
    "namespace n\nenum a\n  x": "line 3: ",
    "namespace n\nenum a\n  x y\n": "line 3: ",
    "namespace n\nentity a\n  b String\n": "'b String' is not understood",
    "namespace n\nentity a\n  b: String Weight=3\n": "Weight=3",
    "namespace n\nentity a\n  b: String\n    @Core.X: [1, 2\n": "',' or ']' is missing",
    'namespace n\nentity a\n  @Core.X: "abc\n': "line 3: a string is not closed",
    "namespace n\nentity a\n  @Core.X: 1 2\n": "line 3: the annotation should end here",
    "namespace n\nentity a\n  @Core.X: Date 2\n": "the annotation should end here",
    "namespace n\nentity a\n  @Core.X: Dote(2)\n": "no literal Dote",
    "namespace n\nentity a\n  links b: a\n    hides c\n": "'hides c' is not understood",
}


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_block_is_told_of_at_once(text: str) -> None:
    with pytest.raises(MockGraphError, match=MALFORMED[text].replace("[", r"\[")):
        notation.parse([("x.edm", text)])


@pytest.mark.parametrize("text", MALFORMED_INSIDE)
def test_a_malformed_line_is_told_of_when_it_is_used(text: str) -> None:
    model = notation.parse([("x.edm", text)])
    with pytest.raises(MockGraphError, match=r"x\.edm, line \d+: ") as caught:
        model.type("n.a")
    assert MALFORMED_INSIDE[text] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_no_one_asks_for_is_not_parsed() -> None:
    model = notation.parse([("x.edm", "namespace n\nentity a\n  key id\nentity b : a\n  ???\n")])
    assert model.derived("n.a") == ("n.b",)
    assert model.key("n.a")[0].name == "id"
    with pytest.raises(MockGraphError):
        model.type("n.b")


def test_a_circle_is_told_of() -> None:
    model = notation.parse([("x.edm", "namespace n\ncomplex a : b\ncomplex b : a\n")])
    assert not model.derives_from("n.a", "n.c")
    with pytest.raises(MockGraphError, match=r"n\.a derives from itself"):
        model.properties("n.a")


def test_what_is_no_structured_type_has_no_properties() -> None:
    model = notation.parse([("x.edm", "namespace n\nenum a\n")])
    for name in ("n.a", "n.gone", "Edm.String"):
        with pytest.raises(KeyError):
            model.properties(name)
