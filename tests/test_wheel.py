"""The wheel as users get it: built from a copy, installed in a clean environment, used there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from processes import ROOT
from wire import JSON, ask

SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "mockgraph", "fixtures")
MINUTE = 60
# What a user installs is there as wheels: nothing is built on their machine.
PIP_INSTALL = ("-m", "pip", "install", "--quiet", "--only-binary", ":all:")

PROJECT = """
import json, urllib.request

def ask(graph, body=None):
    headers = {"Authorization": "Bearer x", "Content-Type": "application/json"}
    method = "GET" if body is None else "PATCH"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{graph.url}/Security", data, headers, method=method)
    with urllib.request.urlopen(request) as response:
        return json.load(response)

def test_a_change(mockgraph):
    assert len(ask(mockgraph)["providerStatus"]) == 1
    assert ask(mockgraph, {"providerStatus": []})["providerStatus"] == []

def test_afresh(mockgraph):
    assert len(ask(mockgraph)["providerStatus"]) == 1
"""


@pytest.mark.long
def test_the_wheel_in_a_clean_environment(tmp_path: Path) -> None:
    wheel = build(tmp_path)
    check_contents(wheel)
    python = install(wheel, tmp_path / "venv")
    outside = tmp_path / "outside"
    outside.mkdir()
    check_it_is_the_wheel(python, outside)
    check_serve(python.parent / "mockgraph", outside)
    run(python, *PIP_INSTALL, f"{wheel}[hunting,mcp]", cwd=outside)
    check_replay(python.parent / "mockgraph", outside)
    check_plugin(python, outside)


@pytest.mark.long
def test_the_sdist_passes_its_own_tests(tmp_path: Path) -> None:
    """It has all that they look at; of the tests those run that look at files."""
    checkout = copied(tmp_path / "checkout", ROOT.iterdir())
    there = {each.name for each in checkout.iterdir()}
    run(sys.executable, "-m", "build", "--sdist", "--outdir", tmp_path, checkout, cwd=tmp_path)
    (packed,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    made = {"PKG-INFO", "mockgraph.egg-info"}
    assert {each.name for each in unpacked.iterdir()} - made == there
    assert files_in(unpacked / "tests") == files_in(checkout / "tests")
    assert files_in(unpacked / "fixtures") == files_in(checkout / "fixtures")
    named = ("test_changelog", "test_readme", "test_examples", "test_demo", "test_documented")
    tests = [f"tests/{name}.py" for name in named]
    assert " passed" in run(sys.executable, "-m", "pytest", "-q", "-n0", *tests, cwd=unpacked)


def copied(to: Path, paths: Iterable[Path]) -> Path:
    """A copy of a checkout, without what was built or installed in it."""
    left = (ROOT / ".gitignore").read_text("utf-8").split()
    ignored = shutil.ignore_patterns(".git", *(each.removesuffix("/") for each in left))
    to.mkdir()
    names = [path.name for path in paths]
    for name in set(names) - ignored(str(ROOT), names):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, to / name)
    return to


def files_in(folder: Path) -> set[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in files if path.suffix != ".pyc"}


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=5 * MINUTE,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def clean_environment() -> dict[str, str]:
    """Ours, without what would lead back to the checkout or to the environment of the tests."""
    leading_back = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in leading_back and not name.startswith(("MOCKGRAPH_", "COV", "PYTEST"))
    }


def build(tmp_path: Path) -> Path:
    """A copy is built: a build in the checkout would leave its traces there."""
    source = tmp_path / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, source / name)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", ".", cwd=source)
    (wheel,) = source.glob("*.whl")
    return wheel


def check_contents(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (entry_points,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        declared = archive.read(entry_points).decode()
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "mockgraph").rglob("*.py")
        if "__pycache__" not in path.parts
    }
    fixtures = ROOT / "fixtures"
    bundled = {
        f"mockgraph/fixtures/{path.relative_to(fixtures).as_posix()}"
        for pattern in ("*.*", "reference/*/*.md", "metadata/*/*.edm", "hunting/*")
        for path in fixtures.glob(pattern)
    }
    console = ROOT / "mockgraph" / "control" / "console"
    bundled |= {
        path.relative_to(ROOT).as_posix()
        for pattern in ("static/*", "templates/console/*")
        for path in console.glob(pattern)
    }
    pages = ROOT / "mockgraph" / "entra" / "templates"
    bundled |= {path.relative_to(ROOT).as_posix() for path in pages.iterdir()}
    own = {"mockgraph/py.typed", "mockgraph/testing/reports/report.html"}
    assert names == expected | bundled | own
    assert "mockgraph = mockgraph.cli:main" in declared
    assert "mockgraph = mockgraph.pytest_plugin" in declared


def install(wheel: Path, venv: Path) -> Path:
    run(sys.executable, "-m", "venv", venv, cwd=venv.parent)
    python = venv / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    run(python, *PIP_INSTALL, wheel, "pytest", cwd=venv.parent)
    return python


def check_it_is_the_wheel(python: Path, outside: Path) -> None:
    where = run(python, "-c", "import mockgraph; print(mockgraph.__file__)", cwd=outside)
    assert Path(where.strip()).is_relative_to(python.parents[1])


def check_serve(command: Path, outside: Path) -> None:
    page = (ROOT / "fixtures" / "security-update.md").read_text(encoding="utf-8")
    response = page.rsplit("Content-Length: 369\n\n", 1)[1].partition("\n```")[0]
    process = subprocess.Popen(
        [str(command), "serve", "--port", "0", "--json", "documented"],
        cwd=outside,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert ready is not None
        answer = ask(ready[0], "GET", "/localtest/Security", headers=JSON)
        assert answer.body.decode() == response.replace("\n", "\r\n")
        assert answer.headers["Content-Length"] == "369"
    finally:
        process.terminate()
        process.communicate(timeout=MINUTE)
    assert process.returncode == 0 or sys.platform == "win32"


def check_replay(command: Path, outside: Path) -> None:
    assert run(command, "replay", cwd=outside).endswith(" 0 different, 0 unserved, 0 unreadable.\n")


def check_plugin(python: Path, outside: Path) -> None:
    (outside / "test_project.py").write_text(PROJECT)
    command = (python, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider")
    assert "2 passed" in run(*command, cwd=outside)
