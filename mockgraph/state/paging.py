"""Server-driven paging that holds while others write.

Without an order, a skip token names the last entity that was given, by its number, which
never changes: what was there all along comes once, whatever comes and goes meanwhile. With an
order, a write may move an entity across the place where a page ended, so the walk keeps what it
began with, the index of that moment or a list of keys, and a token names the walk and how far it
got: the last entity, or the place in the list. A token is good for the list that it came with
alone.
"""

from __future__ import annotations

import itertools
import re
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from math import inf
from typing import NamedTuple

from mockgraph.errors import BadRequest
from mockgraph.state.entities import Entity
from mockgraph.state.indexes import SortedIndex
from mockgraph.state.listing import ListedEntities

# How many keys the walks under way may hold between them; the oldest walk goes first.
_MOST_KEYS = 2_000_000

_TOKEN = re.compile(r"([nsw])([0-9a-f]{1,15})-([0-9a-f]{1,15})")


class Slice(NamedTuple):
    """A page of a list: its entities, how many there are in all if asked, the next page's token."""

    entities: Sequence[Entity]
    total: int | None
    next: str | None


class _Token(NamedTuple):
    """A skip token: its kind, the list or the walk that it is of, and the place there."""

    kind: str
    source: int
    place: int


class _PageWalk(NamedTuple):
    """A walk through an order: an index as it was at its start, or the keys that were found."""

    of: int
    total: int | None
    order: SortedIndex | None = None
    keys: Sequence[str] = ()

    @property
    def size(self) -> int:
        return len(self.keys) if self.order is None else len(self.order)


class Pager:
    """Cuts lists into pages, and keeps the ordered walks under way. Safe under threads."""

    _ids = itertools.count(1)  # of all pagers: a token that one gave names nothing at another

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._walks: OrderedDict[int, _PageWalk] = OrderedDict()
        self._latest: dict[int, int] = {}  # of those through one list
        self._held = 0

    def page(
        self,
        listing: ListedEntities,
        size: int,
        find: Callable[[str], Entity | None],
        of: Callable[[], str],
    ) -> Slice:
        """Return the page that a query asks for, of at most ``size`` entities.

        ``of`` gives what tells this list from others, with what it is filtered and ordered by.
        ``find`` gives the entity that has a key now. Raises BadRequest where the skip token is none
        of ours, not this list's, or of a walk long past.
        """
        query = listing.query
        if size == 0:
            return Slice([], listing.count() if query.count else None, None)
        token = _read_token(query.skiptoken)
        if query.orderby is None:
            return _unordered(listing, size, token, of)
        mark = _mark(of)
        if token is not None:
            return self._resumed(listing, size, token, mark, find)
        skip = query.skip or 0
        index = listing.index(size + skip)
        page = None if index is None else listing.page(index, skip, size + 1)
        if index is None or page is None:
            return self._sorted(listing, size, mark)
        return self._in_index(listing, index, page, size, mark)

    def resumes(self, walk: int) -> bool:
        """Return whether the walk of a number is under way, and keep it for longer if it is."""
        with self._lock:
            if walk not in self._walks:
                return False
            self._walks.move_to_end(walk)
        return True

    def forget(self) -> None:
        """Drop all walks: what they walk over is gone."""
        with self._lock:
            self._walks.clear()
            self._latest.clear()
            self._held = 0

    def _in_index(
        self, listing: ListedEntities, index: SortedIndex, page: list[Entity], size: int, mark: int
    ) -> Slice:
        total = listing.count() if listing.query.count else None
        token = None
        if len(page) > size:
            walk = self._begin(_PageWalk(mark, total, index))
            token = _place_in(walk, page, size)
        return Slice(page[:size], total, token)

    def _sorted(self, listing: ListedEntities, size: int, mark: int) -> Slice:
        found = listing.in_order()
        count = len(found)
        found = found[listing.query.skip or 0 :]
        token = None
        if len(found) > size:
            walk = self._begin(_PageWalk(mark, count, keys=[entity.key for entity in found]))
            token = f"w{walk:x}-{size:x}"
        return Slice(found[:size], count if listing.query.count else None, token)

    def _begin(self, walk: _PageWalk) -> int:
        with self._lock:
            latest = self._walks.get(self._latest.get(walk.of, 0))
            if walk.order is not None and latest is not None and latest.order is walk.order:
                self._walks.move_to_end(self._latest[walk.of])
                return self._latest[walk.of]
            number = self._latest[walk.of] = next(self._ids)
            self._walks[number] = walk
            self._held += walk.size
            while self._held > _MOST_KEYS and len(self._walks) > 1:
                gone, oldest = self._walks.popitem(last=False)
                self._held -= oldest.size
                if self._latest.get(oldest.of) == gone:
                    del self._latest[oldest.of]
        return number

    def _walk(self, number: int, mark: int) -> _PageWalk:
        with self._lock:
            walk = self._walks.get(number)
            if walk is None:
                raise BadRequest("The query option '$skiptoken' has expired; begin the walk anew.")
            if walk.of != mark:
                raise _foreign()
            self._walks.move_to_end(number)
        return walk

    def _resumed(
        self,
        listing: ListedEntities,
        size: int,
        token: _Token,
        mark: int,
        find: Callable[[str], Entity | None],
    ) -> Slice:
        if token.kind == "n":
            raise _foreign()
        walk = self._walk(token.source, mark)
        if (walk.order is None) is not (token.kind == "w"):
            raise _foreign()
        total = None
        if listing.query.count:
            total = listing.count() if walk.total is None else walk.total
        # With each key comes what to go on from behind it.
        ahead: Iterator[tuple[int, str]]
        if walk.order is None:
            ahead = enumerate(walk.keys[token.place :], token.place + 1)
        else:
            last = walk.order.find(token.place)
            if last is None:
                raise _foreign()
            walked = listing.walk(walk.order, last)
            if listing.is_current(walk.order):
                page = list(islice(walked, size + 1))
                following = _place_in(token.source, page, size) if len(page) > size else None
                return Slice(page[:size], total, following)
            ahead = ((each.number, each.key) for each in walked)
        there = ((place, entity) for place, key in ahead if (entity := find(key)) is not None)
        found = list(islice(there, size))
        goes_on = next(ahead, None) is not None
        following = f"{token.kind}{token.source:x}-{found[-1][0]:x}" if goes_on else None
        return Slice([entity for _, entity in found], total, following)


