"""The file behind a durable store: a log of writes, one JSON object a line.

The first line names the format and its version::

    {"mockgraph":"store","version":1}

Each further line is one write, whole: the entities it put and the keys it removed::

    {"revision":7,"table":"alerts","put":{"<id>":{...}},"remove":["<id>"]}

A line is written with one call before the write is answered, so that a process killed at any
moment leaves a file of whole lines, but perhaps for a torn last one, which was never answered
and is dropped. When most of the file is history, it is written anew beside the old one and
takes its place in one step.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from filelock import FileLock, Timeout

from mockgraph.errors import MockGraphError, StoreFailed
from mockgraph.state.tables import Entity, Rows

_HEADER = orjson.dumps({"mockgraph": "store", "version": 1}) + b"\n"
_RECORD = b'{"revision":'  # how every record begins
_COMPACT_FROM = 1024 * 1024
_logger = logging.getLogger("mockgraph.store")


class StoreLog:
    """An open store file. Opening takes a lock beside it: one process a store.

    Raises MockGraphError, and leaves the file untouched, where it is locked, damaged, of
    another format or not to be written.
    """

    def __init__(self, path: Path):
        self.path = path
        self.tables: dict[str, Rows] = {}
        self.revision = 0
        self._lock = FileLock(f"{path}.lock")
        try:
            self._lock.acquire(timeout=0)
            try:
                self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o644)
                try:
                    self._size = self._read()
                except BaseException:
                    os.close(self._file)
                    raise
            except BaseException:
                self._lock.release()
                raise
        except Timeout:
            raise MockGraphError(f"The store {path} is in use by another process.") from None
        except OSError as error:
            reason = error.strerror or error
            raise MockGraphError(f"The store {path} cannot be opened: {reason}.") from error
        self._compact_at = max(_COMPACT_FROM, 2 * self._size)

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever written here."""
        return self._size <= len(_HEADER)

    def append(
        self, revision: int, table: str, put: Mapping[str, Mapping[str, Any]], removed: list[str]
    ) -> None:
        """Write one record, whole; raises StoreFailed and takes back what it began."""
        line = _record(revision, table, put, removed)
        try:
            self._keep_hold()
            _write_all(self._file, line)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise StoreFailed(f"The store cannot be written: {error.strerror}.") from error
        self._size += len(line)

    def rewrite(self, tables: Mapping[str, Rows]) -> None:
        """Replace the file by these tables alone, in one step."""
        beside = self.path.with_name(self.path.name + ".new")
        try:
            _write_beside(beside, tables)
            self._let_go()  # Windows will not replace a file that is open
            try:
                os.replace(beside, self.path)
            finally:
                self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | _BINARY)
                self._size = os.fstat(self._file).st_size
        except OSError as error:
            raise StoreFailed(f"The store cannot be written: {error.strerror}.") from error
        self._compact_at = max(_COMPACT_FROM, 2 * self._size)

    def compact(self, tables: Mapping[str, Rows]) -> None:
        """Drop the history, if it has come to outweigh the state.

        What was written is safe whether or not this succeeds, so a failure waits for the
        next time.
        """
        if self._size < self._compact_at:
            return
        try:
            self.rewrite(tables)
        except StoreFailed as error:
            self._compact_at = 2 * self._size
            _logger.warning("The store %s was not compacted: %s", self.path, error.message)

    def close(self) -> None:
        self._let_go()
        self._lock.release()

    def _let_go(self) -> None:
        """Close the file, and forget its number, which the next file or socket may get."""
        file, self._file = self._file, _CLOSED
        if file != _CLOSED:
            os.close(file)

    def _keep_hold(self) -> None:
        """Raise where the path no longer leads to our file: the write would be lost."""
        here, there = os.fstat(self._file), os.stat(self.path)
        if (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino):
            raise OSError(None, "the file was replaced by another one")

    def _read(self) -> int:
        """Read all records; gives the length of the file up to its last whole line."""
        data = self.path.read_bytes()
        if _HEADER.startswith(data):
            os.ftruncate(self._file, 0)
            _write_all(self._file, _HEADER)
            return len(_HEADER)
        if not data.startswith(_HEADER):
            raise MockGraphError(
                f"The file {self.path} is not a MockGraph store of version 1; it was left as it is."
            )
        end = data.rfind(b"\n") + 1
        at = len(_HEADER)
        while at < end:
            stop = data.index(b"\n", at) + 1
            try:
                self._replay(orjson.loads(data[at:stop]))
            except (ValueError, KeyError, TypeError, AttributeError):
                raise self._damaged(at) from None
            at = stop
        if end < len(data):
            if not data.startswith(_RECORD[: len(data) - end], end):
                raise self._damaged(end)
            _logger.warning(
                "The store %s ended in the middle of a write that was never answered; "
                "its last %d bytes were dropped.",
                self.path,
                len(data) - end,
            )
            os.ftruncate(self._file, end)
        return end

    def _damaged(self, at: int) -> MockGraphError:
        return MockGraphError(
            f"The store {self.path} is damaged at byte {at}; it was left as it is."
        )

    def _replay(self, record: dict[str, Any]) -> None:
        revision = record["revision"]
        rows = self.tables.setdefault(record["table"], {})
        for key in record["remove"]:
            rows.pop(key, None)
        for key, value in record["put"].items():
            rows[key] = Entity(value, key, revision)
        self.revision = max(self.revision, revision)


_BINARY = getattr(os, "O_BINARY", 0)
_CLOSED = -1


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _write_beside(path: Path, tables: Mapping[str, Rows]) -> None:
    try:
        with open(path, "wb") as file:
            file.write(_HEADER)
            file.writelines(_records(tables))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _record(
    revision: int, table: str, put: Mapping[str, Mapping[str, Any]], removed: list[str]
) -> bytes:
    return orjson.dumps(
        {"revision": revision, "table": table, "put": put, "remove": removed},
        option=orjson.OPT_APPEND_NEWLINE,
    )


def _records(tables: Mapping[str, Rows]) -> Iterator[bytes]:
    for name, rows in tables.items():
        for key, entity in rows.items():
            yield _record(entity.revision, name, {key: entity}, [])
