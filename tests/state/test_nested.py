"""Writes at every depth: whole or not at all, against a plain model, and many at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mockgraph.app import create_app
from mockgraph.server_options import Settings
from state.stores import serving, state

CASES = "/v1.0/security/cases/ediscoveryCases"
NONE: Any = {"Security": {}}


@pytest.fixture(params=["memory", "file"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FlaskClient]:
    store = tmp_path / "graph.store" if request.param == "file" else None
    with serving(store, seed=(NONE,)) as client:
        yield client


def test_an_id_is_taken_within_its_owner_alone(client: FlaskClient) -> None:
    for name in "cd":
        assert client.post(CASES, json={"id": name}).status_code == 201
        assert client.post(f"{CASES}/{name}/reviewSets", json={"id": "r"}).status_code == 201
    again = client.post(f"{CASES}/c/reviewSets", json={"id": "r"})
    assert again.status_code == 409
    assert client.post(f"{CASES}/none/reviewSets", json={"id": "r"}).status_code == 404


def test_a_deep_insert_happens_whole(client: FlaskClient) -> None:
    body = {
        "id": "c",
        "settings": {"ocr": {"isEnabled": True}},
        "reviewSets": [{"id": "r", "queries": [{"id": "q"}, {"displayName": "made"}]}],
    }
    assert client.post(CASES, json=body).status_code == 201
    queries: Any = client.get(f"{CASES}/c/reviewSets/r/queries").json
    assert [each["displayName"] for each in queries["value"]] == [None, "made"]
    settings_of: Any = client.get(f"{CASES}/c/settings").json
    assert settings_of["ocr"]["isEnabled"] is True


@pytest.mark.parametrize(
    ("sets", "status"),
    [
        ([{"id": "r", "queries": [{"id": "q"}, {"id": "a/b"}]}], 400),
        ([{"id": "r", "queries": [{"colour": 1}]}], 400),
        ([{"id": "r"}, 5], 400),
    ],
)
def test_or_not_at_all(client: FlaskClient, sets: Any, status: int) -> None:
    before = state_of(client)
    refused = client.post(CASES, json={"id": "c", "reviewSets": sets})
    assert refused.status_code == status, refused.text
    assert state_of(client) == before


def test_writers_while_their_owner_is_deleted(client: FlaskClient) -> None:
    """Each is answered as if the others came before or after; nothing is left without an owner."""
    statuses: set[int] = set()
    begin = threading.Barrier(5)

    def write(name: str) -> None:
        mine = client.application.test_client()
        begin.wait()
        for n in range(40):
            made = mine.post(f"{CASES}/c/reviewSets", json={"id": f"{name}{n}"})
            inner = mine.post(f"{CASES}/c/reviewSets/{name}{n}/queries", json={"id": "q"})
            statuses.update((made.status_code, inner.status_code))

    def drop() -> None:
        mine = client.application.test_client()
        begin.wait()
        for _ in range(40):
            statuses.add(mine.delete(f"{CASES}/c").status_code)
            statuses.add(mine.post(CASES, json={"id": "c"}).status_code)

    client.post(CASES, json={"id": "c"})
    with ThreadPoolExecutor(5) as pool:
        running = [*(pool.submit(write, name) for name in "abde"), pool.submit(drop)]
        for each in running:
            each.result()
    assert statuses <= {201, 204, 404}
    database = state(client).db
    owners = {""}
    for table in ("", "/reviewSets", "/reviewSets/queries"):
        rows = database.table(f"security/cases/ediscoveryCases{table}").rows
        assert {each.owner for each in rows.in_order} <= owners
        owners = set(rows)


names = st.sampled_from(["a", "b", "c"])
titles = st.none() | st.sampled_from(["x", "y"])


class Nested(RuleBasedStateMachine):
    """Cases, their review sets and those' queries, against dicts within dicts."""

    @initialize()
    def begin(self) -> None:
        self.app = create_app(Settings(auth="off", seed=(NONE,)))
        self.client = self.app.test_client()
        self.plain: Any = {}

    def teardown(self) -> None:
        if hasattr(self, "app"):
            self.app.extensions["mockgraph"].close()

    def entities(self, keys: list[str]) -> Any:
        """Return the collection below these keys in the model; None where there is none."""
        found = self.plain
        for key in keys:
            if key not in found:
                return None
            found = found[key]["in"]
        return found

    def url(self, keys: list[str]) -> str:
        url = "/v1.0/security/cases"
        for name, key in zip(
            ("ediscoveryCases", "reviewSets", "queries"), [*keys, ""], strict=False
        ):
            url += f"/{name}/{key}"
        return url.rstrip("/")

    owners = st.lists(names, max_size=2)

    @rule(owner=owners, key=names, title=titles)
    def create(self, owner: list[str], key: str, title: str | None) -> None:
        body = {"id": key, "displayName": title}
        answer = self.client.post(self.url(owner), json=body)
        held = self.entities(owner)
        expected = 404 if held is None else 409 if key in held else 201
        assert answer.status_code == expected, answer.text
        if expected == 201:
            held[key] = {"title": title, "in": {}}

    @rule(owner=st.lists(names, max_size=1), key=names, inner=st.lists(names, unique=True))
    def create_with_what_it_contains(self, owner: list[str], key: str, inner: list[str]) -> None:
        name = ("reviewSets", "queries")[len(owner)]
        body = {"id": key, name: [{"id": each} for each in inner]}
        answer = self.client.post(self.url(owner), json=body)
        held = self.entities(owner)
        expected = 404 if held is None else 409 if key in held else 201
        assert answer.status_code == expected, answer.text
        if expected == 201:
            held[key] = {"title": None, "in": {each: {"title": None, "in": {}} for each in inner}}

    @rule(owner=owners, key=names, title=titles)
    def update(self, owner: list[str], key: str, title: str | None) -> None:
        answer = self.client.patch(f"{self.url(owner)}/{key}", json={"displayName": title})
        held = self.entities(owner)
        if held is None or key not in held:
            assert answer.status_code == 404
        else:
            assert answer.status_code == (200 if owner else 204), answer.text  # cases tell nothing
            held[key]["title"] = title

    @rule(owner=owners, key=names)
    def delete(self, owner: list[str], key: str) -> None:
        answer = self.client.delete(f"{self.url(owner)}/{key}")
        held = self.entities(owner)
        if held is None or key not in held:
            assert answer.status_code == 404
        else:
            assert answer.status_code == 204
            del held[key]

    @rule()
    def write_and_read_the_document(self) -> None:
        document = state_of(self.client)
        assert self.client.put("/_mockgraph/state", json=document).status_code == 204
        assert state_of(self.client) == document

    @invariant()
    def the_same_entities(self) -> None:
        if hasattr(self, "plain"):
            document = state_of(self.client)["Security"].get("cases", {})
            assert shown(document, ("ediscoveryCases", "reviewSets", "queries")) == self.plain


def shown(holder: Any, below: tuple[str, ...]) -> Any:
    """The entities of a document as the model has them; both keep their order."""
    if not below:
        return {}
    name, *rest = below
    return {
        each["id"]: {"title": each["displayName"], "in": shown(each, tuple(rest))}
        for each in holder.get(name, [])
    }


Nested.TestCase.settings = settings(stateful_step_count=20, deadline=None)
test_as_dicts_within_dicts = Nested.TestCase
