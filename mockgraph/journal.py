"""The journal of a tenant: what was asked, what was answered, by whom, how long it took.

Recording keeps references and parses nothing; an exchange is read when somebody looks at it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload
from urllib.parse import parse_qsl

import orjson
from werkzeug.datastructures import Headers

from mockgraph.clock import Clock
from mockgraph.errors import GraphError
from mockgraph.matching import ROOTS, PathPattern

if TYPE_CHECKING:
    from mockgraph.model import Address
    from mockgraph.wire import Request, Response

# Bodies of requests and answers together; the oldest exchanges go when there are more.
MAX_BYTES = 64 * 1024 * 1024

_SECRET = frozenset({"authorization", "cookie", "proxy-authorization", "x-mockgraph-token"})
_REDACTED = "***"


class Exchange:
    """A request and its answer.

    ``path`` is decoded and without the tenant's prefix; ``number`` counts from 1 within a
    tenant; ``at`` is when it came, by the tenant's clock; ``seconds`` how long it took;
    ``answered_by`` is ``emulation``, ``fault``, ``stub`` or ``sign-in``. Of what signs somebody
    in, neither body nor answer is kept. ``caller`` tells callers apart, by their tokens.
    """

    def __init__(
        self, request: Request, response: Response, number: int, at: datetime, seconds: float
    ):
        environ = request.environ
        self.number = number
        self.at = at
        self.seconds = seconds
        self.method = request.method
        self.path = request.path
        self.status = response.status
        self.answered_by = request.answered_by
        self.in_batch = "mockgraph.in_batch" in environ
        self.request_id = request.request_id
        self.caller = hash(environ.get("HTTP_AUTHORIZATION"))
        secret = self.answered_by == "sign-in"
        self.body = b"" if secret else _content(request)
        self.response_body = b"" if secret else response.body
        self._query = request.query_string
        self._response_headers = tuple(response.headers)
        self._address: Address | None = request.address
        self._variables = [
            pair for pair in environ.items() if pair[0][:5] == "HTTP_" or pair[0] in _CONTENT
        ]

    @cached_property
    def headers(self) -> Headers:
        """The request's headers, in any letter case; what is secret in them is ``***``."""
        headers = Headers()
        for name, value in self._variables:
            name = name.removeprefix("HTTP_").replace("_", "-").title()
            if name.lower() in _SECRET:
                value = f"Bearer {_REDACTED}" if value[:7].lower() == "bearer " else _REDACTED
            if value:
                headers.add(name, value)
        return headers

    @cached_property
    def response_headers(self) -> Headers:
        """The answer's headers."""
        return Headers(list(self._response_headers))

    @cached_property
    def query(self) -> Mapping[str, Any]:
        """The query options: a text each, or a list of them where one was given repeatedly."""
        found: dict[str, Any] = {}
        for name, value in parse_qsl(self._query.decode("latin-1"), keep_blank_values=True):
            before = found.get(name)
            if before is None:
                found[name] = value
            else:
                found[name] = [*before, value] if isinstance(before, list) else [before, value]
        return found

    @cached_property
    def json(self) -> Any:
        """The request's body as JSON; None where it is empty or none."""
        return _parsed(self.body)

    @property
    def text(self) -> str:
        """The request's body as text."""
        return self.body.decode(errors="replace")

    @cached_property
    def response(self) -> Any:
        """The answer's body: a value where it is JSON, else a text; None where there is none."""
        if not self.response_body:
            return None
        value = _parsed(self.response_body)
        return self.response_body.decode(errors="replace") if value is None else value

    @property
    def error(self) -> str | None:
        """The code of the error that was answered."""
        body = self.response
        error = body.get("error") if isinstance(body, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
        return code if isinstance(code, str) else None

    @property
    def operation(self) -> str | None:
        """What was asked for: ``update security/alerts/{id}``; None where it led nowhere."""
        address = self._address
        if address is None:
            return None
        parts = [address.root.singleton]
        if address.resource.name.lower() != address.root.singleton.lower():
            parts.append(address.resource.name)
        parts += ["{id}"] if address.key is not None else []
        parts += [address.within.name] if address.within else []
        parts += [address.action.name] if address.action else address.path
        return f"{address.operation.value} {'/'.join(parts)}"

    @property
    def url(self) -> str:
        """The path with the query."""
        query = self._query.decode("latin-1")
        return f"{self.path}?{query}" if query else self.path

    @property
    def size(self) -> int:
        """How many bytes its bodies take."""
        return len(self.body) + len(self.response_body)

    def as_json(self) -> dict[str, Any]:
        """The exchange as the control plane shows it."""
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": dict(self.headers),
            "json": self.json,
            "body": self.text if self.json is None else None,
            "status": self.status,
            "response": self.response,
            "responseHeaders": dict(self.response_headers),
            "durationMs": round(self.seconds * 1000, 3),
            "operation": self.operation,
            "answeredBy": self.answered_by,
            "inBatch": self.in_batch,
            "requestId": self.request_id,
        }

    def __repr__(self) -> str:
        batch = " in a batch" if self.in_batch else ""
        by = "" if self.answered_by == "emulation" else f" by {self.answered_by}"
        return f"<{self.number}: {self.method} {self.url} -> {self.status}{by}{batch}>"


