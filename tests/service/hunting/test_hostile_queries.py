"""No query reaches a file, the network, the environment, or SQL."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from mockgraph.service.hunting.engine import Limits, _locked_database
from mockgraph.service.hunting.refusal import HuntingError

from .hunts import hunted, rows, value

SQL = [
    "read_csv('/etc/passwd')",
    "read_text('/etc/passwd')",
    "read_blob('/etc/passwd')",
    "glob('/*')",
    "getenv('HOME')",
    "duckdb_settings()",
    "duckdb_tables()",
    "current_setting('access_mode')",
    "pragma_version()",
    "query('select 1')",
    "query_table('x')",
    "kql_instant(now())",
    "nextval('x')",
]


@pytest.mark.parametrize("call", SQL)
@pytest.mark.parametrize("shape", ["print x = {}", "{} | take 1", "DeviceEvents | extend x = {}"])
def test_a_function_of_sql_is_none_of_kql(call: str, shape: str) -> None:
    with pytest.raises(HuntingError) as refused:
        hunted(shape.format(call))
    assert refused.value.status == 400


TEXTS = [
    "'",
    "''",
    "'; DROP TABLE DeviceEvents; --",
    "') UNION SELECT * FROM duckdb_settings() --",
    "\\",
    "\\'",
    '"',
    "\0",
    "a\0'b",
    "$$",
    "{0}",
    "{{}}",
    "%s ? :x $1",
    "\u202e\ud7ff\U0001f600",
    "/*",
    "-- x",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_stays_a_text(text: str) -> None:
    written = text.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0")
    assert value(f"'{written}'") == text
    assert value(f"strcat('{written}', '{written}')") == text * 2
    assert value(f"'{written}' has '{written}' and '{written}' contains '{written}'") == 1
    assert value(f"'x{written}' startswith 'x{written}'") == 1
    assert value(f"bag_pack('{written}', 1)") == {text: 1}
    assert rows(f"print ['a'] = '{written}' | summarize n = count() by a | project n") == [[1]]


@pytest.mark.parametrize("name", ['a"b', "a' b", "a]b", "a--b", 'x" FROM y --', "é", "row_order"])
def test_a_name_stays_a_name(name: str) -> None:
    written = name.replace("'", "\\'")
    found = hunted(f"print ['{written}'] = 5 | project ['{written}'], other = ['{written}'] + 1")
    assert found.results == [{name: 5, "other": 6}]


@pytest.mark.parametrize(
    "name", ["row_order", "c1", "shared1", "t", "l", "r", "$row", "$slot", "ORDER"]
)
def test_a_name_that_generated_sql_uses_is_no_other(name: str) -> None:
    query = (
        f"let t = datatable(['{name}']: long, k: long)[1, 7, 2, 7]; t | sort by ['{name}'] asc"
        f" | extend p = prev(['{name}']) | join kind=inner t on k"
        f" | summarize count(), max(['{name}'])"
    )
    assert rows(query) == [[4, 2]]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM glob('/*')",
        "COPY (SELECT 1) TO '{file}.new'",
        "ATTACH '{file}.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM read_csv('http://127.0.0.1:9/x')",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "EXPORT DATABASE '{file}.dump'",
        "SELECT getenv('HOME')",
        "SELECT secret",
    ],
)
def test_the_database_is_locked_though_sql_were_to_reach_it(sql: str, tmp_path: Path) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("a,b\n1,2\n")
    secret = "a value of Python that no query may name"  # noqa: F841 - DuckDB could look for it
    with pytest.raises(duckdb.Error):
        _locked_database(Limits()).execute(sql.format(file=file)).fetchall()
    assert os.listdir(tmp_path) == ["secret.csv"]


def test_one_database_holds_nothing_of_another() -> None:
    row = {"Timestamp": "2026-11-20T11:00:00Z", "DeviceName": "mine"}
    assert rows("DeviceEvents | project DeviceName", DeviceEvents=[row]) == [["mine"]]
    assert rows("DeviceEvents | project DeviceName") == []
