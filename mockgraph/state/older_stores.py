"""The lines of store files of versions 2 and 3, which are read and never written.

Each is a write, whole, as JSON: by table and key the entities that it put, with their revisions
and numbers, and null for those it removed::

    {"crc":"1c291ca3","write":{"security/alerts":{"<id>":{"revision":7,"number":3,"entity":{...}}}}}

In version 3 ``crc`` is a CRC-32 that goes on from line to line: it is that of the first line and
of all that follows ``"write":`` up to here, without the brace that ends each line. Version 2 had
the names of sets for tables, ``alerts``, the singleton by its id, and in each line the CRC-32 of
that line alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from zlib import crc32

import orjson

from mockgraph.metadata.resources import SINGLE
from mockgraph.state.packing import json_of
from mockgraph.state.store_format import LogRecord

# The versions by the first lines of their files.
HEADERS: Final[Mapping[bytes, int]] = {
    orjson.dumps({"mockgraph": "store", "version": version}) + b"\n": version for version in (2, 3)
}
_FIRST = {version: line for line, version in HEADERS.items()}
# The tables of version 2 that are not those of sets.
_TABLES = {"Security": "security", "Directory": "_mockgraph/directory"}
_LINE = b'{"crc":"%08x","write":%b}\n'
_BODY = len(_LINE % (0, b"")) - len(b"}\n")


class OlderLines:
    """The lines of an older version; ``crc`` is the checksum of the last that was taken."""

    def __init__(self, version: int):
        self._goes_on = version > 2
        self.crc = crc32(_FIRST[version]) if self._goes_on else 0

    def is_whole(self, line: bytes) -> bool:
        """Return whether a line fits to those that were taken."""
        body = line[_BODY:-2]
        return line == _LINE % (crc32(body, self.crc), body)

    def take(self, line: bytes) -> tuple[Sequence[LogRecord], bool]:
        """Return what a line says; each is a write of its own.

        Raise ValueError, KeyError, TypeError or AttributeError where it is none.
        """
        if not self.is_whole(line):
            raise ValueError("the checksum is another one")
        body = line[_BODY:-2]
        found = [
            self._record(*self._named(table, key), value)
            for table, delta in orjson.loads(body).items()
            for key, value in delta.items()
        ]
        if self._goes_on:
            self.crc = crc32(body, self.crc)
        return found, False

    def _named(self, table: str, key: str) -> tuple[str, str]:
        """Return the names of a table and a key as they are today."""
        if self._goes_on:
            return table, key
        return _TABLES.get(table, f"security/{table}"), SINGLE if table == "Security" else key

    def _record(self, table: str, key: str, value: Mapping[str, Any] | None) -> LogRecord:
        if value is None:
            return LogRecord(table, key, 0, 0, None)
        revision, number = value["revision"], value["number"]
        if type(revision) is not int or type(number) is not int:
            raise TypeError("a revision and a number are whole numbers")
        return LogRecord(table, key, revision, number, json_of(value["entity"]))