class Requests(Sequence[Exchange]):
    """Exchanges as they were recorded at one moment, oldest first."""

    def __init__(self, exchanges: Sequence[Exchange]):
        self._exchanges = tuple(exchanges)

    @overload
    def __getitem__(self, index: int) -> Exchange: ...
    @overload
    def __getitem__(self, index: slice) -> Requests: ...
    def __getitem__(self, index: int | slice) -> Exchange | Requests:
        found = self._exchanges[index]
        return found if isinstance(found, Exchange) else Requests(found)

    def __len__(self) -> int:
        return len(self._exchanges)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._exchanges)

    @property
    def last(self) -> Exchange | None:
        """The newest, None where there is none."""
        return self._exchanges[-1] if self._exchanges else None

    def filter(
        self, method: str | None = None, path: str | None = None, status: int | None = None
    ) -> Requests:
        """Those of a method, a path (a pattern, see :class:`mockgraph.matching.PathPattern`)
        and a status; None is any."""
        pattern = None if path is None else PathPattern(path, ROOTS)
        return Requests(
            [
                each
                for each in self
                if (method is None or each.method == method.upper())
                and (pattern is None or pattern.match(each.path) is not None)
                and (status is None or each.status == status)
            ]
        )

    def __repr__(self) -> str:
        listed = "".join(f"\n  {each!r}" for each in self)
        return f"<{len(self)} request{'' if len(self) == 1 else 's'}{listed}>"


class Journal:
    """The last requests to a tenant, bounded in number and in bytes. Safe under threads."""

    __slots__ = ("_bytes", "_clock", "_count", "_exchanges", "_limit", "_lock")

    def __init__(self, limit: int, clock: Clock):
        self._limit = limit
        self._clock = clock
        self._exchanges: deque[Exchange] = deque()
        self._bytes = 0
        self._count = 0
        self._lock = threading.Lock()

    def record(self, request: Request, response: Response, seconds: float) -> Exchange | None:
        """Keep a request and its answer; the oldest ones go where there are too many."""
        if not self._limit:
            return None
        exchange = Exchange(request, response, 0, self._clock.now(), seconds)
        with self._lock:
            self._count += 1
            exchange.number = self._count
            self._exchanges.append(exchange)
            self._bytes += exchange.size
            while len(self._exchanges) > self._limit or (
                self._bytes > MAX_BYTES and len(self._exchanges) > 1
            ):
                self._bytes -= self._exchanges.popleft().size
        return exchange

    def requests(self) -> Requests:
        """What is recorded now."""
        with self._lock:
            return Requests(list(self._exchanges))

    def clear(self) -> None:
        """Forget all of it, and count from 1 again."""
        with self._lock:
            self._exchanges.clear()
            self._bytes = self._count = 0


_CONTENT = ("CONTENT_TYPE", "CONTENT_LENGTH")


def _content(request: Request) -> bytes:
    """The body, also where what answered did not read it; empty where it cannot be read."""
    environ = request.environ
    if not environ.get("CONTENT_LENGTH") and "HTTP_TRANSFER_ENCODING" not in environ:
        return b""
    try:
        return request.content
    except GraphError:
        return b""


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
