"""Reference pages of Microsoft Graph (Markdown) as values: what a page documents, nothing else.

The pages of ``localtest``, v1.0 and beta mark their code blocks with HTML comments that hold
JSON; their quirks are met where they are read: Markdown in :mod:`.blocks`, HTTP in
:mod:`.messages`, the page in :mod:`.pages`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from pathlib import Path

from mockgraph.errors import MockGraphError
from mockgraph.files import fixtures
from mockgraph.pages.messages import DocumentedRequest, DocumentedResponse, Message
from mockgraph.pages.page import (
    DocumentedOperation,
    DocumentedProperty,
    Example,
    ReferencePage,
    Representation,
    read_page,
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
]


def read_pages(directory: str | os.PathLike[str]) -> tuple[ReferencePage, ...]:
    """The pages (``*.md``) below a directory, in the order of their relative paths.

    A page's name is that path, with ``/`` on every system. Raises MockGraphError where the
    directory does not exist or holds no page, and for a page that cannot be read.
    """
    top = Path(directory)
    if not top.is_dir():
        raise MockGraphError(f"{directory}: no such directory of reference pages")
    found = {path.relative_to(top).as_posix(): path for path in top.rglob("*")}
    return _read_all(found.items(), str(directory))


def bundled_pages() -> tuple[ReferencePage, ...]:
    """The pages that ship with MockGraph, in the order of their names."""
    entries = ((entry.name, entry) for entry in fixtures().iterdir())
    return _read_all(entries, "the bundled fixtures")


def _read_all(entries: Iterable[tuple[str, Traversable]], where: str) -> tuple[ReferencePage, ...]:
    pages = [
        _read(name, file)
        for name, file in sorted(entries, key=lambda entry: entry[0])
        if name.lower().endswith(".md") and not file.is_dir()
    ]
    if not pages:
        raise MockGraphError(f"{where}: no reference pages (*.md) in it")
    return tuple(pages)


def _read(name: str, file: Traversable) -> ReferencePage:
    try:
        if not file.is_file():  # a link to nowhere, or a pipe, which has no end
            raise MockGraphError(f"{name}: is no file")
        return read_page(file.read_bytes().decode(), name)
    except UnicodeDecodeError as error:
        raise MockGraphError(f"{name}: not UTF-8 (at byte {error.start})") from None
    except OSError as error:
        raise MockGraphError(f"{name}: cannot be read ({error.strerror})") from None
