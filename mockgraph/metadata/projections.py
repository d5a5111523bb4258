"""The projection of stored values on a root: what its model has of them, and its callers know.

Roots are views of one state, whose types may declare more than theirs do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from mockgraph.metadata.evolvable import member_mask
from mockgraph.metadata.names import Json
from mockgraph.metadata.primitives import PropertyField
from mockgraph.metadata.structures import Complex, EntitySchema, StructuredSchema, item_of, unset
from mockgraph.metadata.values import own_type

if TYPE_CHECKING:
    from mockgraph.metadata.schemas import Schemas

T = TypeVar("T")
Change: TypeAlias = Callable[[Json], Json]
_NOTHING: Mapping[str, Json] = {}  # a dict: others are slower to unpack


class Projections(dict[type[StructuredSchema], "Projection"]):
    """The projections of the types of a root, each made when it is first used.

    ``stored`` are the schemas that values are stored by. With ``is_typed`` each value says its
    type, as the pages of ``localtest`` print it; with ``is_masked`` the members of enumerations
    that came later are ``unknownFutureValue``.
    """

    def __init__(self, stored: Schemas, *, is_typed: bool, is_masked: bool):
        super().__init__()
        self.stored = stored
        self.is_typed = is_typed
        self._is_masked = is_masked
        self._kept: dict[type[StructuredSchema], bool] = {}

    def __missing__(self, schema: type[StructuredSchema]) -> Projection:
        made = self[schema] = Projection(schema, self)
        return made

    def of_property(self, declared: PropertyField | None, value: Json) -> Json:
        """Return the value of a property, which is None of a dynamic one, as it is shown."""
        change = None if declared is None else self.change(declared)
        return value if change is None or value is None else _changed(value, change)

    def change(self, declared: PropertyField) -> Change | None:
        """Return what makes what is shown of a property's value, or of each of its items.

        It is None where that is surely the value itself.
        """
        item = item_of(declared)
        if isinstance(item, Complex):
            return None if self._keeps(item.schema) else self[item.schema].of
        return member_mask(item) if self._is_masked else None

    def _keeps(self, schema: type[StructuredSchema]) -> bool:
        """Whether the values of a type, and all in them, are surely shown as they are stored.

        Of one that others derive from that is left open: nobody who reads one value has to wait
        for all the types that may be in others.
        """
        if self.is_typed:
            return False
        known = self._kept.get(schema)
        if known is None:
            known = self._kept[schema] = all(map(self._keeps_own, _reached(schema)))
        return known

    def _keeps_own(self, schema: type[StructuredSchema]) -> bool:
        if self.stored.model.derived(schema.type_name) or not self[schema].keeps_names:
            return False
        items = map(item_of, schema.properties().values()) if self._is_masked else ()
        return not any(map(member_mask, items))


class Projection:
    """The projection of the values of one type, where their type is this one.

    ``mark`` is the annotation that each of them is given. ``is_in_order`` tells that nothing but
    what the other type has beyond this one has to be left out, and ``keeps_names`` not even that.
    """

    def __init__(self, schema: type[StructuredSchema], projections: Projections):
        other = projections.stored[schema.type_name]
        declared = schema.properties()
        self._schema = schema
        self._projections = projections
        # What the other type has beyond, unset; it is a dynamic property here once it is set.
        self._gone = {name: item for name, item in unset(other).items() if name not in declared}
        self._blank: Mapping[str, Json] = dict.fromkeys(declared)
        self._places = {name: place for place, name in enumerate(("@odata.type", *declared))}
        self._is_open = schema.is_open
        self._is_closed = other.is_open and not schema.is_open
        # Whether the rest is in order already, and what neither declares is dynamic in both.
        rest = [name for name in other.properties() if name not in self._gone]
        self.is_in_order = rest == list(declared) and schema.is_open == other.is_open
        self.keeps_names = self.is_in_order and not self._gone
        self.mark: Mapping[str, Json] = _NOTHING
        if projections.is_typed:
            sign = "#" if issubclass(schema, EntitySchema) else ""
            self.mark = {"@odata.type": f"{sign}{schema.type_name}"}

    @cached_property
    def _changes(self) -> Mapping[str, Change]:
        """The properties whose values may be shown otherwise than they are stored."""
        found = self._schema.properties().items()
        changes = ((name, self._projections.change(declared)) for name, declared in found)
        return {name: change for name, change in changes if change is not None}

    @cached_property
    def _keeps_all(self) -> bool:
        return self.keeps_names and not self._changes

    def of(self, value: Mapping[str, Json]) -> Mapping[str, Json]:
        """Return what is shown of a value of this type, or of one that derives from it.

        It may be the value itself. One of a type that the root's model lacks is of this one.
        """
        own: Projection = self
        if "@odata.type" in value:
            own = self._projections[own_type(self._schema, value)]
            if own is self and not self._is_open:  # the model may lack its type, and what that has
                value = {name: item for name, item in value.items() if name in self._places}
        shown = value if own._keeps_all else own.unmarked(value)
        return {**own.mark, **shown} if own.mark else shown

    def unmarked(self, value: Mapping[str, Json]) -> Mapping[str, Json]:
        """Return what is shown of a value of this very type, but for the mark."""
        if self._keeps_all:
            return value
        shown = dict(value) if self.is_in_order else self._ordered(value)
        if self._gone:
            self._leave_out(self._gone, shown)
        changes = self._changes
        if len(changes) > len(value):
            changes = _within(changes, value)
        for name, change in changes.items():
            item = shown.get(name)
            if item or type(item) is dict:
                shown[name] = _changed(item, change)
        return shown

    def selected(self, value: Mapping[str, Json], names: AbstractSet[str]) -> dict[str, Json]:
        """Return the properties of a stored value that have these names, in order.

        There are none where one of them is not declared, or the value is of another type.
        """
        places = self._places
        if not names <= places.keys() or "@odata.type" in value:
            return {}
        found = sorted(filter(value.__contains__, names), key=places.__getitem__)
        return {name: value[name] for name in found}

    def _ordered(self, value: Mapping[str, Json]) -> dict[str, Json]:
        """A value with the declared properties in order, ahead of those that are dynamic or gone.

        There are none of these where only the other type is open.
        """
        shown = {**self._blank, **value} if len(value) >= len(self._blank) else {}
        if len(shown) != len(value) or "@odata.type" in value:  # not all are there, or it is last
            shown = {name: value[name] for name in sorted(value, key=self._place)}
        if self._is_closed:
            for name in value.keys() - self._blank.keys() - {"@odata.type"}:
                del shown[name]
        return shown

    def _place(self, name: str) -> int:
        return self._places.get(name, len(self._places))

    def _leave_out(self, gone: Mapping[str, Json], shown: dict[str, Json]) -> None:
        """Take away what only the other type declares, but what is set where this one is open."""
        if len(gone) > len(shown):
            gone = _within(gone, shown)
        for name, nothing in gone.items():
            item = shown.pop(name, nothing)
            if self._is_open and item != nothing:
                shown[name] = item


@lru_cache(maxsize=256)
def projections(stored: Schemas, *, is_typed: bool, is_masked: bool) -> Projections:
    """Return the projections of this kind, which are made once."""
    return Projections(stored, is_typed=is_typed, is_masked=is_masked)


def _changed(value: Json, change: Change) -> Json:
    """The value of a property, or that of each of its items, once it is changed."""
    return list(map(change, value)) if type(value) is list else change(value)


def _within(properties: Mapping[str, T], value: Mapping[str, Json]) -> Mapping[str, T]:
    """Return those of some properties of a type that a value has."""
    return {name: properties[name] for name in value if name in properties}


def _reached(schema: type[StructuredSchema]) -> Iterator[type[StructuredSchema]]:
    """Give a type, and those that are declared of properties within its values."""
    seen, waiting = {schema}, [schema]
    while waiting:
        each = waiting.pop()
        yield each
        items = map(item_of, each.properties().values())
        inner = {item.schema for item in items if isinstance(item, Complex)}
        waiting += inner - seen
        seen |= inner
