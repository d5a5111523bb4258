"""A mock held against the service that it stands for; here both are MockGraph's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mockgraph import MockGraph
from mockgraph.cli import main
from mockgraph.errors import MockGraphError
from mockgraph.pages.contract_check import (
    Answered,
    Asked,
    RemoteServer,
    check_contract,
    collections,
    differences,
)

ALERT = {"id": "a1", "title": "T", "severity": "high", "createdDateTime": "2024-01-01T00:00:00Z"}
SEED = {"Security": {"alerts_v2": [ALERT]}}
SECRET = "secret-of-the-tenant"


@pytest.fixture
def real() -> Iterator[MockGraph]:
    with MockGraph(seed=SEED) as graph:
        yield graph


@pytest.fixture
def mock() -> Iterator[MockGraph]:
    with MockGraph(seed=SEED) as graph:
        yield graph


def drift(real: MockGraph, mock: MockGraph, *asked: Asked, writes: bool = False) -> list[str]:
    ends = (
        RemoteServer(f"{real.origin}/v1.0", SECRET),
        RemoteServer(f"{mock.origin}/v1.0", "any"),
    )
    return [
        f"{each.request}: {text}"
        for each in check_contract(*ends, asked, writes=writes)
        for text in each.differences
    ]


def test_two_that_are_alike(real: MockGraph, mock: MockGraph) -> None:
    asked = [
        *collections("v1.0"),
        Asked("GET", "security/nothing"),
        Asked("GET", "security/alerts_v2/a1"),
    ]
    assert drift(real, mock, *asked) == []
    assert {each.method for each in real.requests} == {"GET"}


def test_planted_differences_are_found(real: MockGraph, mock: MockGraph) -> None:
    answers = {
        "/v1.0/security/alerts_v2": {"value": [{"id": 5, "title": "T", "colour": "red"}]},
        "/v1.0/security/incidents": {"value": {}},
    }
    for path, body in answers.items():
        mock.stubs.add("GET", path, json=body)
    mock.stubs.add("GET", "/v1.0/security/secureScores", status=503)
    asked = [
        Asked("GET", f"security/{name}") for name in ("alerts_v2", "incidents", "secureScores")
    ]
    found = drift(real, mock, *asked)
    assert "GET /security/alerts_v2: 'value[]/id' is a number, the service's a text" in found
    assert (
        "GET /security/alerts_v2: 'value[]/colour' is answered, by the service it is not" in found
    )
    assert (
        "GET /security/alerts_v2: 'value[]/severity' is not answered, by the service it is" in found
    )
    assert "GET /security/incidents: 'value' is an object, the service's an array" in found
    assert "GET /security/secureScores: answers 503, the service 200" in found


@pytest.mark.parametrize(
    ("theirs", "mine", "told"),
    [
        ({"a": 1}, {"a": 2.5}, []),
        ({"a": None}, {"a": "x"}, []),
        ({"value": []}, {"value": [{"a": 1}]}, []),
        ({"value": [{"a": 1}, {"b": 1}]}, {"value": [{"b": 2, "a": 3}]}, []),
        ({"@odata.nextLink": "x"}, {"@odata.count": 5}, []),
        ({"a": True}, {"a": 1}, ["'a' is a number, the service's true or false"]),
        ({"a": {"b": []}}, {"a": {}}, ["'a/b' is not answered, by the service it is"]),
    ],
)
def test_shapes(theirs: object, mine: object, told: list[str]) -> None:
    assert list(differences(Answered(200, {}, theirs), Answered(200, {}, mine))) == told


def test_headers_and_codes() -> None:
    real = Answered(429, {"retry-after": "5"}, {"error": {"code": "TooManyRequests"}})
    mock = Answered(429, {}, {"error": {"code": "tooMany"}})
    assert list(differences(real, mock)) == [
        "the header 'retry-after' is not answered, by the service it is",
        "the code of the error is 'tooMany', the service's 'TooManyRequests'",
    ]


def test_nothing_is_written_unless_asked(real: MockGraph, mock: MockGraph) -> None:
    patch = Asked("PATCH", "security/alerts_v2/a1", body={"status": "resolved"})
    with pytest.raises(MockGraphError, match="may write; see --writes"):
        drift(real, mock, patch)
    assert list(real.requests) == []
    assert drift(real, mock, patch, writes=True) == []
    assert [each.method for each in real.requests] == ["PATCH"]


def test_the_command(
    real: MockGraph, mock: MockGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_TOKEN", SECRET)
    (tmp_path / "requests.jsonl").write_text(
        json.dumps({"path": "security/alerts_v2?$filter=severity eq 'high'"}) + "\n\n"
    )
    ends = ["check", "--url", f"{real.origin}/v1.0", "--against", f"{mock.origin}/v1.0"]
    asked = ["--requests", str(tmp_path / "requests.jsonl"), "--path", "security/alerts_v2/a1"]
    result = CliRunner().invoke(main, [*ends, *asked, "--token-from", "THE_TOKEN"])
    assert (result.exit_code, result.output) == (0, "2 requests: 2 answered alike, 0 not.\n")
    mock.stubs.add("GET", "/v1.0/security/alerts_v2/a1", status=404)
    result = CliRunner().invoke(main, [*ends, *asked, "--token-from", "THE_TOKEN"])
    assert result.exit_code == 1
    assert "GET /security/alerts_v2/a1: answers 404, the service 200" in result.output
    assert SECRET not in result.output
    result = CliRunner().invoke(main, ["check", "--path", "x"])
    assert result.exit_code == 2
    assert "--url" in result.output


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("[]", "an object with method, path, headers and body is expected"),
        ("{", "an object with method, path, headers and body is expected"),
        ('{"method": "GET"}', "a path must be there"),
        ('{"path": "x", "headers": {"Authorization": "y"}}', "a token does not belong into a file"),
    ],
)
def test_files_of_requests_are_refused_by_line(tmp_path: Path, line: str, told: str) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text(f'{{"path": "a"}}\n{line}\n')
    result = CliRunner().invoke(
        main, ["check", "--url", "http://127.0.0.1:1/v1.0", "--requests", str(file)]
    )
    assert result.exit_code == 1
    assert f"{file}, line 2: " in result.output
    assert told in result.output
