"""The transports of httpx, and the patch that puts them in the place of its own."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from mockgraph.serving.http1_parser import RequestParser
from mockgraph.serving.http1_writer import chunk, head
from mockgraph.serving.transports.call import Call, ConnectionBroken, TimedOut
from mockgraph.serving.transports.endpoint import PORTS, Endpoint, Peer
from mockgraph.serving.transports.patches import Attempt

if TYPE_CHECKING:
    from mockgraph.serving.transports.patches import Patches

__tracebackhide__ = True  # pytest shows the frames of the client, not those in between

T = TypeVar("T")


class HttpxTransport(httpx.BaseTransport):
    """Answers requests of ``httpx.Client``."""

    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        call = _sent(self._endpoint, request, request.stream)
        try:
            with _HTTPX_ERRORS:
                call.start()
        except BaseException:
            call.close()
            raise
        return _response(call, _whole(call) or _Stream(call))


class AsyncTransport(httpx.AsyncBaseTransport):
    """Answers requests of ``httpx.AsyncClient``. The app runs in threads of its own."""

    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        call = await _async_sent(self._endpoint, request, request.stream)
        try:
            with _HTTPX_ERRORS:
                await _in_thread(call.start)
        except BaseException:
            call.close()
            raise
        return _response(call, _whole(call) or _AsyncStream(call))


class _Stream(httpx.SyncByteStream):
    def __init__(self, call: Call):
        self._call = call

    def __iter__(self) -> Iterator[bytes]:
        with _HTTPX_ERRORS:
            while piece := self._call.read():
                yield piece

    def close(self) -> None:
        self._call.close()


class _AsyncStream(httpx.AsyncByteStream):
    def __init__(self, call: Call):
        self._call = call

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = self._call.read
        with _HTTPX_ERRORS:
            while piece := read() if self._call.is_whole else await _in_thread(read):
                yield piece

    async def aclose(self) -> None:
        self._call.close()


def patch(module: ModuleType, patches: Patches) -> None:
    """Intercept calls that are made through httpx's own transports."""
    handle: Callable[..., httpx.Response] = module.HTTPTransport.handle_request
    handle_async: Callable[..., Awaitable[httpx.Response]]
    handle_async = module.AsyncHTTPTransport.handle_async_request

    def routed(transport: Any, request: httpx.Request) -> httpx.Response:
        endpoint = _route(patches, transport, request)
        if endpoint is not None:
            return HttpxTransport(endpoint).handle_request(request)
        with patches.passing():
            return handle(transport, request)

    async def routed_async(transport: Any, request: httpx.Request) -> httpx.Response:
        endpoint = _route(patches, transport, request)
        if endpoint is not None:
            return await AsyncTransport(endpoint).handle_async_request(request)
        with patches.passing():
            return await handle_async(transport, request)

    patches.replace(module.HTTPTransport, "handle_request", routed)
    patches.replace(module.AsyncHTTPTransport, "handle_async_request", routed_async)


def _route(patches: Patches, transport: Any, request: httpx.Request) -> Endpoint | None:
    pool = getattr(transport, "_pool", None)
    if getattr(pool, "_uds", None):  # a unix socket, whatever host the URL names
        return None
    peer = _peer(request.url)
    url = peer.url(request.url.raw_path.decode("latin-1"))
    return patches.route(Attempt(peer.host, f"{request.method} {url}"))


def _peer(url: httpx.URL) -> Peer:
    if url.scheme not in PORTS:
        raise httpx.UnsupportedProtocol(f"Request URL has an unsupported protocol '{url.scheme}'.")
    return Peer(url.scheme, url.host, url.port or PORTS[url.scheme])


def _begun(endpoint: Endpoint, request: httpx.Request, body: bytes | None) -> RequestParser:
    """Return the parser of a request whose head has been sent, and its body where it is there."""
    line = f"{request.method} {request.url.raw_path.decode('latin-1')} HTTP/1.1"
    fields = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in request.headers.raw]
    try:
        sent = head(line, fields)
    except ValueError:
        raise httpx.LocalProtocolError("Illegal header value") from None
    parser = endpoint.parser(_peer(request.url))
    parser.feed(sent if body is None else sent + body)
    return parser


def _body(request: httpx.Request) -> bytes | None:
    """Return the body that goes out as it is; None where it comes in pieces, or in chunks."""
    stream = request.stream
    if not isinstance(stream, httpx.ByteStream) or "transfer-encoding" in request.headers:
        return None
    return b"".join(stream)


def _feed(parser: RequestParser, piece: bytes, request: httpx.Request) -> bool:
    """Send a piece of the body, or, empty, its end, and return whether more is read."""
    parser.feed(chunk(piece) if "transfer-encoding" in request.headers else piece)
    return not parser.abandoned


def _sent(endpoint: Endpoint, request: httpx.Request, pieces: Iterable[bytes]) -> Call:
    body = _body(request)
    parser = _begun(endpoint, request, body)
    if body is None and all(_feed(parser, piece, request) for piece in filter(None, pieces)):
        _feed(parser, b"", request)
    return _call(endpoint, parser, request)


async def _async_sent(
    endpoint: Endpoint, request: httpx.Request, pieces: AsyncIterable[bytes]
) -> Call:
    body = _body(request)
    parser = _begun(endpoint, request, body)
    if body is not None:
        return _call(endpoint, parser, request)
    async for piece in pieces:
        if piece and not _feed(parser, piece, request):
            break
    else:
        _feed(parser, b"", request)
    return _call(endpoint, parser, request)


def _call(endpoint: Endpoint, parser: RequestParser, request: httpx.Request) -> Call:
    if not parser.ready and not parser.ended:
        raise httpx.LocalProtocolError("Too little data for declared Content-Length")
    return endpoint.call(parser, request.extensions.get("timeout", {}).get("read"))


def _whole(call: Call) -> httpx.ByteStream | None:
    """Return the body of a call that ends with it, None where it has to be read piece by piece."""
    body = call.take()
    if body is None:
        return None
    call.close()
    return httpx.ByteStream(body)


def _response(call: Call, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> httpx.Response:
    return httpx.Response(
        call.status,
        headers=[(n.encode("latin-1"), v.encode("latin-1")) for n, v in call.headers],
        stream=stream,
        extensions={
            "http_version": b"HTTP/1.1",
            "reason_phrase": call.reason.encode("latin-1"),
        },
    )


async def _in_thread(work: Callable[[], T]) -> T:
    """Run the app without holding up other tasks, however many of them wait for it."""
    from anyio import CapacityLimiter, to_thread  # httpx imports it when it is needed, too

    return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=CapacityLimiter(1))


class _HttpxErrors:
    """A block in which httpx's own errors are raised for those of a call."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, TimedOut):
            raise httpx.ReadTimeout("timed out") from None
        if isinstance(error, ConnectionBroken):
            raise httpx.RemoteProtocolError(str(error)) from None


_HTTPX_ERRORS = _HttpxErrors()
