"""Reference pages of Microsoft Graph (Markdown) as values: what a page documents, nothing else.

The pages of ``localtest``, v1.0 and beta mark their code blocks with HTML comments that hold
JSON; their quirks are met where they are read: Markdown in :mod:`.blocks`, HTTP in
:mod:`.messages`, JSON in :mod:`.tolerant_json`, the page in :mod:`.page`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path

from mockgraph.errors import MockGraphError
from mockgraph.files import fixtures
from mockgraph.pages.blocks import split_front_matter
from mockgraph.pages.documented_examples import Example
from mockgraph.pages.messages import DocumentedRequest, DocumentedResponse, Message
from mockgraph.pages.page import (
    DocumentedOperation,
    DocumentedProperty,
    ReferencePage,
    Representation,
    read_page,
    unread,
)

__all__ = [
    "DocumentedOperation",
    "DocumentedProperty",
    "DocumentedRequest",
    "DocumentedResponse",
    "Example",
    "Message",
    "ReferencePage",
    "Representation",
    "bundled_pages",
    "read_page",
    "read_pages",
    "reference_pages",
]

Stamp = tuple[str, int, int]  # a page's name, the time of its file, the size

_INCLUDE = re.compile(
    r"\[!INCLUDE \[[^\]]*\]\(([\w./-]*permissions[\w./-]*\.md)\)\]", re.IGNORECASE
)


def read_pages(directory: str | os.PathLike[str]) -> tuple[ReferencePage, ...]:
    """Return the pages (``*.md``) below a directory, in the order of their relative paths.

    A page's name is that path, with ``/`` on every system. What lies in a folder ``includes`` is
    part of other pages: the tables of permissions are put where they are included. Raises
    MockGraphError where the directory does not exist or holds no page; a page that cannot be
    read says why.
    """
    top = Path(directory)
    if not top.is_dir():
        raise MockGraphError(f"{directory}: no such directory of reference pages")
    found = {path.relative_to(top).as_posix(): path for path in top.rglob("*.[mM][dD]")}
    stamps = tuple((name, *_stamp(path)) for name, path in sorted(found.items()))
    return _read_kept(str(directory), stamps)


@lru_cache(maxsize=8)
def _read_kept(
    directory: str, stamps: tuple[tuple[str, int, int], ...]
) -> tuple[ReferencePage, ...]:
    """The pages of a directory; as long as no file changes, they are read once."""
    return _read_all({name: Path(directory) / name for name, *_ in stamps}, directory)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:  # a link to nowhere
        return 0, 0
    return found.st_mtime_ns, found.st_size


def bundled_pages() -> tuple[ReferencePage, ...]:
    """Return the bundled pages that show what a fresh server has, by their names."""
    return _read_all({each.name: each for each in fixtures().iterdir()}, "the bundled fixtures")


def reference_pages() -> tuple[ReferencePage, ...]:
    """Return the bundled pages to be replayed: of resources under v1.0 and beta."""
    folder = fixtures() / "reference"
    if not folder.is_dir():
        return ()
    entries = {
        f"{root.name}/{each.name}": each for root in folder.iterdir() for each in root.iterdir()
    }
    return _read_all(entries, "the bundled reference")


def _read_all(entries: Mapping[str, Traversable], where: str) -> tuple[ReferencePage, ...]:
    names = [name for name in sorted(entries) if name.lower().endswith(".md")]
    parts = {name for name in names if "includes" in name.split("/")[:-1]}
    pages = [
        _read(name, entries) for name in names if name not in parts and not entries[name].is_dir()
    ]
    if not pages:
        raise MockGraphError(f"{where}: no reference pages (*.md) in it")
    return tuple(pages)


def _read(name: str, entries: Mapping[str, Traversable]) -> ReferencePage:
    try:
        text = _INCLUDE.sub(lambda link: _included(link, name, entries), _text(entries[name]))
        return read_page(text, name)
    except MockGraphError as error:
        return unread(name, str(error).removeprefix(f"{name}: "))
    except RecursionError:
        return unread(name, "nested too deeply")


def _text(file: Traversable) -> str:
    """The text of a file: UTF-8, what the mark at its beginning says, or else Windows-1252."""
    try:
        if not file.is_file():  # a link to nowhere, or a pipe, which has no end
            raise MockGraphError("is no file")
        data = file.read_bytes()
    except OSError as error:
        raise MockGraphError(f"cannot be read ({error.strerror})") from None
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("windows-1252", "replace")


def _included(link: re.Match[str], name: str, entries: Mapping[str, Traversable]) -> str:
    """The text of a table of permissions in place of its include, if the folder has the file."""
    parts = name.split("/")[:-1]
    for part in link[1].split("/"):
        parts = parts[:-1] if part == ".." else [*parts, part]
    file = entries.get("/".join(parts))
    try:
        return link[0] if file is None else split_front_matter(_text(file))[1].strip()
    except MockGraphError:
        return link[0]
