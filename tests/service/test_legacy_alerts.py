"""The legacy alerts: deprecated, retired, as before; localtest is as its pages are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient

from mockgraph.app import create_app
from mockgraph.server_options import Settings

from . import OFFICIAL, VENDOR, at, ids, refused

Json = Any
official = pytest.mark.parametrize("root", OFFICIAL)
SEED = {"Security": {"alerts": [{"id": "a", "title": "t"}], "alerts_v2": [{"id": "v"}]}}


def client_of(mode: str) -> Iterator[FlaskClient]:
    app = create_app(Settings(seed=(SEED,), legacy_alerts=mode))
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = "Bearer token"
    yield client
    app.extensions["mockgraph"].close()


@pytest.fixture
def deprecated() -> Iterator[FlaskClient]:
    yield from client_of("deprecated")


@pytest.fixture
def retired() -> Iterator[FlaskClient]:
    yield from client_of("retired")


@pytest.fixture
def current() -> Iterator[FlaskClient]:
    yield from client_of("current")


@official
def test_deprecated(deprecated: FlaskClient, root: str) -> None:
    body = {"status": "resolved", "vendorInformation": VENDOR}
    for answer in (
        deprecated.get(at(root, "alerts")),
        deprecated.get(at(root, "alerts", "a")),
        deprecated.get(at(root, "alerts", "a", "title")),
        deprecated.patch(at(root, "alerts", "a"), json=body),
    ):
        assert answer.status_code in (200, 204)
        assert answer.headers["Deprecation"] == "Wed, 10 Apr 2024 00:00:00 GMT"
        assert answer.headers["Sunset"] == "Thu, 15 Oct 2026 00:00:00 GMT"
        assert 'rel="deprecation"' in answer.headers["Link"]
    assert "Deprecation" not in deprecated.get(at(root, "alerts_v2")).headers


@official
def test_current(current: FlaskClient, root: str) -> None:
    answer = current.get(at(root, "alerts"))
    assert ids(answer) == ["a"]
    assert not {"Deprecation", "Sunset", "Link"} & set(answer.headers.keys())


@official
def test_retired(retired: FlaskClient, root: str) -> None:
    before = state_of(retired)
    assert ids(retired.get(at(root, "alerts"))) == []
    assert ids(retired.get(f"{at(root, 'alerts')}?$filter=title eq 't'&$top=5")) == []
    assert retired.get(f"{at(root, 'alerts')}?$count=true").get_json()["@odata.count"] == 0
    assert retired.get(at(root, "alerts", "$count")).text == "0"
    assert "Sunset" in retired.get(at(root, "alerts")).headers
    body = {"status": "resolved", "vendorInformation": VENDOR}
    for answer in (
        retired.get(at(root, "alerts", "a")),
        retired.get(at(root, "alerts", "a", "title")),
        retired.patch(at(root, "alerts", "a"), json=body),
        retired.delete(at(root, "alerts", "a")),
        retired.post(at(root, "alerts"), json={}),
    ):
        assert "alerts_v2" in refused(answer, 404)
    refused(retired.get(f"{at(root, 'alerts')}?$filter=(nope"))
    assert retired.options(at(root, "alerts")).status_code == 204
    assert ids(retired.get(at(root, "alerts_v2"))) == ["v"]
    assert state_of(retired) == before


@official
@pytest.mark.parametrize("options", ["", "($top=1)", "($filter=id eq 'a';$select=id)"])
def test_retired_alerts_are_not_found_by_expanding(
    retired: FlaskClient, root: str, options: str
) -> None:
    answer = retired.get(f"{at(root)}?$expand=alerts{options},alerts_v2").get_json()
    assert answer["alerts"] == []
    assert [each["id"] for each in answer["alerts_v2"]] == ["v"]
    counted = retired.get(f"{at(root)}?$expand=alerts($count=true)").get_json()
    assert counted["alerts@odata.count"] == 0


def test_localtest_is_not_touched(retired: FlaskClient, deprecated: FlaskClient) -> None:
    for client in (retired, deprecated):
        answer = client.get(at("localtest", "alerts"))
        assert ids(answer) == ["a"]
        assert "Deprecation" not in answer.headers
        expanded = client.get(f"{at('localtest')}?$expand=alerts").get_json()
        assert [each["id"] for each in expanded["alerts"]] == ["a"]
