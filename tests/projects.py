"""Test projects of users, run in this process with the pytest plugin."""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points

import pytest

# Runs in process forget the modules that they loaded. Native ones can be loaded only once; the
# control plane finds its parameters by their modules; and a library of which one part is loaded
# anew does not know the exceptions of the other.
for _each in (
    "anyio",
    "httpcore._async.http11",
    "httpcore._backends.anyio",
    "httpcore._sync.http11",
    "httptools",
    "httpx",
    "jwt",
    "mockgraph.control.plane",
    "requests",
    "trustme",
    "urllib3",
):
    importlib.import_module(_each)


def run(project: pytest.Pytester, tests: str, *arguments: str) -> pytest.RunResult:
    """Run the tests in a project where the plugin is installed."""
    project.makepyfile(tests)
    return project.runpytest_inprocess(*plugin(), *arguments)


# The run around them has imported the package, and its projects make an error of a warning.
_IMPORTED = ("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")


def plugin() -> tuple[str, ...]:
    """The plugin comes by its entry point; named here only where the package is not installed."""
    installed = [each.value for each in entry_points(group="pytest11")]
    named = () if "mockgraph.pytest_plugin" in installed else ("-p", "mockgraph.pytest_plugin")
    return ("-p", "no:hypothesispytest", "-p", "no:cacheprovider", *_IMPORTED, *named)
