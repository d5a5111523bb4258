"""Values and tables of a query as SQL of DuckDB, each with its kind.

Two rules keep the semantics of KQL: a text is never NULL (its null is the empty text), and the
name of a column is never written into SQL; each has a made-up reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.refusal import SemanticQueryError

UNKNOWN: Any = object()


@dataclass(frozen=True)
class Value:
    """A scalar: ``constant`` is what it is, where the query says so.

    The array of a function that makes several columns has their names and kinds as ``members``.
    """

    sql: str
    kind: Kind
    constant: Any = UNKNOWN
    name: str | None = None
    members: tuple[tuple[str, Kind], ...] = ()

    @property
    def is_constant(self) -> bool:
        return self.constant is not UNKNOWN


@dataclass(frozen=True)
class Column:
    """A column of a table: its name in KQL, its kind, and its reference in SQL.

    A hidden one is found by its name, and is not among all columns.
    """

    name: str
    kind: Kind
    ref: str
    hidden: bool = False

    @property
    def value(self) -> Value:
        return Value(self.ref, self.kind, name=self.name)


ORDER = "row_order"  # the hidden column of a table whose rows have an order


@dataclass(frozen=True)
class Rowset:
    """A table: SQL that selects it, its columns, and whether its rows have an order.

    Where they have, ``row_order`` is selected besides the columns.
    """

    sql: str
    columns: tuple[Column, ...]
    ordered: bool = False

    @property
    def source(self) -> str:
        """The table as an operand of FROM."""
        return f"({self.sql})"

    @property
    def order(self) -> str:
        """The hidden column, as one more item of a SELECT."""
        return f", {ORDER}" if self.ordered else ""

    @property
    def order_by(self) -> str:
        return f" ORDER BY {ORDER}" if self.ordered else ""

    @property
    def shown(self) -> tuple[Column, ...]:
        """The columns that are not hidden."""
        return tuple(each for each in self.columns if not each.hidden)

    def find(self, name: str) -> Column | None:
        return next((each for each in self.columns if each.name == name), None)

    def restricted(self, clause: str) -> Rowset:
        """Return the table with a clause behind FROM: fewer rows, the same columns."""
        refs = ", ".join(each.ref for each in self.columns)
        return replace(self, sql=f"SELECT {refs}{self.order} FROM {self.source} {clause}")


def refs(columns: Iterable[Column]) -> str:
    """Return the references of columns as a list of SQL."""
    return ", ".join(each.ref for each in columns)


def quoted_sql(text: str) -> str:
    """Return a text as a literal of SQL; no character of it ends the literal."""
    text = text.encode("utf-8", "replace").decode()
    if "\0" not in text:
        return "'" + text.replace("'", "''") + "'"
    return "(" + " || chr(0) || ".join(quoted_sql(part) for part in text.split("\0")) + ")"


def literal(value: Any, kind: Kind) -> Value:
    """Return a constant."""
    return Value(_literal_sql(value, kind), kind, value)


def _literal_sql(value: Any, kind: Kind) -> str:
    if value is None:
        return kind.null
    match kind:
        case Kind.STRING:
            return quoted_sql(value)
        case Kind.BOOL:
            return "TRUE" if value else "FALSE"
        case Kind.INT | Kind.LONG | Kind.TIMESPAN:
            return f"CAST({int(value)} AS {kind.duckdb})"
        case Kind.REAL | Kind.DECIMAL:
            return f"CAST('{float(value)!r}' AS {kind.duckdb})"
        case Kind.DATETIME:
            moment: datetime = value
            text = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
            return f"TIMESTAMP '{text.rjust(26, '0')}'"
        case Kind.GUID:
            return f"CAST('{UUID(str(value))}' AS UUID)"
        case Kind.DYNAMIC:
            return f"CAST({quoted_sql(orjson.dumps(value).decode())} AS JSON)"
    raise AssertionError(kind)


NULL = Value("CAST(NULL AS JSON)", Kind.DYNAMIC, None)

_TO_STRING: dict[Kind, str] = {
    Kind.BOOL: "coalesce(CAST({0} AS VARCHAR), '')",
    Kind.INT: "coalesce(CAST({0} AS VARCHAR), '')",
    Kind.LONG: "coalesce(CAST({0} AS VARCHAR), '')",
    Kind.REAL: "coalesce(CAST({0} AS VARCHAR), '')",
    Kind.DECIMAL: "coalesce(CAST({0} AS VARCHAR), '')",
    Kind.DATETIME: "kql_instant({0})",
    Kind.TIMESPAN: "kql_span({0})",
    Kind.GUID: "coalesce(CAST({0} AS VARCHAR), '')",
    Kind.DYNAMIC: "coalesce(json_extract_string({0}, '$'), '')",
}
_FROM_STRING: dict[Kind, str] = {
    Kind.BOOL: "kql_to_bool({0})",
    Kind.INT: "TRY_CAST(kql_to_long({0}) AS INTEGER)",
    Kind.LONG: "kql_to_long({0})",
    Kind.REAL: "TRY_CAST({0} AS DOUBLE)",
    Kind.DECIMAL: "TRY_CAST({0} AS DECIMAL(38,12))",
    Kind.DATETIME: "kql_to_datetime({0})",
    Kind.TIMESPAN: "kql_to_timespan({0})",
    Kind.GUID: "TRY_CAST({0} AS UUID)",
    Kind.DYNAMIC: "kql_parse_json({0})",
}


def text(value: Value) -> Value:
    """Return a value as ``tostring`` gives it."""
    if value.kind is Kind.STRING:
        return value
    if value.is_constant and isinstance(value.constant, str):
        return literal(value.constant, Kind.STRING)
    return Value(_TO_STRING[value.kind].format(value.sql), Kind.STRING)


def dynamic(value: Value) -> Value:
    """Return a value as a dynamic one: a text stays a text (``parse_json`` is not called)."""
    match value.kind:
        case Kind.DYNAMIC:
            return value
        case Kind.DATETIME | Kind.TIMESPAN | Kind.GUID:
            return Value(
                f"CASE WHEN {value.sql} IS NULL THEN NULL ELSE to_json({text(value).sql}) END",
                Kind.DYNAMIC,
            )
    return Value(f"to_json({value.sql})", Kind.DYNAMIC)


def converted(value: Value, kind: Kind) -> Value:
    """Return a value as ``toint``, ``todatetime`` and the others make it; null if they cannot."""
    if value.kind is kind:
        return value
    if value.is_constant and value.constant is None:
        return literal(None if kind is not Kind.STRING else "", kind)
    if kind is Kind.STRING:
        return text(value)
    if kind is Kind.DYNAMIC:
        return (
            Value(_FROM_STRING[kind].format(value.sql), kind)
            if (value.kind is Kind.STRING)
            else dynamic(value)
        )
    if value.kind is Kind.DYNAMIC:
        value = text(value)
    if value.kind is Kind.STRING:
        return Value(_FROM_STRING[kind].format(value.sql), kind)
    sql = value.sql
    if value.kind is Kind.REAL and kind in (Kind.INT, Kind.LONG, Kind.TIMESPAN):
        return Value(f"TRY_CAST(trunc({sql}) AS {kind.duckdb})", kind)
    if value.kind is Kind.TIMESPAN and kind is Kind.LONG:
        return Value(f"({sql} * 10)", kind)
    if value.kind is Kind.LONG and kind is Kind.TIMESPAN:
        return Value(f"({sql} // 10)", kind)
    if value.kind is Kind.DATETIME and kind is Kind.LONG:
        return Value(f"(epoch_us({sql}) * 10 + 621355968000000000)", kind)
    if value.kind is Kind.LONG and kind is Kind.DATETIME:
        return Value(f"make_timestamp(({sql} - 621355968000000000) // 10)", kind)
    numbers = (Kind.BOOL, Kind.INT, Kind.LONG, Kind.REAL, Kind.DECIMAL)
    if value.kind in numbers and kind in numbers:
        return Value(f"TRY_CAST({sql} AS {kind.duckdb})", kind)
    if kind.numeric or kind is Kind.BOOL:
        raise SemanticQueryError(f"a {value.kind.kql} cannot be made a {kind.kql}.")
    return Value(_FROM_STRING[kind].format(text(value).sql), kind)


def same_kind(values: list[Value], what: str) -> tuple[list[Value], Kind]:
    """Return values with the kind that holds them all, such as the branches of ``iff``."""
    kinds = [each.kind for each in values if not (each.is_constant and each.constant is None)]
    kind = kinds[0] if kinds else values[0].kind
    for each in kinds[1:]:
        if each is kind:
            continue
        if each.numeric and kind.numeric:
            kind = max(kind, each, key=list(Kind).index)
        elif Kind.DYNAMIC in (each, kind):
            # With a text a dynamic value is its text, by which queries group.
            kind = Kind.STRING if Kind.STRING in (each, kind) else Kind.DYNAMIC
        else:
            raise SemanticQueryError(
                f"{what} wants values of one type, and has {kind.kql} and {each.kql}."
            )
    return [cast(each, kind) for each in values], kind


def cast(value: Value, kind: Kind) -> Value:
    """Return a value as the wider kind that holds it, without a change to what it is."""
    return dynamic(value) if kind is Kind.DYNAMIC else converted(value, kind)


def never_null(value: Value) -> Value:
    """Return a value that comes from where rows may be missing: a text without NULL."""
    if value.kind is Kind.STRING:
        return replace(value, sql=f"coalesce({value.sql}, '')", constant=UNKNOWN)
    return value


Probe = Callable[[str], list[tuple[Any, ...]]]
