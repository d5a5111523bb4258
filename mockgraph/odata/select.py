"""``$select``: a projection on named properties and on paths into complex values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.odata.ast import Kind, Path, SelectItem, quoted
from mockgraph.odata.expressions import member
from mockgraph.odata.grammar import split
from mockgraph.odata.types import Type, full_name, type_check

Json = Any

# A name, and what is selected below it; None is all of it. Below _CAST are names of types, and
# what is selected of a value that is of them.
Tree: TypeAlias = "dict[str, Tree | None]"

_CAST = "."
_PATH = re.compile(r"\*|[^\W\d]\w*+(?:[./][^\W\d]\w*+)*+")


class Select(NamedTuple):
    """``tree`` is None where all is selected; ``text`` is for the context URL."""

    tree: Tree | None
    text: str

    def apply(self, entity: Mapping[str, Json]) -> dict[str, Json]:
        """Return the selected part of an entity, in its own order, and its control information."""
        return dict(entity) if self.tree is None else _project(entity, self.tree)


def compile_select(
    text: str, schema: type[edm.StructuredType], navigation: Collection[str] = ()
) -> Select:
    """Compile a list of paths; raises BadRequest where one leads nowhere.

    ``navigation`` names navigation properties, which may be selected though they are no part
    of an entity.
    """
    tree: Tree = {}
    taken: list[tuple[str, Sequence[str]]] = []
    everything = False
    for item in parse_select(text):
        everything = everything or item.path.names == ("*",)
        if item.path.names != ("*",):
            _check(item.path.names, schema, navigation)
            keys = _keys(item)
            if _add(tree, keys):
                taken.append((str(item.path), keys))
    if everything:
        return Select(None, "*")
    return Select(tree, ",".join(text for text, keys in taken if _is_leaf(tree, keys)))


def parse_select(text: str) -> list[SelectItem]:
    """Return the items of the list; raises BadRequest for one that is no path."""
    items = split(text, ",")
    for item in items:
        if not _PATH.fullmatch(item):
            raise BadRequest(f"{quoted(item)} is not a property path.")
    return [SelectItem(Path(tuple(item.split("/")))) for item in items]


def _keys(item: SelectItem) -> Sequence[str]:
    """The keys of the tree that lead to what an item selects."""
    keys: list[str] = []
    for name in item.path.names:
        keys += (_CAST, full_name(name)) if "." in name else (name,)
    return keys


def _check(
    names: Sequence[str], schema: type[edm.StructuredType], navigation: Collection[str]
) -> None:
    if len(names) > edm.MAX_DEPTH:
        raise BadRequest(f"a path of more than {edm.MAX_DEPTH} segments.")
    if len(names) == 1 and names[0] in navigation:
        return
    type_ = Type(Kind.COMPLEX, schema)
    for name in names:
        if type_.kind is Kind.COLLECTION:
            type_ = type_.of
        if "." in name:
            type_check(type_, name)
        else:
            type_ = member(type_, name)


def _add(tree: Tree, names: Sequence[str]) -> bool:
    """Add a path to the tree; False where it is in already, by itself or within another."""
    *above, last = names
    for name in above:
        below = tree.setdefault(name, {})
        if below is None:
            return False
        tree = below
    if last in tree and tree[last] is None:
        return False
    tree[last] = None
    return True


def _is_leaf(tree: Tree, keys: Sequence[str]) -> bool:
    """Whether a path still stands by itself: a later, shorter one may have taken it in."""
    below: Tree | None = tree
    for name in keys:
        if below is None:
            return False
        below = below[name]
    return True


def _project(value: Mapping[str, Json], tree: Tree) -> dict[str, Json]:
    if casts := tree.get(_CAST):
        of_type = casts.get(str(value.get("@odata.type")).removeprefix("#"), {})
        if of_type is None:
            return dict(value)
        tree = _merged(tree, of_type)
    projected: dict[str, Json] = {}
    for name, item in value.items():
        if name in tree:
            below = tree[name]
            projected[name] = item if below is None else _below(item, below)
        elif "@" in name and name.partition("@")[0] in ("", *tree):
            projected[name] = item
    return projected


def _merged(tree: Tree, other: Tree) -> Tree:
    merged = {**other, **tree}
    for name in tree.keys() & other.keys():
        one, two = tree[name], other[name]
        merged[name] = None if one is None or two is None else _merged(one, two)
    return merged


def _below(value: Json, tree: Tree) -> Json:
    if isinstance(value, dict):
        return _project(value, tree)
    if isinstance(value, list):
        return [_below(item, tree) for item in value]
    return value
