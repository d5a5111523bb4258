"""Stubs: which requests they answer, and what with."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import werkzeug.wrappers

from mockgraph.clock import Clock
from mockgraph.errors import NotFound
from mockgraph.http import Request, Response
from mockgraph.testing.faults import Faults
from mockgraph.testing.matching import CallbackFailed
from mockgraph.testing.stubs import StubIndex, Stubs

from .line import answer, make_request, refusal, work

ADA = {"displayName": "Ada"}
USER = "/v1.0/users/7"


@pytest.fixture
def stubs() -> Stubs:
    return Stubs()


def ask(stubs: Stubs, method: str = "GET", path: str = USER, **options: Any) -> Response:
    return answer(make_request(method, path, **options), stubs=stubs)


def test_without_stubs_graph_answers(stubs: Stubs) -> None:
    request = make_request()
    assert stubs.find(request) is None
    assert answer(request, stubs=stubs).body == work(request).body
    assert request.answered_by == "emulation"


def test_a_stub_answers(stubs: Stubs) -> None:
    stub = stubs.add("GET", "/users/{id}", json=ADA, headers={"ETag": "x", "A": ["1", "2"]})
    request = make_request(path=USER)
    response = answer(request, stubs=stubs)
    assert (response.status, json.loads(response.body)) == (200, ADA)
    assert response.headers == [
        ("Content-Type", "application/json"),
        ("ETag", "x"),
        ("A", "1"),
        ("A", "2"),
    ]
    assert (request.answered_by, request.view_args) == ("stub", {"id": "7"})
    assert (stub.answered, stub.error) == (1, None)


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/v1.0/users/7", True),
        ("GET", "/beta/Users/7", True),
        ("GET", "/users/7", True),
        ("GET", "/users('7')", True),
        ("POST", "/users/7", False),
        ("GET", "/users/7/manager", False),
        ("GET", "/v2.0/users/7", False),
        ("GET", "/security/users/7", False),
    ],
)
def test_the_path_is_matched_whole(stubs: Stubs, method: str, path: str, found: bool) -> None:
    stubs.add("get", "/users/{id}", json=ADA)
    assert (stubs.find(make_request(method, path)) is not None) is found


def test_a_path_without_wildcards_is_matched_whole_too(stubs: Stubs) -> None:
    stubs.add("GET", "/me", json=ADA)
    assert stubs.find(make_request(path="/v1.0/me"))
    assert not stubs.find(make_request(path="/v1.0/security/me"))
    assert not stubs.find(make_request(path="/v1.0/menu"))


def test_a_method_may_be_any(stubs: Stubs) -> None:
    stubs.add(None, "/me", status=202)
    assert [ask(stubs, method, "/me").status for method in ("GET", "PURGE")] == [202, 202]


@pytest.mark.parametrize(
    ("reply", "path", "headers", "found"),
    [
        ({"query": {"$select": "id"}}, "/me?$select=id", {}, True),
        ({"query": {"$select": "id"}}, "/me", {}, False),
        ({"request_headers": {"Prefer": True}}, "/me", {"Prefer": "x"}, True),
        ({"request_headers": {"Prefer": True}}, "/me", {}, False),
        ({"caller": "t"}, "/me", {"Authorization": "Bearer t"}, True),
        ({"in_batch": True}, "/me", {}, False),
        ({"predicate": lambda request: "x" in request.args}, "/me?x=1", {}, True),
    ],
)
def test_what_narrows_it_down(
    stubs: Stubs, reply: Any, path: str, headers: Any, found: bool
) -> None:
    stubs.add("GET", "/me", json=1, **reply)
    assert (stubs.find(make_request(path=path, headers=headers)) is not None) is found


def test_the_last_one_is_asked_first(stubs: Stubs) -> None:
    stubs.add("GET", "/users/{id}", json=1)
    stubs.add("GET", "/users/7", json=2)
    with stubs.add("GET", "/users/**", json=3):
        assert ask(stubs).body == b"3"
    assert ask(stubs).body == b"2"
    assert ask(stubs, path="/users/8").body == b"1"


def test_so_many_times_and_no_more(stubs: Stubs) -> None:
    stubs.add("GET", "/users/{id}", json="then")
    first = stubs.add("GET", "/users/{id}", json="first", times=2)
    assert [ask(stubs).body for _ in range(3)] == [b'"first"', b'"first"', b'"then"']
    assert first.answered == 2
    assert first not in list(stubs)


def test_one_that_is_spent_answers_nobody_who_had_found_it_before(stubs: Stubs) -> None:
    stub = stubs.add("GET", "/users/{id}", json=1, times=1)
    assert [stub.takes(make_request(path=USER)) for _ in range(2)] == [True, False]
    assert stub.answered == 1


def test_exactly_as_many_are_answered_however_many_come_at_once(stubs: Stubs) -> None:
    stubs.add("GET", "/users/{id}", status=202, times=3)
    barrier = threading.Barrier(32)

    def at_once(_: int) -> int:
        barrier.wait(20)
        return ask(stubs).status

    with ThreadPoolExecutor(32) as threads:
        assert sorted(threads.map(at_once, range(32))) == [200] * 29 + [202] * 3


def test_what_the_test_does_later_changes_nothing(stubs: Stubs) -> None:
    body: dict[str, Any] = {"value": [1]}
    headers = {"A": ["1"]}
    stubs.add("GET", "/me", json=body, headers=headers)
    body["value"].append(2)
    headers["A"].append("2")
    for _ in range(2):
        response = ask(stubs, path="/me")
        assert (response.body, len(response.headers)) == (b'{"value":[1]}', 2)
        response.headers.clear()
        response.status = 500


@pytest.mark.parametrize(
    ("reply", "status", "content_type", "data"),
    [
        ({"json": None}, 200, "application/json", b"null"),
        ({"json": "a"}, 200, "application/json", b'"a"'),
        ({"text": "a"}, 200, "text/plain;charset=utf-8", b"a"),
        ({"body": "a"}, 200, "text/plain;charset=utf-8", b"a"),
        ({"body": {"a": 1}}, 200, "application/json", b'{"a":1}'),
        ({"body": b"\x01"}, 200, "application/octet-stream", b"\x01"),
        ({"text": "<a/>", "headers": {"content-type": "text/xml"}}, 200, "text/xml", b"<a/>"),
        ({"json": {}, "status": 404}, 404, "application/json", b"{}"),
        ({}, 204, None, b""),
        ({"body": None}, 204, None, b""),
        ({"status": 202}, 202, None, b""),
    ],
)
def test_what_is_answered(
    stubs: Stubs, reply: Any, status: int, content_type: str | None, data: bytes
) -> None:
    stubs.add("GET", "/me", **reply)
    response = ask(stubs, path="/me")
    assert (response.status, response.get("Content-Type"), response.body) == (
        status,
        content_type,
        data,
    )


def flask_like(_: Request) -> werkzeug.wrappers.Response:
    return werkzeug.wrappers.Response("made", 201, {"X": "1"}, content_type="text/x")


OWN = Response(202, b"own", "text/own")


@pytest.mark.parametrize(
    ("function", "status", "content_type", "data"),
    [
        (lambda request: {"path": request.path}, 200, "application/json", b'{"path":"/me"}'),
        (lambda _: [], 200, "application/json", b"[]"),
        (lambda _: "text", 200, "text/plain;charset=utf-8", b"text"),
        (lambda _: None, 204, None, b""),
        (lambda _: (404, {"a": 1}), 404, "application/json", b'{"a":1}'),
        (lambda _: (202, None), 202, None, b""),
        (lambda _: (200, "<p>", {"Content-Type": "text/html"}), 200, "text/html", b"<p>"),
        (lambda _: OWN, 202, "text/own", b"own"),
        (flask_like, 201, "text/x", b"made"),
    ],
)
def test_what_a_function_answers(
    stubs: Stubs,
    function: Callable[[Request], Any],
    status: int,
    content_type: str | None,
    data: bytes,
) -> None:
    stubs.add("GET", "/me", function)
    for _ in range(2):
        response = ask(stubs, path="/me")
        assert (response.status, response.get("Content-Type"), response.body) == (
            status,
            content_type,
            data,
        )
        response.headers.append(("X-Marred", "1"))


def named(_: Request, id: str) -> Any:
    return {"id": id}


def optional(_: Request, *, item: str = "none", id: str = "none") -> Any:
    return [id, item]


def everything(_: Request, **names: str) -> Any:
    return names


@pytest.mark.parametrize(
    ("path", "asked", "function", "body"),
    [
        ("/users/{id}", "/users/a%20b", named, {"id": "a b"}),
        ("/users/{id}/x/{y}", "/users/1/x/2", named, {"id": "1"}),
        ("/users/{id}", "/users/1", optional, ["1", "none"]),
        ("/users/{id}/{item-id}", "/users/1/2", everything, {"id": "1", "item-id": "2"}),
        ("/users/{item-id}", "/users/1", lambda request: request.view_args, {"item-id": "1"}),
    ],
)
def test_a_function_is_given_the_names_in_the_path(
    stubs: Stubs, path: str, asked: str, function: Any, body: Any
) -> None:
    stubs.add("GET", path, function)
    assert json.loads(ask(stubs, path=asked).body) == body


def test_a_decorated_function_answers_and_stays_what_it_is(stubs: Stubs) -> None:
    @stubs.decorator("POST", "/users", times=1)
    def create(request: Request) -> Any:
        return 201, {"sent": request.content.decode()}

    def request() -> Request:
        body = io.BytesIO(b"{}")
        return make_request("POST", "/users", wsgi_input=body, CONTENT_LENGTH="2")

    assert create(request()) == (201, {"sent": "{}"})
    response = answer(request(), stubs=stubs)
    assert (response.status, response.body) == (201, b'{"sent":"{}"}')
    assert not list(stubs)


def failing(_: Request) -> Any:
    raise KeyError("id")


@pytest.mark.parametrize(
    ("function", "kind", "text"),
    [
        (failing, KeyError, "function failing of the stub for /me raised KeyError: 'id'"),
        (lambda _: {1, 2}, Exception, "cannot be written as JSON"),
        (lambda _: (1, 2, 3, 4), TypeError, "a tuple is a status and a body"),
        (lambda _: ("200", {}), TypeError, "a tuple is a status and a body"),
        (lambda _: (99, {}), Exception, "from 200 to 599"),
        (lambda _: (True, {}), Exception, "from 200 to 599"),
        (lambda _: (200, {}, 5), TypeError, "raised TypeError"),
        (lambda _: (200, {}, {"a b": "1"}), Exception, "not the name of a header"),
    ],
)
def test_a_function_that_fails_is_a_500_that_says_why(
    stubs: Stubs, function: Any, kind: type[Exception], text: str
) -> None:
    stub = stubs.add("GET", "/me", function)
    with pytest.raises(CallbackFailed) as failure:
        ask(stubs, path="/me")
    assert failure.value.status == 500
    assert text in failure.value.message
    assert isinstance(stub.error, kind)
    assert stubs.errors == (stub.error,)


def test_a_function_may_refuse_as_graph_does(stubs: Stubs) -> None:
    refused = NotFound("No such user.")

    def refuse(_: Request) -> Any:
        raise refused

    stub = stubs.add("GET", "/me", refuse)
    assert refusal(lambda: ask(stubs, path="/me")) is refused
    assert stub.error is None


async def later(_: Request) -> Any:
    return {}


def two(_: Request, other: str) -> Any:
    return other


@pytest.mark.parametrize(
    ("arguments", "reply", "message"),
    [
        (("NO METHOD", "/me"), {}, "method: A method is a word"),
        (("GET", "/me"), {"times": 0}, "times: The number has to be 1 or more."),
        (("GET", "/me"), {"status": 100}, "status: A status goes from 200 to 599."),
        (("GET", "/me"), {"json": 1, "text": "a"}, "text: There is json already."),
        (("GET", "/me"), {"body": 1, "text": "a"}, "body: There is text already."),
        (("GET", "/me"), {"json": {1}}, "json: The value cannot be written as JSON"),
        (("GET", "/me"), {"headers": {"A": "\n"}}, "headers/A: The value cannot be sent"),
        (("GET", "/me", lambda _: 1), {"json": 1}, "json: The function is to answer."),
        (("GET", "/me", later), {}, "later: A function that is async cannot answer."),
        (("GET", "/{id}", lambda id: id), {}, "<lambda> cannot be called with the request"),
        (("GET", "/{id}", lambda: 1), {}, "<lambda> cannot be called with the request"),
        (("GET", "/{id}", two), {}, "two cannot be called with the request"),
        (("GET", "/{id}", "no function"), {}, "no function cannot be called"),
    ],
)
def test_a_stub_that_cannot_be(stubs: Stubs, arguments: Any, reply: Any, message: str) -> None:
    error = refusal(lambda: stubs.add(*arguments, **reply))
    assert error.status == 400
    assert error.message.startswith(message)
    assert not list(stubs)


def test_a_fault_strikes_a_stub(stubs: Stubs) -> None:
    faults = Faults(Clock())
    faults.throttle()
    faults.malformed(times=2)
    stub = stubs.add("GET", "/me", text="0123")
    statuses = []
    for _ in range(3):
        request = make_request(path="/me")
        response = answer(request, faults, stubs)
        statuses.append((response.status, response.body, request.answered_by))
    assert [each[0] for each in statuses] == [429, 200, 200]
    assert [each[1:] for each in statuses[1:]] == [(b"01", "stub"), (b"01", "stub")]
    assert stub.answered == 3


@pytest.mark.parametrize(
    ("arguments", "reply", "shown", "text"),
    [
        (
            ("GET", "/users/{id}"),
            {"json": ADA, "headers": {"A": "1"}, "query": {"$top": "1"}, "times": 2},
            {
                "method": "GET",
                "path": "/users/{id}",
                "query": {"$top": "1"},
                "times": 2,
                "status": 200,
                "headers": {"A": "1"},
                "body": ADA,
            },
            "<Stub 1: GET /users/{id}; answered 0 of 2>",
        ),
        (
            (None, "/me", failing),
            {"predicate": bool},
            {"method": None, "path": "/me", "times": None, "function": "failing"},
            "<Stub 1: any method /me; answered 0>",
        ),
    ],
)
def test_a_stub_tells_what_it_is(
    stubs: Stubs, arguments: Any, reply: Any, shown: Any, text: str
) -> None:
    assert repr(stubs) == "<Stubs: none>"
    stub = stubs.add(*arguments, **reply)
    assert stub.as_json() == {"id": "1", **shown, "answered": 0}
    assert (repr(stub), repr(stubs)) == (text, f"<Stubs: {text}>")


@pytest.mark.parametrize(
    ("path", "query", "asked"),
    [
        ("/users/u#", None, "/v1.0/users/u7"),
        ("/users('u#')/x", None, "/users/u7/x"),
        ("/users/{id}/part#", None, "/v1.0/users/a/PART7"),
        ("/**/part#", None, "/v1.0/users/a/part7/"),
        ("/users/*", {"$filter": "id eq #"}, "/users/a?filter=id eq 7"),
    ],
)
def test_of_many_stubs_a_request_meets_few(
    path: str, query: dict[str, str] | None, asked: str
) -> None:
    index, stubs = StubIndex(), Stubs()
    for number in range(3000):
        exact = {name: value.replace("#", f"{number}") for name, value in (query or {}).items()}
        index.add(stubs.add("GET", path.replace("#", f"{number}"), query=exact))
    assert [each.id for each in index.candidates(make_request("GET", asked))] == ["8"]
    found = stubs.find(make_request("GET", asked))
    assert found is not None
    found.remove()
    assert stubs.find(make_request("GET", asked)) is None
