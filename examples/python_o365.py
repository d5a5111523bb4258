"""python-o365 against MockGraph: its protocol is told the server, MSAL signs in for it.

O365 has no setting for the authority, and always asks login.microsoftonline.com. But its token
backend is a token cache of MSAL's: who signs in with that has signed in for the account, too.

    make serve ARGS=--tls
    export REQUESTS_CA_BUNDLE="$(.venv/bin/mockgraph ca | head -n 1)"
    python examples/python_o365.py https://localhost:8366

pip install o365
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import msal
from O365 import Account
from O365.connection import Connection, MSGraphProtocol
from O365.utils.token import MemoryTokenBackend

ORIGIN = sys.argv[1] if len(sys.argv) > 1 else "https://localhost:8366"
TENANT = os.environ.get("AZURE_TENANT_ID", "contoso.example")
APP = os.environ.get("AZURE_CLIENT_ID", "an-app")
SECRET = os.environ.get("AZURE_CLIENT_SECRET", "its secret")
RUN = uuid.uuid4().hex  # tells the alerts of this run from those of others


def check(fine: object, message: str) -> None:
    if not fine:
        sys.exit(f"python_o365: {message}")


class LocalGraph(MSGraphProtocol):
    """Graph, where MockGraph is."""

    _protocol_url = f"{ORIGIN}/"


def sign_in() -> Account:
    backend = MemoryTokenBackend()
    result = msal.ConfidentialClientApplication(
        APP,
        client_credential=SECRET,
        authority=f"{ORIGIN}/{TENANT}",
        instance_discovery=False,
        token_cache=backend,
    ).acquire_token_for_client(["https://graph.microsoft.com/.default"])
    check("access_token" in result, f"no token: {result.get('error_description')}")
    account = Account(
        (APP, SECRET),
        protocol=LocalGraph(api_version="localtest"),
        auth_flow_type="credentials",
        tenant_id=TENANT,
        token_backend=backend,
    )
    check(account.is_authenticated, "the account does not find its token")
    return account


def pages(graph: Connection, url: str) -> Iterator[list[dict[str, Any]]]:
    while url:
        page = graph.get(url).json()
        yield page["value"]
        url = page.get("@odata.nextLink", "")


def main() -> None:
    account = sign_in()
    print("  signed in with a secret")
    graph = account.connection  # raises HTTPError for any status of 400 or more
    root = account.protocol.service_url.rstrip("/")

    check("providerStatus" in graph.get(f"{root}/security").json(), "no singleton")
    status = [{"provider": "Sentry", "vendor": "Fabrikam", "enabled": True, "region": RUN}]
    graph.patch(f"{root}/security", {"providerStatus": status})
    after = graph.get(f"{root}/security").json()["providerStatus"]
    check(after[0]["region"] == RUN, f"what was written is not read back: {after}")
    print("  read and patched the singleton")

    for number in range(7):
        alert = {"title": f"Alert {number}", "severity": "high", "tags": [RUN]}
        graph.post(f"{root}/security/alerts", alert)
    query = f"$filter=tags/any(tag: tag eq '{RUN}')&$orderby=title&$top=3"
    found = list(pages(graph, f"{root}/security/alerts?{query}"))
    check([len(page) for page in found] == [3, 3, 1], f"other pages: {found}")
    alerts = [alert for page in found for alert in page]
    print(f"  paged {len(alerts)} alerts in {len(found)} pages")

    items = [
        {"id": alert["id"], "method": "GET", "url": f"/security/alerts/{alert['id']}"}
        for alert in alerts
    ]
    batch = graph.post(f"{root}/$batch", {"requests": items}).json()
    titles = {each["id"]: each["body"]["title"] for each in batch["responses"]}
    check(titles == {alert["id"]: alert["title"] for alert in alerts}, f"other batch: {titles}")
    print(f"  batched {len(titles)} alerts")

    fault = {"path": "/security", "status": 429, "headers": {"Retry-After": "1"}}
    graph.naive_request(f"{ORIGIN}/_mockgraph/faults", "post", data=fault)
    throttled = graph.get(f"{root}/security")  # O365 retries what may be repeated, no PATCH
    check(throttled.raw.retries.history, "not throttled")
    print("  throttled, and came back")


if __name__ == "__main__":
    main()
