"""The directory as a part of the state document: put, shown, kept, restored."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from conftest import state_of
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockgraph import MockGraph, create_app
from mockgraph.errors import BadRequest, MockGraphError
from mockgraph.server_options import Settings
from mockgraph.service import SERVICE
from mockgraph.state import State

STATE = "/_mockgraph/state"
TOKEN = "/contoso.com/oauth2/v2.0/token"
READ, WRITE = "SecurityEvents.Read.All", "SecurityEvents.ReadWrite.All"


def directory(app: str, *permissions: str, **more: Any) -> dict[str, Any]:
    """A directory with one app, which has the secret s."""
    return {"apps": [{"appId": app, "secrets": ["s"], "permissions": list(permissions)}], **more}


SEED = {"Security": {}, "Directory": directory("seeded", READ)}


def roles(client: FlaskClient, app: str, secret: str = "s", prefix: str = "") -> list[str] | int:
    """The roles of an app that signs in, or the number of the error."""
    form = {
        "grant_type": "client_credentials",
        "client_id": app,
        "client_secret": secret,
        "scope": "https://graph.microsoft.com/.default",
    }
    answer = client.post(f"{prefix}{TOKEN}", data=form).json
    assert answer is not None
    if "error" in answer:
        (number,) = answer["error_codes"]
        return int(number)
    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    return list(claims["roles"])


@pytest.fixture
def seeded(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_client(seed=(SEED,))


NO_APP, WRONG_SECRET = 700016, 7000215


def test_none_is_invented(client: FlaskClient) -> None:
    assert set(state_of(client)) == {"Security"}
    client.put(STATE, json={"Security": {}})
    assert set(state_of(client)) == {"Security"}
    assert roles(client, "whoever", "whatever") != []


def test_that_of_the_seed_is_shown(seeded: FlaskClient) -> None:
    assert state_of(seeded)["Directory"] == SEED["Directory"]


def test_the_last_seed_that_has_one_counts(make_client: Callable[..., FlaskClient]) -> None:
    other = {"Security": {}, "Directory": directory("other", READ)}
    client = make_client(seed=(SEED, other, {"Security": {}}))
    assert state_of(client)["Directory"] == other["Directory"]


def test_a_seed_of_a_directory_alone_says_nothing_of_the_rest(
    make_client: Callable[..., FlaskClient],
) -> None:
    alone = {"Directory": directory("alone", READ)}
    documented = state_of(make_client())
    assert state_of(make_client(seed=(alone,))) == {**documented, **alone}
    seed = {"Security": {"alerts": [{"id": "a"}]}}
    both = state_of(make_client(seed=(seed, alone)))
    assert both == {**state_of(make_client(seed=(seed,))), **alone}


@pytest.mark.parametrize(
    "seed", [{}, [], {"Security": None}, {"Directory": {}, "Security": []}, {"Directories": {}}]
)
def test_what_is_no_seed(make_client: Callable[..., FlaskClient], seed: Any) -> None:
    with pytest.raises(MockGraphError, match="Seed 1 is no state document"):
        make_client(seed=(seed,))


def test_what_is_put_is_known(seeded: FlaskClient) -> None:
    document = {"Security": {}, "Directory": directory("put", WRITE)}
    assert seeded.put(STATE, json=document).status_code == 204
    assert state_of(seeded)["Directory"] == document["Directory"]
    assert roles(seeded, "put") == [WRITE]
    assert roles(seeded, "put", "no") == WRONG_SECRET
    assert roles(seeded, "seeded") == NO_APP


def test_a_document_without_one_leaves_it(seeded: FlaskClient) -> None:
    seeded.put(STATE, json={"Security": {}, "Directory": directory("put", READ)})
    assert seeded.put(STATE, json={"Security": {}}).status_code == 204
    assert state_of(seeded)["Directory"] == directory("put", READ)
    assert roles(seeded, "put") == [READ]


def test_a_document_of_nothing_else_leaves_all_else(seeded: FlaskClient) -> None:
    before = state_of(seeded)
    document = {"Directory": directory("put", READ)}
    assert seeded.put(STATE, json=document).status_code == 204
    assert state_of(seeded) == {**before, **document}
    assert roles(seeded, "put") == [READ]
    assert seeded.put(STATE, json={"Directory": {}}).status_code == 204
    assert state_of(seeded) == {**before, "Directory": {}}
    assert isinstance(roles(seeded, "whoever", "whatever"), list)
    assert seeded.put(STATE, json={"Directory": []}).status_code == 400
    assert state_of(seeded) == {**before, "Directory": {}}


def test_an_empty_one_is_open(seeded: FlaskClient) -> None:
    assert seeded.put(STATE, json={"Security": {}, "Directory": {}}).status_code == 204
    assert state_of(seeded)["Directory"] == {}
    assert isinstance(roles(seeded, "whoever", "whatever"), list)


def test_a_reset_goes_back_to_that_of_the_seeds(seeded: FlaskClient) -> None:
    seeded.put(STATE, json={"Security": {}, "Directory": directory("put", READ)})
    assert seeded.post("/_mockgraph/reset").status_code == 204
    assert state_of(seeded)["Directory"] == SEED["Directory"]
    assert (roles(seeded, "seeded"), roles(seeded, "put")) == ([READ], NO_APP)


def test_a_reset_goes_back_to_none(client: FlaskClient) -> None:
    client.put(STATE, json={"Security": {}, "Directory": directory("put", READ)})
    assert roles(client, "whoever") == NO_APP
    client.post("/_mockgraph/reset")
    assert set(state_of(client)) == {"Security"}
    assert isinstance(roles(client, "whoever"), list)


def test_a_tenant_has_its_own(seeded: FlaskClient) -> None:
    document = {"Security": {}, "Directory": directory("put", WRITE)}
    assert seeded.put(f"/t/a{STATE}", json=document).status_code == 204
    assert roles(seeded, "put", prefix="/t/a") == [WRITE]
    assert roles(seeded, "seeded", prefix="/t/a") == NO_APP
    assert roles(seeded, "seeded") == [READ]
    seeded.put(STATE, json=document)
    assert roles(seeded, "seeded", prefix="/t/b") == [READ]  # it starts from the seeds
    seeded.post("/t/a/_mockgraph/reset")
    assert roles(seeded, "seeded", prefix="/t/a") == [READ]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"Security": {}, "Directory": None}, "Directory: an object is expected."),
        ({"Security": {}, "Directory": []}, "Directory: an object is expected."),
        ({"Security": {}, "Directory": {"apps": [{}]}}, "Directory/apps/0/appId: It must be given"),
        ({"Security": {}, "Directory": {"people": []}}, "Directory/people: The property"),
        (
            {"Security": {}, "Directory": directory("x", "SecurityEvents.Raed.All")},
            "Directory/apps/0/permissions/0: There is no permission",
        ),
        ({"Security": {"alerts": [{"id": 5}]}, "Directory": directory("x")}, "Security/alerts/0"),
        ({"Security": {}, "directory": {}}, "A state document is an object with the member"),
    ],
)
@pytest.mark.parametrize("path", [STATE, "/_mockgraph/snapshots/new"])
def test_refused_it_changes_nothing(
    seeded: FlaskClient, path: str, document: Any, says: str
) -> None:
    seeded.post("/v1.0/security/alerts", json={"title": "kept"})
    before = state_of(seeded)
    refused = seeded.put(path, json=document)
    assert refused.status_code == 400
    assert refused.json is not None
    assert refused.json["error"]["message"].startswith(says)
    assert state_of(seeded) == before
    assert roles(seeded, "seeded") == [READ]
    assert seeded.get("/_mockgraph/snapshots").json == {"value": []}


def test_an_export_imported_elsewhere_has_the_same_sign_ins(
    make_client: Callable[..., FlaskClient],
) -> None:
    users = [{"userPrincipalName": "ada@contoso.com", "password": "pass", "permissions": [READ]}]
    seed = {"Security": {"alerts": [{"id": "a"}]}, "Directory": directory("x", READ, users=users)}
    one, other = make_client(seed=(seed,)), make_client()
    assert other.put(STATE, json=state_of(one)).status_code == 204
    assert state_of(other) == state_of(one)
    assert (roles(other, "x"), roles(other, "x", "no")) == ([READ], WRONG_SECRET)


def refresh_token(client: FlaskClient) -> str:
    form = {
        "grant_type": "password",
        "client_id": "x",
        "client_secret": "s",
        "username": "ada@contoso.com",
        "password": "p",
        "scope": "offline_access SecurityEvents.Read.All",
    }
    answer = client.post(TOKEN, data=form).json
    assert answer is not None
    return str(answer["refresh_token"])


def renewed(client: FlaskClient, token: str) -> int:
    form = {
        "grant_type": "refresh_token",
        "client_id": "x",
        "client_secret": "s",
        "refresh_token": token,
    }
    return client.post(TOKEN, data=form).status_code


def test_what_was_handed_out_counts_for_as_long_as_the_directory_is_the_same(
    client: FlaskClient,
) -> None:
    document = {"Security": {}, "Directory": directory("x", READ)}
    client.put(STATE, json=document)
    token = refresh_token(client)
    client.put(STATE, json=document)
    client.put(STATE, json={"Security": {}})
    assert renewed(client, token) == 200
    refused = {"Security": {}, "Directory": directory("x", READ, users=None)}
    assert client.put(STATE, json=refused).status_code == 400
    assert renewed(client, token) == 200


def test_under_another_directory_it_counts_no_longer(client: FlaskClient) -> None:
    client.put(STATE, json={"Security": {}, "Directory": directory("x", READ)})
    token = refresh_token(client)
    client.put(STATE, json={"Security": {}, "Directory": directory("x", READ, WRITE)})
    assert renewed(client, token) == 400


def test_snapshots_keep_it(seeded: FlaskClient) -> None:
    seeded.post("/_mockgraph/snapshots/before")
    seeded.put(STATE, json={"Security": {}, "Directory": directory("put", WRITE)})
    seeded.post("/_mockgraph/snapshots/after")
    seeded.post("/_mockgraph/snapshots/before/restore")
    assert (roles(seeded, "seeded"), roles(seeded, "put")) == ([READ], NO_APP)
    seeded.post("/_mockgraph/snapshots/after/restore")
    assert (roles(seeded, "seeded"), roles(seeded, "put")) == (NO_APP, [WRITE])


def test_a_snapshot_as_a_document(seeded: FlaskClient) -> None:
    path = "/_mockgraph/snapshots/one"
    assert seeded.get(path).status_code == 404
    assert seeded.put(path, data="null", content_type="application/json").status_code == 400
    before = state_of(seeded)
    document = {**copy.deepcopy(before), "Directory": directory("put", WRITE)}
    document["Security"]["alerts"] = [{"id": "only"}]
    assert seeded.put(path, json=document).status_code == 204
    assert state_of(seeded) == before
    read = seeded.get(path).json
    assert read is not None
    assert [each["id"] for each in read["Security"]["alerts"]] == ["only"]
    assert read["Directory"] == document["Directory"]
    assert seeded.post(f"{path}/restore").status_code == 204
    assert state_of(seeded) == read
    assert roles(seeded, "put") == [WRITE]


def test_a_store_keeps_it(tmp_path: Path) -> None:
    store = str(tmp_path / "graph.store")
    put = directory("put", WRITE)

    def opened(*seeds: Any) -> FlaskClient:
        return create_app(Settings(store=store, seed=seeds)).test_client()

    def closed(client: FlaskClient) -> None:
        client.application.extensions["mockgraph"].close()

    client = opened()
    assert set(state_of(client)) == {"Security"}
    closed(client)
    client = opened(SEED)  # the store has none, so that of the seed counts
    assert state_of(client)["Directory"] == SEED["Directory"]
    client.put(STATE, json={"Security": {}, "Directory": put})
    closed(client)
    client = opened(SEED)
    assert state_of(client)["Directory"] == put
    assert (roles(client, "put"), roles(client, "seeded", prefix="/t/a")) == ([WRITE], [READ])
    client.post("/_mockgraph/reset")
    closed(client)
    client = opened()
    assert state_of(client)["Directory"] == SEED["Directory"]
    closed(client)


def test_a_store_with_a_directory_that_is_none(tmp_path: Path) -> None:
    store = tmp_path / "graph.store"
    State(SERVICE, {"Security": {}, "Directory": {"deviceApproval": "odd"}}, str(store)).close()
    for _ in range(2):  # it was let go of
        with pytest.raises(MockGraphError, match="damaged: Directory/deviceApproval"):
            create_app(Settings(store=str(store)))


def test_seeds_are_checked_before_a_store_is_touched(tmp_path: Path) -> None:
    store = tmp_path / "graph.store"
    seed: dict[str, Any] = {"Security": {}, "Directory": {"apps": [{}]}}
    with pytest.raises(BadRequest, match="Directory/apps/0/appId"):
        create_app(Settings(store=str(store), seed=(seed,)))
    assert not store.exists()


def test_in_python() -> None:
    with MockGraph() as graph:
        assert "Directory" not in graph.state
        graph.reset(SEED)
        assert graph.state["Directory"] == SEED["Directory"]
        graph.snapshot("seeded")
        with graph.unchanged():
            graph.state = {"Security": {}, "Directory": {}}
            assert graph.state["Directory"] == {}
        assert graph.state["Directory"] == SEED["Directory"]
        graph.reset()
        assert "Directory" not in graph.state
        document = graph.document("seeded")
        assert document["Directory"] == SEED["Directory"]
        document["Directory"]["apps"].clear()
        graph.snapshot("nobody", document)
        graph.restore("nobody")
        assert graph.state["Directory"] == {"apps": []}
        graph.restore("seeded")
        assert graph.state["Directory"] == SEED["Directory"]
        with pytest.raises(BadRequest):
            graph.snapshot("none", {"Security": 5})


def test_state_and_directory_change_together() -> None:
    documents = [
        {"Security": {"alerts": [{"id": name}]}, "Directory": directory(name, READ)}
        for name in ("one", "two")
    ]
    with MockGraph() as graph:
        barrier = threading.Barrier(2)

        def put(document: Any) -> None:
            barrier.wait()
            for _ in range(50):
                graph.state = document

        threads = [threading.Thread(target=put, args=(each,)) for each in documents]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        state = graph.state
        (alert,) = state["Security"]["alerts"]
        assert state["Directory"] == directory(alert["id"], READ)
        graph.token(app=alert["id"])


texts = st.sampled_from(["a", "ada@contoso.com", READ, "contoso.com", "", "\x00"])
values = st.none() | st.booleans() | st.integers(0, 3) | texts | st.lists(texts, max_size=2)
NAMES = (
    "appId secrets permissions publicClient accessTokenVersion redirectUris userPrincipalName "
    "password id domains revoked @odata.type colour"
)
names = st.sampled_from(NAMES.split())
entries = st.lists(values | st.dictionaries(names, values, max_size=3), max_size=2)
directories = st.dictionaries(
    st.sampled_from(["apps", "users", "tenants", "deviceApproval", "colour"]), values | entries
)


@pytest.fixture(scope="module")
def shared() -> FlaskClient:
    return create_app(Settings(seed=(SEED,))).test_client()


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(document=st.fixed_dictionaries({"Security": st.just({}), "Directory": values | directories}))
def test_any_directory_is_taken_or_refused(shared: FlaskClient, document: Any) -> None:
    before = state_of(shared)
    answer = shared.put(STATE, json=document)
    assert answer.status_code in (204, 400)
    after = state_of(shared)
    assert after["Directory"] == (document if answer.status_code == 204 else before)["Directory"]
    assert roles(shared, "a") is not None  # and sign-in goes on
    assert shared.put(STATE, json=after).status_code == 204
    assert state_of(shared) == after


PROJECT = """
import pytest

@pytest.mark.mockgraph(seed={"Security": {}, "Directory": {"apps": [{"appId": "known"}]}})
def test_it_is_known(mockgraph):
    mockgraph.token(app="known")
    with pytest.raises(Exception, match="There is no app"):
        mockgraph.token(app="unknown")

def test_it_is_gone(mockgraph):
    mockgraph.token(app="unknown")
    assert "Directory" not in mockgraph.state
"""


def test_the_seed_of_a_test_may_have_one(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PROJECT)
    pytester.runpytest().assert_outcomes(passed=2)
