"""Rows of tables that never change: a version with more rows shares all of what it had before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.refusal import HuntingNotInstalledError
from mockgraph.service.hunting.schema import Columns, Row, checked, columns_of

if TYPE_CHECKING:
    import pyarrow


def arrow_types() -> Mapping[Kind, Any]:
    """Return the types that hold the kinds in Arrow; dynamic values are JSON text."""
    pa = import_pyarrow()
    return {
        Kind.BOOL: pa.bool_(),
        Kind.INT: pa.int32(),
        Kind.LONG: pa.int64(),
        Kind.REAL: pa.float64(),
        Kind.DECIMAL: pa.float64(),
        Kind.STRING: pa.string(),
        Kind.DATETIME: pa.timestamp("us"),
        Kind.TIMESPAN: pa.int64(),
        Kind.GUID: pa.string(),
        Kind.DYNAMIC: pa.string(),
    }


def import_pyarrow() -> Any:
    """Return pyarrow, which the extra ``hunting`` brings."""
    try:
        import pyarrow
    except ImportError:
        raise HuntingNotInstalledError from None
    return pyarrow


class Rows:
    """The rows of one table, as a chain of what was added at a time.

    What the engine reads, an Arrow table, is made when first asked for, of what came since the
    last one that was made, and kept.
    """

    __slots__ = ("_added", "_arrow", "_before", "_columns", "_lock")

    def __init__(self, columns: Columns, before: Rows | None = None, added: Any = ()):
        self._columns = columns
        self._before = before
        self._added = added
        self._arrow: pyarrow.Table | None = None
        self._lock = Lock()

    def with_added(self, added: Any) -> Rows:
        """Return these rows and more: checked rows, an Arrow table, or what makes rows."""
        return Rows(self._columns, self, added)

    def _chain(self) -> Iterator[Rows]:
        """Return the versions that this one is made of, from the last to the first."""
        version: Rows | None = self
        while version is not None:
            yield version
            version = version._before

    def arrow(self) -> pyarrow.Table:
        """Return the rows as an Arrow table, its columns named as in KQL."""
        with self._lock:
            if self._arrow is None:
                self._arrow = self._joined()
        return self._arrow

    def _joined(self) -> pyarrow.Table:
        pa = import_pyarrow()
        types = arrow_types()
        fields = [(name, types[kind]) for name, kind in self._columns.items()]
        wanted = pa.schema(fields)
        parts: list[Any] = []
        rows: list[Row] = []

        def flush() -> None:
            if rows:
                columns = [pa.array([row[n] for row in rows], kind) for n, kind in fields]
                parts.append(pa.Table.from_arrays(columns, schema=wanted))
                rows.clear()

        versions = []
        for version in self._chain():
            versions.append(version)
            if version._arrow is not None:
                break
        for version in reversed(versions):
            if version._arrow is not None:
                parts.append(version._arrow)
                continue
            added = version._added() if callable(version._added) else version._added
            if isinstance(added, tuple | list):
                rows += added
            else:
                flush()
                parts.append(added)
        flush()
        return pa.concat_tables(parts) if parts else wanted.empty_table()


class Telemetry:
    """The rows of all tables that were seeded or added; a change gives another version.

    So a snapshot, a reset and a tenant that begins as a copy cost one reference.
    """

    __slots__ = ("_tables",)

    def __init__(self, tables: Mapping[str, Rows] | None = None):
        self._tables: Mapping[str, Rows] = tables or {}

    def add(self, table: str, rows: Iterable[Mapping[str, Any]], path: str = "") -> Telemetry:
        """Return the telemetry with rows, which are checked against the table's columns."""
        return self.with_block(table, tuple(checked(table, rows, path)))

    def with_block(self, table: str, block: Any) -> Telemetry:
        """Return the telemetry with rows that fit: checked ones, Arrow's, or what makes them."""
        rows = self._tables.get(table)
        if rows is None:
            rows = Rows(columns_of(table))
        return Telemetry({**self._tables, table: rows.with_added(block)})

    @property
    def tables(self) -> Mapping[str, Rows]:
        return self._tables
