"""The examples for Vitest and Jest, run where npm has installed what they need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from manual import MANUAL
from processes import ROOT

pytestmark = pytest.mark.long

EXAMPLES = ("vitest", "jest")
MINUTE = 60


@pytest.fixture(params=EXAMPLES)
def folder(request: pytest.FixtureRequest) -> Path:
    path = ROOT / "examples" / str(request.param)
    if shutil.which("npm") is None or not (path / "node_modules").is_dir():
        # MockGraph itself needs no Node.js: with npm, make acceptance installs the examples first.
        pytest.skip(f"examples/{path.name} is not installed; make acceptance does that.")
    return path


def run(folder: Path, *command: str) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {name: each for name, each in os.environ.items() if "MOCKGRAPH" not in name}
    done = subprocess.run(
        command,
        cwd=folder,
        env=variables | {"PATH": path, "CI": "1", "NO_COLOR": "1"},
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


def test_both_are_told_of() -> None:
    for name in EXAMPLES:
        assert f"(../examples/{name})" in MANUAL
