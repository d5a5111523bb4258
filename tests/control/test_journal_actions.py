"""The journal by HTTP: requests, verification, misdeeds, what is not emulated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
import requests
from flask.testing import FlaskClient
from testing.exchanges import ALERT, ALERTS, hammer, throttle

from mockgraph import MockGraph


def test_by_http(client: FlaskClient) -> None:
    client.get(ALERTS)
    client.post(ALERTS, json=ALERT)
    client.get(f"{ALERTS}/none")
    listed = client.get("/_mockgraph/requests").json
    assert listed is not None
    assert [each["status"] for each in listed["value"]] == [200, 201, 404]
    posted = listed["value"][1]
    assert posted["json"] == ALERT
    assert posted["response"]["title"] == "one"
    assert posted["operation"] == "create security/alerts"

    def numbers(query: str) -> list[int]:
        answer = client.get(f"/_mockgraph/requests?{query}").json
        assert answer is not None
        return [each["number"] for each in answer["value"]]

    assert numbers("method=get") == [1, 3]
    assert numbers("path=/security/alerts/*") == [3]
    assert numbers("status=201&method=POST") == [2]
    assert numbers("limit=2") == [2, 3]
    assert numbers("limit=9") == [1, 2, 3]
    assert numbers("limit=0") == []
    assert client.delete("/_mockgraph/requests").status_code == 204
    assert numbers("") == []


def test_the_choices_by_http(client: FlaskClient) -> None:
    client.post("/_mockgraph/stubs", json={"path": "/me", "json": {}})
    client.get("/v1.0/me")
    items = [{"id": "1", "method": "GET", "url": "/security"}]
    client.post("/v1.0/$batch", json={"requests": items})

    def numbers(query: str) -> list[int]:
        answer = client.get(f"/_mockgraph/requests?{query}").json
        assert answer is not None
        return [each["number"] for each in answer["value"]]

    assert numbers("answeredBy=stub") == [1]
    assert numbers("inBatch=true") == [2]
    assert numbers("inBatch=false") == [1, 3]
    assert client.get("/_mockgraph/requests?inBatch=1").status_code == 400
    assert client.get("/_mockgraph/requests?limit=%C2%B2").status_code == 400


def test_choices_that_are_empty_are_none(client: FlaskClient) -> None:
    client.get("/localtest/Security")
    listed = client.get("/_mockgraph/requests?method=&path=&status=&inBatch=&limit=").json
    assert listed is not None
    assert len(listed["value"]) == 1


@pytest.mark.parametrize("query", ["status=ok", "limit=-1", "limit=9999999999", "verb=GET"])
def test_a_question_that_is_wrong(client: FlaskClient, query: str) -> None:
    assert client.get(f"/_mockgraph/requests?{query}").status_code == 400


def test_by_http_it_is_told_too(make_client: Callable[..., FlaskClient]) -> None:
    client = make_client(journal=2)
    for _ in range(5):
        client.get(ALERTS)
    listed = client.get("/_mockgraph/requests").json
    assert listed is not None
    assert (len(listed["value"]), listed["dropped"]) == (2, 3)


def test_misdeeds_of_one_tenant() -> None:
    with MockGraph(auth="off") as graph:
        hammer(graph)
        hammer(graph.tenant("a"), 3)
        for origin, count in ((graph.origin, 2), (graph.tenant("a").origin, 3)):
            listed = requests.get(f"{origin}/_mockgraph/requests", timeout=9).json()["value"]
            assert [each["misdeeds"] for each in listed] == [[]] + [["retry-after-ignored"]] * (
                count - 1
            )


def test_what_is_not_emulated_by_http(client: FlaskClient) -> None:
    client.post("/_mockgraph/stubs", json={"path": "/me", "json": {}})
    for path in ("me", "users", "security/alerts/none", "security"):
        client.get(f"/v1.0/{path}")
    listed = client.get("/_mockgraph/unemulated").json
    assert listed is not None
    assert [each["path"] for each in listed["value"]] == ["/v1.0/users"]


def test_what_is_allowed_by_http(client: FlaskClient) -> None:
    throttle(client)
    assert client.get(ALERTS).status_code == 200
    for _ in range(2):
        client.delete(f"{ALERTS}/none")
    for query, found in {
        "": ["retry-after-ignored", "retried-in-vain"],
        "?allow=": ["retry-after-ignored", "retried-in-vain"],
        "?allow=retry-after-ignored": ["retried-in-vain"],
        "?allow=retry-after-ignored&allow=retried-in-vain": [],
    }.items():
        listed = client.get(f"/_mockgraph/misdeeds{query}").json
        assert listed is not None
        assert [each["rule"] for each in listed["value"]] == found
    refused = client.get("/_mockgraph/misdeeds?allow=haste")
    assert refused.status_code == 400
    assert b"allow: There is no misdeed 'haste'" in refused.data


def test_verified_by_http(client: FlaskClient) -> None:
    client.patch("/localtest/Security", json={"providerStatus": []})
    asked: dict[str, Any] = {"method": "PATCH", "path": "/security", "json": {"providerStatus": []}}
    assert client.post("/_mockgraph/verify", json=asked).json == {"count": 1, "value": [1]}
    held = client.post("/_mockgraph/verify", json={**asked, "times": 1, "status": 200})
    assert held.status_code == 200
    refused = client.post("/_mockgraph/verify", json={**asked, "times": 2})
    assert refused.status_code == 417
    assert refused.json is not None
    assert refused.json["error"]["code"] == "ExpectationFailed"
    assert "expected twice exactly, but it was made once" in refused.json["error"]["message"]


@pytest.mark.parametrize(("levels", "held"), [(30, 200), (1000, 200), (1024, 400)])
def test_verifying_what_is_nested_deep(client: FlaskClient, levels: int, held: int) -> None:
    body = b'{"a":' * levels + b"1" + b"}" * levels
    client.patch("/localtest/Security", data=body, content_type="application/json")

    def verify(wanted: bytes) -> tuple[int, int]:
        asked = b'{"path": "/security", "json": %s}' % wanted
        answer = client.post("/_mockgraph/verify", data=asked, content_type="application/json")
        return answer.status_code, len(answer.data)

    assert verify(body)[0] == held  # JSON goes 1024 levels deep, and the question is one of them
    status, length = verify(body.replace(b"1", b"2"))
    assert status == (417 if held == 200 else 400)
    assert length < 9000
    assert verify(b"[]")[0] == 417


def test_verifying_more_than_plain_values(client: FlaskClient) -> None:
    client.get(f"{ALERTS}?$top=5&a=1&a=2", headers={"x-own": "1"})

    def verify(**asked: Any) -> int:
        asked = {"path": "/security/alerts", **asked}
        return client.post("/_mockgraph/verify", json=asked).status_code

    assert verify(query={"$top": 5, "a": ["1", "2"], "$skip": None}) == 200
    assert verify(headers={"x-own": "1", "x-other": None}) == 200
    assert verify(headers={"x-own": None}) == 417
    assert verify(json=None) == 200
    assert verify(times=-1) == 400
    assert verify(at_most=0) == 400
    assert verify(at_least=0, at_most=0) == 417
    assert verify(query={"$top": True}) == 400


def test_a_failed_verification_is_json_whatever_was_asked(client: FlaskClient) -> None:
    asked = {"path": "/x", "headers": {"ü": "\u2028"}}
    answer = client.post("/_mockgraph/verify", json=asked)
    assert answer.status_code == 417
    assert "None was made at all" in orjson.loads(answer.data)["error"]["message"]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({}, "path: "),
        ({"path": 5}, "path: "),
        ({"path": "/x", "times": "1"}, "times: "),
        ({"path": "/x", "headers": {"a": 5}}, "headers/a: "),
        ({"path": "/x", "where": "1"}, "where: "),
        ([], "object"),
    ],
)
def test_a_verification_that_is_wrong(client: FlaskClient, sent: Any, says: str) -> None:
    answer = client.post("/_mockgraph/verify", json=sent)
    assert answer.status_code == 400
    assert answer.json is not None
    assert says in answer.json["error"]["message"]
