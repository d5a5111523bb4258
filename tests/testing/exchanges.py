"""Exchanges as a journal would have them, made without a server and at any time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import requests
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from mockgraph.clock import ClockSetting
from mockgraph.graph import Graph
from mockgraph.http import Request, Response
from mockgraph.testing.exchange import Exchange
from mockgraph.testing.exchange_records import recorded
from mockgraph.testing.journal import Requests
from mockgraph.testing.police import misdeeds

ALERTS = "/v1.0/security/alerts"
ALERT: dict[str, Any] = {"title": "one", "vendorInformation": {"provider": "P", "vendor": "V"}}

Step = dict[str, Any]

_START = datetime(2026, 1, 1, tzinfo=UTC)


def make_request(
    method: str = "GET",
    url: str = ALERTS,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    **environ: Any,
) -> Request:
    """A request; a body that is not bytes is sent as JSON."""
    path, _, query = url.partition("?")
    sent = Headers(dict(headers or {}))
    data = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
    if data is not body:
        sent["Content-Type"] = "application/json"
    made = EnvironBuilder(path, method=method, query_string=query, headers=sent, data=data)
    return Request({**made.get_environ(), **environ})


class Past:
    """Makes exchanges one after another, each ``after`` seconds from the end of the last.

    The tenant's clock and the real one go together, unless ``clock`` says how far the former
    went meanwhile.
    """

    def __init__(self) -> None:
        self._now = time.perf_counter()
        self._at = _START
        self._number = 0

    def exchange(
        self,
        status: int = 200,
        *,
        after: float = 1.0,
        took: float = 0.001,
        clock: float | None = None,
        sender: str = "",
        by: str = "emulation",
        answer: Any = None,
        answer_headers: Mapping[str, str] | None = None,
        in_batch: bool = False,
        **asked: Any,
    ) -> Exchange:
        environ: dict[str, Any] = {"REMOTE_PORT": sender} if sender else {}
        if in_batch:
            environ["mockgraph.in_batch"] = "yes"
        request = make_request(**asked, **environ)
        request.answered_by = by
        content = b"" if answer is None else orjson.dumps(answer)
        kind = None if answer is None and status == 503 else "application/json"
        response = Response(status, content, kind, [*(answer_headers or {}).items()])
        self._number += 1
        self._now += after + took
        self._at += timedelta(seconds=after + took if clock is None else clock)
        setting = ClockSetting(self._at, timedelta())
        made = Exchange(recorded(request, response, setting, self._now - took), self._number)
        made.ended = self._now
        return made


def told_to_wait(seconds: str = "10") -> dict[str, Any]:
    """The members of a throttled answer."""
    return {"status": 429, "by": "fault", "answer": {}, "answer_headers": {"Retry-After": seconds}}


WAIT = told_to_wait()
PATCH: Step = {"method": "PATCH", "url": f"{ALERTS}/1", "body": ALERT}
POST: Step = {"method": "POST", "body": ALERT}
BATCH: Step = {"method": "POST", "url": "/v1.0/$batch", "body": {}}
SECURITY: Step = {"url": "/v1.0/security"}


def play(*steps: Step) -> list[Exchange]:
    """The exchanges of these steps, one after another."""
    past = Past()
    return [past.exchange(**step) for step in steps]


def rules(*steps: Step) -> list[str]:
    """The rules that were broken in them."""
    return [each.rule for each in misdeeds(play(*steps))]


def headed(**headers: str) -> Step:
    """The members of a request with these headers."""
    return {"headers": {name.replace("_", "-"): value for name, value in headers.items()}}


def failed(status: int, *, by: str = "fault", **more: Any) -> Step:
    """The members of a request that failed."""
    return {"status": status, "by": by, "answer": {"error": {"code": "X"}}, **more}


def journal_of(client: FlaskClient, tenant: str = "") -> Requests:
    """The requests that a client's app has recorded."""
    found: Requests = client.application.extensions["mockgraph"].get(tenant).journal.requests()
    return found


def throttle(client: FlaskClient) -> None:
    """Have a client's app throttle one request, for ten seconds of a clock that stands still."""
    client.post("/_mockgraph/clock", json={"freeze": "2026-01-01T00:00:00Z"})
    client.post("/_mockgraph/faults", json={"preset": "throttle", "retry_after": 10})
    assert client.get(ALERTS).status_code == 429


def hammer(graph: Graph, times: int = 2) -> None:
    """Make requests without waiting although each is told to wait."""
    graph.faults.throttle(retry_after=600, times=None)
    for _ in range(times):
        requests.get(f"{graph.url}/Security", timeout=9)
