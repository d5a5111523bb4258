"""What the service costs beside the bare framework, as ratios within one run.

    make bench

Every figure is the median of rounds in which both sides take turns, so that a machine whose
speed drifts slows both. A ratio is the bare framework's time over ours: 1.00 is as fast as
Flask that reads the same body and answers the same bytes, through the same server.
"""

from __future__ import annotations

import http.client
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

from mockgraph import create_app
from mockgraph.settings import Settings
from mockgraph.server import Server

ROUNDS = 15
HEADERS = {"Authorization": "Bearer token", "Content-Type": "application/json"}
DEMO = Path(__file__).parent.parent / "fixtures" / "demo.json"

Call = Callable[[], Any]


class Client:
    """A keep-alive connection."""

    def __init__(self, server: Server):
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port)

    def send(self, method: str, path: str, body: bytes | None = None) -> bytes:
        self._connection.request(method, path, body, HEADERS)
        response = self._connection.getresponse()
        content = response.read()
        if response.status >= 400:
            raise SystemExit(f"{method} {path}: {response.status} {content[:300]!r}")
        return content


def bare_app(answer: bytes) -> Flask:
    """The limit: Flask that parses the body and answers prepared bytes."""
    app = Flask("bare")

    @app.route("/<path:path>", methods=["GET", "POST", "PATCH"])
    def view(path: str) -> Response:  # noqa: ARG001
        if request.method != "GET":
            request.get_json()
        return Response(answer, content_type="application/json")

    return app


def median_times(ours: Call, theirs: Call, repeat: int) -> tuple[float, float]:
    """Median microseconds of each, from rounds in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for call, found in ((ours, times[0]), (theirs, times[1])):
            began = time.perf_counter()
            for _ in range(repeat):
                call()
            found.append((time.perf_counter() - began) / repeat * 1e6)
    return statistics.median(times[0]), statistics.median(times[1])


def report(name: str, ours: float, theirs: float) -> None:
    print(f"| {name} | {ours:8.0f} | {theirs:8.0f} | {theirs / ours:.2f} |", flush=True)


def alert(number: int) -> dict[str, Any]:
    severities = ["informational", "low", "medium", "high"]
    return {
        "id": f"alert-{number:06}",
        "title": f"Alert {number % 997}",
        "severity": severities[number % 4],
        "status": "newAlert",
        "vendorInformation": {"provider": "Sentry", "vendor": "Fabrikam"},
        "tags": [f"tag{number % 10}"],
        "eventDateTime": f"2026-11-{number % 28 + 1:02}T12:00:00Z",
    }


def main() -> None:
    demo = json.loads(DEMO.read_text())["Security"]
    full = {name: value for name, value in demo["alerts"][0].items() if name != "id"}
    seed = {"Security": {"alerts": [alert(number) for number in range(10_000)]}}
    ours = Server(create_app(Settings(seeds=(seed,), max_body=1 << 26)))
    ours.start()
    client = Client(ours)

    listing = (
        "/v1.0/security/alerts?$filter=severity%20eq%20%27high%27%20and%20tags/any(t:t%20eq%20"
        "%27tag3%27)&$orderby=eventDateTime%20desc,title&$top=100"
    )
    body = json.dumps(full).encode()
    patch = json.dumps({"status": "resolved", "comments": ["seen"]}).encode()
    key = json.loads(client.send("POST", "/localtest/Security/alerts", body))["id"]
    one = f"/localtest/Security/alerts/{key}"
    singleton = "/localtest/Security"
    batch = json.dumps(
        {"requests": [{"id": str(n), "method": "GET", "url": one[10:]} for n in range(20)]}
    ).encode()

    cases: list[tuple[str, str, str, bytes | None, int]] = [
        ("GET the singleton", "GET", singleton, None, 200),
        (
            "PATCH the singleton",
            "PATCH",
            singleton,
            json.dumps({"providerStatus": demo["providerStatus"][:1]}).encode(),
            200,
        ),
        ("GET a full alert", "GET", one, None, 200),
        ("POST a full alert", "POST", "/localtest/Security/alerts", body, 50),
        ("PATCH a full alert", "PATCH", one, patch, 100),
        ("100 of 10,000 alerts, filtered and ordered", "GET", listing, None, 3),
    ]
    print("| request | ours, us | bare Flask, us | ratio |\n|:--|--:|--:|--:|")
    for name, method, path, content, repeat in cases:
        answer = client.send(method, path, content)
        limit = Server(bare_app(answer))
        limit.start()
        bare = Client(limit)

        sends = [partial(to.send, method, path, content) for to in (client, bare)]
        report(name, *median_times(*sends, repeat))
        limit.stop()

    batched, single = median_times(
        lambda: client.send("POST", "/localtest/$batch", batch),
        lambda: [client.send("GET", one) for _ in range(20)],
        3,
    )
    print("\n| | batch, us | 20 requests, us | ratio |\n|:--|--:|--:|--:|")
    report("20 reads of an alert", batched, single)
    ours.stop()


if __name__ == "__main__":
    main()
