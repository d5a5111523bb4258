"""The work that one request may do: steps and bytes, counted alike on every machine.

A step is about a node of an expression that is evaluated for an entity, some tenths of a
microsecond. The items of a batch share what the request around them may do. Whoever does work
that grows with what a client sent, or with what is stored, takes the steps of it from
:func:`current`; few requests do, so there is nothing to be paid for by the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from itertools import chain, islice
from math import inf
from typing import Any, NamedTuple, TypeVar

from mockgraph.errors import BadRequest, ServiceUnavailable
from mockgraph.wsgi import Environ

R = TypeVar("R")
T = TypeVar("T")

MAX_STEPS = 10_000_000
MAX_BYTES = 64 * 1024 * 1024  # of texts that expressions make

# Steps between two looks at whether anybody waits for the answer: some milliseconds.
_LOOK = 10_000
# Items that are counted at a time: at first few, as few may be wanted.
_FIRST_BLOCK, _BLOCK = 16, 256


class TooMuchWork(BadRequest):
    """A request asks for more than :data:`MAX_STEPS` steps or :data:`MAX_BYTES` bytes."""

    def __init__(self, what: str):
        super().__init__(
            f"The request takes more than the {what} that MockGraph does for one, the items of "
            "a batch together. Ask for less, or in several requests."
        )


class Abandoned(ServiceUnavailable):
    """A request was given up: its client has left, or the server stops."""

    default_message = "The request was given up: its client has left, or MockGraph stops."


class Spent(NamedTuple):
    """Work that was done, in steps and in bytes."""

    steps: int = 0
    bytes: int = 0

    def since(self, before: Spent) -> Spent:
        """Return what was spent from then on."""
        if before is NOTHING:
            return self
        return Spent(self.steps - before.steps, self.bytes - before.bytes)


NOTHING = Spent()


class Work:
    """The steps and bytes of one request so far.

    ``check`` is called every few milliseconds of work; it raises where the work is in vain.
    There are no bounds where none are given.
    """

    __slots__ = ("_bytes", "_check", "_look_at", "_max_bytes", "_max_steps", "_steps")

    def __init__(
        self,
        check: Callable[[], None] = lambda: None,
        max_steps: float = inf,
        max_bytes: float = inf,
    ):
        self._check = check
        self._max_steps = max_steps
        self._max_bytes = max_bytes
        self._steps = self._bytes = 0
        self._look_at: float = min(_LOOK, max_steps)

    def step(self, number: int = 1) -> None:
        """Take note of steps, before they are taken. Raises 400 where they are too many."""
        self._steps += number
        if self._steps > self._look_at:
            self._look()

    def read(self, size: int) -> None:
        """Take note of the characters of a long text, before it is looked through."""
        self.step(size >> 8)

    def make(self, size: int) -> None:
        """Take note of bytes, before they are made. Raises 400 where they are too many."""
        self._bytes += size
        self.read(size)
        if self._bytes > self._max_bytes:
            raise TooMuchWork(f"{self._max_bytes} bytes of texts")

    def check(self) -> None:
        """Raise where the work is in vain: for who works elsewhere, and looks from time to time."""
        self._check()

    @property
    def spent(self) -> Spent:
        """The work so far."""
        return Spent(self._steps, self._bytes)

    def spend(self, spent: Spent) -> None:
        """Take note of work that was done for another. Raises 400 where it is too much."""
        self.make(spent.bytes)
        self.step(spent.steps - (spent.bytes >> 8))

    def on_each(self, items: Iterable[T], steps: int) -> Iterator[T]:
        """Give the items as they come, with so many steps for each of them."""
        if isinstance(items, Sized) and len(items) * steps < _LOOK:
            self.step(len(items) * steps)
            return iter(items)
        return chain.from_iterable(self._blocks(iter(items), steps))

    def _blocks(self, items: Iterator[T], steps: int) -> Iterator[list[T]]:
        size = _FIRST_BLOCK
        while block := list(islice(items, size)):
            self.step(len(block) * steps)
            yield block
            size = min(2 * size, _BLOCK)

    def _look(self) -> None:
        self._look_at = 0  # whatever raises now raises at the next step, too
        if self._steps > self._max_steps:
            raise TooMuchWork(f"{self._max_steps} steps of work")
        self._check()
        self._look_at = min(self._steps + _LOOK, self._max_steps)


class _Here(threading.local):
    """The work of this thread's request; until there is some, the request and how it is checked."""

    work: Work | tuple[Any, Callable[[Any], None]] | None = None


_here = _Here()


def enter(request: R, check: Callable[[R], None]) -> bool:
    """Begin to count for a request, and return whether it is no part of another one.

    ``check`` raises where the work for a request is in vain. Who was told so calls
    :func:`leave` at its end.
    """
    if _here.work is not None:
        return False
    _here.work = (request, check)
    return True


def leave() -> None:
    """Count for no request any more."""
    _here.work = None


@contextmanager
def counted_by(done: Work) -> Iterator[None]:
    """Count for this work in a thread that works for the request of another one."""
    _here.work = done
    try:
        yield
    finally:
        _here.work = None


def current() -> Work:
    """Return the work of this thread's request; outside of any, work without bounds."""
    work = _here.work
    if work is None:
        return Work()
    if isinstance(work, tuple):
        request, check = work
        work = _here.work = Work(lambda: check(request), MAX_STEPS, MAX_BYTES)
    return work


def spent() -> Spent:
    """Return the work that was done for this thread's request so far."""
    return _here.work.spent if isinstance(_here.work, Work) else NOTHING


def check_client(environ: Environ) -> None:
    """Raise Abandoned where the server knows that the client has left, or stops."""
    has_left = environ.get("mockgraph.has_left")
    if has_left is not None and has_left():
        raise Abandoned
