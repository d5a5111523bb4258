"""Etags on everything, If-Match and If-None-Match."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from . import VENDOR, at, create, ids, on_every_creatable_set, on_every_root, on_every_set, refused

Json = Any

ALERTS = at("v1.0", "alerts")
STALE = 'W/"0"'


def change(value: str) -> dict[str, Json]:
    return {"assignedTo": value, "vendorInformation": VENDOR}


@on_every_set
def test_every_entity_has_an_etag(graph: FlaskClient, root: str, name: str) -> None:
    create(graph, name, id="a")
    create(graph, name, id="b")
    read = graph.get(at(root, name, "a"))
    etag = read.headers["ETag"]
    assert etag.startswith('W/"')
    assert etag.endswith('"')
    assert read.get_json()["@odata.etag"] == etag
    listed = graph.get(at(root, name))
    etags = {each["id"]: each["@odata.etag"] for each in listed.get_json()["value"]}
    assert etags["a"] == etag != etags["b"]
    assert len(etags) == 2
    assert graph.get(at(root, name, "a")).headers["ETag"] == etag


@on_every_root
def test_each_write_makes_another_etag(graph: FlaskClient, root: str) -> None:
    url = at(root, "alerts", create(graph, "alerts")["id"])
    etags = [graph.get(url).headers["ETag"]]
    for number in range(3):
        response = graph.patch(url, json=change(str(number)))
        assert response.headers["ETag"] == graph.get(url).headers["ETag"]
        etags.append(response.headers["ETag"])
    assert len(set(etags)) == 4


def test_a_write_elsewhere_leaves_an_etag_alone(graph: FlaskClient) -> None:
    url = at("v1.0", "alerts", create(graph, "alerts")["id"])
    etag = graph.get(url).headers["ETag"]
    create(graph, "alerts")
    create(graph, "secureScores")
    graph.patch(at("beta"), json={"providerStatus": [{}]})
    assert graph.get(url).headers["ETag"] == etag


@on_every_root
@pytest.mark.parametrize("segments", [(), ("alerts", "a"), ("secureScores", "a")])
def test_reading_what_one_has(graph: FlaskClient, root: str, segments: tuple[str, ...]) -> None:
    create(graph, "alerts", id="a")
    create(graph, "secureScores", id="a")
    url = at(root, *segments)
    etag = graph.get(url).headers["ETag"]
    for tags in (etag, "*", f"{STALE}, {etag}", etag.removeprefix("W/"), f'"x",{etag}'):
        for method in ("GET", "HEAD"):
            response = graph.open(url, method=method, headers={"If-None-Match": tags})
            assert (response.status_code, response.data) == (304, b"")
            assert response.headers["ETag"] == etag
    for tags in (STALE, '"x"', etag[:-2] + '"', etag.upper() + "x"):
        response = graph.get(url, headers={"If-None-Match": tags})
        assert response.status_code == 200
        assert response.get_json()["@odata.etag"] == etag
    assert graph.get(url, headers={"If-Match": etag}).status_code == 200
    assert graph.get(url, headers={"If-Match": "*"}).status_code == 200
    refused(graph.get(url, headers={"If-Match": STALE}), 412)


PARTS = [("title",), ("title", "$value"), ("tags",), ("vendorInformation",), ("category",)]


@pytest.mark.parametrize("path", PARTS)
@on_every_root
def test_a_property_has_the_etag_of_its_entity(
    graph: FlaskClient, root: str, path: tuple[str, ...]
) -> None:
    made = create(graph, "alerts", title="t", vendorInformation=VENDOR)
    etag, url = made["@odata.etag"], at(root, "alerts", made["id"], *path)
    assert graph.get(url).headers["ETag"] == etag
    unchanged = graph.get(url, headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    assert unchanged.headers["ETag"] == etag
    assert graph.get(url, headers={"If-None-Match": STALE}).status_code in (200, 204)
    refused(graph.get(url, headers={"If-Match": STALE}), 412)


@on_every_root
def test_an_update_is_conditional(graph: FlaskClient, root: str) -> None:
    url = at(root, "alerts", create(graph, "alerts")["id"])
    first = graph.get(url).headers["ETag"]
    for tags in (first, "*", f'"x", {first}'):
        fresh = graph.get(url).headers["ETag"]
        headers = {"If-Match": tags.replace(first, fresh)}
        assert graph.patch(url, json=change(tags), headers=headers).status_code in (200, 204)
        assert graph.get(url).get_json()["assignedTo"] == tags
    before = graph.get(url).get_json()
    for tags in (first, STALE, '"x"', "x"):
        assert refused(graph.patch(url, json=change("lost"), headers={"If-Match": tags}), 412)
    for tags in ("*", before["@odata.etag"]):
        refused(graph.patch(url, json=change("lost"), headers={"If-None-Match": tags}), 412)
    assert graph.get(url).json == before
    allowed = graph.patch(url, json=change("won"), headers={"If-None-Match": STALE})
    assert allowed.status_code in (200, 204)


@on_every_creatable_set
def test_a_deletion_is_conditional(graph: FlaskClient, root: str, name: str) -> None:
    url = at(root, name, create(graph, name)["id"])
    etag = graph.get(url).headers["ETag"]
    refused(graph.delete(url, headers={"If-Match": STALE}), 412)
    refused(graph.delete(url, headers={"If-None-Match": etag}), 412)
    assert graph.get(url).headers["ETag"] == etag
    assert graph.delete(url, headers={"If-Match": etag}).status_code == 204
    refused(graph.delete(url, headers={"If-Match": etag}), 404)
    assert ids(graph.get(at(root, name))) == []


@on_every_root
def test_the_singletons_update_is_conditional(graph: FlaskClient, root: str) -> None:
    etag = graph.get(at(root)).headers["ETag"]
    body = {"providerStatus": [{"provider": "p"}]}
    refused(graph.patch(at(root), json=body, headers={"If-Match": STALE}), 412)
    assert graph.get(at(root)).get_json()["providerStatus"] == []
    assert graph.patch(at(root), json=body, headers={"If-Match": etag}).status_code == 200
    refused(graph.patch(at(root), json=body, headers={"If-Match": etag}), 412)


def test_of_two_writers_with_one_etag_one_wins(graph: FlaskClient) -> None:
    url = at("v1.0", "alerts", create(graph, "alerts")["id"])
    etag = graph.get(url).headers["ETag"]
    results = [
        graph.patch(url, json=change(who), headers={"If-Match": etag}).status_code
        for who in ("first", "second")
    ]
    assert results == [204, 412]
    assert graph.get(url).get_json()["assignedTo"] == "first"


def test_an_entity_made_anew_has_another_etag(graph: FlaskClient) -> None:
    first = create(graph, "alerts", id="a")["@odata.etag"]
    graph.delete(at("v1.0", "alerts", "a"))
    assert create(graph, "alerts", id="a")["@odata.etag"] != first
    refused(graph.delete(at("v1.0", "alerts", "a"), headers={"If-Match": first}), 412)


def test_a_malformed_update_is_refused_before_its_condition(graph: FlaskClient) -> None:
    url = at("v1.0", "alerts", create(graph, "alerts")["id"])
    refused(graph.patch(url, json={"title": 5}, headers={"If-Match": STALE}), 400)


def test_a_comment_is_conditional_too(graph: FlaskClient) -> None:
    url = at("v1.0", "alerts_v2", create(graph, "alerts_v2")["id"])
    etag = graph.get(url).headers["ETag"]
    refused(graph.post(f"{url}/comments", json={"comment": "x"}, headers={"If-Match": STALE}), 412)
    assert graph.get(url).headers["ETag"] == etag
    made = graph.post(f"{url}/comments", json={"comment": "x"}, headers={"If-Match": etag})
    assert made.status_code == 200
    assert graph.get(url).headers["ETag"] != etag


def test_an_answer_without_content_has_no_content_type(graph: FlaskClient) -> None:
    graph.post(ALERTS, json={"id": "a"})
    etag = graph.get(f"{ALERTS}/a").headers["ETag"]
    answers = [
        graph.get(f"{ALERTS}/a", headers={"If-None-Match": etag}),
        graph.options(ALERTS),
        graph.delete(f"{ALERTS}/a"),
    ]
    assert [(each.status_code, each.headers.get("Content-Type")) for each in answers] == [
        (304, None),
        (204, None),
        (204, None),
    ]


@pytest.mark.parametrize("part", ["title", "title/$value", "vendorInformation", "tags", "feedback"])
def test_a_part_has_the_etag_of_its_entity(graph: FlaskClient, part: str) -> None:
    graph.post(ALERTS, json={"id": "a", "title": "t", "vendorInformation": VENDOR})
    etag = graph.get(f"{ALERTS}/a").headers["ETag"]
    url = f"{ALERTS}/a/{part}"
    assert graph.get(url).headers["ETag"] == etag
    assert graph.get(url, headers={"If-None-Match": '"other"'}).status_code in (200, 204)
    same = graph.get(url, headers={"If-None-Match": etag})
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", etag)
    assert graph.get(url, headers={"If-Match": '"other"'}).status_code == 412
