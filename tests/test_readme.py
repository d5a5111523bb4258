"""The README's commands and examples, executed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import requests
from markdown_it import MarkdownIt

from mockgraph import MockGraph, tls
from mockgraph.cli import main
from mockgraph.control.faults import PRESETS
from mockgraph.version import __version__

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = [
    (token.info, token.content)
    for token in MarkdownIt("commonmark").parse(README)
    if token.type == "fence"
]


def blocks(language: str, mark: str) -> list[str]:
    found = [text for info, text in BLOCKS if info == language and mark in text]
    assert found, f"no {language} block with {mark}"
    return found


def test_the_ready_line_is_the_one_printed() -> None:
    (block,) = blocks("console", "make serve")
    assert f"MockGraph {__version__} is ready: http://127.0.0.1:8365/localtest/Security" in block


def test_the_curl_commands_are_answered() -> None:
    commands = re.split(r"\n(?=curl )", blocks("bash", "curl")[0].replace("\\\n", " "))
    assert len(commands) == 2
    with MockGraph() as graph:
        for command in commands:
            words = shlex.split(command)[1:]
            given = {flag: words[words.index(flag) + 1] for flag in ("-X", "-d") if flag in words}
            pairs = [words[at + 1] for at, word in enumerate(words) if word == "-H"]
            (url,) = (word for word in words if word.startswith("http"))
            response = requests.request(
                given.get("-X", "GET"),
                url.replace("http://127.0.0.1:8365", graph.origin),
                headers=dict(pair.split(": ", 1) for pair in pairs),
                data=given.get("-d"),
                timeout=10,
            )
            assert response.status_code == 200, response.text
        assert graph.state["Security"]["providerStatus"][0]["vendor"] == "Vendor value"


def test_the_pytest_example_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(blocks("python", "def test_")[0])
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=2)


def test_the_example_of_a_bad_day_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(blocks("python", "faults.throttle")[0])
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_the_example_of_the_journal_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(blocks("python", "assert_called")[0])
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_the_example_without_a_socket_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(blocks("python", "intercept=True")[0])
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


@pytest.mark.parametrize("mark", ["stubs.add", "graph.tenant"])
def test_an_example_in_python_runs(mark: str) -> None:
    exec(compile(blocks("python", mark)[0], "README.md", "exec"), {})


def test_a_fault_by_curl_is_taken() -> None:
    (command,) = blocks("bash", "/_mockgraph/faults")
    words = shlex.split(command.replace("\\\n", " "))
    with MockGraph() as graph:
        answer = requests.post(
            words[3].replace("http://127.0.0.1:8365", graph.origin),
            data=words[words.index("-d") + 1],
            headers={"Content-Type": "application/json"},
            timeout=10,
        )
        assert answer.status_code == 201, answer.text
        assert [rule.as_json()["preset"] for rule in graph.faults] == ["throttle"]


def test_every_preset_is_named() -> None:
    missing = [name for name in PRESETS if f"`{name}`" not in README]
    assert missing == []


def test_the_python_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(blocks("python", "graph.clock.freeze")[0], "README.md", "exec"), {})
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/localtest\n", capsys.readouterr().out)


def test_the_example_of_a_proxy_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://graph.microsoft.com/v1.0/security/alerts"
    (tmp_path / "report.py").write_text(
        "import requests\n"
        f"requests.get({url!r}, headers={{'Authorization': 'Bearer x'}}).raise_for_status()\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tls, "default_directory", lambda: tmp_path / "ca")
    exec(compile(blocks("python", "proxy_environment")[0], "README.md", "exec"), {})


def test_the_sdk_example_is_python() -> None:
    compile(blocks("python", "GraphServiceClient")[0], "README.md", "exec")


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_and_option_is_named(name: str) -> None:
    assert f"`mockgraph {name}`" in README
    if name == "serve":
        for option in main.commands[name].params:
            assert isinstance(option, click.Option)
            assert option.opts[0] in README


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([\w./]+)\)", README))))
def test_every_link_leads_somewhere(path: str) -> None:
    assert (Path(__file__).parents[1] / path).exists()
