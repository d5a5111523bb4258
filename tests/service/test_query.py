"""Each query option over HTTP, in every spelling that clients use."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from . import ALERTS, ask, at, create, get, ids, on_every_root, refused, without_control

Json = Any


# -- $filter ------------------------------------------------------------------------------

FILTERS = [
    ("severity eq 'high'", ["malware"]),
    ("severity eq microsoft.graph.alertSeverity'high'", ["malware"]),
    ("severity ne 'high'", ["phish", "quiet", "blank"]),
    ("severity gt 'low'", ["malware", "phish"]),
    ("severity in ('high','low')", ["malware", "quiet"]),
    ("severity eq null", ["blank"]),
    ("confidence ge 40 and confidence lt 90", ["phish"]),
    ("confidence ne null", ["malware", "phish"]),
    ("not (confidence gt 50)", ["phish", "quiet", "blank"]),
    ("confidence add 10 eq 50 or confidence mod 60 eq 30", ["malware", "phish"]),
    ("vendorInformation/provider eq 'Harbour'", ["phish"]),
    ("vendorInformation/vendor eq 'Contoso' and confidence gt 50", ["malware"]),
    ("contains(tolower(title),'phish')", ["phish"]),
    ("startswith(title,'It''s')", ["quiet"]),
    ("year(eventDateTime) eq 2024 and month(eventDateTime) eq 2", ["phish"]),
    ("eventDateTime lt 2024-02-01T07:00:00.001Z", ["phish"]),
    ("length(title) gt 19", ["malware"]),
    ("tags/any(t:t eq 'red')", ["malware"]),
    ("tags/all(t:t eq 'blue')", ["phish", "quiet", "blank"]),
    ("tags/$count eq 2", ["malware"]),
    ("hostStates/any(h:h/fqdn eq 'web-2')", ["malware"]),
    ("hostStates/any(h:h/isAzureAdJoined eq true)", ["malware"]),
    ("score eq 7", ["quiet"]),
    ("id eq 'blank'", ["blank"]),
]


@pytest.mark.parametrize(("text", "found"), FILTERS)
@on_every_root
def test_filter(alerts: FlaskClient, root: str, text: str, found: list[str]) -> None:
    assert ids(ask(alerts, root, filter=text)) == found
    counted = alerts.get(f"{at(root, 'alerts')}/$count?$filter={quote(text)}")
    assert (counted.status_code, counted.text) == (200, str(len(found)))


@pytest.mark.parametrize(
    "options",
    [
        "$filter=title%20eq%20'Phishing%20%26%20spoofing'",
        "%24filter=title%20eq%20%27Phishing%20%26%20spoofing%27",
        "$filter=title+eq+'Phishing+%26+spoofing'",
        "filter=title+eq%20'Phishing+%26%20spoofing'",
        "$FILTER=title eq 'Phishing %26 spoofing'",
        "%24Filter=title eq 'Phishing %26 spoofing'",
        "Filter=%20title eq 'Phishing %26 spoofing'+",
        "&$filter=title eq 'Phishing %26 spoofing'&",
    ],
)
def test_every_spelling_of_an_option(alerts: FlaskClient, options: str) -> None:
    assert ids(get(alerts, options)) == ["phish"]


def test_a_plus_that_is_meant(alerts: FlaskClient) -> None:
    assert ids(get(alerts, "$filter=category eq 'a%2Bb'")) == ["quiet"]
    assert ids(get(alerts, "$filter=category eq 'a+b'")) == []


# -- $orderby, $top, $skip, $count --------------------------------------------------------

ORDERS = [
    ("confidence", ["quiet", "blank", "phish", "malware"]),
    ("confidence asc", ["quiet", "blank", "phish", "malware"]),
    ("confidence desc", ["malware", "phish", "quiet", "blank"]),
    ("severity desc", ["malware", "phish", "quiet", "blank"]),
    ("severity", ["blank", "quiet", "phish", "malware"]),
    ("vendorInformation/vendor desc,title desc", ["phish", "malware", "quiet", "blank"]),
    ("vendorInformation/provider desc", ["malware", "phish", "quiet", "blank"]),
    ("eventDateTime desc,id", ["malware", "phish", "blank", "quiet"]),
    ("length(title)", ["blank", "quiet", "phish", "malware"]),
]


@pytest.mark.parametrize(("text", "found"), ORDERS)
def test_orderby(alerts: FlaskClient, text: str, found: list[str]) -> None:
    assert ids(ask(alerts, orderby=text)) == found


def test_top_skip_and_count(alerts: FlaskClient) -> None:
    assert ids(ask(alerts, top="2")) == ["malware", "phish"]
    assert ids(ask(alerts, skip="3")) == ["blank"]
    assert ids(ask(alerts, skip="1", top="2", orderby="id")) == ["malware", "phish"]
    assert ids(ask(alerts, skip="9")) == []
    counted = ask(alerts, count="true", top="1", skip="1", filter="confidence ne null")
    assert (ids(counted), counted.json["@odata.count"]) == (["phish"], 2)
    nothing = ask(alerts, top="0", count="true").json
    assert (nothing["value"], nothing["@odata.count"]) == ([], 4)
    assert "@odata.nextLink" not in nothing
    assert "@odata.count" not in ask(alerts, count="false").json


@pytest.mark.parametrize("path", ["$count", "%24count", "$COUNT"])
def test_the_count_segment(alerts: FlaskClient, path: str) -> None:
    for accept in ("text/plain", "application/json", "*/*"):
        response = alerts.get(f"{at('beta', 'alerts')}/{path}", headers={"Accept": accept})
        assert response.text == "4"
        assert response.mimetype == "text/plain"
    refused(alerts.get(f"{at('beta', 'alerts')}/{path}?$top=1"))
    assert alerts.get(f"{at('beta', 'alerts')}/{path}?$search=web-2").text == "1"


# -- $search ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("phishing", ["phish"]),
        ('"on two hosts"', ["malware"]),
        ("web-2", ["malware"]),
        ("contoso NOT harbour", ["malware"]),
        ("harbour OR nothing", ["phish", "quiet"]),
        ("contoso AND (red OR harbour)", ["malware", "phish"]),
        ("nowhere", []),
    ],
)
def test_search(alerts: FlaskClient, text: str, found: list[str]) -> None:
    assert ids(ask(alerts, search=text)) == found
    both = ask(alerts, search=text, filter="confidence gt 50", count="true")
    assert ids(both) == [each for each in found if each == "malware"]


# -- $select ------------------------------------------------------------------------------


@on_every_root
def test_select(alerts: FlaskClient, root: str) -> None:
    singleton = at(root).rpartition("/")[2]
    response = ask(alerts, root, select="title,vendorInformation/provider,hostStates/fqdn,score")
    base = f"http://localhost/{root}/$metadata#{singleton}/alerts"
    selection = "title,vendorInformation/provider,hostStates/fqdn,score"
    assert response.json["@odata.context"] == f"{base}({selection})"
    malware, _, quiet, blank = without_control(response.json["value"])
    assert malware == {
        "title": "Malware on two hosts",
        "vendorInformation": {"provider": "Lighthouse"},
        "hostStates": [{"fqdn": "web-1"}, {"fqdn": "web-2"}],
    }
    assert quiet["score"] == 7
    assert blank == {"title": None, "vendorInformation": None, "hostStates": []}
    assert all(each["@odata.etag"] for each in response.json["value"])


def test_select_of_one_entity_and_in_answers_to_writes(alerts: FlaskClient) -> None:
    url = at("v1.0", "alerts", "quiet")
    read = alerts.get(f"{url}?$select=id,title")
    assert read.get_json()["@odata.context"].endswith("#security/alerts(id,title)/$entity")
    assert without_control(read.json) == {"id": "quiet", "title": "It's nothing"}
    made = alerts.post(f"{at('v1.0', 'alerts')}?$select=title", json={"title": "t"})
    assert without_control(made.json) == {"title": "t"}
    everything = alerts.get(f"{url}?$select=*").json
    assert without_control(everything) == without_control(alerts.get(url).json)
    one = alerts.get(f"{at('localtest')}?$select=id").json
    assert set(without_control(one)) == {"id"}
    # The metadata says so of the singleton.
    assert "'$select'" in refused(alerts.get(f"{at('v1.0')}?$select=id"))


def test_select_does_not_touch_what_is_filtered_or_ordered_by(alerts: FlaskClient) -> None:
    response = ask(alerts, select="id", filter="confidence ne null", orderby="confidence")
    assert without_control(response.json["value"]) == [{"id": "phish"}, {"id": "malware"}]


# -- $format ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["json", "JSON", "application/json", "application/json;odata.metadata=minimal"]
)
def test_format(alerts: FlaskClient, text: str) -> None:
    assert ids(ask(alerts, format=text)) == [each["id"] for each in ALERTS]


# -- casts and parameter aliases ----------------------------------------------------------

USER = "microsoft.graph.security.userEvidence"
EVIDENCE = [
    {"@odata.type": f"#{USER}", "userAccount": {"userPrincipalName": "kai@contoso.com"}},
    {"@odata.type": "#microsoft.graph.security.deviceEvidence", "deviceDnsName": "web-1"},
]


def test_alerts_are_found_by_their_evidence(graph: FlaskClient) -> None:
    create(graph, "alerts_v2", id="kai", evidence=EVIDENCE)
    create(graph, "alerts_v2", id="other", evidence=EVIDENCE[1:])
    text = quote(f"evidence/any(e: e/{USER}/userAccount/userPrincipalName eq @user)")
    url = f"{at('v1.0', 'alerts_v2')}?$filter={text}&@user='kai@contoso.com'"
    assert ids(graph.get(url)) == ["kai"]


def test_aliases_go_on_with_the_pages(graph: FlaskClient) -> None:
    for name, title in [("a", "x"), ("b", "y"), ("c", "x")]:
        create(graph, "alerts", id=name, title=title)
    first = graph.get(f"{at('v1.0', 'alerts')}?$filter=title eq @t&@t='x'&$top=1")
    second = graph.get(first.get_json()["@odata.nextLink"])
    assert sorted(ids(first) + ids(second)) == ["a", "c"]
