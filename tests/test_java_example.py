"""The example for JUnit, compiled and run where a JDK and JUnit are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from manual import MANUAL
from processes import ROOT
from tools import need

EXAMPLE = ROOT / "examples" / "junit"
# Where distributions put the libraries of Java.
LIBRARIES = Path("/usr/share/java")
NAMES = [
    *(f"junit-jupiter-{name}.jar" for name in ("api", "engine")),
    *(f"junit-platform-{name}.jar" for name in ("commons", "console", "engine", "launcher")),
    *("junit-platform-reporting.jar", "opentest4j.jar", "apiguardian-api.jar", "picocli.jar"),
    *("opentest4j-reporting-events.jar", "opentest4j-reporting-schema.jar"),
]


def run(*command: str | Path) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.long
def test_by_mockgraph_run(tmp_path: Path) -> None:
    found = [each for name in NAMES if (each := LIBRARIES / name).is_file()]
    need(shutil.which("javac") and found, "A JDK with JUnit", "acceptance")
    classes = os.pathsep.join(map(str, [*found, tmp_path]))
    run("javac", "-d", tmp_path, "-cp", classes, *EXAMPLE.glob("*.java"))
    launcher = ["java", "-cp", classes, "org.junit.platform.console.ConsoleLauncher"]
    tests = [*launcher, "--scan-classpath", str(tmp_path), "--disable-ansi-colors"]
    assert "2 tests successful" in run("mockgraph", "run", "--seed", "demo", "--", *tests)


def test_it_is_told_of() -> None:
    assert "(../examples/junit/HighAlertsTest.java)" in MANUAL
