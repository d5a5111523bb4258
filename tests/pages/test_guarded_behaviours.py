"""Behaviours are for the resources that they were made for, not for others of the same names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from mockgraph import MockGraph
from mockgraph.metadata import roots
from mockgraph.metadata.elements import short_name
from mockgraph.service import BEHAVIOURS
from pages.markdown import block

AUTH = {"Authorization": "Bearer anything"}
ROOT = "contoso"
URL = f"https://graph.microsoft.com/{ROOT}"
MODELS = [roots.served(name) for name in ("beta", "localtest")]
OPERATIONS = sorted(
    {
        (name, each.binding.name, each.binding.collection, each.kind)
        for model in MODELS
        for name in BEHAVIOURS
        for each in model.operations(name)
        if each.binding is not None
    }
)
WRITTEN = sorted(name for name in BEHAVIOURS if any(model.type(name) for model in MODELS))
TYPES = sorted({*WRITTEN, *(bound for _, bound, _, _ in OPERATIONS)})


def address(type_name: str) -> str:
    """The path of the set that the pages have for a type, which is in no bundled metadata."""
    return f"/others{TYPES.index(type_name)}"


def called(name: str, bound: str, is_collection: bool) -> str:
    return f"{address(bound)}{'' if is_collection else '/{id}'}/{short_name(name)}"


def method(kind: str) -> str:
    return "GET" if kind == "function" else "POST"


def written_pages(folder: Path, *, with_answers: bool) -> None:
    """Write pages of types that bear the names of the bundled ones, and have one property."""
    entity = {"id": "a", "label": "A label"}
    for number, name in enumerate(TYPES):
        keys = {"@odata.type": name, "keyProperty": "id"}
        text = f"# {short_name(name)} resource type\n\n"
        text += "## Properties\n|Property|Type|Description|\n|:--|:--|:--|\n"
        text += "|id|String||\n|label|String||\n\n"
        text += block("resource", json.dumps(entity), " json", **keys)
        (folder / f"type{number}.md").write_text(text)
        text = f"# Create {short_name(name)}\n\n"
        text += block("request", f'POST {URL}{address(name)}\n\n{{"label": "A label"}}')
        answer = f"HTTP/1.1 201 Created\n\n{json.dumps(entity)}"
        text += block("response", answer, **{"@odata.type": name})
        (folder / f"create{number}.md").write_text(text)
    for number, (name, bound, is_collection, kind) in enumerate(OPERATIONS):
        line = f"{method(kind)} {called(name, bound, is_collection)}"
        text = f"# {short_name(bound)}: {short_name(name)}\n\n## HTTP request\n"
        text += block("ignored", line)
        if with_answers:
            text += block("request", line.replace(" ", f" {URL}"))
            text += block("response", "HTTP/1.1 204 No Content")
        (folder / f"operation{number}.md").write_text(text)


@pytest.fixture(scope="module", params=[True, False], ids=["with answers", "without"])
def graph(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MockGraph]:
    folder = tmp_path_factory.mktemp("pages")
    written_pages(folder, with_answers=request.param)
    with MockGraph(docs=[folder]) as served:
        yield served


@pytest.mark.parametrize("name", TYPES)
def test_entities_of_other_types_are_kept_as_they_are_written(graph: MockGraph, name: str) -> None:
    url = f"{graph.origin}/{ROOT}{address(name)}"
    made = requests.post(url, json={"label": "First"}, headers=AUTH)
    assert (made.status_code, made.json()["label"]) == (201, "First")
    at = f"{url}/{made.json()['id']}"
    changed = requests.patch(at, json={"label": "Second"}, headers=AUTH)
    assert changed.status_code in (200, 204)
    assert requests.get(at, headers=AUTH).json()["label"] == "Second"
    assert requests.delete(at, headers=AUTH).status_code == 204


@pytest.mark.parametrize(("name", "bound", "is_collection", "kind"), OPERATIONS)
def test_operations_of_other_types_answer_as_shown_or_say_that_they_are_not_emulated(
    graph: MockGraph, name: str, bound: str, is_collection: bool, kind: str
) -> None:
    url = f"{graph.origin}/{ROOT}{address(bound)}"
    key = requests.post(url, json={"label": "First"}, headers=AUTH).json()["id"]
    path = called(name, bound, is_collection).replace("{id}", key)
    answer = requests.request(method(kind), f"{graph.origin}/{ROOT}{path}", headers=AUTH)
    assert answer.status_code in (204, 501)
    if answer.status_code == 501:
        assert f"{short_name(name)}' does" in answer.json()["error"]["message"]


def test_the_bundled_ones_behave_as_ever(graph: MockGraph) -> None:
    url = f"{graph.origin}/v1.0/security/cases/ediscoveryCases"
    case = requests.post(url, json={"displayName": "A case"}, headers=AUTH).json()
    closed = requests.post(f"{url}/{case['id']}/close", headers=AUTH)
    assert closed.status_code == 204
    assert requests.get(f"{url}/{case['id']}", headers=AUTH).json()["status"] == "closed"


def test_what_a_user_registers_is_for_wherever_its_name_is(tmp_path: Path) -> None:
    written_pages(tmp_path, with_answers=True)
    file = tmp_path / "operations.py"
    name = "microsoft.graph.security.close"
    file.write_text(
        "from mockgraph import operation\n"
        f"@operation({name!r})\n"
        "def close(transaction, call):\n"
        "    transaction.update(call.table, call.key, {'label': 'Closed'})\n"
    )
    with MockGraph(docs=[tmp_path], operations=[file]) as graph:
        url = f"{graph.origin}/{ROOT}{address('microsoft.graph.security.ediscoveryCase')}"
        key = requests.post(url, json={"label": "Open"}, headers=AUTH).json()["id"]
        assert requests.post(f"{url}/{key}/close", headers=AUTH).status_code == 204
        assert requests.get(f"{url}/{key}", headers=AUTH).json()["label"] == "Closed"
