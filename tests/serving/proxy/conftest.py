"""A proxy for the tests of a module, and an environment that names it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mockgraph import MockGraph

from . import SEED, environment, set_variables


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockGraph]:
    with MockGraph(proxy=True, ca_dir=tmp_path_factory.mktemp("ca"), seed=SEED) as graph:
        yield graph


@pytest.fixture(autouse=True)
def environ(graph: MockGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    graph.renew(SEED)
    set_variables(monkeypatch, **environment(graph))
