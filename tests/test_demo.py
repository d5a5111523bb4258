"""The demo tenant: that it loads, that it hangs together, and that its script writes it."""

from __future__ import annotations

import ipaddress
import json
import re
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mockgraph import metadata as edm
from mockgraph.metadata.elements import EnumType
from mockgraph.service import SERVICE
from mockgraph.state.documents import read_document
from mockgraph.state.table_rules import HUNTING_TABLE

Json = Any

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "fixtures" / "demo.json"
TEXT = DEMO.read_text(encoding="utf-8")
DOCUMENT = json.loads(TEXT)
# The collections by their paths below Security.
TENANT: dict[str, list[dict[str, Json]]] = {
    path: entities
    for name, found in DOCUMENT["Security"].items()
    for path, entities in (
        {name: found} if isinstance(found, list) else {f"{name}/{e}": found[e] for e in found}
    ).items()
}
SCHEMAS = SERVICE.stored.schemas
SETS = {
    name: each.type
    for name in TENANT
    if (each := SERVICE.stored.resource(f"security/{name}")) is not None
}

SECURITY = SCHEMAS["microsoft.graph.security"]

TODAY = date(2026, 11, 20)
NOW = "2026-11-20T12:00:00Z"
FIRST_DAY = TODAY - timedelta(days=89)

# What the documentation says is there.
COUNTS = {
    "providerStatus": 10,
    "alerts": 41,
    "tiIndicators": 30,
    "secureScores": 90,
    "secureScoreControlProfiles": 20,
    "securityActions": 14,
    "userSecurityProfiles": 15,
    "hostSecurityProfiles": 13,
    "ipSecurityProfiles": 30,
    "domainSecurityProfiles": 7,
    "fileSecurityProfiles": 13,
    "cloudAppSecurityProfiles": 5,
    "providerTenantSettings": 10,
    "alerts_v2": 34,
    "incidents": 9,
    "identities/healthIssues": 3,
    "identities/sensors": 3,
    "cases/ediscoveryCases": 1,
    "auditLog/queries": 2,
    "labels/retentionLabels": 3,
    "triggerTypes/retentionEventTypes": 1,
}

alerts = pytest.mark.parametrize(
    "alert", TENANT["alerts"], ids=[each["title"] for each in TENANT["alerts"]]
)
alerts_v2 = pytest.mark.parametrize(
    "alert", TENANT["alerts_v2"], ids=[each["title"] for each in TENANT["alerts_v2"]]
)


def values(set_name: str, *path: str) -> set[Json]:
    """The values at a path of names in a set, through collections."""
    level: list[Json] = list(TENANT[set_name])
    for name in path:
        level = [item[name] for item in level if name in item]
        level = [each for item in level for each in (item if isinstance(item, list) else [item])]
    return set(level)


def alone(name: str) -> list[dict[str, Json]]:
    """The entities of a set without those that they contain."""
    found = SERVICE.stored.resource(f"security/{name}")
    assert found is not None
    inner = found.children()
    return [
        {key: item for key, item in entity.items() if key.lower() not in inner}
        for entity in TENANT[name]
    ]


def members(name: str) -> list[str]:
    """The members of an enumeration, in order, but for the one that is kept for the future."""
    enumeration = SERVICE.stored.model.type(f"microsoft.graph.{name}")
    assert isinstance(enumeration, EnumType)
    found = [each.name for each in enumeration.members]
    return [each for each in found if each != "unknownFutureValue"]


def texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


def undeclared(schema: type[edm.StructuredSchema], value: dict[str, Json]) -> Iterator[str]:
    """The names that an open type would take for dynamic properties, at each level."""
    schema = schema.named_by(value)
    for name, item in value.items():
        if "@" in name:
            continue
        declared = schema.properties().get(name)
        if declared is None:
            yield name
            continue
        inner = declared.item if isinstance(declared, edm.Collection) else declared
        if isinstance(inner, edm.Complex):
            for each in item if isinstance(item, list) else [item]:
                yield from undeclared(inner.schema, each)


