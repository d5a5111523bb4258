"""Query options that are refused over HTTP, each by its name."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from . import ROOTS, ask, at, get, ids, on_every_root, refused

# -- refusals -----------------------------------------------------------------------------

REFUSED = [
    ("$filter", "$filter"),
    ("$filter=", "$filter"),
    ("$filter=title eq", "$filter"),
    ("$filter=title eq 'x", "$filter"),
    ("$filter=nope(title)", "$filter"),
    ("$filter=severity eq 'nope'", "$filter"),
    ("$filter=confidence eq 'x'", "$filter"),
    ("$filter=vendorInformation/nope eq 1", "nope"),
    ("$filter=title/x eq 1", "Edm.String"),
    ("$filter=title", "$filter"),
    ("$orderby=", "$orderby"),
    ("$orderby=title up", "$orderby"),
    ("$orderby=hostStates", "$orderby"),
    ("$orderby=vendorInformation/nope", "nope"),
    ("$select=", "$select"),
    ("$select=vendorInformation/nope", "nope"),
    ("$select=title,,id", "$select"),
    ("$expand=nope", "nope"),
    ("$expand=title", "title"),
    ("$top=x", "$top"),
    ("$top=-1", "$top"),
    ("$top=1.5", "$top"),
    ("$top=1001", "1000"),
    ("$top=99999999999999999999", "$top"),
    ("$top=٣", "$top"),
    ("$skip=-1", "$skip"),
    ("$skip=2147483648", "$skip"),
    ("$count=yes", "$count"),
    ("$count=True", "$count"),
    ("$count=1", "$count"),
    ("$search=", "$search"),
    ("$search=(a", "$search"),
    ('$search="a', "$search"),
    ("$format=xml", "$format"),
    ("$format=atom", "$format"),
    ("$skiptoken=", "$skiptoken"),
    ("$deltatoken=x", "$deltatoken"),
    ("$nope=1", "$nope"),
    ("nope=1", "nope"),
    ("=1", "''"),
    ("$=1", "$"),
    ("$top=1&$top=1", "$top"),
    ("$top=1&top=2", "$top"),
    ("$filter=id eq 'x'&%24FILTER=id eq 'x'", "$filter"),
    ("$filter=%FF", "UTF-8"),
    ("$filter=%C3%28", "UTF-8"),
]


@pytest.mark.parametrize(("options", "named"), REFUSED)
@on_every_root
def test_a_bad_option_is_refused_by_name(
    alerts: FlaskClient, root: str, options: str, named: str
) -> None:
    assert named in refused(get(alerts, options, root))


@pytest.mark.parametrize("root", ROOTS)
def test_top_goes_to_a_thousand(alerts: FlaskClient, root: str) -> None:
    assert len(ids(ask(alerts, root, top="1000"))) == 4


@pytest.mark.parametrize(
    ("method", "segments", "options"),
    [
        ("GET", ("alerts", "quiet"), ["$filter=id eq 'x'", "$top=1", "$skip=1", "$count=true"]),
        ("GET", ("alerts", "quiet"), ["$orderby=id", "$search=x", "$skiptoken=x"]),
        ("GET", (), ["$filter=id eq 'x'", "$top=1", "$orderby=id"]),
        ("POST", ("alerts",), ["$filter=id eq 'x'", "$top=1"]),
        ("PATCH", ("alerts", "quiet"), ["$filter=id eq 'x'", "$count=true"]),
        ("DELETE", ("alerts", "quiet"), ["$select=id", "$filter=id eq 'x'"]),
        ("GET", ("alerts", "quiet", "title"), ["$select=id", "$top=1"]),
        ("GET", ("alerts", "quiet", "title", "$value"), ["$select=id", "$format=json"]),
        ("GET", ("alerts", "$ref"), ["$select=id", "$expand=x"]),
        ("GET", ("alerts", "$count"), ["$select=id", "$orderby=id", "$skip=1"]),
        ("POST", ("alerts", "updateAlerts"), ["$select=id", "$top=1"]),
    ],
)
def test_options_where_they_mean_nothing(
    alerts: FlaskClient, method: str, segments: tuple[str, ...], options: list[str]
) -> None:
    for each in options:
        url = f"{at('localtest', *segments)}?{each}"
        response = alerts.open(url, method=method, json={} if method in ("POST", "PATCH") else None)
        assert each.partition("=")[0] in refused(response)
    assert len(ids(alerts.get(at("v1.0", "alerts")))) == 4


@pytest.mark.parametrize(
    "query",
    [
        {"$filter": "alerts/any(a:a/nope eq 'high')"},
        {"$filter": "customTags/any(t:alerts/any(a:a/nope eq t))"},
        {"$filter": "$it/alerts/any(a:a/nope eq 1)"},
        {"$filter": "alerts/any(a:a/evidence/any(e:e/nope eq 1))"},
    ],
)
def test_a_path_through_a_navigation_is_held_to_the_type_there(
    graph: FlaskClient, query: dict[str, str]
) -> None:
    message = refused(graph.get("/v1.0/security/incidents", query_string=query))
    assert "'nope' does not exist on type 'microsoft.graph.security.alert" in message


@pytest.mark.parametrize(
    "query", [{"$filter": "alerts/severity eq 'high'"}, {"$orderby": "alerts/title"}]
)
def test_what_leads_to_many_is_no_single_value(graph: FlaskClient, query: dict[str, str]) -> None:
    message = refused(graph.get("/v1.0/security/incidents", query_string=query))
    assert "is asked of a collection, which takes any, all or $count" in message
