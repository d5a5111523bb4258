"""``$select``: a projection on named properties and on paths into complex values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.odata.paths import member
from mockgraph.odata.splitting import split
from mockgraph.odata.syntax import Kind, quoted
from mockgraph.odata.types import Type

Json = Any

# A name, and what is selected below it; None is all of it.
Tree: TypeAlias = "dict[str, Tree | None]"

_PATH = re.compile(r"[^\W\d]\w*(?:/[^\W\d]\w*)*")


class Select(NamedTuple):
    """``tree`` is None where all is selected; ``text`` is for the context URL."""

    tree: Tree | None
    text: str

    def apply(self, entity: Mapping[str, Json]) -> dict[str, Json]:
        """What of an entity is selected, in its own order, and its control information."""
        return dict(entity) if self.tree is None else _project(entity, self.tree)


def compile_select(
    text: str, schema: type[edm.StructuredType], navigation: Collection[str] = ()
) -> Select:
    """Compile a list of paths; raises BadRequest where one leads nowhere.

    ``navigation`` names navigation properties, which may be selected though they are no part
    of an entity.
    """
    tree: Tree = {}
    texts: list[str] = []
    everything = False
    for item in split(text, ","):
        everything = everything or item == "*"
        if item != "*":
            names = _names(item, schema, navigation)
            if _add(tree, names):
                texts.append(item)
    if everything:
        return Select(None, "*")
    return Select(tree, ",".join(item for item in texts if _is_leaf(tree, item)))


def _names(
    item: str, schema: type[edm.StructuredType], navigation: Collection[str]
) -> Sequence[str]:
    if not _PATH.fullmatch(item):
        raise BadRequest(f"{quoted(item)} is not a property path.")
    names = item.split("/")
    if len(names) > edm.MAX_DEPTH:
        raise BadRequest(f"a path of more than {edm.MAX_DEPTH} segments.")
    if len(names) == 1 and item in navigation:
        return names
    type_ = Type(Kind.COMPLEX, schema)
    for name in names:
        if type_.kind is Kind.COLLECTION:
            type_ = type_.of
        type_ = member(type_, name)
    return names


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


def _is_leaf(tree: Tree, item: str) -> bool:
    """Whether a path still stands by itself: a later, shorter one may have taken it in."""
    below: Tree | None = tree
    for name in item.split("/"):
        if below is None:
            return False
        below = below[name]
    return True


def _project(value: Mapping[str, Json], tree: Tree) -> dict[str, Json]:
    projected: dict[str, Json] = {}
    for name, item in value.items():
        if name in tree:
            below = tree[name]
            projected[name] = item if below is None else _below(item, below)
        elif "@" in name and name.partition("@")[0] in ("", *tree):
            projected[name] = item
    return projected


def _below(value: Json, tree: Tree) -> Json:
    if isinstance(value, dict):
        return _project(value, tree)
    if isinstance(value, list):
        return [_below(item, tree) for item in value]
    return value
