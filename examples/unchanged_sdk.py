"""The official SDK and azure-identity with their own URLs: their environment leads to MockGraph.

pip install msgraph-sdk deprecated
mockgraph serve --proxy --ca-dir ca &
export HTTPS_PROXY=http://127.0.0.1:8367 REQUESTS_CA_BUNDLE=ca/ca.pem SSL_CERT_FILE=ca/ca.pem
python examples/unchanged_sdk.py
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

VENDOR = SecurityVendorInformation(provider="Sentry", vendor="Fabrikam")
TITLES = [f"Alert {number}" for number in range(5)]


async def main() -> None:
    client = GraphServiceClient(
        ClientSecretCredential("contoso.onmicrosoft.com", "an app", "its secret")
    )
    for title in TITLES:
        await client.security.alerts.post(
            Alert(title=title, tags=["unchanged"], vendor_information=VENDOR)
        )
    parameters = AlertsRequestBuilder.AlertsRequestBuilderGetQueryParameters(
        filter="tags/any(tag: tag eq 'unchanged')", orderby=["title"], top=2
    )
    page = await client.security.alerts.get(RequestConfiguration(query_parameters=parameters))
    assert page is not None
    assert page.value
    assert page.odata_next_link
    assert page.odata_next_link.startswith("https://graph.microsoft.com/v1.0/")
    found: list[Alert] = []

    def take(alert: Alert) -> bool:
        found.append(alert)
        return True

    await PageIterator(page, client.request_adapter).iterate(take)
    assert [alert.title for alert in found] == TITLES
    alert = client.security.alerts.by_alert_id(found[0].id or "")
    await alert.patch(Alert(status=AlertStatus.InProgress, vendor_information=VENDOR))
    changed = await alert.get()
    assert changed is not None
    assert changed.status == AlertStatus.InProgress
    print(f"msgraph-sdk by the proxy: {len(found)} alerts created, paged, one updated")


if __name__ == "__main__":
    asyncio.run(main())
