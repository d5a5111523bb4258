"""The format of a store file: a log of writes, one JSON object a line.

The first line names the format and its version::

    {"mockgraph":"store","version":3}

Each further line is one write, whole: by table and key the entities that it put, with their
revisions and numbers (see :mod:`mockgraph.state.entities`), and null for those it removed::

    {"crc":"1c291ca3","write":{"security/alerts":{"<id>":{"revision":7,"number":3,"entity":{...}}}}}

``crc`` is a CRC-32 that goes on from line to line: it is that of the first line and of all that
follows ``"write":`` up to here, without the brace that ends each line. So a line that was taken
out, doubled or moved is found, as one that was changed is. The state is what comes of all
writes in turn, each table in the order of its numbers.

A last line that is not whole is a write that was cut off, by a kill or by a full disk, and
never answered: it is dropped. After a power cut it may end in zeros instead. One that lacks
nothing but its line end is kept. Anything else that does not fit is damage, and the file is
refused.

Version 2, which is read too, had the names of sets for tables, ``alerts``, the singleton by its
id, and in each line the
CRC-32 of that line alone. The first write to such a file makes it one of version 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import orjson

from mockgraph import __version__
from mockgraph.collector import uncollected
from mockgraph.errors import MockGraphError
from mockgraph.metadata.resources import SINGLE
from mockgraph.state.entities import Entity
from mockgraph.state.snapshots import Delta, Rows

VERSION = 3
HEADER = orjson.dumps({"mockgraph": "store", "version": VERSION}) + b"\n"
FIRST_CRC = crc32(HEADER)
_HEADER_2 = orjson.dumps({"mockgraph": "store", "version": 2}) + b"\n"
# The tables of version 2 that are not those of sets.
_TABLES_2 = {"Security": "security", "Directory": "_mockgraph/directory"}
_LONGEST_HEADER = 100
_OTHER_VERSION = re.compile(rb'{"mockgraph":"store","version":(\d+)}\n')
_LINE = b'{"crc":"%08x","write":%b}\n'
_BEGIN = b'{"crc":"'
_BODY = len(_LINE % (0, b"")) - len(b"}\n")


class End(NamedTuple):
    """The end of a log's last line: its place in bytes, and the line's checksum."""

    size: int = 0
    crc: int = FIRST_CRC


class Contents(NamedTuple):
    """The content of a store file.

    ``end`` is that of the last whole line, ``torn`` how many bytes came after it;
    ``lacks_end`` tells that this line has no line end yet; ``needed`` is about the length that
    the state alone would take. ``is_old`` tells that the file is of version 2.
    """

    tables: Mapping[str, Rows]
    revision: int
    end: End
    torn: int = 0
    lacks_end: bool = False
    needed: int = 0
    is_old: bool = False


def encode(write: Mapping[str, Delta]) -> bytes:
    """Return one write as JSON."""
    return orjson.dumps(
        {
            table: {
                key: None if entity is None else _plain(entity) for key, entity in delta.items()
            }
            for table, delta in write.items()
        }
    )


def encode_all(tables: Mapping[str, Rows]) -> Iterator[bytes]:
    """Give the writes that make the tables, one an entity."""
    for name, rows in tables.items():
        for entity in rows.in_order:
            yield encode({name: {entity.key: entity}})


def line_of(write: bytes, crc: int) -> tuple[bytes, int]:
    """Return the line of a write that follows the one with this checksum, and its own."""
    crc = crc32(write, crc)
    return _LINE % (crc, write), crc


def write_in(line: bytes) -> bytes:
    """Return the write of a whole line, as ``encode`` gave it."""
    return line[_BODY:-2]


def read_contents(path: Path) -> Contents:
    """Return what a file holds.

    Raise MockGraphError where it is damaged or no store, OSError where it cannot be read.
    """
    with open(path, "rb") as file, uncollected():
        begin = file.readline(_LONGEST_HEADER)
        if HEADER.startswith(begin) and begin != HEADER:
            return Contents({}, 0, End(), torn=len(begin))
        if begin not in (HEADER, _HEADER_2):
            raise MockGraphError(f"{_said_by(path, begin)}; it was left as it is.")
        return _read_lines(path, file, is_old=begin == _HEADER_2)


def _said_by(path: Path, begin: bytes) -> str:
    """Return what is wrong with a file that begins like this."""
    other = _OTHER_VERSION.fullmatch(begin)
    if other is None:
        return f"The file {path} is not a MockGraph store of version {VERSION}"
    return (
        f"The store {path} has version {other[1].decode()} of the format, and this MockGraph, "
        f"{__version__}, reads versions 2 and {VERSION}"
    )


def _read_lines(path: Path, lines: Iterable[bytes], *, is_old: bool) -> Contents:
    replay, at = _Replay(is_old=is_old), len(HEADER)
    for line in lines:
        try:
            if not line.endswith(b"\n"):
                return replay.end(line, at)
            replay.take(line)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise MockGraphError(
                f"The store {path} is damaged at byte {at}; it was left as it is."
            ) from None
        at += len(line)
    return replay.contents(at)


class _Replay:
    """The writes of a file, one after another."""

    def __init__(self, *, is_old: bool) -> None:
        self._is_old = is_old
        self._crc = 0 if is_old else FIRST_CRC
        self._tables: dict[str, dict[str, Entity]] = {}
        self._sizes: dict[tuple[str, str], int] = {}
        self._revision = 0

    def take(self, line: bytes) -> None:
        """Take a line. Raise ValueError, KeyError, TypeError or AttributeError if it is none."""
        write = self._decode(line)
        share = len(line) // max(1, sum(map(len, write.values())))
        for table, delta in write.items():
            name = _TABLES_2.get(table, f"security/{table}") if self._is_old else table
            rows = self._tables.setdefault(name, {})
            for stored, value in delta.items():
                key = SINGLE if self._is_old and table == "Security" else stored
                if value is None:
                    rows.pop(key, None)
                    self._sizes.pop((name, key), None)
                else:
                    rows[key] = entity = _entity(key, value)
                    self._sizes[name, key] = share
                    self._revision = max(self._revision, entity.revision)

    def end(self, rest: bytes, at: int) -> Contents:
        """Take what the file ends in, without a line end. Raise as ``take`` does."""
        begun = rest.rstrip(b"\0")
        if self._is_whole(begun + b"\n"):
            self.take(begun + b"\n")
            return self.contents(at + len(begun), len(rest) - len(begun), lacks_end=True)
        if self._is_whole(begun[:-1] + b"\n"):
            raise ValueError("the line end is another byte")
        if b"\0" in begun or not _BEGIN.startswith(begun[: len(_BEGIN)]):
            raise ValueError("it is no beginning of a line")
        return self.contents(at, len(rest))

    def contents(self, size: int, torn: int = 0, *, lacks_end: bool = False) -> Contents:
        """Return what came of the lines that were taken."""
        tables = {
            table: Rows(sorted(rows.values(), key=lambda entity: entity.number))
            for table, rows in self._tables.items()
        }
        needed, end = sum(self._sizes.values()), End(size, self._crc)
        return Contents(tables, self._revision, end, torn, lacks_end, needed, self._is_old)

    def _decode(self, line: bytes) -> dict[str, dict[str, Any]]:
        if not self._is_whole(line):
            raise ValueError("the checksum is another one")
        body = write_in(line)
        if not self._is_old:
            self._crc = crc32(body, self._crc)
        write: dict[str, dict[str, Any]] = orjson.loads(body)
        return write

    def _is_whole(self, line: bytes) -> bool:
        return line == line_of(write_in(line), self._crc)[0]


def _plain(entity: Entity) -> dict[str, Any]:
    return {"revision": entity.revision, "number": entity.number, "entity": entity}


def _entity(key: str, value: dict[str, Any]) -> Entity:
    revision, number, properties = value["revision"], value["number"], value["entity"]
    if type(properties) is not dict or type(revision) is not int or type(number) is not int:
        raise TypeError("an entity is an object, its revision and number are whole numbers")
    return Entity(properties, key, revision, number)
