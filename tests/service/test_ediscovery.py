"""eDiscovery's lifecycle: cases, custodians, holds, searches, review sets, by the clock.

The pages that say so are named at the top of the modules under test.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from wire import NO_TLS, plain

from mockgraph import MockGraph

Json = Any

NOON = "2026-03-01T12:00:00.000000Z"
DONE = "2026-03-01T12:00:10.000000Z"
CASES = "security/cases/ediscoveryCases"
KAI = {"email": "kai@contoso.example", "userSources": [{"id": "u", "email": "kai@contoso.example"}]}
SEED = {
    "Security": {
        "cases": {
            "ediscoveryCases": [
                {
                    "id": "c",
                    "displayName": "Leak",
                    "status": "active",
                    "custodians": [
                        {"id": "kai", "status": "active", "holdStatus": "notApplied", **KAI},
                        {"id": "ann", "status": "active", "holdStatus": "notApplied"},
                    ],
                    "noncustodialDataSources": [
                        {
                            "id": "site",
                            "status": "active",
                            "holdStatus": "notApplied",
                            "dataSource": {"@odata.type": "#microsoft.graph.security.siteSource"},
                        }
                    ],
                    "searches": [
                        {
                            "id": "s",
                            "additionalSources": [
                                {
                                    "@odata.type": "#microsoft.graph.security.userSource",
                                    "id": "m",
                                    "email": "ann@contoso.example",
                                }
                            ],
                            "noncustodialSources@odata.bind": [
                                f"{CASES}/c/noncustodialDataSources/site"
                            ],
                        }
                    ],
                    "reviewSets": [{"id": "r", "queries": [{"id": "q"}]}],
                    "tags": [
                        {"id": "top"},
                        {"id": "low", "parent@odata.bind": f"{CASES}/c/tags/top"},
                    ],
                }
            ]
        }
    }
}


@pytest.fixture(scope="module")
def server() -> Iterator[MockGraph]:
    with MockGraph(auth="off", seed=SEED) as server:
        yield server


@pytest.fixture(params=["v1", "beta"])
def case(server: MockGraph, request: pytest.FixtureRequest) -> Iterator[Case]:
    server.reset()
    server.clock.freeze(NOON)
    with httpx.Client(
        verify=NO_TLS, base_url=f"{getattr(server, request.param)}/{CASES}/c/"
    ) as client:
        yield Case(server, client)


class Case:
    """A case, and the clock of its tenant, which stands at noon."""

    def __init__(self, graph: MockGraph, client: httpx.Client):
        self.graph = graph
        self.url = str(client.base_url).rstrip("/")
        self._client = client

    def get(self, path: str = "", **headers: str) -> Json:
        """Get a path below the case, or a URL."""
        answer = self._client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def act(self, path: str, status: int = 202, **body: Json) -> str:
        """Call an action, and return the location that it answers."""
        answer = self._client.post(path, json=body or None)
        assert answer.status_code == status, answer.text
        assert not answer.content or status >= 400
        return str(answer.headers.get("Location", answer.text))


# -- cases -----------------------------------------------------------------------------------------


def test_a_new_case_is_active_whatever_is_sent(case: Case) -> None:
    answer = plain.post(
        f"{case.graph.v1}/{CASES}",
        json={"displayName": "New", "status": "closed", "closedDateTime": NOON},
    )
    made = answer.json()
    assert answer.status_code == 201
    assert (made["status"], made["closedDateTime"], made["closedBy"]) == ("active", None, None)
    assert made["createdDateTime"] == made["lastModifiedDateTime"] == NOON
    assert made["lastModifiedBy"]["application"]["displayName"] == "MockGraph"
    settings = plain.get(f"{case.graph.v1}/{CASES}/{made['id']}/settings").json()
    assert settings["id"] == made["id"]
    assert settings["redundancyDetection"]["similarityThreshold"] == 65


def test_a_case_is_closed_and_reopened(case: Case) -> None:
    case.act("custodians/kai/applyHold")
    case.graph.operations.complete()
    case.act("close", 204)
    closed = case.get()
    assert (closed["status"], closed["closedDateTime"]) == ("closed", NOON)
    assert closed["closedBy"]["application"]["displayName"] == "MockGraph"
    assert case.get("custodians/kai")["holdStatus"] == "notApplied"
    case.graph.clock.advance(60)
    case.act("close", 204)
    assert case.get()["closedDateTime"] == NOON  # it was closed already
    case.act("reopen", 204)
    reopened = case.get()
    assert (reopened["status"], reopened["closedDateTime"]) == ("active", None)
    assert reopened["closedBy"] is None
    assert case.get("custodians/kai")["holdStatus"] == "notApplied"


def test_settings_are_reset(case: Case) -> None:
    settings = f"{case.graph.v1}/{CASES}/c/settings"
    plain.patch(settings, json={"ocr": {"isEnabled": True, "maxImageSize": 1}})
    case.act("settings/resetToDefault", 200)
    after = case.get("settings")
    assert after["ocr"] == {"isEnabled": False, "maxImageSize": 24576, "timeout": "PT1M"}
    assert after["topicModeling"]["topicCount"] == 100


# -- custodians ------------------------------------------------------------------------------------


def test_a_hold_goes_from_applying_to_applied_by_the_clock(case: Case) -> None:
    location = case.act("custodians/applyHold", ids=["kai"])
    assert location.startswith(f"{case.url}/operations/")
    begun = case.get(location)
    assert begun["@odata.type"] == "#microsoft.graph.security.ediscoveryHoldOperation"
    assert (begun["action"], begun["status"]) == ("holdUpdate", "notStarted")
    assert (begun["createdDateTime"], begun["percentProgress"]) == (NOON, 0)
    assert case.get("custodians/kai")["holdStatus"] == "applying"
    assert case.get("custodians/kai/userSources/u")["holdStatus"] == "applying"
    assert case.get("custodians/ann")["holdStatus"] == "notApplied"

    case.graph.clock.advance(1)
    running = case.get(location)
    assert (running["status"], running["percentProgress"]) == ("running", 50)
    assert running["completedDateTime"] is None

    case.graph.clock.advance(3600)  # the operation ended when it was due, not when it was asked
    done = case.get(location)
    assert (done["status"], done["percentProgress"]) == ("succeeded", 100)
    assert done["completedDateTime"] == DONE
    kai = case.get("custodians/kai")
    assert (kai["holdStatus"], kai["lastModifiedDateTime"]) == ("applied", DONE)
    assert case.get("custodians/kai/userSources/u")["holdStatus"] == "applied"

    case.act("custodians/removeHold", ids=[])
    held = {each["id"]: each["holdStatus"] for each in case.get("custodians")["value"]}
    assert held == {"kai": "removing", "ann": "removing"}  # without ids, all of them
    case.graph.operations.complete()
    held = {each["id"]: each["holdStatus"] for each in case.get("custodians")["value"]}
    assert held == {"kai": "notApplied", "ann": "notApplied"}


def test_a_hold_on_who_is_not_there_changes_nothing(case: Case) -> None:
    before = case.graph.state
    assert "'nobody'" in case.act("custodians/applyHold", 404, ids=["kai", "nobody"])
    assert case.graph.state == before


def test_a_custodian_is_released_and_activated(case: Case) -> None:
    case.act("custodians/kai/applyHold")
    case.graph.operations.complete()
    case.act("custodians/kai/release")
    kai = case.get("custodians/kai")
    assert (kai["status"], kai["releasedDateTime"]) == ("released", NOON)
    assert kai["holdStatus"] == "removing"
    case.graph.operations.complete()
    assert case.get("custodians/kai")["holdStatus"] == "notApplied"
    location = case.act("custodians/kai/activate")
    kai = case.get("custodians/kai")
    assert (kai["status"], kai["releasedDateTime"]) == ("active", None)
    assert case.get(location)["action"] == "index"


@pytest.mark.parametrize("source", ["custodians/kai", "noncustodialDataSources/site"])
def test_an_index_is_updated(case: Case, source: str) -> None:
    location = case.act(f"{source}/updateIndex")
    last = case.get(f"{source}/lastIndexOperation")
    assert location.endswith(f"/operations/{last['id']}")
    assert (last["action"], last["status"]) == ("index", "notStarted")
    assert case.graph.operations.complete() == 1
    assert case.get(location)["status"] == "succeeded"


def test_sources_that_a_search_refers_to_are_held_where_they_are(case: Case) -> None:
    location = case.act("searches/s/noncustodialSources/applyHold", ids=["site"])
    assert "/ediscoveryCases/c/operations/" in location
    case.graph.operations.complete()
    site = case.get("noncustodialDataSources/site")
    assert site["holdStatus"] == "applied"
    assert case.get("noncustodialDataSources/site/dataSource")["holdStatus"] == "applied"


# -- searches and review sets ----------------------------------------------------------------------


def test_statistics_are_estimated(case: Case) -> None:
    location = case.act("searches/s/estimateStatistics", statisticsOptions="includeRefiners")
    case.graph.clock.advance(10)
    estimate = case.get(location)
    assert estimate["status"] == "succeeded"
    assert estimate["statisticsOptions"] == "includeRefiners"
    assert (estimate["mailboxCount"], estimate["siteCount"]) == (1, 1)
    assert estimate["indexedItemCount"] == 0
    search = case.get("searches/s?$expand=lastEstimateStatisticsOperation")
    assert search["lastEstimateStatisticsOperation"]["id"] == estimate["id"]
    own = "microsoft.graph.security.ediscoveryEstimateOperation"
    assert case.get(f"{location}?$expand={own}/search")["search"]["id"] == "s"


def test_an_action_without_a_body_does_as_its_page_shows(case: Case) -> None:
    for action in ("estimateStatistics", "purgeData"):
        assert "/operations/" in case.act(f"searches/s/{action}")


@pytest.mark.parametrize(
    ("action", "body", "made"),
    [
        ("searches/s/purgeData", {"purgeType": "recoverable"}, "purgeData"),
        ("searches/s/exportReport", {"displayName": "x"}, "exportReport"),
        ("searches/s/exportResult", {"exportFormat": "pst"}, "exportResult"),
        ("reviewSets/r/export", {"outputName": "x"}, "contentExport"),
        ("reviewSets/r/queries/q/export", {"outputName": "x"}, "contentExport"),
        ("reviewSets/r/queries/q/applyTags", {"tagsToAdd": [{"id": "top"}]}, "applyTags"),
        ("reviewSets/r/addToReviewSet", {"search": {"id": "s"}}, "addToReviewSet"),
    ],
)
def test_what_an_action_sets_going(case: Case, action: str, body: Json, made: str) -> None:
    location = case.act(action, **body)
    begun = case.get(location, Prefer="include-unknown-enum-members")
    assert (begun["action"], begun["status"]) == (made, "notStarted")
    sent = {name: value for name, value in body.items() if isinstance(value, str)}
    if "purge" not in action:
        assert begun.items() >= sent.items()
    assert case.graph.operations.complete() == 1
    done = case.get(location)
    assert done["status"] == "succeeded"
    if "export" in action:
        (file,) = done["exportFileMetadata"]
        assert file["downloadUrl"].endswith(file["fileName"])
    listed = [each["id"] for each in case.get("operations")["value"]]
    assert listed == [done["id"]]


def test_what_is_added_to_a_review_set_is_told_both_ways(case: Case) -> None:
    location = case.act("reviewSets/r/addToReviewSet", search={"id": "s"})
    own = f"{location}/microsoft.graph.security.ediscoveryAddToReviewSetOperation"
    operation = case.get(f"{own}?$expand=search,reviewSet")
    assert (operation["search"]["id"], operation["reviewSet"]["id"]) == ("s", "r")
    assert case.get("searches/s/addToReviewSetOperation")["id"] == operation["id"]


@pytest.mark.parametrize(
    ("action", "status", "body"),
    [
        ("reviewSets/r/addToReviewSet", 404, {"search": {"id": "other"}}),
        ("reviewSets/r/addToReviewSet", 400, {"additionalDataOptions": "linkedFiles"}),
        ("reviewSets/r/queries/q/applyTags", 404, {"tagsToAdd": [{"id": "other"}]}),
        ("reviewSets/r/queries/q/applyTags", 400, {"tagsToRemove": [{"displayName": "x"}]}),
        ("searches/other/purgeData", 404, {}),
        ("searches/s/exportResult", 400, {"exportFormat": "paper"}),
    ],
)
def test_a_refusal_sets_nothing_going(case: Case, action: str, status: int, body: Json) -> None:
    before = case.graph.state
    case.act(action, status, **body)
    assert case.graph.state == before
    assert not case.graph.operations


def test_callers_make_no_operation(case: Case) -> None:
    case.act("operations", 405, action="index")


def test_a_fault_makes_an_operation_fail(case: Case) -> None:
    with case.graph.faults.failed_operation(path="/security/cases/**/applyHold") as fault:
        failing = case.act("custodians/kai/applyHold")
        other = case.act("searches/s/purgeData")
    assert fault.struck == 1
    (first, second) = case.graph.operations
    assert (first.ending, second.ending) == ("failed", "succeeded")
    case.graph.clock.advance(10)
    failed = case.get(failing)
    assert (failed["status"], failed["completedDateTime"]) == ("failed", DONE)
    assert failed["resultInfo"]["code"] == 500
    assert case.get("custodians/kai")["holdStatus"] == "partial"
    assert case.get(other)["status"] == "succeeded"


# -- tags ------------------------------------------------------------------------------------------


def test_tags_as_a_hierarchy(case: Case) -> None:
    (top,) = case.get("tags/asHierarchy")["value"]
    assert top["id"] == "top"
    assert [(each["id"], each["childTags"]) for each in top["childTags"]] == [("low", [])]
    below = case.get("tags/top/childTags/asHierarchy()")["value"]
    assert [each["id"] for each in below] == ["low"]


def test_tags_in_a_circle_have_an_end(case: Case) -> None:
    url = f"{case.graph.v1}/{CASES}/c/tags"
    reference = {"@odata.id": f"{url}/low"}
    assert plain.put(f"{url}/top/parent/$ref", json=reference).status_code == 204
    assert case.get("tags/asHierarchy")["value"] == []
    (low,) = case.get("tags/top/childTags/asHierarchy")["value"]
    assert (low["id"], low["childTags"]) == ("low", [])
