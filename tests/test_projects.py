"""Whole test projects of users: sync, async, unittest, several workers, without a socket."""

from __future__ import annotations

import json

import projects
import pytest

AUTH = """
import requests

AUTH = {"Authorization": "Bearer x"}
"""


def run(project: pytest.Pytester, tests: str, *arguments: str) -> pytest.RunResult:
    return projects.run(project, AUTH + tests, *arguments)


# -- what is told at the end of a test ----------------------------------------------------


RAISES = """
def test_it(mockgraph):
    @mockgraph.stub("GET", "/users/{id}")
    def user(request, id):
        return {"name": {"7": "Ada"}[id]}

    @mockgraph.tenant("a").stub("GET", "/me")
    def me(request):
        return {"id": 1}

    for id in "7", "8", "9":
        requests.get(f"{mockgraph.origin}/v1.0/users/{id}", timeout=9)
    requests.get(f"{mockgraph.tenant('a').origin}/v1.0/me", timeout=9)
"""


def test_a_function_that_raised_fails_the_test(project: pytest.Pytester) -> None:
    result = run(project, RAISES)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            '*return {"name": {"7": "Ada"}[[]id[]]}*',
            "*KeyError: '8'",
            "*There were 1 more: [[]KeyError('9')[]]",
        ]
    )
    # What lies between the test and its function is of no interest.
    assert "matching.py" not in result.stdout.str()


