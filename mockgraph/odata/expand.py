"""``$expand``: navigation properties, each with query options of its own in parentheses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.odata.splitting import split
from mockgraph.odata.syntax import quoted

MAX_ITEMS = 32

_ITEM = re.compile(
    r"(?P<name>\*|[^\W\d]\w*)(?P<segment>/[\w$./]+)?\s*(?:\((?P<options>.*)\))?", re.DOTALL
)


class Item(NamedTuple):
    """A navigation property's name, and its options as pairs of name and value."""

    name: str
    pairs: tuple[tuple[str, str], ...]


def read_items(text: str, known: Mapping[str, object]) -> Iterator[Item]:
    """The items of the list; raises BadRequest for one that is malformed or not ``known``.

    ``*``, ``/$ref`` and ``/$count`` are said to be not emulated.
    """
    items = split(text, ",")
    if len(items) > MAX_ITEMS:
        raise BadRequest(f"more than {MAX_ITEMS} items.")
    seen = set()
    for item in items:
        match = _ITEM.fullmatch(item)
        if match is None:
            raise BadRequest(f"{quoted(item)} is not a navigation property.")
        name, segment, options = match.group("name", "segment", "options")
        if name == "*" or segment in ("/$ref", "/$count"):
            raise NotEmulated(f"$expand={name}{segment or ''}")
        if segment or name not in known:
            raise BadRequest(f"There is no navigation property {quoted(name + (segment or ''))}.")
        if name in seen:
            raise BadRequest(f"{quoted(name)} is given twice.")
        seen.add(name)
        yield Item(name, () if options is None else tuple(_pairs(options)))


def _pairs(options: str) -> Iterator[tuple[str, str]]:
    for option in split(options, ";"):
        name, equals, value = option.partition("=")
        if not equals:
            raise BadRequest(f"{quoted(option)} is not an option with a value.")
        yield name.strip(), value.strip()
