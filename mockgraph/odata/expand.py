"""``$expand``: navigation properties, each with query options of its own in parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import dropwhile, takewhile

from mockgraph.errors import BadRequest
from mockgraph.metadata.capabilities import ExpandRules
from mockgraph.metadata.resources import Resource
from mockgraph.odata.ast import ExpandItem, Path, ValueKind, quoted
from mockgraph.odata.grammar import split
from mockgraph.odata.restrictions import check_count, check_expand, check_read
from mockgraph.odata.types import Type, narrowed
from mockgraph.state.query import Expansion, Query, Schema

MAX_ITEMS = 32
# How often one property is followed at most.
MAX_LEVELS = 8

Pairs = Sequence[tuple[str, str]]

_ITEM = re.compile(
    r"(?P<path>\*|[^\W\d]\w*+(?:[./][^\W\d]\w*+)*+)(?:/(?P<suffix>\$ref|\$count))?"
    r"\s*+(?:\((?P<options>.*)\))?",
    re.DOTALL,
)
_LEVELS = re.compile(r"max|[1-9][0-9]{0,8}", re.ASCII)


def compile_expand(
    text: str,
    schema: Schema,
    resource: Resource | None,
    read: Callable[[Resource, Pairs], Query],
) -> tuple[Expansion, ...]:
    """Compile the list; raises BadRequest for an item that is malformed or leads nowhere.

    ``resource`` is that of the entities, and ``read`` compiles the options of an item against what
    it leads to. ``*`` stands for all navigation properties that are not named.
    """
    known = {} if resource is None else resource.navigation_names(schema.type_name)
    items = {str(item.path): item for item in _once(parse_expand(text))}
    everything = items.pop("*", None)
    rules = ExpandRules() if resource is None else resource.rules.expand
    check_expand(items.values(), rules)
    expansions = {
        name: _compiled(item, known, read)
        if name in known
        else _narrowed(item, schema, resource, read)
        for name, item in items.items()
    }
    if everything is not None:
        for name in _of_all(known, expansions, rules):
            item = ExpandItem(Path((name,)), everything.suffix, everything.options)
            expansions[name] = _compiled(item, known, read)
    return tuple(expansions.values())


def _of_all(known: Mapping[str, Resource], taken: Collection[str], rules: ExpandRules) -> list[str]:
    """Return the navigation properties that ``*`` stands for: those of the entity itself."""
    left = (name for name in known if "/" not in name and name not in taken)
    return [name for name in left if name not in rules.non_expandable]


def _once(items: Iterator[ExpandItem]) -> Iterator[ExpandItem]:
    seen: set[str] = set()
    for item in items:
        name = str(item.path)
        if name in seen:
            raise BadRequest(f"{quoted(name)} is given twice.")
        seen.add(name)
        yield item


def _narrowed(
    item: ExpandItem,
    schema: Schema,
    resource: Resource | None,
    read: Callable[[Resource, Pairs], Query],
) -> Expansion:
    """Compile the navigation property of a derived type, behind the type's name."""
    casts = list(takewhile(lambda name: "." in name, item.path.names))
    if resource is None or not casts:
        raise _unknown(item)
    type_ = Type(ValueKind.COMPLEX, schema)
    for name in casts:
        type_, _test = narrowed(type_, name)
    own: Schema = type_.of
    expansion = _compiled(item, resource.navigation_names(own.type_name), read)
    return replace(expansion, of_type=own)


def _unknown(item: ExpandItem) -> BadRequest:
    return BadRequest(f"There is no navigation property {quoted(str(item.path))}.")


def _compiled(
    item: ExpandItem, known: Mapping[str, Resource], read: Callable[[Resource, Pairs], Query]
) -> Expansion:
    name = "/".join(dropwhile(lambda each: "." in each, item.path.names))
    resource = known.get(name)
    if resource is None:
        raise _unknown(item)
    try:
        query = read(resource, item.options)
    except BadRequest as error:
        raise BadRequest(f"{name}: {error.message}") from None
    if item.suffix == "$count" and not resource.is_collection:
        raise BadRequest(f"{quoted(name)} is no collection, so it has no $count.")
    if item.suffix == "$count":
        check_count(resource)
    else:
        check_read(resource)
    if item.suffix and (query.select or query.expand):
        raise BadRequest(f"{name}: '{item.suffix}' takes neither $select nor $expand.")
    levels = 1
    for option, text in item.options:
        if option.lower().removeprefix("$") == "levels":
            levels = read_levels(text)
    if levels > 1 and resource.children().get(name.lower()) is None:
        levels = 1  # what it leads to has no such property, so one level is all there is
    return Expansion(name, resource, query, item.suffix, levels)


def parse_expand(text: str) -> Iterator[ExpandItem]:
    """Give the items of the list; raises BadRequest where one is malformed, or for too many."""
    items = split(text, ",")
    if len(items) > MAX_ITEMS:
        raise BadRequest(f"more than {MAX_ITEMS} items.")
    for item in items:
        match = _ITEM.fullmatch(item)
        if match is None:
            raise BadRequest(f"{quoted(item)} is not a navigation property.")
        path, suffix, options = match.group("path", "suffix", "options")
        pairs = () if options is None else tuple(_pairs(options))
        yield ExpandItem(Path(tuple(path.split("/"))), suffix, pairs)


def read_levels(text: str) -> int:
    """Return how often ``$levels`` has a property followed; ``max`` is as often as is allowed."""
    if not _LEVELS.fullmatch(text):
        raise BadRequest(f"{quoted(text)} is neither a number of levels from 1 on nor max.")
    return MAX_LEVELS if text == "max" else min(int(text), MAX_LEVELS)


def _pairs(options: str) -> Iterator[tuple[str, str]]:
    for option in split(options, ";"):
        name, equals, value = option.partition("=")
        if not equals:
            raise BadRequest(f"{quoted(option)} is not an option with a value.")
        yield name.strip(), value.strip()
