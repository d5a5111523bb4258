"""The commands of the control plane's actions: each is there, and does what its endpoint does."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import click
import pytest
import requests
from click.testing import CliRunner, Result

from mockgraph import MockGraph
from mockgraph.cli import main
from mockgraph.cli.remote import Remote
from mockgraph.control.actions import ControlAction
from mockgraph.control.catalogue import ACTIONS
from mockgraph.testing.faults import PRESETS

ALERTS = "/v1.0/security/alerts_v2"


def run(graph: MockGraph, *words: str) -> Result:
    return CliRunner().invoke(main, words, env={"MOCKGRAPH_URL": graph.origin})


def ask(graph: MockGraph, path: str = ALERTS) -> None:
    requests.get(f"{graph.origin}{path}", headers={"Authorization": "Bearer x"}, timeout=10)


def command(words: tuple[str, ...]) -> click.Command | None:
    found: click.Command | None = main
    for word in words:
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), word)
    return found


@pytest.mark.parametrize("action", ACTIONS, ids=lambda each: each.name)
def test_each_action_has_a_command(action: ControlAction) -> None:
    found = command(action.words)
    assert found is not None
    assert found.help


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_has_a_command_with_its_options(preset: str) -> None:
    found = command(("faults", "add", preset))
    assert found is not None
    names = {each.name for each in found.params}
    assert {"method", "path", "request_headers", "url", "control_token"} <= names


def test_a_fault_comes_and_goes(graph: MockGraph) -> None:
    added = run(graph, "faults", "add", "throttle", "--times", "null", "--retry-after", "2.5")
    assert json.loads(added.stdout)["retry_after"] == 2.5
    ask(graph)
    listed = json.loads(run(graph, "faults").stdout)["value"]
    assert [(each["times"], each["struck"]) for each in listed] == [(None, 1)]
    assert run(graph, "faults", "remove", "1").exit_code == 0
    assert list(graph.faults) == []


def test_a_fault_made_up_of_effects(graph: MockGraph) -> None:
    words = [
        "--status",
        "503",
        "--body",
        '{"a": [1]}',
        "--headers",
        '{"X": "y"}',
        "--method",
        "GET",
    ]
    added = json.loads(run(graph, "faults", "add", "custom", *words).stdout)
    assert added == {
        "id": added["id"],
        "status": 503,
        "body": {"a": [1]},
        "headers": {"X": "y"},
        "method": "GET",
        "times": 1,
        "struck": 0,
    }


def test_a_stub_with_a_text_and_with_json(graph: MockGraph) -> None:
    assert (
        json.loads(run(graph, "stubs", "add", "/me", "--body", "hello").stdout)["body"] == "hello"
    )
    written = run(graph, "stubs", "add", "/users/{id}", "--json", '{"a": null}').stdout
    assert json.loads(written)["body"] == {"a": None}


def test_the_journal_as_lines_and_whole(graph: MockGraph) -> None:
    graph.faults.throttle(retry_after=30)
    ask(graph)
    ask(graph)
    first, second = run(graph, "requests").stdout.splitlines()
    assert first.startswith("1 ")
    assert f"GET {ALERTS} 429 by fault" in first
    assert second.endswith(" retry-after-ignored")
    whole = run(graph, "requests", "--json", "--status", "429").stdout
    assert [json.loads(line)["status"] for line in whole.splitlines()] == [429]
    shown = json.loads(run(graph, "requests", "show", "2").stdout)
    assert shown["misdeeds"][0]["rule"] == "retry-after-ignored"
    assert shown["curl"].startswith(f"curl {graph.origin}{ALERTS}")


def test_requests_to_come_are_followed(graph: MockGraph) -> None:
    ask(graph)
    events = Remote(graph.origin).events()
    told: list[str] = []
    reader = threading.Thread(target=lambda: told.append(next(events)["url"]))
    reader.start()
    while reader.is_alive():  # until one comes after it listens
        ask(graph, f"{ALERTS}?$top=1")
        reader.join(0.05)
    assert told == [f"{ALERTS}?$top=1"]


def test_verifying(graph: MockGraph) -> None:
    ask(graph)
    assert (
        json.loads(run(graph, "verify", "/security/alerts_v2", "--times", "1").stdout)["count"] == 1
    )
    refused = run(graph, "verify", "/security/alerts_v2", "--query", '{"top": "1"}')
    assert refused.exit_code == 1
    assert "was expected" in refused.stderr


def test_the_clock(graph: MockGraph) -> None:
    frozen = json.loads(run(graph, "clock", "freeze", "2026-01-01T00:00:00Z").stdout)
    assert frozen["now"].startswith("2026-01-01T00:00:00")
    moved = json.loads(run(graph, "clock", "advance", "30").stdout)
    assert moved["now"].startswith("2026-01-01T00:00:30")
    assert json.loads(run(graph, "clock").stdout) == moved
    assert run(graph, "clock", "reset").exit_code == 0
    assert graph.clock.is_real


def test_snapshots_tenants_and_reset(graph: MockGraph, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text('{"Security": {"providerStatus": []}}')
    assert run(graph, "snapshot", "take", "mine").exit_code == 0
    assert run(graph, "snapshot", "put", "other", str(file)).exit_code == 0
    assert run(graph, "snapshot").stdout.splitlines() == ["mine", "other"]
    graph.tenant("team-a")
    assert run(graph, "tenants").stdout == "team-a\n"
    assert run(graph, "tenants", "drop", "team-a").exit_code == 0
    graph.faults.throttle()
    assert run(graph, "reset").exit_code == 0
    assert list(graph.faults) == []


def test_a_tenant_that_there_is_not_is_not_made_by_a_look(graph: MockGraph) -> None:
    looked = run(graph, "faults", "--tenant", "team-b")
    assert (looked.exit_code, looked.stdout) == (1, "")
    assert "There is no tenant 'team-b'" in looked.stderr
    assert run(graph, "tenants").stdout == ""


def test_entities_are_added_listed_changed_and_deleted(graph: MockGraph) -> None:
    added = run(graph, "entities", "add", "alerts_v2", "--properties", '{"title": "By hand"}')
    key = json.loads(added.stdout)["id"]
    words = ["entities", "list", "alerts_v2", "--filter", "title eq 'By hand'", "--top", "1"]
    listed = json.loads(run(graph, *words).stdout)
    assert [each["key"] for each in listed["value"]] == [key]
    put = run(graph, "entities", "put", "alerts_v2", key, '{"title": "Changed"}')
    assert put.exit_code == 0, put.stderr
    assert json.loads(run(graph, "entities", "show", "alerts_v2", key).stdout)["title"] == "Changed"
    assert run(graph, "entities", "delete", "alerts_v2", key).exit_code == 0
    assert run(graph, "entities", "show", "alerts_v2", key).exit_code == 1


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["fautls"], "Did you mean faults?"),
        (["faults", "ad"], "Did you mean add?"),
        (["faults", "add", "throtle"], "Did you mean throttle?"),
        (["faults", "add", "throttle", "--tims", "1"], "--times"),
        (["verify", "--path", "/security"], "PATH is given without '--path'."),
        (["entities", "alerts_v2"], "Did you mean mockgraph entities list alerts_v2?"),
        (["faults", "add", "latency", "soon"], "'soon' is no NUMBER."),
    ],
)
def test_what_is_misspelt(words: list[str], near: str) -> None:
    answered = CliRunner().invoke(main, words, prog_name="mockgraph")
    assert answered.exit_code == 2
    assert near in answered.stderr
