"""$expand over HTTP: the singleton's sets, an incident's alerts, options within."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from . import OFFICIAL, at, create, ids, on_every_root, refused, without_control

# -- $expand ------------------------------------------------------------------------------


def test_expand_on_the_singleton(alerts: FlaskClient) -> None:
    create(alerts, "tiIndicators", id="one")
    options = (
        "alerts($select=id,title;$filter=confidence ne null;$orderby=confidence;$top=1;$count=true)"
    )
    response = alerts.get(
        f"{at('localtest')}?$expand={quote(options)},tiIndicators($select=id)&$select=id"
    )
    body = response.get_json()
    assert body["@odata.context"].endswith("#Security(id,alerts(id,title),tiIndicators(id))")
    assert without_control(body["alerts"]) == [{"id": "phish", "title": "Phishing & spoofing"}]
    assert body["alerts@odata.count"] == 2
    assert without_control(body["tiIndicators"]) == [{"id": "one"}]
    assert "providerStatus" not in body


@on_every_root
def test_expand_shows_whole_entities(alerts: FlaskClient, root: str) -> None:
    body = alerts.get(f"{at(root)}?$expand=alerts").get_json()
    assert body["providerStatus"] == []
    listed = alerts.get(at(root, "alerts")).get_json()["value"]
    assert body["alerts"] == listed


@pytest.fixture
def incidents(graph: FlaskClient) -> FlaskClient:
    for key in ("storm", "calm"):
        create(graph, "incidents", id=key, displayName=key)
    for number, severity in enumerate(["low", "high", "medium"], 1):
        create(graph, "alerts_v2", id=f"a{number}", severity=severity, incidentId="storm")
    create(graph, "alerts_v2", id="stray", severity="high")
    return graph


@pytest.mark.parametrize("root", OFFICIAL)
@pytest.mark.parametrize(
    ("options", "found", "count"),
    [
        ("", ["a1", "a2", "a3"], None),
        ("($orderby=severity desc)", ["a2", "a3", "a1"], None),
        ("($filter=severity eq 'high';$count=true)", ["a2"], 1),
        ("($orderby=severity;$skip=1;$top=1;$count=true)", ["a3"], 3),
        ("($search=stray)", [], None),
        ("($top=0;$count=true)", [], 3),
    ],
)
def test_expand_incidents(
    incidents: FlaskClient, root: str, options: str, found: list[str], count: int | None
) -> None:
    expand = quote(f"alerts{options}")
    listed = incidents.get(f"{at(root, 'incidents')}?$expand={expand}").get_json()["value"]
    one = incidents.get(f"{at(root, 'incidents', 'storm')}?$expand={expand}").get_json()
    by_key = {each["id"]: each for each in listed}
    for storm in (by_key["storm"], one):
        assert [each["id"] for each in storm["alerts"]] == found
        assert storm.get("alerts@odata.count") == count
        assert storm["displayName"] == "storm"
    assert by_key["calm"]["alerts"] == []


def test_expand_within_expand(incidents: FlaskClient) -> None:
    expand = "incidents($select=id;$filter=id eq 'storm';$expand=alerts($select=id;$top=2))"
    body = incidents.get(f"{at('beta')}?$expand={quote(expand)}").get_json()
    assert without_control(body["incidents"]) == [
        {"id": "storm", "alerts": [{"id": "a1"}, {"id": "a2"}]}
    ]
    assert body["@odata.context"].endswith("#security(incidents(id,alerts(id)))")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("$filter=alerts/any(a:a/severity eq 'high')", ["storm"]),
        ("$filter=alerts/any(a:a/severity eq 'unknown')", []),
        ("$filter=alerts/all(a:a/severity eq 'high')", ["calm"]),
        ("$filter=alerts/$count gt 0", ["storm"]),
        ("$filter=alerts/$count eq 3", ["storm"]),
        ("$orderby=alerts/$count", ["calm", "storm"]),
        ("$orderby=alerts/$count desc", ["storm", "calm"]),
    ],
)
@pytest.mark.parametrize("root", OFFICIAL)
def test_queries_follow_navigation(
    incidents: FlaskClient, root: str, options: str, found: list[str]
) -> None:
    assert ids(incidents.get(f"{at(root, 'incidents')}?{options}")) == found


def test_expand_what_a_root_does_not_serve(incidents: FlaskClient) -> None:
    assert "incidents" in refused(incidents.get(f"{at('localtest')}?$expand=incidents"))
