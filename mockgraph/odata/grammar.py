"""The grammar of OData expressions: the one module that knows the library odata-query.

The library's parser is bottom-up, so that no input makes it recurse; only the tree that
it builds is walked, and refused where it is deep. It is imported on first use, since the
building of its tables takes some 50 ms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mockgraph.errors import BadRequest
from mockgraph.odata.syntax import (
    Binary,
    Call,
    In,
    Lambda,
    Literal,
    Logical,
    Node,
    Path,
    Unary,
    quoted,
)
from mockgraph.odata.tokens import Token, at, tokenize

if TYPE_CHECKING:
    from odata_query import ast

MAX_DEPTH = 64

_TERMINALS = {"LITERAL": "STRING", "PATH": "ODATA_IDENTIFIER", "FUNCTION": "ODATA_IDENTIFIER"}


def parse(text: str) -> Node:
    """The syntax tree of an expression; raises BadRequest where it is malformed or deep."""
    return parse_tokens(tokenize(text))


def parse_tokens(tokens: Sequence[Token]) -> Node:
    """The syntax tree of an expression whose tokens are given."""
    if len(tokens) == 1 and isinstance(tokens[0].value, Path):
        return tokens[0].value

    from odata_query import exceptions
    from odata_query.grammar import ODataParser

    try:
        parsed = ODataParser().parse(_terminals(tokens))
    except exceptions.ParsingException as error:
        raise BadRequest(_fault(error.token, tokens)) from None
    return _node(parsed, MAX_DEPTH)


def _terminals(tokens: Sequence[Token]) -> Iterator[Token]:
    from odata_query import ast

    for token in tokens:
        value = token.value
        if token.type == "FUNCTION":
            # The library checks functions without a namespace by names of its own.
            value = ast.Identifier(value, ("canonical",))
        yield Token(_TERMINALS.get(token.type, token.type), value, token.offset)


def _fault(token: Token | None, tokens: Sequence[Token]) -> str:
    if token is None:
        return "the expression ends too early." if tokens else "the expression is empty."
    value = token.value
    shown = str(value.value if isinstance(value, Literal) else value)
    return f"syntax error {at(token.offset, shown)}."


def _node(parsed: Any, depth: int) -> Node:
    """The library's tree as ours; ``depth`` is how much deeper it may go."""
    from odata_query import ast

    if depth == 0:
        raise BadRequest(f"more than {MAX_DEPTH} levels deep.")
    below = depth - 1
    match parsed:
        case Literal() | Path():
            return parsed
        case ast.BoolOp(op=operator):
            operands = tuple(_node(each, below) for each in _chain(parsed))
            return Logical(str(operator), operands)
        case ast.Compare(comparator="in", left=left, right=ast.List(val=options)):
            return In(_node(left, below), tuple(_node(each, below) for each in options))
        case ast.Compare(comparator="has", left=left, right=ast.List(val=[flag])):
            return Binary("has", _node(left, below), _node(flag, below))
        case ast.Compare(comparator=operator, left=left, right=right):
            return Binary(str(operator), _node(left, below), _node(right, below))
        case ast.BinOp(op=operator, left=left, right=right):
            return Binary(str(operator), _node(left, below), _node(right, below))
        case ast.UnaryOp(op=operator, operand=operand):
            return Unary(str(operator), _node(operand, below))
        case ast.Call(func=function, args=arguments):
            return Call(function.name, tuple(_node(each, below) for each in arguments))
        case ast.CollectionLambda(owner=path, operator=quantifier, lambda_=inner):
            return _lambda(path, str(quantifier), inner, below)
        case _:
            raise BadRequest("a list may only stand behind 'in'.")


def _lambda(path: Any, quantifier: str, inner: ast.Lambda | None, depth: int) -> Lambda:
    if inner is None:
        return Lambda(path, quantifier, None, None)
    variable: Any = inner.identifier
    if len(variable.names) != 1 or variable.names[0].startswith("$"):
        raise BadRequest(f"{quoted('/'.join(variable.names))} is not a name for a variable.")
    return Lambda(path, quantifier, variable.names[0], _node(inner.expression, depth))


def _chain(parsed: ast.BoolOp) -> list[Any]:
    """The operands of ``a and b and c``, which the parser nests to the left, in order."""
    from odata_query import ast

    operands = []
    node: Any = parsed
    while isinstance(node, ast.BoolOp) and node.op == parsed.op:
        operands.append(node.right)
        node = node.left
    operands.append(node)
    return operands[::-1]
