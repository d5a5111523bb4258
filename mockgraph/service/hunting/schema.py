"""The tables of advanced hunting: their columns, and the rows that fit them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson

from mockgraph import work
from mockgraph.files import fixtures
from mockgraph.service.hunting.kql.kinds import BY_NAME, Kind
from mockgraph.service.hunting.kql.moments import read_datetime
from mockgraph.service.hunting.refusal import HuntingError
from mockgraph.spelling import nearest

Columns = Mapping[str, Kind]
Row = dict[str, Any]

ROW_STEPS = 4  # of work that a row takes: it is some ten microseconds

_TABLE = re.compile(r"^(\w+) \(\n([^)]*)\)", re.MULTILINE)


@cache
def schema() -> Mapping[str, Columns]:
    """Return the columns of each table, as ``fixtures/hunting/tables.kql`` has them."""
    text = fixtures().joinpath("hunting/tables.kql").read_text("utf-8")
    found: dict[str, Columns] = {}
    for name, body in _TABLE.findall(text):
        pairs = (each.split(":") for each in body.split(",") if each.strip())
        found[name] = {column.strip(): BY_NAME[kind.strip()] for column, kind in pairs}
    return found


def columns_of(table: str) -> Columns:
    """Return the columns of a table; an error names those whose names are near."""
    found = schema().get(table)
    if found is None:
        message = f"Hunting has no table '{table}'."
        if near := nearest(table, schema()):
            message += f" Names near it: {', '.join(near)}."
        raise HuntingError(message)
    return found


def checked(table: str, rows: Iterable[Mapping[str, Any]], path: str = "") -> list[Row]:
    """Return rows as they are held: every column there, each value of its column's kind.

    Instants become ``datetime``, dynamic values JSON text, a text that is missing the empty one.
    An error says where the fault lies, as ``DeviceEvents[3].ProcessId``.
    """
    columns = columns_of(table)
    where = path or table
    held = []
    for number, row in enumerate(work.current().on_each(rows, ROW_STEPS)):
        if not isinstance(row, Mapping):
            raise HuntingError(f"{where}[{number}] is no object.")
        whole = _empty(table).copy()
        for name, value in row.items():
            kind = columns.get(name)
            if kind is None:
                near = nearest(str(name), columns)
                hint = f" Names near it: {', '.join(near)}." if near else ""
                raise HuntingError(f"{where}[{number}] has no column '{name}'.{hint}")
            if value is not None:
                try:
                    whole[name] = _READERS[kind](value)
                except (ValueError, TypeError, OverflowError):
                    place = f"{where}[{number}].{name}"
                    raise HuntingError(f"{place} is no {kind.kql}: {_shown(value)}") from None
        held.append(whole)
    return held


def fitted(table: str, rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return rows as they are held; a value that is none of its column's kind is null."""
    columns = columns_of(table)
    found = []
    for row in work.current().on_each(rows, ROW_STEPS):
        whole = _empty(table).copy()
        for name, value in row.items():
            if value is not None:
                with suppress(ValueError, TypeError, OverflowError):
                    whole[name] = _READERS[columns[name]](value)
        found.append(whole)
    return found


@cache
def _empty(table: str) -> Row:
    """Return the row of a table that says nothing."""
    return {name: "" if kind is Kind.STRING else None for name, kind in schema()[table].items()}


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _text(value: Any) -> str:
    if isinstance(value, str):
        value.encode()  # a lone surrogate is no text
        return value
    if isinstance(value, dict | list):  # columns like AdditionalFields hold JSON as text
        return orjson.dumps(value).decode()
    raise ValueError(value)


def _whole(bits: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(value)
        if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise OverflowError(value)
        return value

    return read


def _real(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(value)
    return float(value)


def _flag(value: Any) -> bool:
    if value in (0, 1):
        return bool(value)
    raise ValueError(value)


def _instant(value: Any) -> datetime:
    """Return an instant in UTC, without the zone, as the engine holds it."""
    moment = value if isinstance(value, datetime) else None
    if moment is None:
        if not isinstance(value, str):
            raise ValueError(value)
        moment = read_datetime(value)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _dynamic(value: Any) -> str:
    return orjson.dumps(value).decode()


_READERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.BOOL: _flag,
    Kind.INT: _whole(32),
    Kind.LONG: _whole(64),
    Kind.REAL: _real,
    Kind.DECIMAL: _real,
    Kind.STRING: _text,
    Kind.DATETIME: _instant,
    Kind.TIMESPAN: _whole(64),
    Kind.GUID: lambda value: str(UUID(value)),
    Kind.DYNAMIC: _dynamic,
}