def said(value: Json) -> Json:
    """The value without what says nothing: null and empty collections."""
    if isinstance(value, dict):
        return {name: said(item) for name, item in value.items() if item not in (None, [])}
    return [said(item) for item in value] if isinstance(value, list) else value


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class TestDocument:
    def test_has_the_provider_status_and_sets(self) -> None:
        assert set(TENANT) == {"providerStatus", *SETS}
        assert set(TENANT) == set(COUNTS)

    def test_counts_are_those_of_the_readme(self) -> None:
        assert {name: len(entities) for name, entities in TENANT.items()} == COUNTS

    def test_is_read_as_a_seed(self) -> None:
        tables = read_document(DOCUMENT, SERVICE, None)
        filled = {name: len(rows) for name, rows in tables.items() if rows}
        assert filled.pop("security") == 1
        assert filled.pop(HUNTING_TABLE) == len(DOCUMENT["Hunting"])
        below = {name for name in filled if "/" in name.removeprefix("security/")}
        assert {name: filled[name] for name in filled if name not in below} == {
            f"security/{name}": COUNTS[name] for name in SETS if "/" not in name
        }
        assert sum(filled[name] for name in below) > 10

    @pytest.mark.parametrize("name", sorted(SETS))
    def test_comes_out_of_the_schemas_as_it_went_in(self, name: str) -> None:
        for item in alone(name):
            assert said(edm.load(SETS[name], item)) == said(item)

    def test_provider_status_loads(self) -> None:
        status = TENANT["providerStatus"]
        assert edm.load(SECURITY, {"providerStatus": status})["providerStatus"] == status

    @pytest.mark.parametrize("name", sorted(SETS))
    def test_misspells_no_property(self, name: str) -> None:
        extra = {each for item in alone(name) for each in undeclared(SETS[name], item)}
        assert extra == ({"controlName"} if name == "secureScoreControlProfiles" else set())

    def test_is_what_its_script_writes(self, tmp_path: Path) -> None:
        written = tmp_path / "demo.json"
        subprocess.run(
            [sys.executable, "-B", ROOT / "scripts" / "write_demo.py", written], check=True
        )
        assert written.read_bytes() == DEMO.read_bytes()

    def test_is_small_and_has_one_entity_a_line(self) -> None:
        assert len(TEXT.encode()) < 700_000
        lines = TEXT.splitlines()
        assert sum(line.startswith("{") for line in lines) == 1 + sum(COUNTS.values())

    def test_nothing_that_has_happened_is_later_than_the_moment_of_the_story(self) -> None:
        ahead = {"expirationDateTime", "filterEndDateTime"}

        def late(value: Json) -> Iterator[str]:
            for name, item in value.items() if isinstance(value, dict) else ():
                if name.endswith("DateTime") and name not in ahead and item > "2026-11-20T08:02":
                    yield f"{name}: {item}"
                for each in item if isinstance(item, list) else [item]:
                    yield from late(each)

        assert list(late(TENANT)) == []


class TestNames:
    def test_ids_are_guids_and_unique(self) -> None:
        ids = [item["id"] for name in SETS for item in TENANT[name]]
        named = {item["id"] for item in TENANT["secureScoreControlProfiles"]}
        numbered = values("incidents", "id")
        assert len(set(ids)) == len(ids)
        assert all(each.isdigit() for each in numbered)
        others = set(ids) - named - numbered
        assert [each for each in others if str(uuid.UUID(each)) != each] == []

    def test_addresses_are_for_documentation_or_private(self) -> None:
        found = {each for each in texts(TENANT) if is_address(each)}
        allowed = [
            ipaddress.ip_network(each)
            for each in (
                "192.0.2.0/24",
                "198.51.100.0/24",
                "203.0.113.0/24",
                "2001:db8::/32",
                "10.0.0.0/8",
            )
        ]
        strangers = {
            each
            for each in found
            if not any(
                ipaddress.ip_address(each) in network
                for network in allowed
                if network.version == ipaddress.ip_address(each).version
            )
        }
        assert len(found) > 25
        assert strangers == set()

    def test_mail_and_web_addresses_are_below_example(self) -> None:
        hosts = {
            host
            for text in texts(TENANT)
            for host in re.findall(r"(?:https?://|\w@)([\w.-]+)", text)
        }
        assert len(hosts) > 10
        assert {host for host in hosts if not host.endswith(".example")} == set()


