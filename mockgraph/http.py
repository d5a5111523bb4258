"""Requests and responses as they are on the wire, and no dearer than they must be.

Flask's request does for reading one; of its response the line needs a status, headers and
bytes, and those are cheaper kept as they are.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property, lru_cache
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import quote

import flask
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.sansio.utils import get_host
from werkzeug.wrappers import Request as WerkzeugRequest
from werkzeug.wrappers import Response as WerkzeugResponse

from mockgraph.errors import (
    PHRASES,
    BadRequest,
    GraphError,
    MalformedPayload,
    PayloadTooLarge,
    UnsupportedCoding,
)
from mockgraph.guids import new_guid
from mockgraph.request_heads import OWN_ID, RequestHead
from mockgraph.wsgi import SPOOLED, WITHOUT_CONTENT, Environ, Headers, StartResponse, new_file

if TYPE_CHECKING:
    from mockgraph.metadata.resources import Service
    from mockgraph.state.intent import Address

# Methods that change nothing (RFC 9110, 9.2.1).
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_PLAIN = frozenset({"", "identity"})
_GZIP = frozenset({"gzip", "x-gzip"})  # two names of one coding (RFC 9110, 8.4.1.3)
# Bytes that are unpacked whatever they were packed to, and the most to which a byte is unpacked
# beyond: JSON that repeats itself is packed to some hundredth, zeros to a thousandth.
_UNPACKED_ANYWAY = 4 * 1024 * 1024
_DENSEST = 200
_PIECE = 1024 * 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_STATUS_LINES = {status: f"{status} {phrase}" for status, phrase in PHRASES.items()}


class _Later:
    """An attribute that werkzeug's request sets at the beginning, and the line seldom needs.

    The first look at one sets them all on the request, which has them itself from then on. With
    ``__getattr__`` in its place, a look at any attribute would take ten times as long.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, request: Request | None, owner: type) -> Any:
        if request is None:
            return self
        WerkzeugRequest.__init__(request, request.environ, False, request.shallow)
        return vars(request)[self._name]


class Request(flask.Request):
    """A request: its ids, its content, and what the line finds out about it on the way.

    ``head`` may be that of other requests, too; ``request_id`` is the GUID of this one,
    ``client_request_id`` the caller's or the same; ``address`` is where it led, None until that is
    known; ``answered_by`` tells what answered: ``emulation``, ``fault``, ``stub``, ``sign-in`` or
    ``police``; ``strike`` is what faults do to the answer, ``ending`` is how they have the work end
    that the request sets going; ``settle`` waits until what it wrote is on the disk, where that is
    still to be.
    """

    address: Address | None = None
    service: Service | None = None
    is_recorded: bool = False
    answered_by: str = "emulation"
    strike: ResponseEffects | None = None
    ending: str = "succeeded"
    settle: Callable[[], None] | None = None
    # Said by the app, of each request; Flask's looks it up in the app's configuration each time.
    max_content_length: int | None = None

    def __init__(
        self,
        environ: Environ,
        populate_request: bool = True,
        shallow: bool = False,
        head: RequestHead | None = None,
    ):
        if head is None:
            head = RequestHead()
            head.read(environ)
        self.head = head
        if populate_request:
            super().__init__(environ, populate_request, shallow)
        else:
            # What the line asks of each; the rest werkzeug sets once it is asked for.
            self.environ = environ
            self.shallow = shallow
            self.method = head.method
            self.root_path = head.root_path
            self.path = head.path
            self.query_string = head.query_string
        self.request_id = new_guid()
        self.client_request_id: str = environ.get(OWN_ID) or self.request_id

    if not TYPE_CHECKING:
        headers, remote_addr, scheme, server = _Later(), _Later(), _Later(), _Later()

    @property
    def server_origin(self) -> str:
        """Scheme, host, port and prefix as the caller wrote them. Raises 400 without a host."""
        environ = self.environ
        host, scheme = environ.get("HTTP_HOST"), environ["wsgi.url_scheme"]
        name, port = environ.get("SERVER_NAME"), environ.get("SERVER_PORT")
        return _origin(scheme, host, name, port, self.root_path)

    def settle_later(self, settle: Callable[[], None]) -> None:
        """Take note of what waits until that which was written is on the disk."""
        self.settle = settle

    def step_aside(self) -> None:
        """Let others be served from now on, in a server that knows how, while this one waits."""
        sleep = self.environ.get("mockgraph.sleep")
        if sleep is not None:
            sleep(0)

    @cached_property
    def content(self) -> bytes:
        """The body, whole, and unpacked where it came packed, as the SDK for Go sends it, and those
        for TypeScript may. Raises 400 where it broke off, 413 where it is too large, 415 where it
        is packed in another way than by gzip."""
        data = self._at_hand()
        if data is None:
            data = read_body(self)
        coding = self.environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
        if not data or coding in _PLAIN:
            return data
        if coding not in _GZIP:
            raise UnsupportedCoding(coding)
        return b"".join(_unpacked(BytesIO(data), len(data), self.max_content_length))

    def short_content(self, most: int) -> bytes | None:
        """Return the content where it is at hand, came unpacked and has no more bytes than this."""
        if "HTTP_CONTENT_ENCODING" in self.environ:
            return None
        data = self._at_hand()
        if data is None or len(data) > most:
            return None
        self.content = data
        return data

    def content_file(self) -> IO[bytes] | None:
        """Return a file of the body where it was too large to be kept in memory, None of others.

        Raises as ``content`` does, to which it is an alternative.
        """
        size: int | None = self.environ.get(SPOOLED)
        if size is None:
            return None
        file: IO[bytes] = self.environ["wsgi.input"]
        file.seek(0)
        limit = self.max_content_length
        if limit is not None and size > limit:
            raise PayloadTooLarge(limit)
        coding = self.environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
        if coding in _PLAIN:
            return file
        if coding not in _GZIP:
            raise UnsupportedCoding(coding)
        unpacked = self.environ["wsgi.input"] = new_file()
        with file:
            unpacked.writelines(_unpacked(file, size, limit))
        return unpacked

    def _at_hand(self) -> bytes | None:
        """The body as it was sent, where all of it has been received, as our server does."""
        stream = self.environ["wsgi.input"]
        if type(stream) is not BytesIO:
            return None
        data, limit = stream.getvalue(), self.max_content_length
        is_small = limit is None or len(data) <= limit
        is_whole = str(len(data)) == self.environ.get("CONTENT_LENGTH", "0")
        return data if is_small and is_whole else None


