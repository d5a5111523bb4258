"""A store file without its history, written beside the one in use while that grows on."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping

from mockgraph.state.log import StoreLog, create_like, sync, write_all
from mockgraph.state.packing import in_pieces
from mockgraph.state.snapshots import Rows
from mockgraph.state.store_format import (
    FIRST_CRC,
    HEADER,
    End,
    all_records,
    line_of,
    record_in,
)

# How far behind a compaction may be when those who write wait for it.
_BEHIND = 64 * 1024
# How often to catch up with those who write before they have to wait.
_ROUNDS = 8
# The sync of a large file holds up those of others.
_SYNCED_AT_ONCE = 4 * 1024 * 1024


class CompactionAbandoned(Exception):
    """The compaction is not wanted any more."""


class Compaction:
    """The tables of one moment, and the lines that the log is given from then on.

    To be made while nobody writes. A context that leaves no file behind, unless that took the
    log's place. Raises OSError, and Abandoned from any step after ``abandon``.
    """

    def __init__(self, log: StoreLog, tables: Mapping[str, Rows]):
        self._log = log
        self._tables = tables
        self._copied = log.size
        self._size = 0
        self._crc = FIRST_CRC
        self._abandoned = threading.Event()
        self._file = -1
        self._unsynced = 0

    def __enter__(self) -> Compaction:
        self._file = create_like(self._log.beside, self._log.path)
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self._log.beside.unlink(missing_ok=True)

    def write(self) -> None:
        """Write the tables, and copy what the log was given meanwhile but for a little."""
        self._put([HEADER])
        self._put(self._lines(all_records(self._tables)))
        for _ in range(_ROUNDS):
            if self._log.written - self._copied > _BEHIND:
                self._catch_up()
        self._sync()

    def finish(self, *, to_disk: bool) -> End:
        """Copy the rest, while nobody writes; then the file, which ends so, may replace the log."""
        self._catch_up()
        if to_disk:
            self._sync()
        self._close()
        return End(self._size, self._crc)

    def abandon(self) -> None:
        """Let the next step fail; from any thread."""
        self._abandoned.set()

    def _catch_up(self) -> None:
        self._check()
        size = self._log.written
        with open(self._log.path, "rb") as log:
            log.seek(self._copied)
            self._put(self._lines(self._copy(log, size)))

    def _copy(self, log: Iterable[bytes], size: int) -> Iterator[bytes]:
        """Give the records of the log up to this size."""
        for line in log:
            if self._copied >= size:
                return
            self._copied += len(line)
            yield record_in(line)
        if self._copied < size:
            raise OSError(None, "the file was cut short by somebody else")

    def _lines(self, records: Iterable[bytes]) -> Iterator[bytes]:
        for record in records:
            line, self._crc = line_of(record, self._crc)
            yield line

    def _put(self, lines: Iterable[bytes]) -> None:
        for piece in in_pieces(lines):
            self._check()
            write_all(self._file, piece)
            self._size += len(piece)
            self._unsynced += len(piece)
            if self._unsynced >= _SYNCED_AT_ONCE:
                self._sync()

    def _sync(self) -> None:
        sync(self._file)
        self._unsynced = 0

    def _check(self) -> None:
        if self._abandoned.is_set():
            raise CompactionAbandoned

    def _close(self) -> None:
        file, self._file = self._file, -1
        if file != -1:
            os.close(file)
