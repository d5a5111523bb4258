"""azure-identity against MockGraph, the calls by azure-core, which comes with it.

    make serve ARGS=--tls
    export REQUESTS_CA_BUNDLE="$(.venv/bin/mockgraph ca | head -n 1)"
    python examples/azure_identity.py https://localhost:8366

pip install azure-identity
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from typing import Any

from azure.core import PipelineClient
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy
from azure.core.rest import HttpRequest, HttpResponse
from azure.identity import ClientSecretCredential

ORIGIN = sys.argv[1] if len(sys.argv) > 1 else "https://localhost:8366"
GRAPH = f"{ORIGIN}/localtest"
SCOPE = "https://graph.microsoft.com/.default"
TENANT = os.environ.get("AZURE_TENANT_ID", "contoso.example")
APP = os.environ.get("AZURE_CLIENT_ID", "an-app")
SECRET = os.environ.get("AZURE_CLIENT_SECRET", "its secret")
RUN = uuid.uuid4().hex  # tells the alerts of this run from those of others


def check(fine: object, message: str) -> None:
    if not fine:
        sys.exit(f"azure_identity: {message}")


class Graph:
    """Graph, with a token of the credential's; azure-core lives with throttling by itself."""

    def __init__(self) -> None:
        credential = ClientSecretCredential(
            TENANT, APP, SECRET, authority=ORIGIN, disable_instance_discovery=True
        )
        check(credential.get_token(SCOPE).token, "no token")
        policies = [RetryPolicy(), BearerTokenCredentialPolicy(credential, SCOPE)]
        self.client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            ORIGIN, policies=policies
        )

    def ask(self, method: str, url: str, body: Any = None) -> Any:
        answer = self.client.send_request(HttpRequest(method, url, json=body))
        check(answer.status_code < 400, f"{method} {url}: {answer.text()}")
        return answer.json()

    def pages(self, url: str) -> Iterator[list[dict[str, Any]]]:
        while url:
            page = self.ask("GET", url)
            yield page["value"]
            url = page.get("@odata.nextLink", "")


def main() -> None:
    graph = Graph()
    print("  signed in with a secret")

    check("providerStatus" in graph.ask("GET", f"{GRAPH}/security"), "no singleton")
    status = [{"provider": "Sentry", "vendor": "Fabrikam", "enabled": True, "region": RUN}]
    graph.ask("PATCH", f"{GRAPH}/security", {"providerStatus": status})
    after = graph.ask("GET", f"{GRAPH}/security")["providerStatus"]
    check(after[0]["region"] == RUN, f"what was written is not read back: {after}")
    print("  read and patched the singleton")

    for number in range(7):
        alert = {"title": f"Alert {number}", "severity": "high", "tags": [RUN]}
        graph.ask("POST", f"{GRAPH}/security/alerts", alert)
    query = f"$filter=tags/any(tag: tag eq '{RUN}')&$orderby=title&$top=3"
    found = list(graph.pages(f"{GRAPH}/security/alerts?{query}"))
    check([len(page) for page in found] == [3, 3, 1], f"other pages: {found}")
    alerts = [alert for page in found for alert in page]
    print(f"  paged {len(alerts)} alerts in {len(found)} pages")

    items = [
        {"id": alert["id"], "method": "GET", "url": f"/security/alerts/{alert['id']}"}
        for alert in alerts
    ]
    batch = graph.ask("POST", f"{GRAPH}/$batch", {"requests": items})
    titles = {each["id"]: each["body"]["title"] for each in batch["responses"]}
    check(titles == {alert["id"]: alert["title"] for alert in alerts}, f"other batch: {titles}")
    print(f"  batched {len(titles)} alerts")

    fault = {"path": "/security", "status": 429, "headers": {"Retry-After": "1"}}
    put = graph.ask("POST", f"{ORIGIN}/_mockgraph/faults", fault)
    graph.ask("PATCH", f"{GRAPH}/security", {"providerStatus": status})
    left = graph.ask("GET", f"{ORIGIN}/_mockgraph/faults")["value"]
    check(put["id"] not in [each["id"] for each in left], "not throttled")
    print("  throttled, and came back")


if __name__ == "__main__":
    main()
