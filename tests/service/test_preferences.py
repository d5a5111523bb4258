"""Prefer: return=minimal and return=representation, and what every answer carries."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient

from . import (
    VENDOR,
    at,
    create,
    on_every_creatable_set,
    on_every_root,
    on_every_updatable_set,
    without_control,
)

Json = Any
CONTROLS = "secureScoreControlProfiles"


def prefer(text: str) -> dict[str, str]:
    return {"Prefer": text}


@on_every_creatable_set
def test_creating_in_silence(graph: FlaskClient, root: str, name: str) -> None:
    made = graph.post(at(root, name), json={"id": "a"}, headers=prefer("return=minimal"))
    assert (made.status_code, made.data) == (204, b"")
    url = f"http://localhost{at(root, name, 'a')}"
    assert made.headers["Location"] == made.headers["OData-EntityId"] == url
    assert made.headers["Preference-Applied"] == "return=minimal"
    assert graph.get(url).headers["ETag"] == made.headers["ETag"]


@on_every_updatable_set
def test_updating_as_is_preferred(graph: FlaskClient, root: str, name: str) -> None:
    url = at(root, name, create(graph, name)["id"])
    body = {"vendorInformation": VENDOR} if name in ("alerts", CONTROLS) else {}
    silent = graph.patch(url, json=body, headers=prefer("return=minimal"))
    assert (silent.status_code, silent.data) == (204, b"")
    assert silent.headers["Preference-Applied"] == "return=minimal"
    told = graph.patch(url, json=body, headers=prefer("return=representation"))
    assert told.status_code == 200
    assert told.headers["Preference-Applied"] == "return=representation"
    assert told.json == graph.get(url).json
    default = graph.patch(url, json=body)
    is_silent = name in ("alerts", CONTROLS, "tiIndicators") and root != "localtest"
    assert default.status_code == (204 if is_silent else 200)
    assert "Preference-Applied" not in default.headers
    assert default.headers["ETag"]


@on_every_root
def test_the_singleton(graph: FlaskClient, root: str) -> None:
    body: Json = {"providerStatus": []}
    assert graph.patch(at(root), json=body).status_code == 200
    silent = graph.patch(at(root), json=body, headers=prefer("return=minimal"))
    assert (silent.status_code, silent.data) == (204, b"")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("RETURN=minimal", 204),
        ('return="minimal"', 204),
        ("respond-async, return=minimal; foo=bar", 204),
        ("wait=10,return=minimal", 204),
        (" return = minimal ", 204),
        ("return=minimal, return=representation", 204),
        ("return=nothing", 201),
        ("return", 201),
        ("minimal", 201),
        ("", 201),
        (",,=,;", 201),
    ],
)
def test_how_preferences_are_written(graph: FlaskClient, text: str, status: int) -> None:
    made = graph.post(at("v1.0", "alerts"), json={}, headers=prefer(text))
    assert made.status_code == status
    assert ("Preference-Applied" in made.headers) == (status == 204)


@on_every_creatable_set
def test_what_every_answer_carries(graph: FlaskClient, root: str, name: str) -> None:
    mine = str(uuid.uuid4())
    for response in (
        graph.get(at(root, name), headers={"client-request-id": mine}),
        graph.post(at(root, name), json={}, headers={"client-request-id": mine}),
        graph.get(at(root, name, "gone"), headers={"client-request-id": mine}),
        graph.delete(at(root, name), headers={"client-request-id": mine}),
    ):
        assert response.headers["client-request-id"] == mine
        assert uuid.UUID(response.headers["request-id"])
        assert response.headers["OData-Version"] == "4.0"
        if response.status_code >= 400:
            inner = response.get_json()["error"]["innerError"]
            assert inner["client-request-id"] == mine
            assert inner["request-id"] == response.headers["request-id"]
    alone = graph.get(at(root, name))
    assert alone.headers["client-request-id"] == alone.headers["request-id"]


def test_selection_and_representation_go_together(graph: FlaskClient) -> None:
    url = at("v1.0", "alerts", create(graph, "alerts")["id"])
    body = {"status": "resolved", "vendorInformation": VENDOR}
    told = graph.patch(f"{url}?$select=status", json=body, headers=prefer("return=representation"))
    assert without_control(told.json) == {"status": "resolved"}
