"""JSON batches: what is refused whole, what one request is answered, and in which order."""

from __future__ import annotations

import base64
import json
import logging
import re
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from mockgraph.errors import BadRequest, GraphError, NotEmulated, NotFound, Unauthenticated
from mockgraph.odata import batch
from mockgraph.odata.batch import Item
from mockgraph.service import SERVICE

Json = Any
Sent = tuple[str, str, str, dict[str, str], bytes]

V1 = SERVICE.views["v1.0"]
JSON = [("Content-Type", "application/json")]
SPREAD = settings(max_examples=examples(200), deadline=None)


def one(**facets: Json) -> dict[str, Json]:
    return {"id": "1", "method": "GET", "url": "/security", **facets}


def requests(*changes: dict[str, Json]) -> dict[str, Json]:
    return {"requests": [one(**each) for each in changes]}


def chain(**dependencies: Json) -> dict[str, Json]:
    """A batch of requests by id, each with what it depends on."""
    return requests(*({"id": key, "dependsOn": names} for key, names in dependencies.items()))


class Sender:
    """Takes what is sent; answers 200 and nothing, or what a URL's path stands for."""

    def __init__(self, **answers: Any):
        self.sent: list[Sent] = []
        self._answers = answers

    def __call__(
        self, method: str, path: str, query: str, headers: batch.Headers, body: bytes
    ) -> tuple[int, batch.Headers, bytes]:
        self.sent.append((method, path, query, dict(headers), body))
        answer = self._answers.get(path.rpartition("/")[2], (200, [], b""))
        if isinstance(answer, Exception):
            raise answer
        status, answered, content = answer
        return status, answered, content


def run(body: Json, send: Sender, **facets: Any) -> list[Json]:
    items = batch.read(body)
    answered = batch.run_batch(items, facets.pop("root", V1), SERVICE, send, **facets)
    assert list(answered) == ["responses"]
    orjson.dumps(answered)
    responses: list[Json] = answered["responses"]
    return responses


def run_one(send: Sender | None = None, **facets: Json) -> Json:
    [response] = run(requests(facets), send or Sender())
    return response


def sent_for(**facets: Json) -> Sent:
    send = Sender()
    assert run_one(send, **facets)["status"] == 200
    [sent] = send.sent
    return sent


# -- reading ----------------------------------------------------------------------------


def test_an_item_as_it_was_sent() -> None:
    [item] = batch.read(
        {
            "requests": [
                {
                    "id": "A b",
                    "method": "patch",
                    "url": "/security/alerts/1?$select=id#x",
                    "headers": {"If-Match": '"1"', "content-type": "application/json"},
                    "body": {"status": "resolved"},
                    "depends_on": ["no such id"],
                    "atomicityGroup": None,
                    "more": 1,
                }
            ],
            "more": 1,
        }
    )
    assert item == Item(
        "A b",
        "PATCH",
        "/security/alerts/1?$select=id#x",
        (("If-Match", '"1"'), ("content-type", "application/json")),
        {"status": "resolved"},
        (),
    )


def test_what_may_be_left_out() -> None:
    [item] = batch.read(requests({"headers": None, "body": None, "dependsOn": None}))
    assert item == Item("1", "GET", "/security")
    assert batch.read(requests({})) == (item,)


@pytest.mark.parametrize(
    "body",
    [None, [], "requests", 1, {}, {"requests": None}, {"requests": {}}, {"Requests": [one()]}],
)
def test_what_is_no_batch(body: Json) -> None:
    with pytest.raises(BadRequest, match="'requests'"):
        batch.read(body)


@pytest.mark.parametrize("count", [0, 21, 1000])
def test_too_few_and_too_many(count: int) -> None:
    with pytest.raises(BadRequest, match=f"1 to 20 requests, not {count}"):
        batch.read(requests(*({"id": str(index)} for index in range(count))))


def test_as_many_as_may_be() -> None:
    items = batch.read(requests(*({"id": str(index)} for index in range(20))))
    assert [item.id for item in items] == [str(index) for index in range(20)]


