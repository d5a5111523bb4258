"""The results as they grow: the table side by side, the goals, further tables, notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Goal(NamedTuple):
    """A goal of the design and what was measured for it; ``reason`` is why it may be missed."""

    what: str
    wanted: float
    measured: float
    reason: str
    unit: str = ""
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.measured <= self.wanted if self.at_most else self.measured >= self.wanted

    @property
    def verdict(self) -> str:
        if self.met:
            return "met"
        by = abs(self.measured - self.wanted) / self.wanted
        return f"**missed** by {by:.0%}. {self.reason}"

    def shown(self, value: float) -> str:
        """A figure of this goal's, with its unit."""
        return f"{value:.3g}{f' {self.unit}' if self.unit else ''}"


class Table(NamedTuple):
    title: str
    columns: list[str]
    rows: list[list[str]]

    def markdown(self, level: str = "##") -> Iterator[str]:
        """Give the lines of the table, with its title as a heading of a level."""
        yield f"{level} {self.title}"
        yield ""
        yield f"| {' | '.join(self.columns)} |"
        yield f"|:--|{'--:|' * (len(self.columns) - 1)}"
        for row in self.rows:
            yield f"| {' | '.join(' '.join(cell.split()) for cell in row)} |"
        yield ""


def ratio_text(ratio: float) -> str:
    """Two places, or the first figure that is not 0."""
    return f"{ratio:.2f}" if ratio >= 0.1 or not ratio else f"{ratio:.1g}"


class Results:
    """Everything that goes into the report."""

    def __init__(self) -> None:
        self.goals: list[Goal] = []
        self.tables: list[Table] = []
        self.notes: list[str] = []
        self.busiest = 0.0  # the part of a core that the load generator used at most
        self._cells: dict[str, dict[str, str]] = {}

    def cell(self, row: str, candidate: str, text: str) -> None:
        """A figure of the table side by side."""
        self._cells.setdefault(row, {})[candidate] = text

    def side_by_side(self, candidates: list[str]) -> Table | None:
        """The table whose columns are these candidates, as far as they have a figure."""
        there = [name for name in candidates if any(name in row for row in self._cells.values())]
        rows = [
            [row, *(cells.get(name, "") for name in there)] for row, cells in self._cells.items()
        ]
        return Table("Side by side", ["", *there], rows) if rows else None

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
