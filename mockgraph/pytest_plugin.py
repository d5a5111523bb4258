"""The pytest plugin: the fixtures ``mockgraph`` and ``mockgraph_session``, and a marker.

Loading it imports next to nothing of MockGraph's; a server is made for the first test that asks.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, cached_property
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import pytest

from mockgraph.collector import spare_the_end, uncollected
from mockgraph.errors import GraphError, MockGraphError

if TYPE_CHECKING:
    from mockgraph.api import MockGraph
    from mockgraph.server_options import Option
    from mockgraph.serving.transports import Intercept
    from mockgraph.testing.reports import Report

_FACTS = pytest.StashKey[list[dict[str, Any]]]()
_FAILURES = pytest.StashKey[list[str]]()
# What a marker may say of the test rather than of its server.
OF_TESTS = {
    "strict": "whether asking for what is not emulated fails it",
    "intercept": "whether calls to https://graph.microsoft.com are answered in process",
    "allow_hosts": "which other hosts it may call all the same",
    "check": "URL of a real service, which is asked what the test read, to compare",
}

_CA_DIR = "MOCKGRAPH_CA_DIR"  # of the authority, as for the command line


@atexit.register  # last of all, since plugins come first
def _end() -> None:
    """End a process that had a server without delay, see :func:`collector.spare_the_end`."""
    if "mockgraph.api" in sys.modules:
        spare_the_end()


# The token for a real service, and the headers that are sent to it as the test sent them.
_CHECK_TOKEN = "MOCKGRAPH_CHECK_TOKEN"
_CHECKED_HEADERS = ("prefer", "consistencylevel", "accept")


def pytest_addoption(parser: pytest.Parser) -> None:
    for each in _options():
        told = f"Of the servers of tests: {each.help}"
        if each.is_path:
            told += " Paths are from the root of the project."
        parser.addini(f"mockgraph_{each.name}", told, type=_ini_type(each), default=each.default)
    group = parser.getgroup("mockgraph")
    group.addoption(
        "--mockgraph-report",
        nargs="?",
        const="",
        metavar="FILE",
        help="Print a report on the requests of all tests at the end, and write it to a file, as "
        "HTML, JSON, JUnit's XML or text by its ending.",
    )
    group.addoption(
        "--mockgraph-report-fail-under",
        type=float,
        metavar="PERCENT",
        help="Fail the run where fewer of the operations of the resources used were called.",
    )
    group.addoption(
        "--mockgraph-report-fail-on",
        action="append",
        default=[],
        metavar="CHECK",
        help="Fail the run where there is any of misdeeds, advice, permissions that were not "
        "needed, idle-faults, unemulated; may be repeated.",
    )
    parser.addini(
        "mockgraph_strict",
        "Fail a test that asks for what MockGraph does not emulate and no stub answers.",
        type="bool",
        default=False,
    )


class _Run:
    """A run of pytest in this process: the test that it is at, and the servers of its tests.

    The fixtures find it here and ask for no ``request``, which pytest makes anew for each fixture
    that does: that takes longer than all that a test costs here.
    """

    def __init__(self, config: pytest.Config):
        self.config = config
        self.item: pytest.Item | None = None
        self._is_patched = False
        self._servers: dict[tuple[Any, ...], MockGraph] = {}

    @cached_property
    def options(self) -> dict[str, Any]:
        """The options of servers as the ini file has them."""
        return {each.name: _ini(self.config, each) for each in _options()}

    def server(self, chosen: dict[str, Any]) -> MockGraph:
        """Return the server with the options that a test chose, made if there is none yet."""
        options = self.options | chosen
        del options["seed"]
        wanted = tuple(map(_hashable, options.values()))
        if wanted not in self._servers:
            self._servers[wanted] = _started(options)
            self.config.add_cleanup(self._servers[wanted].stop)
        return self._servers[wanted]

    def begin(self, item: pytest.Item) -> None:
        """Take note of the test that is to run; patches stay from one intercepted to the next."""
        self.item = item
        if self._is_patched:
            marker = item.get_closest_marker("mockgraph")
            if marker is None or not marker.kwargs.get("intercept"):
                self._patch(False)

    def intercepting(
        self, server: MockGraph, marked: dict[str, Any]
    ) -> AbstractContextManager[Intercept | None]:
        """Return the intercept of a test, where it is marked for one."""
        if not marked.get("intercept"):
            return nullcontext()
        if not self._is_patched:
            self._patch(True)
            self.config.add_cleanup(lambda: self._patch(False))
        return server.intercept(marked.get("allow_hosts", ()))

    def _patch(self, stays: bool) -> None:
        from mockgraph.serving.transports import patches

        patches.stay(stays)
        self._is_patched = stays


_runs: list[_Run] = []  # the innermost last: a test of a plugin runs pytest within pytest


def pytest_configure(config: pytest.Config) -> None:
    run = _Run(config)
    _runs.append(run)
    config.add_cleanup(lambda: _runs.remove(run))
    of_servers = ", ".join(f"{each.name}=..." for each in _options())
    of_tests = ", ".join(f"{name}=..." for name in OF_TESTS)
    config.addinivalue_line(
        "markers",
        f"mockgraph({of_servers}, {of_tests}): the server that this test has, by options of "
        "MockGraph; seed is the state that it starts from (a state document, a path or a list of "
        f"them); {', '.join(f'{name}: {told}' for name, told in OF_TESTS.items())}.",
    )


def _ini_type(option: Option) -> Literal["linelist", "args", "bool", "string"]:
    if option.is_many:
        return "linelist" if option.is_path else "args"
    return "bool" if isinstance(option.default, bool) else "string"


@cache
def _options() -> list[Option]:
    """The options of a server that a single test may choose."""
    from mockgraph.server_options import options

    return [each for each in options() if each.for_tests]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the report on all requests of the run, and write it where a file was named."""
    config = terminalreporter.config
    if (report := _report(config)) is None:
        return
    terminalreporter.section("MockGraph")
    terminalreporter.write(report.text())
    for each in config.stash.get(_FAILURES, ()):
        terminalreporter.write_line(each, red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send a worker's facts to the controller; write the report, and fail the run by it."""
    config = session.config
    facts = config.stash.get(_FACTS, [])
    if hasattr(config, "workeroutput"):
        config.workeroutput["mockgraph_facts"] = facts
        return
    if (report := _report(config)) is None:
        return
    try:
        if path := config.getoption("mockgraph_report"):
            report.write(config.invocation_params.dir / path)
        under = config.getoption("mockgraph_report_fail_under")
        failures = report.failures(under, tuple(config.getoption("mockgraph_report_fail_on")))
    except MockGraphError as error:
        failures = [str(error)]
    config.stash[_FAILURES] = failures
    if failures and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the facts that a worker of pytest-xdist has sent."""
    sent = getattr(node, "workeroutput", {}).get("mockgraph_facts", [])
    node.config.stash.setdefault(_FACTS, []).extend(sent)


def _report(config: pytest.Config) -> Report | None:
    """The report that was asked for; None in a worker, and where none was."""
    if config.getoption("mockgraph_report") is None or hasattr(config, "workeroutput"):
        return None
    from mockgraph.testing.reports import Report, merged_facts

    facts: list[dict[str, Any]] = config.stash.get(_FACTS, [])
    return Report(merged_facts(facts))


def _take_facts(config: pytest.Config, server: MockGraph) -> None:
    """Keep the facts of a test's requests, of all tenants, until the run is over."""
    if config.getoption("mockgraph_report") is None:
        return
    from mockgraph.testing.reports import merged_facts

    found = [each for each in server.facts() if each["requests"]]
    kept = config.stash.setdefault(_FACTS, [])
    kept[:] = [merged_facts([*kept, *found])] if found else kept


def pytest_itemcollected(item: pytest.Item) -> None:
    """A test that is marked takes the fixture, whether it names it or not."""
    if not isinstance(item, pytest.Function) or "mockgraph" in item.fixturenames:
        return
    if item.get_closest_marker("mockgraph"):
        item.fixturenames = [*item.fixturenames, "mockgraph"]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    _runs[-1].begin(item)


@pytest.fixture(scope="session")
def mockgraph_seed() -> Any:
    """The seed of tests whose marker has none; override it in a module or conftest.

    By default it is the ini option ``mockgraph_seed``.
    """
    return _runs[-1].options["seed"]


@pytest.fixture
def mockgraph(mockgraph_seed: Any) -> Iterator[MockGraph]:
    """A running MockGraph, fresh for each test: one server a process, reset in between."""
    run = _runs[-1]
    assert run.item is not None
    marked = _marked(run.item)
    chosen = {name: value for name, value in marked.items() if name not in OF_TESTS}
    seed = chosen.pop("seed", mockgraph_seed)
    try:
        server = run.server(chosen)
        server.renew(seed)
    except (GraphError, MockGraphError) as error:
        _fail(f"MockGraph cannot start this test as it is asked to. {error}")
    with run.intercepting(server, marked) as intercept:
        yield server
    _take_facts(run.config, server)
    strict = marked.get("strict", run.config.getini("mockgraph_strict"))
    failures = _failures(server, intercept, strict)
    if marked.get("check"):
        failures += _drift(server, marked["check"])
    if failures:
        _fail("\n".join(failures))


@pytest.fixture(scope="session")
def mockgraph_session(mockgraph_seed: Any) -> Iterator[MockGraph]:
    """A running MockGraph of its own that all tests share: what one writes, the next finds."""
    run = _runs[-1]
    server = _started(run.options | {"seed": mockgraph_seed})
    try:
        yield server
        _take_facts(run.config, server)
    finally:
        server.stop()


def _ini(config: pytest.Config, option: Option) -> Any:
    """Return the value of an option, its paths from the root of the project."""
    value = config.getini(f"mockgraph_{option.name}")
    if not option.is_path:
        return value
    return [each if each == "demo" else str(config.rootpath / each) for each in value]


def _started(options: dict[str, Any]) -> MockGraph:
    """Import and start a server."""
    with uncollected(), _without_rewriting():
        from mockgraph.api import MockGraph

        return MockGraph(**options, ca_dir=os.environ.get(_CA_DIR)).start()


class _OwnModules(MetaPathFinder):
    """Finds MockGraph's modules as Python does where pytest does not come first."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        is_own = name.startswith("mockgraph.")
        return PathFinder.find_spec(name, path, target) if is_own else None


@contextmanager
def _without_rewriting() -> Iterator[None]:
    """Load MockGraph's modules as they were compiled when it was installed.

    pytest rewrites the assertions of whatever a plugin comes with, and compiles each module anew
    for it. That takes half a second where it did not yet do so, as in a fresh environment.
    """
    finder = _OwnModules()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _hashable(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float, tuple)):
        return value
    return tuple(value) if isinstance(value, Iterable) else value


def _failures(server: MockGraph, intercept: Intercept | None, strict: bool) -> list[str]:
    """Return what went wrong in a test beside what it asserts itself."""
    found = []
    if intercept is not None and intercept.refused:
        from mockgraph.serving.transports import CallRefused

        found.append(str(CallRefused(intercept.refused)))
    try:
        server.check(strict=strict, strict_client=server.settings.strict_client)
    except AssertionError as error:
        from mockgraph.api import CheckFailed

        if not isinstance(error, CheckFailed):  # raised by a function of the test's
            raise
        found.append(str(error))
    return found


def _drift(server: MockGraph, url: str) -> list[str]:
    """Return the answers of the mock that the real service gives otherwise, a line each."""
    from mockgraph.pages.contract_check import Answered, Asked, Recorded, drift_of_recorded

    token = os.environ.get(_CHECK_TOKEN)
    if not token:
        return [f"check={url!r} needs the token for it in the variable {_CHECK_TOKEN}."]
    recorded = []
    for each in server.requests:
        if each.root is not None:
            path = each.below + (f"?{each.query_text}" if each.query_text else "")
            sent = {k: v for k, v in each.headers.items() if k.lower() in _CHECKED_HEADERS}
            given = {name.lower(): value for name, value in each.response_headers.items()}
            answer = Answered(each.status, given, each.response)
            recorded.append(Recorded(each.root, Asked(each.method, path, sent), answer))
    try:
        drifts = list(drift_of_recorded(url, token, recorded))
    except MockGraphError as error:
        return [str(error)]
    return [f"{drift.request}: {each}" for drift in drifts for each in drift.differences]


@cache
def _known() -> Mapping[str, str]:
    """What a marker may say, in order."""
    return {each.name: each.help for each in _options()} | OF_TESTS


def _marked(item: pytest.Item) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for marker in item.iter_markers("mockgraph"):  # the closest first
        if marker.args or marker.kwargs.keys() - _known():
            known = ", ".join(f"{name}=" for name in _known())
            _fail(f"The marker mockgraph takes {known}; no more.")
        options = {**marker.kwargs, **options}
    return options


def _fail(message: str) -> NoReturn:
    """Fail the test with no more than this: its author's code is not in the traceback."""
    raise pytest.fail.Exception(message, pytrace=False) from None
