"""The workflows of GitHub: what they run is there, and what a tag publishes."""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from processes import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))


def read(name: str) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return document


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_no_more_rights_than_it_needs(path: Path) -> None:
    workflow = read(path.name)
    assert "secrets." not in path.read_text(encoding="utf-8")  # none is kept: trusted publishing
    assert workflow["permissions"] == {"contents": "read"}
    for step in steps(workflow):
        assert len({"run", "uses"} & step.keys()) == 1, step


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_it_runs_is_there(path: Path) -> None:
    targets = re.findall(r"^([\w-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    run = "\n".join(step["run"] for step in steps(read(path.name)) if "run" in step)
    assert {*re.findall(r"^make ([\w-]+)", run, re.MULTILINE)} <= {*targets}
    for module in re.findall(r"python -m (scripts\.\w+)", run):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file()


def test_every_python_is_tried_on_each_system() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    promised = re.findall(r"Python :: (3\.\d+)$", setup["metadata"]["classifiers"], re.MULTILINE)
    matrix = read("ci.yml")["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["python"] == promised
    assert [each.partition("-")[0] for each in matrix["os"]] == ["ubuntu", "macos", "windows"]


def test_a_tag_publishes_the_package_and_the_image() -> None:
    workflow = read("release.yml")
    assert workflow[True]["push"]["tags"] == ["v*"]  # YAML 1.1 reads the key "on" as true
    package, image = (workflow["jobs"][name] for name in ("package", "image"))
    assert package["permissions"] == {"id-token": "write"}
    assert package["needs"] == image["needs"] == "build"
    (pushed,) = (each["with"] for each in image["steps"] if "build-push" in each.get("uses", ""))
    assert pushed["platforms"].split(",") == ["linux/amd64", "linux/arm64"]
    assert pushed["sbom"] is True
