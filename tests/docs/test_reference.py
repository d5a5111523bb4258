"""The reference: each thing that is declared has something said of it, on a page of the site."""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import click
import pytest
from processes import ROOT

import mockgraph
from mockgraph import graph, pytest_plugin, server_options
from mockgraph.cli import main
from mockgraph.control import catalogue
from mockgraph.control.actions import ControlAction
from mockgraph.control.parameters import parameters_of
from mockgraph.graph import Graph
from mockgraph.server_options import Settings, option
from mockgraph.testing.faults import PRESETS, Faults
from scripts import reference

PAGES = ROOT / "docs" / "reference"
PYTHON = (PAGES / "python.md").read_text(encoding="utf-8")
_DIRECTIVE = re.compile(r"^\.\. auto(class|function):: ([\w.]+)\n(   :members:.*\n)?", re.MULTILINE)


def told() -> dict[str, str]:
    """Return what is said of each thing that users may name, by its kind and name."""
    return {name: (text or "").strip() for name, text in _told()}


def _told() -> Iterator[tuple[str, str | None]]:
    for each in server_options.options():
        yield f"option {each.name}", each.help
    for name, text in reference.marker_arguments().items():
        yield f"marker {name}", text
    for name, text in reference.fixtures_of_plugin().items():
        yield f"fixture {name}", text
    declared = reference.declared_to_pytest()
    yield from ((f"ini {name}", text) for name, (_, text) in declared.ini.items())
    yield from ((f"flag {name}", text) for name, text in declared.flags.items())
    for action in catalogue.ACTIONS:
        yield f"action {action.name}", action.summary
        for parameter in action.parameters:
            yield f"action {action.name} {parameter.name}", parameter.help
    for name, preset in PRESETS.items():
        yield f"preset {name}", inspect.getdoc(preset)
        for parameter in parameters_of(preset):
            yield f"preset {name} {parameter.name}", parameter.help
    yield from _commands(main, click.Context(main, info_name="mockgraph"))
    for name in mockgraph.__all__:
        if not name.startswith("__"):
            yield f"name {name}", inspect.getdoc(getattr(mockgraph, name))
    for path, value in documented_names().items():
        yield f"name {path}", inspect.getdoc(value)


def _commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, str | None]]:
    path = context.command_path
    yield f"command {path}", command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield f"command {path} {parameter.opts[0]}", parameter.help
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _commands(inner, click.Context(inner, parent=context, info_name=name))


def documented_names() -> dict[str, Any]:
    """Return what the page on Python names, with the public members of the classes."""
    found: dict[str, Any] = {}
    for kind, path, members in _DIRECTIVE.findall(PYTHON):
        module, _, name = path.rpartition(".")
        value = getattr(importlib.import_module(module or "mockgraph"), name)
        found[path] = value
        named = re.findall(r"\w+", members.replace(":members:", ""))
        for member, attribute in vars(value).items() if kind == "class" and members else ():
            is_code = isinstance(attribute, (FunctionType, property))
            if is_code and not member.startswith("_") and (not named or member in named):
                found[f"{path}.{member}"] = attribute
    return found


def undocumented() -> list[str]:
    return [name for name, text in told().items() if not text]


@pytest.fixture(autouse=True, scope="module")
def loaded() -> None:
    """Commands are made of the actions once: before any is planted."""
    told()


def test_something_is_said_of_everything() -> None:
    assert len(told()) > 500
    assert undocumented() == []


# -- one of each kind that is planted without a word is found ------------------------------------


@dataclass(frozen=True, kw_only=True)
class PlantedSettings(Settings):
    planted: str = option("", "", for_tests=True)


def test_an_option_without_a_word_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = server_options.options(PlantedSettings)
    monkeypatch.setattr(server_options, "options", lambda: planted)
    monkeypatch.setattr(reference, "options", lambda: planted)
    found = undocumented()
    assert {"option planted", "marker planted"} <= {*found}


def test_a_marker_without_a_word_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pytest_plugin.OF_TESTS, "planted", "")
    assert undocumented() == ["marker planted"]


def test_an_action_without_a_word_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(_: Any, given: str) -> None: ...

    planted_one = ControlAction("POST", "/planted", planted)
    monkeypatch.setattr(catalogue, "ACTIONS", (*catalogue.ACTIONS, planted_one))
    assert undocumented() == ["action planted", "action planted given"]


def test_a_preset_without_a_word_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(_: Faults) -> Any: ...

    monkeypatch.setitem(PRESETS, "planted", planted)
    assert undocumented() == ["preset planted"]


def test_a_command_without_a_word_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = click.Command("planted", params=[click.Option(["--given"])])
    monkeypatch.setitem(main.commands, "planted", planted)
    assert undocumented() == ["command mockgraph planted", "command mockgraph planted --given"]


def test_a_name_without_a_word_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(_: Graph) -> None: ...

    monkeypatch.setattr(Graph, "planted", planted, raising=False)
    assert undocumented() == ["name mockgraph.graph.Graph.planted"]


# -- what is said of it is on the site ----------------------------------------------------------


def test_each_part_of_the_reference_is_on_a_page() -> None:
    texts = [page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md")]
    shown = re.findall(r"<!-- reference: ([\w-]+) -->", "\n".join(texts))
    assert sorted(shown) == sorted(reference.PARTS)


@pytest.mark.parametrize("name", sorted(reference.PARTS))
def test_each_part_is_made(name: str) -> None:
    assert reference.PARTS[name]().strip()


def test_parts_name_what_is_declared() -> None:
    plane = reference.control_plane()
    assert all(f"`{each.method} /_mockgraph{each.path}`" in plane for each in catalogue.ACTIONS)
    presets = reference.fault_presets()
    assert all(f"## `{name}`" in presets for name in PRESETS)
    options = reference.server_options()
    assert all(f"## `{reference.flag_of(each)}`" in options for each in server_options.options())


def test_every_public_name_is_on_the_page_on_python() -> None:
    page = {value for value in documented_names().values() if inspect.isclass(value)}
    names = {path.rpartition(".")[2] for path in documented_names()}
    assert {name for name in mockgraph.__all__ if not name.startswith("__")} <= names
    lacking = {each for each in types_in_hand() if each not in page}
    assert lacking == set()


def types_in_hand() -> set[type]:
    """Return the classes of MockGraph's that a test gets from a tenant's public members."""
    namespace = {**_only_for_types(), **vars(graph)}
    found = set()
    for name, member in vars(Graph).items():
        function = member.fget if isinstance(member, property) else member
        if isinstance(function, FunctionType) and not name.startswith("_"):
            returned = str(inspect.signature(function).return_annotation)
            found |= {namespace.get(word) for word in re.findall(r"\w+", returned)}
    classes = {each for each in found if inspect.isclass(each)}
    ours = {each for each in classes if each.__module__.startswith("mockgraph")}
    assert len(ours) > 8
    return ours


def _only_for_types() -> dict[str, Any]:
    """Return what the module of tenants imports for type checkers alone."""
    source = inspect.getsource(graph).partition("if TYPE_CHECKING:\n")[2].partition("\n\nF = ")[0]
    namespace: dict[str, Any] = {}
    exec(textwrap.dedent(source), namespace)
    return namespace


def test_each_recipe_is_shown() -> None:
    """Each is a test file, which the page shows whole, and the suite runs."""
    page = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```\{literalinclude\} \.\./(tests/recipes/\w+\.py)$", page, re.MULTILINE)
    there = (ROOT / "tests" / "recipes").glob("test_*.py")
    assert sorted(shown) == sorted(each.relative_to(ROOT).as_posix() for each in there)
