"""The pytest plugin, in test projects of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import projects
import pytest
from processes import ROOT, environment
from wire import ask

from mockgraph import MockGraph

HEAVY = (
    "flask",
    "werkzeug",
    "tinydb",
    "marshmallow",
    "httptools",
    "trustme",
    "cryptography",
    "jwt",
    "orjson",
    "markdown_it",
    "click",
)

HEAD = """
import json, urllib.request
import pytest

def security(graph, token="Bearer x"):
    request = urllib.request.Request(f"{graph.url}/Security", headers={"Authorization": token})
    with urllib.request.urlopen(request) as response:
        return json.load(response)

def patch(graph, **changes):
    headers = {"Authorization": "Bearer x", "Content-Type": "application/json"}
    request = urllib.request.Request(
        f"{graph.url}/Security", json.dumps(changes).encode(), headers, method="PATCH"
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)
"""


def run(project: pytest.Pytester, tests: str, *arguments: str) -> pytest.RunResult:
    return projects.run(project, HEAD + tests, *arguments)


def assert_passes_in_a_new_process(project: pytest.Pytester) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *projects.plugin()],
        env=environment({}),
        cwd=project.path,
        capture_output=True,
        text=True,
    )
    assert "1 passed" in result.stdout, result.stdout + result.stderr


def test_the_fixture_is_a_running_server(project: pytest.Pytester) -> None:
    run(
        project,
        """
def test_it(mockgraph):
    assert mockgraph.url == f"{mockgraph.origin}/localtest"
    (status,) = security(mockgraph)["providerStatus"]
    assert status["region"] == "Region value"
    assert patch(mockgraph, providerStatus=[])["providerStatus"] == []
    assert mockgraph.state["Security"]["providerStatus"] == []
""",
    ).assert_outcomes(passed=1)


def test_each_test_starts_afresh_on_one_server(project: pytest.Pytester) -> None:
    run(
        project,
        """
origins = set()

@pytest.mark.parametrize("turn", range(5))
def test_it(mockgraph, turn):
    origins.add(mockgraph.origin)
    assert len(origins) == 1
    assert len(security(mockgraph)["providerStatus"]) == 1
    patch(mockgraph, providerStatus=[])
    mockgraph.state = {"Security": {"alerts": [{"title": str(turn)}]}}

@pytest.mark.mockgraph(seed={"Security": {"providerStatus": [{"region": "own"}]}})
def test_with_a_seed(mockgraph):
    assert security(mockgraph)["providerStatus"][0]["region"] == "own"
    assert mockgraph.state["Security"]["alerts"] == []
    mockgraph.reset()

def test_after_a_seed(mockgraph):
    assert security(mockgraph)["providerStatus"][0]["region"] == "Region value"
    assert len(origins | {mockgraph.origin}) == 1
""",
    ).assert_outcomes(passed=7)


def test_a_seed_may_be_a_file_or_several(project: pytest.Pytester) -> None:
    (project.path / "seed.json").write_text('{"Security": {"alerts": [{"id": "a"}]}}')
    run(
        project,
        """
@pytest.mark.mockgraph(seed=["seed.json", {"Security": {"alerts": [{"id": "b"}]}}])
def test_it(mockgraph):
    assert [each["id"] for each in mockgraph.state["Security"]["alerts"]] == ["a", "b"]
""",
    ).assert_outcomes(passed=1)


def test_auth_is_chosen_by_marker(project: pytest.Pytester) -> None:
    run(
        project,
        """
@pytest.mark.mockgraph(auth="off")
def test_off(mockgraph):
    assert security(mockgraph, token="")

def test_any(mockgraph):
    with pytest.raises(urllib.error.HTTPError, match="401"):
        security(mockgraph, token="")

@pytest.mark.mockgraph(auth="off")
class TestAll:
    def test_off(self, mockgraph):
        assert security(mockgraph, token="")
""",
    ).assert_outcomes(passed=3)


HTTPS = """
import ssl

def over_tls(graph):
    context = ssl.create_default_context(cafile=graph.ca)
    assert graph.tls_url == f"{graph.tls_origin}/localtest"
    request = urllib.request.Request(
        f"{graph.tls_url}/Security", headers={"Authorization": "Bearer x"}
    )
    return urllib.request.urlopen(request, context=context).status
"""


def test_https_by_marker(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOCKGRAPH_CA_DIR", str(project.path / "ca"))
    run(
        project,
        f"""{HTTPS}
