"""A store file read from its beginning to its end, line by line, into the tables that it makes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

import orjson

from mockgraph import __version__
from mockgraph.collector import uncollected
from mockgraph.errors import MockGraphError
from mockgraph.metadata.names import Json
from mockgraph.state.entities import Entity
from mockgraph.state.older_stores import HEADERS, OlderLines
from mockgraph.state.packing import PackedEntity, Stored
from mockgraph.state.snapshots import Rows
from mockgraph.state.store_format import (
    FIRST_CRC,
    HEADER,
    VERSION,
    End,
    LogRecord,
    checksum_of,
    is_begun,
    read_record,
)

# The type that an entity names, and the names of its properties in their order.
Shape: TypeAlias = tuple[Json, ...]

_LONGEST_HEADER = 100
_OTHER_VERSION = re.compile(rb'{"mockgraph":"store","version":(\d+)}\n')
# The tables that are not those of a resource; what is in them is few, and never packed.
_OWN = "_mockgraph/"
_TYPE = "@odata.type"
_END = ord("\n")
_number = attrgetter("number")
# How many shapes of a table are told apart; beyond, any may be there.
_MOST_SHAPES = 1000


class Contents(NamedTuple):
    """The content of a store file.

    ``end`` is that of the last whole write, ``torn`` how many bytes came after it;
    ``lacks_end`` tells that its last line has no line end yet; ``needed`` is about the length that
    the state alone would take. ``is_old`` tells that the file is of an older version. ``shapes``
    has those of the entities of each table, as far as they are known.
    """

    tables: Mapping[str, Rows]
    revision: int
    end: End
    torn: int = 0
    lacks_end: bool = False
    needed: int = 0
    is_old: bool = False
    shapes: Mapping[str, Collection[Shape]] = {}


class StoreLines(Protocol):
    """The lines of a version of the format; ``crc`` is the checksum of the last that was taken."""

    crc: int

    def is_whole(self, line: bytes) -> bool:
        """Return whether a line fits to those that were taken."""
        ...

    def take(self, line: bytes) -> tuple[Sequence[LogRecord], bool]:
        """Return what a line says, and whether its write goes on in the next one.

        Raise ValueError, KeyError, TypeError or AttributeError where it is none.
        """
        ...


class CurrentLines:
    """The lines of this version."""

    def __init__(self) -> None:
        self.crc = FIRST_CRC

    def is_whole(self, line: bytes) -> bool:
        """Return whether a line fits to those that were taken."""
        try:
            checksum_of(line, self.crc)
        except ValueError:
            return False
        return True

    def take(self, line: bytes) -> tuple[Sequence[LogRecord], bool]:
        """Return what a line says, and whether its write goes on. Raise ValueError."""
        crc = checksum_of(line, self.crc)
        record, goes_on = read_record(line)
        self.crc = crc
        return (record,), goes_on


def read_contents(path: Path) -> Contents:
    """Return what a file holds.

    Raise MockGraphError where it is damaged or no store, OSError where it cannot be read.
    """
    with open(path, "rb") as file, uncollected():
        begin = file.readline(_LONGEST_HEADER)
        if HEADER.startswith(begin) and begin != HEADER:
            return Contents({}, 0, End(), torn=len(begin))
        if begin == HEADER:
            return _Replay(path, CurrentLines()).read(file)
        if begin in HEADERS:
            return _Replay(path, OlderLines(HEADERS[begin]), is_old=True).read(file)
        raise MockGraphError(f"{_said_by(path, begin)}; it was left as it is.")


def _said_by(path: Path, begin: bytes) -> str:
    """Return what is wrong with a file that begins like this."""
    other = _OTHER_VERSION.fullmatch(begin)
    if other is None:
        return f"The file {path} is not a MockGraph store of version {VERSION}"
    return (
        f"The store {path} has version {other[1].decode()} of the format, and this MockGraph, "
        f"{__version__}, reads versions {', '.join(map(str, HEADERS.values()))} and {VERSION}"
    )


class _TableReplay:
    """The entities of a table so far by key, with about the length that each has in the file."""

    __slots__ = ("_is_own", "_last", "rows", "shapes")

    def __init__(self, name: str):
        self.rows: dict[str, tuple[Stored, int]] = {}
        self.shapes: set[Shape] = set()
        self._is_own = name.startswith(_OWN)
        self._last: Shape = ()

    def stored(self, record: LogRecord) -> Stored | None:
        """Return what a record says to store. Raise ValueError and TypeError where it is none."""
        _, key, revision, number, json = record
        if json is None:
            return None
        properties = orjson.loads(json)
        if type(properties) is not dict:
            raise TypeError("an entity is an object")
        if self._is_own:
            return Entity(properties, key, revision, number)
        shape = (properties.get(_TYPE), *properties)
        if shape != self._last and len(self.shapes) < _MOST_SHAPES:
            self._last = shape
            self.shapes.add(shape)
        return PackedEntity(json, key, revision, number)

    def put(self, key: str, stored: Stored | None, size: int) -> None:
        """Put an entity, or remove it where it is None."""
        if stored is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = stored, size


class _Replay:
    """The writes of a file, one after another."""

    def __init__(self, path: Path, lines: StoreLines, *, is_old: bool = False):
        self._path = path
        self._lines = lines
        self._is_old = is_old
        self._tables: dict[str, _TableReplay] = {}
        self._begun: list[tuple[_TableReplay, str, Stored | None, int]] = []
        self._revision = 0
        # The end of the last write that is whole.
        self._size, self._crc = len(HEADER), lines.crc

    def read(self, lines: Iterable[bytes]) -> Contents:
        """Return what comes of the lines. Raise MockGraphError where they are damaged."""
        at = len(HEADER)
        for line in lines:
            try:
                if line[-1] != _END:
                    return self._finish(line, at)
                at += self._take(line, at)
            except (ValueError, KeyError, TypeError, AttributeError):
                raise MockGraphError(
                    f"The store {self._path} is damaged at byte {at}; it was left as it is."
                ) from None
        return self._contents(at)

    def _take(self, line: bytes, at: int) -> int:
        """Take the line at a place, and return its length. Raise as StoreLines does."""
        found, goes_on = self._lines.take(line)
        length = len(line)
        begun = self._begun
        for record in found:
            table = self._tables.get(record.table)
            if table is None:
                table = self._tables[record.table] = _TableReplay(record.table)
            stored = table.stored(record)
            if record.revision > self._revision:
                self._revision = record.revision
            if goes_on or begun:
                begun.append((table, record.key, stored, length))
            else:
                table.put(record.key, stored, length // len(found))
        if not goes_on:
            if begun:
                for table, key, stored, size in begun:
                    table.put(key, stored, size)
                begun.clear()
            self._size, self._crc = at + length, self._lines.crc
        return length

    def _finish(self, rest: bytes, at: int) -> Contents:
        """Take what the file ends in, without a line end. Raise as ``_take`` does."""
        begun = rest.rstrip(b"\0")
        if self._lines.is_whole(begun + b"\n"):
            self._take(begun + b"\n", at)
            if not self._begun:
                self._size = at + len(begun)
                return self._contents(at + len(rest), lacks_end=True)
        elif self._lines.is_whole(begun[:-1] + b"\n"):
            raise ValueError("the line end is another byte")
        elif b"\0" in begun or not is_begun(begun):
            raise ValueError("it is no beginning of a line")
        return self._contents(at + len(rest))

    def _contents(self, size: int, *, lacks_end: bool = False) -> Contents:
        """Return what came of the writes that are whole, in a file of this length."""
        tables, needed = dict[str, Rows](), 0
        for name, table in self._tables.items():
            tables[name] = Rows(sorted((each for each, _ in table.rows.values()), key=_number))
            needed += sum(length for _, length in table.rows.values())
        found = {name: table.shapes for name, table in self._tables.items()}
        shapes = {name: each for name, each in found.items() if len(each) < _MOST_SHAPES}
        end, torn = End(self._size, self._crc), size - self._size
        return Contents(tables, self._revision, end, torn, lacks_end, needed, self._is_old, shapes)
