"""requests answered in process by an adapter that is mounted on a session."""

from __future__ import annotations

from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager, Retry

from mockgraph.serving.transports.endpoint import Endpoint
from mockgraph.serving.transports.over_urllib3 import pools


class InProcessAdapter(HTTPAdapter):
    """requests' own adapter, but that its connections lead to an endpoint."""

    def __init__(self, endpoint: Endpoint, max_retries: int | Retry):
        self._endpoint = endpoint
        super().__init__(max_retries=max_retries)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **options: Any
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, **options)
        self.poolmanager: PoolManager
        self.poolmanager.pool_classes_by_scheme = pools(self._endpoint)

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        """Send a request, to no proxy: those of the environment are for calls that go out."""
        return super().send(request, *args, **{**options, "proxies": None})
