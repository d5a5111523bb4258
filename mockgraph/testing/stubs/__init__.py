"""Stubs: a test's own answers for a method and a path, ahead of the emulation.

``Stubs`` are those of one tenant. The line asks them once a request::

    stub = tenant.stubs.find(request)
    response = stub.answer(request) if stub else <the emulation>
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TypeVar, Unpack

from mockgraph.errors import BadRequest, NotFound
from mockgraph.http import Request
from mockgraph.testing.matching import REMEMBERED, ROOTS, CallbackFailed
from mockgraph.testing.stubs.replies import Function, Reply, callback, prepared
from mockgraph.testing.stubs.stub import Stub, StubMatcher

__all__ = ["Function", "Reply", "Stub", "Stubs"]

F = TypeVar("F", bound=Function)


class Stubs:
    """The stubs of a tenant, none at first. The one added last is asked first.

    One that has answered as often as it should is removed. ``errors`` are the last 100
    exceptions that functions and predicates raised; ``changed`` is called where a test adds
    stubs or takes them away. Safe under threads.
    """

    __slots__ = ("_given", "_lock", "_roots", "_stubs", "changed", "errors")

    def __init__(self, roots: tuple[str, ...] = ROOTS, changed: Callable[[], None] = lambda: None):
        self.changed = changed
        self.errors: tuple[Exception, ...] = ()
        self._roots = roots
        self._stubs: tuple[Stub, ...] = ()
        self._given = 0
        self._lock = threading.Lock()

    def find(self, request: Request) -> Stub | None:
        """The stub that answers a request, counted as answered; None leaves it to Graph."""
        if not self._stubs:
            return None
        try:
            return next((stub for stub in self._stubs if stub.takes(request)), None)
        except CallbackFailed as failure:
            self.remember(failure.raised)
            raise

    def add(
        self,
        method: str | None,
        path: str,
        function: Function | None = None,
        **reply: Unpack[Reply],
    ) -> Stub:
        """Answer requests of a method (None is any) for a path, a pattern such as ``/users/{id}``.

        The path is matched whole, as :class:`mockgraph.testing.matching.PathPattern` says. A
        function is called with the request, and with those of the path's names that are
        parameters of its own; it returns JSON, None for 204, a status and JSON (and headers),
        or a response.
        Raises BadRequest for what is impossible::

            graph.stubs.add("GET", "/users/{id}", json={"displayName": "Ada"})
            graph.stubs.add("GET", "/users/{id}", lambda request, id: {"id": id})
        """
        known = Reply.__optional_keys__
        if unknown := reply.keys() - known:
            raise TypeError(
                f"A stub has no option {', '.join(sorted(unknown))}; it has "
                f"{', '.join(sorted(known))}."
            )
        times = reply.get("times")
        if times is not None and times < 1:
            raise BadRequest("times: The number has to be 1 or more.")
        matcher = StubMatcher(method, path, reply, self._roots)
        answer = prepared(reply) if function is None else callback(function, reply, matcher.path)
        with self._lock:
            self._given += 1
            stub = Stub(self, str(self._given), matcher, answer, times)
            self._stubs = (stub, *self._stubs)
        self.changed()
        return stub

    def decorator(self, method: str | None, path: str, **reply: Unpack[Reply]) -> Callable[[F], F]:
        """Makes a function answer, see :meth:`add`, and leaves it as it is."""

        def decorate(function: F) -> F:
            self.add(method, path, function, **reply)
            return function

        return decorate

    def discard(self, stub: Stub) -> bool:
        """Take a stub away, and tell whether it was there."""
        with self._lock:
            before = self._stubs
            self._stubs = tuple(each for each in before if each is not stub)
            return self._stubs != before

    def remember(self, error: Exception) -> None:
        """Keep an exception for the test to look at."""
        with self._lock:
            self.errors = (*self.errors[1 - REMEMBERED :], error)

    def __getitem__(self, id: str) -> Stub:
        """The stub of that id. Raises NotFound."""
        for stub in self._stubs:
            if stub.id == id:
                return stub
        raise NotFound(f"There is no stub '{id}'.")

    def __iter__(self) -> Iterator[Stub]:
        """The stubs, in the order in which they are asked."""
        return iter(self._stubs)

    def __len__(self) -> int:
        return len(self._stubs)

    def reset(self) -> None:
        """Take all stubs away, and forget what their functions raised."""
        with self._lock:
            self._stubs = ()
            self.errors = ()
        self.changed()

    def __repr__(self) -> str:
        return f"<Stubs: {', '.join(map(repr, self._stubs)) or 'none'}>"
