"""``mockgraph hunt`` on the command line, and hunting by the control plane."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from mockgraph.cli import main

ROWS = [
    {"Timestamp": "2026-11-20T11:00:00Z", "FileName": "a.exe", "ProcessId": 5},
    {"Timestamp": "2026-11-20T10:00:00Z", "FileName": "b,c.exe"},
]
QUERY = "DeviceEvents | sort by Timestamp desc | project FileName, ProcessId, d = dynamic([1])"


@pytest.fixture
def seed(tmp_path: Path) -> str:
    file = tmp_path / "seed.json"
    file.write_text(json.dumps({"Hunting": {"DeviceEvents": ROWS}}))
    return str(file)


def hunt(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(main, ["hunt", "--at", "2026-11-20T12:00:00Z", *arguments], given)


PRINTED = {
    "table": "FileName  ProcessId  d\n--------  ---------  ---\n"
    "a.exe     5          [1]\nb,c.exe              [1]\n2 rows\n",
    "csv": 'FileName,ProcessId,d\na.exe,5,[1]\n"b,c.exe",,[1]\n',
}


@pytest.mark.parametrize("layout", PRINTED)
def test_it_prints_what_a_query_finds(layout: str, seed: str) -> None:
    found = hunt(QUERY, "--seed", seed, "--format", layout)
    assert (found.exit_code, found.output) == (0, PRINTED[layout])


def test_json_has_the_schema_too(seed: str) -> None:
    found = json.loads(hunt(QUERY, "--seed", seed, "--format", "json").output)
    assert found["results"][1] == {"FileName": "b,c.exe", "ProcessId": None, "d": [1]}
    assert found["schema"][1] == {"name": "ProcessId", "type": "Int64"}


def test_the_query_may_be_in_a_file_or_come_in(seed: str, tmp_path: Path) -> None:
    file = tmp_path / "q.kql"
    file.write_text(QUERY)
    printed = PRINTED["table"]
    assert hunt(str(file), "--seed", seed).output == printed
    assert hunt("-", "--seed", seed, given=QUERY).output == printed
    assert hunt("DeviceEvents | count", "--seed", seed, "--timespan", "PT90M").output == (
        "Count\n-----\n1\n1 row\n"
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("DeviceEvents |", "Syntax error at line 1, column 15"),
        ("Nowhere", "Failed to resolve"),
        ("missing.kql", "missing.kql cannot be read"),
    ],
)
def test_a_query_that_cannot_be_run_is_one_line(query: str, message: str) -> None:
    found = hunt(query)
    assert found.exit_code == 1
    assert message in found.output
    assert found.output.count("\n") == 1


def test_rows_and_answers_may_be_given_by_http(client: FlaskClient) -> None:
    def post(path: str, body: object) -> int:
        return client.post(f"/_mockgraph/hunting/{path}", json=body).status_code

    def ask(query: str) -> object:
        body = {"Query": query}
        answer = client.post("/v1.0/security/runHuntingQuery", json=body)
        assert answer.json is not None
        return answer.json.get("results", answer.status_code)

    client.post("/_mockgraph/clock", json={"freeze": "2026-11-20T12:00:00Z"})
    assert post("rows", {"table": "DeviceEvents", "rows": ROWS}) == 204
    assert ask("DeviceEvents | count") == [{"Count": 2}]
    assert post("rows", {"table": "DeviceEvents", "rows": [{"X": 1}]}) == 400
    assert post("rows", {"table": "DeviceEvents", "rows": [5]}) == 400
    assert post("rows", {"table": "Nothing", "rows": []}) == 400
    assert post("answers", {"pattern": "Elsewhere", "rows": [{"a": 1}]}) == 204
    assert ask("Elsewhere | take 1") == [{"a": 1}]
    assert post("answers", {"pattern": "x", "rows": [5]}) == 400


@pytest.mark.parametrize(
    ("preset", "message"), [("hunting_quota", "45 hunting calls"), ("hunting_cpu", "CPU")]
)
def test_a_preset_refuses_a_hunting_query_in_its_own_words(
    client: FlaskClient, preset: str, message: str
) -> None:
    client.post("/_mockgraph/faults", json={"preset": preset, "retry_after": 7})
    assert client.get("/v1.0/security/secureScores").status_code == 200
    path = "/v1.0/security/microsoft.graph.security.runHuntingQuery"
    refused = client.post(path, json={"Query": "print 1"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
    assert message in refused.text
    assert client.post(path, json={"Query": "print 1"}).status_code == 200
