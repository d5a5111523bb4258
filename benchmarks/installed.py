"""The installation of ``make bench``: the peers' Python environment and their npm packages."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
NODE_MODULES = ROOT / ".bench" / "node_modules"
PYTHON = ROOT / ".venv-bench" / "bin" / "python"


class Missing(Exception):
    """Something that is not installed; the message says what."""


def node(package: str, program: str) -> list[str]:
    """The command that starts a program of an npm package."""
    found = shutil.which("node")
    if found is None:
        raise Missing("there is no node on this machine")
    path = NODE_MODULES / package / program
    if not path.exists():
        raise Missing(f"the npm package {package} is not installed")
    return [found, str(path)]


def npm_version(package: str) -> str:
    described = json.loads((NODE_MODULES / package / "package.json").read_text())
    return str(described["version"])


def python_version(package: str) -> str:
    """The version of a package in the peers' environment. Raises Missing."""
    found = _python_packages().get(package)
    if found is None:
        raise Missing(f"the PyPI package {package} is not installed")
    return found


@cache
def _python_packages() -> dict[str, str]:
    if not PYTHON.exists():
        return {}
    program = (
        "import json; from importlib.metadata import distributions; "
        "print(json.dumps({each.name.lower().replace('_', '-'): each.version "
        "for each in distributions()}))"
    )
    done = subprocess.run([PYTHON, "-c", program], capture_output=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found
