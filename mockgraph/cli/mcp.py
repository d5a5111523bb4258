"""``mockgraph mcp``: MockGraph as tools of coding agents, by the Model Context Protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from mockgraph import __version__
from mockgraph.cli.arguments import is_given, option, reporting_errors, server_options
from mockgraph.errors import MockGraphError
from mockgraph.spelling import suggestion

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from mockgraph.cli.remote import Remote

_TOLD = """MockGraph is a local, stateful emulator of the Microsoft Graph Security endpoint. Point
the program under test at the URL that the tool `server` names. Set its state with
`start_from_seed`, `add_entity` or `write_state`, let things go wrong with `add_fault`, run the
program, then look at `list_requests` and `list_misdeeds`, check with `verify`, which explains what
did not match, and have `write_test` write a test. Nothing of it reaches Microsoft."""

_SERVER = {"type": "object", "properties": {}, "additionalProperties": False}
_SEED = {
    "type": "object",
    "properties": {
        "seed": {
            "description": 'A state document, {"Security": {"alerts_v2": [...]}}, the path of '
            "one, or demo, the tenant that comes with MockGraph.",
        }
    },
    "required": ["seed"],
    "additionalProperties": False,
}


@click.command()
@server_options
@option(
    "--seed",
    "seeds",
    multiple=True,
    metavar="FILE|demo",
    help="What the server that is started for the agent starts from; may be repeated.",
)
def mcp(url: str, tenant: str | None, control_token: str | None, seeds: tuple[str, ...]) -> None:
    """Give coding agents the tools of a server, on the standard streams (Model Context Protocol).

    Without --url a server is started for them, on a free port, and ends with them.
    """
    from mockgraph.api import MockGraph
    from mockgraph.cli.remote import Remote

    with reporting_errors():
        if is_given("url"):
            _serve(Remote(url, tenant, control_token))
        else:
            with MockGraph(seed=seeds) as graph:
                _serve(Remote(graph.origin, tenant))


def _serve(remote: Remote) -> None:
    import anyio

    try:
        from mcp.server.stdio import stdio_server
    except ImportError:
        raise MockGraphError("This needs pip install 'mockgraph[mcp]'.") from None
    server = agent_server(remote)

    async def run() -> None:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    anyio.run(run)


def agent_server(remote: Remote) -> Server[Any]:
    """Return the server of tools that ask a running MockGraph."""
    from anyio import to_thread
    from mcp import types
    from mcp.server.lowlevel import Server

    from mockgraph.control.agent_tools import tools

    actions = {each.name: each for each in tools()}
    own = {"server": _SERVER, "start_from_seed": _SEED}
    summaries = {
        "server": "Return the URLs of the server, and programs that ask it.",
        "start_from_seed": "Replace the whole state by a seed.",
    }

    async def list_tools(*_: Any) -> types.ListToolsResult:
        listed = [
            types.Tool(name=name, description=summaries[name], input_schema=schema)
            for name, schema in own.items()
        ]
        listed += [
            types.Tool(
                name=each.name,
                description=each.action.summary,
                input_schema=each.schema,
                annotations=types.ToolAnnotations(
                    read_only_hint=each.action.only_reads,
                    destructive_hint=each.action.is_destructive,
                    open_world_hint=False,
                ),
            )
            for each in actions.values()
        ]
        return types.ListToolsResult(tools=listed)

    def call(name: str, arguments: Mapping[str, Any]) -> Any:
        if name == "server":
            return _about(remote)
        if name == "start_from_seed":
            return _start_from(remote, arguments)
        tool = actions.get(name)
        if tool is None:
            near = suggestion(name, [*own, *actions])
            raise MockGraphError(f"There is no tool {name!r}.{near}")
        known = tool.schema["properties"]
        if unknown := sorted(arguments.keys() - known.keys()):
            near = suggestion(unknown[0], known)
            raise MockGraphError(f"{name} takes no argument {unknown[0]!r}.{near}")
        return remote.act(tool.action, tool.arguments(dict(arguments)))

    async def call_tool(_: Any, request: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            value = await to_thread.run_sync(call, request.name, request.arguments or {})
            told, failed = _text(value), False
        except (MockGraphError, KeyError) as error:
            missing = f"The argument {error} is missing."
            told, failed = missing if isinstance(error, KeyError) else str(error), True
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=told)], is_error=failed
        )

    return Server(
        "mockgraph",
        version=__version__,
        instructions=_TOLD,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _about(remote: Remote) -> dict[str, Any]:
    from mockgraph.control.console.snippets import snippets

    prefix = f"/t/{remote.tenant}" if remote.tenant else ""
    origin = f"{remote.url.rstrip('/')}{prefix}"
    return {
        "v1.0": f"{origin}/v1.0",
        "beta": f"{origin}/beta",
        "localtest": f"{origin}/localtest",
        "console": f"{origin}/_mockgraph/console",
        "programs": dict(snippets(f"{origin}/v1.0", "any")),
    }


def _start_from(remote: Remote, arguments: Mapping[str, Any]) -> dict[str, Any]:
    import orjson

    from mockgraph.seeds import initial_document, read_seeds
    from mockgraph.server_options import Settings
    from mockgraph.service import SERVICE

    document = initial_document(SERVICE, Settings(seed=read_seeds(arguments["seed"])))
    remote.put_state(orjson.dumps(document))
    return {"sets": list(document)}


def _text(value: Any) -> str:
    import orjson

    if value is None:
        return "Done."
    if isinstance(value, str):
        return value
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
