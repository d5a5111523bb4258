"""The OpenAPI description: every action is in it, with what it takes."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from mockgraph.control.catalogue import ACTIONS
from mockgraph.control.json_schemas import schema_of_type
from mockgraph.testing.faults import PRESETS


@pytest.fixture
def told(client: FlaskClient) -> Any:
    return client.get("/_mockgraph/openapi.json").get_json()


def test_each_action_is_an_operation(told: Any) -> None:
    assert told["openapi"] == "3.1.0"
    operations = {
        (method.upper(), path): each["operationId"]
        for path, item in told["paths"].items()
        for method, each in item.items()
    }
    assert operations == {(each.method, f"/_mockgraph{each.path}"): each.name for each in ACTIONS}


def test_paths_and_queries(told: Any) -> None:
    paths = told["paths"]
    (name,) = paths["/_mockgraph/snapshots/{name}"]["get"]["parameters"]
    assert (name["in"], name["required"], name["schema"]["type"]) == ("path", True, "string")
    listed = paths["/_mockgraph/requests"]["get"]["parameters"]
    assert [(each["name"], each["in"]) for each in listed][3:5] == [
        ("answeredBy", "query"),
        ("inBatch", "query"),
    ]


def test_bodies(told: Any) -> None:
    stubs = told["paths"]["/_mockgraph/stubs"]["post"]["requestBody"]["content"]
    schema = stubs["application/json"]["schema"]
    assert (schema["required"], schema["additionalProperties"]) == (["path"], False)
    assert schema["properties"]["status"]["type"] == "integer"
    faults = told["paths"]["/_mockgraph/faults"]["post"]["requestBody"]["content"]
    forms = faults["application/json"]["schema"]["oneOf"]
    assert [each["title"] for each in forms] == [*PRESETS, "add"]
    quota = next(each for each in forms if each["title"] == "quota")
    assert quota["required"] == ["preset", "limit", "window"]
    assert quota["properties"]["per"]["enum"] == ["app", "tenant"]


def test_what_is_answered(told: Any) -> None:
    paths = told["paths"]
    assert list(paths["/_mockgraph/reset"]["post"]["responses"]) == ["204", "default"]
    assert paths["/_mockgraph/reset"]["post"]["x-mockgraph-destructive"] is True
    events = paths["/_mockgraph/requests/events"]["get"]["responses"]["200"]
    assert list(events["content"]) == ["text/event-stream"]


def test_how_answers_look(told: Any) -> None:
    def answer(path: str, status: str = "200", method: str = "get") -> Any:
        content = told["paths"][f"/_mockgraph{path}"][method]["responses"][status]["content"]
        return content["application/json"]["schema"]

    listed = answer("/requests")
    assert listed["required"] == ["dropped", "value"]
    assert listed["properties"]["value"]["items"]["properties"]["status"] == {"type": "integer"}
    assert answer("/clock")["properties"] == {"now": {"type": "string"}}
    assert answer("/tenants")["properties"]["value"]["items"] == {"type": "string"}
    assert answer("/faults", "201", "post")["required"] == ["id", "struck", "times"]
    told_nothing = [each for each in ACTIONS if each.answers and not each.is_stream]
    assert all(schema_of_type(each.answer_type) for each in told_nothing)


def test_it_is_valid(told: Any) -> None:
    validate(told)


def test_a_tenant_has_its_own_server(client: FlaskClient) -> None:
    told: Any = client.get("/t/mine/_mockgraph/openapi.json").get_json()
    assert told["servers"] == [{"url": "http://localhost/t/mine"}]
