"""Batches through the whole app: each item is answered as the request by itself would be."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient

from . import ROOTS, VENDOR, at, create

Json = Any

on_every_root = pytest.mark.parametrize("root", ROOTS)


def send(client: FlaskClient, root: str, *items: Json, **headers: str) -> dict[str, Json]:
    """The answers to a batch by id."""
    requests = [{"id": str(number), "method": "GET", **item} for number, item in enumerate(items)]
    answer = client.post(f"/{root}/$batch", json={"requests": requests}, headers=headers)
    assert answer.status_code == 200, answer.text
    return {each["id"]: each for each in answer.get_json()["responses"]}


@on_every_root
@pytest.mark.parametrize("spelt", ["relative", "bare", "rooted", "absolute"])
def test_an_item_is_answered_as_the_request_alone(
    graph: FlaskClient, root: str, spelt: str
) -> None:
    create(graph, "alerts", id="a", title="t")
    path = at(root, "alerts", "a")
    url = {
        "relative": path.removeprefix(f"/{root}"),
        "bare": path.removeprefix(f"/{root}/"),
        "rooted": path,
        "absolute": f"https://graph.microsoft.com{path}",
    }[spelt]
    alone = graph.get(path)
    answer = send(graph, root, {"url": f"{url}?$select=title,id"})["0"]
    assert answer["status"] == 200
    assert answer["body"]["title"] == "t"
    assert "severity" not in answer["body"]
    whole = send(graph, root, {"url": url})["0"]
    assert whole["body"] == alone.json
    assert whole["headers"]["ETag"] == alone.headers["ETag"]
    assert whole["headers"]["Content-Type"] == alone.headers["Content-Type"]


@on_every_root
def test_the_life_of_an_alert_in_one_batch(graph: FlaskClient, root: str) -> None:
    base = at(root, "alerts").removeprefix(f"/{root}")
    body = {"id": "n", "title": "t", "vendorInformation": VENDOR}
    change = {"status": "resolved", "vendorInformation": VENDOR}
    answers = send(
        graph,
        root,
        {"method": "POST", "url": base, "body": body},
        {
            "method": "PATCH",
            "url": f"{base}/n",
            "body": change,
            "headers": {"Content-Type": "application/json", "Prefer": "return=representation"},
            "dependsOn": ["0"],
        },
        {"url": f"{base}/n/status/$value", "dependsOn": ["1"]},
        {"method": "DELETE", "url": f"{base}/n", "dependsOn": ["2"]},
        {"url": f"{base}/n", "dependsOn": ["3"]},
        {"url": base, "dependsOn": ["4"]},
    )
    assert [answers[str(n)]["status"] for n in range(6)] == [201, 200, 200, 204, 404, 424]
    assert answers["0"]["headers"]["Location"].endswith("/alerts/n")
    assert answers["1"]["body"]["status"] == "resolved"
    assert base64.b64decode(answers["2"]["body"]) == b"resolved"
    assert "body" not in answers["3"]
    assert answers["4"]["body"]["error"]["code"] == "ResourceNotFound"


def test_one_failure_spoils_no_other(graph: FlaskClient) -> None:
    before = len(state_of(graph)["Security"]["alerts"])
    answers = send(
        graph,
        "v1.0",
        {"url": "/security/nope"},
        {"method": "POST", "url": "/security/alerts", "body": {"severity": "worst"}},
        {"method": "POST", "url": "/security/alerts", "body": {"title": "good"}},
        {"url": "/security/alerts?$filter=nonsense((("},
        {"method": "PUT", "url": "/security"},
    )
    assert [answers[str(n)]["status"] for n in range(5)] == [400, 400, 201, 400, 405]
    titles = [each["title"] for each in state_of(graph)["Security"]["alerts"]]
    assert len(titles) == before + 1
    assert titles[-1] == "good"


def test_each_item_has_a_request_id_of_its_own(graph: FlaskClient) -> None:
    answers = send(graph, "beta", {"url": "/security"}, {"url": "/security"})
    assert len({each["headers"]["request-id"] for each in answers.values()}) == 2


def test_an_item_asks_as_its_batch_does_or_with_a_token_of_its_own(graph: FlaskClient) -> None:
    forbidden = {"headers": {"Authorization": "Bearer forbidden"}, "url": "/security"}
    answers = send(graph, "v1.0", {"url": "/security"}, forbidden)
    assert [answers["0"]["status"], answers["1"]["status"]] == [200, 403]
    answers = send(graph, "v1.0", {"url": "/security"}, Authorization="Bearer forbidden")
    assert answers["0"]["status"] == 403
    refused = graph.post("/v1.0/$batch", json={}, headers={"Authorization": "Bearer invalid"})
    assert refused.status_code == 401


def test_a_batch_that_cannot_be_read_changes_nothing(graph: FlaskClient) -> None:
    before = state_of(graph)
    item = {"method": "POST", "url": "/security/alerts", "body": {"title": "t"}}
    many = [{"id": str(number), **item} for number in range(21)]
    bodies: list[Json] = [
        {},
        [],
        {"requests": []},
        {"requests": many},
        {"requests": [item]},
    ]
    for body in bodies:
        refused = graph.post("/v1.0/$batch", json=body)
        assert refused.status_code == 400
        assert refused.get_json()["error"]["code"] == "BadRequest"
    assert state_of(graph) == before


def test_the_urls_in_answers_keep_the_prefix(graph: FlaskClient) -> None:
    create(graph, "alerts", id="a")
    create(graph, "alerts", id="b")
    body = {"requests": [{"id": "1", "method": "GET", "url": "/security/alerts?$top=1"}]}
    answer = graph.post("/v1.0/$batch", json=body, base_url="https://proxy:8443/graph")
    link = answer.get_json()["responses"][0]["body"]["@odata.nextLink"]
    assert link.startswith("https://proxy:8443/graph/v1.0/security/alerts?")


@on_every_root
def test_the_metadata_and_the_service_document(graph: FlaskClient, root: str) -> None:
    metadata = graph.get(f"/{root}/$metadata")
    assert metadata.status_code == 200
    assert metadata.content_type == "application/xml"
    assert b"EntityContainer" in metadata.data
    assert graph.get(f"/{root}").get_json()["value"][0]["kind"] == "Singleton"
    assert graph.post(f"/{root}/$metadata").status_code == 405
