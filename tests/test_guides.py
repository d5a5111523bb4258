"""The guides for who carries on: the files and names in them are there."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import pytest
from processes import ROOT

GUIDES = ("CONTRIBUTING.md", "docs/architecture.md")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)#:]+)\)")
_TARGET = re.compile(r"`make ([\w-]+)")
_PLAIN = re.compile(r"^\| `make ([\w-]+)` \| ([^|]*(?:pip|python|ruff)[^|]*) \|$", re.MULTILINE)
_EXTRAS = re.compile(r"\.\[([\w,]+)\]")


class Link(NamedTuple):
    """A link of a guide to a file of the repository, and the text that it shows."""

    guide: str
    text: str
    path: Path

    @property
    def name(self) -> str | None:
        """The name in the module that the text stands for, ``Emulator.respond``."""
        named = re.fullmatch(r"`([\w.]+)`", self.text)
        return named[1] if named and self.path.suffix == ".py" else None


def links() -> Iterator[Link]:
    for guide in GUIDES:
        for text, target in _LINK.findall((ROOT / guide).read_text(encoding="utf-8")):
            yield Link(guide, text, ((ROOT / guide).parent / target).resolve())


LINKS = sorted(set(links()))


@pytest.mark.parametrize("link", LINKS, ids=lambda link: f"{link.text}-{link.path.name}")
def test_every_link_leads_somewhere(link: Link) -> None:
    assert link.path.exists()
    assert link.path.is_relative_to(ROOT)


@pytest.mark.parametrize(
    "link", [each for each in LINKS if each.name], ids=lambda link: f"{link.name}"
)
def test_every_name_is_in_the_module_that_it_links_to(link: Link) -> None:
    assert link.name is not None
    module = ".".join(link.path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    assert attrgetter(link.name)(importlib.import_module(module)) is not None


@pytest.mark.parametrize("guide", GUIDES)
def test_names_in_guides_are_links(guide: str) -> None:
    assert len([link for link in LINKS if link.guide == guide and link.name]) >= 5


def test_every_package_is_on_the_map() -> None:
    told = {link.path for link in LINKS if link.guide == "docs/architecture.md"}
    rooms = {path.parent for path in (ROOT / "mockgraph").glob("*/__init__.py")}
    assert rooms - told == set()


def test_every_target_of_make_is_told_of_and_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    declared = set(re.findall(r"^([\w-]+):.*## ", makefile, re.MULTILINE))
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    with_make, without = guide.split("### Without make")
    assert {*_TARGET.findall(guide)} <= declared
    assert declared - {*_TARGET.findall(with_make)} == {"help", "serve", "clean"}
    assert declared - {*_TARGET.findall(without)} == {"help", "clean"}


def test_the_plain_commands_are_those_of_make() -> None:
    """Each command without make is in the Makefile, but for what installs and where it is."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(BIN)/", "")
    for target, cell in _PLAIN.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        if target in ("serve", "sdist", "acceptance", "soak", "check"):
            continue
        commands = [each for each in re.findall(r"`([^`]+)`", cell) if "pip install" not in each]
        assert commands
        for command in commands:
            assert command in makefile, command
    extras = {each for found in _EXTRAS.findall(makefile) for each in found.split(",")}
    named = _EXTRAS.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert {each for found in named for each in found.split(",")} <= extras