class TestAlerts:
    @alerts
    def test_times_follow_one_another(self, alert: Json) -> None:
        history = [each["updatedDateTime"] for each in alert.get("historyStates", [])]
        times = [alert["eventDateTime"], alert["createdDateTime"], *history]
        assert times == sorted(times)
        assert times[-1] == alert["lastModifiedDateTime"]
        assert FIRST_DAY.isoformat() < times[0] < times[-1] < NOW
        started = [each["createdDateTime"] for each in alert.get("processes", [])]
        logons = [
            each["logonDateTime"] for each in alert.get("userStates", []) if "logonDateTime" in each
        ]
        assert max(started + logons, default="") <= alert["createdDateTime"]

    @alerts
    def test_status_is_what_the_history_ends_with(self, alert: Json) -> None:
        history = alert.get("historyStates", [])
        closed = alert["status"] in ("resolved", "dismissed")
        assert alert.get("closedDateTime") == (history[-1]["updatedDateTime"] if closed else None)
        assert ("feedback" in alert) or not closed
        if history:
            assert history[-1]["status"] == alert["status"]
            assert history[-1]["assignedTo"] == alert["assignedTo"]
        comments = [each for state in history for each in state.get("comments", [])]
        assert comments == alert.get("comments", [])

    @alerts
    def test_whatever_it_mentions_has_a_profile(self, alert: Json) -> None:
        users = {each["userPrincipalName"] for each in alert.get("userStates", [])}
        users |= {each["assignedTo"] for each in alert.get("historyStates", [])}
        hosts = {each["fqdn"] for each in alert.get("hostStates", [])}
        files = {
            each["fileHash"]["hashValue"]
            for each in [*alert.get("fileStates", []), *alert.get("processes", [])]
        }
        domains = {
            each["destinationDomain"]
            for each in alert.get("networkConnections", [])
            if "destinationDomain" in each
        }
        apps = {each["destinationServiceName"] for each in alert.get("cloudAppStates", [])}
        addresses = {each for each in texts(alert) if is_address(each)}
        assert users <= values("userSecurityProfiles", "userPrincipalName")
        assert hosts <= values("hostSecurityProfiles", "fqdn")
        assert files <= values("fileSecurityProfiles", "hashes", "hashValue")
        assert domains <= values("domainSecurityProfiles", "name")
        assert apps <= values("cloudAppSecurityProfiles", "destinationServiceName")
        assert addresses <= values("ipSecurityProfiles", "address")
        assert users | hosts | files | addresses

    def test_cover_every_severity_status_and_verdict(self) -> None:
        assert values("alerts", "severity") == {*members("alertSeverity")}
        assert values("alerts", "status") == {*members("alertStatus")}
        assert values("alerts", "feedback") == {*members("alertFeedback")} - {"unknown"}

    def test_come_from_connected_providers(self) -> None:
        enabled = {
            (each["vendor"], each["provider"])
            for each in TENANT["providerStatus"]
            if each["enabled"]
        }
        sources = {
            (each["vendorInformation"]["vendor"], each["vendorInformation"]["provider"])
            for each in TENANT["alerts"]
        }
        assert sources == enabled
        assert len({vendor for vendor, _ in sources}) == 3

    def test_server_options_and_status_of_providers_agree(self) -> None:
        settings = [
            (each["vendor"], each["provider"], each["enabled"])
            for each in TENANT["providerTenantSettings"]
        ]
        assert settings == [
            (each["vendor"], each["provider"], each["enabled"]) for each in TENANT["providerStatus"]
        ]


