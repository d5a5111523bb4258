"""``$expand``: navigation properties, each with query options of its own in parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.odata.ast import ExpandItem, Path, quoted
from mockgraph.odata.grammar import split
from mockgraph.state.query import Expansion, Query, Schema

MAX_ITEMS = 32

Pairs = Sequence[tuple[str, str]]

_ITEM = re.compile(
    r"(?P<path>\*|[^\W\d]\w*+(?:[./][^\W\d]\w*+)*+)(?:/(?P<suffix>\$ref|\$count))?"
    r"\s*+(?:\((?P<options>.*)\))?",
    re.DOTALL,
)
_LEVELS = re.compile(r"max|[1-9][0-9]{0,8}", re.ASCII)


def compile_expand(
    text: str, known: Mapping[str, Schema], read: Callable[[Schema, Pairs], Query]
) -> tuple[Expansion, ...]:
    """Compile the list; raises BadRequest for an item that is malformed or not ``known``.

    ``read`` compiles the options of an item against the type that it leads to. Raises
    NotEmulated for ``*``, ``/$ref``, ``/$count`` and ``$levels`` beyond 1.
    """
    expansions: dict[str, Expansion] = {}
    for item in parse_expand(text):
        name = str(item.path)
        if item.suffix or name == "*":
            raise NotEmulated(f"$expand={name}" + (f"/{item.suffix}" if item.suffix else ""))
        if name not in known:
            raise BadRequest(f"There is no navigation property {quoted(name)}.")
        if name in expansions:
            raise BadRequest(f"{quoted(name)} is given twice.")
        try:
            query = read(known[name], item.options)
        except BadRequest as error:
            raise BadRequest(f"{name}: {error.message}") from None
        expansions[name] = Expansion(name, known[name], query)
    return tuple(expansions.values())


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


def read_levels(text: str) -> None:
    """Check ``$levels``, of which 1 is what there is without it. Raises NotEmulated for more."""
    if not _LEVELS.fullmatch(text):
        raise BadRequest(f"{quoted(text)} is neither a number of levels from 1 on nor max.")
    if text != "1":
        raise NotEmulated(f"$levels={text} in $expand")


def _pairs(options: str) -> Iterator[tuple[str, str]]:
    for option in split(options, ";"):
        name, equals, value = option.partition("=")
        if not equals:
            raise BadRequest(f"{quoted(option)} is not an option with a value.")
        yield name.strip(), value.strip()
