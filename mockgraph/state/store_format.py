"""The format of a store file: a log of writes, one JSON object a line.

The first line names the format and its version::

    {"mockgraph":"store","version":4}

Each further line is an entity that was put, with its revision and its number (see
:mod:`mockgraph.state.entities`), or that was removed::

    {"crc":"1c291ca3","table":"security/alerts","key":"<id>","revision":7,"number":3,"entity":{...}}
    {"crc":"5d0b77e0","table":"security/alerts","key":"<id>","entity":null}

So a line is about as long as an entity, whatever a write puts. Where a write goes on in the next
line, ``"more":true`` stands before the table: it is done with the first line that does not have
it. The state is what comes of all writes in turn, each table in the order of its numbers.

``crc`` is a CRC-32 that goes on from line to line: it is that of the first line and of all that
follows the member ``crc`` up to here, without line ends. So a line that was taken out, doubled or
moved is found, as one that was changed is.

A last line that is not whole, with the lines of the same write before it, is a write that was cut
off, by a kill or by a full disk, and never answered: it is dropped. After a power cut it may end
in zeros instead. One that lacks nothing but its line end is kept. Anything else that does not
fit is damage, and the file is refused.

Versions 2 and 3 are read too, see :mod:`mockgraph.state.older_stores`. The first write to such a
file makes it one of this version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple
from zlib import crc32

import orjson

from mockgraph.state.packing import PackedEntity, Stored
from mockgraph.state.snapshots import Delta, Rows

VERSION: Final = 4
HEADER: Final = orjson.dumps({"mockgraph": "store", "version": VERSION}) + b"\n"
FIRST_CRC: Final = crc32(HEADER)

_MARK = b'{"crc":"%08x",'
# How many bytes of a line come before its record.
_BEGIN = len(_MARK % 0)
# Within a text of JSON there is no quotation mark without a backslash: this is a member.
_ENTITY = b',"entity":'
_PUT = ("table", "key", "revision", "number")
_REMOVED = ("table", "key")


class End(NamedTuple):
    """The end of a log's last write: its place in bytes, and the checksum of its last line."""

    size: int = 0
    crc: int = FIRST_CRC


class LogRecord(NamedTuple):
    """A line's statement on an entity: that it was put, or removed where there is no ``json``."""

    table: str
    key: str
    revision: int
    number: int
    json: bytes | None


def records(write: Mapping[str, Delta]) -> Iterator[bytes]:
    """Give the records of a write, one an entity."""
    last = sum(map(len, write.values()))
    for table, delta in write.items():
        for key, stored in delta.items():
            last -= 1
            yield _record(table, key, stored, b'"more":true,' if last else b"")


def all_records(tables: Mapping[str, Rows]) -> Iterator[bytes]:
    """Give the records that make the tables, each a write of its own."""
    for table, rows in tables.items():
        for stored in rows.in_order.stored():
            yield _record(table, stored.key, stored)


def _record(table: str, key: str, stored: Stored | None, more: bytes = b"") -> bytes:
    begin = b'%b"table":%b,"key":%b' % (more, _text(table), orjson.dumps(key))
    if stored is None:
        return begin + b',"entity":null}'
    json = stored.json if isinstance(stored, PackedEntity) else orjson.dumps(stored)
    return b'%b,"revision":%d,"number":%d,"entity":%b}' % (
        begin,
        stored.revision,
        stored.number,
        json,
    )


def line_of(record: bytes, crc: int) -> tuple[bytes, int]:
    """Return the line of a record that follows the one with this checksum, and its own."""
    crc = crc32(record, crc)
    return b"%b%b\n" % (_MARK % crc, record), crc


def record_in(line: bytes) -> bytes:
    """Return the record of a whole line."""
    return line[_BEGIN:-1]


def is_begun(line: bytes) -> bool:
    """Return whether a line that was cut off may have been one of a store."""
    begin = _MARK[: _MARK.index(b"%")]
    return begin.startswith(line[: len(begin)])


def checksum_of(line: bytes, crc: int) -> int:
    """Return the checksum of a line after that of the one before. Raise ValueError for another."""
    crc = crc32(line[_BEGIN:-1], crc)
    if line[:_BEGIN] != _MARK % crc or line[-1:] != b"\n":
        raise ValueError("the checksum is another one")
    return crc


def read_record(line: bytes) -> tuple[LogRecord, bool]:
    """Return what a line says, and whether its write goes on in the next.

    Raise ValueError where it is none.
    """
    at = line.index(_ENTITY, _BEGIN)
    head = orjson.loads(b"{%b}" % line[_BEGIN:at])
    json = line[at + len(_ENTITY) : -2]
    goes_on = head.pop("more", None)
    names = tuple(head)
    table, key, *versions = head.values()
    is_record = type(table) is str and type(key) is str and line[-2:] == b"}\n"
    if not is_record or (goes_on is not None and goes_on is not True):
        raise ValueError("it is no record")
    if names == _REMOVED and json == b"null":
        return LogRecord(table, key, 0, 0, None), bool(goes_on)
    revision, number = versions
    if names != _PUT or type(revision) is not int or type(number) is not int:
        raise ValueError("an entity has a revision and a number")
    return LogRecord(table, key, revision, number, json), bool(goes_on)


@lru_cache(maxsize=256)
def _text(text: str) -> bytes:
    return orjson.dumps(text)
