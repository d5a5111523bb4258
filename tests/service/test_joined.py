"""The empty segment that clients leave behind the root when they join a base URL and a path."""

from __future__ import annotations

import pytest

from mockgraph.app import create_app
from mockgraph.server_options import Settings
from mockgraph.testing.tenant import Tenants

ALERTS = {"Security": {"alerts": [{"id": f"a{number}"} for number in range(5)]}}
HOME = {"Host": "graph"}


@pytest.mark.parametrize("prefix", ["", "/t/team"])
@pytest.mark.parametrize("root", ["v1.0", "BETA", "localtest"])
def test_a_joined_path_is_answered_as_the_path(prefix: str, root: str) -> None:
    client = create_app(Settings(seed=(ALERTS,), auth="off")).test_client()
    path = "/security/alerts?$top=2&$count=true"
    joined, plain = (
        client.get(f"{prefix}/{root}{gap}{path}", headers=HOME).get_json() for gap in ("/", "")
    )
    assert joined == plain
    assert "//" not in joined["@odata.nextLink"].removeprefix("http://")


def test_whatever_goes_by_paths_sees_the_path_without_it() -> None:
    app = create_app(Settings(seed=(ALERTS,), auth="off"))
    tenants: Tenants = app.extensions["mockgraph"]
    tenant = tenants.default
    client = app.test_client()
    tenant.stubs.add("GET", "/me", json={"displayName": "Ada"})
    tenant.faults.unavailable(path="/v1.0/security/alerts/{id}")
    assert client.get("/v1.0//me").json == {"displayName": "Ada"}
    assert client.get("/v1.0//security/alerts/a1").status_code == 503
    stubbed, struck = tenant.journal.requests()
    assert (stubbed.path, struck.path) == ("/v1.0/me", "/v1.0/security/alerts/a1")
    assert struck.operation == "read security/alerts/{id}"


def test_items_of_batches_may_have_it() -> None:
    client = create_app(Settings(seed=(ALERTS,), auth="off")).test_client()
    item = {"id": "1", "method": "GET", "url": "//security/alerts/a1"}
    answer = client.post("/v1.0//$batch", json={"requests": [item]})
    assert [each["status"] for each in answer.get_json()["responses"]] == [200]


@pytest.mark.parametrize("path", ["//v1.0/security", "/v1.0///security", "/v2.0//security", "//"])
def test_no_other_empty_segment_is_passed_over(path: str) -> None:
    client = create_app(Settings(auth="off")).test_client()
    assert client.get(path, headers=HOME).status_code == 400
