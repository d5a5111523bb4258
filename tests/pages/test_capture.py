"""A tenant taken home: what is there under other names, and what is not."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mockgraph import MockGraph
from mockgraph.cli import main
from mockgraph.errors import MockGraphError
from mockgraph.pages.capture import Capture, Captured, read_recording, read_service
from mockgraph.pages.contract_check import RemoteServer
from mockgraph.pages.pseudonyms import KEPT, Pseudonyms
from mockgraph.seeds import read_seeds

TOKEN = "the-token-of-the-tenant"


@pytest.fixture(scope="module")
def real() -> Iterator[MockGraph]:
    with MockGraph(seed="demo") as graph:
        yield graph


def texts(value: Any, name: str = "") -> Iterator[str]:
    """All texts of a document that could name something, with those of kept properties left out."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, key) if "@" not in key else ()
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, name)
    elif isinstance(value, str) and name not in KEPT:
        yield value


NAMING = re.compile(
    r"[^@\s]+@[^@\s]+|\d+\.\d+\.\d+\.\d+|[0-9a-f]{8}-[0-9a-f-]{27}|.*\s.*\s.*|[\w.-]+\.\w{2,6}",
    re.DOTALL,
)


def test_a_captured_tenant_answers_alike_under_other_names(
    real: MockGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANT_TOKEN", TOKEN)
    file = tmp_path / "seed.json"
    asked = ["--path", "security/alerts_v2?$top=7", "--path", "security/incidents?$top=5"]
    command = ["capture", "--url", f"{real.origin}/v1.0", "--token-from", "TENANT_TOKEN", *asked]
    result = CliRunner().invoke(main, [*command, "--to", str(file)])
    assert result.exit_code == 0, result.output
    assert TOKEN not in result.output + file.read_text()
    assert "drift" not in result.output
    before, written = real.state["Security"], file.read_text()
    with MockGraph(seed=str(file)) as graph:
        after = graph.state["Security"]
    for name, by in (("alerts_v2", "severity"), ("alerts_v2", "status"), ("incidents", "status")):
        counted = [Counter(each[by] for each in state[name]) for state in (before, after)]
        assert counted[0] == counted[1]
    belonging = [
        Counter(Counter(each["incidentId"] for each in state["alerts_v2"]).values())
        for state in (before, after)
    ]
    assert belonging[0] == belonging[1]
    incidents = {each["id"] for each in after["incidents"]}
    assert {each["incidentId"] for each in after["alerts_v2"]} <= incidents | {None}
    products = " ".join(each["productName"] for each in before["alerts_v2"])  # they stay
    originals = {
        each
        for name in ("alerts_v2", "incidents")
        for each in texts(before[name])
        if each not in products
        if NAMING.fullmatch(each) and not re.match(r"\d{4}-\d\d-\d\dT", each)
    }
    assert len(originals) > 100
    assert [each for each in originals if json.dumps(each)[1:-1] in written] == []


def test_pages_are_followed_and_busy_servers_waited_for() -> None:
    alerts = [{"id": f"a{number}", "title": f"T{number}"} for number in range(9)]
    waited: list[float] = []
    with MockGraph(seed={"Security": {"alerts_v2": alerts}}) as graph:
        graph.faults.throttle(times=2, retry_after=7)
        answers = list(
            read_service(
                RemoteServer(f"{graph.origin}/v1.0", TOKEN),
                ["security/alerts_v2?$top=4"],
                wait=waited.append,
            )
        )
    assert [len(each.body["value"]) for each in answers] == [4, 4, 1]
    assert waited == [7.0, 7.0]


def test_a_refusal_is_told() -> None:
    with MockGraph() as graph, pytest.raises(MockGraphError, match="is answered with 401"):
        list(read_service(RemoteServer(f"{graph.origin}/v1.0", "invalid"), ["security/alerts_v2"]))


def test_a_collection_that_is_refused_is_passed_over_and_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TENANT_TOKEN", TOKEN)
    with MockGraph(seed={"Security": {"alerts_v2": [{"id": "a"}]}}) as graph:
        url = f"{graph.origin}/v1.0"
        command = ["capture", "--url", url, "--token-from", "TENANT_TOKEN", "--to"]
        graph.stubs.add("GET", "/v1.0/security/incidents", status=403, json={"error": {}})
        result = CliRunner().invoke(main, [*command, str(tmp_path / "seed.json")])
        assert f"refused: {url}/security/incidents is answered with 403" in result.output
        assert (result.exit_code, "1 entities" in result.output) == (0, True)
        named = ["--path", "security/alerts_v2", "--path", "security/incidents"]
        result = CliRunner().invoke(main, [*command, str(tmp_path / "named.json"), *named])
        assert (result.exit_code, (tmp_path / "named.json").exists()) == (1, False)
        graph.stubs.add("GET", "/v1.0/security/*", status=403, json={"error": {}})
        result = CliRunner().invoke(main, [*command, str(tmp_path / "none.json")])
        assert (result.exit_code, result.output.count("\n")) == (1, 1), result.output


def test_a_seed_that_cannot_be_written_is_told(
    real: MockGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANT_TOKEN", TOKEN)
    command = ["capture", "--url", f"{real.origin}/v1.0", "--token-from", "TENANT_TOKEN"]
    more = ["--path", "security/incidents", "--to", str(tmp_path / "no" / "seed.json")]
    result = CliRunner().invoke(main, [*command, *more])
    assert (result.exit_code, "cannot be written: No such file" in result.output) == (1, True)


def test_a_link_to_another_host_is_not_followed() -> None:
    with MockGraph() as graph:
        link = {"value": [], "@odata.nextLink": "https://elsewhere.example/v1.0/x"}
        graph.stubs.add("GET", "/v1.0/security/alerts_v2", json=link)
        with pytest.raises(MockGraphError, match="is not asked for"):
            list(read_service(RemoteServer(f"{graph.origin}/v1.0", TOKEN), ["security/alerts_v2"]))


def test_drift_is_told_and_secrets_are_left_out() -> None:
    capture = Capture()
    alert = {"id": "a1", "title": "T", "colour": "red", "severity": "purple"}
    capture.add(Captured("/v1.0/security/alerts_v2", {"value": [alert]}))
    capture.add(Captured("/v1.0/security/nothing", {"value": []}))
    profile = {"id": "p", "clientSecret": "x", "password": "y", "other": "z"}
    capture.add(Captured("/v1.0/security/secureScoreControlProfiles", {"value": [profile]}))
    assert list(capture.drift) == [
        "/v1.0/security/alerts_v2: 'colour' is no property of microsoft.graph.security.alert",
        "/v1.0/security/alerts_v2: 'severity' of microsoft.graph.security.alert "
        "has no member 'purple'",
        "/v1.0/security/nothing: Resource not found for the segment 'nothing'.",
    ]
    written = json.dumps(capture.seed())
    assert "ecret" not in written
    assert "password" not in written
    assert capture.entities == 2


def test_a_recording_gives_a_seed(tmp_path: Path) -> None:
    body = {"value": [{"id": "a1", "title": "Odd sign-in", "severity": "high"}]}
    url = "https://graph.microsoft.com/v1.0/security/alerts_v2?$top=1"
    text = {"text": json.dumps(body)}
    entries = [
        {"request": {"method": "GET", "url": url}, "response": {"status": 200, "content": text}},
        {"request": {"method": "GET", "url": url}, "response": {"status": 500, "content": text}},
        {"request": {"method": "POST", "url": url}, "response": {"status": 200, "content": text}},
        {"request": {"method": "GET", "url": url}, "response": {"status": 200, "content": {}}},
        {},
    ]
    har = tmp_path / "session.har"
    har.write_text(json.dumps({"log": {"entries": entries}}))
    assert [each.path for each in read_recording(har)] == ["/v1.0/security/alerts_v2"]
    file = tmp_path / "seed.json"
    result = CliRunner().invoke(main, ["capture", "--from", str(har), "--to", str(file)])
    assert result.exit_code == 0, result.output
    with MockGraph(seed=str(file)) as graph:
        (alert,) = graph.state["Security"]["alerts_v2"]
    assert (alert["severity"], "Odd" in alert["title"]) == ("high", False)
    coded = {"encoding": "base64", "text": base64.b64encode(json.dumps(body).encode()).decode()}
    entries[0]["response"] = {"status": 200, "content": coded}
    har.write_text(json.dumps({"log": {"entries": entries}}), encoding="utf-8-sig")
    assert [each.body for each in read_recording(har)] == [body]
    har.write_text("{}")
    with pytest.raises(MockGraphError, match="is no recording"):
        list(read_recording(har))


def test_a_seed_of_a_later_form_is_refused(tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    for form in (99, {"version": 3, "captured": None}, True, "2", None, {}, {"version": "2"}, 0):
        seed.write_text(json.dumps({"@mockgraph.capture": form, "Security": {}}))
        with pytest.raises(MockGraphError, match=r"It was captured in form .*those up to 2"):
            read_seeds(str(seed))


@pytest.mark.parametrize("form", [1, {"version": 2, "captured": "2026-11-28T20:00:00Z"}])
def test_a_seed_of_an_earlier_form_is_read_as_ever(tmp_path: Path, form: Any) -> None:
    alerts = {"Security": {"alerts_v2": [{"id": "a1", "title": "T"}]}}
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({"@mockgraph.capture": form, **alerts}))
    assert read_seeds(str(seed)) == (alerts,)
    with MockGraph(seed=str(seed)) as graph:
        assert [each["title"] for each in graph.state["Security"]["alerts_v2"]] == ["T"]


def test_a_seed_says_when_it_was_captured() -> None:
    form = Capture().seed()["@mockgraph.capture"]
    assert form["version"] == 2
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", form["captured"])


@pytest.mark.parametrize(
    ("text", "name", "look"),
    [
        ("8a66293b-293b-8a66-3b29-668a3b29668a", "id", r"[0-9a-f-]{36}"),
        ("kim@fabrikam.com", "upn", r"person-\d+@contoso\.example"),
        ("10.1.2.3", "ip", r"198\.1[89]\.\d+\.\d+"),
        ("2001:4860::1", "ip", r"2001:db8:.*"),
        ("dc1.fabrikam.com", "host", r"host-\d+\.example"),
        ("https://fabrikam.com/x?y=z", "webUrl", r"https://contoso\.example/[0-9a-f]{12}"),
        ("28282", "incidentId", r"[1-9]\d{4}"),
        ("5f1e8acedc065031aad553b710838eb366cfee9a", "sha1", r"[0-9a-f]{40}"),
        ("da637_-96", "id", r"id-[0-9a-f]{16}"),
        ("Kim Akers", "displayName", r"Display name \d+"),
    ],
)
def test_made_up_names_have_the_look_of_the_real_ones(text: str, name: str, look: str) -> None:
    names = Pseudonyms(keep=["title"])
    made = names.text(text, name)
    assert re.fullmatch(look, made)
    assert made != text
    assert names.text(text.upper(), "elsewhere") == made
    assert Pseudonyms().text(text, name) != made or "Display" in made
    assert names.text(text, "title") == text


@pytest.mark.parametrize("more", [[], ["--url", "http://127.0.0.1:1/v1.0", "--from", "x"]])
def test_one_source_is_needed(more: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["capture", "--to", str(tmp_path / "x"), *more])
    assert result.exit_code == 2
    assert "One of --url and --from is needed" in result.output