class ResponseEffects(Protocol):
    """The effects of a test's faults on the response to one request."""

    @property
    def effects(self) -> Sequence[object]:
        """The effects, whose texts the journal shows."""

    def apply(self, response: Response) -> Response:
        """Return the response after the effects on it."""


class Response:
    """An answer: a status, headers as pairs, and the body, whole or, in ``chunks``, bit by bit."""

    __slots__ = ("body", "chunks", "headers", "status")

    def __init__(
        self,
        status: int,
        body: bytes = b"",
        content_type: str | None = None,
        headers: Headers | None = None,
    ):
        self.status = status
        self.body = body
        self.headers: Headers = [] if headers is None else headers
        if content_type is not None:
            self.headers.append(("Content-Type", content_type))
        self.chunks: Iterable[bytes] | None = None

    def get(self, name: str) -> str | None:
        """Return the first value of a header."""
        name = name.lower()
        return next((value for each, value in self.headers if each.lower() == name), None)

    def set(self, name: str, value: str) -> None:
        """Give a header this one value."""
        lower = name.lower()
        self.headers = [pair for pair in self.headers if pair[0].lower() != lower]
        self.headers.append((name, value))

    def send(self, method: str, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request of this method as WSGI has it."""
        status, headers = self.status, self.headers
        line = _STATUS_LINES.get(status) or f"{status} Unknown"
        if status in WITHOUT_CONTENT:
            start_response(line, headers)
            return []
        if self.chunks is None:
            headers = [*headers, ("Content-Length", str(len(self.body)))]
        start_response(line, headers)
        if method == "HEAD":
            return []
        return [self.body] if self.chunks is None else self.chunks


def from_werkzeug(response: WerkzeugResponse) -> Response:
    """Return a response of werkzeug's as one of ours."""
    taken = Response(response.status_code, response.get_data())
    taken.headers = [pair for pair in response.headers if pair[0].lower() != "content-length"]
    return taken


def identifying_headers(request: Request) -> Headers:
    """Return the headers that every answer to a request carries."""
    return [
        ("request-id", request.request_id),
        ("client-request-id", request.client_request_id),
        ("OData-Version", "4.0"),
    ]


def error_body(error: GraphError, request: Request, at: datetime | None = None) -> dict[str, Any]:
    """Graph's error object for this request, at a time of its tenant's clock."""
    return error.body(request.request_id, request.client_request_id, at)


def check_path(path: str) -> None:
    """Raise 400 where a path, as WSGI has it, is not UTF-8, or has control characters."""
    if path.isascii() and path.isprintable():
        return
    try:
        text = path.encode("latin-1").decode()
    except UnicodeError:
        raise BadRequest("The path is not in UTF-8.") from None
    if _CONTROL.search(text):
        raise BadRequest("The path has control characters.")


def read_body(request: WerkzeugRequest) -> bytes:
    """Return the body of a request, whole; it can be read again.

    Raises 400 where it broke off, 413 where it is larger than ``request.max_content_length``.
    """
    limit, announced = request.max_content_length, request.content_length
    try:
        data = request.get_data()
    except RequestEntityTooLarge:
        raise PayloadTooLarge(cast("int", limit)) from None
    except ClientDisconnected:
        data = b""
    if len(data) < (announced or 0):
        raise BadRequest("The request body ended before its Content-Length.")
    # Of a body without a Content-Length, werkzeug gives as much as it may have, no error.
    if announced is None and len(data) == limit and request.environ["wsgi.input"].read(1):
        raise PayloadTooLarge(limit)
    return data


def _unpacked(file: IO[bytes], packed: int, limit: int | None) -> Iterator[bytes]:
    """Give the content that gzip packed in a file of so many bytes, in pieces.

    Raises 413 once that is more than a body may have, or than a text may be packed to.
    """
    most = max(_UNPACKED_ANYWAY, _DENSEST * packed)
    most = most if limit is None else min(limit, most)
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    size = 0
    try:
        while not reader.eof and (data := reader.unconsumed_tail or file.read(_PIECE)):
            piece = reader.decompress(data, _PIECE)
            size += len(piece)
            if size > most:
                raise PayloadTooLarge(most)
            yield piece
    except zlib.error:
        raise MalformedPayload from None
    if not reader.eof or reader.unused_data or file.read(1):
        raise MalformedPayload


@lru_cache(maxsize=256)
def _origin(
    scheme: str, host: str | None, server: str | None, port: str | None, prefix: str
) -> str:
    number = int(port) if port and port.isdecimal() else None  # none is a socket's path
    name = get_host(scheme, host, None if server is None else (server, number))
    if not name:
        raise BadRequest("The Host header is missing or is not a host.")
    return f"{scheme}://{name}{quote(prefix)}"
