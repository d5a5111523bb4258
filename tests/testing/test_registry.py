"""The registry of faults and of stubs: ids, order, removal, errors, notes of changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockgraph.clock import Clock
from mockgraph.errors import NotFound
from mockgraph.testing.faults import Faults
from mockgraph.testing.matching import CallbackFailed
from mockgraph.testing.registry import Registry, RegistryEntry
from mockgraph.testing.stubs import Stubs

from .line import make_request

Add = Callable[..., RegistryEntry]


@pytest.fixture
def changes() -> list[str]:
    return []


@pytest.fixture(params=["faults", "stubs"])
def registered(request: pytest.FixtureRequest, changes: list[str]) -> tuple[Registry[Any], Add]:
    """A registry, and a function that adds an entry to it."""

    def changed() -> None:
        changes.append("changed")

    if request.param == "faults":
        faults = Faults(Clock(), changed)
        return faults, lambda **options: faults.forbidden(**options)
    stubs = Stubs(changed)
    return stubs, lambda **options: stubs.add("GET", "/**", **options)


def ask(registry: Registry[Any]) -> None:
    """Ask the entries about a request, as the line does."""
    if isinstance(registry, Faults):
        registry.strike(make_request())
    elif isinstance(registry, Stubs):
        registry.find(make_request())


def test_ids_are_not_given_twice(registered: tuple[Registry[Any], Add]) -> None:
    registry, add = registered
    first = add()
    assert registry[first.id] is first
    registry.reset()
    with pytest.raises(NotFound, match=f"'{first.id}' in force"):
        registry[first.id]
    second = add()
    assert second.id != first.id
    assert list(registry) == [second]
    assert len(registry) == 1


def test_a_block_removes_its_entry(registered: tuple[Registry[Any], Add]) -> None:
    registry, add = registered
    kept = add(times=None)
    with add(times=None) as entry:
        assert set(registry) == {kept, entry}
    assert list(registry) == [kept]
    entry.remove()  # once more is no error
    assert list(registry) == [kept]


def test_a_test_that_changes_something_is_noted(
    registered: tuple[Registry[Any], Add], changes: list[str]
) -> None:
    registry, add = registered
    entry = add(times=1)
    assert len(changes) == 1
    entry.remove()
    assert len(changes) == 2
    entry.remove()  # nothing is changed any more
    assert len(changes) == 2
    add(times=1)
    ask(registry)  # the entry is spent, which is no change of the test's
    assert len(registry) == 0
    assert len(changes) == 3
    registry.reset()
    assert len(changes) == 4


def test_the_last_hundred_errors_are_kept(registered: tuple[Registry[Any], Add]) -> None:
    registry, add = registered
    numbers = iter(range(103))

    def fail(_: Any) -> bool:
        raise ValueError(next(numbers))

    add(predicate=fail)
    for _ in range(103):
        with pytest.raises(CallbackFailed, match="ValueError: "):
            ask(registry)
    assert [error.args for error in registry.errors] == [(n,) for n in range(3, 103)]
    registry.reset()
    assert registry.errors == ()


def test_an_option_that_there_is_not(registered: tuple[Registry[Any], Add]) -> None:
    _, add = registered
    with pytest.raises(TypeError, match="has no option often, rarely; it has "):
        add(rarely=1, often=2)
