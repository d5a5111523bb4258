"""The page of the fidelity, and the figure in the README: both are what is measured now."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from processes import ROOT

SCRIPT = ROOT / "scripts" / "write_fidelity.py"


def measured(out: Path, *docs: Path) -> str:
    """The page that the script writes."""
    subprocess.run([sys.executable, "-B", SCRIPT, *docs, "--out", out], check=True)
    return out.read_text(encoding="utf-8")


@pytest.mark.long
def test_the_page_and_the_readme_are_up_to_date(tmp_path: Path) -> None:
    (row,) = re.findall(r"^\| Bundled \|.*$", measured(tmp_path / "now.md"), re.MULTILINE)
    kept = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")
    assert row in kept, "run make fidelity"
    examples, answered = (int(each) for each in row.split("|")[3:5])
    assert examples == answered >= 60
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{answered} of the {examples} documented examples" in readme, "run make fidelity"


@pytest.mark.long
def test_gaps_are_named(tmp_path: Path) -> None:
    page = (ROOT / "fixtures" / "alert-get.md").read_text(encoding="utf-8")
    (tmp_path / "wrong.md").write_text(page.replace("200 OK", "418 I'm a teapot"))
    text = measured(tmp_path / "out.txt", tmp_path)
    assert re.search(r"\| 1 \| 1 \| 0 \| 1 \| 0 \| 0 \| 0\.0 % \|", text)
    assert "`wrong.md`: different: MockGraph: answers 200 where 418 is documented" in text


@pytest.mark.long
def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    missing: list[str | Path] = [
        sys.executable,
        "-B",
        SCRIPT,
        tmp_path / "none",
        "--out",
        tmp_path / "out.md",
    ]
    done = subprocess.run(missing, capture_output=True, text=True)
    assert (done.returncode, "no such directory" in done.stderr) == (1, True)
