"""The pytest plugin: the fixtures ``mockgraph`` and ``mockgraph_session``, and a marker.

Loading it imports nothing of MockGraph's; a server is made for the first test that asks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from mockgraph.api import MockGraph
    from mockgraph.serving.transports import Intercept

_OPTIONS = ("seed", "auth", "strict", "strict_client", "allow", "intercept", "allow_hosts", "tls")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "mockgraph_seed",
        "State documents that each test starts from: paths from the root of the project, or demo.",
        type="linelist",
    )
    parser.addini(
        "mockgraph_strict",
        "Fail a test that asks for what MockGraph does not emulate and no stub answers.",
        type="bool",
        default=False,
    )
    parser.addini(
        "mockgraph_strict_client",
        "Refuse what a well-behaved client does not do, and fail the test that does it.",
        type="bool",
        default=False,
    )
    parser.addini(
        "mockgraph_tls",
        "Serve https as well: mockgraph.tls_url, with mockgraph.ca to trust; the authority is kept "
        "in MOCKGRAPH_CA_DIR, or where users keep such state.",
        type="bool",
        default=False,
    )
    parser.addini(
        "mockgraph_allow", "Misdeeds of clients that are put up with, by name.", type="args"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"mockgraph({', '.join(f'{name}=...' for name in _OPTIONS)}): "
        "the state that this test starts from (a state document, a path or a list of them), how "
        "tokens are checked ('any', 'off' or 'jwt'), whether asking for what is not emulated fails "
        "it, whether what a well-behaved client does not do is refused and fails it, which of such "
        "misdeeds it allows, whether calls to https://graph.microsoft.com are answered in "
        "process, which other hosts it may call all the same, and whether it is served by https "
        "as well.",
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """A test that is marked takes the fixture, whether it names it or not."""
    if not isinstance(item, pytest.Function) or "mockgraph" in item.fixturenames:
        return
    if item.get_closest_marker("mockgraph"):
        item.fixturenames = [*item.fixturenames, "mockgraph"]


@pytest.fixture(scope="session")
def _mockgraph_servers() -> Iterator[dict[Any, MockGraph]]:
    servers: dict[Any, MockGraph] = {}
    yield servers
    for server in servers.values():
        server.stop()


@pytest.fixture(scope="session")
def mockgraph_seed(request: pytest.FixtureRequest) -> Any:
    """What tests start from where their marker does not say; override it in a module or conftest.

    By default it is the ini option ``mockgraph_seed``.
    """
    root = request.config.rootpath
    seeds: list[str] = request.config.getini("mockgraph_seed")
    return [seed if seed == "demo" else str(root / seed) for seed in seeds]


@pytest.fixture
def mockgraph(
    request: pytest.FixtureRequest,
    mockgraph_seed: Any,
    _mockgraph_servers: dict[Any, MockGraph],
) -> Iterator[MockGraph]:
    """A running MockGraph, fresh for each test: one server a process, reset in between."""
    from mockgraph.api import CheckFailed
    from mockgraph.errors import GraphError, MockGraphError
    from mockgraph.serving.transports import CallRefused

    config, options = request.config, _marked(request)
    strict = options.get("strict", config.getini("mockgraph_strict"))
    strict_client = options.get("strict_client", config.getini("mockgraph_strict_client"))
    try:
        server = _server(_mockgraph_servers, config, options, strict_client)
        server.renew(options.get("seed", mockgraph_seed))
    except (GraphError, MockGraphError) as error:
        _fail(f"MockGraph cannot start this test as it is asked to. {error}")
    with _intercepting(server, options) as intercept:
        yield server
    found = []
    if intercept is not None and intercept.refused:
        found.append(str(CallRefused(intercept.refused)))
    try:
        server.check(strict=strict, strict_client=strict_client)
    except CheckFailed as error:
        found.append(str(error))
    if found:
        _fail("\n".join(found))


@pytest.fixture(scope="session")
def mockgraph_session(request: pytest.FixtureRequest, mockgraph_seed: Any) -> Iterator[MockGraph]:
    """A running MockGraph of its own that all tests share: what one writes, the next finds."""
    from mockgraph.api import MockGraph

    tls = request.config.getini("mockgraph_tls")
    with MockGraph(seed=mockgraph_seed, tls=tls, ca_dir=_ca_dir()) as server:
        yield server


def _server(
    servers: dict[Any, MockGraph],
    config: pytest.Config,
    options: dict[str, Any],
    strict_client: bool,
) -> MockGraph:
    """The server of this process that is as a test wants it, made if there is none yet."""
    from mockgraph.api import MockGraph

    auth = options.get("auth", "any")
    allow = options.get("allow", config.getini("mockgraph_allow"))
    allow = (allow,) if isinstance(allow, str) else tuple(allow)
    tls = options.get("tls", config.getini("mockgraph_tls"))
    wanted = (auth, strict_client, allow, tls)
    if wanted not in servers:
        servers[wanted] = MockGraph(
            auth=auth, strict_client=strict_client, allow=allow, tls=tls, ca_dir=_ca_dir()
        ).start()
    return servers[wanted]


def _intercepting(
    server: MockGraph, options: dict[str, Any]
) -> AbstractContextManager[Intercept | None]:
    if not options.get("intercept"):
        return nullcontext()
    return server.intercept(options.get("allow_hosts", ()))


def _ca_dir() -> str | None:
    """Where the authority is kept, as for the command line."""
    return os.environ.get("MOCKGRAPH_CA_DIR")


def _marked(request: pytest.FixtureRequest) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for marker in request.node.iter_markers("mockgraph"):  # the closest first
        if marker.args or marker.kwargs.keys() - set(_OPTIONS):
            known = ", ".join(f"{name}=" for name in _OPTIONS)
            _fail(f"The marker mockgraph takes {known}; no more.")
        options = {**marker.kwargs, **options}
    return options


def _fail(message: str) -> NoReturn:
    """Fail the test with no more than this: its author's code is not in the traceback."""
    raise pytest.fail.Exception(message, pytrace=False) from None
