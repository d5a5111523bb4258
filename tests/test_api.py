"""MockGraph as a context manager: what Python code can do with a live server."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wire import ask, patch

import mockgraph
from mockgraph import MockGraph
from mockgraph.errors import BadRequest, MockGraphError

SECURITY = "/localtest/Security"
SEED = {"Security": {"providerStatus": [{"region": "seed"}], "alerts": [{"id": "a"}]}}


def region(graph: MockGraph) -> Any:
    return graph.state["Security"]["providerStatus"][0]["region"]


def test_it_serves_within_the_block_and_not_after() -> None:
    with MockGraph() as graph:
        assert graph.url == f"{graph.origin}/localtest"
        assert repr(graph) == f"<MockGraph {graph.origin}>"
        assert repr(graph.tenant("a")) == f"<Graph {graph.origin}/t/a>"
        assert ask(graph.origin, "GET", SECURITY).status == 200
        origin = graph.origin
    with pytest.raises(ConnectionRefusedError):
        ask(origin, "GET", SECURITY)
    assert repr(graph) == "<MockGraph stopped>"
    with pytest.raises(MockGraphError, match="not running"):
        graph.url  # noqa: B018
    graph.stop()


def test_it_starts_again_on_a_new_state() -> None:
    graph = MockGraph(seed=SEED)
    with graph:
        patch(graph.origin, {"providerStatus": []})
    with graph:
        assert region(graph) == "seed"


def test_two_in_one_process_share_nothing() -> None:
    with MockGraph() as one, MockGraph() as two:
        assert one.origin != two.origin
        before = two.state
        patch(one.origin, {"providerStatus": []})
        assert one.state["Security"]["providerStatus"] == []
        assert two.state == before


def test_the_state_is_a_copy_both_ways() -> None:
    seed: Any = json.loads(json.dumps(SEED))
    with MockGraph(seed=seed) as graph:
        seed["Security"]["providerStatus"][0]["region"] = "changed"
        graph.reset()
        assert region(graph) == "seed"
        read = graph.state
        read["Security"]["providerStatus"][0]["region"] = "changed"
        read["Security"]["alerts"].clear()
        assert region(graph) == "seed"
        assert graph.state != read
        graph.state = read
        read["Security"]["providerStatus"][0]["region"] = "changed again"
        assert region(graph) == "changed"
        assert graph.state["Security"]["alerts"] == []


ASSIGNMENTS: list[Callable[[Any], object]] = [
    lambda state: state.__setitem__("Security", {}),
    lambda state: state["Security"].__setitem__("alerts", []),
    lambda state: state["Security"].__delitem__("alerts"),
    lambda state: state["Security"].__ior__({"alerts": []}),
    lambda state: state["Security"].update(alerts=[]),
    lambda state: state["Security"].setdefault("own", 1),
    lambda state: state["Security"].pop("alerts"),
    lambda state: state["Security"].popitem(),
    lambda state: state["Directory"].clear(),
]


@pytest.mark.parametrize("assign", ASSIGNMENTS)
def test_assigning_to_a_part_of_the_copy_is_an_error(assign: Callable[[Any], object]) -> None:
    with MockGraph(seed={**SEED, "Directory": {"apps": []}}) as graph:
        for each in (graph, graph.tenant("a")):
            before = each.state
            with pytest.raises(TypeError, match=r"Assign a whole document: graph\.state = "):
                assign(before)
            assert each.state == before
            each.state = {"Security": each.state["Security"] | {"alerts": [{"id": "new"}]}}
            assert [alert["id"] for alert in each.state["Security"]["alerts"]] == ["new"]
            assert each.state["Directory"] == {"apps": []}


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda state: pickle.loads(pickle.dumps(state))]
)
def test_a_state_that_is_read_is_plain(duplicate: Callable[[Any], Any]) -> None:
    with MockGraph(seed=SEED) as graph:
        state = graph.state
        assert json.loads(json.dumps(state)) == state
        assert repr(state) == repr(json.loads(json.dumps(state)))
        edited = duplicate(state)
        assert (type(edited), type(edited["Security"])) == (dict, dict)
        edited["Security"]["alerts"] = []
        graph.state = edited
        assert graph.state == edited != state


def test_a_state_is_assigned_and_read_back() -> None:
    with MockGraph() as graph:
        graph.state = {"Security": {"alerts": [{"id": "a", "title": "T", "own": 1}, {}]}}
        written = graph.state
        first, second = written["Security"]["alerts"]
        assert (first["title"], first["own"], first["tags"]) == ("T", 1, [])
        assert second["id"]
        graph.state = written
        assert graph.state == written
        assert ask(graph.origin, "GET", f"{SECURITY}/alerts/a").json["title"] == "T"


@pytest.mark.parametrize(
    "document", [{}, {"Security": {"alerts": [5]}}, {"Security": {"colour": 1}}]
)
def test_a_state_that_does_not_fit_is_refused_whole(document: Any) -> None:
    with MockGraph() as graph:
        before = graph.state
        with pytest.raises(BadRequest):
            graph.state = document
        assert graph.state == before


def test_the_singleton_keeps_its_id_where_none_is_given() -> None:
    with MockGraph() as graph:
        before = graph.state["Security"]["id"]
        graph.state = {"Security": {}}
        assert graph.state["Security"]["id"] == before


def test_reset() -> None:
    with MockGraph(seed=SEED) as graph:
        fresh = graph.state
        patch(graph.origin, {"providerStatus": []})
        ask(graph.origin, "DELETE", f"{SECURITY}/alerts/a")
        graph.reset()
        assert graph.state == fresh
        graph.reset(seed={"Security": {"providerStatus": [{"region": "other"}]}})
        assert region(graph) == "other"
        assert graph.state["Security"]["alerts"] == []
        graph.reset()
        assert graph.state == fresh


# -- seeds --------------------------------------------------------------------------------


def test_seeds_are_values_or_files_laid_one_over_another(tmp_path: Path) -> None:
    file = tmp_path / "seed.json"
    file.write_text(json.dumps({"Security": {"alerts": [{"id": "b"}]}}))
    for path in (file, str(file)):
        with MockGraph(seed=[SEED, path]) as graph:
            assert [each["id"] for each in graph.state["Security"]["alerts"]] == ["a", "b"]
            assert region(graph) == "seed"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file or directory."),
        ("", "is not valid JSON"),
        ("{'Security': {}}", "is not valid JSON"),
        (b"\xff\xfe", "is not valid JSON"),
    ],
)
def test_a_seed_that_cannot_be_read(tmp_path: Path, content: Any, says: str) -> None:
    file = tmp_path / "seed.json"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(MockGraphError) as raised:
        MockGraph(seed=file)
    assert f"The seed {file} {says}" in str(raised.value)


def test_a_folder_is_no_seed(tmp_path: Path) -> None:
    with pytest.raises(MockGraphError, match=r"cannot be read"):
        MockGraph(seed=tmp_path)


@pytest.mark.parametrize("seed", [{"Security": {"alerts": {1, 2}}}, {"Security": object()}])
def test_a_seed_that_is_no_json(seed: Any) -> None:
    with pytest.raises(MockGraphError, match="cannot be written as JSON"):
        MockGraph(seed=seed)


@pytest.mark.parametrize("seed", [{}, {"alerts": []}, {"Security": []}, {"Security": {}, "x": 1}])
def test_a_seed_that_is_no_state_document(seed: Any) -> None:
    with pytest.raises(MockGraphError, match="Seed 2 is no state document"):
        MockGraph(seed=[SEED, seed]).start()


def test_a_seed_that_does_not_fit_says_where() -> None:
    seed = {"Security": {"alerts": [{}, {"title": 5}]}}
    with pytest.raises(BadRequest, match=r"^Security/alerts/1/title: Cannot convert 5 "):
        MockGraph(seed=seed).start()


GOOD = {"Security": {"alerts": [{"id": "a"}, {}]}}


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"Security": {"alerts": [{}, {"title": 5}]}}, ": Security/alerts/1/title: Cannot "),
        ({"Security": {"colour": 5}}, ": Security/colour: The property 'colour' does not exist "),
        ({"Directory": {"apps": [{"appId": 5}]}}, ": Directory/apps/0/appId: "),
        (
            {"Security": {"alerts": [{"id": "a"}]}},
            ", laid over those before it: Security/alerts/2/id: 'a' is given twice.",
        ),
        ({"alerts": []}, " is no state document: "),
    ],
)
def test_of_several_seeds_the_one_at_fault_is_named(tmp_path: Path, bad: Any, says: str) -> None:
    files = [tmp_path / f"{number}.json" for number in range(4)]
    for file in files:
        file.write_text(json.dumps(bad if file is files[2] else {"Security": {}}))
    files[0].write_text(json.dumps(GOOD))
    refused = (MockGraphError, BadRequest)
    with pytest.raises(refused) as raised:
        MockGraph(seed=files).start()
    assert str(raised.value).startswith(f"The seed {files[2]}{says}")
    with pytest.raises(refused) as raised:
        MockGraph(seed=[GOOD, bad, "demo"]).start()
    assert str(raised.value).startswith(f"Seed 2{says}")
    with MockGraph() as graph:
        before = graph.state
        with pytest.raises(refused) as raised:
            graph.reset([files[0], files[2]])
        assert str(raised.value).startswith(f"The seed {files[2]}{says}")
        assert graph.state == before


@pytest.mark.parametrize("content", ["[]", "null", '"Security"'])
def test_a_file_of_no_object_is_no_seed(tmp_path: Path, content: str) -> None:
    file = tmp_path / "seed.json"
    file.write_text(content)
    with pytest.raises(MockGraphError, match=f"^The seed {file} is no state document: "):
        MockGraph(seed=[GOOD, file])


def test_a_seed_among_others_that_is_no_json_is_counted() -> None:
    with pytest.raises(MockGraphError, match=r"^Seed 2 cannot be written as JSON: "):
        MockGraph(seed=[GOOD, {"Security": object()}])


# -- the rest of the settings ---------------------------------------------------------------


def test_auth_and_host_and_port(tmp_path: Path) -> None:
    with MockGraph(auth="off") as graph:
        assert ask(graph.origin, "GET", SECURITY, headers={}).status == 200
        taken = int(graph.origin.rpartition(":")[2])
        with pytest.raises(MockGraphError, match=f"port {taken}"):
            MockGraph(port=taken, store=tmp_path / "graph.store").start()
    with MockGraph(port=taken, host="127.0.0.1", store=tmp_path / "graph.store") as graph:
        assert graph.origin == f"http://127.0.0.1:{taken}"


def test_a_store_outlives_the_block(tmp_path: Path) -> None:
    for store in (tmp_path / "a.store", str(tmp_path / "b.store")):
        with MockGraph(store=store) as graph:
            patch(graph.origin, {"providerStatus": [{"region": "kept"}]})
        with MockGraph(store=store) as graph:
            assert region(graph) == "kept"


def test_pages_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(MockGraphError, match="no such directory"):
        MockGraph(docs=[tmp_path / "none"]).start()
    with pytest.raises(MockGraphError, match="no reference pages"):
        MockGraph(docs=[tmp_path]).start()


def test_the_package_offers_four_names() -> None:
    assert mockgraph.create_app().test_client().get("/_mockgraph/health").status_code == 200
    assert set(mockgraph.__all__) == {"MockGraph", "StoreStorage", "create_app", "__version__"}
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        mockgraph.nothing  # noqa: B018


@pytest.mark.parametrize("prefix", ["", "/t/other"])
def test_a_state_may_be_larger_than_any_request_of_graphs(prefix: str) -> None:
    title = "x" * (5 * 1024 * 1024)
    state = json.dumps({"Security": {"alerts": [{"id": "a", "title": title}]}}).encode()
    with MockGraph() as graph:
        origin = graph.origin
        for body in (state, [state[:1000], state[1000:]]):
            assert ask(origin, "PUT", f"{prefix}/_mockgraph/state", body).status == 204
            (alert,) = ask(origin, "GET", f"{prefix}/_mockgraph/state").json["Security"]["alerts"]
            assert alert["title"] == title
        refused = ask(origin, "POST", f"{prefix}{SECURITY}/alerts/_mockgraph/state", state)
        assert refused.status in (404, 405, 413)
        assert ask(origin, "POST", f"{prefix}{SECURITY}/alerts", state).status == 413


def test_a_journal_is_no_less_than_empty() -> None:
    with pytest.raises(MockGraphError, match="journal is a number of requests, not -1"):
        MockGraph(journal=-1)
    with MockGraph(journal=0, auth="off") as graph:
        assert ask(graph.origin, "GET", "/v1.0/security").status == 200
        assert graph.requests == []


@pytest.mark.parametrize("options", [{"auth": "nope"}, {"json": "nope"}])
def test_an_unknown_mode_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(MockGraphError, match="not 'nope'"):
        MockGraph(**options)


def test_a_server_is_not_started_twice() -> None:
    with MockGraph() as graph:
        origin = graph.origin
        with pytest.raises(MockGraphError, match="already"):
            graph.start()
        assert graph.origin == origin


def test_nothing_is_read_or_reset_before_the_start() -> None:
    graph = MockGraph()
    with pytest.raises(MockGraphError, match="not running"):
        graph.reset()
    with pytest.raises(MockGraphError, match="not running"):
        _ = graph.state
