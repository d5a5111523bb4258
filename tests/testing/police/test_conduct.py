"""The rules, one by one: what breaks them, and what looks like it but is fair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from mockgraph.testing.exchange import Exchange
from mockgraph.testing.expectations import check_well_behaved
from mockgraph.testing.police import Police, misdeeds

from ..exchanges import ALERTS, PATCH, POST, WAIT, Past, Step, failed, headed, play, rules

AGAIN: dict[str, tuple[list[str], list[Step]]] = {
    "no pause": (["no-backoff"], [failed(429), {"after": 0.01}]),
    "no pause after a post": (["no-backoff"], [failed(503, **POST), {**POST, "after": 0.01}]),
    "a pause": ([], [failed(429), {"after": 0.2}]),
    "nothing was said": ([], [{"status": 503, "by": "fault"}, {"after": 0.01}]),
    "400": (["retried-in-vain"], [failed(400, **POST), POST]),
    "400 of the emulation": (["retried-in-vain"], [failed(400, by="emulation", **POST)] * 2),
    "404 until the state changed": ([], [failed(404, by="emulation", **PATCH), PATCH]),
    "400 with another header": ([], [failed(400, **POST), {**POST, **headed(Prefer="x")}]),
    "415 with the right type": (
        [],
        [
            failed(415, method="POST", body=b"{}", **headed(Content_Type="text/plain")),
            {"method": "POST", "body": b"{}", **headed(Content_Type="application/json")},
        ],
    ),
    "403 with another token": ([], [failed(403), headed(Authorization="Bearer x")]),
    "403 with another id": (
        ["retried-in-vain"],
        [failed(403, **headed(client_request_id="a", traceparent="1")), headed(traceparent="2")],
    ),
    "404 of a GET": ([], [failed(404)] * 3),
    "404 of a HEAD": ([], [failed(404, method="HEAD")] * 3),
    "404 of a DELETE": (["retried-in-vain"], [failed(404, method="DELETE")] * 2),
    "409 at once": (["retried-in-vain"], [failed(409, **POST), {**POST, "after": 0.01}]),
    "409 after a while": ([], [failed(409, **POST), {**POST, "after": 1}]),
    "412": (
        ["retried-in-vain"],
        [failed(412, **PATCH, **headed(If_Match="1")), {**PATCH, **headed(If_Match="1")}],
    ),
    "412 with the new etag": (
        [],
        [failed(412, **PATCH, **headed(If_Match="1")), {**PATCH, **headed(If_Match="2")}],
    ),
    "400 of the day before": ([], [failed(400, **POST), {**POST, "after": 0.1, "clock": 86400}]),
    "something in between": ([], [failed(400, **POST), {}, POST]),
    "three times": (["retried-in-vain"] * 2, [failed(403)] * 3),
    "401": (["retried-with-a-refused-token"], [failed(401)] * 2),
    "401 with a new token": ([], [failed(401), headed(Authorization="Bearer new")]),
    "500 of a create": (["blind-retry-of-a-create"], [failed(500, **POST), POST]),
    "502 of a create": (["blind-retry-of-a-create"], [failed(502, **POST), POST]),
    "cut off, a create": (
        ["blind-retry-of-a-create"],
        [{"status": 503, "by": "fault", **POST}, POST],
    ),
    "503 of a create": ([], [failed(503, **POST), POST]),
    "500 of an update": ([], [failed(500, **PATCH), PATCH]),
    "500 of a create, looked up": ([], [failed(500, **POST), {}, POST]),
    "504 by an SDK": ([], [failed(504, **POST), {**POST, **headed(Retry_Attempt="1")}]),
    "504 by hand": (["blind-retry-of-a-create"], [failed(504, **POST), POST]),
    "the body is gone": (["body-changed-on-retry"], [failed(503, **POST), {"method": "POST"}]),
    "the body is another": (
        ["body-changed-on-retry"],
        [failed(503, **POST), {"method": "POST", "body": {}, **headed(Retry_Attempt="1")}],
    ),
    "another update": ([], [failed(503, **PATCH), {**PATCH, "body": {}}]),
    "another update after 400": ([], [failed(400, **PATCH), {**PATCH, "body": None}]),
    "id dropped": (
        ["client-request-id-dropped"],
        [failed(500, **headed(client_request_id="a")), {}],
    ),
    "id changed": (
        ["client-request-id-dropped"],
        [failed(503, **headed(client_request_id="a")), headed(client_request_id="b")],
    ),
    "id kept": ([], [failed(503, **headed(client_request_id="a"))] * 2),
    "another call of an SDK": (
        [],
        [
            failed(503, **headed(client_request_id="a", SdkVersion="x")),
            headed(client_request_id="b", SdkVersion="x"),
        ],
    ),
    "no id at first": ([], [failed(503), headed(client_request_id="b")]),
    "a new id for what succeeded": (
        [],
        [headed(client_request_id="a"), headed(client_request_id="b")],
    ),
    "sign-ins are nobody's": ([], [failed(400, by="sign-in", **POST)] * 2),
    "a sign-in in between": (
        ["retried-in-vain"],
        [failed(403), {"by": "sign-in", "method": "POST"}, failed(403)],
    ),
    "at once": (
        [],
        [failed(400, sender="1", took=0.5), failed(400, sender="2", after=-0.2, took=0.5)],
    ),
}


@pytest.mark.parametrize(("found", "steps"), AGAIN.values(), ids=AGAIN)
def test_the_same_again(found: list[str], steps: Sequence[Step]) -> None:
    assert rules(*steps) == found


def test_what_is_said_of_a_token_that_was_not_sent() -> None:
    for sent, says in (
        (headed(Authorization="Bearer x"), "with the token that was refused"),
        ({}, "without a token"),
    ):
        (found,) = misdeeds(play(failed(401, **sent), failed(401, **sent)))
        assert found.says == f"it was sent again {says}"


@pytest.mark.parametrize("status", [400, 403, 405, 406, 410, 411, 412, 413, 414, 415, 422, 501])
def test_what_is_final(status: int) -> None:
    assert rules(*[failed(status, **PATCH)] * 2) == ["retried-in-vain"]


def page(*options: str, given: str | None, count: int = 2, **more: Any) -> Step:
    link = {} if given is None else {"@odata.nextLink": f"http://h/t/a{ALERTS}?{given}"}
    query = "&".join(options)
    url = f"{ALERTS}?{query}" if query else ALERTS
    return {"url": url, "answer": {"value": [{}] * count, **link}, **more}


FIRST = page("$top=2", given="$top=2&$skiptoken=t1")
SECOND = page("$top=2", "$skiptoken=t1", given="$top=2&$skiptoken=t2")
LAST = page("$top=2", "$skiptoken=t2", given=None, count=1)

PAGING: dict[str, tuple[list[str], list[Step]]] = {
    "as it should be": ([], [FIRST, SECOND, LAST]),
    "encoded otherwise": ([], [FIRST, page("%24skiptoken=%741", "%24TOP=2", given=None)]),
    "back again": ([], [FIRST, SECOND, FIRST, SECOND, SECOND]),
    "through a batch": ([], [FIRST, {**SECOND, "in_batch": True}, LAST]),
    "by another caller": ([], [FIRST, {**SECOND, **headed(Authorization="Bearer x")}]),
    "made up": (["paging-by-hand"], [FIRST, page("$skiptoken=x", given=None)]),
    "made up, nothing known": ([], [page("$skiptoken=x", given=None)]),
    "taken out": (["paging-by-hand"], [FIRST, page("$skiptoken=t1", given=None)]),
    "taken elsewhere": (
        ["paging-by-hand"],
        [FIRST, {"url": "/v1.0/security/incidents?$top=2&$skiptoken=t1"}],
    ),
    "counted": (["paging-by-hand"], [FIRST, page("$top=2", "$skip=2", given=None)]),
    "counted on": (["paging-by-hand"], [FIRST, SECOND, page("$top=2", "$skip=4", given=None)]),
    "counted wrong": ([], [FIRST, page("$top=2", "$skip=7", given=None)]),
    "counted in another list": (
        [],
        [FIRST, page("$filter=a", "$top=2", "$skip=2", given=None)],
    ),
    "counted from the start": (
        [],
        [page("$skip=1", given="$skiptoken=t1"), page("$skip=3", given=None)],
    ),
    "the first page again": (
        [],
        [page(given="$skiptoken=t", count=0), page("$skip=0", given=None)],
    ),
    "no link": ([], [page(given=None), page("$skip=2", given=None)]),
    "a link that is none": (
        [],
        [
            {"answer": {"value": [], "@odata.nextLink": "http://[/"}},
            {"answer": {"@odata.nextLink": 5}},
            {"answer": ["@odata.nextLink"]},
            page("$skiptoken=x", given=None),
        ],
    ),
    "a link of a stub": (
        [],
        [
            {"by": "stub", "answer": {"value": 1, "@odata.nextLink": f"{ALERTS}?page=2"}},
            {"by": "stub", "url": f"{ALERTS}?page=2"},
        ],
    ),
    "a write": ([], [FIRST, {**POST, "url": f"{ALERTS}?$skip=2"}]),
}


@pytest.mark.parametrize(("found", "steps"), PAGING.values(), ids=PAGING)
def test_paging(found: list[str], steps: Sequence[Step]) -> None:
    assert rules(*steps) == found


def test_a_misdeed_explains_itself() -> None:
    exchanges = play(WAIT, {"after": 4, "took": 0})
    (found,) = misdeeds(exchanges)
    assert exchanges[1].misdeeds == (found,)
    assert exchanges[0].misdeeds == ()
    assert repr(exchanges[1]).endswith("-> 200 retry-after-ignored>")
    assert exchanges[1].as_json()["misdeeds"] == ["retry-after-ignored"]
    assert found.as_json() == {
        "rule": "retry-after-ignored",
        "message": "it came 6.000 s before the time that Retry-After gave had passed",
        "hint": "Wait as many seconds as Retry-After says before the next try.",
        "request": 2,
        "earlier": 1,
        "method": "GET",
        "path": ALERTS,
    }


def test_every_rule_has_a_hint() -> None:
    found = [
        misdeed
        for scenarios in (AGAIN, PAGING)
        for _, steps in scenarios.values()
        for misdeed in misdeeds(play(*steps))
    ]
    assert len({each.rule for each in found}) == 7
    assert all(each.hint.endswith(".") for each in found)


def test_the_list_is_bounded_and_says_what_to_do_once() -> None:
    with pytest.raises(AssertionError) as failure:
        check_well_behaved(play(*[failed(403)] * 60))
    lines = str(failure.value).splitlines()
    assert lines[0] == "The client misbehaved 59 times:"
    assert lines[21] == "    (the first 20 of them)"
    assert lines[22:] == [
        "retried-in-vain: Take this status as the answer; retry 429, 503 and 504 alone."
    ]
    check_well_behaved(play(failed(403)))


def test_judging_again_finds_the_same() -> None:
    exchanges = play(WAIT, {}, failed(400), failed(400))
    first = [each.as_json() for each in misdeeds(exchanges)]
    assert len(first) == 2
    assert [each.as_json() for each in misdeeds(exchanges)] == first


@pytest.mark.parametrize("steps", [[WAIT, {}], AGAIN["400"][1], PAGING["made up"][1]])
def test_one_after_another_as_all_at_once(steps: Sequence[Step]) -> None:
    police = Police()
    exchanges = play(*steps)
    found = [misdeed.as_json() for each in exchanges for misdeed in police.watch(each)]
    assert found == [each.as_json() for each in misdeeds(exchanges)]
    assert len(found) == 1


BOUNDS = (
    "watch._MAX_CLIENTS",
    "history._MAX_THROTTLED",
    "concurrency._MAX_CALLERS",
    "concurrency._MAX_CONNECTIONS",
    "concurrency._MAX_TIMES",
    "next_links._MAX_LINKS",
    "next_links._MAX_LISTS",
)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in BOUNDS:
        monkeypatch.setattr(f"mockgraph.testing.police.{name}", 2)
    past, police = Past(), Police()
    for number in range(50):
        steps: list[Step] = [
            {"url": f"/v1.0/{number}", **WAIT, "sender": str(number)},
            page(f"$top={number}", given=f"$skiptoken={number}"),
            {"sender": str(number % 5), "after": 0.0001},
            headed(Authorization=f"Bearer {number}"),
        ]
        for step in steps:
            police.watch(past.exchange(**step))
    held = _exchanges_in(police, set())
    assert 0 < len(held) < 20
    # With their bodies, the last ones of the clients alone.
    assert sum(bool(each.body or each.response_body) for each in held) <= 2
    # A link that is forgotten is not held against who follows it.
    found = police.watch(past.exchange(**page("$skiptoken=1", given=None)))
    assert "paging-by-hand" not in [each.rule for each in found]


@pytest.mark.parametrize(
    ("bound", "step"),
    [
        ("history._MAX_THROTTLED", lambda number: {"url": f"/v1.0/{number}", **WAIT}),
        ("history._MAX_TRIES", lambda number: failed(500, **headed(client_request_id=number))),
    ],
)
def test_of_one_client_as_much(
    monkeypatch: pytest.MonkeyPatch, bound: str, step: Callable[[str], Step]
) -> None:
    monkeypatch.setattr(f"mockgraph.testing.police.{bound}", 2)
    past, police = Past(), Police()
    for number in range(50):
        police.watch(past.exchange(**step(str(number))))
    assert 0 < len(_exchanges_in(police, set())) < 10


def _exchanges_in(value: Any, seen: set[int]) -> list[Exchange]:
    """The exchanges that are reached from a value, each once."""
    if id(value) in seen:
        return []
    seen.add(id(value))
    if isinstance(value, Exchange):
        return [value]
    if isinstance(value, dict):
        within = list(value.values())
    elif isinstance(value, (list, tuple)):
        within = list(value)
    else:
        within = list(getattr(value, "__dict__", {}).values())
    return [found for each in within for found in _exchanges_in(each, seen)]
