"""The tree of a query: expressions, operators of the pipe, statements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mockgraph.service.hunting.kql.kinds import Kind


@dataclass(frozen=True)
class Node:
    """A part of a query; ``at`` is the offset of its first character."""

    at: int = field(default=0, kw_only=True, compare=False)


class Expression(Node):
    """A part of a query that has a value."""


@dataclass(frozen=True)
class Literal(Expression):
    """A constant: ``value`` is a Python value, ticks (µs) for timespans, None for null."""

    value: Any
    kind: Kind


@dataclass(frozen=True)
class Name(Expression):
    """A column, a name that ``let`` gave, or a table."""

    name: str


@dataclass(frozen=True)
class Star(Expression):
    """``*``: all columns."""


@dataclass(frozen=True)
class Member(Expression):
    """``target.name``."""

    target: Expression
    name: str


@dataclass(frozen=True)
class Index(Expression):
    """``target[index]``."""

    target: Expression
    index: Expression


@dataclass(frozen=True)
class Named(Expression):
    """``name = value``, or ``(one, two) = value``."""

    names: tuple[str, ...]
    value: Expression


@dataclass(frozen=True)
class Call(Expression):
    """``name(arguments)``."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Unary(Expression):
    """``-operand`` or ``+operand``."""

    sign: str
    operand: Expression


@dataclass(frozen=True)
class Binary(Expression):
    """``left sign right``, of arithmetic, comparison and the string operators."""

    sign: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Logical(Expression):
    """``one and two and ...``, or with ``or``."""

    sign: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True)
class Among(Expression):
    """``operand sign (items)``: ``in``, ``has_any``, ``has_all`` and those like them."""

    sign: str
    operand: Expression
    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Between(Expression):
    """``operand between (low .. high)``, or ``!between``."""

    negated: bool
    operand: Expression
    low: Expression
    high: Expression


@dataclass(frozen=True)
class TypeOf(Expression):
    """``typeof(kind)``."""

    kind: Kind


@dataclass(frozen=True)
class Pipe(Expression):
    """A source and the operators that it goes through: a table, as a value."""

    source: Expression
    operators: tuple[Operator, ...]


@dataclass(frozen=True)
class Parameter(Node):
    """A parameter of a function: of a kind, or, where ``columns`` is there, a table."""

    name: str
    kind: Kind | None
    default: Expression | None = None
    columns: tuple[tuple[str, Kind], ...] | None = None


@dataclass(frozen=True)
class Function(Expression):
    """``(parameters) { body }``."""

    parameters: tuple[Parameter, ...]
    body: Query


@dataclass(frozen=True)
class Let(Node):
    """``let name = value;``."""

    name: str
    value: Expression


@dataclass(frozen=True)
class Query(Node):
    """Statements, and the expression whose value is the answer."""

    lets: tuple[Let, ...]
    answer: Expression


class Operator(Node):
    """An operator of the pipe."""


@dataclass(frozen=True)
class Where(Operator):
    """``where condition``."""

    condition: Expression


@dataclass(frozen=True)
class Project(Operator):
    """``project items``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Extend(Operator):
    """``extend items``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Pick(Operator):
    """``project-away``, ``project-keep`` or ``project-reorder`` with names or wildcards.

    An order (``asc``, ``desc``, ``granny-asc`` ...) goes with the patterns of ``reorder``.
    """

    how: str
    patterns: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Rename(Operator):
    """``project-rename new = old``."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Summarize(Operator):
    """``summarize aggregates by keys``."""

    aggregates: tuple[Expression, ...]
    keys: tuple[Expression, ...]


@dataclass(frozen=True)
class Distinct(Operator):
    """``distinct items``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Count(Operator):
    """``count``."""


@dataclass(frozen=True)
class Take(Operator):
    """``take``, ``limit`` or ``sample``."""

    number: Expression


@dataclass(frozen=True)
class SortKey(Node):
    """An expression to sort by, whether downwards, and whether nulls come first."""

    value: Expression
    descending: bool
    nulls_first: bool


@dataclass(frozen=True)
class Sort(Operator):
    """``sort by keys``, and with a number ``top number by keys``."""

    keys: tuple[SortKey, ...]
    number: Expression | None = None


@dataclass(frozen=True)
class Level(Node):
    """A level of ``top-nested``: ``number of value by aggregate``."""

    number: Expression | None
    value: Expression
    by: SortKey