@pytest.mark.mockgraph(tls=True)
def test_https(mockgraph):
    assert over_tls(mockgraph) == 200
    assert mockgraph.ca.startswith({str(project.path)!r})
    assert security(mockgraph)

def test_http(mockgraph):
    with pytest.raises(Exception, match="does not serve https"):
        mockgraph.tls_url
""",
    ).assert_outcomes(passed=2)


def test_https_for_a_project(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOCKGRAPH_CA_DIR", str(project.path / "ca"))
    project.makeini("[pytest]\nmockgraph_tls = true")
    run(
        project,
        f"""{HTTPS}
def test_https(mockgraph, mockgraph_session):
    assert (over_tls(mockgraph), over_tls(mockgraph_session)) == (200, 200)
""",
    ).assert_outcomes(passed=1)


TAKES = "The marker mockgraph takes *seed=, *auth=, *strict_client=, allow=, *strict=, *; no more*"
WRONG = [
    ("{'Security': {}}", TAKES),
    ("store='x'", TAKES),
    ("seed='missing.json'", "The seed missing.json cannot be read"),
    ("strict_client=True, allow='haste'", "There is no misdeed 'haste'; there are *no-backoff*"),
    ("seed={'alerts': []}", "Seed 1 is no state document"),
    ("seed={'Security': {'colour': 1}}", "'colour' does not exist on type"),
    ("seed={'Security': {'provideStatus': []}}", "Did you mean providerStatus?"),
    ("auth='none'", "auth is any, off or jwt, not 'none'"),
    ("seed=5", "The seed is 5; a state document, the path of one, *"),
    ("seed=['demo', None]", "Seed 2 is None; a state document, *"),
]


def test_a_marker_that_cannot_be_used_fails_that_test_alone(project: pytest.Pytester) -> None:
    tests = [
        f"@pytest.mark.mockgraph({marker})\ndef test_wrong_{number}(mockgraph): pass\n"
        f"def test_right_{number}(mockgraph): assert security(mockgraph)\n"
        for number, (marker, _) in enumerate(WRONG)
    ]
    result = run(project, "\n".join(tests))
    result.assert_outcomes(errors=len(WRONG), passed=len(WRONG))
    for number, (_, says) in enumerate(WRONG):
        result.stdout.fnmatch_lines([f"*ERROR at setup of test_wrong_{number}*", f"*{says}*"])
    assert "pytest_plugin.py" not in result.stdout.str()


def test_a_marked_test_need_not_name_the_fixture(project: pytest.Pytester) -> None:
    run(
        project,
        """
import unittest

GRAPH = "https://graph.microsoft.com/v1.0/security/alerts"

def ask():
    request = urllib.request.Request(GRAPH, headers={"Authorization": "Bearer x"})
    assert urllib.request.urlopen(request).status == 200

@pytest.mark.mockgraph(intercept=True)
def test_it():
    ask()

@pytest.mark.parametrize("turn", [pytest.param(1, marks=pytest.mark.mockgraph(auth="off")), 2])
def test_one_turn(request, turn):
    assert ("mockgraph" in request.node.funcargs) is (turn == 1)

@pytest.mark.mockgraph(intercept=True)
class TestOfUnittest(unittest.TestCase):
    def test_it(self):
        ask()
""",
    ).assert_outcomes(passed=4)


def test_an_intercept_that_is_left_open_fails_its_test_alone(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
import sys

from mockgraph.serving.transports.patches import Patches

@pytest.mark.mockgraph(strict=True, intercept=True)
def test_open(mockgraph):
    intercept = mockgraph.tenant("other").intercept()
    for _ in range(2):
        intercept.__enter__()
    mockgraph.intercept().__enter__()

def test_next(mockgraph):
    assert not [each for each in sys.meta_path if isinstance(each, Patches)]
    assert urllib.request.urlopen.__module__ == "urllib.request"
""",
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["An intercept was entered and not left; *"])


def test_the_marker_is_documented(project: pytest.Pytester) -> None:
    result = run(project, "", "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.mockgraph(*seed=..., *auth=..., *strict=..., *): *"])
    result = run(project, "", "--fixtures")
    result.stdout.fnmatch_lines(["mockgraph *", "*A running MockGraph, fresh for each test*"])