ODD: list[Json] = [None, "", 1, 1.5, True, [], ["1"], {}, {"id": "1"}]


@pytest.mark.parametrize("name", ["id", "method", "url"])
@pytest.mark.parametrize("value", ODD)
def test_what_every_request_needs(name: str, value: Json) -> None:
    with pytest.raises(BadRequest, match=f"^requests/1/{name}: "):
        batch.read(requests({"id": "0"}, {name: value}))
    lacking = one()
    del lacking[name]
    with pytest.raises(BadRequest, match=f"^requests/1/{name}: "):
        batch.read({"requests": [one(id="0"), lacking]})


@pytest.mark.parametrize("value", [*ODD[:-2], "GET"])
def test_a_request_that_is_no_object(value: Json) -> None:
    with pytest.raises(BadRequest, match=r"^requests/1: "):
        batch.read({"requests": [one(id="0"), value]})


@pytest.mark.parametrize(
    ("facets", "at"),
    [
        ({"method": "GET "}, "method"),
        ({"method": "GET\r\nX: 1"}, "method"),
        ({"method": "ΓΕΤ"}, "method"),
        ({"method": "G" * 33}, "method"),
        ({"headers": []}, "headers"),
        ({"headers": "Prefer: x"}, "headers"),
        ({"headers": {"": "x"}}, "headers"),
        ({"headers": {"a b": "x"}}, "headers"),
        ({"headers": {"a\r\nb": "x"}}, "headers"),
        ({"headers": {"ä": "x"}}, "headers"),
        ({"headers": {"a" * 257: "x"}}, "headers"),
        ({"headers": {"Prefer": None}}, "headers/Prefer"),
        ({"headers": {"Prefer": 1}}, "headers/Prefer"),
        ({"headers": {"Prefer": ["x"]}}, "headers/Prefer"),
        ({"headers": {"Prefer": "x\r\nX: 1"}}, "headers/Prefer"),
        ({"headers": {"Prefer": "x\x00"}}, "headers/Prefer"),
        ({"headers": {"Prefer": "€"}}, "headers/Prefer"),
        ({"body": "e30="}, "headers"),
        ({"body": "", "headers": {"Prefer": "x"}}, "headers"),
        ({"body": "e30=", "headers": {"Content-Type": ""}}, "headers"),
        ({"dependsOn": "1"}, "dependsOn"),
        ({"dependsOn": {"1": "1"}}, "dependsOn"),
        ({"dependsOn": ["0", 0]}, "dependsOn/1"),
        ({"dependsOn": [None]}, "dependsOn/0"),
        ({"dependsOn": [["0"]]}, "dependsOn/0"),
        ({"dependsOn": ["0", "3"]}, "dependsOn"),
        ({"dependsOn": [""]}, "dependsOn"),
        ({"dependsOn": ["1"]}, "dependsOn"),
        ({"id": "A", "dependsOn": ["a"]}, "dependsOn"),
        ({"id": "0"}, "id"),
    ],
)
def test_what_is_malformed_is_named(facets: dict[str, Json], at: str) -> None:
    with pytest.raises(BadRequest) as refused:
        batch.read(requests({"id": "0"}, facets, {"id": "2"}))
    assert refused.value.message.startswith(f"requests/1/{at}: ")
    assert len(refused.value.message) < 200


@pytest.mark.parametrize("group", ["g1", "", 1, {}])
def test_atomicity_groups_are_not_emulated(group: Json) -> None:
    with pytest.raises(NotEmulated, match="atomicity groups"):
        batch.read(requests({"atomicityGroup": group}))


@pytest.mark.parametrize(("first", "second"), [("a", "a"), ("a", "A"), ("É", "é")])
def test_the_case_of_an_id_does_not_count(first: str, second: str) -> None:
    with pytest.raises(BadRequest, match=r"^requests/2/id: "):
        batch.read(requests({"id": first}, {"id": "b"}, {"id": second}))
    items = batch.read(chain(**{first: [], "b": [second]}))
    assert [item.id for item in items] == [first, "b"]


