"""The journal as a whole: what is dropped, what outlives that, what a view of it can do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from mockgraph.clock import Clock
from mockgraph.http import Response
from mockgraph.testing.expectations import Expectation, check_called, check_emulated
from mockgraph.testing.journal import Journal, Requests

from .exchanges import ALERTS, Past, make_request


def requests_of(client: FlaskClient) -> Requests:
    found: Requests = client.application.extensions["mockgraph"].default.journal.requests()
    return found


def test_what_is_dropped_is_counted_and_told() -> None:
    journal = Journal(2, Clock())
    for number in range(5):
        journal.record(make_request(url=f"/v1.0/{number}"), Response(200), 0)
    requests = journal.requests()
    assert (len(requests), requests.dropped) == (2, 3)
    with pytest.raises(AssertionError, match="no room for 3 earlier ones"):
        check_called(requests, Expectation("GET", "/0", {}))
    journal.clear()
    assert journal.requests().dropped == 0


def test_by_http_it_is_told_too(make_client: Callable[..., FlaskClient]) -> None:
    client = make_client(journal=2)
    for _ in range(5):
        client.get(ALERTS)
    listed = client.get("/_mockgraph/requests").json
    assert listed is not None
    assert (len(listed["value"]), listed["dropped"]) == (2, 3)


def test_what_is_not_emulated_outlives_its_exchange(
    make_client: Callable[..., FlaskClient],
) -> None:
    client = make_client(journal=2)
    for path in ("/v1.0/me", "/v1.0/me", "/v1.0/users", ALERTS, ALERTS, ALERTS):
        client.get(path)
    requests = requests_of(client)
    assert [each.path for each in requests] == [ALERTS, ALERTS]
    assert [each.path for each in requests.unemulated] == ["/v1.0/me", "/v1.0/me", "/v1.0/users"]
    with pytest.raises(AssertionError) as failed:
        check_emulated(requests)
    assert "GET /v1.0/me, twice: Resource not found for the segment 'me'." in str(failed.value)
    client.post("/_mockgraph/reset")
    check_emulated(requests_of(client))


def test_what_outlives_is_bounded_and_so_is_the_list(
    make_client: Callable[..., FlaskClient],
) -> None:
    client = make_client(journal=1)
    for number in range(130):
        client.get(f"/v1.0/n{number}")
    requests = requests_of(client)
    assert len(requests.unemulated) == 101
    with pytest.raises(AssertionError, match="and 91 more") as failed:
        check_emulated(requests)
    assert len(str(failed.value)) < 2000


@pytest.mark.parametrize(
    ("status", "code", "by", "unemulated"),
    [
        (501, "notImplemented", "emulation", True),
        (501, "notImplemented", "fault", False),
        (501, "notImplemented", "stub", False),
        (404, "ResourceNotFound", "emulation", False),
        (400, "BadRequest", "emulation", False),
        (501, "other", "emulation", False),
    ],
)
def test_only_what_the_emulation_lacks_counts(
    status: int, code: str, by: str, unemulated: bool
) -> None:
    answer = {"error": {"code": code, "message": "Something is wrong."}}
    assert Past().exchange(status, by=by, answer=answer).is_unemulated is unemulated


def test_a_view_is_a_sequence() -> None:
    past = Past()
    made = [past.exchange(status) for status in (200, 404, 200)]
    requests = Requests(made)
    assert requests == made
    assert requests == tuple(made)
    assert requests == Requests(made)
    assert requests != made[:2]
    assert Requests([]) == []
    assert requests != "requests"
    assert hash(requests) == hash(Requests(made))
    assert requests[0] is made[0]
    assert requests[1:] == made[1:]
    assert list(reversed(requests)) == made[::-1]
    assert made[1] in requests
    assert requests.last is made[2]
    assert not Requests([])


def test_what_is_filtered() -> None:
    past = Past()
    requests = Requests(
        [past.exchange(by="stub"), past.exchange(in_batch=True), past.exchange(method="POST")]
    )
    assert requests.filter(answered_by="stub") == requests[:1]
    assert requests.filter(in_batch=True) == requests[1:2]
    assert requests.filter(in_batch=False, answered_by="emulation") == requests[2:]
    assert requests.filter("post", "/security/alerts", 200) == requests[2:]


def test_a_long_one_shows_its_end() -> None:
    past = Past()
    shown = repr(Requests([past.exchange() for _ in range(60)]))
    assert shown.startswith("<60 requests, the last 50\n  <11: GET")
    assert len(shown.splitlines()) == 51


def test_the_choices_by_http(client: FlaskClient) -> None:
    client.post("/_mockgraph/stubs", json={"path": "/me", "json": {}})
    client.get("/v1.0/me")
    items = [{"id": "1", "method": "GET", "url": "/security"}]
    client.post("/v1.0/$batch", json={"requests": items})

    def numbers(query: str) -> list[int]:
        answer = client.get(f"/_mockgraph/requests?{query}").json
        assert answer is not None
        return [each["number"] for each in answer["value"]]

    assert numbers("answeredBy=stub") == [1]
    assert numbers("inBatch=true") == [2]
    assert numbers("inBatch=false") == [1, 3]
    assert client.get("/_mockgraph/requests?inBatch=1").status_code == 400
    assert client.get("/_mockgraph/requests?limit=%C2%B2").status_code == 400
