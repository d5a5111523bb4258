"""Queries of KQL: statements, sources and the operators of the pipe."""

from __future__ import annotations

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.operator_parser import OperatorParser
from mockgraph.service.hunting.kql.words import WordKind
from mockgraph.service.hunting.refusal import (
    QueryLimitError,
    SemanticQueryError,
    UnsupportedQueryError,
)

_LONGEST = 256 * 1024  # characters


def parse_query(text: str) -> nodes.QueryBlock:
    """Return the tree of a query; a :class:`QuerySyntaxError` says where the reading stopped."""
    if len(text) > _LONGEST:
        raise QueryLimitError(f"its text is longer than {_LONGEST} characters.")
    try:
        return QueryParser(text).query()
    except RecursionError:
        raise QueryLimitError("its expressions are nested too deeply.") from None


class QueryParser(OperatorParser):
    """A reader of queries."""

    def query(self) -> nodes.QueryBlock:
        """Read the whole text."""
        found = self._statements("")
        if not self.ended():
            self.fail("nothing more is due here")
        return found

    def _statements(self, end: str) -> nodes.QueryBlock:
        lets: list[nodes.LetStatement] = []
        answer: nodes.ExpressionNode | None = None
        at = self.word.start
        while True:
            while self.accept(";"):
                pass
            if self.ended() or (end and self.is_sign(end)):
                break
            if answer is not None:
                self.fail("a statement ends with ';', and one query is answered")
            if self.is_name("let"):
                lets.append(self._let())
            elif self.is_name("set") and self.ahead().kind is WordKind.NAME:
                while not self.is_sign(";") and not self.ended():
                    self.advance()
            elif self.is_name("declare") and self.ahead().text == "query_parameters":
                lets += self._query_parameters()
            elif self.is_name("declare", "restrict", "alias") and (
                self.ahead().kind is WordKind.NAME
            ):
                raise UnsupportedQueryError(f"the statement '{self.word.text}'")
            else:
                answer = self.pipe()
            if not self.is_sign(";", end) and not self.ended():
                self.fail("an operator, or ';', is due here")
        if answer is None:
            self.fail("a query is due here, after its 'let' statements" if lets else "no query")
        return nodes.QueryBlock(tuple(lets), answer, at=at)

    def _query_parameters(self) -> list[nodes.LetStatement]:
        """Read parameters of a query: nobody gives them here, so that each has its default."""
        self.advance()
        self.advance()
        self.expect("(")
        found = []
        for each in self.listed(self._parameter, ")"):
            if each.default is None:
                raise SemanticQueryError(f"the query parameter '{each.name}' has no value.")
            found.append(nodes.LetStatement(each.name, each.default, at=each.at))
        return found

    def _let(self) -> nodes.LetStatement:
        at = self.advance().start
        name = self.identifier()
        self.expect("=")
        return nodes.LetStatement(name, self._let_value(), at=at)

    def _let_value(self) -> nodes.ExpressionNode:
        if self.is_name("view") and self.ahead().text == "(":
            self.advance()
        if self.is_sign("(") and self._is_function():
            at = self.advance().start
            parameters = self.listed(self._parameter, ")")
            self.expect("{")
            body = self._statements("}")
            self.expect("}")
            return nodes.FunctionDeclaration(parameters, body, at=at)
        return self.pipe()

    def _is_function(self) -> bool:
        """Tell whether the bracket that opens here is followed, once closed, by a body."""
        depth = number = 0
        while True:
            word = self.ahead(number)
            if word.kind is WordKind.END:
                return False
            if word.kind is WordKind.SIGN:
                depth += {"(": 1, ")": -1}.get(word.text, 0)
            number += 1
            if not depth:
                return self.ahead(number).text == "{"

    def _parameter(self) -> nodes.FunctionParameter:
        at = self.word.start
        name = self.identifier()
        self.expect(":")
        if self.accept("("):
            if self.accept("*"):
                self.expect(")")
                return nodes.FunctionParameter(name, None, columns=(), at=at)
            columns = self.listed(self.column_kind, ")")
            return nodes.FunctionParameter(name, None, columns=columns, at=at)
        kind = self.kind()
        default = self.expression() if self.accept("=") else None
        return nodes.FunctionParameter(name, kind, default, at=at)

    # Pipes

    def subquery(self) -> nodes.ExpressionNode:
        return self.pipe()

    def argument(self) -> nodes.ExpressionNode:
        """Read an argument of a call: an expression that may be named, or a table."""
        if self.word.kind is WordKind.NAME and self.ahead().text == "=":
            return self.named()
        return self.pipe()

    def pipe(self) -> nodes.ExpressionNode:
        """Read an expression, and the operators that its table goes through."""
        return self._piped(self._source())

    def _piped(self, source: nodes.ExpressionNode) -> nodes.ExpressionNode:
        operators: list[nodes.QueryOperator] = []
        while self.accept("|"):
            operators.append(self.operator())
        return nodes.PipeExpression(source, tuple(operators), at=source.at) if operators else source

    def _source(self) -> nodes.ExpressionNode:
        word, after = self.word, self.ahead()
        if word.kind is not WordKind.NAME:
            return self.expression()
        if word.text == "union" and not (after.kind is WordKind.SIGN and after.text in ("=", ".")):
            self.advance()
            return nodes.PipeExpression(nodes.StarExpression(), (self.union(),), at=word.start)
        if word.text == "range" and after.kind is WordKind.NAME and self.ahead(2).text == "from":
            return self._range()
        if word.text == "print":
            self.advance()
            return nodes.Print(self.listed(self.named), at=word.start)
        if word.text == "datatable":
            return self._datatable()
        if word.text == "externaldata":
            raise UnsupportedQueryError("'externaldata'", "It needs data from elsewhere.")
        if word.text == "search" and after.text not in ("|", "."):
            self.advance()
            return nodes.PipeExpression(nodes.StarExpression(), (self.search(),), at=word.start)
        if word.text == "find" and after.text not in ("|", "."):
            return self._find()
        return self.expression()

    def _primary(self) -> nodes.ExpressionNode:
        if self.is_name("datatable") and self.ahead().text == "(":
            return self._datatable()
        if self.is_name("externaldata") and self.ahead().text == "(":
            raise UnsupportedQueryError("'externaldata'", "It needs data from elsewhere.")
        return super()._primary()

    def _datatable(self) -> nodes.ExpressionNode:
        at = self.advance().start
        self.expect("(")
        columns = self.listed(self.column_kind, ")")
        self.expect("[")
        return nodes.Datatable(columns, self.listed(self.expression, "]"), at=at)

    def _find(self) -> nodes.ExpressionNode:
        at = self.advance().start
        settings = self._settings("withsource", "with_source", "datascope")
        tables: tuple[nodes.ExpressionNode, ...] = ()
        if self.accept("in"):
            self.expect("(")
            tables = self.listed(self._union_table, ")")
        self.accept("where")
        condition = self.sought()
        columns: tuple[tuple[str, Kind | None], ...] | None = None
        packed = True
        away: tuple[tuple[str, str], ...] = ()
        while self.is_name("project"):
            word = self.word
            match self._hyphenated():
                case "project":
                    items = self.listed(self._shown)
                    packed = None in items
                    columns = tuple(each for each in items if each is not None)
                case "project-away":
                    away = self.listed(self._pattern)
                case "project-smart":
                    pass
                case _:
                    self.fail("no part of 'find'", word)
        source = settings.get("withsource") or settings.get("with_source")
        return nodes.Find(condition, tables, source, columns, packed, away, at=at)

    def _shown(self) -> tuple[str, Kind | None] | None:
        """Read a column that ``find`` shows; none for the bag of all others."""
        if self.is_name("pack", "pack_all") and self.ahead().text == "(":
            self.advance()
            self.advance()
            self.accept("*")
            self.expect(")")
            return None
        name = self.identifier()
        return name, self.kind() if self.accept(":") else None

    def _range(self) -> nodes.ExpressionNode:
        at = self.advance().start
        name = self.identifier()
        self.expect("from")
        start = self.expression()
        self.expect("to")
        stop = self.expression()
        self.expect("step")
        return nodes.Range(name, start, stop, self.expression(), at=at)