@pytest.mark.parametrize(
    ("dependencies", "order"),
    [
        ({"a": [], "b": [], "c": []}, "abc"),
        ({"a": [], "b": ["a"], "c": ["b"]}, "abc"),
        ({"a": ["c"], "b": [], "c": []}, "bca"),
        ({"a": ["b"], "b": ["c"], "c": []}, "cba"),
        ({"a": ["d"], "b": ["a"], "c": [], "d": ["c", "c"]}, "cdab"),
        ({"a": [], "b": ["a", "A", "a"], "c": []}, "abc"),
    ],
)
def test_what_depends_on_others_comes_after_them(dependencies: dict[str, Json], order: str) -> None:
    assert "".join(item.id for item in batch.read(chain(**dependencies))) == order


@pytest.mark.parametrize(
    ("dependencies", "at"),
    [
        ({"a": ["b"], "b": ["a"]}, 0),
        ({"a": [], "b": ["c"], "c": ["d"], "d": ["b"]}, 1),
        ({"a": ["c"], "b": [], "c": ["a", "b"]}, 0),
    ],
)
def test_a_circle_is_refused(dependencies: dict[str, Json], at: int) -> None:
    with pytest.raises(BadRequest, match=f"^requests/{at}/dependsOn: .*circle"):
        batch.read(chain(**dependencies))


# -- URLs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "path", "query"),
    [
        ("/security/alerts", "/v1.0/security/alerts", ""),
        ("security/alerts", "/v1.0/security/alerts", ""),
        ("/v1.0/security/alerts", "/v1.0/security/alerts", ""),
        ("v1.0/security/alerts", "/v1.0/security/alerts", ""),
        ("/V1.0/Security/Alerts", "/v1.0/Security/Alerts", ""),
        ("/v1%2E0/security", "/v1.0/security", ""),
        ("http://localhost:8365/v1.0/security/alerts/1", "/v1.0/security/alerts/1", ""),
        ("HTTPS://graph.microsoft.com/v1.0/security", "/v1.0/security", ""),
        ("https://graph.microsoft.com/security", "/v1.0/security", ""),
        ("https://user:secret@[::1]:1/v1.0/security", "/v1.0/security", ""),
        ("https://graph.microsoft.com", "/v1.0", ""),
        ("https://graph.microsoft.com?$format=json", "/v1.0", "$format=json"),
        ("/", "/v1.0", ""),
        ("/v1.0", "/v1.0", ""),
        ("/v1.0/", "/v1.0", ""),
        ("#fragment", "/v1.0", ""),
        ("/v1.0/$metadata", "/v1.0/$metadata", ""),
        # The root is taken off once; what is left is a segment like any other.
        ("/v1.0/v1.0/security", "/v1.0/v1.0/security", ""),
        ("/security/beta", "/v1.0/security/beta", ""),
        ("//security", "/v1.0//security", ""),
        ("//beta/security", "/v1.0//beta/security", ""),
        ("/../beta/security", "/v1.0/../beta/security", ""),
        ("/_mockgraph/reset", "/v1.0/_mockgraph/reset", ""),
        ("/security/alerts/$batch", "/v1.0/security/alerts/$batch", ""),
        # The query, as it is.
        ("/security/alerts?$top=1&$skip=2", "/v1.0/security/alerts", "$top=1&$skip=2"),
        ("/security/alerts?%24filter=a+b%20c&x", "/v1.0/security/alerts", "%24filter=a+b%20c&x"),
        ("/security/alerts?$top=1#a?b#c", "/v1.0/security/alerts", "$top=1"),
        ("/security?a=?/b://c", "/v1.0/security", "a=?/b://c"),
        ("/security/alerts?$filter=a eq 'é'", "/v1.0/security/alerts", "$filter=a%20eq%20'%C3%A9'"),
        ("/security/alerts/a b\r\n", "/v1.0/security/alerts/a%20b%0D%0A", ""),
        ("/security/alerts('a%2Fb')", "/v1.0/security/alerts('a%2Fb')", ""),
    ],
)
def test_where_a_url_leads(url: str, path: str, query: str) -> None:
    assert batch.resolve_item(url, V1, SERVICE) == (path, query)


