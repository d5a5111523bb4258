"""``pytest --mockgraph-report``: of all tests together, with workers too, and as a threshold."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.long

TESTS = """
import urllib.request

def ask(graph):
    url, headers = f"{graph.v1}/security/alerts_v2", {"Authorization": "Bearer x"}
    urllib.request.urlopen(urllib.request.Request(url, headers=headers)).read()

def test_one(mockgraph):
    ask(mockgraph)

def test_two(mockgraph):
    ask(mockgraph)
    ask(mockgraph.tenant("other"))

def test_without():
    pass
"""


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_of_a_run(project: pytest.Pytester, workers: list[str]) -> None:
    project.makepyfile(TESTS)
    options = ["-q", "-p", "xdist", *workers]
    ran = project.runpytest_subprocess(*options, "--mockgraph-report=report.json")
    ran.assert_outcomes(passed=3)
    ran.stdout.fnmatch_lines(["*MockGraph*", "3 requests, 1 operations called*"])
    assert json.loads((project.path / "report.json").read_text())["requests"] == 3


def test_it_is_not_made_unless_asked_for(project: pytest.Pytester) -> None:
    project.makepyfile(TESTS)
    ran = project.runpytest_subprocess("-q")
    ran.assert_outcomes(passed=3)
    ran.stdout.no_fnmatch_line("*requests, *")


def test_a_threshold_fails_the_run(project: pytest.Pytester) -> None:
    project.makepyfile(TESTS)
    ran = project.runpytest_subprocess("--mockgraph-report", "--mockgraph-report-fail-under=50")
    assert ran.ret == pytest.ExitCode.TESTS_FAILED
    ran.stdout.fnmatch_lines(["*of the operations were called, not 50.0 %."])
    held = project.runpytest_subprocess("--mockgraph-report", "--mockgraph-report-fail-on=misdeeds")
    assert held.ret == pytest.ExitCode.OK


@pytest.mark.parametrize("option", ["--mockgraph-report=x.pdf", "--mockgraph-report-fail-on=x"])
def test_what_cannot_be_done_fails_the_run_with_a_line(
    project: pytest.Pytester, option: str
) -> None:
    project.makepyfile(TESTS)
    options = [option] if "=x.pdf" in option else ["--mockgraph-report", option]
    ran = project.runpytest_subprocess(*options)
    assert ran.ret == pytest.ExitCode.TESTS_FAILED
    ran.stdout.no_fnmatch_line("*Traceback*")
