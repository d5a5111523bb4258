"""The operators of the pipe, read with what belongs to each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.expression_parser import ExpressionParser
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.words import WordKind
from mockgraph.service.hunting.refusal import UnsupportedQueryError

_FLAVOURS = {
    "inner": "inner",
    "innerunique": "innerunique",
    "leftouter": "leftouter",
    "rightouter": "rightouter",
    "fullouter": "fullouter",
    "leftanti": "leftanti",
    "anti": "leftanti",
    "leftantisemi": "leftanti",
    "rightanti": "rightanti",
    "rightantisemi": "rightanti",
    "leftsemi": "leftsemi",
    "rightsemi": "rightsemi",
}
# Operators of the pipe that are none of MockGraph's.
LACKING = frozenset(
    [
        "facet",
        "fork",
        "reduce",
        "scan",
        "make-graph",
        "graph-match",
        "graph-shortest-paths",
        "graph-to-table",
        "graph-mark-components",
        "graph-where-nodes",
        "graph-where-edges",
        "macro-expand",
        "assert-schema",
        "execute-and-cache",
        "find",
        "externaldata",
    ]
)


class OperatorParser(ExpressionParser):
    """A reader of the operators that a table goes through."""

    def column_kind(self) -> tuple[str, Kind]:
        name = self.identifier()
        self.expect(":")
        return name, self.kind()

    def operator(self) -> nodes.QueryOperator:
        word = self.word
        if word.kind is not WordKind.NAME:
            self.fail("an operator is due here")
        name = self._hyphenated()
        reader = OPERATORS.get(name)
        if reader is None:
            if name in LACKING:
                raise UnsupportedQueryError(f"the operator '{name}'")
            self.fail("no operator of KQL", word)
        return reader(self)

    def _hyphenated(self) -> str:
        """Read the name of an operator: words with hyphens, and no blank, between them."""
        last = self.advance()
        name = last.text
        while (
            self.is_sign("-")
            and self.word.start == last.end
            and (self.ahead().start == self.word.end and self.ahead().kind is WordKind.NAME)
        ):
            self.advance()
            last = self.advance()
            name += f"-{last.text}"
        return name

    def _settings(self, *known: str) -> dict[str, Any]:
        """Read settings like ``kind=inner`` or ``hint.strategy=broadcast``."""
        found: dict[str, Any] = {}
        while self.word.kind is WordKind.NAME:
            if self.word.text == "hint" and self.ahead().text == ".":
                self.advance()
                self.advance()
                self.identifier()
                self.expect("=")
                self.advance()
            elif self.word.text in known and self.ahead().text == "=":
                name = self.advance().text
                self.advance()
                found[name] = self.advance().text
            else:
                break
        return found

    def _where(self) -> nodes.QueryOperator:
        self._settings()
        at = self.word.start
        return nodes.Where(self.expression(), at=at)

    def _project(self) -> nodes.QueryOperator:
        return nodes.Project(self.listed(self.named), at=self.word.start)

    def _extend(self) -> nodes.QueryOperator:
        return nodes.Extend(self.listed(self.named), at=self.word.start)

    def _serialize(self) -> nodes.QueryOperator:
        at = self.word.start
        return nodes.Serialize(() if self._at_end() else self.listed(self.named), at=at)

    def _at_end(self) -> bool:
        return self.ended() or self.is_sign("|", ";", ")", "}")

    def _pattern(self) -> tuple[str, str]:
        """Read a name that may hold ``*``, and the order behind it."""
        if self.is_sign("[") and self.ahead().kind is WordKind.STRING:
            name = self.identifier()
        else:
            word = self.word
            if not (word.kind is WordKind.NAME or self.is_sign("*")):
                self.fail("a name of columns is due here")
            name = self.advance().text
            end = word.end
            while self.word.start == end and (
                self.is_sign("*") or self.word.kind in (WordKind.NAME, WordKind.NUMBER)
            ):
                end = self.word.end
                name += self.advance().text
        order = ""
        if self.is_name("asc", "desc", "granny"):
            order = self._hyphenated()
        return name, order

    def _away(self) -> nodes.QueryOperator:
        return nodes.Pick("away", self.listed(self._pattern), at=self.word.start)

    def _keep(self) -> nodes.QueryOperator:
        return nodes.Pick("keep", self.listed(self._pattern), at=self.word.start)

    def _reorder(self) -> nodes.QueryOperator:
        return nodes.Pick("reorder", self.listed(self._pattern), at=self.word.start)

    def _rename(self) -> nodes.QueryOperator:
        def pair() -> tuple[str, str]:
            new = self.identifier()
            self.expect("=")
            return new, self.identifier()

        return nodes.Rename(self.listed(pair), at=self.word.start)

    def _summarize(self) -> nodes.QueryOperator:
        at = self.word.start
        self._settings()
        aggregates = () if self.is_name("by") else self.listed(self.named)
        return nodes.Summarize(aggregates, self._by(), at=at)

    def _by(self) -> tuple[nodes.ExpressionNode, ...]:
        if not self.accept("by"):
            return ()
        return self.listed(self.named)

    def _distinct(self) -> nodes.QueryOperator:
        self._settings()
        return nodes.Distinct(self.listed(self.named), at=self.word.start)

    def _count(self) -> nodes.QueryOperator:
        at = self.word.start
        if self.accept("as"):
            name = self.identifier()
            return nodes.Summarize(
                (nodes.NamedExpression((name,), nodes.FunctionCallExpression("count", ())),),
                (),
                at=at,
            )
        return nodes.Count(at=at)

    def _take(self) -> nodes.QueryOperator:
        return nodes.Take(self.expression(), at=self.word.start)

    def _sort_key(self) -> nodes.SortKey:
        at = self.word.start
        value = self.named()
        descending = True
        if self.is_name("asc", "desc"):
            descending = self.advance().text == "desc"
        nulls_first = not descending
        if self.accept("nulls"):
            if not self.is_name("first", "last"):
                self.fail("'first' or 'last' is due here")
            nulls_first = self.advance().text == "first"
        return nodes.SortKey(value, descending, nulls_first, at=at)

    def _sort(self) -> nodes.QueryOperator:
        at = self.word.start
        self._settings()
        self.expect("by")
        return nodes.Sort(self.listed(self._sort_key), at=at)

    def _top(self) -> nodes.QueryOperator:
        at = self.word.start
        number = self.expression()
        self.expect("by")
        return nodes.Sort(self.listed(self._sort_key), number, at=at)

    def _top_nested(self) -> nodes.QueryOperator:
        at = self.word.start
        levels = [self._level()]
        while self.accept(","):
            if self.is_name("top") and self.ahead().text == "-":
                self._hyphenated()
            levels.append(self._level())
        return nodes.TopNested(tuple(levels), at=at)

    def _level(self) -> nodes.Level:
        at = self.word.start
        number = None if self.is_name("of") else self.expression()
        self.expect("of")
        value = self.named()
        if self.is_name("with"):
            raise UnsupportedQueryError("'top-nested' with others")
        self.expect("by")
        return nodes.Level(number, value, self._sort_key(), at=at)

    def _top_hitters(self) -> nodes.QueryOperator:
        at = self.word.start
        number = self.expression()
        self.expect("of")
        value = self.named()
        weight = self.expression() if self.accept("by") else None
        return nodes.TopHitters(number, value, weight, at=at)

    def _join(self) -> nodes.QueryOperator:
        return self._joined(lookup=False)

    def _lookup(self) -> nodes.QueryOperator:
        return self._joined(lookup=True)

    def _joined(self, lookup: bool) -> nodes.QueryOperator:
        at = self.word.start
        settings = self._settings("kind", "flavor")
        default = "leftouter" if lookup else "innerunique"
        word = self.word
        flavour = _FLAVOURS.get(settings.get("kind", settings.get("flavor", default)))
        if flavour is None or (lookup and flavour not in ("leftouter", "inner")):
            self.fail("no kind of join goes before this", word)
        right = self._piped_one()
        self._settings()
        if self.accept("on"):
            conditions = self.listed(self.expression)
        elif self.is_name("where"):
            raise UnsupportedQueryError("a join with 'where'")
        else:
            self.fail("'on' is due here")
        return nodes.Join(flavour, right, conditions, lookup, at=at)

    def _piped_one(self) -> nodes.ExpressionNode:
        """Read a table that is an operand: a name, a call, or a pipe in brackets."""
        return self._postfix()

    def union(self) -> nodes.QueryOperator:
        at = self.word.start
        settings = self._settings("kind", "withsource", "with_source", "isfuzzy")
        tables = self.listed(self._union_table)
        return nodes.Union(
            tables,
            inner=settings.get("kind") == "inner",
            source_column=settings.get("withsource") or settings.get("with_source"),
            fuzzy=settings.get("isfuzzy") in ("true", "True", "1"),
            at=at,
        )

    def _union_table(self) -> nodes.ExpressionNode:
        """Read a table; its name may hold ``*``."""
        word = self.word
        if (word.kind is WordKind.NAME and self.ahead().text == "*") or self.is_sign("*"):
            return nodes.NameReference(self._pattern()[0], at=word.start)
        return self._piped_one()

    def _mv_expand(self) -> nodes.QueryOperator:
        at = self.word.start
        settings = self._settings("kind", "bagexpansion", "with_itemindex")
        items = self.listed(self._expansion)
        limit = self.expression() if self.accept("limit") else None
        return nodes.MvExpand(items, settings.get("with_itemindex"), limit, at=at)

    def _mv_apply(self) -> nodes.QueryOperator:
        at = self.word.start
        settings = self._settings("kind", "with_itemindex")
        items = self.listed(self._expansion)
        limit = self.expression() if self.accept("limit") else None
        self.expect("on")
        return nodes.MvExpand(items, settings.get("with_itemindex"), limit, self._body(), at=at)

    def _body(self, opening: str = "(", closing: str = ")") -> tuple[nodes.QueryOperator, ...]:
        """Read the operators that stand in brackets, to be applied to a part of the rows."""
        self.expect(opening)
        body = [self.operator()]
        while self.accept("|"):
            body.append(self.operator())
        self.expect(closing)
        return tuple(body)

    def _partition(self) -> nodes.QueryOperator:
        at = self.word.start
        self._settings()
        self.expect("by")
        key = nodes.NameReference(self.identifier(), at=at)
        if not self.is_sign("{"):
            return nodes.Partition(key, self._body(), at=at)
        if self.ahead().text not in OPERATORS:
            raise UnsupportedQueryError("'partition' with a source of its own")
        return nodes.Partition(key, self._body("{", "}"), at=at)

    def _expansion(self) -> nodes.ExpandedColumn:
        at = self.word.start
        item = self.named()
        name = None
        if isinstance(item, nodes.NamedExpression):
            name, item = item.names[0], item.value
        kind = None
        if self.accept("to"):
            self.expect("typeof")
            self.expect("(")
            kind = self.kind()
            self.expect(")")
        return nodes.ExpandedColumn(name, item, kind, at=at)

    def _parse(self) -> nodes.QueryOperator:
        return self._parsed(filters=False)

    def _parse_where(self) -> nodes.QueryOperator:
        return self._parsed(filters=True)

    def _parsed(self, filters: bool) -> nodes.QueryOperator:
        at = self.word.start
        settings = self._settings("kind", "flags")
        value = self.expression()
        self.expect("with")
        pattern: list[str | nodes.ParsedColumn | None] = []
        while not self._at_end():
            if self.word.kind is WordKind.STRING:
                pattern.append(self.advance().text)
            elif self.accept("*"):
                pattern.append(None)
            else:
                pattern.append(self._capture())
        if not pattern:
            self.fail("a pattern is due here")
        kind = settings.get("kind", "simple")
        return nodes.Parse(
            value,
            tuple(pattern),
            regex=kind == "regex",
            flags=settings.get("flags", ""),
            relaxed=kind == "relaxed",
            filters=filters,
            at=at,
        )

    def _capture(self) -> nodes.ParsedColumn:
        at = self.word.start
        name = self.identifier()
        return nodes.ParsedColumn(name, self.kind() if self.accept(":") else Kind.STRING, at=at)

    def _parse_kv(self) -> nodes.QueryOperator:
        at = self.word.start
        value = self.expression()
        self.expect("as")
        self.expect("(")
        columns = self.listed(self._capture, ")")
        options: tuple[tuple[str, Any], ...] = ()
        if self.accept("with"):
            self.expect("(")

            def option() -> tuple[str, Any]:
                name = self.identifier()
                self.expect("=")
                return name, self.advance().text

            options = self.listed(option, ")")
        return nodes.ParseKv(value, columns, options, at=at)

    def _as(self) -> nodes.QueryOperator:
        at = self.word.start
        self._settings()
        return nodes.As(self.identifier(), at=at)

    def _invoke(self) -> nodes.QueryOperator:
        at = self.word.start
        call = self._postfix()
        if not isinstance(call, nodes.FunctionCallExpression):
            self.fail("the call of a function is due here")
        return nodes.Invoke(call, at=at)

    def _evaluate(self) -> nodes.QueryOperator:
        at = self.word.start
        self._settings()
        call = self._postfix()
        if not isinstance(call, nodes.FunctionCallExpression):
            self.fail("the call of a plugin is due here")
        schema = None
        if self.accept(":"):
            self.expect("(")
            if self.accept("*"):
                self.accept(",")
            schema = self.listed(self.column_kind, ")")
        return nodes.Evaluate(call, schema, at=at)

    def _make_series(self) -> nodes.QueryOperator:
        at = self.word.start
        self._settings("kind")

        def column() -> nodes.SeriesColumn:
            value = self.named()
            default = None
            if self.accept("default"):
                self.expect("=")
                default = self._unary_constant()
            return nodes.SeriesColumn(value, default, at=value.at)

        columns = self.listed(column)
        self.expect("on")
        axis = self._sum()  # behind it may stand 'in'
        start = self.expression() if self.accept("from") else None
        stop = self.expression() if self.accept("to") else None
        if self.accept("in"):
            call = self._postfix()
            if not isinstance(call, nodes.FunctionCallExpression) or (
                call.name,
                len(call.arguments),
            ) != ("range", 3):
                self.fail("'range(start, stop, step)' is due here")
            start, stop, step = call.arguments
            # This way the stop is a point of its own.
            stop = nodes.BinaryExpression("+", stop, nodes.LiteralExpression(1, Kind.TIMESPAN))
        else:
            self.expect("step")
            step = self.expression()
        return nodes.MakeSeries(columns, axis, start, stop, step, self._by(), at=at)

    def _sample_distinct(self) -> nodes.QueryOperator:
        at = self.word.start
        number = self.expression()
        self.expect("of")
        return nodes.SampleDistinct(number, self.expression(), at=at)

    def search(self) -> nodes.QueryOperator:
        at = self.word.start
        settings = self._settings("kind")
        tables: tuple[nodes.ExpressionNode, ...] = ()
        if self.accept("in"):
            self.expect("(")
            tables = self.listed(self._union_table, ")")
        exact = settings.get("kind") == "case_sensitive"
        return nodes.SearchOperator(self.sought(), tables, exact, at=at)

    def _schema(self) -> nodes.QueryOperator:
        return nodes.GetSchema(at=self.word.start)

    def _ignored(self) -> nodes.QueryOperator:
        """Pass over an operator that changes no row, with what belongs to it."""
        at = self.word.start
        depth = 0
        while not self.ended() and (depth or not self.is_sign("|", ";", ")", "}")):
            depth += {"(": 1, ")": -1}.get(self.advance().text, 0)
        return nodes.Nothing(at=at)


OPERATORS: Mapping[str, Callable[[OperatorParser], nodes.QueryOperator]] = {
    "where": OperatorParser._where,
    "filter": OperatorParser._where,
    "project": OperatorParser._project,
    "project-away": OperatorParser._away,
    "project-keep": OperatorParser._keep,
    "project-reorder": OperatorParser._reorder,
    "project-rename": OperatorParser._rename,
    "extend": OperatorParser._extend,
    "serialize": OperatorParser._serialize,
    "summarize": OperatorParser._summarize,
    "distinct": OperatorParser._distinct,
    "count": OperatorParser._count,
    "take": OperatorParser._take,
    "limit": OperatorParser._take,
    "sample": OperatorParser._take,
    "sample-distinct": OperatorParser._sample_distinct,
    "sort": OperatorParser._sort,
    "order": OperatorParser._sort,
    "top": OperatorParser._top,
    "top-hitters": OperatorParser._top_hitters,
    "top-nested": OperatorParser._top_nested,
    "join": OperatorParser._join,
    "lookup": OperatorParser._lookup,
    "union": OperatorParser.union,
    "mv-expand": OperatorParser._mv_expand,
    "mvexpand": OperatorParser._mv_expand,
    "mv-apply": OperatorParser._mv_apply,
    "mvapply": OperatorParser._mv_apply,
    "partition": OperatorParser._partition,
    "parse": OperatorParser._parse,
    "parse-where": OperatorParser._parse_where,
    "parse-kv": OperatorParser._parse_kv,
    "as": OperatorParser._as,
    "invoke": OperatorParser._invoke,
    "evaluate": OperatorParser._evaluate,
    "make-series": OperatorParser._make_series,
    "search": OperatorParser.search,
    "getschema": OperatorParser._schema,
    "render": OperatorParser._ignored,
    "consume": OperatorParser._ignored,
}
