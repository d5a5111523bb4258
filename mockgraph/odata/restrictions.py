"""Query options held to the capabilities of a resource (Org.OData.Capabilities.V1).

A restriction names properties by their paths; one on a property is one on all that is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any

from mockgraph.errors import BadRequest
from mockgraph.metadata.capabilities import ExpandRules, FilterRules, SortRules
from mockgraph.metadata.resources import Resource
from mockgraph.odata.ast import ExpandItem, Lambda, Node, OrderItem, Path, quoted

Names = tuple[str, ...]
_NO_VARIABLES: Mapping[str, Names] = {}


def check_supported(options: Iterable[tuple[str, str]], resource: Resource) -> None:
    """Raise BadRequest for an option, of name and text, that a resource does not support."""
    lacking = unsupported(resource)
    for name, _ in options if lacking else ():
        if name.lower().removeprefix("$") in lacking:
            raise BadRequest(f"'{resource.name}' does not support the option '{name}'.")


@lru_cache(maxsize=4096)
def unsupported(resource: Resource) -> frozenset[str]:
    """Return the query options that a resource does not support, in small letters without a $."""
    rules = resource.rules
    supported = {
        "filter": rules.filter.filterable,
        "orderby": rules.sort.sortable,
        "expand": rules.expand.expandable,
        "count": rules.count.countable,
        "search": rules.search.searchable,
        "top": rules.page.top_supported,
        "skip": rules.page.skip_supported,
        "select": rules.select_supported,
    }
    return frozenset(name for name, is_so in supported.items() if not is_so)


def check_count(resource: Resource) -> None:
    """Raise BadRequest where a resource cannot be counted, or not even read."""
    rules = resource.rules
    if not rules.count.countable or not rules.read.readable:
        raise BadRequest(f"{quoted(resource.name)} cannot be counted.")


def check_read(resource: Resource) -> None:
    """Raise BadRequest where what a navigation property leads to cannot be read."""
    rules = resource.rules.read
    if not rules.readable and (resource.is_collection or not rules.readable_by_key):
        raise BadRequest(f"{quoted(resource.name)} cannot be read.")


def check_filter(node: Node, rules: FilterRules) -> None:
    """Raise BadRequest where a filter uses what it must not, or lacks what it must use."""
    if not rules.non_filterable and not rules.required:
        return
    used = list(property_paths(node))
    for path in used:
        if _is_among(path, rules.non_filterable):
            raise BadRequest(f"the property {quoted('/'.join(path))} cannot be filtered by.")
    for name in rules.required:
        if not any(_is_among(path, (name,)) for path in used):
            raise BadRequest(f"it must use the property {quoted(name)}.")


def check_orderby(items: Sequence[OrderItem], rules: SortRules) -> None:
    """Raise BadRequest where a key cannot be ordered by, or not in this direction."""
    for item in items:
        wrong = rules.ascending_only if item.descending else rules.descending_only
        direction = "ascending" if item.descending else "descending"
        for path in property_paths(item.key):
            name = quoted("/".join(path))
            if _is_among(path, rules.non_sortable):
                raise BadRequest(f"the property {name} cannot be ordered by.")
            if _is_among(path, wrong):
                raise BadRequest(f"the property {name} can be ordered by {direction} only.")


def check_expand(items: Iterable[ExpandItem], rules: ExpandRules) -> None:
    """Raise BadRequest where a navigation property cannot be expanded."""
    for item in items:
        if item.path.names[-1] in rules.non_expandable:
            raise BadRequest(f"{quoted(str(item.path))} cannot be expanded.")


def property_paths(node: Any, variables: Mapping[str, Names] = _NO_VARIABLES) -> Iterator[Names]:
    """Give the paths of the properties in a tree, from the entity on, without casts.

    Within a lambda a variable stands for the collection that it goes through.
    """
    match node:
        case Path(names):
            if path := _from_entity(names, variables):
                yield path
        case Lambda(path, _, variable, body):
            collection = _from_entity(path.names, variables)
            yield collection
            if variable is not None:
                yield from property_paths(body, {**variables, variable: collection})
        case tuple():
            for each in node:
                yield from property_paths(each, variables)
        case _ if is_dataclass(node):
            for each in fields(node):
                yield from property_paths(getattr(node, each.name), variables)


def _from_entity(names: Names, variables: Mapping[str, Names]) -> Names:
    first, rest = names[0], names[1:]
    if first == "$root":
        return ()
    start = () if first == "$it" else variables.get(first, (first,))
    return tuple(each for each in (*start, *rest) if "." not in each and each != "$count")


def _is_among(path: Names, listed: Sequence[str]) -> bool:
    """Whether a path is listed, or lies in a property that is."""
    return any(path[: len(names)] == names for names in (tuple(each.split("/")) for each in listed))
