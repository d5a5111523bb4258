"""The site of each version beside the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.publish_site import publish


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "built"
    (folder / "_static").mkdir(parents=True)
    (folder / ".doctrees").mkdir()
    (folder / "index.html").write_text("MockGraph")
    return folder


def test_versions_stand_beside_each_other(tmp_path: Path, built: Path) -> None:
    site = tmp_path / "site"
    for name in ("main", "v0.9.0", "v0.10.0", "v1.0.0rc1"):
        publish(built, site, name)
    assert json.loads((site / "versions.json").read_text()) == [
        "0.10.0",
        "0.9.0",
        "1.0.0rc1",
        "main",
    ]
    assert "url=0.10.0/" in (site / "index.html").read_text()
    assert (site / "0.9.0" / "_static").is_dir()
    assert not (site / "0.9.0" / ".doctrees").exists()
    assert (site / ".nojekyll").is_file()


def test_a_version_takes_the_place_of_its_earlier_build(tmp_path: Path, built: Path) -> None:
    site = tmp_path / "site"
    publish(built, site, "main")
    (site / "main" / "gone.html").touch()
    publish(built, site, "main")
    assert not (site / "main" / "gone.html").exists()
    assert json.loads((site / "versions.json").read_text()) == ["main"]
    assert "url=main/" in (site / "index.html").read_text()
