"""Helpers of the tests of hunting: queries run over rows that a test gives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mockgraph.service.hunting.engine import HuntingAnswer, Limits, run_query
from mockgraph.service.hunting.telemetry import Tables, block

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DETECTIONS = Path(__file__).parent / "detections"


def hunted(
    query: str,
    timespan: str | None = None,
    limits: Limits | None = None,
    **tables: Sequence[Mapping[str, Any]],
) -> HuntingAnswer:
    """Run a query over the rows of tables."""
    blocks = {table: [block(table, rows)] for table, rows in tables.items()}
    return run_query(query, Tables(blocks), NOW, timespan, limits)


def rows(query: str, **tables: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """Return the rows that a query finds, each as its values in order."""
    return [list(row.values()) for row in hunted(query, None, None, **tables).results]


def value(expression: str) -> Any:
    """Return what an expression is."""
    ((found,),) = rows(f"print {expression}")
    return found


def detections() -> list[tuple[str, str]]:
    """Return the detections of the corpus: a technique with a title, and the query."""
    found = []
    for file in sorted(DETECTIONS.glob("*.kql")):
        for part in re.split(r"(?m)^(?=// T\d)", file.read_text("utf-8")):
            title, _, query = part.partition("\n")
            if query.strip():
                found.append((title.removeprefix("// "), query))
    return found
