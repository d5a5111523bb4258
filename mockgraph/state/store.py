"""The store: a log that is as durable as asked, and does not outgrow the state for long.

How a write becomes durable: its line goes to the file, readers see it from then on, and where
``disk`` is asked for it waits for the file to be synced before it is answered. Those who wait
at the same time share one sync, before which all their lines are written at once, and meanwhile
others read and write. So a reader may see what a kill or a power cut takes back, but nobody was
told that it is safe. A sync that fails takes back what it was to make safe, in the file and in
memory, and all who waited for it are refused.

How the file is kept small: once it is twice as long as need be, a thread writes the state
beside it, adds what was written meanwhile, and puts the new file in the place of the old one;
writers wait for that last step, readers for nothing. All that goes into the new file is safe in
the old one before: what is refused is in neither. A kill at any moment leaves one of the two,
whole, under the name of the store.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from mockgraph.errors import MockGraphError, StoreFailed
from mockgraph.state.compaction import Compaction, CompactionAbandoned
from mockgraph.state.log import StoreLog
from mockgraph.state.snapshots import Delta, Snapshot
from mockgraph.state.store_format import End, records

DURABILITIES = ("process", "disk")

# A file may grow to this, whatever it holds.
_COMPACT_FROM = 1024 * 1024
_NOTHING = Snapshot({}, 0)
_logger = logging.getLogger("mockgraph.store")


class Group:
    """Writes that become safe together; ``safe`` is None until that is decided.

    ``reason`` tells why they are not.
    """

    __slots__ = ("reason", "safe")

    def __init__(self) -> None:
        self.safe: bool | None = None
        self.reason = ""


class Store:
    """An open store; ``state`` is what is in it. Raises MockGraphError where it cannot be used.

    ``shapes`` are those of the entities that it was opened with, see :class:`Contents`.

    ``durability`` is ``process`` or ``disk``: what an answered write survives, a kill or a
    power cut; ``to_disk`` tells which. ``writing`` is the lock of those who change the state or
    the file.
    """

    def __init__(self, path: Path, durability: str):
        if durability not in DURABILITIES:
            raise MockGraphError(f"The durability is process or disk, not '{durability}'.")
        self.writing = threading.RLock()
        self.to_disk = durability == "disk"
        self._log = StoreLog(path)
        try:
            contents = self._log.read(to_disk=self.to_disk)
        except BaseException:
            self._log.close()
            raise
        self.path = self._log.path
        self.state = Snapshot(contents.tables, contents.revision)
        self.shapes = contents.shapes
        self._compact_at = max(_COMPACT_FROM, 2 * contents.needed)
        self._compaction: Compaction | None = None
        self._thread = threading.Thread()
        self._is_closed = False
        # Held by who brings the file to the disk, or another in its place; before ``writing``.
        self._syncing = threading.Lock()
        self.group = Group()
        self._safe = self._reached()

    @property
    def is_new(self) -> bool:
        """Return whether nothing has been written to it."""
        return self._log.is_new

    def append(self, write: Mapping[str, Delta], after: Snapshot) -> None:
        """Write what makes the state ``after``, holding ``writing``.

        It is to be as durable as asked once ``group`` is settled. Raises StoreFailed, and then
        nothing is written.
        """
        if self._log.is_old:
            self._renew()
        is_first = self._log.is_new
        self._log.append(records(write))
        self.state = after
        if is_first:
            self._compact_at = max(_COMPACT_FROM, 2 * self._log.size)
        if self._log.size >= self._compact_at and self._compaction is None and not self._is_closed:
            self._start(Compaction(self._log, after.tables))

    def settle(self, group: Group, undo: Callable[[Snapshot], None]) -> None:
        """Wait until the writes of a group are as durable as asked, not holding ``writing``.

        Raises StoreFailed where they cannot be: ``undo`` was given the state to go back to.
        """
        if not self.to_disk:
            return
        with self._syncing:
            if group.safe is None:
                self._sync(undo)
        if not group.safe:
            raise StoreFailed(f"The store cannot be brought to the disk: {group.reason}.")

    def close(self) -> None:
        """Let go of the file. What was answered is in it."""
        with self.writing:
            self._is_closed = True
            compaction = self._compaction
        if compaction is not None:
            compaction.abandon()
            self._thread.join()
        with self._syncing, self.writing:
            with contextlib.suppress(OSError):  # nobody was told that it is safe
                self._log.flush()
            self._log.close()

    # -- to the disk ----------------------------------------------------------------------

    def _sync(self, undo: Callable[[Snapshot], None]) -> None:
        try:
            with self.writing:
                group, self.group = self.group, Group()
                reached = self._reached()
                self._log.flush()
            self._log.sync()
        except OSError as error:
            group.reason = error.strerror or str(error)
            _logger.error("The store %s cannot be brought to the disk: %s", self.path, group.reason)
            with self.writing:
                self._take_back(group.reason)
                undo(self.state)
            group.safe = False
        else:
            self._safe = reached
            group.safe = True

    def _take_back(self, reason: str) -> None:
        """Go back to what is on the disk, for those, too, who wrote while it was being synced."""
        self.group.safe, self.group.reason = False, reason
        self.group = Group()
        self.state, end = self._safe
        self._log.cut(end)
        if self._compaction is not None:
            self._compaction.abandon()

    def _reached(self) -> tuple[Snapshot, End]:
        """Return what there is to go back to, if what comes next cannot be made safe."""
        return (self.state if self.to_disk else _NOTHING), self._log.end

    # -- compaction -----------------------------------------------------------------------

    def _start(self, compaction: Compaction) -> None:
        self._compaction = compaction
        self._thread = threading.Thread(
            target=self._compact, args=[compaction], name="mockgraph-compaction", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError as error:  # no thread to be had, or the interpreter is ending
            self._compaction = None
            self._put_off(str(error))

    def _compact(self, compaction: Compaction) -> None:
        try:
            with compaction:
                compaction.write()
                self._swap(compaction)
        except OSError as error:
            self._put_off(error.strerror or str(error))
        except CompactionAbandoned:
            pass
        finally:
            self._compaction = None

    def _swap(self, compaction: Compaction) -> None:
        with self._syncing:
            with self.writing:
                self._log.flush()
                is_settled = self._log.end == self._safe[1]
                if self.to_disk and not is_settled:
                    self._log.sync()  # if it fails, those who wait are told, and the old file stays
                self._log.replace(compaction.finish(to_disk=self.to_disk))
                self._compact_at = max(_COMPACT_FROM, 2 * self._log.size)
                self._safe = self._reached()
                self.group.safe = True
                self.group = Group()
            # Before anyone is told that a write is safe in it; if it fails, they try again.
            with contextlib.suppress(OSError):
                self._log.sync()

    def _renew(self) -> None:
        """Replace a file of an older version by one of this, all or nothing. Raises StoreFailed."""
        try:
            with Compaction(self._log, self.state.tables) as compaction:
                compaction.write()
                self._log.replace(compaction.finish(to_disk=True))
                self._log.sync()
        except OSError as error:
            raise StoreFailed(f"The store cannot be brought up to date: {error}.") from error
        self._safe = self._reached()
        _logger.info("The store %s was brought up to date.", self.path)

    def _put_off(self, reason: str) -> None:
        """Compact another time: what was written is safe all the same."""
        _logger.warning("The store %s was not compacted: %s", self.path, reason)
        with self.writing:
            self._compact_at = 2 * self._log.size
