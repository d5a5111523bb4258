"""``POST /security/runHuntingQuery``: the rows of a tenant, asked as Graph's clients ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from mockgraph import MockGraph
from mockgraph.errors import BadRequest, MockGraphError

NOW = "2026-11-20T12:00:00Z"
ROW = {"Timestamp": "2026-11-20T11:00:00Z", "DeviceName": "fin-01", "FileName": "a.exe"}


@pytest.fixture
def graph() -> Iterator[MockGraph]:
    with MockGraph() as graph:
        graph.clock.freeze(NOW)
        yield graph


def hunt(
    graph: Any, body: Any, path: str = "/v1.0/security/runHuntingQuery", token: str = "x"
) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.post(f"{graph.origin}{path}", json=body, headers=headers, timeout=30)


def test_the_answer_has_a_schema_and_results(graph: MockGraph) -> None:
    graph.hunting.add("DeviceEvents", ROW)
    answer = hunt(graph, {"Query": "DeviceEvents | project Timestamp, FileName, ProcessId"})
    assert answer.status_code == 200
    assert answer.json() == {
        "@odata.context": f"{graph.origin}/v1.0/$metadata"
        "#microsoft.graph.security.huntingQueryResults",
        "schema": [
            {"name": "Timestamp", "type": "DateTime"},
            {"name": "FileName", "type": "String"},
            {"name": "ProcessId", "type": "Int64"},
        ],
        "results": [{"Timestamp": "2026-11-20T11:00:00Z", "FileName": "a.exe", "ProcessId": None}],
    }


@pytest.mark.parametrize(
    "path",
    [
        "/v1.0/security/runHuntingQuery",
        "/beta/security/runHuntingQuery",
        "/v1.0/security/microsoft.graph.security.runHuntingQuery",
        "/V1.0/Security/RUNHUNTINGQUERY",
    ],
)
@pytest.mark.parametrize("name", ["Query", "query"])
def test_the_action_may_be_qualified_and_its_parameter_small(
    graph: MockGraph, path: str, name: str
) -> None:
    assert hunt(graph, {name: "print 1"}, path).json()["results"] == [{"print_0": 1}]


@pytest.mark.parametrize("name", ["Timespan", "timespan"])
def test_the_timespan_goes_by_the_clock_of_the_tenant(graph: MockGraph, name: str) -> None:
    graph.hunting.add("DeviceEvents", ROW, ROW | {"Timestamp": "2026-11-18T11:00:00Z"})
    query = {"Query": "DeviceEvents | count"}
    counts = [
        hunt(graph, query | given).json()["results"][0]["Count"]
        for given in ({name: "P1D"}, {name: "P3D"}, {name: None}, {})
    ]
    assert counts == [1, 2, 2, 2]
    graph.clock.freeze("2027-01-01T00:00:00Z")
    assert hunt(graph, query).json()["results"] == [{"Count": 0}]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "'Query' is missing"),
        ({"Query": ""}, "'Query' is missing"),
        ({"Query": 5}, "query: Cannot convert 5"),
        ({"Query": "print 1", "Timespan": 5}, "timespan: Cannot convert 5"),
        ({"Query": "print 1", "Timespan": "soon"}, "The timespan 'soon'"),
        ({"Query": "print 1", "Top": 5}, "'Top'"),
        ([], "Cannot convert an array"),
        ({"Query": "Devices | take 1"}, "expression named 'Devices'"),
        ({"Query": "DeviceEvents |"}, "Syntax error at line 1, column 15"),
    ],
)
def test_a_request_that_does_not_fit_is_refused(graph: MockGraph, body: Any, message: str) -> None:
    answer = hunt(graph, body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "BadRequest"
    assert message in answer.json()["error"]["message"]


def test_it_is_a_post_below_the_live_roots(graph: MockGraph) -> None:
    headers = {"Authorization": "Bearer x"}
    url = f"{graph.origin}/v1.0/security/runHuntingQuery"
    assert requests.get(url, headers=headers, timeout=30).status_code == 405
    assert (
        hunt(graph, {"Query": "print 1"}, "/localtest/Security/runHuntingQuery").status_code != 200
    )
    assert hunt(graph, {"Query": "print 1"}, f"{url[len(graph.origin) :]}/x").status_code == 400


def test_it_takes_the_permission_of_hunting() -> None:
    with MockGraph(auth="jwt") as graph:
        token = graph.token(permissions=["ThreatHunting.Read.All"])
        assert hunt(graph, {"Query": "print 1"}, token=token).status_code == 200
        other = graph.token(permissions=["SecurityEvents.ReadWrite.All"])
        refused = hunt(graph, {"Query": "print 1"}, token=other)
        assert refused.status_code == 403
        assert "ThreatHunting.Read.All" in refused.json()["error"]["message"]


def test_a_batch_may_hunt(graph: MockGraph) -> None:
    item = {
        "id": "1",
        "method": "POST",
        "url": "/security/runHuntingQuery",
        "headers": {"Content-Type": "application/json"},
        "body": {"Query": "print x = 7"},
    }
    found = hunt(graph, {"requests": [item]}, "/v1.0/$batch").json()["responses"][0]
    assert (found["status"], found["body"]["results"]) == (200, [{"x": 7}])


def test_alerts_are_found_as_they_are_now(graph: MockGraph) -> None:
    alert = {
        "id": "a1",
        "title": "Odd",
        "severity": "high",
        "createdDateTime": "2026-11-20T10:00:00Z",
        "mitreTechniques": ["T1059"],
        "evidence": [
            {
                "@odata.type": "#microsoft.graph.security.userEvidence",
                "userAccount": {"accountName": "ines", "userPrincipalName": "ines@x.example"},
            },
            {
                "@odata.type": "#microsoft.graph.security.deviceEvidence",
                "deviceDnsName": "fin-01",
                "mdeDeviceId": "d1",
                "osPlatform": "Windows11",
                "createdDateTime": "2026-11-20T10:00:00Z",
            },
        ],
    }
    graph.state = {"Security": {"alerts_v2": [alert]}}
    assert graph.hunting.run("AlertInfo | project AlertId, Title, Severity, AttackTechniques") == [
        {"AlertId": "a1", "Title": "Odd", "Severity": "High", "AttackTechniques": '["T1059"]'}
    ]
    evidence = "AlertEvidence | project EntityType, AccountName, DeviceName"
    assert graph.hunting.run(evidence) == [
        {"EntityType": "User", "AccountName": "ines", "DeviceName": "fin-01"},
        {"EntityType": "Machine", "AccountName": "", "DeviceName": "fin-01"},
    ]
    assert graph.hunting.run("IdentityInfo | project AccountUpn") == [
        {"AccountUpn": "ines@x.example"}
    ]
    assert graph.hunting.run("DeviceInfo | project DeviceName") == [{"DeviceName": "fin-01"}]
    graph.state = {"Security": {"alerts_v2": [alert | {"severity": "low"}]}}
    assert graph.hunting.run("AlertInfo | project Severity") == [{"Severity": "Low"}]


COUNT = "DeviceEvents | count"


def count(graph: Any) -> int:
    found: int = graph.hunting.run(COUNT)[0]["Count"]
    return found


def test_rows_are_part_of_the_state() -> None:
    seed = {"Hunting": {"DeviceEvents": [ROW, ROW]}}
    with MockGraph(seed=seed) as graph:
        graph.clock.freeze(NOW)
        assert count(graph) == 2
        graph.hunting.add("DeviceEvents", ROW)
        graph.snapshot("three")
        graph.hunting.add("DeviceEvents", ROW)
        assert count(graph) == 4
        assert graph.state["Hunting"] == {"DeviceEvents": [ROW] * 4}
        graph.restore("three")
        assert count(graph) == 3
        with graph.unchanged():
            graph.hunting.add("DeviceEvents", ROW)
        assert count(graph) == 3
        graph.state = graph.state
        assert count(graph) == 3
        graph.reset()
        graph.clock.freeze(NOW)
        assert count(graph) == 2
        graph.reset({"Security": {}})
        assert "Hunting" not in graph.state


def test_a_store_keeps_the_rows(tmp_path: Path) -> None:
    store = str(tmp_path / "state")
    with MockGraph(store=store) as graph:
        graph.clock.freeze(NOW)
        for _ in range(250):
            graph.hunting.add("DeviceEvents", ROW)
    with MockGraph(store=store) as graph:
        graph.clock.freeze(NOW)
        assert count(graph) == 250


@pytest.mark.parametrize(
    ("hunting", "message"),
    [
        ([], "Hunting: an object"),
        ({"DeviceEvents": {}}, "Hunting/DeviceEvents: an array"),
        ({"DeviceEvent": []}, "no table 'DeviceEvent'"),
        ({"DeviceEvents": [{"X": 1}]}, "Hunting/DeviceEvents[0] has no column 'X'"),
        ({"DeviceEvents": [{"ProcessId": "x"}]}, "Hunting/DeviceEvents[0].ProcessId"),
        ({"generated": ["x"]}, "no telemetry 'x'"),
    ],
)
def test_a_document_with_rows_that_do_not_fit_is_refused(
    graph: MockGraph, hunting: Any, message: str
) -> None:
    graph.hunting.add("DeviceEvents", ROW)
    with pytest.raises(BadRequest, match=re.escape(message)):
        graph.state = {"Security": {}, "Hunting": hunting}
    assert count(graph) == 1
    with pytest.raises((BadRequest, MockGraphError), match=re.escape(message)):
        MockGraph(seed={"Hunting": hunting}).__enter__()


def test_a_row_that_does_not_fit_is_not_added(graph: MockGraph) -> None:
    with pytest.raises(BadRequest, match=r"DeviceEvents\[1\].ProcessId is no long"):
        graph.hunting.add("DeviceEvents", ROW, {"ProcessId": "x"})
    assert count(graph) == 0
    graph.hunting.add("DeviceEvents", {"Timestamp": datetime(2026, 11, 20, 11, tzinfo=UTC)})
    assert count(graph) == 1


FILES = {
    "DeviceEvents.csv": "Timestamp,FileName,ProcessId,AdditionalFields\n"
    '2026-11-20T11:00:00Z,a.exe,5,"{""a"":1}"\n2026-11-20T10:00:00Z,,,\n',
    "DeviceEvents.monday.jsonl": '{"Timestamp": "2026-11-20T11:00:00Z", "FileName": "a.exe", '
    '"ProcessId": 5, "AdditionalFields": {"a": 1}}\n\n{"Timestamp": "2026-11-20T10:00:00Z"}\n',
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_seeds_the_table_that_it_is_named_after(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(FILES[name])
    check_rows(file)


def test_a_file_of_parquet_seeds_a_table(tmp_path: Path) -> None:
    import duckdb

    (tmp_path / "given.csv").write_text(FILES["DeviceEvents.csv"])
    file = tmp_path / "DeviceEvents.parquet"
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{tmp_path / 'given.csv'}')) TO '{file}'")
    check_rows(file)


def check_rows(file: Path) -> None:
    query = (
        "DeviceEvents | sort by Timestamp desc"
        " | project Timestamp, FileName, ProcessId, toint(parse_json(AdditionalFields).a)"
    )
    with MockGraph(seed=[str(file), {"Hunting": {"DeviceEvents": [ROW]}}]) as graph:
        graph.clock.freeze(NOW)
        assert count(graph) == 3
        found = [list(row.values()) for row in graph.hunting.run(query)]
    assert ["2026-11-20T11:00:00Z", "a.exe", 5, 1] in found
    assert ["2026-11-20T10:00:00Z", "", None, None] in found


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("DeviceEvents.csv", "Filename\nx\n", "no column 'Filename'. Names near it: FileName"),
        ("DeviceEvents.csv", "ProcessId\nx\n", "Could not convert"),
        ("DeviceEvents.jsonl", "{}\n{\n", "line 2 is not valid JSON"),
        ("DeviceEvents.jsonl", "5\n", "DeviceEvents[0] is no object"),
        ("DeviceEvents.parquet", "x", "DeviceEvents.parquet"),
        ("Nothing.csv", "a\n", "no table 'Nothing'"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    name: str, text: str, message: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises((BadRequest, MockGraphError), match=re.escape(message)) as refused:
        MockGraph(seed=str(file)).__enter__()
    assert str(file) in str(refused.value)
    file.unlink()
    with pytest.raises(MockGraphError, match=r"cannot be read|no table"):
        MockGraph(seed=str(file)).__enter__()


def test_an_answer_that_is_given_needs_no_engine(graph: MockGraph) -> None:
    rows = [{"t": "2026-11-20T11:00:00Z", "n": 1, "s": "x", "b": True, "d": [1], "r": 0.5}]
    graph.hunting.answer("Nowhere\n | take 1", rows)
    graph.hunting.answer(re.compile("Elsewhere"), [])
    answer = hunt(graph, {"Query": "nowhere |  take 1 // please"}).json()
    assert answer["results"] == rows
    types = {each["name"]: each["type"] for each in answer["schema"]}
    assert types == {
        "t": "DateTime",
        "n": "Int64",
        "s": "String",
        "b": "SByte",
        "d": "Object",
        "r": "Double",
    }
    assert graph.hunting.run("Elsewhere") == []
    graph.reset()
    with pytest.raises(BadRequest, match="Nowhere"):
        graph.hunting.run("Nowhere | take 1")


def test_without_the_extra_hunting_says_how_to_have_it(
    graph: MockGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    answer = hunt(graph, {"Query": "print 1"})
    assert answer.status_code == 501
    assert answer.json()["error"]["code"] == "notImplemented"
    assert "mockgraph[hunting]" in answer.json()["error"]["message"]


def test_a_test_may_ask_what_was_hunted(graph: MockGraph) -> None:
    hunt(graph, {"query": "print  x = 1 | where x > 0"})
    hunt(graph, {"Query": "DeviceEvents | count"})
    (found,) = graph.assert_hunted("PRINT x = 1")
    assert found.status == 200
    assert graph.assert_hunted(re.compile("Device"))
    with pytest.raises(AssertionError, match=r"there were 2:\n  print x = 1"):
        graph.assert_hunted("nothing")


def test_tenants_hunt_in_rows_of_their_own(graph: MockGraph) -> None:
    graph.hunting.add("DeviceEvents", ROW)
    body = {"Query": COUNT}
    other = hunt(graph, body, "/t/other/v1.0/security/runHuntingQuery")
    assert other.json()["results"] == [{"Count": 0}]
    assert hunt(graph, body).json()["results"] == [{"Count": 1}]


def test_the_demo_tenant_has_telemetry_that_agrees_with_its_alerts() -> None:
    with MockGraph(seed="demo") as graph:
        graph.clock.freeze(NOW)
        rows = graph.hunting.run("union withsource=T * | summarize n = count() by T")
        assert 15_000 < sum(row["n"] for row in rows) < 30_000
        seen = graph.hunting.run(
            "AlertEvidence | where EntityType == 'Process' | join kind=leftanti DeviceProcessEvents"
            " on ProcessCommandLine | project ProcessCommandLine"
        )
        assert seen == []
        chain = graph.hunting.run(
            "DeviceProcessEvents | where InitiatingProcessFileName =~ 'excel.exe'"
            " and ProcessCommandLine has '-EncodedCommand' | distinct DeviceName"
        )
        assert chain == [{"DeviceName": "log-lt-022.corp.tidewell.example"}]
        again = graph.hunting.run("DeviceProcessEvents | summarize max(ReportId), count()")
        assert graph.hunting.run("DeviceProcessEvents | summarize max(ReportId), count()") == again
        assert graph.state["Hunting"] == {"generated": ["demo"]}
