"""The grammar of OData expressions: recursive descent, operators by precedence climbing.

(OData 4.01, ABNF and part 2, 5.1.1.) Prefixes and chains are loops, so that only parentheses
make the parser recurse, and of these there are few.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.odata.ast import (
    PRECEDENCE,
    PREFIX,
    Alias,
    BinaryOperation,
    FunctionCall,
    In,
    Lambda,
    List,
    Literal,
    Logical,
    Node,
    OrderItem,
    Path,
    TypeCall,
    UnaryOperation,
    quoted,
    to_text,
)
from mockgraph.odata.lexer import MAX_TOKENS, Token, constant_named, literal_of, tokenize

MAX_DEPTH = 64
MAX_PARENTHESES = 50
MAX_ALIAS_ITEMS = 500

Aliases = Mapping[str, Literal | List]

_OPERATORS = PRECEDENCE.keys() | {"asc", "desc"}
NO_ALIASES: Aliases = {}
_TYPE_NAME = re.compile(r"(Collection\()?[^\W\d]\w*(\.[^\W\d]\w*)+(?(1)\))")
_PIECES = re.compile(r"""'(?:[^']|'')*+'|"(?:[^"\\]|\\.)*+"|[(),;]|[^'"(),;]+""", re.DOTALL)


def parse_expression(text: str, aliases: Aliases = NO_ALIASES) -> Node:
    """Return the tree of an expression; raises BadRequest where it is malformed or deep.

    An alias that ``aliases`` has a value for is replaced by it.
    """
    parser = _ExpressionParser(text, aliases)
    node = parser.expression()
    parser.expect("")
    return node


def parse_orderby(text: str, aliases: Aliases = NO_ALIASES) -> list[OrderItem]:
    """Return the keys of ``$orderby``; raises BadRequest where one is malformed or missing."""
    parser = _ExpressionParser(text, aliases)
    items = [parser.order_item()]
    while parser.skip(","):
        items.append(parser.order_item())
    parser.expect("")
    return items


def parse_alias(text: str) -> Literal | List:
    """Return the value of a parameter alias. Raises NotEmulated for one that is computed.

    Lists are short, since each use of an alias costs as much as its value written there.
    """
    parser = _ExpressionParser(text, NO_ALIASES)
    node = parser.list() if parser.token.text == "(" else parser.expression()
    parser.expect("")
    items = node.items if isinstance(node, List) else (node,)
    if not isinstance(node, List | Literal) or not all(isinstance(i, Literal) for i in items):
        raise NotEmulated("parameter aliases for other than literals")
    if len(items) > MAX_ALIAS_ITEMS:
        raise BadRequest(f"more than {MAX_ALIAS_ITEMS} items in the list of an alias.")
    return node


def split(text: str, separator: str) -> list[str]:
    """Return the parts of a list, trimmed, cut where no quotes and parentheses are around.

    Raises BadRequest where a part is empty or the parentheses are unbalanced.
    """
    parts, start, depth, position = [], 0, 0, 0
    while position < len(text):
        match = _PIECES.match(text, position)
        if match is None:
            raise BadRequest(f"a quote is not closed at {quoted(text[position:])}.")
        piece, position = match.group(), match.end()
        if piece == "(":
            depth += 1
        elif piece == ")":
            depth -= 1
            if depth < 0:
                break
        elif piece == separator and depth == 0:
            parts.append(text[start : match.start()])
            start = position
    if depth:
        raise BadRequest("the parentheses are not balanced.")
    parts.append(text[start:])
    trimmed = [part.strip() for part in parts]
    if "" in trimmed:
        raise BadRequest("an item of the list is empty.")
    return trimmed


