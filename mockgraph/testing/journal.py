"""The journal of a tenant: its last requests and their responses."""

from __future__ import annotations

import copy
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import overload

from mockgraph.clock import Clock
from mockgraph.http import Request, Response
from mockgraph.testing.exchange import Exchange
from mockgraph.testing.exchange_records import ExchangeRecord, recorded
from mockgraph.testing.matching import PathPattern

# Dropped exchanges that were not emulated and are kept all the same, without their bodies: how
# many, and which part of the journal's bytes.
_MAX_UNEMULATED = 100
_PART_UNEMULATED = 8
_SHOWN = 50  # lines of a repr
# Bytes that an exchange takes beside those of the request and the response.
_BESIDE = 2000
# Exchanges that are counted together, unless they are large.
_TOGETHER = 16
_SMALL = 4096
_SIZE = attrgetter("size")


class Requests(Sequence[Exchange]):
    """Exchanges as they were recorded at one moment, oldest first.

    ``dropped`` is how many older ones the journal no longer has, for want of room.
    """

    def __init__(
        self, exchanges: Sequence[Exchange], dropped: int = 0, lost: Sequence[Exchange] = ()
    ):
        self.dropped = dropped
        self._exchanges = tuple(exchanges)
        self._lost = tuple(lost)

    @overload
    def __getitem__(self, index: int) -> Exchange: ...
    @overload
    def __getitem__(self, index: slice) -> Requests: ...
    def __getitem__(self, index: int | slice) -> Exchange | Requests:
        found = self._exchanges[index]
        return found if isinstance(found, Exchange) else Requests(found)

    def __len__(self) -> int:
        return len(self._exchanges)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._exchanges)

    def __eq__(self, other: object) -> bool:
        """Return whether it is a list of the same exchanges: ``graph.requests == []``."""
        if not isinstance(other, (Requests, list, tuple)):
            return NotImplemented
        return self._exchanges == tuple(other)

    def __hash__(self) -> int:
        return hash(self._exchanges)

    @property
    def last(self) -> Exchange | None:
        """The newest exchange, None where there is none."""
        return self._exchanges[-1] if self._exchanges else None

    @property
    def unemulated(self) -> tuple[Exchange, ...]:
        """The exchanges, dropped ones too, that were neither emulated nor answered by a stub."""
        return (*self._lost, *(each for each in self if each.is_unemulated))

    def filter(
        self,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        *,
        answered_by: str | None = None,
        in_batch: bool | None = None,
    ) -> Requests:
        """Return those of a method, a path, a status, and so on; None is any.

        The path is a pattern, see :class:`mockgraph.testing.matching.PathPattern`.
        """
        pattern = None if path is None else PathPattern(path)
        return Requests(
            [
                each
                for each in self
                if (method is None or each.method == method.upper())
                and (pattern is None or pattern.match(each.path) is not None)
                and (status is None or each.status == status)
                and (answered_by is None or each.answered_by == answered_by)
                and (in_batch is None or each.in_batch is in_batch)
            ]
        )

    def __repr__(self) -> str:
        listed = "".join(f"\n  {each!r}" for each in self._exchanges[-_SHOWN:])
        last = f", the last {_SHOWN}" if len(self) > _SHOWN else ""
        return f"<{len(self)} request{'' if len(self) == 1 else 's'}{last}{listed}>"


class JournalRoom:
    """The room that the journals of all tenants of a server have together. Safe under threads.

    Where they take more than ``max_bytes``, the one loses its oldest requests that was not
    written to for the longest time. ``newest`` is the one that was noted last; it need not be
    noted again before it has grown by ``step`` bytes, and alone may have what is not counted.
    """

    def __init__(self, max_bytes: int):
        self._max_bytes = max_bytes
        self.step = max_bytes >> 10
        self.newest: Journal | None = None
        self._bytes = 0
        self._journals: dict[Journal, int] = {}  # the one written to last at the end
        self._lock = threading.Lock()

    def note(self, journal: Journal) -> None:
        """Note that a journal was written to, or cleared."""
        with self._lock:
            before, self.newest = self.newest, journal
            if before is not None and before is not journal:
                before.count()
                self._count(before, self._journals.pop(before, 0))
            self._count(journal, self._journals.pop(journal, 0))
            while self._bytes > self._max_bytes:
                oldest = next(iter(self._journals))
                oldest.give_up(self._bytes - self._max_bytes)
                self._count(oldest, self._journals[oldest])

    def forget(self, journal: Journal) -> None:
        """Count a journal no more, which nobody can read."""
        with self._lock:
            self._bytes -= self._journals.pop(journal, 0)
            if self.newest is journal:
                self.newest = None

    def _count(self, journal: Journal, before: int) -> None:
        size = journal.size
        self._bytes += size - before
        if size:
            self._journals[journal] = size
        else:
            self._journals.pop(journal, None)


