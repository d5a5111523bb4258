"""The state that a server starts from, and what a start does not have to load."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from processes import ROOT

from mockgraph import create_app
from mockgraph.files import fixtures
from mockgraph.pages import bundled_pages
from mockgraph.pages.examples import documented
from mockgraph.seeds import DIGEST, initial_document
from mockgraph.server_options import Settings
from mockgraph.service import SERVICE

# Parsers and parts that the first answer does not need, and that take long to load.
WAITING = [
    *("cryptography", "jwt", "markdown_it", "trustme", "filelock"),
    *("mockgraph.control.plane", "mockgraph.pages", "mockgraph.entra.entra"),
    *(
        "mockgraph.testing.faults",
        "mockgraph.odata.ast",  # and so whatever reads query options
        "mockgraph.testing.police",
        "mockgraph.testing.stubs",
    ),
    "mockgraph.serving.transports",
]

START = f"""
import sys
from mockgraph.app import create_app
from mockgraph.cli import main
from mockgraph.serving.server import Server
client = create_app().test_client()
answer = client.patch("/v1.0/security", json={{}}, headers={{"Authorization": "Bearer x"}})
assert answer.status_code == 200
print(*(name for name in {WAITING} if name in sys.modules))
"""


def written(folder: Path) -> Path:
    target = folder / "written.json"
    script = ROOT / "scripts" / "write_documented.py"
    subprocess.run([sys.executable, "-B", script, target], check=True)
    return target


def test_what_is_kept_of_the_pages_is_what_they_show(tmp_path: Path) -> None:
    kept = (fixtures() / DIGEST).read_text(encoding="utf-8")
    assert written(tmp_path).read_text(encoding="utf-8") == kept, "run scripts/write_documented.py"
    assert initial_document(SERVICE, Settings()) == documented(SERVICE, bundled_pages())


def test_other_pages_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "fixtures"
    shutil.copytree(ROOT / "fixtures", folder)
    page = folder / "security-update.md"
    page.write_text(page.read_text().replace("Vendor value", "Another vendor"))
    for module in ("seeds", "pages"):
        monkeypatch.setattr(f"mockgraph.{module}.fixtures", lambda: folder)
    assert providers(initial_document(SERVICE, Settings())) == ["Another vendor"]


def test_pages_of_the_users_own_are_read(tmp_path: Path) -> None:
    shutil.copy(ROOT / "fixtures" / "security-update.md", tmp_path)
    document = initial_document(SERVICE, Settings(docs=(str(tmp_path),)))
    assert document["Security"].keys() == {"id", "@odata.type", "providerStatus"}
    assert providers(document) == ["Vendor value"]


def test_one_start_does_not_change_the_next() -> None:
    initial_document(SERVICE, Settings())["Security"]["providerStatus"].clear()
    assert providers(initial_document(SERVICE, Settings())) == ["Vendor value"]


def test_the_first_answer_waits_for_no_more_than_it_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", START], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == []


def test_the_control_plane_is_registered_once() -> None:
    app = create_app()
    assert not app.blueprints
    client = app.test_client()
    assert client.get("/v1.0/security").status_code == 401
    assert [client.get("/_mockgraph/health").status_code for _ in range(2)] == [200, 200]
    assert list(app.blueprints) == ["control"]


def providers(document: dict[str, Any]) -> list[str]:
    return [each["vendor"] for each in document["Security"]["providerStatus"]]
