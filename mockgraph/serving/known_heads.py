"""The heads of requests that clients send again and again, so that they are parsed once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from io import BytesIO
from typing import NamedTuple

from mockgraph.wsgi import SPOOLED, Environ

_MOST_HEADS = 4096
_MOST_BYTES = 4 * 1024 * 1024  # of them
_LONGEST = 4096  # bytes of a head that is remembered
END_OF_HEAD = b"\r\n\r\n"
# What says that a request has come in another way than as a head and a small body.
_UNUSUAL = frozenset({"HTTP_TRANSFER_ENCODING", "HTTP_EXPECT", "HTTP_UPGRADE", SPOOLED})


class ParsedRequest(NamedTuple):
    """A complete request; ``keep`` is true where others may follow on its connection."""

    environ: Environ
    keep: bool


class _KnownHead(NamedTuple):
    """The variables of environ that a head makes, and the length of the body that follows.

    ``keep`` is that of its requests.
    """

    variables: Mapping[str, str]
    length: int
    keep: bool


class KnownHeads:
    """The variables of the last heads that came twice, by their bytes. Threads may share it.

    Only a piece that is one whole request is found here; whatever else comes is for the parser.
    """

    def __init__(self) -> None:
        self._heads: dict[bytes, _KnownHead | None] = {}  # None: it came once
        self._size = 0
        self._lock = threading.Lock()

    def find(self, data: bytes, base: Environ, most: int) -> ParsedRequest | None:
        """Return the request that these bytes are, None where that is not known.

        Its body has at most so many bytes.
        """
        end = data.find(END_OF_HEAD) + len(END_OF_HEAD)
        known = self._heads.get(data[:end])
        if known is None or known.length != len(data) - end or known.length > most:
            return None
        environ = {**base, **known.variables}
        environ["wsgi.input"] = BytesIO(data[end:])
        return ParsedRequest(environ, known.keep)

    def awaits_body(self, data: bytes, most: int) -> bool:
        """Return whether these bytes are a known head alone, and a body of at most so many follows.

        Clients in Python send the two apart.
        """
        known = self._heads.get(data) if len(data) <= _LONGEST else None
        return known is not None and 0 < known.length <= most

    def note(self, data: bytes, base: Environ, request: ParsedRequest) -> None:
        """Take note of what was parsed of these bytes, one whole request, the second time."""
        environ = request.environ
        end = data.find(END_OF_HEAD) + len(END_OF_HEAD)
        head = data[:end]
        length = int(environ.get("CONTENT_LENGTH", 0))
        # What lies before a request, as an empty line may, is no part of its head.
        if length != len(data) - end or end > _LONGEST or head[:1].isspace():
            return
        if not _UNUSUAL.isdisjoint(environ):
            return
        known = None
        if head in self._heads:
            made = {name: value for name, value in environ.items() if name not in base}
            del made["wsgi.input"]
            known = _KnownHead(made, length, request.keep)
        with self._lock:
            self._size += end if head not in self._heads else 0
            self._heads[head] = known
            while len(self._heads) > _MOST_HEADS or self._size > _MOST_BYTES:
                oldest = next(iter(self._heads))
                del self._heads[oldest]
                self._size -= len(oldest)