class TestIncidents:
    @alerts_v2
    def test_alert_belongs_to_an_incident_and_matches_a_legacy_alert(self, alert: Json) -> None:
        legacy = {each["id"]: each for each in TENANT["alerts"]}[alert["providerAlertId"]]
        assert alert["incidentId"] in values("incidents", "id")
        for name in ("title", "severity", "createdDateTime", "description"):
            assert alert[name] == legacy[name]
        assert alert.get("resolvedDateTime") == legacy.get("closedDateTime")
        assert (alert["status"] == "resolved") == (legacy["status"] in ("resolved", "dismissed"))
        comments = [each["comment"] for each in alert.get("comments", [])]
        assert comments == legacy.get("comments", [])
        assert alert["firstActivityDateTime"] <= alert["lastActivityDateTime"] < NOW
        assert alert["createdDateTime"] <= alert["lastUpdateDateTime"]

    @alerts_v2
    def test_evidence_is_of_derived_types_and_has_profiles(self, alert: Json) -> None:
        kinds = Counter(each["@odata.type"] for each in alert["evidence"])
        loaded = edm.load(SETS["alerts_v2"], alert)["evidence"]
        assert Counter(each["@odata.type"] for each in loaded) == kinds
        files = {text for text in texts(alert["evidence"]) if re.fullmatch("[0-9a-f]{64}", text)}
        addresses = {text for text in texts(alert["evidence"]) if is_address(text)}
        assert files <= values("fileSecurityProfiles", "hashes", "hashValue")
        assert addresses <= values("ipSecurityProfiles", "address")

    def test_files_are_malicious_where_their_profile_says_malware(self) -> None:
        malware = {
            each["hashValue"]
            for profile in TENANT["fileSecurityProfiles"]
            if "malwareStates" in profile
            for each in profile["hashes"]
        }
        judged = {
            each["fileDetails"]["sha256"]
            for alert in TENANT["alerts_v2"]
            for each in alert["evidence"]
            if "fileDetails" in each and each["verdict"] == "malicious"
        }
        assert judged
        assert judged <= malware

    def test_every_microsoft_alert_is_there_in_both_generations(self) -> None:
        microsoft = {
            each["id"]
            for each in TENANT["alerts"]
            if each["vendorInformation"]["vendor"] == "Microsoft"
        }
        assert values("alerts_v2", "providerAlertId") == microsoft

    def test_evidence_is_of_many_kinds(self) -> None:
        assert len(values("alerts_v2", "evidence", "@odata.type")) >= 10

    @pytest.mark.parametrize(
        "incident", TENANT["incidents"], ids=[each["displayName"] for each in TENANT["incidents"]]
    )
    def test_incident_sums_up_its_alerts(self, incident: Json) -> None:
        own = [each for each in TENANT["alerts_v2"] if each["incidentId"] == incident["id"]]
        assert incident["createdDateTime"] == min(each["createdDateTime"] for each in own)
        severities = members("security.alertSeverity")
        assert incident["severity"] == max((each["severity"] for each in own), key=severities.index)
        over = {each["status"] for each in own} == {"resolved"}
        assert (incident["status"] == "resolved") == over
        assert ("classification" in incident) == over
        changes = [each["lastUpdateDateTime"] for each in own]
        changes += [each["createdDateTime"] for each in incident.get("comments", [])]
        assert incident["lastUpdateDateTime"] == max(changes) < NOW


class TestScores:
    def test_there_is_one_a_day_up_to_today(self) -> None:
        days = [each["createdDateTime"] for each in TENANT["secureScores"]]
        assert days == [f"{FIRST_DAY + timedelta(days=age)}T00:00:00Z" for age in range(len(days))]
        assert days[-1] == f"{TODAY}T00:00:00Z"

    def test_scores_are_the_sums_of_their_controls(self) -> None:
        worth = {each["id"]: each["maxScore"] for each in TENANT["secureScoreControlProfiles"]}
        categories = {
            each["id"]: each["controlCategory"] for each in TENANT["secureScoreControlProfiles"]
        }
        for score in TENANT["secureScores"]:
            parts = {each["controlName"]: each["score"] for each in score["controlScores"]}
            assert parts.keys() == worth.keys()
            assert all(0 <= parts[name] <= worth[name] for name in parts)
            assert score["currentScore"] == pytest.approx(sum(parts.values()))
            assert score["maxScore"] == sum(worth.values())
            for each in score["controlScores"]:
                assert each["controlCategory"] == categories[each["controlName"]]

    def test_curve_improves_slowly_with_setbacks(self) -> None:
        curve = [each["currentScore"] for each in TENANT["secureScores"]]
        shares = [each["currentScore"] / each["maxScore"] for each in TENANT["secureScores"]]
        steps = [after - before for before, after in pairwise(curve)]
        assert 0.35 < shares[0] < shares[-1] < 0.8
        assert -1 < min(steps) < 0 < max(steps) < 6

    def test_is_compared_with_others(self) -> None:
        assert values("secureScores", "averageComparativeScores", "basis") == {
            "AllTenants",
            "TotalSeats",
            "IndustryTypes",
        }


