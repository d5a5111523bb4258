"""Programs to be copied: each asks the URL that it is made for."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
from tools import need

from mockgraph import MockGraph
from mockgraph.control.console.snippets import snippets


@pytest.fixture
def programs(mockgraph: MockGraph) -> dict[str, str]:
    mockgraph.reset("demo")
    return {each.language: each.text for each in snippets(mockgraph.v1, "any")}


def test_each_names_the_url_and_a_token(programs: dict[str, str], mockgraph: MockGraph) -> None:
    assert set(programs) == {"curl", "Python", "Python, msgraph-sdk", "JavaScript", "C#"}
    for text in programs.values():
        assert mockgraph.v1 in text
        assert "anything" in text
    assert all("TOKEN" in each.text for each in snippets("http://x", "jwt"))


def test_the_one_in_python_runs(programs: dict[str, str], mockgraph: MockGraph) -> None:
    program = [sys.executable, "-c", programs["Python"]]
    done = subprocess.run(program, capture_output=True, text=True, timeout=30, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["high"] * 5
    mockgraph.assert_called("GET", "/security/alerts_v2", query={"$top": "5"})


RUNS = {"curl": ["sh", "-c"], "JavaScript": ["node", "--input-type=module", "-e"]}


@pytest.mark.parametrize("language", RUNS)
def test_others_run_where_there_is_what_runs_them(
    programs: dict[str, str], mockgraph: MockGraph, language: str
) -> None:
    command = RUNS[language]
    need(shutil.which("curl" if language == "curl" else command[0]), f"A program for {language}")
    program = [*command, programs[language]]
    done = subprocess.run(program, capture_output=True, text=True, timeout=30, check=True)
    if language == "curl":
        assert len(json.loads(done.stdout)["value"]) == 5
    mockgraph.assert_called("GET", "/security/alerts_v2", query={"$top": "5"})
