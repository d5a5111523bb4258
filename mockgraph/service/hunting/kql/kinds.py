"""The scalar types of KQL, and the names that they have in Graph's answers and in DuckDB."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """A scalar type of KQL.

    Each has the name that Graph's ``schema`` gives it, and the type that holds it in DuckDB:
    timespans are held as microseconds, dynamic values as JSON.
    """

    BOOL = ("bool", "SByte", "BOOLEAN")
    INT = ("int", "Int32", "INTEGER")
    LONG = ("long", "Int64", "BIGINT")
    REAL = ("real", "Double", "DOUBLE")
    DECIMAL = ("decimal", "SqlDecimal", "DECIMAL(38,12)")
    STRING = ("string", "String", "VARCHAR")
    DATETIME = ("datetime", "DateTime", "TIMESTAMP")
    TIMESPAN = ("timespan", "TimeSpan", "BIGINT")
    GUID = ("guid", "Guid", "UUID")
    DYNAMIC = ("dynamic", "Object", "JSON")

    def __init__(self, kql: str, graph: str, duckdb: str):
        self.kql = kql
        self.graph = graph
        self.duckdb = duckdb

    @property
    def numeric(self) -> bool:
        return self in _NUMERIC

    @property
    def null(self) -> str:
        """The SQL of its null; strings have none but the empty text."""
        return "''" if self is Kind.STRING else f"CAST(NULL AS {self.duckdb})"


_NUMERIC = (Kind.INT, Kind.LONG, Kind.REAL, Kind.DECIMAL)

BY_NAME = {kind.kql: kind for kind in Kind} | {
    "boolean": Kind.BOOL,
    "int32": Kind.INT,
    "int64": Kind.LONG,
    "double": Kind.REAL,
    "float": Kind.REAL,
    "date": Kind.DATETIME,
    "time": Kind.TIMESPAN,
    "uuid": Kind.GUID,
    "uniqueid": Kind.GUID,
    "object": Kind.DYNAMIC,
}
