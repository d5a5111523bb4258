"""Members of enumerations that came later, and the 48 kinds of evidence."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.metadata.notation import parse
from mockgraph.metadata.schemas import Schemas
from mockgraph.service import SERVICE

from . import OFFICIAL, at, create, ids

Json = Any
official = pytest.mark.parametrize("root", OFFICIAL)
KNOWING = {"Prefer": "include-unknown-enum-members"}
SENTINEL = {"serviceSource": "microsoftSentinel", "detectionSource": "scheduledAlerts"}
EVIDENCE = [
    {
        "@odata.type": "#microsoft.graph.security.ipEvidence",
        "ipAddress": "203.0.113.7",
        "remediationStatus": "active",
    }
]


@official
def test_a_later_member_is_shown_to_those_who_know(graph: FlaskClient, root: str) -> None:
    url = at(root, "alerts_v2", create(graph, "alerts_v2", **SENTINEL, evidence=EVIDENCE)["id"])
    for _ in range(2):  # the second is rendered from what the first left
        plain, knowing = graph.get(url), graph.get(url, headers=KNOWING)
        assert plain.get_json()["serviceSource"] == "unknownFutureValue"
        assert plain.get_json()["evidence"][0]["remediationStatus"] == "unknownFutureValue"
        assert "Preference-Applied" not in plain.headers
        assert knowing.get_json().items() >= SENTINEL.items()
        assert knowing.get_json()["evidence"][0]["remediationStatus"] == "active"
        assert knowing.headers["Preference-Applied"] == "include-unknown-enum-members"
    listed = graph.get(at(root, "alerts_v2"), headers=KNOWING).get_json()["value"]
    assert listed[0]["detectionSource"] == "scheduledAlerts"
    for rest, known in (("serviceSource", "microsoftSentinel"), ("evidence", "active")):
        assert known not in graph.get(f"{url}/{rest}").text
        assert known in graph.get(f"{url}/{rest}", headers=KNOWING).text
    assert graph.get(f"{url}/serviceSource/$value").text == "unknownFutureValue"
    found = graph.get(f"{at(root, 'alerts_v2')}?$filter=serviceSource eq 'microsoftSentinel'")
    assert len(ids(found)) == 1


@official
def test_what_was_answered_so_changes_nothing_when_it_comes_back(
    graph: FlaskClient, root: str
) -> None:
    key = create(graph, "alerts_v2", **SENTINEL, evidence=EVIDENCE)["id"]
    url = at(root, "alerts_v2", key)
    body = graph.get(url).get_json() | {"status": "resolved"}
    assert graph.patch(url, json=body).status_code == 200
    assert graph.get(url, headers=KNOWING).get_json().items() >= SENTINEL.items()
    incident = at(root, "incidents", create(graph, "incidents", status="awaitingAction")["id"])
    body = graph.get(incident).get_json()
    assert body["status"] == "unknownFutureValue"
    assert graph.patch(incident, json=body).status_code == 200
    assert graph.get(incident, headers=KNOWING).get_json()["status"] == "awaitingAction"


def test_preferences_stand_beside_one_another(graph: FlaskClient) -> None:
    create(graph, "alerts_v2", **SENTINEL)
    headers = {"Prefer": "odata.maxpagesize=5, include-unknown-enum-members"}
    answer = graph.get(at("v1.0", "alerts_v2"), headers=headers)
    applied = answer.headers.get_all("Preference-Applied")
    assert sorted(applied) == ["include-unknown-enum-members", "odata.maxpagesize=5"]
    assert answer.get_json()["value"][0].items() >= SENTINEL.items()


def test_members_of_flags() -> None:
    """None of Security's flags has a later member: those of one that has are told apart."""
    text = (
        "namespace x\n\nenum colour flags\n  red 1\n  unknownFutureValue 2\n  blue 4\n"
        "  green 8\n\ncomplex thing\n  own: colour\n  all: colour[]\n"
    )
    schemas = Schemas(parse([("x", text)]))
    projection = edm.Projections(schemas, is_typed=False, is_masked=True)[schemas["x.thing"]]
    shown = projection.of({"own": "red,blue,green", "all": ["red", "blue"]})
    assert shown == {"own": "red,unknownFutureValue", "all": ["red", "unknownFutureValue"]}


# -- every kind of evidence ---------------------------------------------------------------------

BASE = "microsoft.graph.security.alertEvidence"
KINDS = SERVICE.views["v1.0"].model.derived(BASE)


def test_there_are_as_many_kinds_as_the_metadata_has() -> None:
    assert len(KINDS) >= 48


@pytest.mark.parametrize("kind", KINDS)
def test_evidence_is_what_it_is(graph: FlaskClient, kind: str) -> None:
    schema = SERVICE.views["v1.0"].schemas[kind]
    own = [name for name in schema.properties() if name not in base_properties()]
    for mark in ("", "#"):
        evidence = [{"@odata.type": f"{mark}{kind}", "verdict": "Malicious", "roles": ["attacked"]}]
        key = create(graph, "alerts_v2", evidence=evidence)["id"]
        shown = graph.get(at("v1.0", "alerts_v2", key)).get_json()["evidence"][0]
        assert shown["@odata.type"] == f"#{kind}"
        assert (shown["verdict"], shown["roles"]) == ("malicious", ["attacked"])
        assert shown.keys() >= set(own)
    of_kind = f"evidence/any(e:isof(e,{kind}))"
    assert len(ids(graph.get(f"{at('v1.0', 'alerts_v2')}?$filter={of_kind}"))) == 2
    with pytest.raises(BadRequest, match="'nope' does not exist on type"):
        create(graph, "alerts_v2", evidence=[{"@odata.type": f"#{kind}", "nope": 1}])
    for name in own:
        with pytest.raises(BadRequest, match=f"evidence/0/{name}"):
            create(graph, "alerts_v2", evidence=[{"@odata.type": f"#{kind}", name: [[5]]}])


def base_properties() -> set[str]:
    return set(SERVICE.views["v1.0"].schemas[BASE].properties())
