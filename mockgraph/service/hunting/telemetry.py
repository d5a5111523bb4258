"""Rows of hunting's tables in blocks that never change, as the engine reads them.

What was seeded or added at a time is a block. Versions of a state share blocks, and a block is
made into a table of Arrow once, when a query first needs it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

from mockgraph import work
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.refusal import HuntingError, HuntingNotInstalledError
from mockgraph.service.hunting.schema import (
    ROW_STEPS,
    Columns,
    Row,
    checked,
    columns_of,
    fitted,
    schema,
)

if TYPE_CHECKING:
    import pyarrow

# The member of an item of a state document that stands for many rows, packed.
PACKED = "@arrow"

_BATCH = 4096  # rows that are made into arrays at a time
_PACKED_BATCH = 16 * _BATCH  # rows that are packed at a time
_LOOK = 0.01  # seconds between two looks at whether anybody waits for a block that another makes


class Block:
    """Rows of one table: as they were given, or, where ``make`` is, as that makes them."""

    __slots__ = ("_arrow", "_lock", "_make", "columns")

    def __init__(self, columns: Columns, make: Callable[[], pyarrow.Table]):
        self.columns = columns
        self._make = make
        self._arrow: pyarrow.Table | None = None
        self._lock = Lock()

    def arrow(self) -> pyarrow.Table:
        """Return the rows as an Arrow table, its columns named as in KQL."""
        while not self._lock.acquire(timeout=_LOOK):
            work.current().check()
        try:
            if self._arrow is None:
                self._arrow = self._make()
            return self._arrow
        finally:
            self._lock.release()


def block(table: str, items: Sequence[Mapping[str, Any]], path: str = "") -> Block:
    """Return rows as a block. Raises HuntingError with the place of one that does not fit."""
    columns = columns_of(table)
    plain = [each for each in items if not _is_packed(each)]
    rows = checked(table, items if len(plain) == len(items) else plain, path)
    if len(plain) == len(items):
        return Block(columns, lambda: from_rows(columns, rows))
    texts = [each[PACKED] for each in items if _is_packed(each)]

    def whole() -> pyarrow.Table:
        parts = [from_rows(columns, rows), *(unpacked(table, each) for each in texts)]
        return import_pyarrow().concat_tables(parts)

    return Block(columns, whole)


def view(table: str, make: Callable[[], Iterable[Row]]) -> Block:
    """Return a block of what is in the state; a value that fits no column is null."""
    columns = columns_of(table)
    return Block(columns, lambda: from_rows(columns, fitted(table, make())))


class Tables:
    """The tables that queries read: the blocks of each."""

    columns = schema()

    def __init__(self, blocks: Mapping[str, Sequence[Block]]):
        self._blocks = blocks

    def arrow(self, table: str) -> pyarrow.Table:
        """Return the rows of a table."""
        parts = [each.arrow() for each in self._blocks.get(table, ())]
        if not parts:
            return from_rows(self.columns[table], [])
        return parts[0] if len(parts) == 1 else import_pyarrow().concat_tables(parts)


def import_pyarrow() -> Any:
    """Return pyarrow, which the extra ``hunting`` brings."""
    try:
        import pyarrow
    except ImportError:
        raise HuntingNotInstalledError from None
    return pyarrow


def arrow_schema(columns: Columns) -> pyarrow.Schema:
    """Return the types that hold columns in Arrow; dynamic values are JSON text."""
    pa = import_pyarrow()
    types = {
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
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])


def from_rows(columns: Columns, rows: Sequence[Row]) -> pyarrow.Table:
    """Return checked rows as an Arrow table."""
    pa = import_pyarrow()
    wanted = arrow_schema(columns)
    done, batches = work.current(), []
    for start in range(0, len(rows), _BATCH):
        done.step(_BATCH * ROW_STEPS)
        some = rows[start : start + _BATCH]
        arrays = [pa.array([row[each.name] for row in some], each.type) for each in wanted]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=wanted))
    return pa.Table.from_batches(batches, schema=wanted)


def packed(table: pyarrow.Table) -> dict[str, str]:
    """Return an Arrow table as the item of a state document that stands for its rows."""
    pa = import_pyarrow()
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=_PACKED_BATCH)
    return {PACKED: base64.b64encode(sink.getvalue()).decode()}


def unpacked(table: str, text: str) -> pyarrow.Table:
    """Return the rows that an item stands for. Raises HuntingError where it does not fit."""
    pa = import_pyarrow()
    wanted = arrow_schema(columns_of(table))
    try:
        with pa.ipc.open_stream(base64.b64decode(text, validate=True)) as reader:
            done, batches = work.current(), []
            for batch in reader:
                done.step(batch.num_rows)
                batches.append(batch)
            found = pa.Table.from_batches(batches, schema=reader.schema)
    except (ValueError, OSError, TypeError, pa.ArrowException):
        raise HuntingError(f"{table}: '{PACKED}' holds no rows of Arrow.") from None
    if not found.schema.equals(wanted):
        raise HuntingError(f"{table}: '{PACKED}' holds rows with other columns.")
    return found


def _is_packed(item: Any) -> bool:
    return isinstance(item, Mapping) and PACKED in item