@pytest.mark.parametrize("root", SERVICE.views.values(), ids=lambda root: root.name)
@pytest.mark.parametrize("origin", ["", "http://127.0.0.1:8365", "https://graph.microsoft.com"])
def test_a_batch_reaches_its_own_root_alone(root: Any, origin: str) -> None:
    for name in SERVICE.views:
        for spelt in (name, name.upper(), name.replace(".", "%2e")):
            url = f"{origin}/{spelt}/security?$top=1"
            if name == root.name:
                found = batch.resolve_item(url, root, SERVICE)
                assert found == (f"/{name}/security", "$top=1")
            else:
                with pytest.raises(BadRequest, match=f"'{root.name}' does not reach '{name}'"):
                    batch.resolve_item(url, root, SERVICE)


@pytest.mark.parametrize(
    "url",
    [
        "$batch",
        "/$batch",
        "/v1.0/$batch",
        "http://h/v1.0/$BATCH/",
        "/%24batch?x=1",
        "/v1.0/$batch#",
    ],
)
def test_a_batch_within_a_batch(url: str) -> None:
    with pytest.raises(BadRequest, match="another batch"):
        batch.resolve_item(url, V1, SERVICE)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://h/graph/v1.0/security", "/v1.0/security"),
        ("/graph/v1.0/security", "/v1.0/security"),
        ("/v1.0/security", "/v1.0/security"),
        ("/security", "/v1.0/security"),
        ("/graphs/v1.0", "/v1.0/graphs/v1.0"),
    ],
)
def test_the_prefix_that_the_caller_sees_is_taken_off(url: str, path: str) -> None:
    assert batch.resolve_item(url, V1, SERVICE, "/graph") == (path, "")
    send = Sender()
    run(requests({"url": url}), send, prefix="/graph")
    assert send.sent[0][1] == path


@SPREAD
@given(
    url=st.one_of(
        st.text(),
        st.lists(
            st.sampled_from(
                ["/", "//", "v1.0", "beta", "$batch", "..", "?", "#", "%2F", "%", "http:", "a", "é"]
            )
        ).map("".join),
    )
)
def test_any_url_leads_below_the_root_or_nowhere(url: str) -> None:
    try:
        path, query = batch.resolve_item(url, V1, SERVICE)
    except BadRequest:
        return
    assert path == "/v1.0" or path.startswith("/v1.0/")
    assert re.fullmatch(r"[!-~]*", path + query)
    assert not re.search(r"[?#]", path)
    assert "#" not in query
    # As one request from the wire has it.
    request = Request(EnvironBuilder(path=path, query_string=query).get_environ())
    assert request.path == unquote(path)
    assert request.query_string.decode() == query


# -- what is sent -----------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "post", "Patch", "PUT", "delete", "HEAD", "options"])
def test_the_method_in_any_case(method: str) -> None:
    assert sent_for(method=method)[0] == method.upper()


@pytest.mark.parametrize("body", [{}, {"a": [1, None, "é"]}, [], [{"a": 1}], 1, 0, False, True])
def test_a_json_body_is_sent_as_json(body: Json) -> None:
    headers, content = sent_for(method="POST", body=body)[3:]
    assert headers == {"Content-Type": "application/json"}
    assert json.loads(content) == body


@pytest.mark.parametrize("name", ["Content-Type", "content-type", "CONTENT-TYPE"])
def test_the_content_type_of_an_item_is_kept(name: str) -> None:
    headers, content = sent_for(headers={name: "text/plain"}, body={"a": 1})[3:]
    assert headers == {name: "text/plain"}
    assert content == b'{"a":1}'


@pytest.mark.parametrize("facets", [{}, {"body": None}])
def test_no_body_has_no_content_type(facets: dict[str, Json]) -> None:
    assert sent_for(**facets)[3:] == ({}, b"")


