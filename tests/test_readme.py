"""The commands and examples of the README and the pages behind it, executed."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
from pathlib import Path

import click
import pytest
import requests
from manual import MANUAL, PAGES, blocks
from processes import ROOT

from mockgraph import MockGraph, __version__, create_app
from mockgraph.cli import MODULES, main
from mockgraph.cli.serve import serve
from mockgraph.testing.faults import PRESETS, Faults
from mockgraph.testing.police import RULES
from mockgraph.testing.reports.guidance import HINTS
from mockgraph.testing.reports.report import CHECKS
from scripts.reference import PARTS

AUTH = {"Authorization": "Bearer x"}


def test_the_ready_line_is_the_one_printed() -> None:
    told = re.findall(r"^MockGraph .*$", "\n".join(blocks("console", "is ready")), re.MULTILINE)
    assert len(told) == 2
    assert {*told} == {
        f"MockGraph {__version__} is ready: http://127.0.0.1:8365/localtest/Security"
    }


def curl(graph: MockGraph, command: str) -> requests.Response:
    """Run a curl command against this server."""
    words = shlex.split(command)[1:]
    given = {flag: words[words.index(flag) + 1] for flag in ("-X", "-d") if flag in words}
    pairs = [words[at + 1] for at, word in enumerate(words) if word == "-H"]
    (url,) = (word for word in words if word.startswith("http"))
    return requests.request(
        given.get("-X", "GET"),
        url.replace("http://127.0.0.1:8365", graph.origin),
        headers=dict(pair.split(": ", 1) for pair in pairs),
        data=given.get("-d"),
        timeout=10,
    )


def test_the_curl_commands_are_answered() -> None:
    commands = re.split(r"\n(?=curl )", blocks("bash", "curl")[0].replace("\\\n", " "))
    assert len(commands) == 2
    with MockGraph() as graph:
        for command in commands:
            response = curl(graph, command)
            assert response.status_code == 200, response.text
        assert graph.state["Security"]["providerStatus"][0]["vendor"] == "Vendor value"


def test_the_example_of_a_script_changes_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    seed = {"Security": {"alerts": [{"id": "a", "status": "newAlert"}, {"id": "b"}]}}
    with MockGraph(seed=seed, store="graph.store"):
        pass
    exec(compile(blocks("python", "StoreStorage")[0], "manual", "exec"), {})
    with MockGraph(store="graph.store") as graph:
        alerts = {each["id"]: each["status"] for each in graph.state["Security"]["alerts"]}
    assert alerts == {"a": "resolved", "b": None}


def test_a_test_by_curl_is_one() -> None:
    (block,) = blocks("bash", "/_mockgraph/verify")
    *before, verify, forget = re.split(r"\n(?=curl )", block.replace("\\\n", " "))
    with MockGraph() as graph:
        assert [curl(graph, each).status_code for each in before] == [204, 201]
        url = f"{graph.origin}/t/mine/v1.0/security/alerts/a1"
        asked = [requests.get(url, headers=AUTH, timeout=10) for _ in range(3)]
        assert [each.status_code for each in asked] == [429, 429, 200]
        assert asked[-1].json()["title"] == "Odd sign-in"
        verified = curl(graph, verify)
        assert verified.status_code == 200, verified.text
        assert curl(graph, forget).status_code == 204


def test_the_example_in_javascript_says_what_is_taken() -> None:
    (block,) = blocks("js", "/_mockgraph/")
    with MockGraph() as graph:
        calls = re.findall(r'control\("(\w+)", "(\w+)", (\{.*\})\)', block)
        for method, path, body in calls:
            if path == "verify":
                for _ in range(3):
                    requests.get(
                        f"{graph.origin}/v1.0/security/alerts/a1", headers=AUTH, timeout=10
                    )
            answer = requests.request(
                method,
                f"{graph.origin}/_mockgraph/{path}",
                json=json.loads(re.sub(r"(\w+):", r'"\1":', body)),
                timeout=10,
            )
            assert answer.ok, answer.text
        assert [path for _, path, _ in calls] == ["state", "faults", "stubs", "verify"]


def test_a_whole_test_in_csharp() -> None:
    (block,) = blocks("csharp", "async Task Control(")
    # System.Text.Json writes the members of objects in camel case, as PutAsJsonAsync has it.
    members = re.findall(r"new \{ (\w+) =", block)
    assert len(members) >= 4
    assert [name for name in members if not name[0].islower()] == []
    with MockGraph() as graph:
        for path, body in re.findall(r'Control\("(\w+)", new (\{.*?\})\);', block):
            if path != "verify":
                sent = json.loads(re.sub(r"(\w+) =", r'"\1":', body))
                answer = requests.post(f"{graph.origin}/_mockgraph/{path}", json=sent, timeout=10)
                assert answer.ok, answer.text


def test_what_is_said_of_the_control_plane_is_there() -> None:
    told = create_app().test_client().get("/_mockgraph").json
    assert told is not None
    served = {each.split()[1] for each in told["value"]}
    tables = "\n".join(line for line in MANUAL.splitlines() if line.startswith("|"))
    named = set(
        re.findall(r"/_mockgraph/[\w/{}]+(?:\.json)?", tables.replace("{user code}", "{code}"))
    )
    assert len(named) > 10
    assert named - served == set()
    covered = {each for each in served if any(each.startswith(name) for name in named)}
    assert {each for each in served if each.startswith("/_mockgraph/")} == covered


def test_every_preset_is_named() -> None:
    called = dict(re.findall(r"`(\w+)\(([^)`]*)\)`", MANUAL))
    assert [name for name in PRESETS if name not in called] == []
    for name in PRESETS:
        parameters = inspect.signature(getattr(Faults, name)).parameters
        for told in filter(None, called[name].split(", ")):
            parameter, _, default = told.partition("=")
            assert parameter in parameters, name
            assert not default or ast.literal_eval(default) == parameters[parameter].default, name


def test_every_misdeed_is_named() -> None:
    assert [name for name in RULES if f"`{name}`" not in MANUAL] == []


def test_the_python_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(blocks("python", "print(graph.url)")[0], "manual", "exec"), {})
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/localtest\n", capsys.readouterr().out)


@pytest.mark.parametrize("name", sorted({*main.commands, *MODULES}))
def test_every_command_and_option_is_named(name: str) -> None:
    assert f"`mockgraph {name}`" in MANUAL
    if name == "serve":
        for option in serve.params:
            assert isinstance(option, click.Option)
            assert option.opts[0] in MANUAL


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    found = re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", PAGES[page])
    for path, anchor in found:
        target = ROOT / page if not path else (ROOT / page).parent / path
        assert target.exists(), path
        if anchor:
            assert anchor in anchors(target), f"{path}#{anchor}"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, those of the reference too that the code gives."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"<!-- reference: ([\w-]+) -->", lambda found: PARTS[found[1]](), text)
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in titles}


def test_the_readme_is_one_screen() -> None:
    assert len(PAGES["README.md"].splitlines()) <= 120


def test_the_readme_leads_to_the_guides() -> None:
    guides = {path for path in PAGES if re.fullmatch(r"docs/[\w-]+\.md", path)}
    led_to = {path for path in guides if f"({path})" in PAGES["README.md"]}
    # Files of the repository that the site includes, and what these and the guides lead to.
    assert guides - led_to <= {
        "docs/changes.md",
        "docs/contributing.md",
        "docs/index.md",
        "docs/performance.md",
        "docs/releasing.md",
        "docs/security.md",
    }
    named = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
    assert all(f"({name})" in PAGES["README.md"] for name in named)
    assert "(docs/releasing.md)" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_piece_of_advice_is_named() -> None:
    assert [name for name in HINTS if f"`{name}`" not in MANUAL] == []
    assert [name for name in CHECKS if f"`{name}`" not in MANUAL] == []
