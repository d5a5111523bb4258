"""The command line as a whole, and its short commands: ``replay`` and ``routes``."""

from __future__ import annotations

import re
import socket
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from processes import ROOT, run
from wire import patch

from mockgraph import MockGraph, __version__
from mockgraph.cli import main
from mockgraph.serving.server import Server

SECURITY = "/localtest/Security"


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "--port", "65536"],
        ["serve", "--port", "http"],
        ["serve", "--auth", "some"],
        ["serve", "--json", "xml"],
        ["serve", "--nothing"],
        ["nothing"],
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.output


@pytest.mark.parametrize("command", [[], ["serve"], ["replay"], ["routes"]])
def test_help(command: list[str]) -> None:
    result = CliRunner().invoke(main, [*command, "--help"])
    assert result.exit_code == 0
    for name in re.findall(r"--(host|port|store|seed|docs|auth|json|url|token) ", result.output):
        assert f"MOCKGRAPH_{name.upper()}" in result.output


def test_version() -> None:
    assert CliRunner().invoke(main, ["--version"]).output == f"MockGraph, version {__version__}\n"


# -- replay and routes ----------------------------------------------------------------------


def test_replay_against_a_server_of_its_own() -> None:
    result = CliRunner().invoke(main, ["replay"])
    assert result.exit_code == 0, result.output
    (summary,) = result.output.splitlines()[-1:]
    assert re.fullmatch(
        r"(\d+) documented examples on \d+ pages: \1 answered, 0 different, 0 unserved, "
        r"0 unreadable\.",
        summary,
    )


def test_replay_against_a_url() -> None:
    with MockGraph() as graph:
        patch(graph.origin, {"providerStatus": []})
        before = graph.state
        result = CliRunner().invoke(main, ["replay", "--url", graph.origin])
        assert result.exit_code == 0, result.output
        assert graph.state == before


@pytest.mark.long
def test_replay_in_a_process_of_its_own() -> None:
    with MockGraph() as graph:
        ended = run("replay", MOCKGRAPH_URL=graph.origin)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.endswith(" 0 different, 0 unserved, 0 unreadable.\n")


def test_replay_of_a_page_that_says_otherwise(tmp_path: Path) -> None:
    page = (ROOT / "fixtures" / "security-update.md").read_text()
    request, response = page.rsplit("HTTP/1.1 200 OK", 1)
    response = response.replace("Region value", "Elsewhere")
    (tmp_path / "changed.md").write_text(f"{request}HTTP/1.1 200 OK{response}")
    result = CliRunner().invoke(main, ["replay", "--docs", str(tmp_path)])
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0] == (
        f"different  PATCH {SECURITY} (changed.md): "
        "page: 'providerStatus' is shown with another value than the request writes"
    )
    assert '      -      "region": "Elsewhere",' in lines
    assert '      +      "region": "Region value",' in lines
    assert lines[-2] == (
        "1 documented examples on 1 pages: 0 answered, 1 different, 0 unserved, 0 unreadable."
    )


def test_replay_of_a_token_that_is_refused() -> None:
    with MockGraph() as graph:
        result = CliRunner().invoke(main, ["replay", "--url", graph.origin, "--token", "invalid"])
    assert result.exit_code == 1
    assert "      +HTTP 401" in result.output.splitlines()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://127.0.0.1", "ftp://127.0.0.1 is no http or https URL."),
        ("127.0.0.1:8365", "127.0.0.1:8365 is no http or https URL."),
        ("http://", "http:// is no http or https URL."),
    ],
)
def test_replay_against_what_is_no_url(url: str, says: str) -> None:
    result = CliRunner().invoke(main, ["replay", "--url", url])
    assert (result.exit_code, result.output) == (1, f"Error: {says}\n")


def test_replay_where_nobody_answers() -> None:
    server = Server(lambda *_: [])  # bound, so that nobody else is; then let go
    server.start()
    server.stop()
    result = CliRunner().invoke(main, ["replay", "--url", server.origin])
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {server.origin} does not answer: ")


def test_replay_against_what_does_not_speak_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"220 smtp.example ESMTP\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
        result = CliRunner().invoke(main, ["replay", "--url", url])
        thread.join()
    assert result.exit_code == 1
    assert "does not answer: " in result.output


def test_routes_lists_every_operation() -> None:
    result = CliRunner().invoke(main, ["routes"])
    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert f"PATCH   {SECURITY}" in lines
    assert "DELETE  /beta/security/tiIndicators/{id}" in lines
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize(
    ("prefix", "near"),
    [("security", "/v1.0/security"), ("v1.0/security/alertsv2", "/v1.0/security/alerts_v2")],
)
def test_routes_names_what_is_near(prefix: str, near: str) -> None:
    result = CliRunner().invoke(main, ["routes", prefix])
    assert result.exit_code == 1
    assert f"begins with {prefix}. Did you mean {near} or " in result.output


@pytest.mark.parametrize(("value", "is_json"), [("1", True), ("0", False)])
def test_the_report_of_drift_is_json_by_a_variable_of_its_own(
    tmp_path: Path, value: str, *, is_json: bool
) -> None:
    csdl = tmp_path / "small.csdl"
    csdl.write_text(
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
        '<edmx:DataServices><Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" '
        'Namespace="microsoft.graph"><EntityType Name="security"/></Schema>'
        "</edmx:DataServices></edmx:Edmx>"
    )
    # The variable of the server's option --json, which takes other values.
    variables = {"MOCKGRAPH_JSON": "documented", "MOCKGRAPH_DRIFT_JSON": value}
    result = CliRunner().invoke(main, ["drift", "--csdl", str(csdl)], env=variables)
    assert result.exit_code == 1
    assert result.output.startswith("{") is is_json