def test_headers_go_with_the_item_but_for_those_of_a_connection() -> None:
    kept = {"If-Match": 'W/"1"', "Prefer": "return=minimal", "X-Own": "ä\t"}
    dropped = dict.fromkeys(
        ["Host", "Connection", "content-length", "Transfer-Encoding", "TE", "upgrade"], "1"
    )
    assert sent_for(headers={**dropped, **kept})[3] == kept


@pytest.mark.parametrize("content_type", ["application/json", "image/png", "text/plain"])
@pytest.mark.parametrize("text", ["", "AA", "AA==", "-_-_", "+/+/", "e30=", "e30", "AAAA", "____"])
def test_text_is_base64_in_either_alphabet(content_type: str, text: str) -> None:
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    headers, content = sent_for(headers={"Content-Type": content_type}, body=text)[3:]
    assert content == base64.b64decode(padded.replace("-", "+").replace("_", "/"))
    assert headers == {"Content-Type": content_type}


@SPREAD
@given(content=st.binary(max_size=100), encode=st.sampled_from(["b64encode", "urlsafe_b64encode"]))
def test_bytes_arrive_as_they_were(content: bytes, encode: str) -> None:
    text = getattr(base64, encode)(content).decode()
    for body in (text, text.rstrip("=")):
        assert sent_for(headers={"Content-Type": "image/png"}, body=body)[4] == content


@pytest.mark.parametrize(
    "text", ["A", "AAAAA", "e3 0=", "e30=\n", "e=30", "é30=", "{}", '{"a": 1}', "e30*", "====A"]
)
def test_what_is_not_base64_is_the_fault_of_its_item(text: str) -> None:
    send = Sender()
    facets = {"headers": {"Content-Type": "text/plain"}, "body": text}
    bad, good = run(requests({"id": "bad", **facets}, {"id": "good"}), send)
    assert (bad["id"], bad["status"], bad["body"]["error"]["code"]) == ("bad", 400, "BadRequest")
    assert "base64" in bad["body"]["error"]["message"]
    assert (good["id"], good["status"]) == ("good", 200)
    assert len(send.sent) == 1


# -- what is answered -------------------------------------------------------------------


def answered(status: int, headers: Sequence[tuple[str, str]], body: bytes) -> Json:
    return run_one(Sender(security=(status, headers, body)), id="Ab")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON ; charset=utf-8",
        "application/json;odata.metadata=minimal;odata.streaming=true",
        "application/problem+json",
    ],
)
@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
def test_json_is_answered_as_json(content_type: str, name: str) -> None:
    assert answered(201, [(name, content_type)], b'{"a": [1, null]}') == {
        "id": "Ab",
        "status": 201,
        "headers": {name: content_type},
        "body": {"a": [1, None]},
    }


@pytest.mark.parametrize("body", ["null", "0", "[]", '""', "false"])
def test_json_that_is_no_object_is_a_body_too(body: str) -> None:
    assert answered(200, JSON, body.encode())["body"] == json.loads(body)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Content-Type", "text/plain;charset=utf-8")],
        [("Content-Type", "application/xml")],
        [("Content-Type", "application/jsonl")],
    ],
)
def test_what_is_not_json_is_answered_as_base64(headers: Sequence[tuple[str, str]]) -> None:
    body = b"\xfb\xff42"
    assert answered(200, headers, body) == {
        "id": "Ab",
        "status": 200,
        "headers": dict(headers),
        "body": "+/80Mg==",
    }


@pytest.mark.parametrize("headers", [[], JSON])
def test_nothing_has_no_body(headers: Sequence[tuple[str, str]]) -> None:
    assert answered(204, headers, b"") == {"id": "Ab", "status": 204, "headers": dict(headers)}


