"""The official Python SDK, unmodified, against MockGraph: its base URL is the only setting.

pip install msgraph-sdk deprecated
python examples/python_sdk.py http://127.0.0.1:8365
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from azure.core.credentials import AccessToken
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.models.alert import Alert
from msgraph.generated.models.alert_severity import AlertSeverity
from msgraph.generated.models.alert_status import AlertStatus
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.security_vendor_information import SecurityVendorInformation
from msgraph.generated.security.alerts.alerts_request_builder import AlertsRequestBuilder
from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem
from msgraph_core.tasks.page_iterator import PageIterator

VENDOR = SecurityVendorInformation(provider="Sentry", vendor="Fabrikam")
ALERTS = 25


class AnyToken:
    """MockGraph takes any bearer token."""

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken("anything", 2**31)


async def create(client: GraphServiceClient) -> list[Alert]:
    created = []
    for number in range(ALERTS):
        alert = Alert(
            title=f"Sign-in from an odd place {number:02}",
            severity=AlertSeverity.High if number % 5 == 0 else AlertSeverity.Low,
            status=AlertStatus.NewAlert,
            vendor_information=VENDOR,
            tags=["sdk"],
        )
        answer = await client.security.alerts.post(alert)
        assert answer is not None
        assert answer.id
        assert answer.severity == alert.severity
        assert answer.created_date_time is not None
        created.append(answer)
    return created


async def list_and_filter(client: GraphServiceClient) -> None:
    parameters = AlertsRequestBuilder.AlertsRequestBuilderGetQueryParameters(
        filter="severity eq 'high' and tags/any(tag: tag eq 'sdk')",
        orderby=["title desc"],
        select=["id", "title", "severity"],
        count=True,
    )
    page = await client.security.alerts.get(RequestConfiguration(query_parameters=parameters))
    assert page is not None
    assert page.value is not None
    assert page.odata_count == ALERTS // 5
    titles = [alert.title for alert in page.value]
    assert titles == sorted(titles, reverse=True)


async def walk_pages(client: GraphServiceClient) -> None:
    parameters = AlertsRequestBuilder.AlertsRequestBuilderGetQueryParameters(
        filter="tags/any(tag: tag eq 'sdk')", top=4
    )
    page = await client.security.alerts.get(RequestConfiguration(query_parameters=parameters))
    seen: list[str] = []

    def take(alert: Alert) -> bool:
        seen.append(alert.id or "")
        return True

    await PageIterator(page, client.request_adapter).iterate(take)
    assert len(seen) == len(set(seen)) == ALERTS, len(seen)


async def update(client: GraphServiceClient, alert: Alert) -> None:
    changes = Alert(
        status=AlertStatus.InProgress,
        assigned_to="mona@fabrikam.example",
        vendor_information=VENDOR,
    )
    await client.security.alerts.by_alert_id(alert.id or "").patch(changes)
    after = await client.security.alerts.by_alert_id(alert.id or "").get()
    assert after is not None
    assert after.status == AlertStatus.InProgress
    assert after.assigned_to == "mona@fabrikam.example"
    assert after.title == alert.title


async def send_batch(client: GraphServiceClient, alerts: list[Alert]) -> None:
    content = BatchRequestContent()
    for number, alert in enumerate(alerts[:5], 1):
        request = client.security.alerts.by_alert_id(alert.id or "").to_get_request_information()
        request.path_parameters["baseurl"] = client.request_adapter.base_url
        content.add_request(
            str(number), BatchRequestItem(request_information=request, id=str(number))
        )
    answer = await BatchRequestBuilder(client.request_adapter).post(content)
    # This release of the SDK drops bodies that are JSON, Graph's own too: the statuses tell.
    assert answer.get_response_status_codes() == {str(n): 200 for n in range(1, 6)}


async def be_refused(client: GraphServiceClient) -> None:
    try:
        await client.security.alerts.by_alert_id("no-such-alert").get()
    except ODataError as error:
        assert error.response_status_code == 404
        assert error.error is not None
        assert error.error.code == "ResourceNotFound"
        assert error.error.inner_error is not None
        assert error.error.inner_error.request_id
    else:
        raise AssertionError("an unknown id was found")


async def main(origin: str) -> None:
    client = GraphServiceClient(AnyToken(), scopes=["https://graph.microsoft.com/.default"])
    client.request_adapter.base_url = f"{origin}/v1.0"
    alerts = await create(client)
    await list_and_filter(client)
    await walk_pages(client)
    await update(client, alerts[0])
    await send_batch(client, alerts)
    await be_refused(client)
    print(f"msgraph-sdk: {ALERTS} alerts created, filtered, paged, updated and batched")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8365"))
