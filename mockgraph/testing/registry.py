"""Entries that a test puts in force for a tenant: the base of faults and of stubs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from typing import Any, ClassVar, Generic, Self, TypeVar

from mockgraph.errors import NotFound
from mockgraph.spelling import suggestion
from mockgraph.testing.matching import CallbackFailed

E = TypeVar("E", bound="RegistryEntry")

_MAX_ERRORS = 100


class RegistryEntry:
    """A fault or stub in force. In a ``with`` block it is removed at the end."""

    def __init__(self, registry: Registry[Any], id: str):
        self.id = id
        self._registry = registry
        self._lock = threading.Lock()

    def remove(self) -> None:
        """Take the entry out of force. It may be out already."""
        if self._registry.discard(self):
            self._registry.changed()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class Registry(Generic[E]):
    """The entries in force, none at first, each with an id of its own. Safe under threads.

    ``errors`` are the last 100 exceptions that functions of the test raised; ``changed`` is
    called where a test adds entries or takes them away.
    """

    __slots__ = ("_count", "_entries", "_lock", "changed", "errors")

    noun: ClassVar[str]

    def __init__(self, changed: Callable[[], None] = lambda: None):
        self.changed = changed
        self.errors: tuple[Exception, ...] = ()
        self._entries: tuple[E, ...] = ()
        self._count = 0
        self._lock = threading.Lock()

    def discard(self, entry: E) -> bool:
        """Take an entry away, and return whether it was there."""
        with self._lock:
            before = self._entries
            self._entries = tuple(each for each in before if each is not entry)
            return len(self._entries) != len(before)

    def remember(self, failure: CallbackFailed) -> None:
        """Keep the exception that a function of the test raised."""
        with self._lock:
            self.errors = (*self.errors[1 - _MAX_ERRORS :], failure.raised)

    def reset(self) -> None:
        """Take all entries away, and forget the exceptions."""
        with self._lock:
            self._entries = ()
            self.errors = ()
        self.changed()

    def __getitem__(self, id: str) -> E:
        """Return the entry of that id. Raises NotFound."""
        for entry in self._entries:
            if entry.id == id:
                return entry
        raise NotFound(f"There is no {self.noun} '{id}' in force.")

    def __iter__(self) -> Iterator[E]:
        """Iterate over the entries in the order in which they are asked."""
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        entries = ", ".join(map(repr, self._entries)) or "none"
        return f"<{type(self).__name__}: {entries}>"

    def _add(self, make: Callable[[str], E], *, first: bool = False) -> E:
        """Put an entry in force, made with a new id: after the others, or before them."""
        with self._lock:
            self._count += 1
            entry = make(str(self._count))
            self._entries = (entry, *self._entries) if first else (*self._entries, entry)
        self.changed()
        return entry


def check_options(noun: str, options: Collection[str], known: frozenset[str]) -> None:
    """Raise TypeError for options that there are not, with those that are near the first."""
    if unknown := sorted(set(options) - known):
        raise TypeError(
            f"A {noun} has no option {', '.join(unknown)}; it has {', '.join(sorted(known))}."
            f"{suggestion(unknown[0], sorted(known))}"
        )
