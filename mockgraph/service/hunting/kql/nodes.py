"""The tree of a query: expressions, operators of the pipe, statements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mockgraph.service.hunting.kql.kinds import Kind


@dataclass(frozen=True)
class SyntaxNode:
    """A part of a query; ``at`` is the offset of its first character."""

    at: int = field(default=0, kw_only=True, compare=False)


class ExpressionNode(SyntaxNode):
    """A part of a query that has a value."""


@dataclass(frozen=True)
class LiteralExpression(ExpressionNode):
    """A constant: ``value`` is a Python value, ticks (µs) for timespans, None for null."""

    value: Any
    kind: Kind


@dataclass(frozen=True)
class NameReference(ExpressionNode):
    """A column, a name that ``let`` gave, or a table."""

    name: str


@dataclass(frozen=True)
class StarExpression(ExpressionNode):
    """``*``: all columns."""


@dataclass(frozen=True)
class MemberExpression(ExpressionNode):
    """``target.name``."""

    target: ExpressionNode
    name: str


@dataclass(frozen=True)
class ElementExpression(ExpressionNode):
    """``target[index]``."""

    target: ExpressionNode
    index: ExpressionNode


@dataclass(frozen=True)
class NamedExpression(ExpressionNode):
    """``name = value``, or ``(one, two) = value``."""

    names: tuple[str, ...]
    value: ExpressionNode


@dataclass(frozen=True)
class FunctionCallExpression(ExpressionNode):
    """``name(arguments)``."""

    name: str
    arguments: tuple[ExpressionNode, ...]


@dataclass(frozen=True)
class UnaryExpression(ExpressionNode):
    """``-operand`` or ``+operand``."""

    sign: str
    operand: ExpressionNode


@dataclass(frozen=True)
class BinaryExpression(ExpressionNode):
    """``left sign right``, of arithmetic, comparison and the string operators."""

    sign: str
    left: ExpressionNode
    right: ExpressionNode


@dataclass(frozen=True)
class LogicalExpression(ExpressionNode):
    """``one and two and ...``, or with ``or``."""

    sign: str
    operands: tuple[ExpressionNode, ...]


@dataclass(frozen=True)
class InExpression(ExpressionNode):
    """``operand sign (items)``: ``in``, ``has_any``, ``has_all`` and those like them."""

    sign: str
    operand: ExpressionNode
    items: tuple[ExpressionNode, ...]


@dataclass(frozen=True)
class BetweenExpression(ExpressionNode):
    """``operand between (low .. high)``, or ``!between``."""

    negated: bool
    operand: ExpressionNode
    low: ExpressionNode
    high: ExpressionNode


@dataclass(frozen=True)
class TypeOfExpression(ExpressionNode):
    """``typeof(kind)``."""

    kind: Kind


@dataclass(frozen=True)
class PipeExpression(ExpressionNode):
    """A source and the operators that it goes through: a table, as a value."""

    source: ExpressionNode
    operators: tuple[QueryOperator, ...]


@dataclass(frozen=True)
class FunctionParameter(SyntaxNode):
    """A parameter of a function: of a kind, or, where ``columns`` is there, a table."""

    name: str
    kind: Kind | None
    default: ExpressionNode | None = None
    columns: tuple[tuple[str, Kind], ...] | None = None


@dataclass(frozen=True)
class FunctionDeclaration(ExpressionNode):
    """``(parameters) { body }``."""

    parameters: tuple[FunctionParameter, ...]
    body: QueryBlock


@dataclass(frozen=True)
class LetStatement(SyntaxNode):
    """``let name = value;``."""

    name: str
    value: ExpressionNode


@dataclass(frozen=True)
class QueryBlock(SyntaxNode):
    """Statements, and the expression whose value is the answer."""

    lets: tuple[LetStatement, ...]
    answer: ExpressionNode


class QueryOperator(SyntaxNode):
    """An operator of the pipe."""


@dataclass(frozen=True)
class Where(QueryOperator):
    """``where condition``."""

    condition: ExpressionNode


@dataclass(frozen=True)
class Project(QueryOperator):
    """``project items``."""

    items: tuple[ExpressionNode, ...]


@dataclass(frozen=True)
class Extend(QueryOperator):
    """``extend items``."""

    items: tuple[ExpressionNode, ...]


@dataclass(frozen=True)
class Pick(QueryOperator):
    """``project-away``, ``project-keep`` or ``project-reorder`` with names or wildcards.

    An order (``asc``, ``desc``, ``granny-asc`` ...) goes with the patterns of ``reorder``.
    """

    how: str
    patterns: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Rename(QueryOperator):
    """``project-rename new = old``."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Summarize(QueryOperator):
    """``summarize aggregates by keys``."""

    aggregates: tuple[ExpressionNode, ...]
    keys: tuple[ExpressionNode, ...]


@dataclass(frozen=True)
class Distinct(QueryOperator):
    """``distinct items``."""

    items: tuple[ExpressionNode, ...]


@dataclass(frozen=True)
class Count(QueryOperator):
    """``count``."""


@dataclass(frozen=True)
class Take(QueryOperator):
    """``take``, ``limit`` or ``sample``."""

    number: ExpressionNode


@dataclass(frozen=True)
class SortKey(SyntaxNode):
    """An expression to sort by, whether downwards, and whether nulls come first."""

    value: ExpressionNode
    descending: bool
    nulls_first: bool


