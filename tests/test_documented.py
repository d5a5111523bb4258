"""Everything public is documented, and the rules of the house that no linter knows."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import mockgraph
from mockgraph.entra.oauth_errors import EntraError
from mockgraph.errors import GraphError

PACKAGE = Path(mockgraph.__file__).parent
MODULES = [
    "mockgraph",
    *(
        each.name
        for each in pkgutil.walk_packages(mockgraph.__path__, "mockgraph.")
        if not each.name.endswith("__main__")
    ),
]
SOURCES = sorted(PACKAGE.rglob("*.py"))


def is_public(name: str) -> bool:
    return not name.startswith("_")


def own(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The public classes and functions that a module defines."""
    for name, value in vars(module).items():
        is_own = is_public(name) and getattr(value, "__module__", "") == module.__name__
        if is_own and (inspect.isclass(value) or inspect.isfunction(value)):
            yield name, value


@pytest.mark.parametrize("name", MODULES)
def test_every_module_and_what_it_offers_has_a_docstring(name: str) -> None:
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip(), f"{name} has no docstring"
    undocumented = [
        each
        for each, value in own(module)
        if not (vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__)
        and not speaks_for_itself(value)
    ]
    assert undocumented == []


def speaks_for_itself(value: Any) -> bool:
    """An error with its message, an Edm type that is its name, a hook that pytest documents."""
    if inspect.isclass(value):
        return issubclass(value, (GraphError, EntraError)) or hasattr(value, "edm")
    return str(value.__name__).startswith("pytest_")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_module_is_a_drawer(path: Path) -> None:
    assert path.stem not in {"utils", "helpers", "core", "manager"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_module_keeps_state(path: Path) -> None:
    """No ``global``, and no lower-case name that a module binds to something to be filled."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global)]
    filled = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict | ast.List | ast.Set)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.islower() and target.id != "__all__"
    ]
    assert filled == []


def test_tinydb_is_the_business_of_the_state_alone() -> None:
    importing = {
        path.relative_to(PACKAGE).as_posix()
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tinydb"))
        or (isinstance(node, ast.Import) and any("tinydb" in each.name for each in node.names))
    }
    assert importing
    known = ("state/", "service/store_storage.py")
    assert all(each.startswith(known) for each in importing)