def _place_in(walk: int, page: list[Entity], size: int) -> str:
    """Return the token of the walk of an index after the entities of a page."""
    return f"s{walk:x}-{page[size - 1].number:x}"


def _unordered(
    listing: ListedEntities, size: int, token: _Token | None, of: Callable[[], str]
) -> Slice:
    if token is not None and (token.kind != "n" or token.source != _mark(of)):
        raise _foreign()
    count = listing.count() if listing.query.count else None
    # A walk under way has left behind what it skipped at its start.
    after, skip = (-inf, listing.query.skip or 0) if token is None else (token.place, 0)
    most = skip + size + 1
    page = list(islice(listing.after(after, most), skip, most))
    if len(page) <= size:
        return Slice(page, count, None)
    return Slice(page[:size], count, f"n{_mark(of):x}-{page[size - 1].number:x}")


def _mark(of: Callable[[], str]) -> int:
    """Return the number by which tokens name a list."""
    return zlib.crc32(of().encode())


def walk_of(token: str | None) -> int | None:
    """Return the number of the walk that a skip token names, None where it names none.

    A walk is kept by the server, and for a while only.
    """
    match = None if token is None else _TOKEN.fullmatch(token)
    return None if match is None or match[1] == "n" else int(match[2], 16)


def _read_token(text: str | None) -> _Token | None:
    if text is None:
        return None
    match = _TOKEN.fullmatch(text)
    if match is None:
        raise _foreign()
    return _Token(match[1], int(match[2], 16), int(match[3], 16))


def _foreign() -> BadRequest:
    return BadRequest("The query option '$skiptoken' is none that this server gave here.")
