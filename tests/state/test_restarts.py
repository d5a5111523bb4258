"""Restarts find the state that was last answered, however it was made."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from conftest import state_of
from flask.testing import FlaskClient
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from profiles import examples

from mockgraph.app import create_app
from mockgraph.server_options import Settings
from mockgraph.state import store as stores
from state.stores import ALERTS, SECURITY

Json = Any

SEED = {
    "Security": {
        "id": "s",
        "providerStatus": [],
        "alerts": [{"id": f"seed{n}", "title": f"{n}"} for n in range(3)],
    }
}
INDICATORS = f"{SECURITY}/tiIndicators"

keys = st.sampled_from(["seed0", "seed1", "a", "b"])
titles = st.sampled_from(["", "x", "größe \u2028 \U0001f600", "x" * 300])
names = st.sampled_from(["one", "two"])


class Restarts(RuleBasedStateMachine):
    """A server with a store that is written to in every way, and started again now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Path(self.folder.name, "graph.store")
        self.client = self.start()

    def start(self) -> FlaskClient:
        app = create_app(Settings(store=str(self.store), seed=(SEED,), auth="off"))
        return app.test_client()

    def stop(self) -> None:
        self.client.application.extensions["mockgraph"].close()

    def teardown(self) -> None:
        try:
            self.restart()
            self.stop()
        finally:
            self.folder.cleanup()

    def send(self, method: str, path: str, body: Json = None) -> Json:
        answer = self.client.open(path, method=method, json=body)
        assert answer.status_code < 500, answer.text
        return answer

    def shown(self) -> Json:
        """The state as it is listed, with every etag."""
        listed = [self.send("GET", path).json["value"] for path in (ALERTS, INDICATORS)]
        return state_of(self.client), listed, self.send("GET", SECURITY).headers["ETag"]

    @rule()
    def restart(self) -> None:
        before = self.shown()
        self.stop()
        self.client = self.start()
        assert self.shown() == before

    @rule(key=keys, title=titles)
    def create(self, key: str, title: str) -> None:
        self.send("POST", ALERTS, {"id": key, "title": title, "own": [title, None, 1.5]})

    @rule(key=keys, title=titles)
    def update(self, key: str, title: str) -> None:
        self.send("PATCH", f"{ALERTS}/{key}", {"title": title})

    @rule(key=keys)
    def delete(self, key: str) -> None:
        self.send("DELETE", f"{ALERTS}/{key}")

    @rule(title=titles)
    def update_the_singleton(self, title: str) -> None:
        self.send("PATCH", SECURITY, {"providerStatus": [{"region": title}]})

    @rule(some=st.lists(keys, min_size=1, max_size=3), title=titles)
    def act(self, some: list[str], title: str) -> None:
        value: list[Json] = [{"id": key, "title": title} for key in some]
        self.send("POST", f"{ALERTS}/updateAlerts", {"value": value})
        value = [{"externalId": key, "targetProduct": "x"} for key in some]
        self.send("POST", f"{INDICATORS}/submitTiIndicators", {"value": value})
        value = some[:1]
        self.send("POST", f"{INDICATORS}/deleteTiIndicatorsByExternalId", {"value": value})

    @rule(some=st.lists(keys, min_size=1, max_size=3))
    def batch(self, some: list[str]) -> None:
        headers = {"Content-Type": "application/json"}
        items = [
            {
                "id": f"{n}",
                "method": "PATCH",
                "url": f"/Security/alerts/{key}",
                "headers": headers,
                "body": {"title": f"of batch {n}"},
            }
            for n, key in enumerate(some)
        ]
        assert self.send("POST", "/localtest/$batch", {"requests": items}).status_code == 200

    @rule(some=st.lists(keys, max_size=3, unique=True))
    def replace(self, some: list[str]) -> None:
        document = {"Security": {"alerts": [{"id": key, "title": "put"} for key in some]}}
        assert self.send("PUT", "/_mockgraph/state", document).status_code == 204

    @rule(app=names)
    def replace_the_directory(self, app: str) -> None:
        """Replace the directory in the state, which another document leaves as it is."""
        document = state_of(self.client)
        document["Directory"] = {"apps": [{"appId": app, "secrets": ["secret"]}]}
        assert self.send("PUT", "/_mockgraph/state", document).status_code == 204
        assert state_of(self.client) == document

    @rule()
    def replace_by_itself(self) -> None:
        document = state_of(self.client)
        assert self.send("PUT", "/_mockgraph/state", document).status_code == 204
        assert state_of(self.client) == document

    @rule()
    def reset(self) -> None:
        assert self.send("POST", "/_mockgraph/reset").status_code == 204
        alerts = state_of(self.client)["Security"]["alerts"]
        assert [each["id"] for each in alerts] == ["seed0", "seed1", "seed2"]

    @rule(name=names)
    def keep(self, name: str) -> None:
        assert self.send("POST", f"/_mockgraph/snapshots/{name}").status_code == 201

    @rule(name=names)
    def restore(self, name: str) -> None:
        self.send("POST", f"/_mockgraph/snapshots/{name}/restore")

    @rule(key=keys)
    def write_for_another_tenant(self, key: str) -> None:
        before = state_of(self.client)
        self.send("PATCH", f"/t/other{ALERTS}/{key}", {"title": "other"})
        self.send("POST", "/t/other/_mockgraph/reset")
        assert state_of(self.client) == before

    @rule()
    def compact(self) -> None:
        """As soon as there is anything to be written."""
        store: Any = self.client.application.extensions["mockgraph"].default.state._storage._store
        with store.writing:
            store._compact_at = 0
        self.update_the_singleton("compacted")
        store._thread.join()
        assert store._compact_at == stores._COMPACT_FROM
        assert not self.store.with_name("graph.store.new").exists()

    @invariant()
    def the_file_is_lines_of_json(self) -> None:
        for line in self.store.read_bytes().splitlines():
            json.loads(line)


Restarts.TestCase.settings = settings(max_examples=examples(5), stateful_step_count=30)
test_restarts = Restarts.TestCase
