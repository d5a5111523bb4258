"""The parts of a compilation that its modules share: the scope of an expression, the context."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.sqlvalues import Column, Probe, Rowset, Value
from mockgraph.service.hunting.refusal import QueryLimitError, SemanticQueryError

_MOST_WORK = 20_000  # expressions and operators compiled, calls of functions unfolded
_MOST_COLUMNS = 100_000  # made on the way: an operator on a wide table makes many
_LONGEST_SQL = 1024 * 1024


@dataclass(frozen=True)
class Closure:
    """A function that ``let`` gave a name, with the names that it sees."""

    function: nodes.FunctionDeclaration
    names: Mapping[str, Binding]


Binding = Value | Rowset | Closure


@dataclass(frozen=True)
class NameScope:
    """The names that an expression sees.

    ``rows`` is the scope of the rows that are aggregated, where aggregates may stand.
    """

    names: Mapping[str, Binding]
    columns: Mapping[str, Value] = field(default_factory=dict)
    sides: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    rows: NameScope | None = None
    ordered: bool = False

    def over(self, table: Rowset) -> NameScope:
        """Return the scope of an expression over the rows of a table."""
        columns = {each.name: each.value for each in table.columns}
        return replace(self, columns=columns, sides={}, rows=None, ordered=table.ordered)

    def bare(self) -> NameScope:
        """Return the scope without rows."""
        return NameScope(self.names)


class Context(ABC):
    """A compilation under way: what is known, what is asked of the engine, what is counted."""

    def __init__(self, now: datetime, probe: Probe):
        self.now = now
        self.probe = probe
        self.check: Callable[[], None] = lambda: None  # raises where the work is in vain
        self._references = 0
        self._work = 0

    @abstractmethod
    def evaluate(self, node: nodes.ExpressionNode, scope: NameScope) -> Binding:
        """Return what an expression is: a value, a table or a function."""

    @abstractmethod
    def apply(self, operator: nodes.QueryOperator, table: Rowset, scope: NameScope) -> Rowset:
        """Return the table that an operator makes of another."""

    @abstractmethod
    def whole(self, sql: str) -> str:
        """Return SQL that stands alone, with the tables that it names."""

    @abstractmethod
    def tables(self, pattern: str) -> list[tuple[str, Rowset]]:
        """Return the tables whose names match a pattern with ``*``."""

    def scalar(self, node: nodes.ExpressionNode, scope: NameScope) -> Value:
        found = self.evaluate(node, scope)
        if isinstance(found, Value):
            return found
        what = "a table" if isinstance(found, Rowset) else "a function"
        raise SemanticQueryError(f"a scalar value is due where {what} stands.")

    def table(self, node: nodes.ExpressionNode, scope: NameScope) -> Rowset:
        found = self.evaluate(node, scope)
        if isinstance(found, Rowset):
            return found
        raise SemanticQueryError("a table is due where a scalar value or a function stands.")

    def constant(self, node: nodes.ExpressionNode, scope: NameScope, what: str) -> Any:
        """Return the value of an expression that does not depend on rows."""
        value = self.scalar(node, scope.bare())
        if value.is_constant:
            return value.constant
        rows = self.probe(self.whole(f"SELECT {value.sql}"))
        if not rows:
            raise SemanticQueryError(f"{what} wants a constant.")
        return rows[0][0]

    def count(self, node: nodes.ExpressionNode, scope: NameScope, what: str) -> int:
        """Return the value of an expression that is a number of rows or elements."""
        number = self.constant(node, scope, what)
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise SemanticQueryError(f"{what} wants a number that is not negative.")
        return number

    def fresh(self, name: str, kind: Kind) -> Column:
        """Return a new column, with a reference of its own."""
        self._references += 1
        if self._references > _MOST_COLUMNS:
            raise QueryLimitError("it makes too many columns on the way.")
        return Column(name, kind, f"c{self._references}")

    def worked(self, sql: str = "") -> None:
        """Count a step; a query that takes too many is refused, and one that is given up."""
        self.check()
        self._work += 1
        if self._work > _MOST_WORK or len(sql) > _LONGEST_SQL:
            raise QueryLimitError("it is too large once its functions are unfolded.")


def unique_name(name: str, taken: Iterable[str]) -> str:
    """Return a name that no other column has: with a number behind it, if it must be."""
    taken = set(taken)
    if name not in taken:
        return name
    number = 1
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"
