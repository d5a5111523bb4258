"""The examples: those with clients that the tests have anyhow are run; all are known and shown.

`make acceptance` runs the others.
"""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from manual import MANUAL
from processes import environment

from mockgraph import MockGraph

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
RUN = runpy.run_path(str(EXAMPLES / "run.py"))
PROGRAMS: dict[str, Any] = {program.name: program for program in RUN["PROGRAMS"]}


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    ca_dir = tmp_path_factory.mktemp("ca")
    with MockGraph(auth="jwt", tls=True, ca_dir=ca_dir) as graph:
        yield RUN["Runner"](graph, sys.executable)


@pytest.mark.long
@pytest.mark.parametrize("name", ["plain_requests.py", "plain_httpx.py", "msal_python.py"])
def test_an_example_runs(runner: Any, name: str) -> None:
    assert runner.missing(PROGRAMS[name]) == ""
    assert runner.run(PROGRAMS[name]) == ""


def test_what_a_program_that_fails_printed_is_shown(runner: Any) -> None:
    itself = RUN["Program"]("run.py", ())  # takes names, no origin
    fault = runner.run(itself)
    assert "no such program: https://localhost" in fault
    assert fault.endswith("Exit code 2.")


def test_every_example_is_run_and_shown() -> None:
    files = {path.name for path in EXAMPLES.iterdir() if path.suffix in {".py", ".mjs", ".sh"}}
    named = {name for name, program in PROGRAMS.items() if program.block is None}
    assert named == files - {"run.py"}
    assert [name for name in sorted(named) if f"(../examples/{name})" not in MANUAL] == []


@pytest.mark.parametrize("name", [name for name, each in PROGRAMS.items() if each.block])
def test_a_program_of_the_readme_is_one_block(runner: Any, name: str) -> None:
    text = runner._text(PROGRAMS[name])
    assert f'"{runner.origin}"' in text
    assert "8366" not in text


@pytest.mark.parametrize(
    ("asked_for", "outcome"), [(False, "left out"), (True, "failed")], ids=["all", "by name"]
)
@pytest.mark.parametrize("name", ["none.py", "none.mjs", "none.sh"])
def test_what_cannot_be_run_is_left_out_or_fails_where_it_was_asked_for(
    runner: Any, name: str, asked_for: bool, outcome: str, capsys: pytest.CaptureFixture[str]
) -> None:
    program = RUN["Program"](name, ("there_is_none",))
    counts = RUN["run_all"](runner, [program], asked_for)
    assert {name: count for name, count in counts.items() if count} == {outcome: 1}
    assert "for want of" in capsys.readouterr().out


@pytest.mark.long
def test_the_project_of_detection_rules_passes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=EXAMPLES / "detection_rules",
        env=environment({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(r"^5 passed", done.stdout, re.MULTILINE), done.stdout
