"""From the pairs of a query string to a :class:`Query`, everything in it compiled.

    query = read([("$filter", "severity eq 'high'"), ("$top", "5")], Alert)
    query.find(alerts)[: query.top]

Names come with ``$`` or without and in any letter case, as clients send them. Whatever is
malformed, unknown, not allowed, given twice or out of range is a BadRequest that says which
option and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mockgraph.errors import BadRequest
from mockgraph.odata.expand import read_items
from mockgraph.odata.filters import compile_filter
from mockgraph.odata.orderby import compile_orderby
from mockgraph.odata.search import compile_search
from mockgraph.odata.select import compile_select
from mockgraph.odata.syntax import quoted
from mockgraph.state.query import ALL, MAX_INT32, Expansion, Query, Schema

Navigation = Mapping[Schema, Mapping[str, Schema]]

MAX_LENGTH: Final = 8192
MAX_EXPAND_DEPTH: Final = 3

NESTED: Final = ALL - {"format", "skiptoken"}

_FORMAT = re.compile(
    r"application/json(?:\s*;\s*(?:odata\.)?(?:metadata=(?P<metadata>none|minimal|full)"
    r"|streaming=(?:true|false)|IEEE754Compatible=false|charset=utf-8))*",
    re.IGNORECASE,
)


def read(
    pairs: Iterable[tuple[str, str]],
    schema: Schema,
    *,
    allowed: frozenset[str] = ALL,
    navigation: Navigation | None = None,
    max_top: int = MAX_INT32,
    max_skip: int = MAX_INT32,
    now: str | None = None,
) -> Query:
    """Compile decoded query options against the schema of the entities that they are about.

    ``navigation`` gives, by schema, the navigation properties with the schemas of what they
    lead to. ``max_top`` and ``max_skip`` are the largest values documented for the resource;
    they do not hold within ``$expand``. ``now`` is the instant of ``now()``, as Graph writes
    it, the present one if left out.
    """
    reader = _Reader(schema, navigation or {}, max_top, max_skip, MAX_EXPAND_DEPTH, now)
    return reader.read(pairs, allowed)


@dataclass(frozen=True)
class _Reader:
    schema: Schema
    navigation: Navigation
    max_top: int
    max_skip: int
    expand_depth: int
    now: str | None

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
                return compile_filter(text, self.schema, self._navigation(), self.now)
            case "orderby":
                return compile_orderby(text, self.schema, self._navigation(), self.now)
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
        depth = self.expand_depth - 1
        inner = _Reader(schema, self.navigation, MAX_INT32, MAX_INT32, depth, self.now)
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
