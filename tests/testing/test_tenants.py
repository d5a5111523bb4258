"""Tenants: isolated states behind one server."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from listed_alerts import ALERT, ALERTS, titles

from mockgraph.entra import initial_entra
from mockgraph.server_options import Settings
from mockgraph.service import SERVICE
from mockgraph.state import State
from mockgraph.testing.tenant import Tenants


def test_what_one_tenant_writes_no_other_sees(empty_client: FlaskClient) -> None:
    empty_client.post(f"/t/a{ALERTS}", json={**ALERT, "title": "in a"})
    empty_client.post(ALERTS, json={**ALERT, "title": "in b"}, headers={"x-mockgraph-tenant": "b"})
    assert titles(empty_client) == []
    assert titles(empty_client, "/t/a") == ["in a"]
    assert titles(empty_client, "/t/b") == ["in b"]
    assert titles(empty_client, **{"x-mockgraph-tenant": "a"}) == ["in a"]


def test_the_path_goes_before_the_header(empty_client: FlaskClient) -> None:
    empty_client.post(f"/t/a{ALERTS}", json=ALERT, headers={"x-mockgraph-tenant": "b"})
    assert titles(empty_client, "/t/a") == ["one"]
    assert titles(empty_client, "/t/b") == []


def test_a_tenant_starts_from_the_seeds_whatever_was_written_since(client: FlaskClient) -> None:
    seeded = titles(client)
    assert seeded
    client.post(ALERTS, json={**ALERT, "title": "later"})
    assert titles(client, "/t/a") == seeded
    assert client.post("/_mockgraph/reset").status_code == 204
    client.post(f"/t/a{ALERTS}", json={**ALERT, "title": "kept"})
    assert "kept" in titles(client, "/t/a")
    assert titles(client) == seeded
    assert client.post("/t/a/_mockgraph/reset").status_code == 204
    assert titles(client, "/t/a") == seeded


def test_etags_differ_after_a_write_in_a_tenant(client: FlaskClient) -> None:
    """A fork goes on numbering where its origin was, so no etag stands for two contents."""
    before = client.get("/t/a/localtest/Security").headers["ETag"]
    after = client.patch("/t/a/localtest/Security", json={"providerStatus": []})
    assert after.headers["ETag"] != before
    stale = client.patch(
        "/t/a/localtest/Security", json={"providerStatus": []}, headers={"If-Match": before}
    )
    assert stale.status_code == 412


def test_urls_in_answers_keep_the_prefix(empty_client: FlaskClient) -> None:
    for _ in range(3):
        made = empty_client.post(f"/t/a{ALERTS}", json=ALERT)
        assert made.headers["Location"].startswith("http://localhost/t/a/v1.0/security/alerts/")
    page = empty_client.get(f"/t/a{ALERTS}?$top=2").json
    assert page is not None
    assert page["@odata.context"].startswith("http://localhost/t/a/v1.0/$metadata#")
    assert page["@odata.nextLink"].startswith("http://localhost/t/a/v1.0/security/alerts?")
    rest = empty_client.get(page["@odata.nextLink"]).json
    assert rest is not None
    assert len(rest["value"]) == 1


@pytest.mark.parametrize("at", ["path", "header"])
@pytest.mark.parametrize(
    "url", ["/security/alerts", "/v1.0/security/alerts", "http://localhost/v1.0/security/alerts"]
)
def test_the_items_of_a_batch_belong_to_its_tenant(
    empty_client: FlaskClient, at: str, url: str
) -> None:
    item = {
        "id": "1",
        "method": "POST",
        "url": url,
        "body": ALERT,
        "headers": {"Content-Type": "application/json"},
    }
    prefix, headers = ("/t/a", {}) if at == "path" else ("", {"x-mockgraph-tenant": "a"})
    answer = empty_client.post(f"{prefix}/v1.0/$batch", json={"requests": [item]}, headers=headers)
    assert answer.json is not None
    assert [each["status"] for each in answer.json["responses"]] == [201]
    assert titles(empty_client) == []
    assert titles(empty_client, "/t/a") == ["one"]


def test_an_item_cannot_choose_another_tenant(empty_client: FlaskClient) -> None:
    item = {
        "id": "1",
        "method": "POST",
        "url": "/security/alerts",
        "body": ALERT,
        "headers": {"Content-Type": "application/json", "x-mockgraph-tenant": "b"},
    }
    empty_client.post("/t/a/v1.0/$batch", json={"requests": [item]})
    assert titles(empty_client, "/t/a") == ["one"]
    assert titles(empty_client, "/t/b") == []


def test_dropped_a_tenant_starts_anew(empty_client: FlaskClient) -> None:
    empty_client.post(f"/t/a{ALERTS}", json=ALERT)
    empty_client.post(f"/t/b{ALERTS}", json=ALERT)
    assert empty_client.get("/_mockgraph/tenants").json == {"value": ["a", "b"]}
    assert empty_client.delete("/_mockgraph/tenants/a").status_code == 204
    assert empty_client.delete("/_mockgraph/tenants/a").status_code == 404
    assert titles(empty_client, "/t/a") == []
    assert empty_client.delete("/_mockgraph/tenants").status_code == 204
    assert empty_client.get("/_mockgraph/tenants").json == {"value": []}


@pytest.mark.parametrize("name", ["a%20b", "a" * 101, "..", "%C3%A9", "<x>", ""])
def test_a_name_that_is_none_is_refused(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/t/{name}{ALERTS}")
    assert answer.status_code == 400
    assert answer.json is not None
    assert "is no name for a tenant" in answer.json["error"]["message"]
    assert answer.json["error"]["innerError"]["request-id"] == answer.headers["request-id"]
    assert client.get("/_mockgraph/tenants").json == {"value": []}


def test_tenants_are_bounded(monkeypatch: pytest.MonkeyPatch, client: FlaskClient) -> None:
    monkeypatch.setattr("mockgraph.testing.tenant.MAX_TENANTS", 2)
    asked = [client.post(f"/t/{name}{ALERTS}", json=ALERT).status_code for name in "abca"]
    assert asked == [201, 201, 507, 201]
    assert client.get(f"/t/c{ALERTS}").status_code == 200


@pytest.mark.parametrize("path", [ALERTS, "/_mockgraph/requests", "/common/discovery/keys"])
def test_what_only_reads_makes_no_tenant(client: FlaskClient, path: str) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        client.open(f"/t/a{path}", method=method)
    assert client.get("/_mockgraph/tenants").json == {"value": []}


@pytest.mark.parametrize(
    ("path", "sent", "headers"),
    [
        (ALERTS, ALERT, {"Authorization": ""}),
        (ALERTS, {"severity": 7}, {}),
        ("/v1.0/security/nothing", ALERT, {}),
        (ALERTS, ALERT, {"Host": "evil.example"}),
        ("/_mockgraph/reset", None, {"Origin": "https://evil.example"}),
        ("/_mockgraph/faults", {"preset": "none"}, {}),
        ("/_mockgraph/nothing", {}, {}),
        ("/common/oauth2/v2.0/token", {}, {}),
    ],
)
def test_what_is_refused_makes_no_tenant(
    client: FlaskClient, path: str, sent: object, headers: dict[str, str]
) -> None:
    assert client.post(f"/t/a{path}", json=sent, headers=headers).status_code >= 400
    assert client.get("/_mockgraph/tenants").json == {"value": []}


def test_a_tenant_that_was_only_read_has_a_journal_and_goes_on_when_it_is_made(
    client: FlaskClient,
) -> None:
    page = client.get(f"/t/a{ALERTS}?$top=1").json
    assert page is not None
    assert client.post(f"/t/a{ALERTS}", json=ALERT).status_code == 201
    assert client.get("/_mockgraph/tenants").json == {"value": ["a"]}
    journal = client.get("/t/a/_mockgraph/requests").json
    assert journal is not None
    assert [each["method"] for each in journal["value"]] == ["GET", "POST"]


def test_those_that_were_only_read_are_bounded(
    monkeypatch: pytest.MonkeyPatch, client: FlaskClient
) -> None:
    monkeypatch.setattr("mockgraph.testing.tenant._MAX_PROVISIONAL", 2)
    for name in "abcd":
        client.get(f"/t/{name}{ALERTS}")
    tenants: Tenants = client.application.extensions["mockgraph"]
    assert [each.name for each in tenants.provisional()] == ["c", "d"]


def asked_at_once(ask: Callable[[], object]) -> set[int]:
    """Ask from many threads at the same time; which objects that gave."""
    barrier = threading.Barrier(16)
    made: list[object] = []

    def name() -> None:
        barrier.wait()
        made.append(ask())

    threads = [threading.Thread(target=name) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 16
    return set(map(id, made))


def test_one_tenant_is_made_by_many_threads() -> None:
    state = State(SERVICE, {"Security": {"providerStatus": []}})
    tenants = Tenants(state, initial_entra(SERVICE, state), Settings())
    assert len(asked_at_once(lambda: tenants.get("a"))) == 1


@pytest.mark.parametrize("part", ["entra", "faults", "stubs"])
def test_a_part_is_made_once_however_many_ask(part: str) -> None:
    state = State(SERVICE, {"Security": {"providerStatus": []}})
    tenant = Tenants(state, initial_entra(SERVICE, state), Settings()).get("a")
    assert len(asked_at_once(lambda: getattr(tenant, part))) == 1


def test_entra_that_is_made_late_knows_the_directory_of_now() -> None:
    state = State(SERVICE, {"Security": {"providerStatus": []}})
    tenants = Tenants(state, initial_entra(SERVICE, state), Settings())
    directory = {"apps": [{"appId": "reader", "secrets": ["s3cret"]}]}
    document = {"Security": {"providerStatus": []}, "Directory": directory}
    state.restore(state.read(document))
    assert list(tenants.default.entra.directory.apps or ()) == ["reader"]
    assert tenants.get("a").entra.directory.apps is None


def test_faults_and_stubs_are_the_tenants_own(client: FlaskClient) -> None:
    client.post("/t/a/_mockgraph/faults", json={"status": 503, "times": 5})
    client.post("/t/b/_mockgraph/stubs", json={"path": "/security/alerts", "json": {"value": []}})
    assert client.get(ALERTS).status_code == 200
    assert client.get(f"/t/a{ALERTS}").status_code == 503
    assert client.get(f"/t/b{ALERTS}").json == {"value": []}
    assert client.get("/_mockgraph/faults").json == {"value": []}
    client.post("/t/a/_mockgraph/reset")
    assert client.get(f"/t/a{ALERTS}").status_code == 200