class _ExpressionParser:
    """Reads the tokens of a text.

    ``height`` is that of the tree read last, ``aliased`` how many items of lists came from
    aliases.
    """

    def __init__(self, text: str, aliases: Aliases) -> None:
        self.tokens = tokenize(text)
        self.aliases = aliases
        self.position = 0
        self.token = self.tokens[0]
        self.parentheses = 0
        self.height = 0
        self.aliased = 0

    def expression(self, least: int = 1) -> Node:
        """Read an expression of operators that bind at least so tightly."""
        prefixes = []
        while self._at_prefix():
            prefixes.append(self._advance().text.lower())
        node = self.expression(PREFIX + 1) if prefixes else self._primary()
        for operator in reversed(prefixes):
            node = self._built(UnaryOperation(operator, node), self.height)
        while (level := PRECEDENCE.get(operator := self._operator(), 0)) >= least:
            height = self.height
            self._advance()
            match operator:
                case "and" | "or":
                    operands = (node, *self._series(operator, level + 1))
                    node = self._built(Logical(operator, operands), height, self.height)
                case "in":
                    node = self._built(In(node, self._collection()), height, self.height)
                case "has":
                    node = self._built(BinaryOperation("has", node, self._flag()), height)
                case _:
                    right = self.expression(level + 1)
                    node = self._built(BinaryOperation(operator, node, right), height, self.height)
        return node

    def order_item(self) -> OrderItem:
        if self.token.text in ("", ","):
            raise BadRequest("a key is missing.")
        key = self.expression()
        direction = self._operator()
        if direction in ("asc", "desc"):
            self._advance()
        return OrderItem(key, direction == "desc")

    def list(self) -> List:
        self._open()
        items = List(self._series(","))
        self._close()
        return items

    def skip(self, mark: str) -> bool:
        """Return whether the next token is this mark or word, which is then behind us."""
        found = self.token.text.lower() == mark
        if found:
            self._advance()
        return found

    def expect(self, mark: str) -> None:
        """Read a mark, or the end. Raises BadRequest for anything else."""
        token = self.token
        if token.text != mark:
            is_operand = token.kind == "name" and token.text.lower() not in _OPERATORS
            if is_operand or token.text == "(":
                raise BadRequest(f"an operator is expected {token}.")
            raise self._fault()
        self._advance()

    # -- tokens -----------------------------------------------------------------------

    def _advance(self) -> Token:
        token = self.token
        if token.kind != "end":
            self.position += 1
            self.token = self.tokens[self.position]
        return token

    def _before(self, mark: str) -> bool:
        """Whether this mark follows the next token, a word."""
        return self.tokens[self.position + 1].text == mark

    def _operator(self) -> str:
        return self.token.text.lower() if self.token.kind == "name" else ""

    def _at_prefix(self) -> bool:
        return self.token.kind == "minus" or (self._operator() == "not" and not self._before("/"))

    def _fault(self) -> BadRequest:
        token, before = self.token, self.tokens[max(0, self.position - 1)]
        if token.kind != "end":
            is_list = (before.text, token.text) == (",", ")")
            return BadRequest(f"{'an item is missing' if is_list else 'syntax error'} {token}.")
        return BadRequest(f"the expression {'ends too early' if self.position else 'is empty'}.")

    def _built(self, node: Node, *heights: int) -> Node:
        """Note the height of a node over subtrees of these. Raises BadRequest for a deep one."""
        self.height = max(heights) + 1
        if self.height > MAX_DEPTH:
            raise BadRequest(f"more than {MAX_DEPTH} levels deep.")
        return node

    # -- operands ---------------------------------------------------------------------

    def _open(self) -> None:
        if self.parentheses == MAX_PARENTHESES:
            raise BadRequest(f"more than {MAX_PARENTHESES} parentheses inside one another.")
        self.parentheses += 1
        self._advance()

    def _close(self) -> None:
        self.expect(")")
        self.parentheses -= 1

    def _series(self, separator: str, least: int = 1) -> tuple[Node, ...]:
        """Read one expression or more, with a mark or an operator between them."""
        nodes, height = [self.expression(least)], self.height
        while self.skip(separator):
            nodes.append(self.expression(least))
            height = max(height, self.height)
        self.height = height
        return tuple(nodes)

    def _collection(self) -> List | Path | Alias:
        """Read what stands behind ``in``."""
        if self.token.text == "(":
            return self.list()
        if self.token.kind in ("name", "alias"):
            node = self._primary()
            if isinstance(node, List | Path | Alias):
                return node
        raise BadRequest("'in' takes a list in parentheses, or a collection.")

    def _flag(self) -> Node:
        """Read what stands behind ``has``."""
        if self.token.kind not in ("prefixed", "string", "alias"):
            raise BadRequest("'has' takes an enumeration literal.")
        return self._primary()

    def _primary(self) -> Node:
        token = self.token
        self.height = 1
        if token.kind == "name":
            return self._word(token)
        if token.text == "(":
            self._open()
            node = self.expression()
            if self.token.text == ",":
                raise BadRequest("a list may only stand behind 'in'.")
            self._close()
            return node
        if token.kind in ("mark", "minus", "end"):
            raise self._fault()
        self._advance()
        return literal_of(token) if token.kind != "alias" else self._alias(token.text[1:])

    def _alias(self, name: str) -> Node:
        """Put the value of an alias in its place, if it has one."""
        value = self.aliases.get(name)
        if isinstance(value, List):
            self.aliased += len(value.items)
            if self.aliased > MAX_TOKENS:
                raise BadRequest(f"more than {MAX_TOKENS} values of aliases.")
        return value or Alias(name)

    def _word(self, token: Token) -> Node:
        """Read a constant, a call, a path, or a lambda over a path."""
        if self._before("("):
            return self._call(self._advance().text)
        if not self._before("/") and (constant := constant_named(token.text)):
            self._advance()
            return constant
        names = [self._advance().text]
        while self.skip("/"):
            if self.token.kind != "name":
                raise BadRequest(f"a name is expected behind '/' {token}.")
            name = self._advance().text
            if self.token.text == "(" and name.lower() in ("any", "all"):
                return self._lambda(Path(tuple(names)), name.lower())
            names.append(name + self._key() if names[0] == "$root" else name)
        return Path(tuple(names))

    def _key(self) -> str:
        """Read the key in parentheses behind a segment, if there is one, as it is spelt."""
        if self.token.text != "(":
            return ""
        self._open()
        if self.token.kind in ("name", "mark", "minus", "end"):
            raise self._fault()
        key = self._advance().text
        self._close()
        return f"({key})"

    def _call(self, name: str) -> Node:
        self._open()
        arguments = () if self.token.text == ")" else self._series(",")
        if name.lower() == "case" and self.token.text == ":":
            raise NotEmulated("the function 'case' in expressions")
        self._close()
        node = _type_call if name.lower() in ("isof", "cast") else FunctionCall
        return self._built(node(name, arguments), self.height)

    def _lambda(self, path: Path, quantifier: str) -> Node:
        self._open()
        if quantifier == "any" and self.token.text == ")":
            self._close()
            return Lambda(path, quantifier, None, None)
        variable = self._primary()
        self.expect(":")
        name = to_text(variable)
        if not isinstance(variable, Path) or "/" in name or name.startswith("$"):
            raise BadRequest(f"{quoted(name)} is not a name for a variable.")
        body = self.expression()
        self._close()
        return self._built(Lambda(path, quantifier, name, body), self.height)


def _type_call(name: str, arguments: tuple[Node, ...]) -> TypeCall:
    """The call of ``isof`` or ``cast``, whose last argument is a type, not a path."""
    # Graph's pages print the name in quotes: isof('microsoft.graph.countryNamedLocation').
    type_name = to_text(arguments[-1]).strip("'") if arguments else ""
    if _TYPE_NAME.fullmatch(type_name) is None or len(arguments) > 2:
        raise BadRequest(
            f"The function '{name}' takes an expression, which may be left out, and "
            "the qualified name of a type."
        )
    return TypeCall(name.lower(), arguments[0] if len(arguments) == 2 else None, type_name)
