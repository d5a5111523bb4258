"""``$select``: a projection on named properties and on paths into complex values."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.odata.ast import Path, SelectItem, ValueKind, quoted
from mockgraph.odata.expressions import property_type
from mockgraph.odata.grammar import split
from mockgraph.odata.types import Type, full_name, narrowed

Json = Any

# A name, and what is selected below it; None is all of it. Below _CAST are names of types, and
# what is selected of a value that is of them.
Tree: TypeAlias = "dict[str, Tree | None]"
Schemas: TypeAlias = Callable[[str], type[edm.StructuredSchema] | None]

_CAST = "."
_PATH = re.compile(r"\*|[^\W\d]\w*+(?:[./][^\W\d]\w*+)*+")


class Select(NamedTuple):
    """``tree`` is None where all is selected; ``text`` is for the context URL.

    ``schemas`` finds the types of values, for what is selected of a derived type alone; ``names``
    are those of the properties where no more than whole properties are selected.
    """

    tree: Tree | None
    text: str
    schemas: Schemas
    names: frozenset[str] = frozenset()

    def apply(self, entity: Mapping[str, Json]) -> dict[str, Json]:
        """Return the selected part of an entity, in its own order, and its control information."""
        return dict(entity) if self.tree is None else self._project(entity, self.tree)

    def paths(self) -> Iterator[Sequence[str]]:
        """Give the paths of the properties that it names, without casts."""
        return iter(()) if self.tree is None else _paths(self.tree)

    def _project(self, value: Mapping[str, Json], tree: Tree) -> dict[str, Json]:
        for name, of_type in (tree.get(_CAST) or {}).items():
            if self._is_of(value, name):
                if of_type is None:
                    return dict(value)
                tree = _merged(tree, of_type)
        projected: dict[str, Json] = {}
        for name, item in value.items():
            if name in tree:
                below = tree[name]
                projected[name] = item if below is None else self._below(item, below)
            elif "@" in name and name.partition("@")[0] in ("", *tree):
                projected[name] = item
        return projected

    def _below(self, value: Json, tree: Tree) -> Json:
        if isinstance(value, dict):
            return self._project(value, tree)
        if isinstance(value, list):
            return [self._below(item, tree) for item in value]
        return value

    def _is_of(self, value: Mapping[str, Json], name: str) -> bool:
        """Whether a value is of the type of a name, or of one that derives from it."""
        stated = str(value.get("@odata.type")).removeprefix("#")
        own, base = self.schemas(stated), self.schemas(name)
        return stated == name or (own is not None and base is not None and issubclass(own, base))


def compile_select(
    text: str, schema: type[edm.StructuredSchema], navigation: Collection[str] = ()
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
            keys = _keys(item.path.names, schema, navigation)
            if _add(tree, keys):
                taken.append((str(item.path), keys))
    if everything:
        return Select(None, "*", schema.schemas)
    selected = ",".join(text for text, keys in taken if _is_leaf(tree, keys))
    is_flat = all(below is None for below in tree.values())
    names = frozenset(tree) if is_flat else frozenset[str]()
    return Select(tree, selected, schema.schemas, names)


def parse_select(text: str) -> list[SelectItem]:
    """Return the items of the list; raises BadRequest for one that is no path."""
    items = split(text, ",")
    for item in items:
        if not _PATH.fullmatch(item):
            raise BadRequest(f"{quoted(item)} is not a property path.")
    return [SelectItem(Path(tuple(item.split("/")))) for item in items]


def _keys(
    names: Sequence[str], schema: type[edm.StructuredSchema], navigation: Collection[str]
) -> Sequence[str]:
    """Return the keys of the tree that lead to what a path selects. Raise 400 for a wrong path."""
    if len(names) > edm.MAX_DEPTH:
        raise BadRequest(f"a path of more than {edm.MAX_DEPTH} segments.")
    if len(names) == 1 and names[0] in navigation:
        return names
    keys: list[str] = []
    type_ = Type(ValueKind.COMPLEX, schema)
    for name in names:
        if type_.kind is ValueKind.COLLECTION:
            type_ = type_.of
        if "." in name:
            declared, (type_, _) = type_, narrowed(type_, name)
            if type_ != declared or type_.kind is ValueKind.UNTYPED:
                keys += (_CAST, full_name(name) if type_.kind is ValueKind.UNTYPED else type_.name)
        else:
            if type_.kind is ValueKind.COMPLEX:
                name = type_.of.declared_name(name) or name
            type_ = property_type(type_, name)
            keys.append(name)
    return keys


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


def _paths(tree: Tree, above: tuple[str, ...] = ()) -> Iterator[Sequence[str]]:
    for name, below in tree.items():
        if name == _CAST:
            for inner in (below or {}).values():
                yield from _paths(inner or {}, above)
        elif below is None:
            yield (*above, name)
        else:
            yield from _paths(below, (*above, name))


def _merged(tree: Tree, other: Tree) -> Tree:
    merged = {**other, **tree}
    for name in tree.keys() & other.keys():
        one, two = tree[name], other[name]
        merged[name] = None if one is None or two is None else _merged(one, two)
    return merged
