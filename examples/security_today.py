"""Alerts, incidents and hunting of today by the official SDK: ``base_url`` is its only setting.

    mockgraph serve
    python examples/security_today.py http://127.0.0.1:8365

pip install msgraph-sdk httpx
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from typing import Any

import httpx
from azure.core.credentials import AccessToken
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.security.alert import Alert
from msgraph.generated.models.security.alert_classification import AlertClassification
from msgraph.generated.models.security.alert_comment import AlertComment
from msgraph.generated.models.security.alert_status import AlertStatus
from msgraph.generated.models.security.incident import Incident
from msgraph.generated.models.security.incident_status import IncidentStatus
from msgraph.generated.models.security.user_evidence import UserEvidence
from msgraph.generated.security.alerts_v2.alerts_v2_request_builder import Alerts_v2RequestBuilder
from msgraph.generated.security.incidents.incidents_request_builder import IncidentsRequestBuilder
from msgraph.generated.security.incidents.microsoft_graph_security_merge_incidents import (
    merge_incidents_post_request_body as merging,
)
from msgraph.generated.security.microsoft_graph_security_run_hunting_query import (
    run_hunting_query_post_request_body as hunting,
)
from msgraph_core.tasks.page_iterator import PageIterator

ORIGIN = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8365"
RUN = uuid.uuid4().hex  # tells the user of this run from those of others
USER = f"{RUN}@contoso.example"

Alerts = Alerts_v2RequestBuilder.Alerts_v2RequestBuilderGetQueryParameters
Incidents = IncidentsRequestBuilder.IncidentsRequestBuilderGetQueryParameters


class Token:
    """A credential with a token of MockGraph's, without a sign-in."""

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        answer = httpx.post(f"{ORIGIN}/_mockgraph/tokens")
        return AccessToken(answer.json()["access_token"], int(time.time()) + 3600)


def check(fine: object, message: str) -> None:
    if not fine:
        sys.exit(f"security_today: {message}")


def add(set: str, **properties: Any) -> str:
    """Have an entity that the service would make by itself, and return its id."""
    body = {"set": set, "properties": properties}
    answer = httpx.post(f"{ORIGIN}/_mockgraph/entities", json=body)
    check(answer.status_code == 201, f"not added: {answer.text}")
    return str(answer.json()["id"])


def set_the_scene() -> list[str]:
    """Two incidents, with two alerts each, of which a user is the evidence."""
    incidents = [add("incidents", displayName=f"{RUN} {number}") for number in range(2)]
    evidence = {
        "@odata.type": "#microsoft.graph.security.userEvidence",
        "userAccount": {"userPrincipalName": USER},
        "remediationStatus": "active",
    }
    for incident in incidents:
        for number in range(2):
            add("alerts_v2", title=f"{RUN} {number}", incidentId=incident, evidence=[evidence])
    return incidents


async def filter_by_evidence(client: GraphServiceClient) -> list[Alert]:
    of_user = (
        "evidence/any(e: e/microsoft.graph.security.userEvidence/userAccount/userPrincipalName "
        f"eq '{USER}')"
    )
    query = Alerts(filter=of_user, top=3)
    first = await client.security.alerts_v2.get(RequestConfiguration(query_parameters=query))
    check(first and first.value and len(first.value) == 3, f"other first page: {first}")
    check(first and first.odata_next_link, "no next page")
    found: list[Alert] = []

    def take(alert: Alert) -> bool:
        found.append(alert)
        return True

    await PageIterator(first, client.request_adapter).iterate(take)
    check(len(found) == 4, f"other alerts: {[each.title for each in found]}")
    (user,) = found[0].evidence or [None]
    check(isinstance(user, UserEvidence), f"evidence of another type: {user}")
    print("  listed, filtered by evidence and paged alerts")
    return found


async def resolve(client: GraphServiceClient, alert: Alert) -> None:
    """A model that was read is changed and sent back whole, with what only the server sets."""
    one = client.security.alerts_v2.by_alert_id(alert.id or "")
    fetched = await one.get() or Alert()
    fetched.status = AlertStatus.Resolved
    fetched.classification = AlertClassification.TruePositive
    changed = await one.patch(fetched)
    check(changed and changed.resolved_date_time, f"not resolved: {changed}")
    try:
        await one.patch(Alert(title="Another"))
    except ODataError as error:
        check(error.response_status_code == 400, f"refused with {error.response_status_code}")
    else:
        check(False, "a title was changed")
    print("  resolved an alert")


async def comment(client: GraphServiceClient, alert: Alert, incident: str) -> None:
    one = client.security.alerts_v2.by_alert_id(alert.id or "")
    await one.comments.post([AlertComment(comment="Looked into it.")])
    after = await one.get() or Alert()
    (kept,) = after.comments or [None]
    check(kept and kept.comment == "Looked into it.", f"another comment: {kept}")
    check(kept and kept.created_date_time and kept.created_by_display_name, f"of nobody: {kept}")
    changed = await client.security.incidents.by_incident_id(incident).patch(
        Incident(status=IncidentStatus.InProgress, custom_tags=["reviewed"])
    )
    check(changed and changed.custom_tags == ["reviewed"], f"not changed: {changed}")
    print("  commented on an alert, and changed an incident")


async def merge(client: GraphServiceClient, incidents: list[str]) -> None:
    body = merging.MergeIncidentsPostRequestBody(
        incident_ids=incidents, incident_comment="One story."
    )
    answer = await client.security.incidents.microsoft_graph_security_merge_incidents.post(body)
    target = answer.target_incident_id if answer else None
    check(target in incidents, f"merged into {target}")
    query = Incidents(expand=["alerts"], filter=f"contains(displayName,'{RUN}')", top=50)
    page = await client.security.incidents.get(RequestConfiguration(query_parameters=query))
    for each in (page.value if page else None) or []:
        alerts = each.alerts or []
        if each.id == target:
            check(len(alerts) == 4, f"{len(alerts)} alerts after the merge")
        else:
            check(each.status == IncidentStatus.Redirected, f"not redirected: {each.status}")
            check(each.redirect_incident_id == target and not alerts, "redirected elsewhere")
    print("  merged two incidents")


async def hunt(client: GraphServiceClient) -> None:
    body = hunting.RunHuntingQueryPostRequestBody(
        query=f"AlertInfo | where Title has '{RUN}' | count"
    )
    found = await client.security.microsoft_graph_security_run_hunting_query.post(body)
    (row,) = (found.results if found else None) or [None]
    check(row and row.additional_data == {"Count": 4}, f"other rows: {row}")
    print("  hunted for them")


async def main() -> None:
    client = GraphServiceClient(Token())  # type: ignore[arg-type]
    client.request_adapter.base_url = f"{ORIGIN}/v1.0"
    incidents = set_the_scene()
    alerts = await filter_by_evidence(client)
    await resolve(client, alerts[0])
    await comment(client, alerts[1], incidents[0])
    await merge(client, incidents)
    await hunt(client)


if __name__ == "__main__":
    asyncio.run(main())
