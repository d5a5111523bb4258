"""Files with the rows of one table of hunting, which they are named after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from mockgraph.errors import MockGraphError
from mockgraph.service.hunting.engine import import_duckdb
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.refusal import HuntingError
from mockgraph.service.hunting.schema import Columns, columns_of
from mockgraph.service.hunting.telemetry import arrow_schema, packed
from mockgraph.spelling import nearest


def read_table(path: Path) -> dict[str, list[Any]]:
    """Return the rows of ``DeviceEvents.parquet``, ``.csv`` or ``.jsonl`` as ``Hunting`` has them.

    The table is the name up to the first point, so ``DeviceEvents.monday.csv`` is of the same.
    Parquet and CSV are read by DuckDB and come as one packed item. Raises MockGraphError that
    names the file, and the column or the line, where it cannot be read.
    """
    table = path.name.partition(".")[0]
    try:
        columns = columns_of(table)
        if path.suffix.lower() in (".jsonl", ".ndjson"):
            return {table: _lines(path)}
        return {table: [_packed(path, columns)]}
    except HuntingError as error:
        raise MockGraphError(f"The seed {path}: {error.message}") from None
    except OSError as error:
        raise MockGraphError(f"The seed {path} cannot be read: {error.strerror}.") from None


def _lines(path: Path) -> list[Any]:
    rows = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if line.strip():
            try:
                rows.append(orjson.loads(line))
            except orjson.JSONDecodeError as error:
                raise HuntingError(f"line {number} is not valid JSON: {error}.") from None
    return rows


def _packed(path: Path, columns: Columns) -> dict[str, str]:
    """Return the rows of a file that DuckDB reads, each column as the kind that it has."""
    duckdb = import_duckdb()
    path.open("rb").close()  # an error of the system's names its reason
    database = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    try:
        database.execute("SET TimeZone = 'UTC'")
        is_csv = path.suffix.lower() == ".csv"
        reader = "read_csv(?, header = true, all_varchar = true)" if is_csv else "read_parquet(?)"
        name = str(path).replace("[", "[[]").replace("*", "[*]").replace("?", "[?]")
        given = database.execute(f"SELECT * FROM {reader} LIMIT 0", [name]).description or []
        names = [each[0] for each in given]
        for each in names:
            if each not in columns:
                near = nearest(each, columns)
                hint = f" Names near it: {', '.join(near)}." if near else ""
                raise HuntingError(f"it has no column '{each}'.{hint}")
        items = [
            f"{_cast(column, kind, column in names, is_csv)} AS {_quoted(column)}"
            for column, kind in columns.items()
        ]
        sql = f"SELECT {', '.join(items)} FROM {reader}"
        found = database.sql(sql, params=[name]).to_arrow_table()
    except duckdb.Error as error:
        problem = str(error).partition("\n")[0]
        raise HuntingError(f"{problem}") from None
    finally:
        database.close()
    return packed(found.cast(arrow_schema(columns)))


def _cast(column: str, kind: Kind, is_given: bool, is_csv: bool) -> str:
    empty = "''" if kind is Kind.STRING else f"CAST(NULL AS {_HELD.get(kind, kind.duckdb)})"
    if not is_given:
        return empty
    name = _quoted(column)
    if kind is Kind.STRING:
        return f"coalesce(CAST({name} AS VARCHAR), '')"
    if kind is Kind.DYNAMIC:
        if is_csv:
            return (
                f"CASE WHEN {name} = '' THEN NULL WHEN json_valid({name}) THEN {name}"
                f" ELSE CAST(to_json({name}) AS VARCHAR) END"
            )
        return (
            f"CASE WHEN typeof({name}) = 'VARCHAR' AND json_valid(CAST({name} AS VARCHAR))"
            f" THEN CAST({name} AS VARCHAR) ELSE CAST(to_json({name}) AS VARCHAR) END"
        )
    value = f"nullif({name}, '')" if is_csv else name
    if kind is Kind.DATETIME:
        return f"CAST(timezone('UTC', CAST({value} AS TIMESTAMPTZ)) AS TIMESTAMP)"
    return f"CAST({value} AS {_HELD.get(kind, kind.duckdb)})"


_HELD = {Kind.DYNAMIC: "VARCHAR", Kind.GUID: "VARCHAR", Kind.DECIMAL: "DOUBLE"}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