def test_headers_are_flat() -> None:
    headers = [
        ("ETag", '"1"'),
        ("Warning", "199 - a"),
        ("Content-Length", "2"),
        ("date", "now"),
        ("Connection", "close"),
        ("Keep-Alive", "1"),
        ("Transfer-Encoding", "chunked"),
        ("warning", "199 - b"),
        ("request-id", "x"),
        ("WARNING", "199 - c"),
    ]
    assert answered(200, headers, b"")["headers"] == {
        "ETag": '"1"',
        "Warning": "199 - a, 199 - b, 199 - c",
        "request-id": "x",
    }


def check_refusal(response: Json, status: int, code: str) -> None:
    """Graph's error, with the ids in the headers and in the body alike."""
    assert list(response) == ["id", "status", "headers", "body"]
    error, headers = response["body"]["error"], response["headers"]
    assert (response["status"], error["code"]) == (status, code)
    assert headers["Content-Type"] == "application/json"
    assert headers["OData-Version"] == "4.0"
    for name in ("request-id", "client-request-id"):
        assert headers[name] == error["innerError"][name]


@pytest.mark.parametrize("url", ["/beta/security", "/$batch"])
def test_a_bad_url_is_the_fault_of_its_item(url: str) -> None:
    send = Sender()
    first, second = run(requests({"url": url}, {"id": "2"}), send)
    check_refusal(first, 400, "BadRequest")
    assert first["body"]["error"]["message"].startswith("url: ")
    assert second["status"] == 200
    assert [sent[1] for sent in send.sent] == ["/v1.0/security"]


def test_the_client_request_id_is_the_callers() -> None:
    own = run_one(url="/$batch", headers={"Client-Request-Id": "mine"})
    assert own["headers"]["client-request-id"] == "mine"
    made = run_one(url="/$batch")["headers"]
    assert made["client-request-id"] == made["request-id"] != own["headers"]["request-id"]


class Odd(Exception):
    pass


@pytest.mark.parametrize(
    "fault",
    [
        Odd("a secret"),
        RecursionError(),
        KeyError("security"),
        (200, JSON, b"{not JSON: a secret"),
        (200, JSON, b"\xff"),
    ],
    ids=repr,
)
def test_a_failure_never_spoils_another(fault: Any, caplog: pytest.LogCaptureFixture) -> None:
    send = Sender(bad=fault)
    body = requests({"id": "a"}, {"id": "b", "url": "/bad"}, {"id": "c"})
    with caplog.at_level(logging.ERROR, "mockgraph"):
        first, second, third = run(body, send)
    check_refusal(second, 500, "InternalServerError")
    assert "secret" not in json.dumps(second)
    assert (first["status"], third["status"]) == (200, 200)
    assert len(send.sent) == 3
    [record] = caplog.records
    assert record.exc_info
    assert "GET /bad" in record.getMessage()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFound(), 404, "ResourceNotFound"),
        (Unauthenticated(), 401, "InvalidAuthenticationToken"),
        (GraphError(), 500, "InternalServerError"),
    ],
)
def test_a_refusal_of_the_sender_is_the_answer(error: GraphError, status: int, code: str) -> None:
    response = run_one(Sender(security=error))
    check_refusal(response, status, code)
    assert response["headers"].items() >= dict(error.headers).items()


# -- dependencies -----------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 204, 206, 304, 399, 400, 404, 424, 429, 500, 503])
def test_what_depends_on_a_failure_fails_too(status: int) -> None:
    send = Sender(first=(status, [], b""))
    body = requests({"id": "A", "url": "/first"}, {"id": "b", "dependsOn": ["a"]}, {"id": "c"})
    first, second, third = run(body, send)
    assert (first["status"], third["status"]) == (status, 200)
    if status < 400:
        assert second["status"] == 200
        assert len(send.sent) == 3
    else:
        check_refusal(second, 424, "FailedDependency")
        assert len(send.sent) == 2


