"""An open store file: lines are added to its end, each whole or not at all."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from mockgraph.errors import MockGraphError, StoreFailed
from mockgraph.state.store_format import HEADER, End, line_of
from mockgraph.state.store_replay import Contents, read_contents

if sys.platform != "win32":
    import fcntl

# Windows will not replace a file that is open.
_REPLACES_OPEN_FILES = sys.platform != "win32"
_BINARY = getattr(os, "O_BINARY", 0)
_NOT_A_LINK = getattr(os, "O_NOFOLLOW", 0)
_CLOSED = -1
_MOST_PUT_OFF = 64 * 1024  # bytes
_logger = logging.getLogger("mockgraph.store")


class StoreLog:
    """A store file that is written to; a lock beside it keeps other processes out.

    Where the system can, the file itself is locked, too: it may have another name, a hard link,
    and the lock beside it may be deleted.

    It is made for its owner alone, and no link is followed to it, or to its lock: what it holds
    may be secret. ``end`` is that of the last line, ``written`` how many bytes are in the file;
    what is between is put off until :meth:`flush`. ``is_old`` tells that it is of a version that
    cannot be added to, only replaced. Raises MockGraphError where it is locked or cannot be
    written.

    Only one thread at a time may append, flush, cut or replace; another may sync meanwhile.
    """

    def __init__(self, path: Path):
        self.path = Path(os.path.abspath(path))
        self.beside = self.path.with_name(f"{self.path.name}.new")
        self.end = End()
        self.written = 0
        self.is_old = False
        self._put_off: list[bytes] = []  # lines
        self._puts_off = False
        self._has_leftover = False
        self._lost: OSError | None = None  # why what was written last may not be on the disk
        self._file = _CLOSED
        self._inode = (0, 0)  # the device and the number of the file that is open
        self._name = str(self.path)
        self._lock = FileLock(f"{self.path}.lock", mode=0o600)
        with self._opening():
            for each in (self.path, Path(self._lock.lock_file)):
                if each.is_symlink():
                    raise OSError(None, f"{each.name} is a link; name the file itself")
            if self.path.exists() and not self.path.is_file():
                raise OSError(None, "it is no file")
            # Folders with names in them that may not be on the disk yet.
            self._unsynced = [self.path.parent, *_made(self.path.parent)]
            self._lock.acquire(timeout=0)
            try:
                self._take(self._open(self.path, os.O_CREAT))
            except BaseException:
                self._lock.release()
                raise

    def read(self, *, to_disk: bool) -> Contents:
        """Return what the file holds; begin a new one, and drop what a kill left unfinished.

        With ``to_disk`` what is appended then is put off, as it is to be synced before it counts.
        Raises MockGraphError, and leaves the file untouched, where it is damaged or of
        another format.
        """
        with self._opening():
            contents = read_contents(self.path)
            self.end, self.is_old = contents.end, contents.is_old
            self.beside.unlink(missing_ok=True)
            if contents.torn or contents.lacks_end:
                self._mend_end(contents)
            if not self.size:
                write_all(self._file, HEADER)
                self.end = End(len(HEADER))
            self.written, self._puts_off = self.size, to_disk
            if to_disk:
                self.sync()
        return contents

    @property
    def size(self) -> int:
        """Return the length of the file, with what is put off, in bytes."""
        return self.end.size

    @property
    def is_new(self) -> bool:
        """Return whether nothing has been written here."""
        return self.size <= len(HEADER)

    def append(self, records: Iterable[bytes]) -> None:
        """Add the records of a write, a line each, all or none. Raises StoreFailed."""
        before = self.end
        size, crc = before
        try:
            for record in records:
                line, crc = line_of(record, crc)
                self._put_off.append(line)
                size += len(line)
                if size - self.written >= _MOST_PUT_OFF:
                    self.flush()
            if not self._puts_off:
                self.flush()
        except OSError as error:
            self.cut(before)
            raise StoreFailed(f"The store cannot be written: {error.strerror}.") from error
        except BaseException:
            self.cut(before)
            raise
        self.end = End(size, crc)

    def flush(self) -> None:
        """Write what was put off, which it is still where that fails. Raises OSError."""
        if not self._put_off:
            return
        self._check_hold()
        lines = b"".join(self._put_off)
        try:
            write_all(self._file, lines)
        except BaseException:
            self._has_leftover = True
            raise
        self._put_off.clear()
        self.written += len(lines)

    def cut(self, end: End) -> None:
        """Take back what comes after this end; if that fails, the next write does it first."""
        size = self.written + sum(map(len, self._put_off))
        while self._put_off and size > end.size:
            size -= len(self._put_off.pop())
        self.end, self._lost = end, None
        if end.size < self.written:
            self.written = end.size
            self._has_leftover = True
        if self._has_leftover:
            with contextlib.suppress(OSError):
                self._drop_leftover()

    def sync(self) -> None:
        """Bring the file to the disk, and its name where that is new. Raises OSError.

        Where the file cannot be brought there, it is so until what was lost has been cut: a
        system forgets what it could not write, and then says that all is well.
        """
        if self._lost is not None:
            raise self._lost
        try:
            sync(self._file)
        except OSError as error:
            self._lost = error
            raise
        while self._unsynced:
            _sync_folder(self._unsynced[-1])
            self._unsynced.pop()

    def replace(self, end: End) -> None:
        """Put the file beside, which ends so, in the place of this one. Raises OSError."""
        self._check_hold()
        if _REPLACES_OPEN_FILES:
            self._replace_open()
        else:
            self._replace_closed()
        self._unsynced = [self.path.parent]
        self.end, self.written, self.is_old, self._lost = end, end.size, False, None

    def close(self) -> None:
        self._let_go()
        self._lock.release()

    def _replace_open(self) -> None:
        """Replace the file while it is open; if that fails, the store is as it was."""
        new = self._open(self.beside)
        try:
            os.replace(self.beside, self.path)
        except OSError:
            os.close(new)
            raise
        self._let_go()
        self._take(new)

    def _replace_closed(self) -> None:
        self._let_go()
        try:
            os.replace(self.beside, self.path)
        finally:
            self._take(self._open(self.path))

    def _open(self, path: Path, flags: int = 0) -> int:
        """Open a file, held so that no other process may. Raises OSError, Timeout."""
        file = os.open(path, os.O_RDWR | os.O_APPEND | _NOT_A_LINK | _BINARY | flags, 0o600)
        if sys.platform != "win32":
            # Open to all it was by no choice of anybody's; a group that was let in stays.
            if os.fstat(file).st_mode & stat.S_IRWXO:
                with contextlib.suppress(PermissionError):  # another user's, who may read it anyway
                    os.fchmod(file, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                raise Timeout(str(path)) from None
            except OSError:
                pass  # a file system that cannot: there is the lock beside it
        return file

    def _take(self, file: int) -> None:
        """Write to this file, which is open, from now on."""
        about = os.fstat(file)
        self._file, self._inode = file, (about.st_dev, about.st_ino)

    def _let_go(self) -> None:
        """Close the file, and forget its number, which the next file or socket may get."""
        file, self._file = self._file, _CLOSED
        if file == _CLOSED:
            return
        if sys.platform != "win32":
            with contextlib.suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_UN)  # a process that was forked has the file, too
        os.close(file)

    def _check_hold(self) -> None:
        """Raise OSError where the path does not lead to our file as we left it.

        What is written to a file without a name is lost, and what somebody else wrote to ours
        is not ours to build on.
        """
        if self._file == _CLOSED:
            raise OSError(None, "the file is not open any more")
        try:
            there = os.stat(self._name)
        except FileNotFoundError:
            raise OSError(None, "the file was deleted; start again to make it anew") from None
        if (there.st_dev, there.st_ino) != self._inode:
            raise OSError(None, "the file was replaced by another one; start again to use that")
        if self._has_leftover:
            self._drop_leftover()
        elif there.st_size != self.written:
            raise OSError(None, "the file was changed by somebody else; start again to read it")

    def _drop_leftover(self) -> None:
        os.ftruncate(self._file, self.written)
        self._has_leftover = False

    def _mend_end(self, contents: Contents) -> None:
        os.ftruncate(self._file, self.size)
        if contents.lacks_end:
            write_all(self._file, b"\n")
            self.end = self.end._replace(size=self.size + 1)
            _logger.warning("The store %s had no end to its last line; it was added.", self.path)
        elif self.size:
            _logger.warning(
                "The store %s ended in the middle of a write that was never answered; "
                "its last %d bytes were dropped.",
                self.path,
                contents.torn,
            )

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
    """Make a file that those may read and write who may the model. Raises OSError."""
    path.unlink(missing_ok=True)
    # Never what somebody else put there, a link to another file among it.
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    os.chmod(path, stat.S_IMODE(os.stat(model).st_mode))
    return file


def _made(folder: Path) -> list[Path]:
    """Make a folder and those above it, and return the folders that have a new one in them."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return [each.parent for each in missing]


def _sync_folder(path: Path) -> None:
    if hasattr(os, "O_DIRECTORY"):  # elsewhere folders cannot be opened
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            sync(folder)
        finally:
            os.close(folder)


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
