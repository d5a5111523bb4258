"""The names of files and classes: each once, so that it means one thing. And a file's size."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mockgraph"
MODULES = sorted(PACKAGE.rglob("*.py"))
NO_NOUNS = {"__init__.py", "__main__.py"}
NAMED_BY_OTHERS = {"Meta"}  # marshmallow's, in a schema


def twice(names: list[str]) -> list[str]:
    return [name for name, number in Counter(names).items() if number > 1]


def test_no_two_files_have_one_name() -> None:
    assert twice([each.name for each in MODULES if each.name not in NO_NOUNS]) == []


def test_no_two_classes_have_one_name() -> None:
    names = [
        node.name
        for each in MODULES
        for node in ast.walk(ast.parse(each.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and node.name not in NAMED_BY_OTHERS
    ]
    assert twice(names) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda each: str(each.relative_to(PACKAGE)))
def test_a_file_is_of_a_size_to_be_read(module: Path) -> None:
    lines = len(module.read_text(encoding="utf-8").splitlines())
    assert lines <= 600
    assert lines >= 20 or module.name in NO_NOUNS
