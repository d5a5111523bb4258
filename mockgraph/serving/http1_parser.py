"""The parser of HTTP/1.1: from the bytes that a client sends to requests as WSGI has them.

The grammar is that of httptools (llhttp, which Node.js has too). It is strict: what could be
read in two ways is refused. The sizes that it leaves open are bounded here.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import IO
from urllib.parse import unquote_to_bytes

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from mockgraph.errors import BadRequest, GraphError, PayloadTooLarge, StoreFailed
from mockgraph.serving.known_heads import END_OF_HEAD, KnownHeads, ParsedRequest
from mockgraph.wsgi import SPOOLED, Environ, close_body, new_file, variable

MAX_HEAD = 64 * 1024  # bytes
MAX_TARGET = 32 * 1024  # bytes
MAX_HEADERS = 100
SMALL = 64 * 1024  # bytes of a body that is read, whatever its head says
_IN_MEMORY = 16 * 1024 * 1024  # bytes of a body that are not in a file

BodyLimit = Callable[[Environ], int]

_KNOWN_HEADS = KnownHeads()

_VERSIONS = frozenset({"HTTP/1.0", "HTTP/1.1"})
_NO_HTTP = "This is not HTTP/1.1: {}."
_NO_CODING = "A body is sent chunked or as it is, not in the transfer coding '{}'."


class TargetTooLong(GraphError):
    """The target of a request is longer than MAX_TARGET bytes."""

    status = 414
    code = "RequestUriTooLong"
    default_message = f"The URL is longer than the {MAX_TARGET} bytes allowed."


class HeadersTooLarge(GraphError):
    """A head has more than MAX_HEADERS fields or MAX_HEAD bytes."""

    status = 431
    code = "RequestHeaderFieldsTooLarge"
    default_message = f"More than {MAX_HEADERS} header fields or {MAX_HEAD} bytes of them."


class RequestTimeout(GraphError):
    """A request that was begun has not come to its end in time."""

    status = 408
    code = "RequestTimeout"
    default_message = "The request did not come to its end in time."


class TruncatedBody(BytesIO):
    """The beginning of a body that is too large; reading beyond it raises OSError."""

    def read(self, size: int | None = -1) -> bytes:
        data = b"" if size is None or size < 0 else super().read(size)
        if not data and size != 0:
            raise OSError("The request body is larger than the server keeps.")
        return data


class _Stop(Exception):
    """Raised in the callbacks of the parser to end it: what follows is not read."""


def base_environ(scheme: str, host: str, port: int) -> Environ:
    """Return the part of an environ that all requests to one port have (PEP 3333)."""
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,  # a chunked body can be read to its end
    }


class RequestParser:
    """The requests of one connection: those ``ready`` to be answered, or the ``refusal`` of one.

    A body is kept whole before its request is ready, so a client that sends slowly costs no
    thread, and the request of one that breaks off reaches no app. A body of more than
    ``max_body`` bytes is not read to its end: the request is ready with the larger Content-Length,
    or with more than ``max_body`` bytes of its body as :class:`TruncatedBody`, for the app to
    refuse. Where ``body_limit`` is given, it is asked once a body has more than :data:`SMALL`
    bytes: given the head, as the app will be, it says how many bytes are worth reading.

    ``under_way`` is true while the head of a request is complete and its body is not; ``ended``
    once nothing comes after the last of ``ready``; ``abandoned`` where the client may have sent
    more all the same; ``waits`` while the client holds a body back until it is told to continue.
    ``beyond`` counts the bytes after a CONNECT: they are for the tunnel.
    """

    __slots__ = (
        "_base",
        "_begun",
        "_body",
        "_body_limit",
        "_environ",
        "_fields",
        "_file",
        "_fruitless",
        "_in_head",
        "_is_pipelined",
        "_known_up_to",
        "_knows",
        "_limit",
        "_made",
        "_max_body",
        "_size",
        "_target",
        "_upgrade",
        "abandoned",
        "beyond",
        "ended",
        "ready",
        "refusal",
        "under_way",
        "waits",
    )

    def __init__(self, base: Environ, max_body: int, body_limit: BodyLimit | None = None):
        self.ready: deque[ParsedRequest] = deque()
        self.refusal: GraphError | None = None
        self.under_way = False
        self.ended = False
        self.abandoned = False
        self.waits = False
        self.beyond = 0
        self._base = base
        self._body_limit = body_limit
        self._max_body = self._limit = max_body
        self._known_up_to = min(max_body, SMALL)
        self._made: HttpRequestParser | None = None
        self._in_head = False
        self._begun = b""  # the head of the request that is coming, where it came alone
        self._knows = False  # whether that head is known, and was not parsed
        # Whether a request ended in the piece that is parsed: of a head behind it, the size is
        # not known, and counted from the next piece on.
        self._is_pipelined = False
        self._upgrade: bytes | None = None
        self._file: IO[bytes] | None = None
        self._size = self._fruitless = 0

    def forget(self) -> None:
        """Drop the references to the connection and the parser, which form a cycle."""
        self._base = {}
        self._environ = self._base
        self._made = None
        for request in self.ready:
            close_body(request.environ)
        if self._file is not None:
            self._file.close()

    def feed(self, data: bytes) -> None:
        """Parse what was received, or find it known."""
        if self._knows:
            self._knows = self.under_way = False
            data = self._begun + data
        is_first = not (self.under_way or self._in_head or self.ended)
        if is_first:
            request = _KNOWN_HEADS.find(data, self._base, self._known_up_to)
            if request is not None:
                self.ready.append(request)
                self.ended = not request.keep
                return
            if _KNOWN_HEADS.awaits_body(data, self._known_up_to):
                self._knows = self.under_way = True
                self._begun = data
                self._size = 0
                return
        before = len(self.ready)
        rest = self._parse(data)
        while rest and not self.ended:
            rest = self._parse(rest)
        sent = data if is_first else self._begun and self._begun + data
        if sent and len(self.ready) == before + 1 and not (self.abandoned or self.is_within):
            _KNOWN_HEADS.note(sent, self._base, self.ready[-1])
        self._begun = data if is_first and self.under_way and data.endswith(END_OF_HEAD) else b""

    def _parse(self, data: bytes) -> bytes:
        """Parse up to the end of the data, or of a request that offers another protocol.

        Return the rest, which is still to be parsed.
        """
        received = self._size
        self._is_pipelined = False
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
            self._stay(rest)
            return rest
        except HttpParserCallbackError:
            if not self.ended:
                raise
        except HttpParserError as error:
            self.refuse(BadRequest(_NO_HTTP.format(error)))
        if self._in_head and not self._is_pipelined:
            self._size += len(data)
            if self._size > MAX_HEAD:
                self.refuse(HeadersTooLarge())
        elif self.under_way:
            # Trailers and chunk extensions: the body does not grow by them, nor may they.
            self._fruitless = self._fruitless + len(data) if self._size == received else 0
            if self._fruitless > MAX_HEAD:
                self.refuse(HeadersTooLarge())
        return b""

    @property
    def _parser(self) -> HttpRequestParser:
        """The parser of httptools, made once there is something that is not known."""
        if self._made is None:
            self._made = HttpRequestParser(self)
        return self._made

    @property
    def is_within(self) -> bool:
        """Whether a request has begun to come and is not whole."""
        return self.under_way or self._in_head

    @property
    def received(self) -> int:
        """The bytes of the head or the body that is coming."""
        return self._size if self.is_within else 0

    def end(self) -> None:
        """Take note that nothing more will come."""
        if self.under_way or self._in_head:
            self.refuse(BadRequest("The request ended before it was complete."))
        self.ended = True

    def refuse(self, error: GraphError) -> None:
        """Parse no more, and answer what is coming, or the next request, with an error."""
        if not self.ended:
            self.refusal = error
            self._stop()

    def _stop(self) -> None:
        self.ended = self.abandoned = True
        self.under_way = self._in_head = self.waits = False

    def _stay(self, rest: bytes) -> None:
        """Go on with HTTP/1.1 where a client offers another protocol.

        llhttp takes all that follows for that protocol, the body too. So a new parser is fed
        the framing of the body; it adds the body to the request that was begun.
        """
        framing = self._upgrade
        if framing is None:  # a tunnel, whose only request is ready
            self.abandoned = True
            self.beyond = len(rest)
            return
        self._made = HttpRequestParser(self)
        self._made.feed_data(framing)
        self._upgrade = None

    # -- callbacks of httptools ---------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._upgrade is not None:
            return
        self._environ = self._base.copy()
        self._target = b""
        self._body: list[bytes] = []
        self._fields = self._size = self._fruitless = 0
        self._in_head = True

    def on_url(self, part: bytes) -> None:
        self._target += part
        if len(self._target) > MAX_TARGET:
            self.refuse(TargetTooLong())
            raise _Stop

    def on_header(self, field: bytes, value: bytes) -> None:
        self._fields += 1
        if self._fields > MAX_HEADERS:
            self.refuse(HeadersTooLarge())
            raise _Stop
        name = _variable(field)
        if name is None or not self._in_head or self._upgrade is not None:
            return  # no field of this head: a trailer, or a name that stands for another
        text = value.decode("latin-1").rstrip(" \t")
        environ = self._environ
        environ[name] = f"{environ[name]},{text}" if name in environ else text

    def on_headers_complete(self) -> None:
        if self._upgrade is not None:
            return
        self._in_head = False
        self.under_way = True
        self._size = 0
        environ, parser = self._environ, self._parser
        environ["REQUEST_METHOD"] = parser.get_method().decode()
        version = environ["SERVER_PROTOCOL"] = f"HTTP/{parser.get_http_version()}"
        self._address()
        if version not in _VERSIONS:
            self.refuse(BadRequest(_NO_HTTP.format(f"it says {version}")))
            raise _Stop
        if version == "HTTP/1.1" and not environ.get("HTTP_HOST"):
            self.refuse(BadRequest("The Host header is missing."))
            raise _Stop
        self._limit = self._max_body if self._body_limit is None else SMALL
        coding = environ.get("HTTP_TRANSFER_ENCODING")
        if coding is not None and coding.lower() != "chunked":
            self.refuse(BadRequest(_NO_CODING.format(coding[:100])))
            raise _Stop
        length = environ.get("CONTENT_LENGTH")
        if length is not None:
            # Python refuses to read a number of more than 4,300 digits, be they zeros.
            length = environ["CONTENT_LENGTH"] = length.lstrip("0") or "0"
            if int(length) > self._limit:
                self._reconsider()
                if int(length) > self._limit:
                    self._truncate()
        if parser.should_upgrade() and environ["REQUEST_METHOD"] != "CONNECT":
            self._upgrade = _framing(environ)
        expected = environ.get("HTTP_EXPECT", "").lower()
        self.waits = expected == "100-continue" and version == "HTTP/1.1"

    def on_body(self, part: bytes) -> None:
        self.waits = False
        self._body.append(part)
        self._size += len(part)
        if self._size > self._limit:
            self._reconsider()
            if self._size > self._limit and self._file is not None:
                self.refuse(PayloadTooLarge(self._limit))
                raise _Stop
            if self._size > self._limit:
                self._truncate()
        if self._size > _IN_MEMORY:
            self._spool()

    def on_message_complete(self) -> None:
        if self._upgrade is not None and self._parser.should_upgrade():
            return  # the body, if any, is still to come
        self._is_pipelined = True
        keep = self._keeps()
        self._complete(BytesIO, keep)
        self.ended = not keep

    def _reconsider(self) -> None:
        """Ask how many bytes of a body that is not small are worth reading."""
        if self._limit == SMALL and self._body_limit is not None:
            self._limit = max(SMALL, self._body_limit(self._environ))

    def _truncate(self) -> None:
        self._complete(TruncatedBody, keep=False)
        self._stop()
        raise _Stop

    def _spool(self) -> None:
        """Move what came of a body to a file."""
        try:
            if self._file is None:
                self._file = new_file()
            self._file.writelines(self._body)
        except OSError:
            self.refuse(StoreFailed("There is no room for the request body."))
            raise _Stop from None
        self._body.clear()

    def _complete(self, stream: type[BytesIO], keep: bool) -> None:
        self.under_way = self.waits = False
        file, self._file = self._file, None
        if file is None:
            self._environ["wsgi.input"] = stream(b"".join(self._body))
        else:
            file.seek(0)
            self._environ["wsgi.input"] = file
            self._environ[SPOOLED] = self._size
        self.ready.append(ParsedRequest(self._environ, keep))

    def _keeps(self) -> bool:
        environ = self._environ
        if environ["REQUEST_METHOD"] == "CONNECT":
            return False
        tokens = environ.get("HTTP_CONNECTION", "").lower()
        if environ["SERVER_PROTOCOL"] == "HTTP/1.1":
            return "close" not in tokens
        # A transfer coding in HTTP/1.0 may be framed otherwise than it says (RFC 9112, 6.1).
        return "keep-alive" in tokens and "HTTP_TRANSFER_ENCODING" not in environ

    def _address(self) -> None:
        """Set the variables of the request's target; ``REQUEST_URI`` is the target as sent."""
        environ, target = self._environ, self._target.decode("ascii")
        environ["REQUEST_URI"] = target
        if target[:1] != "/" and "://" in target:  # the absolute form, as to a proxy
            authority, slash, rest = target.partition("://")[2].partition("/")
            environ["HTTP_HOST"] = authority.partition("?")[0]
            target = slash + rest if slash else "/"
        path, _, environ["QUERY_STRING"] = target.partition("?")
        if "%" in path:
            path = unquote_to_bytes(path).decode("latin-1")
        environ["PATH_INFO"] = path


@lru_cache(maxsize=512)
def _variable(field: bytes) -> str | None:
    """Return the name in environ of a header field, None where it could stand for another's."""
    return None if b"_" in field else variable(field.decode("latin-1"))


def _framing(environ: Environ) -> bytes:
    """Return the head of a request whose body is framed as this one's."""
    length = environ.get("CONTENT_LENGTH")
    if length is not None:
        return f"POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode()
    if "HTTP_TRANSFER_ENCODING" in environ:
        return b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    return b"POST / HTTP/1.1\r\n\r\n"
