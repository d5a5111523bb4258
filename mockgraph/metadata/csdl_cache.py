"""A cache of CSDL files that were read, kept where users keep such.

A cached model is a document in the notation, which is plain text: nothing of it is executed,
and only what is asked for is parsed. The name of a file is a digest of the contents it was made
of, so a changed CSDL file is simply another one. What is damaged, or not the owner's alone, is
left aside and written anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mockgraph import __version__
from mockgraph.errors import MockGraphError
from mockgraph.files import put
from mockgraph.metadata import csdl, notation, notation_writer
from mockgraph.metadata.csdl_tree import read_bytes
from mockgraph.metadata.entity_data_model import Model

# Changes whenever the notation does, or what reading CSDL makes of a document.
FORMAT: Final = "1"
KEPT: Final = 16
_SUFFIX: Final = ".edm"


def folder() -> Path:
    """Return the folder of the cache: ``mockgraph/metadata`` where the user's caches are."""
    from platformdirs import user_cache_path  # takes a moment to import

    return user_cache_path("mockgraph") / "metadata"


def read_cached(
    paths: Sequence[Path], known: Model | None = None, where: Path | None = None
) -> Model:
    """Return the model of CSDL files as :func:`csdl.read` does, from the cache if it is there.

    Raises MockGraphError for what is wrong with a file; a cache that cannot be read or written
    is done without.
    """
    documents = [(str(path), read_bytes(path)) for path in paths]
    place = (folder() if where is None else where) / f"{_digest(documents, known)}{_SUFFIX}"
    cached = _cached(place)
    if cached is not None:
        return cached
    model = csdl.parse(documents, known)
    with contextlib.suppress(OSError):
        _keep(place, notation_writer.write(model).encode())
    return model


def _digest(documents: Sequence[tuple[str, bytes]], known: Model | None) -> str:
    """Return a digest of all that the model depends on, what is known besides included."""
    digest = hashlib.sha256(f"{FORMAT} {__version__}\n".encode())
    for _, data in documents:
        digest.update(hashlib.sha256(data).digest())
    if known is not None:
        for name in known.type_names():
            digest.update(f"{name} {known.base_of(name)}\n".encode())
    return digest.hexdigest()


def _cached(place: Path) -> Model | None:
    try:
        with place.open("rb") as file:
            if _is_others(os.fstat(file.fileno())):
                return None
            seal, _, data = file.read().partition(b"\n")
    except OSError:
        return None
    if seal != _seal(data):
        return None
    try:
        return notation.parse([(str(place), data.decode())])
    except (MockGraphError, ValueError):
        return None


def _is_others(status: os.stat_result) -> bool:
    """Whether others than the owner of the process may have written a file."""
    return hasattr(os, "getuid") and (status.st_uid != os.getuid() or bool(status.st_mode & 0o077))


def _seal(data: bytes) -> bytes:
    return b"# sha256 " + hashlib.sha256(data).hexdigest().encode()


def _keep(place: Path, data: bytes) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    put(place, b"%s\n%s" % (_seal(data), data))
    kept = sorted(place.parent.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
    for old in kept[:-KEPT]:
        old.unlink(missing_ok=True)