class Journal:
    """The last requests to a tenant, bounded in number and in bytes. Safe under threads.

    The oldest go where there are more. One that alone has more bytes is kept without its bodies.
    ``room`` is what it shares with other journals, if there are any.
    """

    __slots__ = (
        "_bytes",
        "_changes",
        "_clears",
        "_clock",
        "_count",
        "_kept",
        "_lock",
        "_lost",
        "_lost_bytes",
        "_max_bytes",
        "_new",
        "_room",
        "_unnoted",
        "limit",
    )

    def __init__(self, limit: int, max_bytes: int, clock: Clock, room: JournalRoom | None = None):
        self.limit = limit
        self._max_bytes = max_bytes
        self._room = room
        self._clock = clock
        self._new: list[ExchangeRecord | Exchange] = []  # those that are not counted yet
        # Made for the first request: most tenants of a large server never see one. They are
        # exchanges once somebody has looked at them.
        self._kept: deque[ExchangeRecord | Exchange] | None = None
        self._lost: tuple[Exchange, ...] = ()
        self._bytes = self._lost_bytes = self._unnoted = 0
        self._count = 0
        self._changes = self._clears = 0
        self._lock = threading.Lock()

    def draft(self, request: Request, response: Response, began: float) -> Exchange:
        """Return a request and its response as of now, with no number yet."""
        return Exchange(recorded(request, response, self._clock.setting, began, self._changes))

    def record(self, request: Request, response: Response, began: float) -> None:
        """Keep a request and its response; the oldest ones go where there are too many."""
        made = recorded(request, response, self._clock.setting, began, self._changes)
        new, room = self._new, self._room
        new.append(made)
        is_newest = room is not None and room.newest is self
        if not is_newest or len(new) >= _TOGETHER or made.size > _SMALL:
            self._tell_room()

    def add(self, exchange: Exchange) -> None:
        """Keep an exchange that was drafted, under a number; whoever adds some adds them all."""
        with self._lock:
            self._new.append(exchange)
            exchange.number = self._count + len(self._new)
        self._tell_room()

    def _tell_room(self) -> None:
        self.count()
        room = self._room
        if room is not None and (self._unnoted > room.step or room.newest is not self):
            self._unnoted = 0
            room.note(self)

    def count(self) -> None:
        """Count what is new, and drop the oldest where there is too much."""
        with self._lock:
            new = self._new[:]
            if not new:
                return
            del self._new[: len(new)]
            kept = self._kept
            if kept is None:
                kept = self._kept = deque()
            self._count += len(new)
            sizes = list(map(_SIZE, new))
            if max(sizes) > self._max_bytes:
                new = [self._shortened(each) for each in new]
                sizes = list(map(_SIZE, new))
            kept.extend(new)
            self._bytes += sum(sizes)
            self._unnoted += sum(sizes) + _BESIDE * len(new)
            while len(kept) > self.limit or self._bytes > self._max_bytes:
                self._drop_oldest(kept)

    def _shortened(self, each: ExchangeRecord | Exchange) -> ExchangeRecord | Exchange:
        """Return an exchange without its bodies where it alone is more than the journal takes."""
        if each.size <= self._max_bytes:
            return each
        exchange = each if isinstance(each, Exchange) else Exchange(each)
        exchange.drop_bodies()
        return exchange

    def note_change(self) -> None:
        """Note that the test changed something: requests to come are no retries of those before."""
        with self._lock:
            self._changes += 1

    @property
    def marks(self) -> tuple[int, int]:
        """How often it was cleared, and how many requests it was told of since."""
        with self._lock:
            return self._clears, self._count + len(self._new)

    def requests(self) -> Requests:
        """Return the requests that are recorded now."""
        self.count()
        with self._lock:
            kept = self._kept or ()
            dropped = self._count - len(kept)
            exchanges = [_exchange(each, number) for number, each in enumerate(kept, dropped + 1)]
            if kept:
                self._kept = deque(exchanges)
            return Requests(exchanges, dropped, self._lost)

    def clear(self) -> None:
        """Forget all of it, and count from 1 again."""
        with self._lock:
            self._new.clear()
            self._kept = None
            self._lost = ()
            self._bytes = self._lost_bytes = self._count = 0
            self._clears += 1
        if self._room is not None:
            self._room.note(self)

    @property
    def size(self) -> int:
        """About how many bytes all of it takes that was counted."""
        count = len(self._kept or ()) + len(self._lost)
        return self._bytes + self._lost_bytes + _BESIDE * count

    def give_up(self, size: int) -> None:
        """Drop the oldest exchanges, of about so many bytes or all; then what was lost before."""
        with self._lock:
            most = self.size - size
            kept = self._kept
            while kept and self.size > most:
                self._drop_oldest(kept)
            if not kept:
                self._lost, self._lost_bytes = (), 0

    def _drop_oldest(self, kept: deque[ExchangeRecord | Exchange]) -> None:
        """Drop the oldest, of which little is kept where it tells what is not emulated."""
        oldest = kept.popleft()
        self._bytes -= oldest.size
        if oldest.status < 400 or len(self._lost) >= _MAX_UNEMULATED:
            return
        exchange = _exchange(oldest, self._count - len(kept))
        if exchange.is_unemulated:
            lost = copy.copy(exchange)  # a test may hold the other
            lost.drop_bodies()
            if self._lost_bytes + lost.size <= self._max_bytes // _PART_UNEMULATED:
                self._lost_bytes += lost.size
                self._lost = (*self._lost, lost)


def _exchange(kept: ExchangeRecord | Exchange, number: int) -> Exchange:
    """Return what was recorded as an exchange with this number."""
    if not isinstance(kept, Exchange):
        return Exchange(kept, number)
    kept.number = number
    return kept
