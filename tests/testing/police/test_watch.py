"""``Retry-After``: who came too early, and who only seems to have."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import format_datetime

import pytest

from mockgraph.testing.police.conduct import to_wait

from ..exchanges import (
    BATCH,
    PATCH,
    POST,
    SECURITY,
    WAIT,
    Past,
    Step,
    failed,
    headed,
    rules,
    told_to_wait,
)

EARLY: dict[str, list[Step]] = {
    "at once": [WAIT, {"after": 0.001}],
    "a little": [WAIT, {"after": 9.9}],
    "other bodies": [{**WAIT, **PATCH}, {**PATCH, "body": {}}],
    "503": [{**WAIT, "status": 503}, {}],
    "504": [{**WAIT, "status": 504}, {}],
    "the clock stood still": [WAIT, {"clock": 0}],
    "a retry handler": [{**WAIT, "sender": "1"}, {"sender": "2", **headed(Retry_Attempt="1")}],
    "in turn, another path": [{**WAIT, "sender": "1"}, {"sender": "1", **SECURITY}],
    "in turn, after others": [
        {"sender": "9"},
        {"sender": "1"},
        {**WAIT, "sender": "1"},
        {"sender": "1", **SECURITY},
    ],
    "in turn, between what the test asks": [
        {"sender": "1"},
        {"sender": "2"},
        {**WAIT, "sender": "1", "after": 0.01},
        {"sender": "1", "after": 0.01},
        {"sender": "3", "url": "/v1.0/security/incidents", "after": 0.01},
    ],
    "a client without keep-alive": [{**WAIT, "sender": "1"}, {"sender": "2", "after": 0.001}],
    "one of several, known by its id": [
        {**WAIT, "sender": "1", **headed(client_request_id="a")},
        {**WAIT, "sender": "2", **headed(client_request_id="b"), "after": -0.0005, "took": 5},
        {"sender": "3", **headed(client_request_id="b"), "after": 6},
    ],
    "two sent away, one back": [
        {**WAIT, "sender": "1"},
        {**WAIT, "sender": "2", "after": 0.01},
        {"sender": "3", "after": 11},
    ],
    "429 again": [WAIT, {**WAIT, "after": 11}, {"after": 5}],
    "huge": [told_to_wait("9" * 6000), {"after": 10**8}],
    "an item of the next batch": [{**WAIT, "in_batch": True}, BATCH, {"in_batch": True}],
    "an item on its own": [{**WAIT, "in_batch": True}, BATCH, {}],
}

NOT_EARLY: dict[str, list[Step]] = {
    "after the time": [WAIT, {"after": 10}],
    "a timer that is early": [WAIT, {"after": 9.96}],
    "by the clock alone": [WAIT, {"after": 0.001, "clock": 10}],
    "in real time alone": [WAIT, {"after": 10, "clock": 0}],
    "the clock went back": [WAIT, {"after": 10, "clock": -3600}],
    "nothing to wait for": [told_to_wait("0"), {"after": 0.001}],
    "what cannot be read": [told_to_wait("soon"), {"after": 0.001}],
    "under way already": [{**WAIT, "sender": "1"}, {"sender": "2", "after": -0.5}],
    "under way on its lane": [WAIT, {"after": -0.5}],
    "another app": [WAIT, headed(Authorization="Bearer another")],
    "writing while reading is throttled": [{**WAIT, "sender": "1"}, {**PATCH, "sender": "1"}],
    "503 is of one path": [{**WAIT, "status": 503}, SECURITY],
    "other paths at once": [
        {"sender": "1"},
        {"sender": "2"},
        {**WAIT, "sender": "1"},
        {"sender": "2", **SECURITY},
    ],
    "other paths by a pool": [
        {**WAIT, "sender": "1"},
        {"sender": "2", "url": "/v1.0/security/incidents"},
        {"sender": "1", **SECURITY},
    ],
    "the same at once": [
        {"sender": "1", "after": 0.0001},
        {**WAIT, "sender": "2", "after": 0.0001},
        {"sender": "3", "after": 0.0001},
    ],
    "the same at once, as seen later": [
        {**WAIT, "sender": "1"},
        {"sender": "2", "after": 0.001},
        {"sender": "3", "after": 0.0001},
    ],
    "a pool, seen before": [
        {"sender": "1"},
        {"sender": "2"},
        {**WAIT, "sender": "1", "after": 0.01},
        {"sender": "2", "after": 0.01},
    ],
    "other paths by a pool that begins": [
        {**WAIT, "sender": "1"},
        {**WAIT, "sender": "1", **SECURITY, "after": 0.01},
        {"sender": "2", "url": "/v1.0/security/incidents", "after": 0.01},
        {"sender": "1", "after": 1.001, "clock": 10},
        {"sender": "2", "url": "/v1.0/security/incidents?$top=1", "after": 0.001},
    ],
    "the same by a pool that begins": [
        {**WAIT, "sender": "1", **POST},
        {**WAIT, "sender": "1", **POST, "after": 0.01},
        {**WAIT, "sender": "2", **POST, "after": 0.01},
        {"sender": "1", **POST, "after": 1.001, "clock": 10},
        {"sender": "2", **POST, "after": 0.001},
    ],
    "the same by workers without a pool": [
        {**WAIT, **POST, "sender": "1"},
        {**WAIT, **POST, "sender": "2", "after": 0.01},
        {**POST, "sender": "3", "after": 0.01},
        {**POST, "sender": "4", "after": 10},
        {**POST, "sender": "5", "after": 0.01},
    ],
    "a retry of one of several": [
        {**WAIT, "sender": "1", **headed(client_request_id="a")},
        {**WAIT, "sender": "2", **headed(client_request_id="b"), "after": -0.0005, "took": 5},
        {"sender": "3", **headed(client_request_id="a", Retry_Attempt="1"), "after": 5},
        {"sender": "4", **headed(client_request_id="b", Retry_Attempt="1"), "after": 5},
    ],
    "others once it went well": [WAIT, {"after": 11}, {"after": 0.001}],
    "items of the same batch": [{**WAIT, "in_batch": True}, {"in_batch": True}, BATCH],
    "an item that waited": [{**WAIT, "in_batch": True}, BATCH, {"in_batch": True, "after": 10}],
    "an item that went well in the end": [
        {**WAIT, "in_batch": True},
        BATCH,
        {"in_batch": True, "after": 11},
        {"in_batch": True, "after": 0.001},
    ],
}


@pytest.mark.parametrize("steps", EARLY.values(), ids=EARLY)
def test_too_early(steps: Sequence[Step]) -> None:
    assert rules(*steps) == ["retry-after-ignored"]


@pytest.mark.parametrize("steps", NOT_EARLY.values(), ids=NOT_EARLY)
def test_not_too_early(steps: Sequence[Step]) -> None:
    assert rules(*steps) == []


def test_each_early_one_counts_until_one_went_well() -> None:
    steps = [WAIT, *[{**failed(500), "after": 1}] * 2]
    assert rules(*steps).count("retry-after-ignored") == 1
    assert rules(WAIT, *[{**WAIT, "after": 1}] * 3) == ["retry-after-ignored"] * 3


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("10", 10.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("²", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("soon", None),
        ("Thu, 99 Jan 2026 00:00:00 GMT", None),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
        ("Thu, 01 Jan 2026 00:01:00 -0000", 60.0),
        ("Thu, 01 Jan 2026 02:01:00 +0200", 60.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 251_635_075_199.0),
    ],
)
def test_retry_after_in_either_form(given: str, seconds: float | None) -> None:
    assert to_wait(Past().exchange(after=0, took=0, **told_to_wait(given))) == seconds


def test_a_date_is_judged_by_the_clock() -> None:
    at = Past().exchange(after=0, took=0).at
    throttled = told_to_wait(format_datetime(at.replace(second=30), usegmt=True))
    assert rules(throttled, {"after": 10}) == ["retry-after-ignored"]
    assert rules(throttled, {"after": 0.1, "clock": 30}) == []
