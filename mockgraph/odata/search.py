"""``$search``: words and phrases in the texts of an entity, with AND, OR, NOT, parentheses.

(OData 4.01, part 2, 5.1.7.) A term matches where any Edm.String at any level contains it,
whatever the letter case; dynamic texts count, instants and enumerations do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any

from mockgraph import metadata as edm
from mockgraph import work
from mockgraph.errors import BadRequest
from mockgraph.odata.ast import Logical, Node, SearchTerm, UnaryOperation, quoted, weight
from mockgraph.state.indexes import STEPS_OF_TEXTS

MAX_TERMS = 64
MAX_PARENTHESES = 20

_TOKENS = re.compile(r'\s*(?:([()])|"((?:[^"\\]|\\.)*+)"|([^\s"()]+))', re.DOTALL)
_SEPARATOR = "\n"

Test = Callable[[str], bool]
Token = tuple[str, str]


class Search:
    """A compiled search: a predicate on entities, by their texts."""

    def __init__(self, tree: Node, schema: type[edm.StructuredSchema]):
        self.finds = _test(tree)
        self.name = schema
        self.text_of = partial(_text, schema)
        self._terms = weight(tree)
        self._step = work.current().step

    def __call__(self, entity: Mapping[str, Any]) -> bool:
        self._step(STEPS_OF_TEXTS)
        text = self.text_of(entity)
        self._step(self.steps(len(text)))
        return self.finds(text)

    def steps(self, length: int) -> int:
        """Return the steps that it takes to look through a text."""
        return 1 + (length * (8 + self._terms) >> 9)


def compile_search(text: str, schema: type[edm.StructuredSchema]) -> Search:
    """Compile a search; raises BadRequest where it is malformed."""
    return Search(parse_search(text), schema)


def parse_search(text: str) -> Node:
    """Return the tree of a search; raises BadRequest where it is malformed."""
    return _SearchParser(_tokenize(text)).whole()


def _test(node: Node) -> Test:
    match node:
        case SearchTerm(text):
            term = text.casefold()
            return lambda text: term in text
        case Logical(operator, operands):
            tests = [_test(each) for each in operands]
            fold = any if operator == "OR" else all
            return lambda text: fold(test(text) for test in tests)
        case UnaryOperation("NOT", operand):
            test = _test(operand)
            return lambda text: not test(text)
        case _:
            raise TypeError(f"no node of a search: {node!r}")


def _tokenize(text: str) -> list[Token]:
    """Pairs of a kind (``(``, ``)``, ``AND``, ``OR``, ``NOT``, ``term``) and a text."""
    tokens: list[Token] = []
    text, position = text.rstrip(), 0
    while position < len(text):
        match = _TOKENS.match(text, position)
        if match is None:
            raise BadRequest(f"a quote is not closed at {quoted(text[position:].lstrip())}.")
        mark, phrase, word = match.groups()
        position = match.end()
        if mark or word in ("AND", "OR", "NOT"):
            tokens.append((mark or word, mark or word))
        elif word is None and not phrase.strip():
            raise BadRequest("a phrase is empty.")
        else:
            tokens.append(("term", word or re.sub(r"\\(.)", r"\1", phrase, flags=re.DOTALL)))
    if sum(kind == "term" for kind, _ in tokens) > MAX_TERMS:
        raise BadRequest(f"more than {MAX_TERMS} terms.")
    return tokens


class _SearchParser:
    """By recursive descent: NOT binds before AND, which may be left out, before OR."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens[::-1]
        self.depth = 0

    def whole(self) -> Node:
        node = self._either()
        if self.tokens:
            raise BadRequest(f"{quoted(self.tokens[-1][1])} is not expected.")
        return node

    def _next(self) -> str:
        return self.tokens[-1][0] if self.tokens else "end"

    def _either(self) -> Node:
        nodes = [self._both()]
        while self._next() == "OR":
            self.tokens.pop()
            nodes.append(self._both())
        return nodes[0] if len(nodes) == 1 else Logical("OR", tuple(nodes))

    def _both(self) -> Node:
        nodes = [self._one()]
        while self._next() in ("AND", "NOT", "term", "("):
            if self._next() == "AND":
                self.tokens.pop()
            nodes.append(self._one())
        return nodes[0] if len(nodes) == 1 else Logical("AND", tuple(nodes))

    def _one(self) -> Node:
        kind, text = self.tokens.pop() if self.tokens else ("end", "the end")
        if kind == "term":
            return SearchTerm(text)
        if kind == "NOT" and self._next() != "NOT":
            return UnaryOperation("NOT", self._one())
        if kind != "(":
            raise BadRequest(f"a term is expected at {quoted(text)}.")
        self.depth += 1
        if self.depth > MAX_PARENTHESES:
            raise BadRequest(f"more than {MAX_PARENTHESES} parentheses inside one another.")
        node = self._either()
        self.depth -= 1
        if self._next() != ")":
            raise BadRequest("the parentheses are not balanced.")
        self.tokens.pop()
        return node


@cache
def _textless(schema: type[edm.StructuredSchema]) -> frozenset[str]:
    """The properties that hold text in JSON but no Edm.String."""
    return frozenset(
        name
        for name, declared in schema.properties().items()
        if not isinstance(_item(declared), edm.String | edm.Complex)
    )


@cache
def _structured(schema: type[edm.StructuredSchema]) -> Mapping[str, type[edm.StructuredSchema]]:
    """The properties that hold complex values, one or many, and their schemas."""
    return {
        name: item.schema
        for name, declared in schema.properties().items()
        if isinstance(item := _item(declared), edm.Complex)
    }


def _item(declared: edm.PropertyField) -> edm.PropertyField:
    return declared.item if isinstance(declared, edm.Collection) else declared


def _text(schema: type[edm.StructuredSchema], entity: Mapping[str, Any]) -> str:
    return _SEPARATOR.join(_texts(schema, entity)).casefold()


def _texts(schema: type[edm.StructuredSchema] | None, value: Mapping[str, Any]) -> Iterator[str]:
    textless = _textless(schema) if schema else frozenset()
    structured = _structured(schema) if schema else {}
    for name, item in value.items():
        if item is None or name in textless or "@" in name:
            continue
        if isinstance(item, str):
            yield item
        else:
            yield from _nested(structured.get(name), item)


def _nested(schema: type[edm.StructuredSchema] | None, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts(schema, value)
    elif isinstance(value, list):
        for item in value:
            yield from _nested(schema, item)
