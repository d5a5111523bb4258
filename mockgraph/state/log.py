"""An open store file: lines are added to its end, each whole or not at all."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from mockgraph.errors import MockGraphError, StoreFailed
from mockgraph.state.records import HEADER, Contents, read

if sys.platform == "darwin":
    import fcntl

_BINARY = getattr(os, "O_BINARY", 0)
_CLOSED = -1
_logger = logging.getLogger("mockgraph.store")


class StoreLog:
    """A store file that is written to; a lock beside it keeps other processes out.

    ``size`` is its length up to the last line that was written whole. Raises MockGraphError
    where it is locked or cannot be written.

    Only one thread at a time may append, cut or replace; another may sync meanwhile.
    """

    def __init__(self, path: Path):
        # A link stays one: what is replaced is the file that it leads to.
        self.path = Path(os.path.realpath(path))
        self.beside = self.path.with_name(f"{self.path.name}.new")
        self.size = 0
        self._is_new_name = True
        self._has_leftover = False
        self._file = _CLOSED
        self._lock = FileLock(f"{self.path}.lock")
        with self._opening():
            if self.path.exists() and not self.path.is_file():
                raise OSError(None, "it is no file")
            self._lock.acquire(timeout=0)
            try:
                self._file = self._open(os.O_CREAT)
            except OSError:
                self._lock.release()
                raise

    def read(self, *, to_disk: bool) -> Contents:
        """What the file holds; a new one is begun, and what a kill left unfinished dropped.

        Raises MockGraphError, and leaves the file untouched, where it is damaged or of
        another format.
        """
        with self._opening():
            contents = read(self.path)
            self.size = contents.size
            self.beside.unlink(missing_ok=True)
            if contents.torn:
                self._drop_torn(contents.torn)
            if not self.size:
                write_all(self._file, HEADER)
                self.size = len(HEADER)
            if to_disk:
                self.sync()
        return contents

    @property
    def is_new(self) -> bool:
        """Whether nothing has been written here."""
        return self.size <= len(HEADER)

    def append(self, line: bytes) -> None:
        """Write a line; raises StoreFailed, and then it is not there."""
        try:
            self._check_hold()
            self._write(line)
        except OSError as error:
            raise StoreFailed(f"The store cannot be written: {error.strerror}.") from error
        self.size += len(line)

    def cut(self, size: int) -> None:
        """Take back what comes after this length; if that fails, the next write does it first."""
        self.size = size
        self._has_leftover = True
        with contextlib.suppress(OSError):
            self._drop_leftover()

    def sync(self) -> None:
        """Bring the file to the disk, and its name where that is new. Raises OSError."""
        sync(self._file)
        if self._is_new_name:
            self._sync_folder()
            self._is_new_name = False

    def replace(self) -> None:
        """Put the file that was written beside in the place of this one. Raises OSError."""
        self._check_hold()
        self._let_go()  # Windows will not replace a file that is open
        try:
            os.replace(self.beside, self.path)
        finally:
            self._is_new_name = True
            self._file = self._open()
            self.size = os.fstat(self._file).st_size

    def close(self) -> None:
        self._let_go()
        self._lock.release()

    def _open(self, flags: int = 0) -> int:
        return os.open(self.path, os.O_RDWR | os.O_APPEND | _BINARY | flags, 0o644)

    def _let_go(self) -> None:
        """Close the file, and forget its number, which the next file or socket may get."""
        file, self._file = self._file, _CLOSED
        if file != _CLOSED:
            os.close(file)

    def _check_hold(self) -> None:
        """Raises OSError where the path does not lead to our file as we left it.

        What is written to a file without a name is lost, and what somebody else wrote to ours
        is not ours to build on.
        """
        if self._file == _CLOSED:
            raise OSError(None, "the file is not open any more")
        here = os.fstat(self._file)
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            raise OSError(None, "the file was deleted; start again to make it anew") from None
        if (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino):
            raise OSError(None, "the file was replaced by another one; start again to use that")
        if self._has_leftover:
            self._drop_leftover()
        elif here.st_size != self.size:
            raise OSError(None, "the file was changed by somebody else; start again to read it")

    def _write(self, line: bytes) -> None:
        try:
            write_all(self._file, line)
        except OSError:
            self.cut(self.size)
            raise

    def _drop_leftover(self) -> None:
        os.ftruncate(self._file, self.size)
        self._has_leftover = False

    def _drop_torn(self, torn: int) -> None:
        os.ftruncate(self._file, self.size)
        if self.size:
            _logger.warning(
                "The store %s ended in the middle of a write that was never answered; "
                "its last %d bytes were dropped.",
                self.path,
                torn,
            )

    def _sync_folder(self) -> None:
        if hasattr(os, "O_DIRECTORY"):  # elsewhere folders cannot be opened
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                sync(folder)
            finally:
                os.close(folder)

    @contextlib.contextmanager
    def _opening(self) -> Iterator[None]:
        try:
            yield
        except Timeout:
            raise MockGraphError(f"The store {self.path} is in use by another process.") from None
        except OSError as error:
            reason = error.strerror or error
            raise MockGraphError(f"The store {self.path} cannot be opened: {reason}.") from error


def create_like(path: Path, model: Path) -> int:
    """An empty file that those may read and write who may the model. Raises OSError."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o600)
    os.chmod(path, stat.S_IMODE(os.stat(model).st_mode))
    return file


def write_all(file: int, data: bytes) -> None:
    """Write all of it to a file, however little it takes at a time. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def sync(file: int) -> None:
    """Have a file's content on disk before going on. Raises OSError."""
    if sys.platform == "darwin":
        fcntl.fcntl(file, fcntl.F_FULLFSYNC)  # fsync stops at the drive's own memory there
    else:
        os.fsync(file)