class TestIndicators:
    def test_are_of_all_kinds(self) -> None:
        observables = Counter(
            name
            for each in TENANT["tiIndicators"]
            for name in (
                "domainName",
                "emailSenderAddress",
                "fileHashValue",
                "networkCidrBlock",
                "networkIPv4",
                "networkIPv6",
                "url",
            )
            if name in each
        )
        assert len(observables) == 7
        assert observables.total() == COUNTS["tiIndicators"]

    def test_some_are_expired_and_some_inactive(self) -> None:
        expired = sum(each["expirationDateTime"] < NOW for each in TENANT["tiIndicators"])
        inactive = sum(not each["isActive"] for each in TENANT["tiIndicators"])
        assert 3 <= expired <= 10
        assert 3 <= inactive <= 6

    def test_external_ids_are_unique(self) -> None:
        assert len(values("tiIndicators", "externalId")) == COUNTS["tiIndicators"]

    def test_were_reported_before_they_were_taken_in_and_before_they_expire(self) -> None:
        for each in TENANT["tiIndicators"]:
            times = [each["lastReportedDateTime"], each["ingestedDateTime"]]
            assert times == sorted(times)
            assert times[-1] < min(NOW, each["expirationDateTime"])


class TestActions:
    def test_are_in_every_status(self) -> None:
        assert values("securityActions", "status") == {*members("operationStatus")}

    def test_status_is_what_the_states_end_with(self) -> None:
        for action in TENANT["securityActions"]:
            times = [each["updatedDateTime"] for each in action["states"]]
            last = action["states"][-1]
            assert times == sorted(times)
            assert times[0] == action["createdDateTime"]
            assert last["status"] == action["status"]
            assert last["updatedDateTime"] == action["lastActionDateTime"] < NOW
            assert ("completedDateTime" in action) == (action["status"] == "Completed")
            assert ("errorInfo" in action) == (action["status"] == "Failed")

    def test_are_about_what_is_there(self) -> None:
        known = (
            values("userSecurityProfiles", "userPrincipalName")
            | values("hostSecurityProfiles", "fqdn")
            | values("ipSecurityProfiles", "address")
            | values("domainSecurityProfiles", "name")
            | values("fileSecurityProfiles", "hashes", "hashValue")
            | values("cloudAppSecurityProfiles", "name")
        )
        assert values("securityActions", "parameters", "value") <= known


class TestProfiles:
    @pytest.mark.parametrize("name", [each for each in COUNTS if each.endswith("SecurityProfiles")])
    def test_are_seen_in_order(self, name: str) -> None:
        for profile in TENANT[name]:
            first: Json = profile.get("firstSeenDateTime", profile.get("createdDateTime"))
            last: Json = profile.get("lastSeenDateTime", profile.get("lastModifiedDateTime"))
            assert first <= last < NOW

    def test_related_hosts_exist(self) -> None:
        related = values("hostSecurityProfiles", "relatedHostIds")
        assert related
        assert related <= values("hostSecurityProfiles", "id")


class TestCompliance:
    def test_sensors_count_the_open_issues_of_their_hosts(self) -> None:
        issues = TENANT["identities/healthIssues"]
        for sensor in TENANT["identities/sensors"]:
            own = [
                each["severity"]
                for each in issues
                if each["status"] == "open"
                and any(
                    name.startswith(sensor["displayName"].lower() + ".")
                    for name in each["sensorDNSNames"]
                )
            ]
            assert sensor["openHealthIssuesCount"] == len(own)
            assert (sensor["healthStatus"] == "healthy") == (not own)
        hosts = values("identities/healthIssues", "sensorDNSNames")
        assert hosts <= values("hostSecurityProfiles", "fqdn")

    def test_custodians_and_those_searched_for_are_people_of_the_tenant(self) -> None:
        people = values("userSecurityProfiles", "userPrincipalName")
        custodians = values("cases/ediscoveryCases", "custodians", "email")
        searched = values("auditLog/queries", "userPrincipalNameFilters")
        recorded = values("auditLog/queries", "records", "userPrincipalName")
        assert custodians
        assert recorded <= searched
        assert custodians | searched <= people

    def test_records_are_of_the_time_that_was_searched(self) -> None:
        for query in TENANT["auditLog/queries"]:
            assert query["records"]
            for record in query["records"]:
                when = record["createdDateTime"]
                assert query["filterStartDateTime"] <= when < query["filterEndDateTime"]
