"""The declarations of actions and presets: complete, and the same on each surface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from mockgraph.control.actions import ControlAction
from mockgraph.control.catalogue import ACTIONS
from mockgraph.control.parameters import parameters_of
from mockgraph.testing.faults import PRESETS, Faults

NAMED = {each.name: each for each in ACTIONS}


@pytest.mark.parametrize("action", ACTIONS, ids=NAMED)
def test_an_action_is_declared_whole(action: ControlAction) -> None:
    assert action.summary.endswith(".")
    assert [each.name for each in action.parameters if not each.help] == []
    assert {each.name for each in action.parameters} >= set(action.path_names)


@pytest.mark.parametrize(
    "function", [Faults.add, *PRESETS.values()], ids=lambda each: each.__name__
)
def test_a_preset_is_declared_whole(function: Callable[..., Any]) -> None:
    parameters = parameters_of(function)
    assert [each.name for each in parameters if not each.help] == []
    assert {"method", "path", "query", "caller"} <= {each.name for each in parameters}
    assert "predicate" not in {each.name for each in parameters}


def test_names_are_given_once() -> None:
    assert len(NAMED) == len(ACTIONS)
    assert len({(each.method, each.path) for each in ACTIONS}) == len(ACTIONS)


@pytest.mark.parametrize(
    ("name", "only_reads", "is_destructive"),
    [
        ("list_actions", True, False),
        ("read_state", True, False),
        ("verify", True, False),
        ("add_fault", False, False),
        ("take_snapshot", False, False),
        ("reset_clock", False, False),
        ("reset", False, True),
        ("write_state", False, True),
        ("restore_snapshot", False, True),
        ("drop_tenants", False, True),
    ],
)
def test_what_an_action_may_destroy(name: str, only_reads: bool, is_destructive: bool) -> None:
    action = NAMED[name]
    assert (action.only_reads, action.is_destructive) == (only_reads, is_destructive)


def test_where_parameters_are() -> None:
    write = NAMED["write_snapshot"]
    assert (write.path_names, write.document, write.members) == (("name",), "document", ())
    approve = NAMED["approve_device"]
    assert (approve.path_names, approve.document) == (("code",), None)
    assert [each.name for each in approve.members] == ["user"]
    assert [each.query_name for each in NAMED["list_requests"].members] == [
        "method",
        "path",
        "status",
        "answeredBy",
        "inBatch",
        "limit",
    ]


def test_every_action_has_its_endpoint(client: FlaskClient) -> None:
    listed = client.get("/_mockgraph").get_json()["value"]
    assert sorted(listed) == sorted(f"{each.method} /_mockgraph{each.path}" for each in ACTIONS)
    for endpoint in listed:
        method, path = endpoint.split()
        answer = client.open(path, method="PURGE")
        assert answer.status_code == 405, endpoint
        assert method in answer.headers["Allow"]
