"""From the pairs of a query string to a :class:`Query`, everything in it compiled.

    query = read([("$filter", "severity eq 'high'"), ("$top", "5")], Alert)
    query.find(alerts)[: query.top]

Names come with ``$`` or without and in any letter case, as clients send them. Whatever is
malformed, unknown, not allowed, given twice or out of range is a BadRequest that says which
option and why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Protocol, TypeVar

from mockgraph import edm
from mockgraph.errors import BadRequest
from mockgraph.odata.expand import read_items
from mockgraph.odata.filters import Filter, compile_filter
from mockgraph.odata.orderby import Order, compile_orderby
from mockgraph.odata.search import compile_search
from mockgraph.odata.select import Select, compile_select
from mockgraph.odata.syntax import quoted

Entity = Mapping[str, Any]
E = TypeVar("E", bound=Entity)
E_co = TypeVar("E_co", bound=Entity, covariant=True)
Schema = type[edm.StructuredType]
Navigation = Mapping[Schema, Mapping[str, Schema]]

MAX_LENGTH: Final = 8192
MAX_INT32: Final = 2**31 - 1
MAX_EXPAND_DEPTH: Final = 3

ALL: Final = frozenset(
    {"filter", "orderby", "select", "expand", "top", "skip", "count", "search", "format"}
    | {"skiptoken"}
)
NESTED: Final = ALL - {"format", "skiptoken"}

_FORMAT = re.compile(
    r"application/json(?:\s*;\s*(?:odata\.)?(?:metadata=(?P<metadata>none|minimal|full)"
    r"|streaming=(?:true|false)|IEEE754Compatible=false|charset=utf-8))*",
    re.IGNORECASE,
)


class Counted(Protocol[E_co]):
    """Entities whose number is known."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[E_co]: ...


@dataclass(frozen=True)
class Query:
    """What a query asks for; None where an option was not given.

    ``format`` is the level of metadata (``none``, ``minimal``, ``full``); ``skiptoken`` is
    carried as it came.
    """

    filter: Filter | None = None
    orderby: Order | None = None
    select: Select | None = None
    expand: tuple[Expansion, ...] = ()
    top: int | None = None
    skip: int | None = None
    count: bool = False
    search: Callable[[Entity], bool] | None = None
    format: str | None = None
    skiptoken: str | None = None

    def matching(self, entities: Iterable[E]) -> Iterator[E]:
        """The entities that match, as they come, each looked at when it is asked for."""
        if self.filter is not None:
            entities = filter(self.filter.matches, entities)
        if self.search is not None:
            entities = filter(self.search, entities)
        return iter(entities)

    def find(self, entities: Iterable[E], first: int | None = None) -> list[E]:
        """The entities that match, in order; with ``first`` only so many, which is quicker.

        ``top`` and ``skip`` are left to the caller, who pages.
        """
        found = self.matching(entities)
        if self.orderby is not None:
            return self.orderby.sort(found, first)
        return list(islice(found, first))

    def number(self, entities: Counted[E]) -> int:
        """How many of the entities match."""
        if self.filter is None and self.search is None:
            return len(entities)
        return sum(1 for _ in self.matching(entities))

    def selection(self) -> str:
        """What the context URL says in parentheses: ``title,alerts(id)``, or nothing."""
        parts = [self.select.text] if self.select is not None else []
        parts += [f"{each.name}({each.query.selection()})" for each in self.expand]
        return ",".join(parts)


@dataclass(frozen=True)
class Expansion:
    """A navigation property to expand, the type of its entities, and the query on them."""

    name: str
    schema: Schema
    query: Query


def read(
    pairs: Iterable[tuple[str, str]],
    schema: Schema,
    *,
    allowed: frozenset[str] = ALL,
    navigation: Navigation | None = None,
    max_top: int = MAX_INT32,
    max_skip: int = MAX_INT32,
) -> Query:
    """Compile decoded query options against the schema of the entities that they are about.

    ``navigation`` gives, by schema, the navigation properties with the schemas of what they
    lead to. ``max_top`` and ``max_skip`` are the largest values documented for the resource;
    they do not hold within ``$expand``.
    """
    reader = _Reader(schema, navigation or {}, max_top, max_skip, MAX_EXPAND_DEPTH)
    return reader.read(pairs, allowed)


@dataclass(frozen=True)
class _Reader:
    schema: Schema
    navigation: Navigation
    max_top: int
    max_skip: int
    expand_depth: int

    def read(self, pairs: Iterable[tuple[str, str]], allowed: frozenset[str]) -> Query:
        values: dict[str, Any] = {}
        for given, text in pairs:
            name = given.lower().removeprefix("$")
            if name not in ALL:
                raise BadRequest(f"The query option {quoted(given)} is not known.")
            if name not in allowed:
                raise BadRequest(f"The query option '${name}' is not allowed here.")
            if name in values:
                raise BadRequest(f"The query option '${name}' is given twice.")
            values[name] = self._value(name, text.strip())
        return Query(**values)

    def _value(self, name: str, text: str) -> Any:
        try:
            if not text:
                raise BadRequest("it has no value.")
            if len(text) > MAX_LENGTH:
                raise BadRequest(f"it is longer than {MAX_LENGTH} characters.")
            return self._compiled(name, text)
        except BadRequest as error:
            raise BadRequest(f"The query option '${name}' is not valid: {error.message}") from None

    def _compiled(self, name: str, text: str) -> Any:
        match name:
            case "filter":
                return compile_filter(text, self.schema, self._navigation())
            case "orderby":
                return compile_orderby(text, self.schema, self._navigation())
            case "search":
                return compile_search(text, self.schema)
            case "select":
                return compile_select(text, self.schema, self._navigation())
            case "expand":
                return tuple(self._expansions(text))
            case "top":
                return _number(text, self.max_top)
            case "skip":
                return _number(text, self.max_skip)
            case "count":
                return _boolean(text)
            case "format":
                return _format(text)
            case _:
                return text

    def _navigation(self) -> Mapping[str, Schema]:
        return self.navigation.get(self.schema, {})

    def _expansions(self, text: str) -> Sequence[Expansion]:
        if self.expand_depth == 0:
            raise BadRequest(f"more than {MAX_EXPAND_DEPTH} levels deep.")
        known = self._navigation()
        return [
            self._expansion(name, known[name], pairs) for name, pairs in read_items(text, known)
        ]

    def _expansion(self, name: str, schema: Schema, pairs: Sequence[tuple[str, str]]) -> Expansion:
        inner = _Reader(schema, self.navigation, MAX_INT32, MAX_INT32, self.expand_depth - 1)
        try:
            return Expansion(name, schema, inner.read(pairs, NESTED))
        except BadRequest as error:
            raise BadRequest(f"{name}: {error.message}") from None


def _number(text: str, most: int) -> int:
    if not text.isascii() or not text.isdecimal():
        raise BadRequest(f"{quoted(text)} is not a whole number from 0 to {most}.")
    if len(text) > 10 or int(text) > most:
        raise BadRequest(f"{quoted(text)} is out of range, which is 0 to {most}.")
    return int(text)


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise BadRequest(f"{quoted(text)} is neither true nor false.")
    return text == "true"


def _format(text: str) -> str:
    if text.lower() == "json":
        return "minimal"
    match = _FORMAT.fullmatch(text)
    if match is None:
        raise BadRequest(f"{quoted(text)} is not served; ask for json.")
    return (match["metadata"] or "minimal").lower()