@pytest.mark.parametrize(
    "broken",
    [
        {"url": "/beta"},
        {"body": "*", "headers": {"Content-Type": "image/png"}},
        {"url": "/odd"},
    ],
)
def test_what_was_never_sent_is_a_failure_too(broken: dict[str, Json]) -> None:
    send = Sender(odd=Odd())
    body = requests(
        {"id": "d", "dependsOn": ["c"]},
        {"id": "c", "dependsOn": ["b"]},
        {"id": "b", "dependsOn": ["a"], **broken},
        {"id": "a"},
    )
    responses = run(body, send)
    assert [each["id"] for each in responses] == ["a", "b", "c", "d"]
    assert [each["status"] for each in responses][2:] == [424, 424]


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Dependencies without a circle, in any order: each id with those that it depends on."""
    count = draw(st.integers(1, batch.MAX_ITEMS))
    names = draw(st.permutations([f"Id{index}" for index in range(count)]))
    ways: list[Callable[[str], str]] = [str.lower, str.upper, str]
    spellings = st.sampled_from(ways)
    return {
        name: [
            draw(spellings)(each)
            for each in draw(st.lists(st.sampled_from(names[:index]), max_size=4))
        ]
        if index
        else []
        for index, name in enumerate(names)
    }


@SPREAD
@given(graph=graphs(), data=st.data())
def test_a_random_graph(graph: dict[str, list[str]], data: st.DataObject) -> None:
    statuses = {name: data.draw(st.sampled_from([200, 204, 404, 0]), label=name) for name in graph}
    answers: dict[str, Any] = {
        name: Odd() if status == 0 else (status, [], b"") for name, status in statuses.items()
    }
    order = data.draw(st.permutations(list(graph)))
    body = requests(*({"id": name, "url": f"/{name}", "dependsOn": graph[name]} for name in order))
    send = Sender(**answers)
    logging.disable()
    try:
        responses = {each["id"]: each["status"] for each in run(body, send)}
    finally:
        logging.disable(logging.NOTSET)

    # Plainly: a request is well if it is answered well and all before it are well.
    needs = {name: {each.capitalize() for each in names} for name, names in graph.items()}

    def is_well(name: str) -> bool:
        return statuses[name] in (200, 204) and all(map(is_well, needs[name]))

    sent = [path.rpartition("/")[2] for _, path, *_ in send.sent]
    assert len(sent) == len(set(sent))
    for name in graph:
        hindered = not all(map(is_well, needs[name]))
        assert responses[name] == (424 if hindered else statuses[name] or 500)
        assert (name in sent) != hindered
        assert needs[name] <= set(sent[: sent.index(name)]) if name in sent else hindered
    # Requests that wait for none keep their order.
    free = [name for name in order if not graph[name]]
    assert [name for name in sent if name in free] == free


@SPREAD
@given(data=st.data())
def test_any_dependencies_are_ordered_or_refused(data: st.DataObject) -> None:
    names = [str(index) for index in range(data.draw(st.integers(1, 6)))]
    some = st.lists(st.sampled_from(names), max_size=2)
    graph = {name: data.draw(some, label=name) for name in names}
    reached = {name: set(needs) for name, needs in graph.items()}
    for _ in names:
        for needs in reached.values():
            needs.update(*(reached[each] for each in set(needs)))
    if any(name in needs for name, needs in reached.items()):
        with pytest.raises(BadRequest, match=r"^requests/\d/dependsOn: "):
            batch.read(chain(**graph))
    else:
        order = [item.id for item in batch.read(chain(**graph))]
        assert sorted(order) == names
        for index, name in enumerate(order):
            assert set(graph[name]) <= set(order[:index])


# -- hostile input ----------------------------------------------------------------------


def quickly(act: Callable[[], Json]) -> Json:
    """Return the result of an act; far below this limit of CPU time, unless it is quadratic."""
    start = time.process_time()
    result = act()
    assert time.process_time() - start < 10
    return result


def test_large_items() -> None:
    large = "A" * 2**20
    body = requests(
        *(
            {
                "id": f"{index}{large}",
                "url": f"{large}?{large}#{large}",
                "headers": {"Content-Type": "image/png", "X-Large": large},
                "body": large,
                "dependsOn": [f"{before}{large}" for before in range(index)],
            }
            for index in range(20)
        )
    )
    send = Sender()
    responses = quickly(lambda: run(body, send))
    assert {each["status"] for each in responses} == {200}
    assert send.sent[19][4] == base64.b64decode(large)


@pytest.mark.parametrize(
    "facets",
    [
        {"headers": {"a" * 2**20: "x"}},
        {"headers": {"Prefer": "\n" * 2**20}},
        {"headers": {f"X-{index}": index for index in range(2**16)}},
        {"method": "G" * 2**20},
        {"dependsOn": ["1" * 2**20]},
        {"dependsOn": ["nothing"] * 2**16},
    ],
    ids=["name", "value", "many", "method", "long", "dependencies"],
)
def test_large_faults_have_short_messages(facets: dict[str, Json]) -> None:
    with pytest.raises(BadRequest) as refused:
        quickly(lambda: batch.read(requests({"id": "x"}, facets)))
    assert len(refused.value.message) < 400


@pytest.mark.parametrize("url", ["/" * 2**20, "a:" * 2**19, "a" * 2**20 + ":", "%" * 2**20])
def test_large_urls(url: str) -> None:
    assert quickly(lambda: run_one(url=url))["status"] == 200


@pytest.mark.parametrize("depth", [100, 1000])
def test_deep_bodies(depth: int) -> None:
    send = Sender()
    body = orjson.loads("[" * depth + "]" * depth)
    deep, plain = run(requests({"id": "deep", "body": body}, {"id": "plain"}), send)
    assert plain["status"] == 200
    if depth == 100:
        assert deep["status"] == 200
        assert send.sent[0][4] == b"[" * depth + b"]" * depth
    else:
        check_refusal(deep, 400, "BadRequest")
        assert "nested" in deep["body"]["error"]["message"]


def test_two_deep_bodies_are_not_compared() -> None:
    body = orjson.loads("[" * 1000 + "]" * 1000)
    items = batch.read(requests({"id": "1", "body": body}, {"id": "2", "body": body}))
    assert [item.id for item in items] == ["1", "2"]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@SPREAD
@given(
    items=st.lists(
        JSON_VALUES
        | st.fixed_dictionaries(
            {"id": st.text(max_size=2), "method": st.sampled_from(["GET", "post", "", "é"])},
            optional={
                "url": st.sampled_from(["/security", "http://h/beta", "é", "a\x00"]) | JSON_VALUES,
                "headers": st.dictionaries(st.text(max_size=3), st.text(max_size=3)) | JSON_VALUES,
                "body": JSON_VALUES,
                "dependsOn": st.lists(st.text(max_size=2), max_size=2) | JSON_VALUES,
                "atomicityGroup": JSON_VALUES,
            },
        ),
        max_size=4,
    )
)
def test_anything_is_refused_or_answered(items: list[Json]) -> None:
    try:
        responses = run({"requests": items}, Sender())
    except (BadRequest, NotEmulated):
        return
    assert sorted(each["id"] for each in responses) == sorted(each["id"] for each in items)
    assert {each["status"] for each in responses} <= {200, 400, 424}


def test_the_example_of_the_page() -> None:
    """The requests of Microsoft's page on batching, the blanks in a query among them."""
    listed = "users?$select=id,displayName&$filter=city eq null&$count=true"
    body = requests(
        {"id": "1", "url": "/me/memberOf"},
        {"id": "3", "method": "DELETE", "url": "/groups/0e226165-c685-41ce-8bfc-df8360ab325d"},
        {
            "id": "4",
            "url": "/users/1/getPasswordSingleSignOnCredentials",
            "method": "POST",
            "body": {},
            "headers": {"Content-Type": "application/json"},
        },
        {"id": "5", "url": listed, "headers": {"ConsistencyLevel": "eventual"}},
    )
    send = Sender()
    assert [each["id"] for each in run(body, send)] == ["1", "3", "4", "5"]
    assert send.sent[2][4] == b"{}"
    assert send.sent[3][3] == {"ConsistencyLevel": "eventual"}
    assert unquote(send.sent[3][2]) == urlsplit(listed).query
