"""Whatever comes in, a parser gives what it is for or the one refusal that it declares.

They are short in a test run, and long, with new input each time, by ``make soak``.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest
from conftest import state_of
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockgraph.app import create_app
from mockgraph.errors import GraphError, MockGraphError
from mockgraph.metadata import csdl
from mockgraph.pages.page import read_page
from mockgraph.redaction import masked_body, masked_url
from mockgraph.server_options import Settings
from mockgraph.serving.http1_parser import RequestParser, base_environ
from mockgraph.testing.matching import PathPattern

from .corpus import CSDL, HOST, MESSAGES, PAGES, QUERIES, SEED, SEEDS, mutated

BASE = base_environ("http", "localhost", 80)
MAX_BODY = 10_000
anything = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(seed={"Security": SEED["Security"]}, auth="off")).test_client()


@given(data=mutated(MESSAGES), cuts=st.lists(st.integers(0, 70_000), max_size=3))
def test_http_messages(data: bytes, cuts: list[int]) -> None:
    def parsed(*pieces: bytes) -> tuple[list[tuple[str, str, bytes, bool]], str | None]:
        parser = RequestParser(BASE, MAX_BODY, lambda _: MAX_BODY)
        for piece in pieces:
            if piece and not parser.ended:
                parser.feed(piece)
        if not parser.ended:
            parser.end()
        found = []
        for environ, keep in parser.ready:
            held = environ["wsgi.input"].getvalue()[: MAX_BODY // 2]
            found.append((environ["REQUEST_METHOD"], environ["REQUEST_URI"], held, keep))
        return found, None if parser.refusal is None else parser.refusal.code

    places = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    pieces = [data[begin:end] for begin, end in pairwise(places)]
    assert parsed(*pieces)[0] == parsed(data)[0]


@anything
@given(query=mutated(QUERIES), path=st.sampled_from(["alerts", "alerts_v2", "incidents", "$batch"]))
def test_query_options(client: FlaskClient, query: bytes, path: str) -> None:
    text = quote(query.decode("latin-1"), safe="$=&(),;:'/@*")
    answer = client.get(f"/v1.0/security/{path}?{text}")
    assert answer.status_code in (200, 400, 405, 501), answer.data
    assert answer.is_json


@pytest.mark.parametrize("query", QUERIES)
def test_each_query_of_the_corpus_is_refused_or_answered(client: FlaskClient, query: bytes) -> None:
    text = quote(query.decode(), safe="$=&")
    for path in ("alerts", "alerts_v2"):
        assert client.get(f"/v1.0/security/{path}?{text}").status_code in (200, 400, 501)


@given(data=mutated(CSDL))
def test_csdl(data: bytes) -> None:
    with suppress(MockGraphError):
        csdl.parse([("fuzzed.xml", data)])


@given(data=mutated(PAGES))
def test_pages(data: bytes) -> None:
    with suppress(MockGraphError):
        read_page(data.decode(errors="replace"), "fuzzed.md")


@anything
@given(data=mutated(SEEDS))
def test_seeds(client: FlaskClient, data: bytes) -> None:
    before = state_of(client)
    answer = client.put("/_mockgraph/state", data=data, content_type="application/json")
    assert answer.status_code in (204, 400, 413), answer.data
    assert answer.status_code == 204 or state_of(client) == before


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store's file, with some writes in it."""
    path = tmp_path_factory.mktemp("store") / "a.store"
    app = create_app(Settings(seed={"Security": SEED["Security"]}, auth="off", store=path))
    for number in range(5):
        app.test_client().post("/v1.0/security/alerts", json=_alert(number))
    app.extensions["mockgraph"].close()
    return path.read_bytes()


def _alert(number: int) -> dict[str, object]:
    vendor = {"provider": "P", "vendor": "V"}
    return {"id": f"n{number}", "title": "x", "vendorInformation": vendor}


@anything
@given(data=st.data())
def test_stores(
    tmp_path_factory: pytest.TempPathFactory, store: bytes, data: st.DataObject
) -> None:
    """One that was changed is refused, or it is one whose last write was cut off."""
    changed = data.draw(mutated([store, store[: len(store) // 2]]))
    path: Path = tmp_path_factory.mktemp("fuzzed") / "a.store"
    path.write_bytes(changed)
    try:
        app = create_app(Settings(seed={"Security": SEED["Security"]}, auth="off", store=path))
    except MockGraphError:
        assert path.read_bytes() == changed
        return
    held = {each["id"] for each in state_of(app.test_client())["Security"]["alerts"]}
    app.extensions["mockgraph"].close()
    assert held <= {"a", *(f"n{number}" for number in range(5))}


@given(pattern=mutated([b"/**{a}b", b"/security/alerts/{id}/**", b"/*a*b/**/c('{d}')"]))
def test_patterns(pattern: bytes) -> None:
    try:
        compiled = PathPattern(pattern.decode("latin-1"))
    except GraphError:
        return
    assert (
        compiled.match("/" + "a" * 30_000) is None or "{" in compiled.text or "*" in compiled.text
    )


SECRETS = [
    b'{"client_secret": "PLANTED", "x": ["PLANTED"]}',
    b"a=b&client_secret=PLANTED&code=PLANTED",
    b'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nPLANTED\r\n--b--',
]


@given(body=mutated(SECRETS))
def test_what_is_masked(body: bytes) -> None:
    left = masked_body(body)
    assert masked_body(left) == left
    url = masked_url(body.decode("latin-1"))
    assert masked_url(url) == url
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return
    orjson.loads(left)


def test_the_corpus_is_refused_or_answered() -> None:
    """The findings as they were, one after another on the same app."""
    for data in MESSAGES:
        parser = RequestParser(BASE, MAX_BODY)
        parser.feed(data)
        assert parser.ready or parser.refusal or parser.is_within, data[:100]
    assert HOST