@pytest.mark.parametrize("module", ["mockgraph", "mockgraph.pytest_plugin", "mockgraph.cli"])
def test_importing_costs_next_to_nothing(module: str) -> None:
    heavy = {*HEAVY} - ({"click"} if module == "mockgraph.cli" else set())
    script = f"import {module}, sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment({}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert heavy.isdisjoint(json.loads(done.stdout))


def test_a_run_that_does_not_use_it_imports_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(
        f"""
        import sys

        def test_it():
            assert "mockgraph.pytest_plugin" in sys.modules
            assert {set(HEAVY) - {"click"}}.isdisjoint(sys.modules)
            assert "mockgraph.api" not in sys.modules
        """
    )
    assert_passes_in_a_new_process(project)


def test_the_server_is_stopped_with_the_session(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
import pathlib

def test_it(mockgraph):
    pathlib.Path("origin").write_text(mockgraph.origin)
""",
    )
    result.assert_outcomes(passed=1)
    with pytest.raises(ConnectionRefusedError):
        ask((project.path / "origin").read_text(), "GET", "/")


def test_the_session_fixture_keeps_what_was_written(project: pytest.Pytester) -> None:
    run(
        project,
        """
def test_one(mockgraph_session, mockgraph):
    assert mockgraph_session.origin != mockgraph.origin
    patch(mockgraph_session, providerStatus=[])

def test_two(mockgraph_session, mockgraph):
    assert security(mockgraph_session)["providerStatus"] == []
    assert len(security(mockgraph)["providerStatus"]) == 1
""",
    ).assert_outcomes(passed=2)


SEEDED = """
def titles(graph):
    return [each["title"] for each in graph.state["Security"].get("alerts", [])]
"""


def test_a_seed_for_the_whole_project(project: pytest.Pytester) -> None:
    (project.path / "seeds").mkdir()
    seed = {"Security": {"alerts": [{"title": "of the project"}]}}
    (project.path / "seeds" / "base.json").write_text(json.dumps(seed))
    project.makeini("[pytest]\nfilterwarnings = error\nmockgraph_seed = seeds/base.json\n")
    run(
        project,
        SEEDED
        + """
@pytest.mark.parametrize("turn", range(3))
def test_it(mockgraph, turn):
    assert titles(mockgraph) == ["of the project"]
    patch(mockgraph, providerStatus=[])
    mockgraph.state = {"Security": {"alerts": []}}

@pytest.mark.mockgraph(seed={"Security": {"alerts": [{"title": "of the test"}]}})
def test_marked(mockgraph):
    assert titles(mockgraph) == ["of the test"]

def test_all_tests_share(mockgraph_session):
    assert titles(mockgraph_session) == ["of the project"]
""",
    ).assert_outcomes(passed=5)


def test_a_seed_for_a_module(project: pytest.Pytester) -> None:
    run(
        project,
        SEEDED
        + """
@pytest.fixture(scope="module")
def mockgraph_seed():
    return {"Security": {"alerts": [{"title": "of the module"}]}}

def test_it(mockgraph):
    assert titles(mockgraph) == ["of the module"]
""",
    ).assert_outcomes(passed=1)


def test_a_seed_may_add_to_that_of_the_project(project: pytest.Pytester) -> None:
    (project.path / "base.json").write_text('{"Security": {"alerts": [{"title": "one"}]}}')
    project.makeini("[pytest]\nfilterwarnings = error\nmockgraph_seed = base.json\n")
    run(
        project,
        SEEDED
        + """
@pytest.fixture(scope="session")
def mockgraph_seed(mockgraph_seed):
    return [*mockgraph_seed, {"Security": {"alerts": [{"title": "two"}]}}]

def test_it(mockgraph):
    assert sorted(titles(mockgraph)) == ["one", "two"]
""",
    ).assert_outcomes(passed=1)


def test_pytest_within_pytest(project: pytest.Pytester) -> None:
    """A test that runs other tests gets the server of its own project afterwards."""
    project.makeini("[pytest]\nfilterwarnings = error\nmockgraph_auth = off\n")
    run(
        project,
        """
def test_outer(tmp_path, request):
    (tmp_path / "pytest.ini").write_text("[pytest]\\nmockgraph_auth = jwt\\n")
    inner = "def test_inner(mockgraph): assert mockgraph.settings.auth == 'jwt'"
    (tmp_path / "test_inner.py").write_text(inner)
    options = ["-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-W", "ignore"]
    assert pytest.main([*options, str(tmp_path)]) == 0
    assert request.getfixturevalue("mockgraph").settings.auth == "off"
""",
    ).assert_outcomes(passed=1)


def test_nothing_that_a_test_asked_for_is_left(project: pytest.Pytester) -> None:
    run(
        project,
        """
@pytest.mark.parametrize("turn", range(2))
def test_it(mockgraph, turn):
    assert len(mockgraph.faults) == len(mockgraph.stubs) == 0
    assert mockgraph.clock.now().year < 3000
    with pytest.raises(Exception, match="no snapshot"):
        mockgraph.restore("mine")
    assert len(mockgraph.tenant("a").faults) == 0
    mockgraph.snapshot("mine")
    mockgraph.tenant("a").faults.throttle(times=None)
    mockgraph.faults.throttle(times=None)
    mockgraph.stubs.add("GET", "/me", json={})
    mockgraph.clock.advance(40_000_000_000)
""",
    ).assert_outcomes(passed=2)


ASKS = """
def test_it(mockgraph):
    with pytest.raises(urllib.error.HTTPError):
        request = urllib.request.Request(f"{mockgraph.origin}/v1.0/users/ada")
        request.add_header("Authorization", "Bearer x")
        urllib.request.urlopen(request)
"""


@pytest.mark.parametrize("by", ["marker", "ini", "neither"])
def test_strict_fails_what_asks_for_the_unknown(project: pytest.Pytester, by: str) -> None:
    project.makeini("[pytest]\nmockgraph_strict = " + str(by == "ini"))
    marker = "@pytest.mark.mockgraph(strict=True)" if by == "marker" else ""
    result = run(project, f"import urllib.error\n{marker}{ASKS}")
    result.assert_outcomes(passed=1, errors=0 if by == "neither" else 1)
    if by != "neither":
        result.stdout.fnmatch_lines(
            ["MockGraph does not emulate what was asked for, once*", "*users/ada*"]
        )
        assert "pytest_plugin.py" not in result.stdout.str()


def test_the_journal_explains_a_failure(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
def test_it(mockgraph):
    patch(mockgraph, providerStatus=[])
    mockgraph.assert_called("PATCH", "/security", json={"providerStatus": []}, times=1)
    mockgraph.assert_called("PATCH", "/security", json={"providerStatus": [{"vendor": "V"}]})
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*json/providerStatus: *{'vendor': 'V'}* expected, [[]] sent*"])
    assert "expectations.py" not in result.stdout.str()


def test_an_intercept_by_marker(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
import sys

import requests

from mockgraph.serving.transports import Attempt
from mockgraph.serving.transports.patches import Patches

GRAPH = "https://graph.microsoft.com/v1.0/security/alerts"

@pytest.mark.mockgraph(intercept=True)
def test_graph_is_answered(mockgraph):
    answer = requests.get(GRAPH + "?$top=1", headers={"Authorization": "Bearer x"}, timeout=9)
    assert answer.status_code == 200
    mockgraph.assert_called("GET", "/security/alerts", times=1)
    assert len(security(mockgraph)["providerStatus"]) == 1

@pytest.mark.mockgraph(intercept=True, allow_hosts=["elsewhere.*"])
def test_others_are_allowed(mockgraph):
    (patches,) = [each for each in sys.meta_path if isinstance(each, Patches)]
    assert patches.route(Attempt("elsewhere.example", "a call")) is None

@pytest.mark.mockgraph(intercept=True)
def test_others_are_refused_though_nobody_looks(mockgraph):
    try:
        requests.get("https://elsewhere.example/data", timeout=9)
    except BaseException:
        pass
""",
    )
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["Refused: GET https://elsewhere.example/data. *"])


