"""Server-driven paging that holds while others write.

Without an order, a skip token names the last entity that was given, by its number, which
never changes: what was there all along comes once, whatever comes and goes meanwhile. With an
order, a write may move an entity across the place where a page ended, so the walk keeps the
list of keys that it began with, and a token names the walk and how far it got. A token is
good for the list that it came with alone.
"""

from __future__ import annotations

import itertools
import re
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from mockgraph.errors import BadRequest
from mockgraph.state.entities import Entity
from mockgraph.state.persistent_maps import Ordered
from mockgraph.state.query import Query

# How many keys the walks under way may hold between them; the oldest walk goes first.
_MOST_KEYS = 2_000_000

_TOKEN = re.compile(r"([nw])([0-9a-f]{1,15})-([0-9a-f]{1,15})")


class Slice(NamedTuple):
    """A page of a list: its entities, how many there are in all if asked, the next page's token."""

    entities: Sequence[Entity]
    total: int | None
    next: str | None


class _PageWalk(NamedTuple):
    of: int
    keys: Sequence[str]
    total: int


class Pager:
    """Cuts lists into pages, and keeps the ordered walks under way. Safe under threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._walks: OrderedDict[int, _PageWalk] = OrderedDict()
        self._ids = itertools.count(1)
        self._held = 0

    def page(
        self,
        entities: Ordered[Entity],
        query: Query,
        size: int,
        find: Callable[[str], Entity | None],
        of: str,
        keys: Sequence[str] | None = None,
    ) -> Slice:
        """Return the page that a query asks for, of at most ``size`` entities.

        ``of`` tells this list from others, with what it is filtered and ordered by; ``keys`` are
        those of all of it in the order that is asked for, where they are known. Raises
        BadRequest where the skip token is none of ours, not this list's, or of a walk long past.
        """
        if size == 0:
            return Slice([], query.number(entities) if query.count else None, None)
        mark = zlib.crc32(of.encode())
        kind, source, place = _read_token(query.skiptoken)
        if kind == "w":
            return self._resumed(self._walk(source, mark), source, place, query, size, find)
        if kind == "n" and source != mark:
            raise _foreign()
        if query.orderby is None:
            return _unordered(entities, query, size, place, mark)
        if keys is not None:
            walk = _PageWalk(mark, keys, len(keys))
            return self._resumed(walk, None, query.skip or 0, query, size, find)
        return self._ordered(entities, query, size, mark)

    def forget(self) -> None:
        """Drop all walks: what they walk over is gone."""
        with self._lock:
            self._walks.clear()
            self._held = 0

    def _ordered(self, entities: Ordered[Entity], query: Query, size: int, mark: int) -> Slice:
        found = query.find(entities)
        count = len(found)
        found = found[query.skip or 0 :]
        token = None
        if len(found) > size:
            walk = self._begin(_PageWalk(mark, [entity.key for entity in found], count))
            token = f"w{walk:x}-{size:x}"
        return Slice(found[:size], count if query.count else None, token)

    def _begin(self, walk: _PageWalk) -> int:
        number = next(self._ids)
        with self._lock:
            self._walks[number] = walk
            self._held += len(walk.keys)
            while self._held > _MOST_KEYS and len(self._walks) > 1:
                _, oldest = self._walks.popitem(last=False)
                self._held -= len(oldest.keys)
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
        walk: _PageWalk,
        number: int | None,
        offset: int,
        query: Query,
        size: int,
        find: Callable[[str], Entity | None],
    ) -> Slice:
        entities: list[Entity] = []
        while offset < len(walk.keys) and len(entities) < size:
            entity = find(walk.keys[offset])
            offset += 1
            if entity is not None:
                entities.append(entity)
        token = None
        if offset < len(walk.keys):
            number = self._begin(walk) if number is None else number
            token = f"w{number:x}-{offset:x}"
        return Slice(entities, walk.total if query.count else None, token)


def _unordered(entities: Ordered[Entity], query: Query, size: int, after: int, mark: int) -> Slice:
    count: int | None
    if query.count and (query.filter or query.search):
        found = Ordered(query.matching(entities))
        count, matching = len(found), found.after(after)
    else:
        count = len(entities) if query.count else None
        matching = query.matching(entities.after(after))
    # A walk under way has left behind what it skipped at its start.
    skip = 0 if after else query.skip or 0
    page = list(itertools.islice(matching, skip, skip + size + 1))
    token = f"n{mark:x}-{page[size - 1].number:x}" if len(page) > size else None
    return Slice(page[:size], count, token)


def is_of_walk(token: str | None) -> bool:
    """Return whether a skip token names a walk, which the server keeps for a while only."""
    return token is not None and token.startswith("w")


def _read_token(token: str | None) -> tuple[str, int, int]:
    if token is None:
        return "", 0, 0
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise _foreign()
    return match[1], int(match[2], 16), int(match[3], 16)


def _foreign() -> BadRequest:
    return BadRequest("The query option '$skiptoken' is none that this server gave here.")
