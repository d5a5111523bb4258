"""What is asked of an address once agrees with what is asked of each request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mockgraph.metadata.resources import Resource
from mockgraph.odata.addressing import resolve
from mockgraph.odata.deprecation import deprecated_properties, deprecation, may_be_deprecated
from mockgraph.service import SERVICE
from mockgraph.state.etags import Preconditions
from mockgraph.state.intent import Intent, Preferences
from mockgraph.state.query import NO_OPTIONS


def paths(root: str) -> Iterator[tuple[str, Resource]]:
    """Give the paths of the entities of a root, two steps deep."""
    for resource in SERVICE.views[root].children.values():
        path = f"/{root}/{resource.name}{'/k' if resource.is_collection else ''}"
        yield path, resource
        for child in resource.children().values():
            yield f"{path}/{child.name}{'/k' if child.is_collection else ''}", child


@pytest.mark.parametrize("root", SERVICE.views)
def test_nothing_deprecated_is_passed_over(root: str) -> None:
    for path, resource in paths(root):
        sent = dict.fromkeys(resource.type.properties(), "x")
        for body in ({}, sent):
            address = resolve("GET", path, SERVICE)
            intent = Intent(address, "", path, [], body, NO_OPTIONS, Preconditions(), Preferences())
            is_sent = not body.keys().isdisjoint(deprecated_properties(address.type))
            assert may_be_deprecated(address) or is_sent or deprecation(intent) == ()


def test_both_are_found() -> None:
    told = {
        root: {may_be_deprecated(resolve("GET", path, SERVICE)) for path, _ in paths(root)}
        for root in SERVICE.views
    }
    assert told["beta"] == {True, False}
    assert told["localtest"] == {False}
