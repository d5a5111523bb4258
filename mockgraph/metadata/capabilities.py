"""Annotations as rules: what may be done with a resource, read off a model.

Where something can be said of a resource, Graph's CSDL says it in one of these places, and the
nearest that has the annotation counts: at the path of the container (``microsoft.graph.
GraphService/security/alerts_v2``), in the ``NavigationRestrictions`` of the entity that it is
reached from, at the navigation property (``microsoft.graph.security/alerts_v2``, or inline),
and at its type or a base of it (``microsoft.graph.security.alert``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from mockgraph.metadata.annotations import (
    DEFAULT,
    Annotation,
    PathExpression,
    Record,
    Value,
    find_annotation,
)
from mockgraph.metadata.elements import Annotations
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.immutable import Immutable
from mockgraph.metadata.vocabulary import (
    CAPABILITIES,
    MOCKGRAPH,
    NUMERIC_KEYS,
    Permission,
    permissions,
    texts,
)

NAVIGATION: Final = f"{CAPABILITIES}NavigationRestrictions"


class InsertRules(Immutable):
    """``InsertRestrictions``: whether and with what an entity may be created.

    With ``numeric_keys`` the service makes keys that are numbers (MockGraph's vocabulary).
    """

    insertable: bool = True
    non_insertable: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    permissions: tuple[Permission, ...] = ()
    numeric_keys: bool = False


class UpdateRules(Immutable):
    """``UpdateRestrictions``, and what MockGraph's vocabulary says of updates besides.

    ``updatable_properties`` are the only ones that may change, None where it is not said;
    ``answers`` is the status of a successful update, None where the protocol decides.
    """

    updatable: bool = True
    non_updatable: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    permissions: tuple[Permission, ...] = ()
    updatable_properties: tuple[str, ...] | None = None
    answers: int | None = None


class DeleteRules(Immutable):
    """``DeleteRestrictions``: whether an entity may be deleted."""

    deletable: bool = True
    permissions: tuple[Permission, ...] = ()


class ReadRules(Immutable):
    """``ReadRestrictions``: whether a resource may be read, as a whole and by key."""

    readable: bool = True
    readable_by_key: bool = True
    permissions: tuple[Permission, ...] = ()


class FilterRules(Immutable):
    """``FilterRestrictions``: whether and by which properties ``$filter`` works."""

    filterable: bool = True
    requires_filter: bool = False
    required: tuple[str, ...] = ()
    non_filterable: tuple[str, ...] = ()


class SortRules(Immutable):
    """``SortRestrictions``: whether and by which properties ``$orderby`` works."""

    sortable: bool = True
    ascending_only: tuple[str, ...] = ()
    descending_only: tuple[str, ...] = ()
    non_sortable: tuple[str, ...] = ()


class ExpandRules(Immutable):
    """``ExpandRestrictions``: whether and of which properties ``$expand`` works."""

    expandable: bool = True
    non_expandable: tuple[str, ...] = ()


class CountRules(Immutable):
    """``CountRestrictions``: whether ``$count`` works."""

    countable: bool = True


class SearchRules(Immutable):
    """``SearchRestrictions``: whether ``$search`` works."""

    searchable: bool = True


class PageRules(Immutable):
    """Bounds of a page: ``$top``, ``$skip``, and the order where none is asked for.

    ``default_order`` is written as ``$orderby`` is, None where the order is left open.
    """

    top_supported: bool = True
    skip_supported: bool = True
    max_top: int | None = None
    max_skip: int | None = None
    default_order: str | None = None


class Rules(Immutable):
    """All that is said of what may be done with a resource."""

    insert: InsertRules
    update: UpdateRules
    delete: DeleteRules
    read: ReadRules
    filter: FilterRules
    sort: SortRules
    expand: ExpandRules
    count: CountRules
    search: SearchRules
    page: PageRules
    select_supported: bool = True


class RuleBook:
    """The rules of a model; those of a resource are worked out once."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._known: dict[tuple[str | None, ...], Rules] = {}

    def rules(
        self, type: str, owner: str | None = None, name: str | None = None, path: str | None = None
    ) -> Rules:
        """Return the rules of a resource.

        ``type`` is the qualified name of the type of its entities. ``owner`` and ``name`` are
        the type of the entity that it is reached from and the navigation property; of a set or
        singleton at the root, its container and its name. ``path`` is the whole path from the
        container, where it is known: ``microsoft.graph.GraphService/security/alerts_v2``.
        """
        resource = (type, owner, name, path)
        known = self._known.get(resource)
        if known is None:
            known = self._known[resource] = _RestrictionReader(
                list(self._places(*resource))
            ).rules()
        return known

    def _places(
        self, type: str, owner: str | None, name: str | None, path: str | None
    ) -> Iterator[_Place]:
        """Return where something may be said, nearest first."""
        model = self._model
        if path is not None:
            yield _Place(model.annotations(path))
            above, _, last = path.rpartition("/")
            if "/" in above:
                yield from _restricted(model.annotations(above), last)
        if owner is not None and name is not None:
            has_bases = model.type(owner) is not None  # and a container has none
            owners = [each.name for each in model.chain(owner)] if has_bases else [owner]
            for each in owners:
                yield from _restricted(model.annotations(each), name)
            for each in owners:
                yield _Place(model.annotations(f"{each}/{name}"))
        for type_ in model.chain(type):
            yield _Place(model.annotations(type_.name))


class _Place(NamedTuple):
    """A place where something is said: annotations, or a record that has some of them."""

    annotations: Annotations
    restrictions: Record | None = None

    def value(self, term: str) -> Value:
        """Return what a term says here, None where it says nothing."""
        if self.restrictions is not None:
            return self.restrictions.get(term.rpartition(".")[2])
        found = find_annotation(self.annotations, term)
        return None if found is None else _stated(found)


def _stated(annotation: Annotation) -> Value:
    return True if annotation.value is DEFAULT else annotation.value


def _restricted(annotations: Annotations, name: str) -> Iterator[_Place]:
    """Return what the ``NavigationRestrictions`` of an owner say of one of its properties."""
    found = find_annotation(annotations, NAVIGATION)
    if found is None or not isinstance(found.value, Record):
        return
    listed = found.value.get("RestrictedProperties")
    for each in listed if isinstance(listed, tuple) else ():
        if isinstance(each, Record):
            path = each.get("NavigationProperty")
            if isinstance(path, PathExpression) and path.text == name:
                yield _Place((), each)


class _RestrictionReader:
    def __init__(self, places: Sequence[_Place]) -> None:
        self._places = places

    def _value(self, term: str) -> Value:
        for place in self._places:
            value = place.value(term)
            if value is not None:
                return value
        return None

    def _record(self, term: str) -> _RestrictionFields:
        value = self._value(f"{CAPABILITIES}{term}")
        return _RestrictionFields(value if isinstance(value, Record) else Record())

    def _flag(self, term: str) -> bool:
        return self._value(f"{CAPABILITIES}{term}") is not False

    def _own_number(self, term: str) -> int | None:
        value = self._value(f"{MOCKGRAPH}{term}")
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def rules(self) -> Rules:
        return Rules(
            insert=self._insert(),
            update=self._update(),
            delete=self._delete(),
            read=self._read(),
            filter=self._filter(),
            sort=self._sort(),
            expand=self._expand(),
            count=self._count(),
            search=SearchRules(self._record("SearchRestrictions").flag("Searchable")),
            page=self._page(),
            select_supported=self._record("SelectSupport").flag("Supported"),
        )

    def _insert(self) -> InsertRules:
        record = self._record("InsertRestrictions")
        return InsertRules(
            record.flag("Insertable"),
            record.paths("NonInsertableProperties", "NonInsertableNavigationProperties"),
            record.paths("RequiredProperties"),
            record.permissions(),
            self._value(NUMERIC_KEYS) is True,
        )

    def _update(self) -> UpdateRules:
        record = self._record("UpdateRestrictions")
        only = self._value(f"{MOCKGRAPH}UpdatableProperties")
        needed = self._value(f"{MOCKGRAPH}UpdateRequires")
        return UpdateRules(
            record.flag("Updatable"),
            record.paths("NonUpdatableProperties", "NonUpdatableNavigationProperties"),
            (*record.paths("RequiredProperties"), *texts(needed)),
            record.permissions(),
            None if only is None else texts(only),
            self._own_number("UpdateAnswers"),
        )

    def _delete(self) -> DeleteRules:
        record = self._record("DeleteRestrictions")
        return DeleteRules(record.flag("Deletable"), record.permissions())

    def _read(self) -> ReadRules:
        record = self._record("ReadRestrictions")
        readable = record.flag("Readable")
        by_key = record.get("ReadByKeyRestrictions")
        one = _RestrictionFields(by_key if isinstance(by_key, Record) else Record())
        return ReadRules(readable, one.flag("Readable", default=readable), record.permissions())

    def _filter(self) -> FilterRules:
        record = self._record("FilterRestrictions")
        return FilterRules(
            record.flag("Filterable"),
            record.flag("RequiresFilter", default=False),
            record.paths("RequiredProperties"),
            record.paths("NonFilterableProperties"),
        )

    def _sort(self) -> SortRules:
        record = self._record("SortRestrictions")
        return SortRules(
            record.flag("Sortable"),
            record.paths("AscendingOnlyProperties"),
            record.paths("DescendingOnlyProperties"),
            record.paths("NonSortableProperties"),
        )

    def _expand(self) -> ExpandRules:
        record = self._record("ExpandRestrictions")
        return ExpandRules(
            record.flag("Expandable"),
            record.paths("NonExpandableProperties", "NonExpandableStreamProperties"),
        )

    def _count(self) -> CountRules:
        return CountRules(self._record("CountRestrictions").flag("Countable"))

    def _page(self) -> PageRules:
        order = self._value(f"{MOCKGRAPH}DefaultOrder")
        return PageRules(
            self._flag("TopSupported"),
            self._flag("SkipSupported"),
            self._own_number("MaxTop"),
            self._own_number("MaxSkip"),
            order if isinstance(order, str) else None,
        )


class _RestrictionFields:
    """The properties of a restriction, by their types in the vocabulary."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def get(self, name: str) -> Value:
        return self._record.get(name)

    def flag(self, name: str, default: bool = True) -> bool:
        value = self._record.get(name)
        return value if isinstance(value, bool) else default

    def paths(self, *names: str) -> tuple[str, ...]:
        return tuple(text for name in names for text in texts(self._record.get(name)))

    def permissions(self) -> tuple[Permission, ...]:
        return permissions(self._record.get("Permissions"))


def operation_permissions(model: Model, name: str) -> tuple[Permission, ...]:
    """Return the permissions of which one will do to call an action or a function.

    They are by the scheme of the token, and said of its qualified name, for all its overloads.
    Empty where nothing is said.
    """
    said = find_annotation(model.annotations(name), f"{CAPABILITIES}OperationRestrictions")
    if said is None or not isinstance(said.value, Record):
        return ()
    return permissions(said.value.get("Permissions"))
