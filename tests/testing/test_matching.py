"""Patterns of paths, and what else tells requests apart."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mockgraph.errors import BadRequest, GraphError, NotFound
from mockgraph.http import Request
from mockgraph.testing.matching import (
    CallbackFailed,
    Matcher,
    PathPattern,
    app_of,
    caller_of,
    prefixes_of,
    suffix_of,
)

from .line import make_request, refusal


@pytest.mark.parametrize(
    ("pattern", "path", "names"),
    [
        ("/security/alerts", "/v1.0/security/alerts", {}),
        ("/security/alerts", "/localtest/Security/Alerts", {}),
        ("/security/alerts", "/security/alerts", {}),
        ("security/alerts/", "/beta/security/alerts", {}),
        ("/security/alerts", "/beta/security/alerts/", {}),
        ("/v1.0/security", "/V1.0/Security", {}),
        ("/V1.0/security", "/v1.0/security", {}),
        ("/v1.0", "/v1.0", {}),
        ("/security/alerts/{id}", "/v1.0/security/alerts/a b", {"id": "a b"}),
        ("/security/alerts/{id}", "/v1.0/security/alerts('a1')", {"id": "a1"}),
        ("/security/alerts/{id}", "/v1.0/security/alerts(id='it''s')", {"id": "it's"}),
        ("/security/alerts('{id}')", "/v1.0/security/alerts/a1", {"id": "a1"}),
        ("/security/alerts({id})/comments", "/security/alerts('a1')/comments", {"id": "a1"}),
        ("/users/{alert-id}/x/{1}", "/users/a/x/b", {"alert-id": "a", "1": "b"}),
        ("/a{x}c", "/abbc", {"x": "bb"}),
        ("/{a}{b}", "/xyz", {"a": "x", "b": "yz"}),
        ("/security/*/x", "/security/anything/x", {}),
        ("/security/al*", "/security/alerts_v2", {}),
        ("/security/*al*s", "/security/valerts", {}),
        ("/security/alerts/**", "/v1.0/security/alerts", {}),
        ("/security/alerts/**", "/v1.0/security/alerts/1/comments", {}),
        ("/security/{set}/**", "/security/alerts/1/comments", {"set": "alerts"}),
        ("/security/**/comments", "/security/comments", {}),
        ("/security/**/comments", "/security/alerts/1/comments", {}),
        ("/**/alerts/{id}/**", "/v1.0/security/alerts/7/x/y", {"id": "7"}),
        ("/a**z", "/abc/xyz", {}),
        ("/*a/**", "/aa/x", {}),
        ("/**{a}b", "/x/yzb", {"a": "yz"}),
        ("/**{a}b", "/b/xb/", {"a": "x"}),
        ("/**x{a}b", "/ab/yxzb", {"a": "z"}),
        ("/**x{a}b", "/x1x2b", {"a": "1x2"}),
        ("/**x{a}b/**/c", "/x1/x2b/d/c", {"a": "2"}),
        ("/**/x{a}/y", "/x1/x2/y", {"a": "2"}),
        ("**", "/whatever/there/is", {}),
        ("/**", "/", {}),
        ("/*/security", "/other/security", {}),
        ("/a.b+(c)", "/a.b+(c)", {}),
    ],
)
def test_a_pattern_matches(pattern: str, path: str, names: dict[str, str]) -> None:
    assert PathPattern(pattern).match(path) == names
    assert PathPattern(pattern).prefix in prefixes_of(path)
    assert PathPattern(pattern).suffix in (None, suffix_of(path))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/security/alerts", "/v1.0/security/alerts_v2"),
        ("/security/alerts", "/v1.0/security/alerts/1"),
        ("/security/alerts", "/other/security/alerts"),
        ("/security/alerts", "/v1.0/v1.0/security/alerts"),
        ("/v1.0/security", "/beta/security"),
        ("/v1.0/security", "/v1.0/v1.0/security"),
        ("/security/alerts/{id}", "/v1.0/security/alerts"),
        ("/security/alerts/{id}", "/v1.0/security/alerts/1/comments"),
        ("/security/alerts/{id}", "/v1.0/security/alerts/"),
        ("/security/alerts/**", "/v1.0/security/alerts_v2"),
        ("/security/**/comments", "/security/alertscomments"),
        ("/security/*", "/security/alerts/1"),
        ("/a.b", "/axb"),
        ("/a*b*c", "/acb"),
        ("/**/b/**/c", "/c/b"),
    ],
)
def test_a_pattern_does_not_match(pattern: str, path: str) -> None:
    assert PathPattern(pattern).match(path) is None


def plainly(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression that tries everything."""
    parts = re.split(r"(/\*{2,}(?=/|$)|\*{2,}|\*)", "/" + pattern.strip("/"))
    wild = {"/": "(?:/.*)?", "*": "[^/]*"}
    some = [
        (wild["/"] if part[0] == "/" else ".*" if len(part) > 1 else wild["*"])
        if index % 2
        else re.escape(part)
        for index, part in enumerate(parts)
    ]
    return re.compile(f"{''.join(some)}/?", re.DOTALL)


