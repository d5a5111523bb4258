"""From the pairs of a query string to a :class:`Query`, everything in it compiled.

    query = read([("$filter", "severity eq 'high'"), ("$top", "5")], Alert)
    query.find(alerts)[: query.top]

Names come with ``$`` or without and in any letter case, as clients send them. Whatever is
malformed, unknown, not allowed, given twice or out of range is a BadRequest that says which
option and why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from mockgraph.errors import BadRequest, LimitExceeded, NotEmulated
from mockgraph.metadata.resources import Resource
from mockgraph.odata.ast import quoted
from mockgraph.odata.expand import Pairs, compile_expand, read_levels
from mockgraph.odata.expressions import Scope, kept_by_text
from mockgraph.odata.filter import compile_filter
from mockgraph.odata.grammar import Aliases, parse_alias
from mockgraph.odata.orderby import Order, compile_orderby
from mockgraph.odata.restrictions import check_supported
from mockgraph.odata.search import compile_search
from mockgraph.odata.select import Select, compile_select
from mockgraph.state.query import ALL, MAX_INT32, Query, Relations, Schema

T = TypeVar("T")

MAX_LENGTH: Final = 8192
MAX_EXPAND_DEPTH: Final = 3

NESTED: Final = (ALL - {"format", "skiptoken"}) | {"levels"}
_KNOWN = ALL | NESTED
NOT_EMULATED = frozenset({"apply", "compute"})

_ALIAS = re.compile(r"@[^\W\d]\w*")

_FORMAT = re.compile(
    r"application/json(?:\s*;\s*(?:odata\.)?(?:metadata=(?P<metadata>none|minimal|full)"
    r"|streaming=(?:true|false)|IEEE754Compatible=false|charset=utf-8))*",
    re.IGNORECASE,
)


def read_options(
    pairs: Iterable[tuple[str, str]],
    schema: Schema,
    *,
    resource: Resource | None = None,
    allowed: frozenset[str] = ALL,
    max_top: int = MAX_INT32,
    max_skip: int = MAX_INT32,
    now: str | None = None,
    path: str = "",
    default_order: Order | None = None,
) -> Query:
    """Compile decoded query options against the schema of the entities that they are about.

    ``resource`` is that of the entities, whose navigation properties may be followed.
    ``max_top`` and ``max_skip`` are the largest values documented for the resource;
    they do not hold within ``$expand``. ``now`` is the instant of ``now()``, as Graph writes
    it, the present one if left out. ``path`` is that of the URL, in which parameter aliases may
    be used, too. ``default_order`` is that of a list for which none is asked.
    """
    pairs = list(pairs)
    options = [pair for pair in pairs if not _ALIAS.fullmatch(pair[0])]
    aliases = _aliases(pairs, options, path) if len(options) < len(pairs) else {}
    scope = Scope(schema, resource=resource, relations=Relations(), now=now, aliases=aliases)
    return _OptionReader(scope, max_top, max_skip).read(options, allowed, default_order)


def _aliases(pairs: Pairs, options: Pairs, path: str) -> Aliases:
    """The values of the parameter aliases (OData 4.01, part 1, 11.2.6.1.3), each used somewhere."""
    aliases = {}
    used = set(_ALIAS.findall(" ".join([path, *(text for _, text in options)])))
    for name, text in pairs:
        if not _ALIAS.fullmatch(name):
            continue
        if name not in used:
            raise BadRequest(f"The query option {quoted(name)} is not known.")
        if name[1:] in aliases:
            raise BadRequest(f"The query option {quoted(name)} is given twice.")
        aliases[name[1:]] = _valid(name, text.strip(), parse_alias)
    return aliases


def _valid(name: str, text: str, compiled: Callable[[str], T]) -> T:
    try:
        if not text:
            raise BadRequest("it has no value.")
        if len(text) > MAX_LENGTH:
            raise BadRequest(f"it is longer than {MAX_LENGTH} characters.")
        return compiled(text)
    except LimitExceeded:
        raise
    except BadRequest as error:
        raise BadRequest(f"The query option {quoted(name)} is not valid: {error.message}") from None


class _OptionReader(NamedTuple):
    scope: Scope
    max_top: int
    max_skip: int
    expand_depth: int = MAX_EXPAND_DEPTH

    def read(
        self,
        pairs: Iterable[tuple[str, str]],
        allowed: frozenset[str],
        default_order: Order | None = None,
    ) -> Query:
        values: dict[str, Any] = {}
        for given, text in pairs:
            name = given.lower().removeprefix("$")
            if name in NOT_EMULATED:
                raise NotEmulated(f"the query option '${name}'")
            if name not in _KNOWN:
                raise BadRequest(f"The query option {quoted(given)} is not known.")
            if name not in allowed:
                raise BadRequest(f"The query option '${name}' is not allowed here.")
            if name in values:
                raise BadRequest(f"The query option '${name}' is given twice.")
            values[name] = _valid(f"${name}", text.strip(), partial(self._compiled, name))
        values.pop("levels", None)  # the expansion has them
        values.setdefault("orderby", default_order)
        relations = self.scope.relations
        # Those that follow to nothing would keep alive the state that they are read from.
        follows = relations is not None and relations.resources
        return Query(**values, relations=relations if follows else None)

    def _compiled(self, name: str, text: str) -> Any:
        schema, resource = self.scope.schema, self.scope.resource
        match name:
            case "filter":
                return compile_filter(text, self.scope)
            case "orderby":
                return compile_orderby(text, self.scope)
            case "search":
                return compile_search(text, schema)
            case "select":
                return _kept_select(text, self.scope) or _select(text, self.scope)
            case "expand":
                if self.expand_depth == 0:
                    raise BadRequest(f"more than {MAX_EXPAND_DEPTH} levels deep.")
                return compile_expand(text, schema, resource, self._nested)
            case "top":
                return _number(text, self.max_top, "Top")
            case "skip":
                return _number(text, self.max_skip, "Skip")
            case "count":
                return _boolean(text)
            case "format":
                return _format(text)
            case "levels":
                return read_levels(text)
            case _:
                return text

    def _nested(self, resource: Resource, pairs: Pairs) -> Query:
        check_supported(pairs, resource)
        inner = self._replace(
            scope=self.scope._replace(schema=resource.type, resource=resource),
            max_top=MAX_INT32,
            max_skip=MAX_INT32,
            expand_depth=self.expand_depth - 1,
        )
        return inner.read(pairs, NESTED)


def _select(text: str, scope: Scope) -> Select:
    schema, resource = scope.schema, scope.resource
    known = {} if resource is None else resource.navigation_names(schema.type_name)
    return compile_select(text, schema, known)


_kept_select = kept_by_text(_select)  # programs select the same of many entities


def _number(text: str, most: int, option: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise BadRequest(f"{quoted(text)} is not a whole number from 0 to {most}.")
    if len(text) > 10 or int(text) > MAX_INT32:
        raise BadRequest(f"{quoted(text)} is out of range, which is 0 to {most}.")
    if int(text) > most:
        raise LimitExceeded(option, most, int(text))
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