@pytest.mark.parametrize(
    "ask",
    [
        "import requests; requests.get({url!r}, timeout=9)",
        "import httpx; httpx.get({url!r})",
        "urllib.request.urlopen({url!r})",
        "import socket; socket.create_connection(('192.0.2.1', 443), 9)",
    ],
    ids=["requests", "httpx", "urllib", "socket"],
)
def test_a_call_that_is_refused_shows_the_clients_frames_alone(
    project: pytest.Pytester, ask: str
) -> None:
    call = ask.format(url="https://elsewhere.example/")
    marked = "@pytest.mark.mockgraph(intercept=True)\n"
    result = run(project, f"{marked}def test_it():\n    {call}\n")
    result.stdout.fnmatch_lines([f">*{call}", "E *CallRefused: Refused: *"])
    assert "transports/over_" not in result.stdout.str()


CHECKED = """
@pytest.mark.mockgraph(check={url!r}, seed={{"Security": {{"alerts_v2": [{{"id": "a1"}}]}}}})
def test_it(mockgraph):
    request = urllib.request.Request(
        f"{{mockgraph.v1}}/security/alerts_v2?$top=1", headers={{"Authorization": "Bearer x"}}
    )
    urllib.request.urlopen(request).close()
"""


def test_what_an_intercept_replaced_is_there_again_in_a_test_without(
    project: pytest.Pytester,
) -> None:
    run(
        project,
        """
import http.client, sys
from mockgraph.serving.transports.patches import Patches

GRAPH = urllib.request.Request("https://graph.microsoft.com/v1.0/security/alerts")
GRAPH.add_header("Authorization", "Bearer x")
ORIGINAL = http.client.HTTPConnection.putrequest
FINDERS = list(sys.meta_path)

def is_patched():
    return http.client.HTTPConnection.putrequest is not ORIGINAL

@pytest.fixture
def theirs(monkeypatch):
    def putrequest(*given, **named):
        return ORIGINAL(*given, **named)

    monkeypatch.setattr(http.client.HTTPConnection, "putrequest", putrequest)

@pytest.mark.mockgraph(intercept=True)
@pytest.mark.parametrize("turn", range(2))
def test_intercepted(turn):
    assert is_patched() and urllib.request.urlopen(GRAPH).status == 200

@pytest.mark.mockgraph(intercept=True)
def test_what_is_undone_behind_it(theirs, mockgraph):
    assert urllib.request.urlopen(GRAPH).status == 200

@pytest.mark.mockgraph(intercept=True)
def test_intercepted_all_the_same():
    assert urllib.request.urlopen(GRAPH).status == 200

def test_without(mockgraph):
    assert not is_patched() and sys.meta_path == FINDERS
    with mockgraph.intercept():
        assert is_patched()
    assert not is_patched()

@pytest.mark.mockgraph(intercept=True)
def test_intercepted_again():
    assert is_patched() and urllib.request.urlopen(GRAPH).status == 200

@pytest.mark.mockgraph(auth="off")
def test_marked_for_something_else():
    assert not is_patched()
""",
    ).assert_outcomes(passed=7)


