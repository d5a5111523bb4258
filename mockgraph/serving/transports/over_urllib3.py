"""The patch of urllib3, and the adapter of requests, which has urllib3 do its work."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from mockgraph.serving.transports.endpoint import PORTS, Endpoint, Peer
from mockgraph.serving.transports.over_http_client import (
    addressed,
    attach,
    detach,
    is_attached,
    patch_connect,
    peer_of,
)
from mockgraph.serving.transports.patches import Attempt

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter
    from urllib3 import PoolManager, Retry

    from mockgraph.serving.transports.patches import Patches

__tracebackhide__ = True  # pytest shows the frames of the client, not those in between


class InProcessPool(HTTPConnectionPool):
    """A pool whose connections lead to an endpoint, whatever host they are for."""


class InProcessSecurePool(HTTPSConnectionPool, InProcessPool):
    """The same for https."""


def pools(endpoint: Endpoint) -> dict[str, type[HTTPConnectionPool]]:
    """Return the pools of one endpoint by scheme, as a ``PoolManager`` takes them."""

    class InProcessConnection(HTTPConnection):
        def connect(self) -> None:
            attach(self, endpoint, peer_of(self))

        def putrequest(self, *args: Any, **options: Any) -> None:
            if not is_attached(self):  # and not later: an intercept would take it for its own
                self.connect()
            super().putrequest(*args, **options)

        def getresponse(self) -> Any:
            response = super().getresponse()
            detach(self)
            return response

    class InProcessSecureConnection(InProcessConnection, HTTPSConnection):
        pass

    class Pool(InProcessPool):
        ConnectionCls = InProcessConnection

    class SecurePool(InProcessSecurePool):
        ConnectionCls = InProcessSecureConnection

    return {"http": Pool, "https": SecurePool}


def adapter(endpoint: Endpoint, max_retries: int | Retry) -> HTTPAdapter:
    """Return requests' own adapter, but that its connections lead to an endpoint."""
    from requests import PreparedRequest, Response
    from requests.adapters import HTTPAdapter

    class InProcessAdapter(HTTPAdapter):
        def init_poolmanager(
            self, connections: int, maxsize: int, block: bool = False, **options: Any
        ) -> None:
            super().init_poolmanager(connections, maxsize, block, **options)
            self.poolmanager: PoolManager
            self.poolmanager.pool_classes_by_scheme = pools(endpoint)

        def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
            """Send a request, to no proxy: those of the environment are for calls that go out."""
            return super().send(request, *args, **{**options, "proxies": None})

    return InProcessAdapter(max_retries=max_retries)


def patch(module: ModuleType, patches: Patches) -> None:
    """Intercept calls that are made through urllib3's pools."""
    patch_connect(module.HTTPConnection, patches)
    patch_connect(module.HTTPSConnection, patches)
    urlopen = module.HTTPConnectionPool.urlopen

    def routed_urlopen(pool: Any, method: str, url: str, *args: Any, **options: Any) -> Any:
        if not isinstance(pool, InProcessPool):
            # A connection is made before its request is known: refused here, it can be named.
            peer = addressed(url, Peer(pool.scheme, pool.host, pool.port or PORTS[pool.scheme]))
            patches.route(Attempt(peer.host, f"{method} {peer.url(url)}"))
        return urlopen(pool, method, url, *args, **options)

    patches.replace(module.HTTPConnectionPool, "urlopen", routed_urlopen)
