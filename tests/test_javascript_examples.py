"""The examples for Vitest and Jest, run where npm has installed what they need."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from manual import BLOCKS, MANUAL
from processes import ROOT, serving
from tools import need

pytestmark = pytest.mark.long

EXAMPLES = ("vitest", "jest")
MINUTE = 60


@pytest.fixture(params=EXAMPLES)
def folder(request: pytest.FixtureRequest) -> Path:
    path = ROOT / "examples" / str(request.param)
    is_installed = shutil.which("npm") and (path / "node_modules").is_dir()
    need(is_installed, f"examples/{path.name}", "acceptance")
    return path


def run(folder: Path, *command: str, **given: str) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {name: each for name, each in os.environ.items() if "MOCKGRAPH" not in name}
    done = subprocess.run(
        command,
        cwd=folder,
        env=variables | given | {"PATH": path, "CI": "1", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=3 * MINUTE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_with_a_server_of_its_own(folder: Path) -> None:
    assert "2 passed" in run(folder, "npm", "test")


def test_by_mockgraph_run(folder: Path) -> None:
    ran = run(folder, "mockgraph", "run", "--seed", "demo", "--", "npm", "test")
    assert "2 passed" in ran


def steps() -> list[str]:
    """The steps of the workflows that docs/ci.md shows which run tests by ``mockgraph run``."""
    workflows = [yaml.safe_load(each.text) for each in BLOCKS if each.language == "yaml"]
    jobs = [job for each in workflows for job in each.get("jobs", {}).values()]
    found = [step.get("run", "") for job in jobs for step in job["steps"]]
    return [each for each in found if each.startswith("mockgraph run")]


def test_by_the_step_of_a_workflow(folder: Path) -> None:
    (step,) = steps()
    try:
        assert "2 passed" in run(folder, *shlex.split(step))
        assert "<testsuite" in (folder / "report.xml").read_text()
    finally:
        (folder / "report.xml").unlink(missing_ok=True)


def test_with_a_service_container(folder: Path) -> None:
    """As a workflow has it: the server is there, with its options in the environment."""
    with serving(MOCKGRAPH_SEED="demo") as server:
        assert "2 passed" in run(folder, "npm", "test", MOCKGRAPH_URL=server.origin)


def test_both_are_told_of() -> None:
    for name in EXAMPLES:
        assert f"(../examples/{name})" in MANUAL
