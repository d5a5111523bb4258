"""The official Python SDK for beta against MockGraph, signed in by azure-identity's aio half.

    make serve ARGS=--tls
    export SSL_CERT_FILE="$(.venv/bin/mockgraph ca | head -n 1)"
    python examples/msgraph_beta_sdk.py https://localhost:8366

pip install msgraph-beta-sdk deprecated aiohttp
"""

from __future__ import annotations

import asyncio
import os
import sys
import uuid

import httpx
from azure.identity.aio import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph_beta import GraphServiceClient
from msgraph_beta.generated.models.alert import Alert
from msgraph_beta.generated.models.alert_severity import AlertSeverity
from msgraph_beta.generated.models.security.security import Security
from msgraph_beta.generated.security.alerts.alerts_request_builder import AlertsRequestBuilder
from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem
from msgraph_core.tasks.page_iterator import PageIterator

ORIGIN = sys.argv[1] if len(sys.argv) > 1 else "https://localhost:8366"
TENANT = os.environ.get("AZURE_TENANT_ID", "contoso.example")
APP = os.environ.get("AZURE_CLIENT_ID", "an-app")
SECRET = os.environ.get("AZURE_CLIENT_SECRET", "its secret")
RUN = uuid.uuid4().hex  # tells the alerts of this run from those of others

Query = AlertsRequestBuilder.AlertsRequestBuilderGetQueryParameters


def check(fine: object, message: str) -> None:
    if not fine:
        sys.exit(f"msgraph_beta_sdk: {message}")


async def change_the_singleton(client: GraphServiceClient) -> None:
    """``providerStatus`` is in none of the SDK's models: it travels as additional data."""
    fetched = await client.security.get() or Security()
    check("providerStatus" in fetched.additional_data, "no singleton")
    status = [{"provider": "Sentry", "vendor": "Fabrikam", "enabled": True, "region": RUN}]
    fetched.additional_data["providerStatus"] = status
    await client.security.patch(fetched)
    after = await client.security.get() or Security()
    found = after.additional_data["providerStatus"]
    check(found[0]["region"] == RUN, f"what was written is not read back: {found}")
    print("  read and patched the singleton")


async def page(client: GraphServiceClient) -> list[Alert]:
    for number in range(7):
        alert = Alert(title=f"Alert {number}", severity=AlertSeverity.High, tags=[RUN])
        created = await client.security.alerts.post(alert)
        check(created and created.id, f"not created: {created}")
    query = Query(filter=f"tags/any(tag: tag eq '{RUN}')", orderby=["title"], top=3)
    first = await client.security.alerts.get(RequestConfiguration(query_parameters=query))
    check(first and first.odata_next_link, f"no next page: {first}")
    alerts: list[Alert] = []

    def take(alert: Alert) -> bool:
        alerts.append(alert)
        return True

    await PageIterator(first, client.request_adapter).iterate(take)
    titles = [alert.title for alert in alerts]
    check(titles == [f"Alert {number}" for number in range(7)], f"other alerts: {titles}")
    print(f"  paged {len(titles)} alerts")
    return alerts


async def send_batch(client: GraphServiceClient, alerts: list[Alert]) -> None:
    content = BatchRequestContent()
    for number, alert in enumerate(alerts, 1):
        request = client.security.alerts.by_alert_id(alert.id or "").to_get_request_information()
        item = BatchRequestItem(request_information=request, id=str(number))
        content.add_request(str(number), item)
    answer = await BatchRequestBuilder(client.request_adapter).post(content)
    # This release of the SDK drops bodies that are JSON, Graph's own too: the statuses tell.
    statuses = answer.get_response_status_codes()
    check(statuses == {str(n): 200 for n in range(1, 8)}, f"other batch: {statuses}")
    print(f"  batched {len(statuses)} alerts")


async def be_throttled(client: GraphServiceClient) -> None:
    """The SDK comes back by itself when Retry-After has passed."""
    fault = {"path": "/security", "status": 429, "headers": {"Retry-After": "1"}}
    async with httpx.AsyncClient(base_url=ORIGIN) as control:
        put = (await control.post("/_mockgraph/faults", json=fault)).json()
        await client.security.patch(Security(additional_data={"providerStatus": []}))
        left = (await control.get("/_mockgraph/faults")).json()["value"]
    check(put["id"] not in [each["id"] for each in left], "not throttled")
    print("  throttled, and came back")


async def main() -> None:
    scope = "https://graph.microsoft.com/.default"
    async with ClientSecretCredential(
        TENANT, APP, SECRET, authority=ORIGIN, disable_instance_discovery=True
    ) as credential:
        check((await credential.get_token(scope)).token, "no token")
        print("  signed in with a secret")
        client = GraphServiceClient(credential, scopes=[scope])
        client.request_adapter.base_url = f"{ORIGIN}/localtest"
        await change_the_singleton(client)
        await send_batch(client, await page(client))
        await be_throttled(client)


if __name__ == "__main__":
    asyncio.run(main())
