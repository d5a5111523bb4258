"""How entities are shown: to each caller as it prefers, and not made again for the next one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from mockgraph.app import create_app
from mockgraph.odata.rendering.representations import Representations
from mockgraph.server_options import Settings

ALERT = {"id": "a1", "title": "new", "vendorInformation": {"provider": "p", "vendor": "v"}}
SENTINEL = {"id": "a2", "title": "new", "serviceSource": "microsoftSentinel"}
WHOLE = {"Prefer": "return=representation"}
SEED = {"Security": {"alerts": [ALERT], "alerts_v2": [SENTINEL]}}


@pytest.fixture
def graph() -> Iterator[FlaskClient]:
    app = create_app(Settings(seed=(SEED,)))
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = "Bearer token"
    yield client
    app.extensions["mockgraph"].close()


@pytest.mark.parametrize("url", ["/localtest/security/alerts", "/v1.0/security/alerts_v2"])
def test_what_a_write_was_answered_with_is_what_the_next_ones_read(
    graph: FlaskClient, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    made = 0
    parts = Representations._parts

    def counted(*arguments: Any) -> Any:
        nonlocal made
        made += 1
        return parts(*arguments)

    monkeypatch.setattr(Representations, "_parts", counted)
    (listed,) = graph.get(url).get_json()["value"]
    one = f"{url}/{listed['id']}"
    assert graph.get(one).get_json().items() >= listed.items()
    assert made == 1
    changed = graph.patch(one, json={"status": "resolved"}, headers=WHOLE)
    assert (changed.status_code, changed.get_json()["status"]) == (200, "resolved")
    assert graph.get(one).data == changed.data
    assert graph.get(url).get_json()["value"][0].items() <= changed.get_json().items()
    assert made == 2


def test_callers_of_one_address_are_told_apart(graph: FlaskClient) -> None:
    """What is kept for an address is for those who prefer the same, and call it the same."""
    one = "/v1.0/security/alerts_v2/a2"
    for _ in range(2):
        plain = graph.get(one)
        assert plain.get_json()["serviceSource"] == "unknownFutureValue"
        assert plain.get_json()["@odata.context"].startswith("http://localhost/v1.0/$metadata#")
        known = graph.get(one, headers={"Prefer": "include-unknown-enum-members"})
        assert known.get_json()["serviceSource"] == "microsoftSentinel"
        bare = graph.get(one, headers={"Accept": "application/json;odata.metadata=none"})
        assert not any("@" in name for name in bare.get_json())
        elsewhere = graph.get(one, base_url="http://127.0.0.1:1234/").get_json()
        assert elsewhere["@odata.context"].startswith("http://127.0.0.1:1234/v1.0/")
        selected = graph.get(f"{one}?$select=title").get_json()
        assert selected["@odata.context"].endswith("alerts_v2(title)/$entity")
        assert selected.keys() == {"@odata.context", "@odata.etag", "title"}
        silent = graph.patch(one, json={}, headers={"Prefer": "return=minimal"})
        assert (silent.status_code, silent.data) == (204, b"")
        assert silent.headers["Preference-Applied"] == "return=minimal"
        told = graph.patch(one, json={})
        assert told.get_json()["title"] == "new"
        assert "Preference-Applied" not in told.headers
