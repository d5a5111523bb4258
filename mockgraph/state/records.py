"""The format of a store file: a log of writes, one JSON object a line.

The first line names the format and its version::

    {"mockgraph":"store","version":2}

Each further line is one write, whole: by table and key the entities that it put, with their
revisions and numbers (see :mod:`mockgraph.state.entities`), and null for those it removed::

    {"crc":"1c291ca3","write":{"alerts":{"<id>":{"revision":7,"number":3,"entity":{...}}}}}

``crc`` is the CRC-32 of what follows ``"write":``, without the brace that ends the line. The
state is what comes of all writes in turn, each table in the order of its numbers.

A last line that is not whole is a write that was cut off, by a kill or by a full disk, and
never answered: it is dropped. After a power cut it may end in zeros instead. One that lacks
nothing but its line end is kept. Anything else that does not fit is damage, and the file is
refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import orjson

from mockgraph.collector import uncollected
from mockgraph.errors import MockGraphError
from mockgraph.state.entities import Entity
from mockgraph.state.snapshots import Delta, Rows
from mockgraph.version import __version__

VERSION = 2
HEADER = orjson.dumps({"mockgraph": "store", "version": VERSION}) + b"\n"
_LONGEST_HEADER = 100
_OTHER_VERSION = re.compile(rb'{"mockgraph":"store","version":(\d+)}\n')
_LINE = b'{"crc":"%08x","write":%b}\n'
_BEGIN = b'{"crc":"'
_BODY = len(_LINE % (0, b"")) - len(b"}\n")


class Contents(NamedTuple):
    """What a store file holds.

    ``size`` is its length up to the last whole line, ``torn`` how many bytes came after it;
    ``lacks_end`` tells that this line has no line end yet; ``needed`` is about the length that
    the state alone would take.
    """

    tables: Mapping[str, Rows]
    revision: int
    size: int
    torn: int
    lacks_end: bool
    needed: int


def encode(write: Mapping[str, Delta]) -> bytes:
    """One write as a line."""
    body = orjson.dumps(
        {
            table: {
                key: None if entity is None else _plain(entity) for key, entity in delta.items()
            }
            for table, delta in write.items()
        }
    )
    return _LINE % (crc32(body), body)


def encode_all(tables: Mapping[str, Rows]) -> Iterator[bytes]:
    """The lines that make the tables, one an entity."""
    for name, rows in tables.items():
        for entity in rows.in_order:
            yield encode({name: {entity.key: entity}})


def read(path: Path) -> Contents:
    """What a file holds. Raises MockGraphError where it is damaged or no store, OSError."""
    with open(path, "rb") as file, uncollected():
        begin = file.readline(_LONGEST_HEADER)
        if HEADER.startswith(begin) and begin != HEADER:
            return Contents({}, 0, 0, len(begin), False, 0)
        if begin != HEADER:
            raise MockGraphError(f"{_said_by(path, begin)}; it was left as it is.")
        return _read_lines(path, file)


def _said_by(path: Path, begin: bytes) -> str:
    """What is wrong with a file that begins like this."""
    other = _OTHER_VERSION.fullmatch(begin)
    if other is None:
        return f"The file {path} is not a MockGraph store of version {VERSION}"
    return (
        f"The store {path} has version {other[1].decode()} of the format, and this MockGraph, "
        f"{__version__}, reads version {VERSION} alone"
    )


def _read_lines(path: Path, lines: Iterable[bytes]) -> Contents:
    replay, at = _Replay(), len(HEADER)
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

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, Entity]] = {}
        self._sizes: dict[tuple[str, str], int] = {}
        self._revision = 0

    def take(self, line: bytes) -> None:
        """Raises ValueError, KeyError, TypeError or AttributeError where it is no record."""
        write = _decode(line)
        share = len(line) // max(1, sum(map(len, write.values())))
        for table, delta in write.items():
            rows = self._tables.setdefault(table, {})
            for key, value in delta.items():
                if value is None:
                    rows.pop(key, None)
                    self._sizes.pop((table, key), None)
                else:
                    rows[key] = entity = _entity(key, value)
                    self._sizes[table, key] = share
                    self._revision = max(self._revision, entity.revision)

    def end(self, rest: bytes, at: int) -> Contents:
        """Take what the file ends in, without a line end. Raises as ``take`` does."""
        begun = rest.rstrip(b"\0")
        if _is_whole(begun + b"\n"):
            self.take(begun + b"\n")
            return self.contents(at + len(begun), len(rest) - len(begun), lacks_end=True)
        if _is_whole(begun[:-1] + b"\n"):
            raise ValueError("the line end is another byte")
        if b"\0" in begun or not _BEGIN.startswith(begun[: len(_BEGIN)]):
            raise ValueError("it is no beginning of a line")
        return self.contents(at, len(rest))

    def contents(self, size: int, torn: int = 0, *, lacks_end: bool = False) -> Contents:
        tables = {
            table: Rows(sorted(rows.values(), key=lambda entity: entity.number))
            for table, rows in self._tables.items()
        }
        needed = sum(self._sizes.values())
        return Contents(tables, self._revision, size, torn, lacks_end, needed)


def _plain(entity: Entity) -> dict[str, Any]:
    return {"revision": entity.revision, "number": entity.number, "entity": entity}


def _decode(line: bytes) -> dict[str, dict[str, Any]]:
    if not _is_whole(line):
        raise ValueError("the checksum is another one")
    write: dict[str, dict[str, Any]] = orjson.loads(line[_BODY:-2])
    return write


def _is_whole(line: bytes) -> bool:
    body = line[_BODY:-2]
    return line == _LINE % (crc32(body), body)


def _entity(key: str, value: dict[str, Any]) -> Entity:
    revision, number, properties = value["revision"], value["number"], value["entity"]
    if type(properties) is not dict or type(revision) is not int or type(number) is not int:
        raise TypeError("an entity is an object, its revision and number are whole numbers")
    return Entity(properties, key, revision, number)