@pytest.mark.parametrize(
    "raising",
    [
        'mockgraph.tenant("a").stub("GET", "/me")(lambda request: 1 / 0)',
        'mockgraph.tenant("a").stubs.add("GET", "/me", predicate=lambda request: 1 / 0)',
        'mockgraph.tenant("a").faults.throttle(predicate=lambda request: 1 / 0)',
    ],
)
def test_so_does_any_function_in_any_tenant(project: pytest.Pytester, raising: str) -> None:
    result = run(
        project,
        f"""
def test_it(mockgraph):
    {raising}
    url = mockgraph.tenant("a").origin + "/v1.0/me"
    assert requests.get(url, headers=AUTH, timeout=9).status_code == 500

def test_the_next(mockgraph):
    mockgraph.assert_stubs_held()
""",
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*1 / 0*", "*ZeroDivisionError: division by zero"])


def test_a_test_that_means_it_may_forget_it(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
def test_it(mockgraph):
    stub = mockgraph.stubs.add("GET", "/me", lambda request: 1 / 0)
    assert requests.get(f"{mockgraph.origin}/v1.0/me", timeout=9).status_code == 500
    assert isinstance(stub.error, ZeroDivisionError)
    mockgraph.stubs.reset()

def test_a_refusal_is_no_error(mockgraph):
    from mockgraph.errors import NotFound

    @mockgraph.stub("GET", "/me")
    def me(request):
        raise NotFound("Nobody.")

    assert requests.get(f"{mockgraph.origin}/v1.0/me", timeout=9).status_code == 404
""",
    )
    result.assert_outcomes(passed=2)


HAMMERS = """
import pytest

@pytest.mark.parametrize("turn", range(2))
{marker}
def test_it(mockgraph, turn):
    mockgraph.faults.throttle(times=2, retry_after=600)
    asked = [
        requests.get(mockgraph.url + "/Security", headers=AUTH, timeout=9).status_code
        for _ in range(3)
    ]
    assert asked == {asked}
"""


@pytest.mark.parametrize(
    ("marker", "ini", "asked", "errors"),
    [
        ("", "", [429, 429, 200], 0),
        ("@pytest.mark.mockgraph(strict_client=True)", "", [429, 400, 400], 2),
        ("", "mockgraph_strict_client = true", [429, 400, 400], 2),
        (
            "@pytest.mark.mockgraph(strict_client=False)",
            "mockgraph_strict_client = true",
            [429, 429, 200],
            0,
        ),
        (
            "@pytest.mark.mockgraph(strict_client=True, allow=['retry-after-ignored'])",
            "",
            [429, 429, 200],
            0,
        ),
        (
            "",
            "mockgraph_strict_client = true\nmockgraph_allow = retry-after-ignored",
            [429, 429, 200],
            0,
        ),
        (
            "@pytest.mark.mockgraph(allow=[])",
            "mockgraph_strict_client = true\nmockgraph_allow = retry-after-ignored",
            [429, 400, 400],
            2,
        ),
    ],
)
def test_a_strict_client(
    project: pytest.Pytester, marker: str, ini: str, asked: list[int], errors: int
) -> None:
    project.makeini(f"[pytest]\nfilterwarnings = error\n{ini}\n")
    result = run(project, HAMMERS.format(marker=marker, asked=asked))
    result.assert_outcomes(passed=2, errors=errors)
    if errors:
        result.stdout.fnmatch_lines(["*The client misbehaved twice:*", "*retry-after-ignored: *"])


def test_markers_add_up(project: pytest.Pytester) -> None:
    run(
        project,
        """
import pytest

pytestmark = pytest.mark.mockgraph(auth="off", seed={"Security": {"alerts": []}})

def ids(graph):
    found = requests.get(graph.url + "/Security/alerts", timeout=9).json()["value"]
    return [each["id"] for each in found]

@pytest.mark.mockgraph(seed={"Security": {"alerts": [{"id": "of the class"}]}})
class TestIt:
    def test_class(self, mockgraph):
        assert ids(mockgraph) == ["of the class"]

    @pytest.mark.mockgraph(seed={"Security": {"alerts": [{"id": "of the test"}]}})
    def test_test(self, mockgraph):
        assert ids(mockgraph) == ["of the test"]

def test_module(mockgraph):
    assert ids(mockgraph) == []
""",
    ).assert_outcomes(passed=3)


def test_seeds_of_a_test_are_what_all_of_it_starts_from(project: pytest.Pytester) -> None:
    run(
        project,
        """
import pytest

SEED = {
    "Security": {"alerts": [{"id": "seeded"}]},
    "Directory": {"apps": [{"appId": "app", "secrets": ["s3cret"]}]},
}

def ids(graph):
    return [each["id"] for each in graph.state["Security"]["alerts"]]

def signs_in(graph, secret):
    form = {"grant_type": "client_credentials", "client_id": "app", "client_secret": secret}
    form["scope"] = "https://graph.microsoft.com/.default"
    answer = requests.post(graph.origin + "/contoso.example/oauth2/v2.0/token", form, timeout=9)
    return answer.status_code == 200

@pytest.mark.parametrize("turn", range(2))
@pytest.mark.mockgraph(seed=SEED)
def test_seeded(mockgraph, turn):
    team = mockgraph.tenant("team")
    for graph in (mockgraph, team):
        assert ids(graph) == ["seeded"]
        assert signs_in(graph, "s3cret") and not signs_in(graph, "other")
        graph.state = {"Security": {"alerts": []}}
        requests.post(graph.origin + "/_mockgraph/reset", timeout=9)
        assert ids(graph) == ["seeded"]
        graph.state = {"Security": {"alerts": []}}
        graph.reset()
        assert ids(graph) == ["seeded"]

def test_not_seeded(mockgraph):
    for graph in (mockgraph, mockgraph.tenant("team")):
        assert "seeded" not in ids(graph)
        assert signs_in(graph, "other")
        graph.reset()
        assert "seeded" not in ids(graph)
""",
    ).assert_outcomes(passed=3)


# -- kinds of tests -----------------------------------------------------------------------


def test_async_tests(project: pytest.Pytester) -> None:
    run(
        project,
        """
import asyncio

import httpx
import pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"

async def read(client):
    answers = await asyncio.gather(*(client.get("/v1.0/security") for _ in range(20)))
    return {answer.status_code for answer in answers}

@pytest.mark.anyio
async def test_in_process(mockgraph):
    transport = mockgraph.async_httpx_transport()
    async with httpx.AsyncClient(
        transport=transport, base_url="https://graph.microsoft.com", headers=AUTH
    ) as client:
        assert await read(client) == {200}
    mockgraph.assert_called("GET", "/security", times=20)

@pytest.mark.anyio
@pytest.mark.mockgraph(intercept=True)
async def test_intercepted(mockgraph):
    async with httpx.AsyncClient(
        base_url="https://graph.microsoft.com", headers=AUTH
    ) as client:
        assert await read(client) == {200}
    mockgraph.assert_called("GET", "/security", times=20)

def test_over_a_socket_in_a_loop_of_its_own(mockgraph):
    async def ask():
        async with httpx.AsyncClient(base_url=mockgraph.origin, headers=AUTH) as client:
            return await read(client)

    assert asyncio.run(ask()) == {200}
    mockgraph.assert_called("GET", "/security", times=20)
""",
    ).assert_outcomes(passed=3)


def test_classes_of_unittest(project: pytest.Pytester) -> None:
    run(
        project,
        """
import unittest

import pytest

@pytest.mark.mockgraph(seed={"Security": {"alerts": [{"id": "a", "title": "of the class"}]}})
class TestAlerts(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def take_graph(self, mockgraph):
        self.graph = mockgraph

    def setUp(self):
        self.alerts = self.graph.url + "/Security/alerts"

    def titles(self):
        found = requests.get(self.alerts, headers=AUTH, timeout=9).json()["value"]
        return [each["title"] for each in found]

    def test_one(self):
        requests.post(self.alerts, json={"title": "more"}, headers=AUTH, timeout=9)
        self.assertEqual(self.titles(), ["of the class", "more"])

    def test_two(self):
        self.assertEqual(self.titles(), ["of the class"])

    @pytest.mark.mockgraph(seed={"Security": {"alerts": []}})
    def test_three(self):
        self.assertEqual(self.titles(), [])

class TestAsync(unittest.IsolatedAsyncioTestCase):
    @pytest.fixture(autouse=True)
    def take_graph(self, mockgraph):
        self.graph = mockgraph

    async def test_it(self):
        self.assertEqual(self.graph.requests, [])
""",
    ).assert_outcomes(passed=4)


WORKERS = """
import os
import pathlib

import pytest

@pytest.mark.parametrize("turn", range(3))
def test_it(mockgraph, mockgraph_session, turn):
    alerts = mockgraph.url + "/Security/alerts"
    assert mockgraph.requests == []
    requests.post(alerts, json={"title": str(turn)}, headers=AUTH, timeout=9)
    found = requests.get(alerts, headers=AUTH, timeout=9).json()["value"]
    assert [each["title"] for each in found] == ["seeded", str(turn)]
    mockgraph.assert_called("POST", "/security/alerts", times=1)
    worker = os.environ["PYTEST_XDIST_WORKER"]
    told = pathlib.Path(f"{worker}.told")
    told.write_text(f"{mockgraph.origin} {mockgraph_session.origin}")
"""


@pytest.mark.long
def test_four_workers_have_servers_of_their_own(project: pytest.Pytester) -> None:
    seed = {"Security": {"alerts": [{"title": "seeded"}]}}
    (project.path / "seed.json").write_text(json.dumps(seed))
    project.makeini("[pytest]\nfilterwarnings = error\nmockgraph_seed = seed.json\n")
    project.makepyfile(AUTH + WORKERS)
    result = project.runpytest_subprocess(*projects.plugin(), "-n", "4", "--dist", "each")
    result.assert_outcomes(passed=12)
    told = [each.read_text().split() for each in project.path.glob("gw*.told")]
    assert len(told) == 4
    assert len({origin for both in told for origin in both}) == 8


# -- without a socket ---------------------------------------------------------------------


def test_what_those_who_know_other_doubles_write(project: pytest.Pytester) -> None:
    run(
        project,
        """
import pytest

from mockgraph import MockGraph

ME = "https://graph.microsoft.com/v1.0/me"
ALERTS = "https://graph.microsoft.com/v1.0/security/alerts"

@pytest.mark.mockgraph(intercept=True)
def test_with_pytest(mockgraph):
    mockgraph.stubs.add("GET", ME, json={"displayName": "Ada"})
    mockgraph.faults.unavailable(path=ALERTS)
    assert requests.get(ME, timeout=9).json() == {"displayName": "Ada"}
    assert requests.get(ALERTS, headers=AUTH, timeout=9).status_code == 503
    assert requests.get(ALERTS, headers=AUTH, timeout=9).status_code == 200
    mockgraph.assert_called("GET", ALERTS, times=2)
    mockgraph.assert_called("GET", ME, times=1)

def test_without():
    with MockGraph() as graph, graph.intercept():
        assert requests.get(ALERTS, headers=AUTH, timeout=9).status_code == 200
""",
    ).assert_outcomes(passed=2)


def test_an_intercept_with_each_client(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
import httpx
import pytest
import urllib3

URL = "https://graph.microsoft.com/v1.0/security/alerts?$top=1"

def with_requests(url):
    return requests.get(url, headers=AUTH, timeout=9).status_code

def with_urllib3(url):
    return urllib3.request("GET", url, headers=AUTH, timeout=9, retries=False).status

def with_httpx(url):
    return httpx.get(url, headers=AUTH, timeout=9).status_code

CLIENTS = [with_requests, with_urllib3, with_httpx]

@pytest.mark.parametrize("ask", CLIENTS)
@pytest.mark.mockgraph(intercept=True)
def test_graph(mockgraph, ask):
    assert ask(URL) == 200
    mockgraph.faults.throttle(retry_after=30)
    assert ask(URL) == 429
    mockgraph.assert_called("GET", "/security/alerts", query={"$top": 1}, times=2)

@pytest.mark.parametrize("ask", CLIENTS)
@pytest.mark.mockgraph(intercept=True)
def test_elsewhere(mockgraph, ask):
    ask("https://elsewhere.example/data?of=" + ask.__name__)

@pytest.mark.parametrize("ask", CLIENTS)
def test_by_hand_and_of_a_tenant(mockgraph, ask):
    team = mockgraph.tenant("team")
    with team.intercept():
        assert ask(URL) == 200
    team.assert_called("GET", "/security/alerts", times=1)
    assert mockgraph.requests == []
""",
    )
    result.assert_outcomes(passed=6, failed=3, errors=3)
    for client in ("requests", "urllib3", "httpx"):
        result.stdout.fnmatch_lines(
            [f"*CallRefused*GET https://elsewhere.example/data[?]of=with_{client}*"]
        )
