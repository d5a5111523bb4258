"""The journal: what is recorded, what is dropped, what a view of it can do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.app import create_app
from mockgraph.clock import Clock
from mockgraph.http import Request, Response
from mockgraph.server_options import Settings
from mockgraph.testing.exchange_records import recorded
from mockgraph.testing.expectations import Expectation, check_called, check_emulated
from mockgraph.testing.journal import Journal, JournalRoom, Requests
from mockgraph.testing.tenant import Tenants

from .exchanges import ALERTS, Past, journal_of, make_request

MIB = 1024 * 1024


def test_what_is_dropped_is_counted_and_told() -> None:
    journal = Journal(2, 64 * MIB, Clock())
    for number in range(5):
        journal.record(make_request(url=f"/v1.0/{number}"), Response(200), 0)
    requests = journal.requests()
    assert (len(requests), requests.dropped) == (2, 3)
    with pytest.raises(AssertionError, match="no room for 3 earlier ones"):
        check_called(requests, Expectation("GET", "/0", {}))
    journal.clear()
    assert journal.requests().dropped == 0


def test_what_is_not_emulated_outlives_its_exchange(
    make_client: Callable[..., FlaskClient],
) -> None:
    client = make_client(journal=2)
    for path in ("/v1.0/me", "/v1.0/me", "/v1.0/users", ALERTS, ALERTS, ALERTS):
        client.get(path)
    requests = journal_of(client)
    assert [each.path for each in requests] == [ALERTS, ALERTS]
    assert [each.path for each in requests.unemulated] == ["/v1.0/me", "/v1.0/me", "/v1.0/users"]
    with pytest.raises(AssertionError) as failed:
        check_emulated(requests)
    assert "GET /v1.0/me, twice: MockGraph does not emulate '/v1.0/me'" in str(failed.value)
    client.post("/_mockgraph/reset")
    check_emulated(journal_of(client))


def test_what_outlives_is_bounded_and_so_is_the_list(
    make_client: Callable[..., FlaskClient],
) -> None:
    client = make_client(journal=1)
    for number in range(130):
        client.get(f"/v1.0/n{number}")
    requests = journal_of(client)
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


def request(path: str = "/v1.0/security", body: bytes = b"") -> Request:
    return make_request("POST" if body else "GET", path, body or None)


def test_the_control_plane_is_not_recorded_and_items_of_batches_are(client: FlaskClient) -> None:
    client.get("/_mockgraph/state")
    items = [{"id": str(n), "method": "GET", "url": f"/security/alerts/{n}"} for n in range(2)]
    client.post("/v1.0/$batch", json={"requests": items})
    recorded = journal_of(client)
    assert [(each.path, each.in_batch) for each in recorded] == [
        ("/v1.0/security/alerts/0", True),
        ("/v1.0/security/alerts/1", True),
        ("/v1.0/$batch", False),
    ]
    assert recorded[0].headers["Authorization"] == "Bearer ***"


@pytest.mark.parametrize("prefix", ["", "/t/a"])
def test_what_a_browser_asks_for_by_itself_is_not_recorded(
    client: FlaskClient, prefix: str
) -> None:
    answer = client.get(f"{prefix}/favicon.ico", headers={"Host": "graph.microsoft.com"})
    assert (answer.status_code, answer.data) == (204, b"")
    assert client.get(f"{prefix}/_mockgraph/requests").get_json()["value"] == []


def test_it_is_bounded_in_number() -> None:
    journal = Journal(3, 64 * MIB, Clock())
    for number in range(5):
        journal.record(request(f"/{number}"), Response(200), 0)
    assert [each.path for each in journal.requests()] == ["/2", "/3", "/4"]
    assert [each.number for each in journal.requests()] == [3, 4, 5]
    journal.clear()
    assert len(journal.requests()) == 0
    assert journal.requests().last is None


def test_it_is_bounded_in_bytes() -> None:
    head = recorded(request(body=b"a" * 10), Response(200), Clock().setting, 0).size - 10
    journal = Journal(1000, 100 + 2 * head, Clock())
    for size in (40, 40, 40, 10, 90):
        journal.record(request(body=b"a" * 10), Response(200, b"x" * (size - 10)), 0)
    assert [each.size - head for each in journal.requests()] == [10, 90]
    journal.clear()
    journal.record(request(), Response(200, b"x" * 90), 0)
    journal.record(request(), Response(200, b"x" * 10), 0)
    assert len(journal.requests()) == 2


def test_what_alone_is_larger_is_kept_without_its_bodies() -> None:
    journal = Journal(1000, 2000, Clock())
    journal.record(request(), Response(200, b"x" * 100), 0)
    journal.record(request(body=b"a" * 10), Response(200, b"x" * 2000), 0)
    first, last = journal.requests()
    assert first.response_body == b"x" * 100
    assert (last.status, last.body, last.response_body) == (200, b"", b"")


def test_heads_count() -> None:
    journal = Journal(1000, 100_000, Clock())
    for number in range(20):
        headers = {"x-long": "x" * 10_000}
        journal.record(make_request(url=f"/{number}", headers=headers), Response(200), 0)
    assert 5 <= len(journal.requests()) < 10


def test_what_was_not_emulated_is_kept_in_few_bytes() -> None:
    journal = Journal(1, 80_000, Clock())
    body = b'{"error": {"code": "notImplemented", "message": "MockGraph does not emulate"}}'
    for number in range(50):
        asked = make_request(url=f"/{number}", body=b"a" * 40_000, headers={"x": "y" * 1000})
        journal.record(asked, Response(501, body), 0)
    requests = journal.requests()
    assert requests.dropped == 49
    *lost, _ = requests.unemulated
    assert sum(each.size for each in lost) <= 10_000
    assert 5 <= len(lost) < 10
    assert {each.error_message for each in lost} == {"MockGraph does not emulate"}
    assert not any(each.body for each in lost)


def test_it_may_be_off() -> None:
    journal = Journal(0, 64 * MIB, Clock())
    journal.record(request(), Response(200), 0)
    assert len(journal.requests()) == 0


def test_it_counts_under_threads() -> None:
    journal = Journal(10_000, 64 * MIB, Clock())
    barrier = threading.Barrier(8)

    def record() -> None:
        barrier.wait()
        for _ in range(200):
            journal.record(request(), Response(200), 0)

    threads = [threading.Thread(target=record) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.number for each in journal.requests()] == list(range(1, 1601))


def test_all_journals_of_a_server_are_bounded_together() -> None:
    room = JournalRoom(400_000)
    journals = [Journal(1000, 100_000, Clock(), room) for _ in range(50)]
    for journal in journals:
        for _ in range(8):
            journal.record(request(), Response(200, b"x" * 9_000), 0)
    assert 200_000 < sum(journal.size for journal in journals) <= 400_000
    assert [len(each.requests()) for each in journals[-3:]] == [8, 8, 8]
    assert not journals[0].requests()
    assert journals[0].requests().dropped == 8
    journals[0].record(request(), Response(200), 0)
    assert [each.number for each in journals[0].requests()] == [9]
    assert len(journals[-1].requests()) == 8


def test_what_was_lost_counts_among_all_journals() -> None:
    room = JournalRoom(200_000)
    body = b'{"error": {"code": "notImplemented", "message": "MockGraph does not emulate"}}'
    journals = [Journal(1, 50_000, Clock(), room) for _ in range(200)]
    for journal in journals:
        for number in range(5):
            journal.record(make_request(url=f"/{number}"), Response(501, body), 0)
    assert sum(journal.size for journal in journals) <= 200_000
    assert len(journals[-1].requests().unemulated) == 5
    assert not journals[0].requests().unemulated


def test_the_room_of_a_journal_that_is_gone_is_free() -> None:
    room = JournalRoom(60_000)
    first, second = (Journal(1000, 30_000, Clock(), room) for _ in range(2))
    for _ in range(10):
        first.record(request(), Response(200), 0)
    second.record(request(), Response(200, b"x" * 20_000), 0)
    room.forget(first)
    for _ in range(3):
        second.record(request(), Response(200, b"x" * 9_000), 0)
    assert len(first.requests()) == 10
    assert second.size <= 60_000


def test_what_is_not_counted_yet_is_when_another_journal_is_gone() -> None:
    room = JournalRoom(400_000)
    gone, *journals = (Journal(1000, 100_000, Clock(), room) for _ in range(50))
    for journal in journals:
        for _ in range(15):
            journal.record(request(), Response(200, b"x" * 3_000), 0)
        room.forget(gone)
    assert len(journals[-1].requests()) == 15
    kept = sum(len(each.requests()) for each in journals)
    assert kept * 3_000 < 400_000


@pytest.mark.parametrize("way", ["drop", "clear"])
def test_a_tenant_that_is_gone_takes_no_room(way: str) -> None:
    tenants: Tenants = create_app(Settings(auth="off")).extensions["mockgraph"]
    tenant = tenants.get("a")
    tenant.journal.record(request(), Response(200, b"x" * 10_000), 0)
    assert tenant.journal in tenants._room._journals
    tenants.drop("a") if way == "drop" else tenants.clear()
    assert tenant.journal not in tenants._room._journals


def test_journals_share_their_room_under_threads() -> None:
    room = JournalRoom(80_000)
    journals = [Journal(100, 20_000, Clock(), room) for _ in range(8)]
    barrier = threading.Barrier(8)

    def record(journal: Journal) -> None:
        barrier.wait()
        for number in range(200):
            journal.record(request(), Response(200, b"x" * 500), 0)
            if number % 50 == 49:
                journal.clear()

    threads = [threading.Thread(target=record, args=[each]) for each in journals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any(journal.size for journal in journals)
    assert room._bytes == 0


_NOT_EMULATED = b'{"error": {"code": "notImplemented", "message": "MockGraph does not emulate"}}'
_STEPS = st.one_of(
    *5 * [st.tuples(st.sampled_from([200, 200, 501]), st.sampled_from([0, 50, 500, 5000]))],
    st.sampled_from(["look", "look", "clear", "another"]),
)


@given(st.integers(1, 30), st.sampled_from([400, 4000, 1_000_000]), st.lists(_STEPS, max_size=60))
def test_counting_several_together_keeps_what_counting_each_does(
    limit: int, most: int, steps: list[Any]
) -> None:
    room = JournalRoom(64 * MIB)
    together, another = (Journal(limit, most, Clock(), room) for _ in range(2))
    each = Journal(limit, most, Clock())  # with no room to share, it counts at once

    def kept(journal: Journal) -> Any:
        requests = journal.requests()
        shown = [(one.number, one.path, one.status, one.size) for one in requests]
        lost = [(one.number, one.path) for one in requests.unemulated]
        return shown, lost, requests.dropped, journal.marks, journal.size

    for number, step in enumerate([*steps, "look"]):
        match step:
            case "look":
                assert kept(together) == kept(each)
                assert together.requests() == together.requests()
            case "clear":
                together.clear()
                each.clear()
            case "another":
                another.record(request(), Response(200), 0)
            case status, size:
                answer = _NOT_EMULATED if status == 501 else b"x" * size
                for journal in (together, each):
                    journal.record(request(f"/{number}"), Response(status, answer), 0)