@given(
    pattern=st.text("ab/*", max_size=9),
    paths=st.lists(st.text("ab/", max_size=10), min_size=20, max_size=20),
)
@example("b//*", ["b//", "b//a", "b/"])
def test_an_atomic_match_is_no_other_than_one_that_tries_everything(
    pattern: str, paths: list[str]
) -> None:
    compiled = PathPattern(pattern)
    for path in paths:
        expected = plainly(pattern).fullmatch("/" + path) is not None
        assert (compiled.match("/" + path) is not None) is expected, (pattern, path)
        if expected:
            assert compiled.prefix in prefixes_of("/" + path), (pattern, path)
            assert compiled.suffix in (None, suffix_of("/" + path)), (pattern, path)


@pytest.mark.parametrize(
    "pattern",
    [
        "/**/a/**/a/**/a/**/b",
        "/*a*a*a*a*a*b",
        "/**a**a**a**b",
        "/{a}a{b}a{c}a{d}b",
        "/**{a}b",
        "/**/{a}b",
        "/**a{b}c",
        "/**{a}b**c",
        "/**a{b}c/{d}e",
        "/**/{a}/{b}/{c}d/**/e",
        "/**a*a*a{b}c**",
    ],
)
def test_a_long_path_is_matched_in_no_time(pattern: str) -> None:
    # Trying everything would take longer than the test run may.
    for path in ("/a" * 16_000, "/" + "a" * 32_000, "/" + "a/" * 100 + "a" * 30_000):
        assert PathPattern(pattern).match(path) is None


def token_with(**claims: Any) -> str:
    body = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{body}.c2ln"


@pytest.mark.parametrize(
    ("token", "app"),
    [
        ("plain", "plain"),
        ("", ""),
        (token_with(appid="one"), "one"),
        (token_with(azp="two"), "two"),
        (token_with(appid="one", azp="two"), "one"),
        *[
            (token, token)
            for token in (
                "a.b.c",
                "a.\xe4.c",
                token_with(sub="x"),
                token_with(appid=5),
                f"a.{urlsafe_b64encode(b'[1]').decode()}.c",
                f"a.{urlsafe_b64encode(b'[' * 9_000).decode()}.c",
                "a.b",
            )
        ],
    ],
)
def test_the_app_of_a_token(token: str, app: str) -> None:
    assert app_of(token) == app


def test_who_asks() -> None:
    assert caller_of(make_request()) == ""
    token = token_with(appid="app")
    assert caller_of(make_request(headers={"Authorization": f"Bearer {token}"})) == "app"


PATCH = make_request(
    "PATCH",
    "/v1.0/Security/alerts/1?$filter=a%20eq%201&top=5&top=6&$skip=",
    {"Authorization": f"Bearer {token_with(appid='app')}", "X-Test": "yes", "If-Match": "*"},
)


