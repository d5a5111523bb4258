"""Lifecycles, which go on by the tenant's clock: audit queries, sensors, requests, events.

The pages that say so are named at the top of the modules under test.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from wire import NO_TLS, plain

from mockgraph import MockGraph
from mockgraph.odata.routes import routes
from mockgraph.service import BEHAVIOURS, SERVICE, audit_log

Json = Any

NOON = "2026-03-01T12:00:00.000000Z"
DONE = "2026-03-01T12:00:10.000000Z"
RECORDS = [
    {
        "id": "r1",
        "createdDateTime": "2026-02-01T10:00:00Z",
        "auditLogRecordType": "SharePointFileOperation",
        "operation": "FileDeleted",
        "service": "OneDrive",
        "userPrincipalName": "kai@contoso.example",
        "clientIp": "192.0.2.1",
        "objectId": "https://contoso.example/plan.docx",
        "administrativeUnits": ["unit"],
        "auditData": {
            "@odata.type": "#microsoft.graph.security.defaultAuditData",
            "note": "Quarterly PLAN",
        },
    },
    {
        "id": "r2",
        "createdDateTime": "2026-02-03T10:00:00Z",
        "auditLogRecordType": "AzureActiveDirectoryStsLogon",
        "operation": "UserLoggedIn",
        "service": "AzureActiveDirectory",
        "userPrincipalName": "ann@contoso.example",
        "clientIp": "192.0.2.2",
    },
]
SEED = {
    "Security": {
        "auditLog": {"queries": [{"id": "log", "status": "succeeded", "records": RECORDS}]},
        "identities": {
            "sensorCandidates": [
                {
                    "id": "dc1",
                    "computerDnsName": "dc1.contoso.example",
                    "domainName": "contoso.example",
                    "senseClientVersion": "10.1",
                }
            ],
            "identityAccounts": [
                {
                    "@odata.type": "#microsoft.graph.security.user",
                    "id": "kai",
                    "isEnabled": True,
                    "accounts": [
                        {
                            "identifier": "sid",
                            "identityProvider": "activeDirectory",
                            "actions": ["disable", "forcePasswordReset"],
                        }
                    ],
                }
            ],
        },
        "collaboration": {
            "id": "collaboration",
            "analyzedEmails": [
                {
                    "id": "mail",
                    "networkMessageId": "m1",
                    "recipientEmailAddress": "kai@contoso.example",
                    "latestDelivery": {"action": "delivered", "location": "inbox_folder"},
                }
            ],
        },
        "dataSecurityAndGovernance": {
            "sensitivityLabels": [
                {"id": "public", "priority": 0},
                {
                    "id": "secret",
                    "priority": 4,
                    "sublabels": [{"id": "finance", "priority": 5}],
                },
            ],
        },
    }
}


@pytest.fixture(scope="module")
def server() -> Iterator[MockGraph]:
    with MockGraph(auth="off", seed=SEED) as server:
        yield server


@pytest.fixture(params=["v1", "beta"])
def tenant(server: MockGraph, request: pytest.FixtureRequest) -> Iterator[Tenant]:
    server.reset()
    server.clock.freeze(NOON)
    with httpx.Client(
        verify=NO_TLS, base_url=f"{getattr(server, request.param)}/security/"
    ) as client:
        yield Tenant(server, client)


class Tenant:
    """A tenant whose clock stands at noon, and a client of it."""

    def __init__(self, graph: MockGraph, client: httpx.Client):
        self.graph = graph
        self._client = client

    def get(self, path: str) -> Json:
        answer = self._client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Json = None, status: int = 201) -> httpx.Response:
        answer = self._client.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer


# -- the audit log ---------------------------------------------------------------------------------


def test_an_audit_query_runs_by_the_clock(tenant: Tenant) -> None:
    made = tenant.post(
        "auditLog/queries", {"displayName": "deletions", "operationFilters": ["filedeleted"]}
    ).json()
    query = f"auditLog/queries/{made['id']}"
    assert made["status"] == "notStarted"
    assert tenant.get(f"{query}/records")["value"] == []
    tenant.graph.clock.advance(1)
    assert tenant.get(query)["status"] == "running"
    assert tenant.get(f"{query}/records")["value"] == []
    tenant.graph.clock.advance(9)
    assert tenant.get(query)["status"] == "succeeded"
    (record,) = tenant.get(f"{query}/records")["value"]
    assert record["id"] == "r1"
    assert record["auditData"]["note"] == "Quarterly PLAN"
    assert tenant.get(f"{query}/records/r1")["operation"] == "FileDeleted"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["r1", "r2"]),
        ({"filterStartDateTime": "2026-02-02T00:00:00Z"}, ["r2"]),
        ({"filterEndDateTime": "2026-02-01T10:00:00.000Z"}, ["r1"]),
        ({"recordTypeFilters": ["sharePointFileOperation"]}, ["r1"]),
        ({"serviceFilters": ["onedrive", "azureactivedirectory"]}, ["r1", "r2"]),
        ({"userPrincipalNameFilters": ["ANN@contoso.example"]}, ["r2"]),
        ({"ipAddressFilters": ["192.0.2.1"]}, ["r1"]),
        ({"objectIdFilters": ["https://contoso.example/plan.docx"]}, ["r1"]),
        ({"administrativeUnitIdFilters": ["unit"]}, ["r1"]),
        ({"keywordFilter": "plan"}, ["r1"]),
        ({"keywordFilter": "nowhere"}, []),
        ({"operationFilters": ["FileDeleted"], "ipAddressFilters": ["192.0.2.2"]}, []),
    ],
)
def test_an_audit_query_finds_what_it_asks_for(
    tenant: Tenant, asked: Json, found: list[str]
) -> None:
    made = tenant.post("auditLog/queries", asked).json()
    tenant.graph.operations.complete()
    records = tenant.get(f"auditLog/queries/{made['id']}/records")["value"]
    assert [each["id"] for each in records] == found


def test_every_filter_of_an_audit_query_is_known() -> None:
    declared = SERVICE.views["v1.0"].schemas["microsoft.graph.security.auditLogQuery"]
    names = {each for each in declared.properties() if "ilter" in each}
    others = {
        "filterStartDateTime",
        "filterEndDateTime",
        "keywordFilter",
        "administrativeUnitIdFilters",
    }
    assert names == {*audit_log._ONE_OF, *others}


def test_an_audit_query_is_not_updated(tenant: Tenant) -> None:
    made = tenant.post("auditLog/queries", {"status": "succeeded"}).json()
    assert made["status"] == "notStarted"
    url = f"{tenant.graph.v1}/security/auditLog/queries/{made['id']}"
    assert plain.patch(url, json={"displayName": "x"}).status_code == 405
    assert plain.post(f"{url}/records", json={}).status_code == 405


def test_an_audit_query_fails_by_a_fault(tenant: Tenant) -> None:
    tenant.graph.faults.failed_operation(path="/security/auditLog/queries")
    made = tenant.post("auditLog/queries", {}).json()
    tenant.graph.clock.advance(10)
    assert tenant.get(f"auditLog/queries/{made['id']}")["status"] == "failed"
    assert tenant.get(f"auditLog/queries/{made['id']}/records")["value"] == []


# -- Defender for Identity -------------------------------------------------------------------------


def test_a_candidate_becomes_a_sensor(tenant: Tenant) -> None:
    tenant.post("identities/sensorCandidates/activate", {"serverIds": ["dc1"]}, 200)
    assert tenant.get("identities/sensorCandidates")["value"] == []
    sensor = tenant.get("identities/sensors/dc1")
    assert (sensor["displayName"], sensor["domainName"]) == ("dc1", "contoso.example")
    assert (sensor["serviceStatus"], sensor["createdDateTime"]) == ("onboarding", NOON)
    tenant.graph.clock.advance(1)
    assert tenant.get("identities/sensors/dc1")["serviceStatus"] == "starting"
    tenant.graph.clock.advance(9)
    sensor = tenant.get("identities/sensors/dc1")
    assert (sensor["serviceStatus"], sensor["deploymentStatus"]) == ("running", "upToDate")


def test_a_candidate_is_activated_once(tenant: Tenant) -> None:
    url = f"{tenant.graph.v1}/security/identities/sensorCandidates/activate"

    def activate(_: int) -> int:
        return plain.post(url, json={"serverIds": ["dc1"]}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(activate, range(8)))
    assert statuses == [200] + [404] * 7
    assert len(tenant.get("identities/sensors")["value"]) == 1
    assert len(tenant.graph.operations) == 1


def test_none_is_activated_where_one_is_not_there(tenant: Tenant) -> None:
    before = tenant.graph.state
    tenant.post("identities/sensorCandidates/activate", {"serverIds": ["dc1", "dc2"]}, 404)
    tenant.post("identities/sensorCandidates/activate", {"serverIds": []}, 400)
    assert tenant.graph.state == before


def test_the_deployment_access_key(tenant: Tenant) -> None:
    first = tenant.get("identities/sensors/getDeploymentAccessKey")["deploymentAccessKey"]
    assert tenant.get("identities/sensors/getDeploymentAccessKey()") == tenant.get(
        "identities/sensors/getDeploymentAccessKey"
    )
    new = tenant.post("identities/sensors/regenerateDeploymentAccessKey", status=200).json()
    assert new["deploymentAccessKey"] != first
    again = tenant.get("identities/sensors/getDeploymentAccessKey")
    assert again["deploymentAccessKey"] == new["deploymentAccessKey"]
    package = tenant.get("identities/sensors/getDeploymentPackageUri")
    assert package["version"] in package["downloadUrl"]


def test_an_account_is_disabled_and_enabled(tenant: Tenant) -> None:
    url = "identities/identityAccounts/kai/invokeAction"
    body = {"accountId": "sid", "action": "disable", "identityProvider": "activeDirectory"}
    result = tenant.post(url, body, 200).json()
    assert result["correlationId"]
    assert {name: result[name] for name in body} == body
    kai = tenant.get("identities/identityAccounts/kai")
    assert (kai["isEnabled"], kai["accounts"][0]["actions"][0]) == (False, "enable")
    assert "not available" in tenant.post(url, body, 400).text
    tenant.post(url, {**body, "action": "enable"}, 200)
    assert tenant.get("identities/identityAccounts/kai")["isEnabled"] is True


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"accountId": "other"}, 404),
        ({"identityProvider": "okta"}, 404),
        ({"action": "revokeAllSessions"}, 400),
        ({"action": "markUserAsCompromised"}, 400),
        ({"action": "fire"}, 400),
    ],
)
def test_an_action_that_an_account_does_not_take(
    tenant: Tenant, changes: Json, status: int
) -> None:
    body = {"accountId": "sid", "action": "disable", "identityProvider": "activeDirectory"}
    before = tenant.graph.state
    tenant.post("identities/identityAccounts/kai/invokeAction", {**body, **changes}, status)
    assert tenant.graph.state == before


# -- subject rights requests -----------------------------------------------------------------------


def test_a_subject_rights_request_goes_through_its_stages(tenant: Tenant) -> None:
    made = tenant.post(
        "subjectRightsRequests", {"type": "export", "displayName": "Kai", "status": "closed"}
    ).json()
    one = f"subjectRightsRequests/{made['id']}"
    assert (made["status"], made["createdDateTime"]) == ("active", NOON)
    assert {each["status"] for each in made["stages"]} == {"notStarted"}
    tenant.graph.clock.advance(1)
    assert tenant.get(one)["stages"][0] == {
        "stage": "contentRetrieval",
        "status": "current",
        "error": None,
    }
    for path in ("getFinalReport", "getFinalAttachment"):
        answer = plain.get(f"{tenant.graph.v1}/security/{one}/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "ResourceNotFound")
    tenant.graph.clock.advance(39)
    closed = tenant.get(one)
    assert {each["status"] for each in closed["stages"]} == {"completed"}
    assert (closed["status"], closed["closedDateTime"]) == ("closed", "2026-03-01T12:00:40.000000Z")
    assert [each["stageStatus"] for each in closed["history"]] == ["current", "completed"] * 4
    assert closed["insight"]["itemCount"] == 0


def test_the_report_and_the_attachment_of_a_subject_rights_request(tenant: Tenant) -> None:
    made = tenant.post("subjectRightsRequests", {"type": "delete", "displayName": "Kai"}).json()
    assert "contentDeletion" in [each["stage"] for each in made["stages"]]
    tenant.graph.operations.complete()
    url = f"{tenant.graph.v1}/security/subjectRightsRequests/{made['id']}"
    report = plain.get(f"{url}/getFinalReport")
    assert report.headers["Content-Type"].startswith("text/plain")
    assert "Kai" in report.text
    attachment = plain.get(f"{url}/getFinalAttachment()")
    assert attachment.headers["Content-Type"] == "application/zip"
    assert zipfile.ZipFile(io.BytesIO(attachment.content)).namelist() == []


def test_a_subject_rights_request_stays_where_a_stage_failed(tenant: Tenant) -> None:
    tenant.graph.faults.failed_operation(path="/security/subjectRightsRequests")
    made = tenant.post("subjectRightsRequests", {"type": "export"}).json()
    tenant.graph.operations.complete()
    after = tenant.get(f"subjectRightsRequests/{made['id']}")
    assert [each["status"] for each in after["stages"]] == ["failed", *["notStarted"] * 3]
    assert (after["status"], after["stages"][0]["error"]["code"]) == ("active", "InternalError")


def test_a_note_has_its_author(tenant: Tenant) -> None:
    made = tenant.post("subjectRightsRequests", {"type": "export"}).json()
    note = tenant.post(
        f"subjectRightsRequests/{made['id']}/notes", {"content": {"content": "seen"}}
    ).json()
    assert (note["author"]["displayName"], note["createdDateTime"]) == ("MockGraph", NOON)


# -- retention -------------------------------------------------------------------------------------


def test_a_retention_event_is_distributed(tenant: Tenant) -> None:
    made = tenant.post(
        "triggers/retentionEvents",
        {
            "displayName": "left",
            "eventTriggerDateTime": "2026-03-02T00:00:00Z",
            "eventQueries": [{"queryType": "files", "query": "kai"}],
        },
    ).json()
    event = f"triggers/retentionEvents/{made['id']}"
    assert made["eventStatus"]["status"] == "pending"
    assert made["lastStatusUpdateDateTime"] == NOON
    tenant.graph.clock.advance(3600)
    assert tenant.get(event)["eventStatus"]["status"] == "pending"  # it is not triggered yet
    tenant.graph.clock.freeze("2026-03-02T00:00:01Z")
    assert tenant.get(event)["eventPropagationResults"][0]["status"] == "inProcessing"
    tenant.graph.clock.advance(60)
    done = tenant.get(event)
    assert done["eventStatus"] == {"status": "success", "error": None}
    assert done["lastStatusUpdateDateTime"] == "2026-03-02T00:00:09.000000Z"
    (result,) = done["eventPropagationResults"]
    assert (result["serviceName"], result["status"]) == ("SharePoint", "success")


def test_a_retention_event_fails(tenant: Tenant) -> None:
    made = tenant.post("triggers/retentionEvents", {"displayName": "left"}).json()
    assert tenant.graph.operations.complete("failed") == 1
    after = tenant.get(f"triggers/retentionEvents/{made['id']}")
    assert after["eventStatus"]["status"] == "error"
    assert after["eventStatus"]["error"]["code"] == "InternalError"


def test_what_the_service_writes_of_a_label(tenant: Tenant) -> None:
    made = tenant.post("labels/retentionLabels", {"displayName": "x", "isInUse": True}).json()
    assert (made["isInUse"], made["createdDateTime"]) == (False, NOON)
    assert made["createdBy"] == made["lastModifiedBy"]


# -- attack simulation -----------------------------------------------------------------------------

TARGET = {
    "@odata.type": "#microsoft.graph.addressBookAccountTargetContent",
    "type": "addressBook",
    "accountTargetEmails": ["kai@contoso.example", "ann@contoso.example"],
}


def test_a_simulation_runs_for_its_days(tenant: Tenant) -> None:
    answer = tenant.post(
        "attackSimulation/simulations",
        {
            "displayName": "s",
            "status": "scheduled",
            "launchDateTime": "2026-03-02T00:00:00Z",
            "durationInDays": 3,
            "includedAccountTarget": TARGET,
        },
        202,
    )
    assert answer.content == b""
    operation = tenant.get(answer.headers["Location"])
    assert (operation["status"], operation["percentageCompleted"]) == ("notStarted", 0)
    (simulation,) = tenant.get("attackSimulation/simulations")["value"]
    assert operation["resourceLocation"].endswith(f"/simulations/{simulation['id']}")
    tenant.graph.clock.advance(10)
    assert tenant.get(answer.headers["Location"])["status"] == "succeeded"
    one = f"attackSimulation/simulations/{simulation['id']}"
    assert tenant.get(one)["status"] == "scheduled"
    tenant.graph.clock.freeze("2026-03-02T00:00:00Z")
    assert tenant.get(one)["status"] == "running"
    tenant.graph.clock.freeze("2026-03-06T00:00:00Z")
    done = tenant.get(one)
    assert (done["status"], done["completionDateTime"]) == (
        "succeeded",
        "2026-03-05T00:00:00.000000Z",
    )
    assert done["report"]["overview"]["resolvedTargetsCount"] == 2
    assert [each["simulationUser"]["email"] for each in done["report"]["simulationUsers"]] == (
        TARGET["accountTargetEmails"]
    )


def test_a_draft_runs_once_it_is_scheduled_and_a_cancelled_one_does_not(tenant: Tenant) -> None:
    tenant.post("attackSimulation/simulations", {"status": "draft"}, 202)
    tenant.graph.operations.complete()
    (draft,) = tenant.get("attackSimulation/simulations")["value"]
    assert draft["status"] == "draft"
    url = f"{tenant.graph.v1}/security/attackSimulation/simulations/{draft['id']}"
    assert plain.patch(url, json={"status": "scheduled"}).status_code == 200
    tenant.graph.clock.advance(1)
    assert plain.get(url).json()["status"] == "running"
    plain.patch(url, json={"status": "cancelled"})
    tenant.graph.clock.advance(60)
    after = plain.get(url).json()
    assert (after["status"], after["completionDateTime"]) == ("cancelled", None)


# -- emails ----------------------------------------------------------------------------------------

REMEDIATION = {
    "displayName": "Clean up",
    "description": "",
    "severity": "medium",
    "action": "moveToJunk",
    "remediateSendersCopy": False,
    "analyzedEmails": [{"networkMessageId": "m1", "recipientEmailAddress": "Kai@contoso.example"}],
}


def test_an_email_is_remediated(tenant: Tenant) -> None:
    answer = tenant.post("collaboration/analyzedEmails/remediate", REMEDIATION, 202)
    assert answer.headers["Location"].startswith("https://security.microsoft.com/action-center/")
    email = tenant.get("collaboration/analyzedEmails/mail")
    assert email["latestDelivery"]["location"] == "inbox_folder"
    tenant.graph.clock.advance(10)
    email = tenant.get("collaboration/analyzedEmails/mail")
    assert email["latestDelivery"]["location"] == "junkFolder"
    (event,) = email["timelineEvents"]
    assert (event["eventDateTime"], event["eventSource"]) == (DONE, "admin")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"action": None}, 400),
        ({"action": "moveToQuarantine"}, 400),
        ({"analyzedEmails": []}, 400),
        ({"analyzedEmails": [{"networkMessageId": "m1"}]}, 400),
        ({"analyzedEmails": [{"networkMessageId": "m2", "recipientEmailAddress": "x"}]}, 404),
    ],
)
def test_an_email_that_is_not_remediated(tenant: Tenant, changes: Json, status: int) -> None:
    tenant.post("collaboration/analyzedEmails/remediate", {**REMEDIATION, **changes}, status)
    assert not tenant.graph.operations


# -- data security and governance ------------------------------------------------------------------

LABELS = "dataSecurityAndGovernance/sensitivityLabels"


def test_the_label_with_the_highest_priority_is_inherited(tenant: Tenant) -> None:
    call = "computeInheritance(labelIds=@ids,locale='en-US',contentFormats=@formats)"
    aliases = '@ids=["public","finance","secret"]&@formats=["file"]'
    label = tenant.get(f"{LABELS}/{call}?{aliases}")
    assert (label["id"], label["priority"]) == ("finance", 5)
    anywhere = call.replace("'en-US'", "@null")  # an alias without a value is null
    assert tenant.get(f"{LABELS}/{anywhere}?{aliases}")["id"] == "finance"
    body = {
        "protectedContents": [{"labelId": "public", "cid": "1"}, {"labelId": "secret"}],
        "supportedContentFormats": ["file"],
    }
    result = tenant.post(f"{LABELS}/computeRightsAndInheritance", body, 200).json()
    assert result["inheritedLabel"]["id"] == "secret"
    assert [each["id"] for each in result["sensitivityLabels"]] == ["public", "secret"]
    assert result["contentRights"][0]["cid"] == "1"
    body["protectedContents"] = [{"labelId": "nowhere"}]
    tenant.post(f"{LABELS}/computeRightsAndInheritance", body, 404)


def test_a_tenant_without_policies(tenant: Tenant) -> None:
    place = {"@odata.type": "microsoft.graph.policyLocationApplication", "value": "app"}
    body = {"activities": "uploadText,downloadText", "locations": [place]}
    url = "dataSecurityAndGovernance/protectionScopes/compute"
    assert tenant.post(url, body, 200).json()["value"] == []
    content = {
        "@odata.type": "#microsoft.graph.processConversationMetadata",
        "identifier": "i",
        "content": {"@odata.type": "#microsoft.graph.textContent", "data": "hello"},
        "name": "Chat message",
        "createdDateTime": NOON,
        "modifiedDateTime": NOON,
    }
    one = {
        "requestId": "1",
        "contentToProcess": {
            "contentEntries": [content],
            "activityMetadata": {"activity": "uploadText"},
            "deviceMetadata": {},
            "integratedAppMetadata": {"name": "app", "version": "1"},
        },
    }
    url = "dataSecurityAndGovernance/processContentAsync"
    assert tenant.post(url, {"processContentRequests": [one]}, 204).content == b""
    tenant.post(url, {"processContentRequests": []}, 400)


# -- all of them -----------------------------------------------------------------------------------


def test_no_operation_of_security_is_without_an_effect() -> None:
    assert [each for each in routes(SERVICE, BEHAVIOURS) if not each.emulated] == []


# -- who did it ------------------------------------------------------------------------------------


def test_who_did_it_is_who_the_token_says() -> None:
    with MockGraph(auth="jwt", seed={"Security": {}}) as graph:
        cases = f"{graph.v1}/security/cases/ediscoveryCases"

        def closed_by(token: str) -> Json:
            with httpx.Client(
                verify=NO_TLS, headers={"Authorization": f"Bearer {token}"}
            ) as client:
                case = client.post(cases, json={"displayName": "x"}).headers["Location"]
                assert client.post(f"{case}/close").status_code == 204
                return client.get(case).json()["closedBy"]

        user = closed_by(graph.token(user="kai@contoso.example"))
        assert (user["user"]["displayName"], user["application"]) == ("kai", None)
        app = closed_by(graph.token())
        assert (app["application"]["displayName"], app["user"]) == ("MockGraph client", None)
        assert app["application"]["id"]
