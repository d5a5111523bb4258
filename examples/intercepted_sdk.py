"""The official SDK and azure-identity, with no setting changed: calls are answered in process.

pip install mockgraph msgraph-sdk deprecated
python examples/intercepted_sdk.py
"""

from __future__ import annotations

import asyncio

from azure.identity import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.models.alert import Alert
from msgraph.generated.models.alert_status import AlertStatus
from msgraph.generated.models.security_vendor_information import SecurityVendorInformation
from msgraph.generated.security.alerts.alerts_request_builder import AlertsRequestBuilder
from msgraph_core.tasks.page_iterator import PageIterator

from mockgraph import MockGraph

VENDOR = SecurityVendorInformation(provider="Sentry", vendor="Fabrikam")
ALERTS = 10


async def work(client: GraphServiceClient) -> list[str]:
    """Return the titles that a program reads from Graph; it knows of no test."""
    for number in range(ALERTS):
        await client.security.alerts.post(
            Alert(title=f"Alert {number}", tags=["sdk"], vendor_information=VENDOR)
        )
    parameters = AlertsRequestBuilder.AlertsRequestBuilderGetQueryParameters(
        filter="tags/any(tag: tag eq 'sdk')", orderby=["title"], top=4
    )
    page = await client.security.alerts.get(RequestConfiguration(query_parameters=parameters))
    titles: list[str] = []

    def take(alert: Alert) -> bool:
        titles.append(alert.title or "")
        return True

    await PageIterator(page, client.request_adapter).iterate(take)
    assert page is not None
    assert page.value
    assert page.odata_next_link
    assert page.odata_next_link.startswith("https://graph.microsoft.com/v1.0/")
    alert = client.security.alerts.by_alert_id(page.value[0].id or "")
    await alert.patch(Alert(status=AlertStatus.InProgress, vendor_information=VENDOR))
    changed = await alert.get()
    assert changed is not None
    assert changed.status == AlertStatus.InProgress
    return titles


async def main(graph: MockGraph) -> None:
    credential = ClientSecretCredential("contoso.onmicrosoft.com", "an app", "its secret")
    client = GraphServiceClient(credential)
    titles = await work(client)
    assert titles == [f"Alert {number}" for number in range(ALERTS)], titles
    graph.fault(status=429, retry_after=1, times=1)
    await client.security.alerts.get()  # the SDK comes again by itself
    print(f"msgraph-sdk, intercepted: {ALERTS} alerts created, paged and updated, a throttle met")


if __name__ == "__main__":
    with MockGraph() as graph, graph.intercept():
        asyncio.run(main(graph))
