"""``find`` and ``search`` over several tables, and the name that Sentinel has for the instant."""

from __future__ import annotations

from typing import Any

import pytest

from .hunts import hunted, rows

EVENTS: dict[str, Any] = {
    "DeviceProcessEvents": [
        {"Timestamp": "2026-11-20T10:00:00Z", "FileName": "certutil.exe", "DeviceName": "a"},
        {"Timestamp": "2026-11-19T10:00:00Z", "FileName": "cmd.exe", "DeviceName": "b"},
    ],
    "DeviceNetworkEvents": [
        {"Timestamp": "2026-11-20T11:00:00Z", "RemoteUrl": "certutil.example", "DeviceName": "a"},
    ],
    "UrlClickEvents": [{"Timestamp": "2026-11-20T11:30:00Z", "Url": "https://x.example"}],
}


@pytest.mark.long
def test_find_looks_for_a_term_in_every_table() -> None:
    found = rows("find 'certutil' | project source_ | order by source_ asc", **EVENTS)
    assert found == [["DeviceNetworkEvents"], ["DeviceProcessEvents"]]


def test_a_column_of_the_condition_that_a_table_has_not_is_null_there() -> None:
    query = "find withsource=T in (Device*) where RemoteUrl has 'certutil' or FileName =~ 'cmd.exe'"
    found = hunted(f"{query} | order by T asc", None, None, **EVENTS)
    assert [row["T"] for row in found.results] == ["DeviceNetworkEvents", "DeviceProcessEvents"]
    assert [row["RemoteUrl"] for row in found.results] == ["certutil.example", ""]
    # What all the tables have is a column, what only some have is in a bag, without its nulls.
    assert found.results[0]["pack_"]["DeviceName"] == "a"
    assert "FileSize" not in found.results[0]["pack_"]


def test_find_shows_the_columns_that_the_query_names() -> None:
    query = (
        "find in (DeviceProcessEvents, UrlClickEvents) where Timestamp > ago(1d)"
        " project Timestamp, FileName, Url: string, pack(*) project-away Timestamp"
    )
    found = hunted(f"{query} | order by source_ asc", None, None, **EVENTS)
    assert [each["name"] for each in found.schema] == ["source_", "FileName", "Url", "pack_"]
    assert [row["FileName"] for row in found.results] == ["certutil.exe", ""]
    assert found.results[0]["pack_"]["DeviceName"] == "a"


def test_find_reads_what_let_has_named() -> None:
    query = "let late = DeviceProcessEvents | where Timestamp > ago(1d); find in (late) 'cmd.exe'"
    assert rows(query, **EVENTS) == []


def test_search_takes_a_name_and_a_text_with_a_colon_as_has() -> None:
    query = "search in (DeviceProcessEvents) FileName:'certutil' | project $table, FileName"
    assert rows(query, **EVENTS) == [["DeviceProcessEvents", "certutil.exe"]]


def test_the_tables_of_defender_answer_sentinels_name_for_the_instant() -> None:
    found = rows(
        "DeviceProcessEvents | where TimeGenerated > ago(1d) | project TimeGenerated, DeviceName",
        **EVENTS,
    )
    assert found == [["2026-11-20T10:00:00Z", "a"]]


def test_sentinels_name_is_not_among_all_columns() -> None:
    for query in ("where TimeGenerated > ago(9d)", "distinct *", "take 0", "getschema"):
        found = hunted(f"DeviceProcessEvents | {query} // TimeGenerated", None, None, **EVENTS)
        names = [each["name"] for each in found.schema]
        assert "TimeGenerated" not in names
    listed = rows("DeviceInfo | getschema | project ColumnName // TimeGenerated")
    assert ["Timestamp"] in listed
    assert ["TimeGenerated"] not in listed


def test_sentinels_name_goes_with_the_rows_and_is_shown_where_it_is_named() -> None:
    found = hunted(
        "union DeviceProcessEvents, DeviceNetworkEvents"
        " | join kind=inner (DeviceProcessEvents | where DeviceName == 'a') on DeviceName"
        " | project-reorder TimeGenerated | project-keep TimeGenerated, DeviceName"
        " | project-rename At = TimeGenerated | order by At asc",
        None,
        None,
        **EVENTS,
    )
    assert [each["name"] for each in found.schema] == ["At", "DeviceName"]
    assert [row["At"] for row in found.results] == ["2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z"]
    latest = "DeviceProcessEvents | summarize arg_max(TimeGenerated, *) by FileName | count"
    assert rows(latest, **EVENTS) == [[2]]
