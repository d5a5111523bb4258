"""Hunting queries run on DuckDB: each in a database of its own, locked, in a thread of its own.

The database holds nothing but references to the tables that the query names; it is made for the
query (about 15 ms) and dropped behind it. So no query sees another tenant, and none reaches a
file, the network or a setting: external access is off, and the configuration locked, before
anything of the query is run.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from mockgraph import work
from mockgraph.service.hunting.kql.compiler import compile_query
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.prelude import MACROS
from mockgraph.service.hunting.refusal import (
    HuntingError,
    HuntingNotInstalledError,
    QueryLimitError,
    QueryTimeoutError,
    SemanticQueryError,
)
from mockgraph.service.hunting.schema import Columns
from mockgraph.service.hunting.window import window

if TYPE_CHECKING:
    import duckdb
    import pyarrow

THREAD = "mockgraph-hunt"  # the name of the threads that run queries
_GRACE = 5.0  # seconds that an interrupted query is given to end
_LOOK = 0.01  # seconds between two looks at whether anybody waits for the answer
_BLOCK = 1000  # rows that are fetched between two looks


@dataclass(frozen=True)
class Limits:
    """The resources that a query may use: rows of the answer, seconds, memory and threads."""

    rows: int = 100_000
    seconds: float = 180.0
    memory: str = "1GB"
    threads: int = 2


@dataclass(frozen=True)
class HuntingAnswer:
    """The answer to a query: ``schema`` with Graph's names of the types, and the rows in order."""

    schema: list[dict[str, str]]
    results: list[dict[str, Any]]


class TableSource(Protocol):
    """The tables that queries read."""

    @property
    def columns(self) -> Mapping[str, Columns]:
        """Return the columns of each table."""

    def arrow(self, table: str) -> pyarrow.Table:
        """Return the rows of a table."""


def import_duckdb() -> Any:
    """Return DuckDB, which the extra ``hunting`` brings."""
    try:
        import duckdb
        import pyarrow  # noqa: F401 - what DuckDB reads tables with
    except ImportError:
        raise HuntingNotInstalledError from None
    return duckdb


def run_query(
    query: str,
    source: TableSource,
    now: datetime,
    timespan: str | None = None,
    limits: Limits | None = None,
) -> HuntingAnswer:
    """Return what a query finds in the tables of a source; a :class:`HuntingError` if it cannot.

    The query runs in a thread of its own, which makes the tables, too. It is interrupted when its
    time is over, and where the request that it is for is given up.
    """
    limits = limits or Limits()
    hunt = _Hunt(query, source, now, timespan, limits)
    thread = Thread(target=hunt.run, name=THREAD, daemon=True)
    thread.start()
    until, request = time.monotonic() + limits.seconds, work.current()
    try:
        while thread.is_alive():
            if time.monotonic() >= until:
                raise QueryTimeoutError(limits.seconds)
            thread.join(_LOOK)
            request.check()
    finally:
        hunt.end(thread)
    if hunt.error is not None:
        raise hunt.error
    assert hunt.answer is not None
    return hunt.answer


