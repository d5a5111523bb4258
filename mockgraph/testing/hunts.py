"""Hunting in one tenant: rows put there, queries run, answers that a test gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from mockgraph.metadata.names import Json
from mockgraph.service.hunting.engine import HuntingAnswer
from mockgraph.service.hunting.schema import checked
from mockgraph.service.hunting_query import HUNT, hunting, run_hunting_query
from mockgraph.state import State
from mockgraph.testing.exchange import Exchange

Pattern = str | re.Pattern[str]


class Hunts:
    """The hunting queries of a tenant.

    An answer that a test gave comes before the rows: it needs no engine.
    """

    def __init__(self, state: State, changed: Callable[[], None] = lambda: None):
        self._state = state
        self._changed = changed
        self._answers: tuple[tuple[Pattern, HuntingAnswer], ...] = ()

    def add(self, table: str, *rows: Mapping[str, Any]) -> None:
        """Put rows into a table; columns that are left out are empty.

        Raises BadRequest with the place of a column or a value that does not fit.
        """
        checked(table, rows)
        self._state.append_rows(table, [_as_json(each) for each in rows])
        self._changed()

    def answer(self, pattern: Pattern, rows: Iterable[Mapping[str, Any]]) -> None:
        """Give the rows that answer queries in which a text, or a pattern, is found.

        The last answer that was given and fits is taken. A reset takes them back.
        """
        self._answers = ((pattern, _answer([dict(each) for each in rows])), *self._answers)
        self._state.behaviours[HUNT] = hunting(lambda _, *asked: self.hunt(*asked))
        self._changed()

    def run(self, query: str, timespan: str | None = None) -> list[dict[str, Any]]:
        """Return the rows that a query finds. Raises BadRequest where it cannot be run."""
        return self.hunt(query, timespan).results

    def hunt(self, query: str, timespan: str | None = None) -> HuntingAnswer:
        """Return what a query finds, with the types of its columns."""
        for pattern, answer in self._answers:
            if is_in(pattern, query):
                return answer
        return run_hunting_query(self._state, query, timespan)

    def reset(self) -> None:
        """Take back the answers that a test gave."""
        self._answers = ()


def is_in(pattern: Pattern, query: str) -> bool:
    """Tell whether a text, whatever its blanks and case, or a pattern is in a query."""
    if isinstance(pattern, re.Pattern):
        return pattern.search(query) is not None
    return " ".join(pattern.split()).lower() in " ".join(query.split()).lower()


def queries_in(requests: Iterable[Exchange], pattern: Pattern) -> list[Exchange]:
    """Return the requests that ran a query with a pattern in it. Raises AssertionError."""
    hunts = [each for each in requests if each.path.lower().endswith("runhuntingquery")]
    queries = [
        (each, str(value))
        for each in hunts
        if isinstance(each.json, Mapping)
        for name, value in each.json.items()
        if name.lower() == "query"
    ]
    found = [each for each, query in queries if is_in(pattern, query)]
    if not found:
        lines = "".join(f"\n  {' '.join(query.split())[:200]}" for _, query in queries)
        raise AssertionError(
            f"No hunting query has {pattern!r} in it; there were {len(queries)}:{lines}"
        )
    return found


def _as_json(row: Mapping[str, Any]) -> dict[str, Json]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _answer(rows: list[dict[str, Any]]) -> HuntingAnswer:
    """Return rows with a schema that fits them."""
    types: dict[str, str] = {}
    for row in rows:
        for name, value in row.items():
            if value is not None or name not in types:
                types[name] = _graph_type(value)
    return HuntingAnswer([{"name": name, "type": kind} for name, kind in types.items()], rows)


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z")


def _graph_type(value: Any) -> str:
    match value:
        case bool():
            return "SByte"
        case int():
            return "Int64"
        case float():
            return "Double"
        case dict() | list():
            return "Object"
        case str() if _INSTANT.fullmatch(value):
            return "DateTime"
    return "String"
