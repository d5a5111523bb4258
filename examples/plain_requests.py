"""Plain requests against MockGraph; urllib3's Retry lives with throttling.

    make serve ARGS=--tls
    export REQUESTS_CA_BUNDLE="$(.venv/bin/mockgraph ca | head -n 1)"
    python examples/plain_requests.py https://localhost:8366

pip install requests
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

ORIGIN = sys.argv[1] if len(sys.argv) > 1 else "https://localhost:8366"
GRAPH = f"{ORIGIN}/localtest"
TENANT = os.environ.get("AZURE_TENANT_ID", "contoso.example")
APP = os.environ.get("AZURE_CLIENT_ID", "an-app")
SECRET = os.environ.get("AZURE_CLIENT_SECRET", "its secret")
RUN = uuid.uuid4().hex  # tells the alerts of this run from those of others


def check(fine: object, message: str) -> None:
    if not fine:
        sys.exit(f"plain_requests: {message}")


def sign_in() -> str:
    """Client credentials: an access token for Graph."""
    form = {
        "grant_type": "client_credentials",
        "client_id": APP,
        "client_secret": SECRET,
        "scope": "https://graph.microsoft.com/.default",
    }
    answer = requests.post(f"{ORIGIN}/{TENANT}/oauth2/v2.0/token", data=form, timeout=10)
    check(answer.ok, f"no token: {answer.text}")
    return str(answer.json()["access_token"])


def session(token: str) -> requests.Session:
    """Make a session that retries as Graph says, after Retry-After, POST and PATCH included."""
    patient = Retry(total=3, status_forcelist=[429, 503, 504], allowed_methods=None)
    made = requests.Session()
    made.mount("https://", HTTPAdapter(max_retries=patient))
    made.headers["Authorization"] = f"Bearer {token}"
    return made


def pages(graph: requests.Session, url: str) -> Iterator[list[dict[str, Any]]]:
    while url:
        answer = graph.get(url, timeout=10)
        check(answer.ok, f"no page: {answer.text}")
        yield answer.json()["value"]
        url = answer.json().get("@odata.nextLink", "")


def main() -> None:
    token = sign_in()
    print("  signed in with a secret")
    graph = session(token)

    before = graph.get(f"{GRAPH}/security", timeout=10)
    check(before.ok and "providerStatus" in before.json(), f"no singleton: {before.text}")
    status = [{"provider": "Sentry", "vendor": "Fabrikam", "enabled": True, "region": RUN}]
    changed = graph.patch(f"{GRAPH}/security", json={"providerStatus": status}, timeout=10)
    check(changed.ok, f"not patched: {changed.text}")
    after = graph.get(f"{GRAPH}/security", timeout=10).json()["providerStatus"]
    check(after[0]["region"] == RUN, f"what was written is not read back: {after}")
    print("  read and patched the singleton")

    for number in range(7):
        alert = {"title": f"Alert {number}", "severity": "high", "tags": [RUN]}
        created = graph.post(f"{GRAPH}/security/alerts", json=alert, timeout=10)
        check(created.status_code == 201, f"not created: {created.text}")
    query = f"$filter=tags/any(tag: tag eq '{RUN}')&$orderby=title&$top=3"
    found = list(pages(graph, f"{GRAPH}/security/alerts?{query}"))
    check([len(page) for page in found] == [3, 3, 1], f"other pages: {found}")
    alerts = [alert for page in found for alert in page]
    print(f"  paged {len(alerts)} alerts in {len(found)} pages")

    items = [
        {"id": alert["id"], "method": "GET", "url": f"/security/alerts/{alert['id']}"}
        for alert in alerts
    ]
    batch = graph.post(f"{GRAPH}/$batch", json={"requests": items}, timeout=10)
    check(batch.ok, f"no batch: {batch.text}")
    titles = {each["id"]: each["body"]["title"] for each in batch.json()["responses"]}
    check(titles == {alert["id"]: alert["title"] for alert in alerts}, f"other batch: {titles}")
    print(f"  batched {len(titles)} alerts")

    fault = {"path": "/security", "status": 429, "headers": {"Retry-After": "1"}}
    put = requests.post(f"{ORIGIN}/_mockgraph/faults", json=fault, timeout=10)
    check(put.status_code == 201, f"no fault: {put.text}")
    throttled = graph.patch(f"{GRAPH}/security", json={"providerStatus": status}, timeout=30)
    retries = throttled.raw.retries
    check(throttled.ok and retries.history, f"not throttled, or not retried: {throttled.text}")
    print("  throttled, and came back")


if __name__ == "__main__":
    main()