@dataclass(frozen=True)
class TopNested(Operator):
    """``top-nested levels``."""

    levels: tuple[Level, ...]


@dataclass(frozen=True)
class TopHitters(Operator):
    """``top-hitters number of value by weight``."""

    number: Expression
    value: Expression
    weight: Expression | None


@dataclass(frozen=True)
class Serialize(Operator):
    """``serialize items``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Join(Operator):
    """``join kind=... (right) on conditions``, and ``lookup``."""

    flavour: str
    right: Expression
    conditions: tuple[Expression, ...]
    lookup: bool = False


@dataclass(frozen=True)
class Union(Operator):
    """``union tables``."""

    tables: tuple[Expression, ...]
    inner: bool = False
    source_column: str | None = None
    fuzzy: bool = False


@dataclass(frozen=True)
class Expansion(Node):
    """A column of ``mv-expand``: ``name = value to typeof(kind)``."""

    name: str | None
    value: Expression
    kind: Kind | None


@dataclass(frozen=True)
class MvExpand(Operator):
    """``mv-expand items limit n``; with a body it is ``mv-apply items on (body)``."""

    items: tuple[Expansion, ...]
    index: str | None = None
    limit: Expression | None = None
    body: tuple[Operator, ...] | None = None


@dataclass(frozen=True)
class Partition(Operator):
    """``partition by key (body)``."""

    key: Expression
    body: tuple[Operator, ...]


@dataclass(frozen=True)
class Capture(Node):
    """A column that ``parse`` fills."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Parse(Operator):
    """``parse kind=... value with pattern``: of texts, captures, and None for ``*``.

    Where it is ``relaxed`` a text matches though a capture is none of its kind.
    """

    value: Expression
    pattern: tuple[str | Capture | None, ...]
    regex: bool = False
    flags: str = ""
    relaxed: bool = False
    filters: bool = False


@dataclass(frozen=True)
class ParseKv(Operator):
    """``parse-kv value as (columns) with (options)``."""

    value: Expression
    columns: tuple[Capture, ...]
    options: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class As(Operator):
    """``as name``."""

    name: str


@dataclass(frozen=True)
class Invoke(Operator):
    """``invoke function(arguments)``."""

    call: Call


@dataclass(frozen=True)
class Evaluate(Operator):
    """``evaluate plugin(arguments)``, with the schema that the query gives for the outcome."""

    call: Call
    schema: tuple[tuple[str, Kind], ...] | None = None


@dataclass(frozen=True)
class SeriesColumn(Node):
    """``name = aggregate default = value`` of ``make-series``."""

    value: Expression
    default: Expression | None


@dataclass(frozen=True)
class MakeSeries(Operator):
    """``make-series columns on axis from start to stop step step by keys``."""

    columns: tuple[SeriesColumn, ...]
    axis: Expression
    start: Expression | None
    stop: Expression | None
    step: Expression
    keys: tuple[Expression, ...]


@dataclass(frozen=True)
class SampleDistinct(Operator):
    """``sample-distinct number of value``."""

    number: Expression
    value: Expression


@dataclass(frozen=True)
class Search(Operator):
    """``search condition``: ``tables`` are those that ``in (...)`` names, if it stands first."""

    condition: Expression
    tables: tuple[Expression, ...] = ()
    exact: bool = False


@dataclass(frozen=True)
class Find(Expression):
    """``find in (tables) where condition project columns project-away away``.

    Without columns they follow from the condition; ``packed`` tells whether the others are in a
    bag.
    """

    condition: Expression
    tables: tuple[Expression, ...] = ()
    source_column: str | None = None
    columns: tuple[tuple[str, Kind | None], ...] | None = None
    packed: bool = True
    away: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Schema(Operator):
    """``getschema``."""


@dataclass(frozen=True)
class Nothing(Operator):
    """``render``, ``consume`` and others that leave the rows as they are."""


@dataclass(frozen=True)
class Datatable(Expression):
    """``datatable(columns) [values]``."""

    columns: tuple[tuple[str, Kind], ...]
    values: tuple[Expression, ...]


@dataclass(frozen=True)
class Range(Expression):
    """``range name from start to stop step step``."""

    name: str
    start: Expression
    stop: Expression
    step: Expression


@dataclass(frozen=True)
class Print(Expression):
    """``print items``."""

    items: tuple[Expression, ...]
