"""A query's tree made into SQL: names are resolved, functions unfolded, operators applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from mockgraph.service.hunting.kql import (
    aggregates,
    joins,
    nodes,
    pipeline,
    plugins,
    rankings,
    scalars,
    special_functions,
    table_search,
    unfolding,
)
from mockgraph.service.hunting.kql.context import Binding, Closure, Context, NameScope
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.query_parser import parse_query
from mockgraph.service.hunting.kql.sqlvalues import (
    ORDER,
    Column,
    Probe,
    Rowset,
    Value,
    cast,
    converted,
    literal,
    refs,
    text,
)
from mockgraph.service.hunting.refusal import (
    QueryLimitError,
    SemanticQueryError,
    UnresolvedNameError,
    UnsupportedQueryError,
)

Columns = Mapping[str, Kind]

PROFILES = "FileProfile"  # the table that ``invoke FileProfile()`` reads, and no other
# Where Defender is joined with Sentinel its tables have the instant by Sentinel's name, too.
_MOMENT, _SENTINELS_MOMENT = "Timestamp", "TimeGenerated"
# Functions that hunting has in KQL itself.
_STORED = {
    "AssignedIPAddresses": """(x: string, y: datetime = datetime(null)) {
        DeviceNetworkInfo
        | where DeviceId == x or DeviceName =~ x
        | where NetworkAdapterStatus == "Up" and (isnull(y) or Timestamp <= y)
        | summarize arg_max(Timestamp, *) by DeviceId, NetworkAdapterName
        | mv-expand address = parse_json(IPAddresses)
        | project Timestamp, IPAddress = tostring(address.IPAddress),
            IPType = tostring(address.AddressType), NetworkAdapterType, ConnectedNetworks
    }""",
    # The devices whose connections went to an address of the device.
    "SeenBy": """(T: (*)) {
        let seen = DeviceNetworkInfo
        | mv-expand address = parse_json(IPAddresses)
        | distinct SeenId = DeviceId, RemoteIP = tostring(address.IPAddress)
        | join kind=inner DeviceNetworkEvents on RemoteIP
        | summarize LastEncountered = max(Timestamp) by SeenId, DeviceId
        | summarize SeenBy = make_list(bag_pack("DeviceId", DeviceId,
            "LastEncountered", LastEncountered)) by DeviceId = SeenId;
        T | lookup kind=leftouter seen on DeviceId
    }""",
}
_LONGEST_RANGE = 10_000_000  # rows
_MOST_SHARED = 400  # tables that are written once


@dataclass(frozen=True)
class Compiled:
    """A query as SQL: ``columns`` are the names and kinds of what it selects, in order."""

    sql: str
    columns: tuple[tuple[str, Kind], ...]


def compile_query(
    text: str,
    tables: Mapping[str, Columns],
    now: datetime,
    window: tuple[datetime | None, datetime | None],
    probe: Probe,
    used: Callable[[str], None],
    check: Callable[[], None] = lambda: None,
) -> Compiled:
    """Return a query as SQL over tables whose columns are named as in KQL.

    ``window`` limits the ``Timestamp`` of the rows; ``probe`` runs SQL where the columns of the
    answer depend on the data; ``used`` is told the name of each table before it is read; ``check``
    is called at each step, and raises where nobody waits for the answer.
    """
    tree = parse_query(text)
    try:
        joined = _SENTINELS_MOMENT in text
        compiler = Compiler(tables, now, window, probe, used, joined)
        compiler.check = check
        return compiler.compiled(tree)
    except RecursionError:
        raise QueryLimitError("its expressions are nested too deeply.") from None


@cache
def stored_function(name: str) -> nodes.ExpressionNode:
    """Return a function that hunting has in KQL itself."""
    return parse_query(f"let {name} = {_STORED[name]}; print 1").lets[0].value


class Compiler(Context):
    """A compilation of one query."""

    def __init__(
        self,
        tables: Mapping[str, Columns],
        now: datetime,
        window: tuple[datetime | None, datetime | None],
        probe: Probe,
        used: Callable[[str], None],
        joined: bool,
    ):
        super().__init__(now, probe)
        self._tables = tables
        self._window = window
        self._used = used
        self._joined = joined
        self._shared: list[tuple[str, str]] = []
        self._depth = 0

    def compiled(self, tree: nodes.QueryBlock) -> Compiled:
        found = self._query(tree, NameScope({}), shared=True)
        if isinstance(found, Value):
            column = self.fresh(found.name or "print_0", found.kind)
            found = Rowset(f"SELECT {found.sql} AS {column.ref}", (column,))
        if not isinstance(found, Rowset):
            raise SemanticQueryError("a query ends with a table or a value.")
        items = ", ".join(
            f"CAST({each.ref} AS VARCHAR)" if each.kind is Kind.GUID else each.ref
            for each in found.shown
        )
        sql = f"SELECT {items} FROM {found.source}{found.order_by}"
        columns = tuple((each.name, each.kind) for each in found.shown)
        return Compiled(self.whole(sql), columns)

    def whole(self, sql: str) -> str:
        if not self._shared:
            return sql
        tables = ", ".join(f"{name} AS ({body})" for name, body in self._shared)
        return f"WITH {tables} {sql}"

    # Names

    def _query(self, tree: nodes.QueryBlock, scope: NameScope, shared: bool) -> Binding:
        for let in tree.lets:
            found = self.evaluate(let.value, scope)
            if isinstance(found, Rowset) and shared:
                found = self._share(found)
            scope = replace(scope, names={**scope.names, let.name: found})
        return self.evaluate(tree.answer, scope)

    def _share(self, table: Rowset) -> Rowset:
        """Return a table under a name, so that its SQL is written once."""
        if len(self._shared) >= _MOST_SHARED:
            raise QueryLimitError(f"it has more than {_MOST_SHARED} tables.")
        name = f"shared{len(self._shared) + 1}"
        self._shared.append((name, table.sql))
        return replace(table, sql=f"SELECT {refs(table.columns)}{table.order} FROM {name}")

    def _named(self, name: str, scope: NameScope) -> Binding:
        if (column := scope.columns.get(name)) is not None:
            return column
        if (found := scope.names.get(name)) is not None:
            if isinstance(found, Closure) and not found.function.parameters:
                return self._function(name, found, (), scope)  # a view, by its name alone
            return found
        if name in self._tables and name != PROFILES:
            return self._read(name)
        known = [*scope.columns, *scope.names, *self._tables]
        raise UnresolvedNameError(name, known)

    def _read(self, name: str) -> Rowset:
        self._used(name)
        columns = tuple(self.fresh(column, kind) for column, kind in self._tables[name].items())
        items = ", ".join(
            f'CAST("{each.name}" AS {each.kind.duckdb}) AS {each.ref}'
            if each.kind in (Kind.DYNAMIC, Kind.GUID)
            else f'"{each.name}" AS {each.ref}'
            for each in columns
        )
        sql = f'SELECT {items} FROM "{name}"'
        table = Rowset(sql, columns)
        moment = table.find(_MOMENT)
        if moment is None or moment.kind is not Kind.DATETIME:
            return table
        if self._joined and table.find(_SENTINELS_MOMENT) is None:
            again = replace(self.fresh(_SENTINELS_MOMENT, moment.kind), hidden=True)
            sql = f'SELECT {items}, "{_MOMENT}" AS {again.ref} FROM "{name}"'
            table = Rowset(sql, (*columns, again))
        tests = [
            f'"{_MOMENT}" {sign} {literal(end, Kind.DATETIME).sql}'
            for sign, end in zip((">=", "<="), self._window, strict=True)
            if end is not None
        ]
        return replace(table, sql=f"{sql} WHERE {' AND '.join(tests)}") if tests else table

    def tables(self, pattern: str) -> list[tuple[str, Rowset]]:
        readable = [each for each in self._tables if each != PROFILES]
        names = [each for each in readable if pipeline.matches(pattern, each)]
        if not names:
            raise UnresolvedNameError(pattern, self._tables)
        return [(each, self._read(each)) for each in names]

    # Expressions

    def evaluate(self, node: nodes.ExpressionNode, scope: NameScope) -> Binding:
        self.worked()
        match node:
            case nodes.LiteralExpression(value, kind):
                return literal(value, kind)
            case nodes.NameReference(name):
                return self._named(name, scope)
            case nodes.PipeExpression(source, operators):
                return self._piped(source, operators, scope)
            case nodes.FunctionCallExpression():
                return self._called(node, scope)
            case nodes.FunctionDeclaration():
                return Closure(node, scope.names)
            case nodes.Datatable():
                return self._datatable(node, scope)
            case nodes.Range():
                return self._range(node, scope)
            case nodes.Print(items):
                return self._print(items, scope)
            case nodes.Find():
                return table_search.find(self, node, scope.bare())
            case nodes.NamedExpression(_, value):
                return self.evaluate(value, scope)
        return self._expression(node, scope)

    def _expression(self, node: nodes.ExpressionNode, scope: NameScope) -> Value:
        match node:
            case nodes.MemberExpression(target, name):
                return scalars.member(self.scalar(target, scope), name)
            case nodes.ElementExpression(target, index):
                return scalars.element(self.scalar(target, scope), self.scalar(index, scope))
            case nodes.UnaryExpression(_, operand):
                return scalars.negative(self.scalar(operand, scope))
            case nodes.BinaryExpression(sign, left, right):
                if isinstance(left, nodes.StarExpression):
                    return self._any_column(node, scope)
                return scalars.binary(sign, self.scalar(left, scope), self.scalar(right, scope))
            case nodes.LogicalExpression(sign, operands):
                return scalars.logical(sign, [self.scalar(each, scope) for each in operands])
            case nodes.BetweenExpression(negated, operand, low, high):
                three = (self.scalar(each, scope) for each in (operand, low, high))
                return scalars.between(negated, *three)
            case nodes.InExpression():
                return scalars.among(self, node, scope)
        raise SemanticQueryError("this cannot stand where a value is due.")

    def _any_column(self, node: nodes.BinaryExpression, scope: NameScope) -> Value:
        """Return ``* has "text"``: whether the operator holds for one of the columns."""
        right = self.scalar(node.right, scope)
        tests = [
            scalars.binary(node.sign, value, right).sql
            for value in scope.columns.values()
            if value.kind in (Kind.STRING, Kind.DYNAMIC)
        ]
        return Value("(" + (" OR ".join(tests) or "FALSE") + ")", Kind.BOOL)

    def _called(self, node: nodes.FunctionCallExpression, scope: NameScope) -> Binding:
        name = node.name
        found = scope.names.get(name)
        if found is None and name in _STORED:
            found = self.evaluate(stored_function(name), NameScope({}))
        if isinstance(found, Closure):
            return self._function(name, found, node.arguments, scope)
        if name == "materialize" and len(node.arguments) == 1:
            table = self.evaluate(node.arguments[0], scope)
            return self._share(table) if isinstance(table, Rowset) else table
        if name == "table" and len(node.arguments) == 1:
            return self._named(str(self.constant(node.arguments[0], scope, "table")), scope.bare())
        if isinstance(found, Rowset) and not node.arguments:
            return found
        if scope.rows is not None and aggregates.is_aggregate(name):
            return aggregates.aggregate(self, node, scope.rows)[0][1]
        if aggregates.is_aggregate(name) and name not in special_functions.known_functions():
            raise SemanticQueryError(f"the aggregate {name}() stands in summarize alone.")
        return special_functions.call(self, node, scope)

    def _function(
        self,
        name: str,
        closure: Closure,
        arguments: tuple[nodes.ExpressionNode, ...],
        scope: NameScope,
    ) -> Binding:
        """Return a function that the query defines, unfolded over its arguments."""
        parameters = closure.function.parameters
        given: dict[str, nodes.ExpressionNode] = {}
        for place, argument in enumerate(arguments):
            if isinstance(argument, nodes.NamedExpression):
                given[argument.names[0]] = argument.value
            elif place < len(parameters):
                given[parameters[place].name] = argument
            else:
                raise SemanticQueryError(f"{name}() takes {len(parameters)} arguments.")
        names = dict(closure.names)
        for parameter in parameters:
            node = given.pop(parameter.name, parameter.default)
            if node is None:
                raise SemanticQueryError(f"{name}() has no argument '{parameter.name}'.")
            if parameter.kind is None:
                names[parameter.name] = self.table(node, scope)
            else:
                value = self.scalar(node, scope)
                names[parameter.name] = replace(converted(value, parameter.kind), name=None)
        if given:
            raise SemanticQueryError(f"{name}() has no parameter '{next(iter(given))}'.")
        self._depth += 1
        if self._depth > 50:
            raise QueryLimitError("its functions are nested too deeply.")
        found = self._query(closure.function.body, NameScope(names), shared=False)
        self._depth -= 1
        return found

    # Sources

    def _piped(
        self,
        source: nodes.ExpressionNode,
        operators: tuple[nodes.QueryOperator, ...],
        scope: NameScope,
    ) -> Binding:
        scope = scope.bare()
        if isinstance(source, nodes.StarExpression):
            first, *rest = operators
            table = self._first(first, scope)
        else:
            table, rest = self.table(source, scope), list(operators)
        for operator in rest:
            if isinstance(operator, nodes.As):
                table = self._share(table)
                scope = replace(scope, names={**scope.names, operator.name: table})
            else:
                table = self.apply(operator, table, scope)
        return table

    def _first(self, operator: nodes.QueryOperator, scope: NameScope) -> Rowset:
        """Return what ``union`` or ``search`` makes where nothing stands before it."""
        if isinstance(operator, nodes.Union):
            return joins.union(self, operator, None, scope)
        assert isinstance(operator, nodes.SearchOperator)
        names = operator.tables or (nodes.NameReference("*"),)
        everywhere = nodes.Union(names, source_column="$table")
        table = joins.union(self, everywhere, None, scope)
        return table_search.search(self, operator, table, scope)

    def _datatable(self, node: nodes.Datatable, scope: NameScope) -> Rowset:
        columns = tuple(self.fresh(name, kind) for name, kind in node.columns)
        if len(node.values) % len(columns):
            raise SemanticQueryError("a datatable has values for whole rows.")
        values = [self.scalar(each, scope) for each in node.values]
        sqls = [
            converted(value, columns[place % len(columns)].kind).sql
            for place, value in enumerate(values)
        ]
        if not sqls:
            nothing = ", ".join(f"{each.kind.null} AS {each.ref}" for each in columns)
            return Rowset(f"SELECT {nothing} WHERE FALSE", columns)
        width = len(columns)
        rows = ", ".join(
            f"({', '.join(sqls[start : start + width])})" for start in range(0, len(sqls), width)
        )
        return Rowset(f"SELECT * FROM (VALUES {rows}) t({refs(columns)})", columns)

    def _range(self, node: nodes.Range, scope: NameScope) -> Rowset:
        ends = (node.start, node.stop, node.step)
        start, stop, step = (self.scalar(each, scope) for each in ends)
        if start.kind is Kind.DATETIME:
            kind = Kind.DATETIME
            low, high = f"epoch_us({start.sql})", f"epoch_us({converted(stop, kind).sql})"
            width = step.sql
            point = f"make_timestamp(CAST({low} + i * {width} AS BIGINT))"
        else:
            kind = Kind.REAL if Kind.REAL in (start.kind, step.kind) else start.kind
            if not (kind.numeric or kind is Kind.TIMESPAN):
                raise SemanticQueryError(f"range has no meaning for a {kind.kql}.")
            low, high, width = (cast(each, kind).sql for each in (start, stop, step))
            point = f"CAST({low} + i * {width} AS {kind.duckdb})"
        column = self.fresh(node.name, kind)
        count = f"least(CAST(floor(({high} - {low}) / {width}) AS BIGINT) + 1, {_LONGEST_RANGE})"
        # A function of the table, not of a list: it makes no rows that nobody has asked for yet.
        numbers = f"SELECT i.range AS i FROM (SELECT {count} AS most), range(0, most) i"
        sql = f"SELECT {point} AS {column.ref}, i AS {ORDER} FROM ({numbers})"
        return Rowset(sql, (column,), ordered=True)

    def _print(self, items: tuple[nodes.ExpressionNode, ...], scope: NameScope) -> Rowset:
        columns: list[Column] = []
        sqls = []
        for place, item in enumerate(items):
            name = item.names[0] if isinstance(item, nodes.NamedExpression) else f"print_{place}"
            value = self.scalar(item, scope)
            columns.append(self.fresh(name, value.kind))
            sqls.append(f"{value.sql} AS {columns[-1].ref}")
        return Rowset(f"SELECT {', '.join(sqls)}", tuple(columns))

    # Operators

    def apply(self, operator: nodes.QueryOperator, table: Rowset, scope: NameScope) -> Rowset:
        applied = _OPERATORS[type(operator)](self, operator, table, scope)
        self.worked(applied.sql)
        return applied

    def _nothing(self, _operator: Any, table: Rowset, _scope: NameScope) -> Rowset:
        return table

    def _invoke(self, operator: nodes.Invoke, table: Rowset, scope: NameScope) -> Rowset:
        call = operator.call
        if call.name == "FileProfile":
            return self._file_profile(call, table)
        found = scope.names.get(call.name)
        if found is None and call.name in _STORED:
            found = self.evaluate(stored_function(call.name), NameScope({}))
        if call.name in special_functions.LACKING:
            raise UnsupportedQueryError(f"the function '{call.name}'")
        if not isinstance(found, Closure):
            raise UnresolvedNameError(call.name, scope.names, "function")
        names = {**scope.names, "$invoked": table}
        arguments = (nodes.NameReference("$invoked"), *call.arguments)
        called = self._function(call.name, found, arguments, replace(scope, names=names))
        if not isinstance(called, Rowset):
            raise SemanticQueryError(f"{call.name}() gives no table.")
        return called

    def _file_profile(self, call: nodes.FunctionCallExpression, table: Rowset) -> Rowset:
        """Return a table with what is known of the files whose hashes are in a column."""
        node = call.arguments[0] if call.arguments else nodes.NameReference("SHA1")
        name = (
            node.value if isinstance(node, nodes.LiteralExpression) else getattr(node, "name", "")
        )
        column = table.find(str(name))
        if column is None:
            raise UnresolvedNameError(str(name), [each.name for each in table.columns])
        profiles = self._read(PROFILES)
        key = text(column.value)
        taken = {each.name for each in table.columns}
        added = [each for each in profiles.columns if each.name not in taken]
        hashes = [each.ref for each in profiles.columns if each.name in ("SHA1", "SHA256", "MD5")]
        items = [f"l.{each.ref} AS {each.ref}" for each in table.columns]
        items += [
            f"coalesce(r.{each.ref}, '') AS {each.ref}"
            if each.kind is Kind.STRING
            else f"r.{each.ref} AS {each.ref}"
            for each in added
        ]
        order = f", l.{ORDER}" if table.ordered else ""
        known = " UNION ALL ".join(
            f"SELECT {each} AS profile_key, * FROM {profiles.source}" for each in hashes
        )
        one = f"(SELECT * FROM ({known}) WHERE profile_key <> ''" + (
            " QUALIFY row_number() OVER (PARTITION BY profile_key) = 1)"
        )
        sql = (
            f"SELECT {', '.join(items)}{order} FROM {table.source} l"
            f" LEFT JOIN {one} r ON l.{key.sql} = r.profile_key"
        )
        return Rowset(sql, (*table.columns, *added), table.ordered)


Operate = Callable[[Any, Any, Rowset, NameScope], Rowset]

_OPERATORS: dict[type[nodes.QueryOperator], Operate] = {
    nodes.Where: pipeline.where,
    nodes.Project: pipeline.project,
    nodes.Extend: pipeline.extend,
    nodes.Pick: pipeline.pick,
    nodes.Rename: pipeline.rename,
    nodes.Summarize: pipeline.summarize,
    nodes.Distinct: pipeline.distinct,
    nodes.Count: pipeline.count,
    nodes.Take: pipeline.take,
    nodes.Sort: pipeline.sort,
    nodes.TopNested: rankings.top_nested,
    nodes.TopHitters: rankings.top_hitters,
    nodes.Serialize: pipeline.serialize,
    nodes.SampleDistinct: pipeline.sample_distinct,
    nodes.GetSchema: pipeline.get_schema,
    nodes.SearchOperator: table_search.search,
    nodes.Join: joins.join,
    nodes.Union: joins.union,
    nodes.MvExpand: unfolding.mv_expand,
    nodes.Partition: unfolding.partition,
    nodes.Parse: unfolding.parse,
    nodes.ParseKv: unfolding.parse_kv,
    nodes.Evaluate: plugins.evaluate,
    nodes.MakeSeries: plugins.make_series,
    nodes.Invoke: Compiler._invoke,
    nodes.Nothing: Compiler._nothing,
}
