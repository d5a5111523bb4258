"""The cost of a request, as entities looked at: it does not depend on how much is stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from mockgraph.state.persistent_maps import Ordered
from state.stores import ALERTS, SECURITY, serving

STORED = 3000
FEW = 20
SEED = {
    "Security": {
        "alerts": [
            {"id": f"a{n}", "title": f"t{n % 10}", "own": n % 1000, "severity": "high"}
            for n in range(STORED)
        ],
        "tiIndicators": [{"id": f"t{n}", "externalId": f"e{n}"} for n in range(STORED)],
        "incidents": [{"id": "i"}],
        "alerts_v2": [{"id": f"v{n}", "incidentId": "i" if n < 3 else "j"} for n in range(STORED)],
    }
}
INDICATORS = f"{SECURITY}/tiIndicators"


class Looked(list[Any]):
    """The entities that were looked at."""

    def at(self, entities: Iterator[Any]) -> Iterator[Any]:
        for entity in entities:
            self.append(entity)
            yield entity


@pytest.fixture(scope="module", params=["memory", "file"])
def client(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[FlaskClient]:
    store: Any = Path(tmp_path_factory.mktemp("costs"), "graph.store")
    with serving(store if request.param == "file" else None, seed=(SEED,)) as client:
        yield client


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Looked:
    looked = Looked()
    really, after = Ordered.__iter__, Ordered.after
    monkeypatch.setattr(Ordered, "__iter__", lambda every: looked.at(really(every)))
    monkeypatch.setattr(Ordered, "after", lambda every, number: looked.at(after(every, number)))
    return looked


REQUESTS: list[tuple[str, str, Any]] = [
    ("GET", f"{ALERTS}/a1500", None),
    ("PATCH", f"{ALERTS}/a1500", {"title": "changed"}),
    ("POST", ALERTS, {"title": "new"}),
    ("DELETE", f"{ALERTS}/a{STORED - 1}", None),
    ("GET", f"{ALERTS}/a1500/$ref", None),
    ("GET", f"{ALERTS}/$ref?$top=5", None),
    ("GET", f"{ALERTS}?$top=5", None),
    ("GET", f"{ALERTS}?$top=5&$skip=3", None),
    ("GET", f"{ALERTS}/$count", None),
    ("GET", f"{ALERTS}?$count=true&$top=5", None),
    ("GET", f"{ALERTS}?$count=true&$top=0", None),
    ("GET", f"{ALERTS}?$filter=severity ne 'low'&$top=5", None),
    ("GET", f"{ALERTS}?$search=t1&$top=1", None),
    ("GET", f"{ALERTS}?$filter=id eq 'a7'", None),
    ("GET", f"{ALERTS}?$filter=id in ('a7','a8') and severity eq 'high'&$count=true", None),
    ("GET", f"{ALERTS}?$filter=own eq 7 or own eq 8&$orderby=id desc", None),
    ("GET", f"{ALERTS}/$count?$filter=own eq 7", None),
    ("GET", f"{SECURITY}?$expand=alerts($top=5)", None),
    ("GET", f"{SECURITY}?$expand=alerts($filter=severity ne 'low';$top=5;$skip=2)", None),
    ("GET", f"{SECURITY}?$expand=alerts($filter=own eq 7;$count=true)", None),
    ("GET", "/v1.0/security/incidents/i?$expand=alerts", None),
    ("GET", "/v1.0/security/incidents/i/alerts", None),
    ("POST", f"{ALERTS}/updateAlerts", {"value": [{"id": "a5", "title": "changed"}]}),
    ("POST", f"{INDICATORS}/deleteTiIndicators", {"value": ["t7", "t8"]}),
    ("POST", f"{INDICATORS}/deleteTiIndicatorsByExternalId", {"value": ["e77", "e78", "none"]}),
    ("POST", "/_mockgraph/snapshots/s", None),
    ("POST", "/_mockgraph/snapshots/s/restore", None),
    ("POST", "/_mockgraph/reset", None),
]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_few_entities_are_looked_at(
    client: FlaskClient, looked: Looked, method: str, path: str, body: Any
) -> None:
    if "$filter" in path or "incidents" in path or "ByExternalId" in path:
        for _ in range(2):  # an index is made of what is asked again
            assert client.open(path, method=method, json=body).status_code < 300
        client.post("/_mockgraph/reset")
        client.open(path, method="GET")
    if path.endswith("/restore"):
        assert client.post(path.removesuffix("/restore")).status_code < 300
    looked.clear()
    answer = client.open(path, method=method, json=body)
    assert answer.status_code < 300, answer.text
    assert len(looked) <= FEW
