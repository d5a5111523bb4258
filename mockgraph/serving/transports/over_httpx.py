"""httpx answered in process, by transports of its own or in the place of its transports."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from mockgraph.serving.server.requests import Requests
from mockgraph.serving.transports.endpoint import PORTS, Endpoint, Peer
from mockgraph.serving.transports.exchange import CutOff, Exchange, TimedOut
from mockgraph.serving.transports.refusals import Attempt

if TYPE_CHECKING:
    from mockgraph.serving.transports.patches import Patches

T = TypeVar("T")


class Transport(httpx.BaseTransport):
    """Answers requests of ``httpx.Client``."""

    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        exchange = _sent(self._endpoint, request, request.stream)
        try:
            with _httpx_errors():
                exchange.start()
        except BaseException:
            exchange.close()
            raise
        return _response(exchange, _Stream(exchange))


class AsyncTransport(httpx.AsyncBaseTransport):
    """Answers requests of ``httpx.AsyncClient``. The app runs in threads of its own."""

    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        exchange = await _async_sent(self._endpoint, request, request.stream)
        try:
            with _httpx_errors():
                await _in_thread(exchange.start)
        except BaseException:
            exchange.close()
            raise
        return _response(exchange, _AsyncStream(exchange))


class _Stream(httpx.SyncByteStream):
    def __init__(self, exchange: Exchange):
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        with _httpx_errors():
            while piece := self._exchange.read():
                yield piece

    def close(self) -> None:
        self._exchange.close()


class _AsyncStream(httpx.AsyncByteStream):
    def __init__(self, exchange: Exchange):
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = self._exchange.read
        with _httpx_errors():
            while piece := read() if self._exchange.is_whole else await _in_thread(read):
                yield piece

    async def aclose(self) -> None:
        self._exchange.close()


def patch(module: ModuleType, patches: Patches) -> None:
    """Intercept calls that are made through httpx's own transports."""
    handle: Callable[..., httpx.Response] = module.HTTPTransport.handle_request
    handle_async: Callable[..., Awaitable[httpx.Response]]
    handle_async = module.AsyncHTTPTransport.handle_async_request

    def routed(transport: Any, request: httpx.Request) -> httpx.Response:
        endpoint = _route(patches, transport, request)
        if endpoint is not None:
            return Transport(endpoint).handle_request(request)
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


def _begun(endpoint: Endpoint, request: httpx.Request) -> Requests:
    """A request whose head has been sent, as httpx sends it."""
    line = b"%b %b HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)
    fields = [b"%b: %b" % field for field in request.headers.raw]
    if any(b"\n" in field or b"\r" in field for field in fields):
        raise httpx.LocalProtocolError("Illegal header value")
    requests = endpoint.requests(_peer(request.url))
    requests.feed(b"\r\n".join([line, *fields, b"", b""]))
    return requests


def _feed(requests: Requests, piece: bytes, request: httpx.Request) -> bool:
    """Send a piece of the body, the end of it where that is empty; whether more is welcome."""
    if "transfer-encoding" in request.headers:
        piece = b"%x\r\n%b\r\n" % (len(piece), piece)
    requests.feed(piece)
    return not requests.abandoned


def _sent(endpoint: Endpoint, request: httpx.Request, pieces: Iterable[bytes]) -> Exchange:
    requests = _begun(endpoint, request)
    if all(_feed(requests, piece, request) for piece in filter(None, pieces)):
        _feed(requests, b"", request)
    return _exchange(endpoint, requests, request)


async def _async_sent(
    endpoint: Endpoint, request: httpx.Request, pieces: AsyncIterable[bytes]
) -> Exchange:
    requests = _begun(endpoint, request)
    async for piece in pieces:
        if piece and not _feed(requests, piece, request):
            break
    else:
        _feed(requests, b"", request)
    return _exchange(endpoint, requests, request)


def _exchange(endpoint: Endpoint, requests: Requests, request: httpx.Request) -> Exchange:
    if not requests.ready and not requests.ended:
        raise httpx.LocalProtocolError("Too little data for declared Content-Length")
    return endpoint.exchange(requests, request.extensions.get("timeout", {}).get("read"))


def _response(
    exchange: Exchange, stream: httpx.SyncByteStream | httpx.AsyncByteStream
) -> httpx.Response:
    return httpx.Response(
        exchange.status,
        headers=[(n.encode("latin-1"), v.encode("latin-1")) for n, v in exchange.headers],
        stream=stream,
        extensions={
            "http_version": b"HTTP/1.1",
            "reason_phrase": exchange.reason.encode("latin-1"),
        },
    )


async def _in_thread(work: Callable[[], T]) -> T:
    """Run the app without holding up other tasks, however many of them wait for it."""
    from anyio import CapacityLimiter, to_thread  # httpx imports it when it is needed, too

    return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=CapacityLimiter(1))


@contextmanager
def _httpx_errors() -> Iterator[None]:
    """What goes wrong on the way, as httpx says it."""
    try:
        yield
    except TimedOut:
        raise httpx.ReadTimeout("timed out") from None
    except CutOff as error:
        raise httpx.RemoteProtocolError(str(error)) from None