def test_what_a_test_read_is_held_against_the_real_service(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MockGraph(seed={"Security": {"alerts_v2": [{"id": "r1"}]}}) as real:
        run(project, CHECKED.format(url=real.origin)).assert_outcomes(passed=1, errors=1)
        assert list(real.requests) == []  # there is no token
        monkeypatch.setenv("MOCKGRAPH_CHECK_TOKEN", "the-token")
        run(project, CHECKED.format(url=real.origin)).assert_outcomes(passed=1)
        real.stubs.add("GET", "/v1.0/security/alerts_v2", json={"value": {}})
        result = run(project, CHECKED.format(url=real.origin))
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*GET /v1.0/security/alerts_v2?$top=1: 'value' is an array, the service's an object*"]
    )
    assert "the-token" not in result.stdout.str()


def test_modules_of_the_server_are_not_rewritten(project: pytest.Pytester) -> None:
    project.makeconftest("import pytest; pytest.register_assert_rewrite('mockgraph')")
    project.makepyfile(
        """
        import sys
        from importlib.machinery import SourceFileLoader

        def test_it(mockgraph):
            server = [sys.modules[name] for name in ("mockgraph.app", "mockgraph.api")]
            assert {type(each.__loader__) for each in server} == {SourceFileLoader}
            finders = {type(each).__module__ for each in sys.meta_path}
            assert "mockgraph.pytest_plugin" not in finders
        """
    )
    assert_passes_in_a_new_process(project)


@pytest.mark.parametrize(
    ("test", "end"), [("test_it(mockgraph)", "spared"), ("test_it()", "as ever")]
)
def test_a_run_with_a_server_ends_without_collections(
    test: str, end: str, project: pytest.Pytester
) -> None:
    project.makepyfile(
        telling="""
        import atexit, gc, os

        @atexit.register
        def tell():
            os.write(1, b"spared" if gc.get_freeze_count() > 1000 else b"as ever")
        """,
        test_it=f"def {test}: pass",
    )
    options = ["-p", "telling", *projects.plugin()]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        env=environment({"PYTHONPATH": f"{ROOT}{os.pathsep}{project.path}"}),
        cwd=project.path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith(end)