@pytest.mark.parametrize(
    ("options", "matches"),
    [
        ({}, True),
        ({"method": "patch"}, True),
        ({"method": ("POST", "PATCH")}, True),
        ({"method": "GET"}, False),
        ({"path": "SECURITY/alerts"}, True),
        ({"path": "alerts_v2"}, False),
        ({"path": "/security/alerts/{id}"}, True),
        ({"path": "/security/{id}"}, False),
        ({"query": {"$filter": "a eq 1"}}, True),
        ({"query": {"filter": "a eq 1", "$TOP": "6"}}, True),
        ({"query": {"$filter": "a eq 2"}}, False),
        ({"query": {"$skip": True}}, True),
        ({"query": {"$skip": ""}}, True),
        ({"query": {"$skip": False}}, False),
        ({"query": {"$count": False}}, True),
        ({"query": {"$count": True}}, False),
        ({"request_headers": {"x-test": "yes"}}, True),
        ({"request_headers": {"x-test": "no"}}, False),
        ({"request_headers": {"if-match": True, "prefer": False}}, True),
        ({"request_headers": {"if-match": False}}, False),
        ({"caller": "app"}, True),
        ({"caller": token_with(appid="app")}, True),
        ({"caller": "other"}, False),
        ({"in_batch": False}, True),
        ({"in_batch": True}, False),
        ({"predicate": lambda request: request.args["top"] == "5"}, True),
        ({"predicate": lambda _: False}, False),
        ({"method": "PATCH", "path": "alerts", "caller": "other"}, False),
    ],
)
def test_a_matcher(options: Any, matches: bool) -> None:
    assert (Matcher(options).match(PATCH) is not None) is matches


def test_an_item_of_a_batch() -> None:
    item = make_request(mockgraph_in_batch=True)
    assert Matcher({"in_batch": True}).match(item) == {}
    assert Matcher({"in_batch": False}).match(item) is None


def test_a_matcher_gives_the_names_in_the_path() -> None:
    assert Matcher({"path": "/security/alerts/{id}"}).match(PATCH) == {"id": "1"}


@pytest.mark.parametrize("method", ["", "GET /", (), ("GET", "")])
def test_what_is_no_method(method: Any) -> None:
    error = refusal(lambda: Matcher({"method": method}))
    assert (error.status, error.message) == (400, "method: A method is a word such as PATCH.")


def test_the_predicate_is_asked_last() -> None:
    def never(_: Request) -> bool:
        raise AssertionError("The predicate was asked.")

    assert Matcher({"path": "nowhere", "predicate": never}).match(PATCH) is None


def test_a_predicate_that_raises_is_named() -> None:
    def picky(_: Any) -> bool:
        raise ZeroDivisionError("oh")

    with pytest.raises(CallbackFailed, match="predicate picky raised ZeroDivisionError: oh") as no:
        Matcher({"predicate": picky}).match(PATCH)
    assert (no.value.status, type(no.value.__cause__)) == (500, ZeroDivisionError)


@pytest.mark.parametrize("refused", [BadRequest("no"), NotFound("no")])
def test_a_predicate_may_refuse(refused: GraphError) -> None:
    def predicate(_: Any) -> bool:
        raise refused

    assert refusal(lambda: Matcher({"predicate": predicate}).match(PATCH)) is refused


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "any request"),
        ({"method": ["post", "PATCH"], "path": "/alerts"}, "POST, PATCH /alerts"),
        (
            {"query": {"$top": "5"}, "request_headers": {"A": True, "B": False}},
            "any request top='5' with A without B",
        ),
        ({"in_batch": True, "caller": "secret"}, "any request one caller in batches"),
        ({"in_batch": False, "predicate": bool}, "any request outside batches bool"),
    ],
)
def test_a_matcher_tells_what_it_is_for(options: Any, text: str) -> None:
    assert str(Matcher(options)) == text


URL = "https://graph.microsoft.com/v1.0/security/alerts/{id}"


def test_of_a_url_the_path_counts() -> None:
    assert PathPattern(URL).match("/v1.0/security/alerts/7") == {"id": "7"}
    assert PathPattern(URL).match("/beta/security/alerts/7") is None
    assert PathPattern("https://graph.microsoft.com").match("/") == {}


@pytest.mark.parametrize("path", ["/security?$top=5", f"{URL}?$top=5"])
def test_a_query_has_a_place_of_its_own(path: str) -> None:
    with pytest.raises(BadRequest, match="Query options are given by themselves"):
        PathPattern(path)
    with pytest.raises(BadRequest, match="Query options are given by themselves"):
        Matcher({"path": path})


def test_a_url_without_wildcards_is_a_part_of_the_path_as_others_are() -> None:
    matcher = Matcher({"path": "https://graph.microsoft.com/v1.0/security"})
    assert matcher.match(make_request(path="/v1.0/security/alerts")) == {}
    assert matcher.match(make_request(path="/beta/security/alerts")) is None
