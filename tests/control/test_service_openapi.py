"""The served service as an OpenAPI description: valid, whole, and as its answers are."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from metadata.strategies import models
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from mockgraph.control.service_openapi import service_description
from mockgraph.metadata import csdl
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.resources import Service, View
from mockgraph.odata.routes import routes_of
from mockgraph.seeds import read_seeds
from mockgraph.service import BEHAVIOURS, SERVICE

pytestmark = pytest.mark.long

ALERTS = "/security/alerts_v2"
COMPOSITE = b"""<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
<edmx:DataServices><Schema Namespace="a" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="part"><Key><PropertyRef Name="make"/><PropertyRef Name="number"/></Key>
<Property Name="make" Type="Edm.String" Nullable="false"/>
<Property Name="number" Type="Edm.Int32" Nullable="false"/></EntityType>
<EntityContainer Name="C"><EntitySet Name="parts" EntityType="a.part"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""


def described(client: FlaskClient, root: str, below: str | None = None) -> Any:
    query = {} if below is None else {"below": below}
    answer = client.get(f"/_mockgraph/openapi/{root}.json", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


@pytest.mark.parametrize(
    ("root", "below"),
    [
        ("localtest", None),
        ("v1.0", ALERTS),
        ("v1.0", "/v1.0/security/cases/"),
        ("beta", "security/rules"),
        ("beta", "/$batch"),
    ],
)
def test_it_is_valid(client: FlaskClient, root: str, below: str | None) -> None:
    validate(described(client, root, below))


@pytest.mark.long
@pytest.mark.parametrize("root", ["v1.0", "beta"])
def test_it_is_valid_as_a_whole(client: FlaskClient, root: str) -> None:
    validate(described(client, root))


@pytest.mark.parametrize("root", SERVICE.views)
def test_each_operation_is_described(client: FlaskClient, root: str) -> None:
    told = described(client, root)["paths"]
    found = {
        (method.upper(), re.sub(r"\{[^}]*\}|'", "", path))
        for path, item in told.items()
        for method in item
    }
    served = routes_of(SERVICE.views[root], BEHAVIOURS)
    assert found == {(each.method, re.sub(r"\{[^}]*\}", "", each.template)) for each in served}


def test_keys_and_options_have_names(client: FlaskClient) -> None:
    told = described(client, "v1.0", ALERTS)["paths"]
    one = told["/v1.0/security/alerts_v2/{alert-id}"]
    assert [each["name"] for each in one["get"]["parameters"]] == ["alert-id", "$select", "$expand"]
    listed = told["/v1.0/security/alerts_v2"]["get"]
    options = {each["name"]: each["schema"] for each in listed["parameters"]}
    assert {"$filter", "$top", "$skip", "$count"} <= options.keys()
    assert options["$top"]["maximum"] == 1000
    assert {"token": ["SecurityAlert.Read.All"]} in listed["security"]


def test_keys_of_several_levels_differ(client: FlaskClient) -> None:
    told = described(client, "v1.0", "/security/cases/ediscoveryCases")["paths"]
    custodian = "/v1.0/security/cases/ediscoveryCases/{ediscoveryCase-id}/custodians"
    assert f"{custodian}/{{ediscoveryCustodian-id}}" in told


def test_what_is_answered_is_as_described(make_client: Callable[..., FlaskClient]) -> None:
    client = make_client(seed=read_seeds("demo"))
    told = described(client, "v1.0", ALERTS)
    listed = told["paths"]["/v1.0/security/alerts_v2"]["get"]["responses"]["200"]
    schema = {**listed["content"]["application/json"]["schema"], "components": told["components"]}
    answer = client.get(f"/v1.0{ALERTS}").get_json()
    validator = OAS31Validator(schema)
    assert len(answer["value"]) > 10
    validator.validate(answer)
    answer["value"][0]["severity"] = "very high"
    assert not validator.is_valid(answer)


def test_what_nobody_says_the_effect_of_is_a_501() -> None:
    told = service_description(SERVICE, (), "v1.0", "", "/security/cases")["paths"]
    close = next(path for path in told if path.endswith("/microsoft.graph.security.close"))
    assert sorted(told[close]["post"]["responses"]) == ["4XX", "501", "5XX"]


@given(models())
def test_any_model_has_a_valid_description(model: Model) -> None:
    view = View("one", lambda: model)
    validate(service_description(Service([view], view), (), "one", "http://x"))


def test_keys_of_several_parts_are_in_parentheses() -> None:
    model = csdl.parse([("one.xml", COMPOSITE)])
    view = View("one", lambda: model)
    paths = service_description(Service([view], view), (), "one", "http://x")["paths"]
    assert "/one/parts(make='{part-make}',number={part-number})" in paths


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("v1.json", "Did you mean v1.0?"),
        ("v1.0.json?below=/security/alert_v2", "Did you mean /v1.0/security/alerts_v2"),
        ("v1.0.json?blow=/x", "Did you mean below?"),
    ],
)
def test_what_is_misspelt(client: FlaskClient, path: str, says: str) -> None:
    answer = client.get(f"/_mockgraph/openapi/{path}")
    assert answer.status_code in (400, 404)
    assert says in answer.get_json()["error"]["message"]
