"""Reports: what was called, with which permissions, what guidance says, and as files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from click.testing import CliRunner

from mockgraph import MockGraph
from mockgraph.cli import main
from mockgraph.errors import MockGraphError
from mockgraph.graph import Graph
from mockgraph.testing.reports import Report, merged_facts

ALERTS = "/security/alerts_v2"


@pytest.fixture(scope="module")
def server() -> Iterator[MockGraph]:
    with MockGraph(seed="demo", auth="jwt") as graph:
        yield graph


@pytest.fixture
def graph(server: MockGraph) -> MockGraph:
    server.renew("demo")
    return server


def session(graph: Graph, **about: Any) -> requests.Session:
    client = requests.Session()
    about = about or {"permissions": ["SecurityAlert.Read.All"]}
    client.headers["Authorization"] = f"Bearer {graph.token(**about)}"
    return client


def rules(report: Report) -> dict[str, set[str]]:
    """The rules of the advice, and the operations that each was said of."""
    found: dict[str, set[str]] = {}
    for each in report.advice:
        found.setdefault(each.rule, set()).add(each.operation)
    return found


def test_nothing_was_asked(graph: MockGraph) -> None:
    report = graph.report()
    assert (report.requests, report.covered, report.coverage) == (0, 100.0, [])
    assert report.failures(100, ("misdeeds", "advice")) == []
    assert Report(merged_facts([])).text().startswith("0 requests")


def test_operations_that_were_called_and_those_that_were_not(graph: MockGraph) -> None:
    client = session(graph, permissions=["SecurityAlert.ReadWrite.All"])
    (alert,) = client.get(f"{graph.v1}{ALERTS}?$top=1").json()["value"]
    client.patch(f"{graph.v1}{ALERTS}('{alert['id']}')", json={"status": "resolved"})
    client.get(f"{graph.v1}/Security/Alerts_V2/{alert['id']}/title")
    client.get(f"{graph.v1}/security/nothing")
    (covered,) = graph.report().coverage
    assert covered.resource == "v1.0/security/alerts_v2"
    assert covered.called == (
        "GET /v1.0/security/alerts_v2",
        "GET /v1.0/security/alerts_v2/{id}/{property}",
        "PATCH /v1.0/security/alerts_v2/{id}",
    )
    assert "GET /v1.0/security/alerts_v2/$count" in covered.uncalled
    assert not set(covered.called) & set(covered.uncalled)
    assert graph.report().unemulated == ["GET /v1.0/security/nothing"]


def test_every_operation_called_is_one_that_is_served(graph: MockGraph) -> None:
    client = session(
        graph, permissions=["SecurityAlert.ReadWrite.All", "SecurityIncident.Read.All"]
    )
    key = graph.db.table("security/alerts_v2").all()[0]["id"]
    for path in ("", "/$metadata", ALERTS, f"{ALERTS}/$count", f"{ALERTS}/{key}", "/security"):
        client.get(f"{graph.v1}{path}")
    client.get(f"{graph.v1}{ALERTS}/{key}/title/$value")
    client.post(f"{graph.v1}/$batch", json={"requests": []})
    client.post(f"{graph.v1}{ALERTS}/{key}/comments", json={"comment": "x"})
    facts = graph.report().facts
    assert len(facts["operations"]) == 9
    assert facts["operations"].keys() - set(facts["served"]) == set()


@pytest.mark.parametrize(
    ("about", "kind"), [({"user": "ada@contoso.example"}, "delegated"), ({}, "application")]
)
def test_the_least_privilege_beside_what_was_granted(
    graph: MockGraph, about: dict[str, str], kind: str
) -> None:
    granted = ["SecurityAlert.ReadWrite.All", "SecurityIncident.Read.All", "User.Read.All"]
    client = session(graph, permissions=granted, **about)
    (alert,) = client.get(f"{graph.v1}{ALERTS}?$top=1").json()["value"]
    client.get(f"{graph.v1}/security/incidents")
    found = {each.kind: each for each in graph.report().permissions}
    assert found[kind].least == ("SecurityAlert.Read.All", "SecurityIncident.Read.All")
    assert found[kind].granted == tuple(sorted(granted))
    assert found[kind].unneeded == ("User.Read.All",)
    client.patch(f"{graph.v1}{ALERTS}/{alert['id']}", json={"status": "resolved"})
    found = {each.kind: each for each in graph.report().permissions}
    assert found[kind].least == ("SecurityAlert.ReadWrite.All", "SecurityIncident.Read.All")
    (other,) = (each for each in graph.report().permissions if each.kind != kind)
    assert (other.granted, other.unneeded) == ((), ())


def test_the_least_privilege_of_what_only_an_expansion_reaches(graph: MockGraph) -> None:
    client = session(graph, permissions=["SecurityIncident.Read.All", "SecurityAlert.Read.All"])
    client.get(f"{graph.v1}/security/incidents")
    alone = graph.report()
    assert alone.permissions[1].least == ("SecurityIncident.Read.All",)
    assert alone.permissions[1].unneeded == ("SecurityAlert.Read.All",)
    client.get(f"{graph.v1}/security/incidents?$expand=alerts($top=1)")
    client.get(f"{graph.v1}/security/incidents?$expand=nothing")
    for report in (graph.report(), Report(merged_facts([alone.facts, graph.report().facts]))):
        assert report.permissions[1].least == (
            "SecurityAlert.Read.All",
            "SecurityIncident.Read.All",
        )
        assert report.permissions[1].unneeded == ()


class TestAdvice:
    def test_of_single_requests(self, graph: MockGraph) -> None:
        client = session(graph, permissions=["SecurityAlert.Read.All", "SecurityEvents.Read.All"])
        client.get(f"{graph.v1}/security/alerts")
        client.get(f"{graph.beta}{ALERTS}?$select=id", headers={"client-request-id": "x"})
        found = rules(graph.report())
        assert found["deprecated-resource"] == {"GET /v1.0/security/alerts"}
        assert found["beta-resource"] == {"GET /beta/security/alerts_v2"}
        assert found["no-select"] == {"GET /v1.0/security/alerts"}
        assert found["no-client-request-id"] == {"GET /v1.0/security/alerts"}

    def test_of_pages(self, graph: MockGraph) -> None:
        client = session(graph)
        page = client.get(f"{graph.v1}{ALERTS}?$top=5&$select=id").json()
        assert "no-paging" in rules(graph.report())
        while "@odata.nextLink" in page:
            page = client.get(page["@odata.nextLink"]).json()
        found = rules(graph.report())
        assert "no-paging" not in found
        assert found["small-top"] == {"GET /v1.0/security/alerts_v2"}

    def test_of_repetition(self, graph: MockGraph) -> None:
        client = session(graph, permissions=["SecurityAlert.ReadWrite.All"])
        url = f"{graph.v1}{ALERTS}/{graph.db.table('security/alerts_v2').all()[0]['id']}"
        client.get(url)
        client.patch(url, json={"status": "resolved"})
        client.get(url)
        assert "same-read-twice" not in rules(graph.report())
        client.get(url)
        assert rules(graph.report())["same-read-twice"] == {"GET /v1.0/security/alerts_v2/{id}"}
        for _ in range(3):
            client.get(f"{graph.v1}{ALERTS}")
            client.get(f"{graph.v1}{ALERTS}?$filter=severity eq 'high'")
        (polled,) = (each for each in graph.report().advice if "polling" in each.rule)
        assert polled.times == 1

    def test_of_entities_read_one_by_one(self, graph: MockGraph) -> None:
        client = session(graph)
        keys = [each["id"] for each in graph.db.table("security/alerts_v2").all()]
        for key in keys[:4]:
            client.get(f"{graph.v1}{ALERTS}/{key}")
        assert "single-requests" not in rules(graph.report())
        client.get(f"{graph.v1}{ALERTS}/{keys[4]}")
        assert rules(graph.report())["single-requests"] == {"GET /v1.0/security/alerts_v2/{id}"}


def test_misdeeds_latencies_and_faults_that_never_struck(graph: MockGraph) -> None:
    client = session(graph)
    graph.faults.throttle(retry_after=30)
    graph.faults.unavailable(path="/never")
    for _ in range(3):
        client.get(f"{graph.v1}{ALERTS}")
    report = graph.report()
    assert [(each.rule, each.first) for each in report.misdeeds] == [("retry-after-ignored", 2)]
    assert report.misdeeds[0].hint.startswith("Wait")
    (latency,) = report.latencies
    assert latency.times == 3
    assert 0 < latency.median <= latency.p95 <= latency.most
    assert [each["preset"] for each in report.idle_faults] == ["unavailable"]
    failures = report.failures(50, ("misdeeds", "idle-faults", "unemulated"))
    assert len(failures) == 3
    with pytest.raises(MockGraphError, match="misdeeds, advice"):
        report.failures(fail_on=("misdeed",))


def test_facts_are_merged_and_survive_json(graph: MockGraph) -> None:
    session(graph).get(f"{graph.v1}{ALERTS}")
    tenant = graph.tenant("other")
    session(tenant).get(f"{tenant.v1}{ALERTS}")
    tenant.faults.throttle()
    both = merged_facts(json.loads(json.dumps(graph.facts())))
    report = Report(both)
    assert report.requests == 2
    assert [each.times for each in report.latencies] == [2]
    assert [each.times for each in report.advice if each.rule == "no-select"] == [2]
    assert len(report.idle_faults) == 1


@pytest.mark.parametrize("ending", [".html", ".json", ".xml", ".txt"])
def test_as_a_file(graph: MockGraph, tmp_path: Path, ending: str) -> None:
    client = session(graph)
    graph.faults.throttle(retry_after=30)
    for _ in range(2):
        client.get(f"{graph.v1}{ALERTS}")
    client.get(f"{graph.v1}/security/<script>alert(1)</script>")
    path = tmp_path / f"report{ending}"
    graph.report().write(path)
    written = path.read_text("utf-8")
    assert "retry-after-ignored" in written
    if ending == ".json":
        assert json.loads(written)["requests"] == 3
    if ending == ".html":
        assert "<script>" not in written
    if ending == ".xml":
        suite = ElementTree.fromstring(written)
        assert len(suite.findall("testcase/failure")) == 1


def test_as_a_file_that_cannot_be(graph: MockGraph, tmp_path: Path) -> None:
    with pytest.raises(MockGraphError, match=r"ends in \.html, \.json, \.xml, \.txt"):
        graph.report().write(tmp_path / "report.pdf")
    with pytest.raises(MockGraphError, match="cannot be written"):
        graph.report().write(tmp_path / "nowhere" / "report.html")


def test_by_the_command_line(graph: MockGraph, tmp_path: Path) -> None:
    client = session(graph)
    client.get(f"{graph.v1}{ALERTS}")
    tenant = graph.tenant("other")
    client.get(f"{tenant.v1}{ALERTS}")

    def run(*words: str) -> Any:
        return CliRunner().invoke(main, ["report", *words], env={"MOCKGRAPH_URL": graph.origin})

    assert run().stdout.startswith("1 requests, 1 operations called")
    assert run("--all-tenants").stdout.startswith("2 requests, 1 operations called")
    path = tmp_path / "report.json"
    failed = run("--output", str(path), "--fail-under", "99", "--fail-on", "advice")
    assert failed.exit_code == 1
    assert len(failed.stderr.splitlines()) == 2
    assert json.loads(path.read_text())["requests"] == 1
    assert run("--output", "report.pdf").exit_code == 1
    assert run("--fail-on", "advise").exit_code == 2


def test_no_share_is_told_where_nothing_was_called(graph: MockGraph, tmp_path: Path) -> None:
    written = {}
    for ending in "txt", "html":
        graph.report().write(tmp_path / f"report.{ending}")
        written[ending] = (tmp_path / f"report.{ending}").read_text("utf-8")
    assert written["txt"].startswith("0 requests, 0 operations called\n")
    assert "<p>0 requests.</p>" in written["html"]
