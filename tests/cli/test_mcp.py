"""``mockgraph mcp``, asked by the client of the official SDK, in process and over the streams."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
import requests

from mockgraph import MockGraph
from mockgraph.cli.remote import Remote
from mockgraph.control.catalogue import ACTIONS

anyio = pytest.importorskip("anyio", reason="The extra mcp is not installed.")
mcp = pytest.importorskip("mcp", reason="The extra mcp is not installed.")


@pytest.fixture
def graph(server: MockGraph) -> MockGraph:
    server.renew("demo")
    return server


def told(result: Any) -> Any:
    """Return the answer of a tool: JSON, or a text where it refused."""
    (content,) = result.content
    try:
        return json.loads(content.text)
    except ValueError:
        return content.text


def talk(graph: MockGraph, calls: list[tuple[str, dict[str, Any]]]) -> list[tuple[bool, Any]]:
    """Call tools one after another; return whether each failed, and what it answered."""
    from mockgraph.cli.mcp import agent_server

    async def run() -> list[tuple[bool, Any]]:
        async with mcp.Client(agent_server(Remote(graph.origin))) as client:
            answers = [await client.call_tool(name, arguments) for name, arguments in calls]
            return [(bool(each.is_error), told(each)) for each in answers]

    found: list[tuple[bool, Any]] = anyio.run(run)
    return found


def test_each_action_is_a_tool_with_its_danger(graph: MockGraph) -> None:
    from mockgraph.cli.mcp import agent_server

    async def run() -> Any:
        async with mcp.Client(agent_server(Remote(graph.origin))) as client:
            return (await client.list_tools()).tools

    tools = {each.name: each for each in anyio.run(run)}
    missing = {each.name for each in ACTIONS} - tools.keys()
    assert missing == {"list_actions", "read_openapi", "follow_requests"}
    assert tools["reset"].annotations.destructive_hint
    assert tools["list_requests"].annotations.read_only_hint
    assert "throttle" in tools["add_fault"].input_schema["properties"]["preset"]["enum"]
    assert tools["take_snapshot"].input_schema["required"] == ["name"]
    assert all(each.input_schema["type"] == "object" for each in tools.values())


def test_what_an_agent_does_to_write_a_test(graph: MockGraph) -> None:
    state = {"Security": {"alerts_v2": [{"id": "a1", "title": "Odd sign-in"}]}}
    about, *_ = talk(graph, [("server", {}), ("start_from_seed", {"seed": state})])
    url = about[1]["v1.0"]
    assert url == graph.v1
    fault = {"preset": "throttle", "retry_after": 30, "path": "/security/alerts_v2"}
    assert talk(graph, [("add_fault", fault)])[0][1]["struck"] == 0
    for _ in range(2):
        headers = {"Authorization": "Bearer x"}
        requests.get(f"{url}/security/alerts_v2?$top=1", headers=headers, timeout=10)
    listed, misdeeds, right, wrong, written = talk(
        graph,
        [
            ("list_requests", {"path": "/security/alerts_v2"}),
            ("list_misdeeds", {}),
            ("verify", {"path": "/security/alerts_v2", "times": 2}),
            ("verify", {"path": "/security/alert_v2"}),
            ("write_test", {}),
        ],
    )
    assert [each["status"] for each in listed[1]["value"]] == [429, 200]
    assert [each["rule"] for each in misdeeds[1]["value"]] == ["retry-after-ignored"]
    assert (right[0], right[1]["count"]) == (False, 2)
    assert wrong[0] is True
    assert "Near miss" in wrong[1]
    program = written[1]["python"]
    compile(program, "test", "exec")
    assert (
        "mockgraph.assert_called('GET', '/security/alerts_v2', query={'$top': '1'}, times=2)"
        in program
    )


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("add_falt", {}, "There is no tool 'add_falt'. Did you mean add_fault"),
        ("take_snapshot", {}, "'name' is missing"),
        ("list_requests", {"stauts": 200}, "no argument 'stauts'. Did you mean status?"),
        ("add_fault", {"preset": "throtle"}, "Did you mean throttle?"),
        ("start_from_seed", {"seed": "nowhere.json"}, "nowhere.json"),
        ("write_state", {"document": {"Security": {"alerts": 1}}}, "alerts"),
    ],
)
def test_a_refusal_says_why(graph: MockGraph, name: str, arguments: Any, message: str) -> None:
    ((failed, said),) = talk(graph, [(name, arguments)])
    assert failed
    assert message in str(said)


@pytest.mark.long
def test_over_the_standard_streams_with_a_server_of_its_own() -> None:
    program = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "mockgraph", "mcp", "--seed", "demo"]
    )

    async def run() -> Any:
        with anyio.fail_after(60):
            async with mcp.Client(mcp.stdio_client(program)) as client:
                about = told(await client.call_tool("server", {}))
                listed = told(await client.call_tool("list_sets", {}))
                return about, listed

    about, listed = anyio.run(run)
    assert about["v1.0"].startswith("http://127.0.0.1:")
    counts = {each["set"]: each["count"] for each in listed["value"]}
    assert counts["security/alerts_v2"] == 34
