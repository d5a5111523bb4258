"""Values of Edm types over HTTP: instants, enumerations, ranges, and where a fault is."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest

from . import (
    SETS,
    VENDOR,
    at,
    create,
    ids,
    may,
    on_documented_roots,
    on_every_root,
    refused,
    resource_of,
)

Json = Any
ALL_MEMBERS = {"Prefer": "include-unknown-enum-members"}

# -- instants -----------------------------------------------------------------------------

OFFSETS = [
    ("2024-02-29T21:30:15", "Z", "2024-02-29T21:30:15"),
    ("2024-02-29T21:30:15", "z", "2024-02-29T21:30:15"),
    ("2024-02-29T21:30:15", "+00:00", "2024-02-29T21:30:15"),
    ("2024-02-29T21:30:15", "-00:00", "2024-02-29T21:30:15"),
    ("2024-02-29T21:30:15", "+03:00", "2024-02-29T18:30:15"),
    ("2024-02-29T21:30:15", "-05:45", "2024-03-01T03:15:15"),
    ("2024-01-01T00:00:00", "+14:00", "2023-12-31T10:00:00"),
    ("2024-12-31T23:59:59", "-14:00", "2025-01-01T13:59:59"),
    ("2024-02-29T21:30", "+03:00", "2024-02-29T18:30:00"),
]
FRACTIONS = ["", ".0", ".12", ".123", ".1234", ".12345", ".123456", ".1234567", ".0000001"]


@pytest.mark.parametrize(("sent", "offset", "utc"), OFFSETS)
def test_an_instant_keeps_its_moment_and_its_digits(
    graph: FlaskClient, sent: str, offset: str, utc: str
) -> None:
    for fraction in FRACTIONS if len(sent) == 19 else [""]:
        text = f"{sent}{fraction}{offset}"
        shown = create(graph, "alerts", eventDateTime=text)["eventDateTime"]
        assert shown == f"{utc}{fraction}Z"


def test_instants_within_complex_values(graph: FlaskClient) -> None:
    process = {"createdDateTime": "2024-01-01T03:00:00.1234567+03:00"}
    made = create(graph, "alerts", processes=[process])
    assert made["processes"][0]["createdDateTime"] == "2024-01-01T00:00:00.1234567Z"


def test_one_moment_however_it_is_written_is_one_in_a_filter(graph: FlaskClient) -> None:
    for text in ("2024-01-01T03:00:00.50+03:00", "2024-01-01T00:00:00.5Z"):
        create(graph, "alerts", eventDateTime=text)
    create(graph, "alerts", eventDateTime="2024-01-01T00:00:00.5000001Z")
    found = graph.get(at("beta", "alerts"), query_string={"$filter": MOMENT})
    assert len(ids(found)) == 2


MOMENT = "eventDateTime eq 2023-12-31T19:00:00.5-05:00"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-01-01 00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:61Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.12345678Z",
        "2024-01-01T00:00:00+15:00",
        "2024-01-01T00:00:00+3:00",
        "2024-01-01T00:00:00+0300",
        "0001-01-01T00:00:00+03:00",
        "9999-12-31T23:59:59-03:00",
        "٢٠٢٤-01-01T00:00:00Z",
        "2024-01-01T00:00:00Z\n",
        "/Date(1700000000000)/",
        1700000000,
        True,
        [],
        {},
    ],
)
def test_what_is_no_instant(graph: FlaskClient, text: Json) -> None:
    message = refused(graph.post(at("v1.0", "alerts"), json={"eventDateTime": text}))
    assert message.startswith("eventDateTime: ")
    assert "Edm.DateTimeOffset" in message


def not_made(graph: FlaskClient, name: str, body: Json) -> str:
    """Why no entity of a set can be made so, with the path of the fault below the set."""
    if may("POST", "beta", name):
        return refused(graph.post(at("beta", name), json=body))
    with pytest.raises(BadRequest) as raised:
        create(graph, name, **body)
    return raised.value.message.removeprefix(f"security/{name}/")


# -- scalars ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SETS)
def test_every_member_of_every_enumeration_and_no_other(graph: FlaskClient, name: str) -> None:
    strangers: list[Json] = ["nope", "", "NOPE", 1, True, []]
    for each, declared in resource_of("beta", name).type.properties().items():
        if isinstance(declared, edm.Enum) and not declared.computed:
            for member in declared.values.members:
                for spelt in (member, member.upper()):
                    key = create(graph, name, **{each: spelt})["id"]
                    answer = graph.get(at("beta", name, key), headers=ALL_MEMBERS)
                    assert answer.get_json()[each] == member
            for stranger in strangers:
                message = not_made(graph, name, {each: stranger})
                assert message.startswith(f"{each}: ")
                assert f"'{declared.type_name}'" in message


def test_a_refused_member_is_told_which_there_are(graph: FlaskClient) -> None:
    message = refused(graph.post(at("localtest", "alerts"), json={"severity": "High"}))
    members = "unknown, informational, low, medium, high, unknownFutureValue"
    assert message == (
        "severity: 'High' is not a member of 'microsoft.graph.alertSeverity'; "
        f"its members are {members}."
    )


RANGES = [
    ("alerts", "confidence", "Edm.Int32", 2**31),
    ("tiIndicators", "networkPort", "Edm.Int32", 2**31),
    ("tiIndicators", "fileSize", "Edm.Int64", 2**63),
    ("fileSecurityProfiles", "size", "Edm.Int64", 2**63),
]


@pytest.mark.parametrize(("name", "each", "type_name", "limit"), RANGES)
def test_ranges(graph: FlaskClient, name: str, each: str, type_name: str, limit: int) -> None:
    for inside in (-limit, -1, 0, limit - 1):
        key = create(graph, name, **{each: inside})["id"]
        assert graph.get(at("beta", name, key)).get_json()[each] == inside
        assert graph.get(at("beta", name, key, each, "$value")).text == str(inside)
    for outside in (-limit - 1, limit, 10**30):
        # Past 64 bits the text is no JSON that a Graph client could have written.
        body = f'{{"{each}": {outside}}}'
        refused(graph.post(at("beta", name), data=body, content_type="application/json"))
    message = refused(
        graph.post(at("beta", name), json={each: -limit - 1 if limit < 2**63 else 2**63})
    )
    assert message.startswith(f"{each}: Cannot convert ")
    assert f"'{type_name}'" in message


@pytest.mark.parametrize(
    ("name", "each", "values"),
    [
        ("alerts", "title", [5, 5.0, True, [], {}, ["x"]]),
        ("alerts", "confidence", ["5", 5.0, 5.5, True, [], {}]),
        ("tiIndicators", "fileSize", ["5", 5.0, False, [5]]),
        ("tiIndicators", "isActive", ["true", 1, 0, "", []]),
        ("secureScores", "currentScore", ["5", True, [], "inf", "Infinity"]),
        ("alerts", "vendorInformation", ["x", 5, [], [{}], True]),
        ("alerts", "tags", ["x", {}, 5, True, None]),
        ("alerts", "hostStates", [{}, "x", None]),
    ],
)
@on_documented_roots
def test_nothing_is_coerced(
    graph: FlaskClient, root: str, name: str, each: str, values: list[Json]
) -> None:
    key = create(graph, name)["id"]
    before = graph.get(at(root, name, key)).json
    for value in values:
        assert not_made(graph, name, {each: value}).startswith(f"{each}: ")
        if not may("PATCH", root, name, "x"):
            continue
        body = {"vendorInformation": VENDOR, each: value} if name == "alerts" else {each: value}
        assert refused(graph.patch(at(root, name, key), json=body)).startswith(f"{each}: ")
    assert graph.get(at(root, name, key)).json == before
    assert ids(graph.get(at(root, name))) == [key]


@pytest.mark.parametrize("value", [0, -1, 1.5, 1e308, -0.0, 5, "INF", "-INF", "NaN"])
def test_doubles(graph: FlaskClient, value: Json) -> None:
    made = create(graph, "secureScores", currentScore=value)
    assert repr(made["currentScore"]) == repr(value)


# -- where a fault is ---------------------------------------------------------------------

URL: dict[str, Json] = {"@odata.type": "#microsoft.graph.security.urlEvidence"}
FAULTS: list[tuple[str, Json, str]] = [
    ("alerts", {"hostStates": [{}, {"isAzureAdJoined": "yes"}]}, "hostStates/1/isAzureAdJoined"),
    ("alerts", {"fileStates": [{"fileHash": {"hashType": "x"}}]}, "fileStates/0/fileHash/hashType"),
    ("alerts", {"networkConnections": [{"protocol": 6}]}, "networkConnections/0/protocol"),
    ("alerts", {"processes": [{"processId": 2**31}]}, "processes/0/processId"),
    ("alerts", {"processes": [{"createdDateTime": "x"}]}, "processes/0/createdDateTime"),
    ("alerts", {"historyStates": [{"comments": ["a", 5]}]}, "historyStates/0/comments/1"),
    ("alerts", {"historyStates": [{"comments": None}]}, "historyStates/0/comments"),
    ("alerts", {"historyStates": [{"comments": [None]}]}, "historyStates/0/comments/0"),
    ("alerts", {"comments": ["a", None]}, "comments/1"),
    ("alerts", {"hostStates": [{}, None]}, "hostStates/1"),
    ("alerts", {"hostStates": [{}, {}, "x"]}, "hostStates/2"),
    ("alerts", {"hostStates": [{"extra": 1}]}, "hostStates/0/extra"),
    ("alerts", {"vendorInformation": {"extra": 1}}, "vendorInformation/extra"),
    ("alerts", {"vendorInformation": {"provider": 1}}, "vendorInformation/provider"),
    (
        "alerts",
        {"vendorInformation": {"@odata.type": "#microsoft.graph.alert"}},
        "vendorInformation/@odata.type",
    ),
    (
        "secureScoreControlProfiles",
        {"complianceInformation": [{"certificationControls": [{"name": "a"}, {"url": 1}]}]},
        "complianceInformation/0/certificationControls/1/url",
    ),
    (
        "hostSecurityProfiles",
        {"logonUsers": [{"logonTypes": ["batch", "nope"]}]},
        "logonUsers/0/logonTypes/1",
    ),
    ("alerts_v2", {"evidence": [URL, {**URL, "roles": ["source", "x"]}]}, "evidence/1/roles/1"),
    ("alerts_v2", {"evidence": [{"@odata.type": None}]}, "evidence/0/@odata.type"),
    ("alerts_v2", {"evidence": [URL, {**URL, "ipAddress": "x"}]}, "evidence/1/ipAddress"),
    ("incidents", {"comments": [{"comment": 5}]}, "comments/0/comment"),
]


@pytest.mark.parametrize(("name", "body", "path"), FAULTS)
def test_a_fault_is_told_by_its_path(graph: FlaskClient, name: str, body: Json, path: str) -> None:
    assert not_made(graph, name, body).startswith(f"{path}: ")
    key = create(graph, name)["id"]
    before = graph.get(at("beta", name, key)).json
    sent = {"vendorInformation": VENDOR, **body} if name == "alerts" else body
    assert refused(graph.patch(at("beta", name, key), json=sent)).startswith(f"{path}: ")
    assert graph.get(at("beta", name, key)).json == before


@pytest.mark.parametrize("mark", ["", "#"])
@on_every_root
def test_the_right_type_may_be_named(graph: FlaskClient, root: str, mark: str) -> None:
    body = {
        "@odata.type": f"{mark}microsoft.graph.alert",
        "hostStates": [{"@odata.type": f"{mark}microsoft.graph.hostSecurityState", "os": "x"}],
    }
    made = graph.post(at(root, "alerts"), json=body)
    assert made.get_json()["hostStates"][0]["os"] == "x"


@pytest.mark.parametrize("named", ["#microsoft.graph.incident", "alert", "", None, 5, []])
def test_the_wrong_type_may_not(graph: FlaskClient, named: Json) -> None:
    message = refused(graph.post(at("v1.0", "alerts"), json={"@odata.type": named}))
    assert message.startswith("@odata.type: ")


def test_what_must_not_be_null_does_not_become_so(graph: FlaskClient) -> None:
    key = create(graph, "tiIndicators", targetProduct="Sentinel")["id"]
    url = at("beta", "tiIndicators", key)
    assert refused(graph.patch(url, json={"targetProduct": None})).startswith("targetProduct: ")
    assert graph.get(url).get_json()["targetProduct"] == "Sentinel"


# -- merging ------------------------------------------------------------------------------


def test_a_patch_merges(graph: FlaskClient) -> None:
    first = {
        "name": "n",
        "riskScore": "1",
        "tags": ["a", "b"],
        "registrant": {"organization": "o", "url": "u"},
        "domainCategories": [{"name": "c", "vendor": "v"}],
        "extra": {"kept": False, "gone": True},
    }
    url = at(
        "beta", "domainSecurityProfiles", create(graph, "domainSecurityProfiles", **first)["id"]
    )
    changes = {
        "riskScore": None,
        "tags": ["c"],
        "registrant": {"url": None, "vendor": "w"},
        "domainCategories": [{"description": "d"}],
        "extra": {"new": 1},
    }
    after = graph.patch(url, json=changes).get_json()
    assert after["name"] == "n"
    assert after["riskScore"] is None
    assert after["tags"] == ["c"]
    assert after["registrant"] == {
        "countryOrRegionCode": None,
        "organization": "o",
        "url": None,
        "vendor": "w",
    }
    assert after["domainCategories"] == [{"description": "d", "name": None, "vendor": None}]
    assert after["extra"] == {"new": 1}
    cleared = graph.patch(url, json={"registrant": None, "tags": []}).get_json()
    assert (cleared["registrant"], cleared["tags"]) == (None, [])
    again = graph.patch(url, json={"registrant": {"url": "x"}}).get_json()["registrant"]
    assert again == {"countryOrRegionCode": None, "organization": None, "url": "x", "vendor": None}