class _Hunt:
    """A run of a query: its answer or its error is here when it has ended."""

    def __init__(
        self, query: str, source: TableSource, now: datetime, timespan: str | None, limits: Limits
    ):
        self._query, self._source, self._limits = query, source, limits
        self._now, self._timespan = now, timespan
        self._over = Event()
        self._duckdb: Any = None  # once it is imported, which nothing interrupts
        self._database: duckdb.DuckDBPyConnection | None = None
        self._macros: set[str] = set()
        self.answer: HuntingAnswer | None = None
        self.error: BaseException | None = None

    def end(self, thread: Thread) -> None:
        """Interrupt the run in a thread, where it still goes on; it looks before it begins."""
        self._over.set()
        until = time.monotonic() + _GRACE
        while self._duckdb is not None and thread.is_alive() and time.monotonic() < until:
            if self._database is not None:
                with suppress(self._duckdb.Error):  # it is closed by now
                    self._database.interrupt()
            thread.join(_LOOK)

    def run(self) -> None:
        try:
            with work.counted_by(work.Work(self._check_time)):
                self.answer = self._run()
        except BaseException as error:  # raised again where the answer is waited for
            self.error = error
        finally:
            if self._database is not None:
                self._database.close()

    def _run(self) -> HuntingAnswer:
        duckdb = self._duckdb = import_duckdb()
        bounds = window(self._timespan, self._now)
        self._check_time()
        self._database = _locked_database(self._limits)
        try:
            compiled = compile_query(
                self._query,
                self._source.columns,
                self._now,
                bounds,
                self._fetched,
                self._register,
                self._check_time,
            )
            names = [name for name, _ in compiled.columns]
            readers = [_READERS.get(kind) for _, kind in compiled.columns]
            results = [
                {
                    name: value if value is None or reader is None else reader(value)
                    for name, reader, value in zip(names, readers, row, strict=True)
                }
                for row in self._rows(compiled.sql)
            ]
        except duckdb.Error as error:
            raise _refusal(duckdb, error, self._limits) from None
        schema = [{"name": name, "type": kind.graph} for name, kind in compiled.columns]
        return HuntingAnswer(schema, results)

    def _rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Give the first rows that SQL finds, as many as an answer may have."""
        found, left = self._execute(sql), self._limits.rows
        while block := found.fetchmany(min(left, _BLOCK)):
            yield from block
            left -= len(block)
            self._check_time()

    def _register(self, table: str) -> None:
        """Let the query read a table."""
        assert self._database is not None
        self._check_time()
        self._database.register(table, self._source.arrow(table))

    def _fetched(self, sql: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._execute(sql).fetchall()
        return found

    def _execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        assert self._database is not None
        self._check_time()
        for name in _macros_of(sql):
            if name not in self._macros:
                self._macros.add(name)
                self._database.execute(f"CREATE TEMP MACRO {_BY_NAME[name]}")
        return self._database.execute(sql)

    def _check_time(self) -> None:
        if self._over.is_set():
            raise QueryTimeoutError(self._limits.seconds)


_NAME = re.compile(r"\bkql_\w+")
_BY_NAME = {macro.partition("(")[0]: macro for macro in MACROS}


def _macros_of(sql: str) -> list[str]:
    """Return the macros that SQL uses, each behind those that it uses itself."""
    found: list[str] = []

    def visit(text: str) -> None:
        for name in dict.fromkeys(_NAME.findall(text)):
            if name in _BY_NAME and name not in found:
                visit(_BY_NAME[name].partition(" AS ")[2])
                found.append(name)

    visit(sql)
    return found


def _locked_database(limits: Limits) -> duckdb.DuckDBPyConnection:
    database: duckdb.DuckDBPyConnection = import_duckdb().connect(
        ":memory:",
        config={
            "allow_community_extensions": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "enable_external_access": "false",
            "memory_limit": limits.memory,
            "python_enable_replacements": "false",
            "temp_directory": "",
            "threads": str(limits.threads),
        },
    )
    database.execute("SET TimeZone = 'UTC'")
    database.execute("SET error_on_division_by_zero = false")
    database.execute("SET lock_configuration = true")
    return database


def _refusal(duckdb: Any, error: Exception, limits: Limits) -> HuntingError:
    """Return what a caller is told of an error of DuckDB."""
    first = str(error).strip().partition("\n")[0]
    problem = first.partition(": ")[2] or first
    if isinstance(error, duckdb.InterruptException):
        return QueryTimeoutError(limits.seconds)
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryLimitError("it needs more memory than a query may use.")
    if isinstance(
        error,
        duckdb.ConversionException | duckdb.InvalidInputException | duckdb.OutOfRangeException,
    ):
        return SemanticQueryError(problem)
    return HuntingError(f"MockGraph cannot run this query: {problem}")


def _instant(value: datetime) -> str:
    text = value.isoformat(timespec="microseconds")
    return f"{text.rstrip('0').rstrip('.')}Z"


def _span(value: int) -> str:
    """Return microseconds as .NET writes a TimeSpan: ``[-][d.]hh:mm:ss[.fffffff]``."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    seconds, fraction = divmod(value, 1_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    text = f"{f'{days}.' if days else ''}{hour:02}:{minute:02}:{second:02}"
    return f"{sign}{text}{f'.{fraction:06}0' if fraction else ''}"


def _real(value: Any) -> float | str:
    number = float(value)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


_READERS: dict[Kind, Any] = {
    Kind.BOOL: int,
    Kind.REAL: _real,
    Kind.DECIMAL: _real,
    Kind.DATETIME: _instant,
    Kind.TIMESPAN: _span,
    Kind.DYNAMIC: orjson.loads,
}
