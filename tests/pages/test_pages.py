"""Directories of pages, and the pages that are bundled."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest
from processes import ROOT

from mockgraph.errors import MockGraphError
from mockgraph.pages import ReferencePage, bundled_pages, read_pages

FIXTURES = ROOT / "fixtures"


def test_directories_are_read_in_a_stable_order(tmp_path: Path) -> None:
    for name in ("b/z.md", "b/a.MD", "a.md", "b/c/d.md", "c.txt", "b-c.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# {name}\n")
    (tmp_path / "directory.md").mkdir()
    names = ["a.md", "b-c.md", "b/a.MD", "b/c/d.md", "b/z.md"]
    assert [found.name for found in read_pages(tmp_path)] == names
    assert [found.title for found in read_pages(str(tmp_path))] == names


def test_directories_without_pages_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MockGraphError, match="no reference pages"):
        read_pages(tmp_path)
    with pytest.raises(MockGraphError, match="no such directory"):
        read_pages(tmp_path / "missing")
    (tmp_path / "file.md").write_text("# File")
    with pytest.raises(MockGraphError, match="no such directory"):
        read_pages(tmp_path / "file.md")


@pytest.mark.parametrize(
    ("data", "title"),
    [(b"# caf\xe9", "caf\xe9"), ("# title".encode("utf-16"), "title"), (b"\x80\x81", "")],
)
def test_pages_in_other_encodings_are_read(tmp_path: Path, data: bytes, title: str) -> None:
    (tmp_path / "good.md").write_text("# Good")
    (tmp_path / "bad.md").write_bytes(data)
    assert [found.title for found in read_pages(tmp_path)] == [title, "Good"]


def test_pages_that_cannot_be_read_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked.md").write_text("# Locked")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    (found,) = read_pages(tmp_path)
    assert found.skipped == ("cannot be read (Permission denied)",)
    assert found.examples == ()


def test_tables_of_permissions_are_included(tmp_path: Path) -> None:
    for folder in ("api", "includes/permissions"):
        (tmp_path / folder).mkdir(parents=True)
    table = "|Permission type|Least|Higher|\n|-|-|-|\n|Application|A.Read.All|A.ReadWrite.All|\n"
    (tmp_path / "includes/permissions/x-permissions.md").write_text(f"---\ny: z\n---\n{table}")
    include = "[!INCLUDE [permissions-table](../includes/permissions/{}-permissions.md)]\n"
    (tmp_path / "api/x.md").write_text("# X\n\n" + include.format("x"))
    (tmp_path / "api/y.md").write_text("# Y\n\n" + include.format("y"))
    with_table, without = read_pages(tmp_path)
    assert with_table.permissions == {"Application": "A.Read.All, A.ReadWrite.All"}
    assert without.permissions == {}


@pytest.fixture(params=["installed", "checkout"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """``mockgraph.fixtures`` as a package of its own, and not importable at all."""
    module = None
    if request.param == "installed":
        spec = importlib.util.spec_from_file_location(
            "mockgraph.fixtures",
            FIXTURES / "__init__.py",
            submodule_search_locations=[str(FIXTURES)],
        )
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "mockgraph.fixtures", module)


@pytest.mark.usefixtures("_both_ways")
def test_bundled_pages_are_found_installed_or_not() -> None:
    names = [found.name for found in bundled_pages()]
    assert names == sorted(path.name for path in FIXTURES.glob("*.md"))
    assert {"security-get.md", "security-update.md"} <= set(names)


def bundled(name: str) -> ReferencePage:
    return next(found for found in bundled_pages() if found.name == name)


@pytest.mark.parametrize("found", bundled_pages(), ids=lambda found: found.name)
def test_bundled_pages_are_whole(found: ReferencePage) -> None:
    assert found.doc_type == "apiPageType"
    assert found.title
    assert found.description
    assert found.operations
    assert found.examples
    assert found.permissions
    for text in found.permissions.values():
        assert re.fullmatch(r"Not supported\.|\w+(\.\w+)+(, \w+(\.\w+)+)*", text)
    assert found.skipped == ()
    for example in found.examples:
        assert example.response is not None
        for message in (example.request, example.response):
            length = message.header("content-length")
            assert length is None or int(length) == len(message.content)
            message.json()


STATUS = {
    "@odata.type": "microsoft.graph.securityProviderStatus",
    "enabled": True,
    "endpoint": "Endpoint value",
    "provider": "Provider value",
    "region": "Region value",
    "vendor": "Vendor value",
}


def test_the_page_of_the_update() -> None:
    found = bundled("security-update.md")
    assert found.operations == (("PATCH", "/Security"),)
    assert [(p.name, p.type) for p in found.properties] == [
        ("id", "String"),
        ("providerStatus", "securityProviderStatus collection"),
    ]
    assert found.permissions["Application"] == "SecurityEvents.ReadWrite.All"
    (example,) = found.examples
    assert example.name == "update_security"
    assert example.request.target == "/localtest/Security"
    assert example.request.json() == {
        "@odata.type": "#microsoft.graph.security",
        "providerStatus": [STATUS],
    }
    assert len(example.request.content) == 320
    assert example.response is not None
    assert (example.response.status, example.response.truncated) == (200, True)
    assert example.response.unwrapped() == {
        "@odata.type": "#microsoft.graph.security",
        "id": "2026c75e-c75e-2026-5ec7-26205ec72620",
        "providerStatus": [STATUS],
    }
    assert len(example.response.content) == 369


def test_the_page_of_the_get() -> None:
    found = bundled("security-get.md")
    assert found.operations == (("GET", "/Security"),)
    assert found.permissions["Application"].split(", ") == [
        "SecurityEvents.Read.All",
        "SecurityEvents.ReadWrite.All",
    ]
    (example,) = found.examples
    assert (example.request.method, example.request.body) == ("GET", None)
    assert example.response is not None
    assert example.response.type_name == "microsoft.graph.security"
    assert len(example.response.content) == 412
    bare = {
        "@odata.type": "#microsoft.graph.security",
        "id": "8a66293b-293b-8a66-3b29-668a3b29668a",
        "providerStatus": [STATUS],
    }
    assert example.response.json() == {"value": bare}
    assert example.response.unwrapped() == bare
