"""As forgiving as the live service is, on v1.0 and beta, and no more; localtest is not."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from . import OFFICIAL, at, create, ids, refused

Json = Any
REPRESENTATION = {"Prefer": "return=representation"}
official = pytest.mark.parametrize("root", OFFICIAL)


# -- a token without its scheme ---------------------------------------------------------------


@official
@pytest.mark.parametrize("header", ["eyJ0.eyJh.c2ln", "opaque"])
def test_a_bare_token(graph: FlaskClient, root: str, header: str) -> None:
    headers = {"Authorization": header}
    assert graph.get(at(root, "alerts_v2"), headers=headers).status_code == 200
    refused(graph.get(at("localtest", "alerts"), headers=headers), 401)


@official
@pytest.mark.parametrize(
    "header", ["", "Bearer", "bearer ", "Basic", "Basic eDp5", "two words", "invalid", "expired"]
)
def test_what_is_no_token_still_is_none(graph: FlaskClient, root: str, header: str) -> None:
    refused(graph.get(at(root, "alerts_v2"), headers={"Authorization": header}), 401)


# -- instants of indicators ---------------------------------------------------------------------

INSTANTS = {
    "2026-12-01": "2026-12-01T00:00:00Z",
    "2026-12-01 10:30:00": "2026-12-01T10:30:00Z",
    "2026-12-01 10:30:00.5Z": "2026-12-01T10:30:00.5Z",
    "2026-12-01T10:30:00": "2026-12-01T10:30:00Z",
    "2026-12-01 10:30:00+02:00": "2026-12-01T08:30:00Z",
    "2026-12-01T10:30": "2026-12-01T10:30:00Z",
}


@pytest.mark.parametrize("sent", INSTANTS)
def test_the_instants_of_an_indicator(graph: FlaskClient, sent: str) -> None:
    made = create(graph, "tiIndicators", expirationDateTime=sent)
    assert made["expirationDateTime"] == INSTANTS[sent]
    url = at("beta", "tiIndicators")
    body: Json = {"value": [{"targetProduct": "Azure Sentinel", "lastReportedDateTime": sent}]}
    many = graph.post(f"{url}/submitTiIndicators", json=body).get_json()["value"]
    assert many[0]["lastReportedDateTime"] == INSTANTS[sent]
    change = {"lastReportedDateTime": sent}
    changed = graph.patch(f"{url}/{made['id']}", json=change, headers=REPRESENTATION)
    assert changed.get_json()["lastReportedDateTime"] == INSTANTS[sent]
    refused(graph.post(at("localtest", "tiIndicators"), json={"expirationDateTime": sent}))
    refused(graph.post(at("beta", "alerts"), json={"eventDateTime": sent}))


@pytest.mark.parametrize(
    "sent", ["", "tomorrow", "2026-13-01", "2026-12-01 25:00:00", "01/12/2026"]
)
def test_what_is_no_instant_even_there(graph: FlaskClient, sent: str) -> None:
    message = refused(graph.post(at("beta", "tiIndicators"), json={"expirationDateTime": sent}))
    assert message.startswith("expirationDateTime: ")


# -- text functions on members of enumerations --------------------------------------------------


@official
@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ("tolower(severity) eq 'high'", ["a"]),
        ("toupper(severity) eq 'HIGH'", ["a"]),
        ("contains(severity,'edi')", ["b"]),
        ("contains(tolower(serviceSource),'identity')", ["b"]),
        ("startswith(severity,'hi') or endswith(severity,'um')", ["a", "b"]),
        ("indexof(severity,'gh') eq 2", ["a"]),
        ("length(severity) eq 6", ["b"]),
        ("concat(severity,'!') eq 'high!'", ["a"]),
        ("contains(classification,'true')", []),
        ("evidence/any(e:startswith(e/verdict,'mal'))", ["a"]),
    ],
)
def test_functions_of_texts(graph: FlaskClient, root: str, filter: str, found: list[str]) -> None:
    evidence = [{"@odata.type": "#microsoft.graph.security.urlEvidence", "verdict": "malicious"}]
    create(graph, "alerts_v2", id="a", severity="high", evidence=evidence)
    source = "microsoftDefenderForIdentity"
    create(graph, "alerts_v2", id="b", severity="medium", serviceSource=source)
    options = {"$filter": filter, "$orderby": "id"}
    assert ids(graph.get(at(root, "alerts_v2"), query_string=options)) == found


def test_functions_of_texts_where_the_pages_know_none(graph: FlaskClient) -> None:
    options = {"$filter": "tolower(severity) eq 'high'"}
    assert "'tolower'" in refused(graph.get(at("localtest", "alerts"), query_string=options))


# -- what is read back is what was written ----------------------------------------------------


@pytest.mark.parametrize("root", ["localtest", *OFFICIAL])
def test_nulls_and_empty_lists_are_read_back(graph: FlaskClient, root: str) -> None:
    body: Json = {"title": None, "tags": [], "hostStates": [], "dynamic": None, "list": []}
    made = graph.post(at(root, "alerts"), json=body)
    assert made.status_code == 201
    assert graph.get(made.headers["Location"]).get_json().items() >= body.items()


# -- names of properties in any case --------------------------------------------------------------


@official
@pytest.mark.parametrize(
    "options",
    [
        {"$filter": "Severity eq 'High'"},
        {"$filter": "SEVERITY in ('high') and $it/Title ne null"},
        {"$filter": "tolower(Title) eq 'first'", "$orderby": "CreatedDateTime desc,Id"},
        {"$filter": "Evidence/any(e:e/Verdict eq 'malicious')"},
        {"$filter": "evidence/any(e:e/microsoft.graph.security.urlEvidence/Url eq 'http://x')"},
        {"$filter": "Evidence/$count eq 1"},
    ],
)
def test_names_in_any_case(graph: FlaskClient, root: str, options: dict[str, str]) -> None:
    url = {"@odata.type": "#microsoft.graph.security.urlEvidence", "url": "http://x"}
    evidence = [{**url, "verdict": "malicious"}]
    create(graph, "alerts_v2", id="a", title="First", severity="high", evidence=evidence)
    create(graph, "alerts_v2", id="b", severity="low")
    assert ids(graph.get(at(root, "alerts_v2"), query_string=options)) == ["a"]


@official
def test_names_that_select_in_any_case(graph: FlaskClient, root: str) -> None:
    create(graph, "alerts_v2", id="a", title="First")
    shown = graph.get(f"{at(root, 'alerts_v2', 'a')}?$select=Title,ID").get_json()
    assert {name: value for name, value in shown.items() if "@" not in name} == {
        "id": "a",
        "title": "First",
    }
    refused(graph.get(f"{at(root, 'alerts_v2')}?$filter=Severty eq 'high'"))


def test_names_are_exact_where_the_pages_are(graph: FlaskClient) -> None:
    create(graph, "alerts", id="a", severity="high")
    options = {"$filter": "Severity eq 'high'"}
    assert ids(graph.get(at("localtest", "alerts"), query_string=options)) == []
    assert ids(graph.get(at("v1.0", "alerts"), query_string=options)) == ["a"]