@dataclass(frozen=True)
class Sort(QueryOperator):
    """``sort by keys``, and with a number ``top number by keys``."""

    keys: tuple[SortKey, ...]
    number: ExpressionNode | None = None


@dataclass(frozen=True)
class Level(SyntaxNode):
    """A level of ``top-nested``: ``number of value by aggregate``."""

    number: ExpressionNode | None
    value: ExpressionNode
    by: SortKey


@dataclass(frozen=True)
class TopNested(QueryOperator):
    """``top-nested levels``."""

    levels: tuple[Level, ...]


@dataclass(frozen=True)
class TopHitters(QueryOperator):
    """``top-hitters number of value by weight``."""

    number: ExpressionNode
    value: ExpressionNode
    weight: ExpressionNode | None


@dataclass(frozen=True)
class Serialize(QueryOperator):
    """``serialize items``."""

    items: tuple[ExpressionNode, ...]


@dataclass(frozen=True)
class Join(QueryOperator):
    """``join kind=... (right) on conditions``, and ``lookup``."""

    flavour: str
    right: ExpressionNode
    conditions: tuple[ExpressionNode, ...]
    lookup: bool = False


@dataclass(frozen=True)
class Union(QueryOperator):
    """``union tables``."""

    tables: tuple[ExpressionNode, ...]
    inner: bool = False
    source_column: str | None = None
    fuzzy: bool = False


@dataclass(frozen=True)
class ExpandedColumn(SyntaxNode):
    """A column of ``mv-expand``: ``name = value to typeof(kind)``."""

    name: str | None
    value: ExpressionNode
    kind: Kind | None


@dataclass(frozen=True)
class MvExpand(QueryOperator):
    """``mv-expand items limit n``; with a body it is ``mv-apply items on (body)``."""

    items: tuple[ExpandedColumn, ...]
    index: str | None = None
    limit: ExpressionNode | None = None
    body: tuple[QueryOperator, ...] | None = None


@dataclass(frozen=True)
class Partition(QueryOperator):
    """``partition by key (body)``."""

    key: ExpressionNode
    body: tuple[QueryOperator, ...]


@dataclass(frozen=True)
class ParsedColumn(SyntaxNode):
    """A column that ``parse`` fills."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Parse(QueryOperator):
    """``parse kind=... value with pattern``: of texts, captures, and None for ``*``.

    Where it is ``relaxed`` a text matches though a capture is none of its kind.
    """

    value: ExpressionNode
    pattern: tuple[str | ParsedColumn | None, ...]
    regex: bool = False
    flags: str = ""
    relaxed: bool = False
    filters: bool = False


@dataclass(frozen=True)
class ParseKv(QueryOperator):
    """``parse-kv value as (columns) with (options)``."""

    value: ExpressionNode
    columns: tuple[ParsedColumn, ...]
    options: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class As(QueryOperator):
    """``as name``."""

    name: str


@dataclass(frozen=True)
class Invoke(QueryOperator):
    """``invoke function(arguments)``."""

    call: FunctionCallExpression


@dataclass(frozen=True)
class Evaluate(QueryOperator):
    """``evaluate plugin(arguments)``, with the schema that the query gives for the outcome."""

    call: FunctionCallExpression
    schema: tuple[tuple[str, Kind], ...] | None = None


@dataclass(frozen=True)
class SeriesColumn(SyntaxNode):
    """``name = aggregate default = value`` of ``make-series``."""

    value: ExpressionNode
    default: ExpressionNode | None


@dataclass(frozen=True)
class MakeSeries(QueryOperator):
    """``make-series columns on axis from start to stop step step by keys``."""

    columns: tuple[SeriesColumn, ...]
    axis: ExpressionNode
    start: ExpressionNode | None
    stop: ExpressionNode | None
    step: ExpressionNode
    keys: tuple[ExpressionNode, ...]


@dataclass(frozen=True)
class SampleDistinct(QueryOperator):
    """``sample-distinct number of value``."""

    number: ExpressionNode
    value: ExpressionNode


@dataclass(frozen=True)
class SearchOperator(QueryOperator):
    """``search condition``: ``tables`` are those that ``in (...)`` names, if it stands first."""

    condition: ExpressionNode
    tables: tuple[ExpressionNode, ...] = ()
    exact: bool = False


@dataclass(frozen=True)
class Find(ExpressionNode):
    """``find in (tables) where condition project columns project-away away``.

    Without columns they follow from the condition; ``packed`` tells whether the others are in a
    bag.
    """

    condition: ExpressionNode
    tables: tuple[ExpressionNode, ...] = ()
    source_column: str | None = None
    columns: tuple[tuple[str, Kind | None], ...] | None = None
    packed: bool = True
    away: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class GetSchema(QueryOperator):
    """``getschema``."""


@dataclass(frozen=True)
class Nothing(QueryOperator):
    """``render``, ``consume`` and others that leave the rows as they are."""


@dataclass(frozen=True)
class Datatable(ExpressionNode):
    """``datatable(columns) [values]``."""

    columns: tuple[tuple[str, Kind], ...]
    values: tuple[ExpressionNode, ...]


@dataclass(frozen=True)
class Range(ExpressionNode):
    """``range name from start to stop step step``."""

    name: str
    start: ExpressionNode
    stop: ExpressionNode
    step: ExpressionNode


@dataclass(frozen=True)
class Print(ExpressionNode):
    """``print items``."""

    items: tuple[ExpressionNode, ...]
