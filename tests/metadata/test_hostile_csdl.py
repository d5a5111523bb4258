"""Hostile CSDL is refused, and large CSDL is read and kept in the cache."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mockgraph.errors import MockGraphError
from mockgraph.metadata import csdl, csdl_cache
from mockgraph.metadata.csdl_tree import MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, MAX_TEXT
from mockgraph.metadata.elements import TypeRef

from . import large
from .documents import FEATURES, HEAD, document

MEGABYTE = 1_000_000
TOO_LONG = f"a name or value is longer than {MAX_TEXT} characters"


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE a [<!ENTITY lol0 "lol">{entities}]>{HEAD}&lol9;</edmx:Edmx>'.encode()


def external() -> bytes:
    return f'<!DOCTYPE a SYSTEM "file:///etc/passwd">{HEAD}</edmx:Edmx>'.encode()


def elements() -> bytes:
    return document('<ComplexType Name="c"/>' * (MAX_ELEMENTS + 1))


def deep() -> bytes:
    return document("<Annotation>" * 100_000)


def attributes() -> bytes:
    listed = " ".join(f'a{n}="1"' for n in range(100_000))
    return document(f"<ComplexType {listed} />")


def inheritance() -> bytes:
    first = '<ComplexType Name="c0"/>'
    return document(
        first, *(f'<ComplexType Name="c{n}" BaseType="n.c{n - 1}"/>' for n in range(1, 5_000))
    )


def inheritance_backwards() -> bytes:
    return document(
        *(f'<ComplexType Name="c{n}" BaseType="n.c{n + 1}"/>' for n in range(5_000)),
        '<ComplexType Name="c5000"/>',
    )


def circle() -> bytes:
    return document(
        *(f'<ComplexType Name="c{n}" BaseType="n.c{(n + 1) % 5_000}"/>' for n in range(5_000))
    )


def name() -> bytes:
    return document(f'<ComplexType Name="{"n" * 1000}"/>')


def long_name() -> bytes:
    return document(f'<ComplexType Name="{"n" * MEGABYTE}"/>')


def element_name() -> bytes:
    return document(f"<{'n' * 1000}/>")


def long_element_name() -> bytes:
    return document(f"<{'n' * MEGABYTE}/>")


def long_attribute_name() -> bytes:
    return document(f'<ComplexType {"n" * MEGABYTE}="1" Name="c"/>')


def long_attribute() -> bytes:
    return document(f'<Annotation Term="n.t" String="{"s" * MEGABYTE}"/>')


def long_text() -> bytes:
    return document(f'<Annotation Term="n.t"><String>{"s" * MEGABYTE}</String></Annotation>')


def long_member() -> bytes:
    member = f'<Member Name="m" Value="{"9" * 400}"/>'
    return document('<EnumType Name="e">', member, "</EnumType>")


def long_number() -> bytes:
    return document(f'<Annotation Term="n.t" Int="{"9" * 400}"/>')


HOSTILE: dict[Callable[[], bytes], str] = {
    laughs: "line 1: a document type is not read",
    external: "line 1: a document type is not read",
    elements: f"more than {MAX_ELEMENTS} elements are not read",
    deep: f"elements deeper than {MAX_DEPTH} are not read",
    attributes: f"<ComplexType>: {TOO_LONG}",
    inheritance: "it has more than 64 bases",
    inheritance_backwards: "it has more than 64 bases",
    circle: "it has more than 64 bases",
    name: "Name of <ComplexType> is too long",
    long_name: f"<ComplexType>: {TOO_LONG}",
    element_name: "has a name that is too long",
    long_element_name: f"<{'n' * 64}...>: {TOO_LONG}",
    long_attribute_name: f"<ComplexType>: {TOO_LONG}",
    long_attribute: f"<Annotation>: {TOO_LONG}",
    long_text: f"its text is longer than {MAX_TEXT} characters",
    long_member: "Value is a number",
    long_number: "is no Int",
}


@pytest.mark.parametrize("made", HOSTILE)
def test_hostile_csdl_is_refused(made: Callable[[], bytes]) -> None:
    with pytest.raises(MockGraphError) as caught:
        csdl.parse([("my.csdl", made())])
    assert HOSTILE[made] in str(caught.value)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.csdl"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(MockGraphError, match=f"more than {MAX_BYTES} bytes is not read"):
        csdl.read(path)


def test_thousands_of_targets_and_overloads_are_read() -> None:
    said = '<Annotations Target="n.x"><Annotation Term="n.t" Int="1"/></Annotations>'
    bound = (
        f'<Action Name="a" IsBound="true"><Parameter Name="p" Type="n.c{n}"/></Action>'
        for n in range(3_000)
    )
    types = (f'<ComplexType Name="c{n}"/>' for n in range(3_000))
    model = csdl.parse([("my.csdl", document(said * 3_000, *types, *bound))])
    assert len(model.operations("n.a")) == 3_000
    assert len(model.annotations("n.x")) == 1


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "graph.csdl"
    path.write_bytes(large.csdl())
    return path


@pytest.mark.long
def test_csdl_as_large_as_graphs(whole: Path, tmp_path: Path) -> None:
    assert 3_000_000 < whole.stat().st_size < 4_000_000
    read = csdl_cache.read_cached([whole], where=tmp_path)
    cached = csdl_cache.read_cached([whole], where=tmp_path)
    assert cached == read
    names = list(cached.type_names())
    assert len(names) == large.ENTITY_TYPES + large.COMPLEX_TYPES + large.ENUM_TYPES
    bound = cached.bound_operations(TypeRef("microsoft.graph.entity7"))
    assert set(bound) >= {"microsoft.graph.operation6", "microsoft.graph.operation1006"}


# The cache


def kept(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_the_cache_is_the_owners_alone(tmp_path: Path) -> None:
    where = tmp_path / "cache" / "metadata"
    csdl_cache.read_cached([FEATURES], where=where)
    if sys.platform != "win32":
        assert stat.S_IMODE(where.stat().st_mode) == 0o700
        assert stat.S_IMODE(kept(where).stat().st_mode) == 0o600


def test_the_cache_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = csdl_cache.read_cached([FEATURES], where=tmp_path)

    def never(*_: object) -> None:
        raise AssertionError("it is in the cache")

    monkeypatch.setattr(csdl, "parse", never)
    assert csdl_cache.read_cached([FEATURES], where=tmp_path) == read


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[:-20],
        lambda data: data.replace(b"Vessel", b"Weasel"),
        lambda data: b"\x80\x04" + data,
        lambda data: data.partition(b"\n")[2],
    ],
)
def test_what_is_damaged_is_written_anew(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    read = csdl_cache.read_cached([FEATURES], where=tmp_path)
    path = kept(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert csdl_cache.read_cached([FEATURES], where=tmp_path) == read
    assert kept(tmp_path).read_bytes() == whole


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_what_others_may_have_written_is_left_aside(tmp_path: Path) -> None:
    read = csdl_cache.read_cached([FEATURES], where=tmp_path)
    path = kept(tmp_path)
    data = b"namespace evil\n\nentity evil\n"
    path.write_bytes(csdl_cache._seal(data) + b"\n" + data)
    path.chmod(0o666)
    assert csdl_cache.read_cached([FEATURES], where=tmp_path) == read
    assert stat.S_IMODE(kept(tmp_path).stat().st_mode) == 0o600


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "my.csdl"
    where = tmp_path / "cache"
    path.write_bytes(document('<ComplexType Name="one" />'))
    assert list(csdl_cache.read_cached([path], where=where).type_names()) == ["n.one"]
    path.write_bytes(document('<ComplexType Name="two" />'))
    assert list(csdl_cache.read_cached([path], where=where).type_names()) == ["n.two"]


def test_what_is_known_counts(tmp_path: Path) -> None:
    path = tmp_path / "my.csdl"
    where = tmp_path / "cache"
    path.write_bytes(document('<ComplexType Name="one" BaseType="o.base" />'))
    base = document('<ComplexType Name="base" />').replace(b'"n"', b'"o"')
    csdl_cache.read_cached([path], known=csdl.parse([("base", base)]), where=where)
    with pytest.raises(MockGraphError, match="no such type"):
        csdl_cache.read_cached([path], where=where)


def test_without_a_place_for_the_cache(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    read = csdl_cache.read_cached([FEATURES], where=blocked / "cache")
    assert read == csdl.read(FEATURES)


def test_the_cache_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "my.csdl"
    where = tmp_path / "cache"
    for number in range(csdl_cache.KEPT + 3):
        path.write_bytes(document(f'<ComplexType Name="c{number}" />'))
        csdl_cache.read_cached([path], where=where)
    assert len(os.listdir(where)) == csdl_cache.KEPT


def test_the_cache_is_where_the_users_caches_are() -> None:
    assert csdl_cache.folder().parts[-2:] == ("mockgraph", "metadata") or os.name == "nt"
