"""The official Python SDK against MockGraph, signed in by azure-identity.

    make serve ARGS=--tls
    export REQUESTS_CA_BUNDLE="$(.venv/bin/mockgraph ca | head -n 1)"  # azure-identity's
    export SSL_CERT_FILE="$REQUESTS_CA_BUNDLE"  # the SDK's
    python examples/msgraph_sdk.py https://localhost:8366

pip install msgraph-sdk deprecated
"""

from __future__ import annotations

import asyncio
import os
import sys
import uuid

import httpx
from azure.identity import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.models.alert import Alert
from msgraph.generated.models.alert_severity import AlertSeverity
from msgraph.generated.models.alert_status import AlertStatus
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.security.security import Security
from msgraph.generated.models.security_vendor_information import SecurityVendorInformation
from msgraph.generated.security.alerts.alerts_request_builder import AlertsRequestBuilder
from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem
from msgraph_core.tasks.page_iterator import PageIterator

ORIGIN = sys.argv[1] if len(sys.argv) > 1 else "https://localhost:8366"
TENANT = os.environ.get("AZURE_TENANT_ID", "contoso.example")
APP = os.environ.get("AZURE_CLIENT_ID", "an-app")
SECRET = os.environ.get("AZURE_CLIENT_SECRET", "its secret")
RUN = uuid.uuid4().hex  # tells the alerts of this run from those of others

VENDOR = SecurityVendorInformation(provider="Sentry", vendor="Fabrikam")
Query = AlertsRequestBuilder.AlertsRequestBuilderGetQueryParameters


def check(fine: object, message: str) -> None:
    if not fine:
        sys.exit(f"msgraph_sdk: {message}")


def sign_in() -> GraphServiceClient:
    credential = ClientSecretCredential(
        TENANT, APP, SECRET, authority=ORIGIN, disable_instance_discovery=True
    )
    scope = "https://graph.microsoft.com/.default"
    check(credential.get_token(scope).token, "no token")
    client = GraphServiceClient(credential, scopes=[scope])
    client.request_adapter.base_url = f"{ORIGIN}/localtest"
    print("  signed in with a secret")
    return client


async def change_the_singleton(client: GraphServiceClient) -> None:
    """``providerStatus`` is in none of the SDK's models: it travels as additional data."""
    before = await client.security.get()
    check(before and "providerStatus" in before.additional_data, "no singleton")
    status = [{"provider": "Sentry", "vendor": "Fabrikam", "enabled": True, "region": RUN}]
    changed = await client.security.patch(Security(additional_data={"providerStatus": status}))
    after = await client.security.get()
    for each in (changed, after):
        found = each.additional_data["providerStatus"] if each else []
        check(found and found[0]["region"] == RUN, f"what was written is not read back: {found}")
    print("  read and patched the singleton")


async def create(client: GraphServiceClient) -> list[Alert]:
    created = []
    for number in range(7):
        alert = Alert(
            title=f"Alert {number}",
            severity=AlertSeverity.High if number % 2 else AlertSeverity.Low,
            status=AlertStatus.NewAlert,
            vendor_information=VENDOR,
            tags=[RUN],
        )
        answer = await client.security.alerts.post(alert)
        check(answer and answer.id and answer.severity == alert.severity, f"created: {answer}")
        if answer:
            created.append(answer)
    return created


async def page(client: GraphServiceClient) -> None:
    query = Query(filter=f"tags/any(tag: tag eq '{RUN}')", orderby=["title"], top=3, count=True)
    first = await client.security.alerts.get(RequestConfiguration(query_parameters=query))
    check(first and first.value and len(first.value) == 3, f"other first page: {first}")
    check(first and first.odata_count == 7 and first.odata_next_link, f"no next page: {first}")
    titles: list[str | None] = []

    def take(alert: Alert) -> bool:
        titles.append(alert.title)
        return True

    await PageIterator(first, client.request_adapter).iterate(take)
    check(titles == [f"Alert {number}" for number in range(7)], f"other alerts: {titles}")
    print(f"  paged {len(titles)} alerts")


async def update(client: GraphServiceClient, alert: Alert) -> None:
    """A model that was read is changed and sent back whole, with what only the server sets."""
    one = client.security.alerts.by_alert_id(alert.id or "")
    fetched = await one.get() or Alert()
    fetched.status = AlertStatus.InProgress
    fetched.assigned_to = "mona@fabrikam.example"
    await one.patch(fetched)
    after = await one.get() or Alert()
    check(after.status == AlertStatus.InProgress, f"not updated: {after.status}")
    check(after.title == alert.title, f"updated too much: {after.title}")
    print("  updated an alert")


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
    put = httpx.post(f"{ORIGIN}/_mockgraph/faults", json=fault).json()
    await client.security.patch(Security(additional_data={"providerStatus": []}))
    left = httpx.get(f"{ORIGIN}/_mockgraph/faults").json()["value"]
    check(put["id"] not in [each["id"] for each in left], "not throttled")
    print("  throttled, and came back")


async def be_refused(client: GraphServiceClient) -> None:
    try:
        await client.security.alerts.by_alert_id("no-such-alert").get()
    except ODataError as error:
        check(error.response_status_code == 404, f"refused with {error.response_status_code}")
        check(error.error and error.error.code == "ResourceNotFound", f"refused: {error.error}")
        inner = error.error and error.error.inner_error
        check(inner and inner.request_id and inner.date, f"nothing to trace it by: {inner}")
        print("  refused as Graph refuses")
    else:
        check(False, "an unknown alert was found")


async def main() -> None:
    client = sign_in()
    await change_the_singleton(client)
    alerts = await create(client)
    await page(client)
    await update(client, alerts[0])
    await send_batch(client, alerts)
    await be_throttled(client)
    await be_refused(client)


if __name__ == "__main__":
    asyncio.run(main())
