"""The bundled metadata: the model of each root, in layers of which each says more.

A layer is a folder below ``fixtures/metadata``; its documents are indexed when a root is first
asked for, and parsed type by type as they are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources.abc import Traversable
from typing import Final

from mockgraph.files import fixtures
from mockgraph.metadata import notation
from mockgraph.metadata.entity_data_model import Model

# What the metadata of each root declares: beta is v1.0 and what was documented there beyond.
DECLARED: Final[Mapping[str, tuple[str, ...]]] = {
    "localtest": ("localtest",),
    "v1.0": ("v1.0",),
    "beta": ("v1.0", "beta"),
}
# What the live service demands beyond its metadata; localtest is as it is documented.
DEMANDED: Final[Mapping[str, tuple[str, ...]]] = {
    "localtest": (),
    "v1.0": ("live",),
    "beta": ("live",),
}


@cache
def declared(root: str) -> Model:
    """Return the model that the metadata of a root declares. Raises KeyError for no root."""
    return _model(DECLARED[root])


@cache
def served(root: str) -> Model:
    """Return the model by which a root is served: what is declared, and the rules beyond."""
    return _model((*DECLARED[root], *DEMANDED[root]))


def _model(layers: tuple[str, ...]) -> Model:
    model = _layer(layers[0])
    for each in layers[1:]:
        model = model.with_layer(_layer(each))
    return model


@cache
def _layer(name: str) -> Model:
    folder = fixtures() / "metadata" / name
    return notation.parse(
        (f"{name}/{each.name}", each.read_text(encoding="utf-8")) for each in _documents(folder)
    )


def _documents(folder: Traversable) -> Iterator[Traversable]:
    """Return the documents of a folder in the order of their names."""
    found = [each for each in folder.iterdir() if each.name.endswith(".edm")]
    yield from sorted(found, key=lambda each: each.name)
