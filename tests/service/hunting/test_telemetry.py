"""Rows are checked, held without a change, and shared between versions."""

from __future__ import annotations

from typing import Any

import pytest

from mockgraph.service.hunting.refusal import HuntingError
from mockgraph.service.hunting.schema import schema
from mockgraph.service.hunting.telemetry import Tables, block, packed

from .hunts import NOW, hunted


def test_a_table_has_the_rows_of_all_its_blocks() -> None:
    row = {"Timestamp": "2026-11-20T11:00:00Z"}
    one, two = block("DeviceEvents", [row]), block("DeviceEvents", [row, row])
    assert Tables({"DeviceEvents": [one, two]}).arrow("DeviceEvents").num_rows == 3
    assert Tables({"DeviceEvents": [one]}).arrow("DeviceEvents").num_rows == 1
    assert Tables({}).arrow("DeviceEvents").num_rows == 0


def test_many_rows_may_be_packed_into_one_item() -> None:
    row = {"Timestamp": "2026-11-20T11:00:00Z", "FileName": "a"}
    item = packed(block("DeviceEvents", [row] * 3).arrow())
    found = hunted("DeviceEvents | summarize count() by FileName", DeviceEvents=[item, row])
    assert found.results == [{"FileName": "a", "count_": 4}]


@pytest.mark.parametrize("item", ["", "!", "AAAA", 5, None])
def test_what_is_no_packed_item_is_refused(item: Any) -> None:
    with pytest.raises(HuntingError, match="@arrow"):
        hunted("DeviceEvents", DeviceEvents=[{"@arrow": item}])


def test_a_packed_item_of_another_table_is_refused() -> None:
    item = packed(block("DeviceInfo", [{}]).arrow())
    with pytest.raises(HuntingError, match="other columns"):
        hunted("DeviceEvents", DeviceEvents=[item])


@pytest.mark.parametrize(
    ("table", "row", "path"),
    [
        ("DeviceEvents", {"Filename": "x"}, "DeviceEvents[0] has no column 'Filename'"),
        ("DeviceEvents", {"FileName": 5}, "DeviceEvents[0].FileName is no string"),
        ("DeviceEvents", {"Timestamp": "soon"}, "DeviceEvents[0].Timestamp is no datetime"),
        ("DeviceEvents", {"Timestamp": 5}, "DeviceEvents[0].Timestamp is no datetime"),
        ("DeviceEvents", {"ProcessId": "5"}, "DeviceEvents[0].ProcessId is no long"),
        ("DeviceEvents", {"ProcessId": True}, "DeviceEvents[0].ProcessId is no long"),
        ("DeviceEvents", {"ProcessId": 2**63}, "DeviceEvents[0].ProcessId is no long"),
        ("DeviceEvents", {"FileName": "\ud800"}, "DeviceEvents[0].FileName is no string"),
        ("AADSignInEventsBeta", {"ErrorCode": 2**31}, "AADSignInEventsBeta[0].ErrorCode is no int"),
        ("AADSignInEventsBeta", {"IsGuestUser": "yes"}, "IsGuestUser is no bool"),
        ("CloudAppEvents", {"RawEventData": {1: 2}}, "RawEventData is no dynamic"),
        ("DeviceEvent", {}, "Hunting has no table 'DeviceEvent'. Names near it: DeviceEvents"),
        ("DeviceEvents", [], "DeviceEvents[0] is no object"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_with_the_place(table: str, row: Any, path: str) -> None:
    with pytest.raises(HuntingError) as refused:
        block(table, [row])
    assert path in refused.value.message


def test_values_come_back_as_they_were_given() -> None:
    row = {
        "Timestamp": "2026-11-20T11:00:00.123456+02:00",
        "ActionType": "Zażółć 'x' \0 \U0001f600",
        "RawEventData": {"a": [1, 2.5, None, "x"], "b": {"c": True}},
        "IsAdminOperation": True,
        "ApplicationId": -5,
    }
    columns = ", ".join(row)
    (found,) = hunted(f"CloudAppEvents | project {columns}", CloudAppEvents=[row]).results
    assert found == row | {"Timestamp": "2026-11-20T09:00:00.123456Z", "IsAdminOperation": 1}


def test_a_text_that_is_missing_is_empty_and_another_value_null() -> None:
    (found,) = hunted(
        "DeviceEvents | project FileName, isempty(FileName), isnull(ProcessId)",
        DeviceEvents=[{"Timestamp": NOW, "FileName": None}],
    ).results
    assert list(found.values()) == ["", 1, 1]


@pytest.mark.parametrize("table", schema())
def test_each_table_can_be_read(table: str) -> None:
    if table != "FileProfile":
        assert len(hunted(f"{table} | take 0").schema) == len(schema()[table])


def test_what_is_known_of_files_is_added_by_file_profile() -> None:
    found = hunted(
        "DeviceEvents | invoke FileProfile(SHA1, 1000)"
        " | project FileName, GlobalPrevalence, Signer",
        DeviceEvents=[
            {"Timestamp": NOW, "FileName": "a", "SHA1": "aa"},
            {"Timestamp": NOW, "FileName": "b", "SHA1": ""},
        ],
        FileProfile=[{"SHA1": "aa", "GlobalPrevalence": 7, "Signer": "Corvane"}, {"SHA1": ""}],
    )
    assert [list(row.values()) for row in found.results] == [["a", 7, "Corvane"], ["b", None, ""]]


@pytest.mark.parametrize(
    ("timespan", "found"),
    [
        (None, ["day", "week", "month"]),
        ("", ["day", "week", "month"]),
        ("P1D", ["day"]),
        ("p2d", ["day"]),
        ("PT13H", ["day"]),
        ("P1W", ["day"]),
        ("P1M", ["day", "week", "month"]),
        ("P1Y", ["day", "week", "month", "year"]),
        ("2026-11-01T00:00:00Z", ["day", "week"]),
        ("2026-11-11/2026-11-13", ["week"]),
        ("P2D/2026-11-13", ["week"]),
        ("2026-11-11/P2D", ["week"]),
    ],
)
def test_the_timespan_limits_what_is_looked_at(timespan: str | None, found: list[str]) -> None:
    moments = {"day": "11-20", "week": "11-12", "month": "10-25", "year": "01-02"}
    rows = [
        {"Timestamp": f"2026-{day}T00:00:00Z", "FileName": name} for name, day in moments.items()
    ]
    answer = hunted("DeviceEvents | project FileName", timespan, DeviceEvents=rows)
    assert [row["FileName"] for row in answer.results] == found


@pytest.mark.parametrize(
    "timespan",
    [
        "P",
        "PT",
        "30",
        "now",
        "P1D/P1D",
        "2026-11-20/2026-11-19",
        "a/b/c",
        "P99999999999D",
        "2026-13-01",
    ],
)
def test_a_timespan_that_is_none_is_refused(timespan: str) -> None:
    with pytest.raises(HuntingError, match="timespan"):
        hunted("print 1", timespan)
