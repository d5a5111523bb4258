"""The merge of a PATCH, and the etags that tell of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from edm_strategies import values_of
from flask.testing import FlaskClient
from hypothesis import given, settings
from profiles import examples
from werkzeug.test import TestResponse

from mockgraph.app import create_app
from mockgraph.server_options import Settings
from mockgraph.service import SERVICE

_SCHEMAS = SERVICE.views["localtest"].schemas
Security = _SCHEMAS["microsoft.graph.security"]
SecurityProviderStatus = _SCHEMAS["microsoft.graph.securityProviderStatus"]

SECURITY = "/localtest/Security"
ALERTS = f"{SECURITY}/alerts"
KEY = "2026c75e-c75e-2026-5ec7-26205ec72620"
ETAG = "@odata.etag"


def security(client: FlaskClient) -> dict[str, Any]:
    body = client.get(SECURITY).json
    assert isinstance(body, dict)
    return body


def patch(client: FlaskClient, body: Any, path: str = SECURITY, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.patch(path, json=body, headers=named)


def without_control(value: Any) -> Any:
    if isinstance(value, list):
        return [without_control(item) for item in value]
    if isinstance(value, dict):
        return {
            name: without_control(item)
            for name, item in value.items()
            if not name.startswith("@odata.")
        }
    return value


@pytest.fixture
def alert(empty_client: FlaskClient) -> str:
    """The URL of an alert."""
    created = empty_client.post(
        ALERTS,
        json={
            "title": "Before",
            "tags": ["a", "b"],
            "vendorInformation": {"provider": "P", "vendor": "V"},
        },
    )
    assert created.json is not None
    return f"{ALERTS}/{created.json['id']}"


# -- what changes -------------------------------------------------------------------------


def test_what_is_left_out_stays(client: FlaskClient) -> None:
    before = security(client)
    answer = patch(client, {})
    assert answer.status_code == 200
    assert without_control(answer.json) == without_control(before)


def test_a_collection_is_replaced_whole_and_its_items_are_filled_up(client: FlaskClient) -> None:
    answer = patch(client, {"providerStatus": [{"enabled": False}, {"vendor": "Contoso"}]})
    unset = dict.fromkeys(SecurityProviderStatus.properties())
    assert without_control(answer.json) == {
        "id": KEY,
        "providerStatus": [{**unset, "enabled": False}, {**unset, "vendor": "Contoso"}],
    }
    assert without_control(patch(client, {"providerStatus": []}).json)["providerStatus"] == []


def test_a_collection_cannot_be_null(client: FlaskClient) -> None:
    before = security(client)
    answer = patch(client, {"providerStatus": None})
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["message"].startswith("providerStatus: A collection cannot be null")
    assert security(client) == before


def test_null_clears_and_complex_values_merge(empty_client: FlaskClient, alert: str) -> None:
    changes = {"title": None, "vendorInformation": {"provider": "New"}}
    answer = patch(empty_client, changes, alert).json
    assert answer is not None
    assert answer["title"] is None
    assert answer["tags"] == ["a", "b"]
    vendor = answer["vendorInformation"]
    assert (vendor["provider"], vendor["vendor"]) == ("New", "V")
    cleared = patch(empty_client, {"vendorInformation": {"vendor": None}}, alert).json
    assert cleared is not None
    assert cleared["vendorInformation"]["vendor"] is None
    assert cleared["vendorInformation"]["provider"] == "New"
    gone = patch(empty_client, {"vendorInformation": None}, alert).json
    assert gone is not None
    assert gone["vendorInformation"] is None


def test_dynamic_properties_are_replaced_whole(empty_client: FlaskClient, alert: str) -> None:
    patch(empty_client, {"extra": {"a": 1, "b": [1.5, "x"]}}, alert)
    answer = patch(empty_client, {"extra": {"c": 3}, "more": True}, alert).json
    assert answer is not None
    assert (answer["extra"], answer["more"]) == ({"c": 3}, True)


# -- what clients echo --------------------------------------------------------------------


def test_what_clients_echo_is_ignored(client: FlaskClient) -> None:
    echo = {
        **security(client),
        "id": "another",
        "@odata.context": "https://elsewhere/$metadata",
        "@odata.etag": 'W/"stale"',
        "providerStatus@odata.type": "#Collection(microsoft.graph.securityProviderStatus)",
    }
    answer = patch(client, echo)
    assert answer.status_code == 200
    assert without_control(answer.json)["id"] == KEY
    assert "@odata.etag" in (answer.json or {})
    assert security(client)["id"] == KEY


def test_a_fetched_alert_may_be_sent_back_as_it_is(empty_client: FlaskClient, alert: str) -> None:
    fetched = empty_client.get(alert).json
    assert fetched is not None
    changed = {**fetched, "id": "another", "createdDateTime": "2001-01-01T00:00:00Z"}
    answer = patch(empty_client, changed, alert).json
    assert answer is not None
    same = {**without_control(fetched), "lastModifiedDateTime": answer["lastModifiedDateTime"]}
    assert without_control(answer) == same


@pytest.mark.parametrize("mark", ["", "#"])
def test_odata_type_is_taken_with_and_without_a_hash(client: FlaskClient, mark: str) -> None:
    body = {
        "@odata.type": f"{mark}microsoft.graph.security",
        "providerStatus": [
            {"@odata.type": f"{mark}microsoft.graph.securityProviderStatus", "region": "eu"}
        ],
    }
    answer = patch(client, body)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["@odata.type"] == "#microsoft.graph.security"
    (status,) = answer.json["providerStatus"]
    assert status["@odata.type"] == "microsoft.graph.securityProviderStatus"
    assert status["region"] == "eu"


# -- preferences --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefer", "status", "applied"),
    [
        ("return=minimal", 204, "return=minimal"),
        ("return=representation", 200, "return=representation"),
        ("respond-async, Return=Minimal", 204, "return=minimal"),
        ('return="minimal"', 204, "return=minimal"),
        ("return=everything", 200, None),
        ("odata.maxpagesize=5", 200, None),
    ],
)
def test_prefer(client: FlaskClient, prefer: str, status: int, applied: str | None) -> None:
    answer = patch(client, {"providerStatus": []}, Prefer=prefer)
    assert answer.status_code == status
    assert answer.headers.get("Preference-Applied") == applied
    assert bool(answer.data) == (status == 200)
    assert answer.headers["ETag"] == security(client)[ETAG]
    assert security(client)["providerStatus"] == []


# -- etags --------------------------------------------------------------------------------


def test_an_etag_stands_for_a_content(client: FlaskClient) -> None:
    first = client.get(SECURITY)
    assert first.headers["ETag"] == security(client)[ETAG] == client.get(SECURITY).headers["ETag"]
    answer = patch(client, {"providerStatus": []})
    assert answer.headers["ETag"] not in ("", first.headers["ETag"])
    assert answer.json is not None
    assert answer.headers["ETag"] == answer.json[ETAG] == client.get(SECURITY).headers["ETag"]


def tags(client: FlaskClient) -> dict[str, str]:
    current = client.get(SECURITY).headers["ETag"]
    return {
        "current": current,
        "strong": current.removeprefix("W/"),
        "one of several": f'"x", {current}, "y"',
        "any": "*",
        "stale": 'W/"1"',
        "no tag": "nonsense",
    }


@pytest.mark.parametrize(
    ("tag", "matches"),
    [
        ("current", True),
        ("strong", True),
        ("one of several", True),
        ("any", True),
        ("stale", False),
        ("no tag", False),
    ],
)
def test_preconditions(client: FlaskClient, tag: str, matches: bool) -> None:
    value, before = tags(client)[tag], security(client)
    read = client.get(SECURITY, headers={"If-None-Match": value})
    assert read.status_code == (304 if matches else 200)
    assert bool(read.data) == (not matches)
    assert read.headers["ETag"] == before[ETAG]
    assert client.get(SECURITY, headers={"If-Match": value}).status_code == (
        200 if matches else 412
    )
    refused = patch(client, {"providerStatus": []}, If_None_Match=value)
    assert refused.status_code == (412 if matches else 200)
    assert (security(client) == before) == matches
    if matches:
        assert patch(client, {"providerStatus": []}, If_Match=value).status_code == 200


def test_a_failed_precondition_changes_nothing(client: FlaskClient) -> None:
    before = security(client)
    answer = patch(client, {"providerStatus": []}, If_Match='W/"1"')
    assert answer.status_code == 412
    assert answer.json is not None
    assert answer.json["error"]["code"] == "PreconditionFailed"
    assert security(client) == before


def test_an_etag_of_an_earlier_content_never_comes_back(client: FlaskClient) -> None:
    seen = {client.get(SECURITY).headers["ETag"]}
    written: list[Any] = [[], [{}], []]
    for statuses in written:
        etag = patch(client, {"providerStatus": statuses}).headers["ETag"]
        assert etag not in seen
        seen.add(etag)


# -- round trip ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared() -> Iterator[FlaskClient]:
    app = create_app(Settings(auth="off"))
    yield app.test_client()
    app.extensions["mockgraph"].close()


@settings(max_examples=examples(150), deadline=None)
@given(value=values_of(Security))
def test_any_valid_value_is_read_back_equal(shared: FlaskClient, value: dict[str, Any]) -> None:
    answer = patch(shared, value)
    assert answer.status_code == 200
    expected = {**value, "id": KEY}
    assert without_control(answer.json) == expected
    assert without_control(security(shared)) == expected


@settings(max_examples=examples(80), deadline=None)
@given(value=values_of(Security, partial=True))
def test_any_partial_value_leaves_the_rest(shared: FlaskClient, value: dict[str, Any]) -> None:
    expected = {**without_control(security(shared)), **value, "id": KEY}
    assert patch(shared, value).status_code == 200
    unset = dict.fromkeys(SecurityProviderStatus.properties())
    expected["providerStatus"] = [{**unset, **each} for each in expected["providerStatus"]]
    assert without_control(security(shared)) == expected


def test_what_the_service_writes_of_any_entity_may_be_sent_back(client: FlaskClient) -> None:
    before = client.get("/localtest/Security").get_json()
    echo = {**before, "createdDateTime": "2020-01-01T00:00:00Z", "lastModifiedDateTime": None}
    after = client.patch("/localtest/Security", json=echo).get_json()
    assert "createdDateTime" not in after
    assert after["providerStatus"] == before["providerStatus"]
    refused = client.patch("/localtest/Security", json={"closedDateTime": "2020-01-01T00:00:00Z"})
    assert refused.status_code == 400
