"""Plain httpx against MockGraph; httpx has no retries for statuses, so a transport makes them.

    make serve ARGS=--tls
    export SSL_CERT_FILE="$(.venv/bin/mockgraph ca | head -n 1)"
    python examples/plain_httpx.py https://localhost:8366

pip install httpx
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Generator, Iterator
from typing import Any

import httpx

ORIGIN = sys.argv[1] if len(sys.argv) > 1 else "https://localhost:8366"
TENANT = os.environ.get("AZURE_TENANT_ID", "contoso.example")
APP = os.environ.get("AZURE_CLIENT_ID", "an-app")
SECRET = os.environ.get("AZURE_CLIENT_SECRET", "its secret")
RUN = uuid.uuid4().hex  # tells the alerts of this run from those of others


def check(fine: object, message: str) -> None:
    if not fine:
        sys.exit(f"plain_httpx: {message}")


class Entra(httpx.Auth):
    """Signs in before the first request, and again where Graph refuses the token."""

    requires_response_body = True

    def __init__(self) -> None:
        self.token = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if not self.token:
            yield from self.sign_in()
        request.headers["Authorization"] = f"Bearer {self.token}"
        answer = yield request
        if answer.status_code == 401:
            yield from self.sign_in()
            request.headers["Authorization"] = f"Bearer {self.token}"
            yield request

    def sign_in(self) -> Generator[httpx.Request, httpx.Response, None]:
        form = {
            "grant_type": "client_credentials",
            "client_id": APP,
            "client_secret": SECRET,
            "scope": "https://graph.microsoft.com/.default",
        }
        answer = yield httpx.Request("POST", f"{ORIGIN}/{TENANT}/oauth2/v2.0/token", data=form)
        check(answer.is_success, f"no token: {answer.text}")
        self.token = answer.json()["access_token"]
        print("  signed in with a secret")


class Patient(httpx.HTTPTransport):
    """Comes back when Graph says so, after Retry-After, up to three times."""

    waited = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()  # so that it can be sent again
        answer = super().handle_request(request)
        for _ in range(3):
            if answer.status_code not in {429, 503, 504}:
                break
            answer.close()
            seconds = int(answer.headers.get("Retry-After", "1"))
            time.sleep(seconds)
            self.waited += seconds
            answer = super().handle_request(request)
        return answer


def pages(graph: httpx.Client, url: str) -> Iterator[list[dict[str, Any]]]:
    while url:
        answer = graph.get(url)
        check(answer.is_success, f"no page: {answer.text}")
        yield answer.json()["value"]
        url = answer.json().get("@odata.nextLink", "")


def main() -> None:
    transport = Patient()
    base = f"{ORIGIN}/localtest"
    with httpx.Client(base_url=base, auth=Entra(), transport=transport) as graph:
        before = graph.get("/security")
        check(
            before.is_success and "providerStatus" in before.json(), f"no singleton: {before.text}"
        )
        status = [{"provider": "Sentry", "vendor": "Fabrikam", "enabled": True, "region": RUN}]
        changed = graph.patch("/security", json={"providerStatus": status})
        check(changed.is_success, f"not patched: {changed.text}")
        after = graph.get("/security").json()["providerStatus"]
        check(after[0]["region"] == RUN, f"what was written is not read back: {after}")
        print("  read and patched the singleton")

        for number in range(7):
            alert = {"title": f"Alert {number}", "severity": "high", "tags": [RUN]}
            created = graph.post("/security/alerts", json=alert)
            check(created.status_code == 201, f"not created: {created.text}")
        query = f"$filter=tags/any(tag: tag eq '{RUN}')&$orderby=title&$top=3"
        found = list(pages(graph, f"/security/alerts?{query}"))
        check([len(page) for page in found] == [3, 3, 1], f"other pages: {found}")
        alerts = [alert for page in found for alert in page]
        print(f"  paged {len(alerts)} alerts in {len(found)} pages")

        items = [
            {"id": alert["id"], "method": "GET", "url": f"/security/alerts/{alert['id']}"}
            for alert in alerts
        ]
        batch = graph.post("/$batch", json={"requests": items})
        check(batch.is_success, f"no batch: {batch.text}")
        titles = {each["id"]: each["body"]["title"] for each in batch.json()["responses"]}
        check(titles == {alert["id"]: alert["title"] for alert in alerts}, f"other: {titles}")
        print(f"  batched {len(titles)} alerts")

        fault = {"path": "/security", "status": 429, "headers": {"Retry-After": "1"}}
        put = httpx.post(f"{ORIGIN}/_mockgraph/faults", json=fault)
        check(put.status_code == 201, f"no fault: {put.text}")
        throttled = graph.patch("/security", json={"providerStatus": status})
        check(throttled.is_success and transport.waited == 1, f"no retry: {throttled.text}")
        print("  throttled, and came back")


if __name__ == "__main__":
    main()
