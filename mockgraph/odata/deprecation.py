"""Deprecated elements of the metadata that a request uses, and the headers that tell of them.

(Org.OData.Core.V1.Revisions; API guidelines of Graph, "Deprecation".)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import MAXYEAR, UTC, date, datetime, time
from email.utils import format_datetime
from functools import cache, lru_cache

from mockgraph import metadata as edm
from mockgraph.metadata.elements import Operation
from mockgraph.metadata.resources import Resource, View
from mockgraph.metadata.vocabulary import Revision, deprecated
from mockgraph.state.intent import Address, Intent
from mockgraph.state.query import Query

Schema = type[edm.StructuredSchema]
Names = Sequence[str]
Headers = tuple[tuple[str, str], ...]

_CHANGELOG = "https://learn.microsoft.com/graph/changelog"


def deprecation(intent: Intent) -> Headers:
    """Return the headers of the answer to a request: empty where it uses nothing deprecated.

    That may be the operation that it calls, the resource that it is about, or a property that it
    selects, filters or orders by, expands, reads by its path or writes.
    """
    address = intent.address
    found: Revision | None = None
    if address.call is not None:
        found = _of_operation(address.view, address.call.overloads[0])
    elif address.steps:
        found = address.resource.deprecated
        if found is None and (intent.options or address.path or _sent(intent)):
            found = next(_of_properties(intent), None)
    return () if found is None else _headers(found)


def may_be_deprecated(address: Address) -> bool:
    """Return whether requests may use what is deprecated at an address whatever they send.

    That is without options, and without a property that is deprecated.
    """
    if address.call is not None:
        return _of_operation(address.view, address.call.overloads[0]) is not None
    if not address.steps:
        return False
    return address.resource.deprecated is not None or bool(address.path)


@lru_cache(maxsize=4096)
def _of_operation(view: View, operation: Operation) -> Revision | None:
    said = (operation.annotations, view.model.annotations(operation.name))
    return next((found for each in said if (found := deprecated(each)) is not None), None)


def _of_properties(intent: Intent) -> Iterator[Revision]:
    address = intent.address
    for name in _sent(intent):
        yield from _along((name,), address.type, None)
    if address.path:
        yield from _along(address.path, address.type, None)
    if intent.query.expand or any(
        name in text for _, text in intent.options for name in address.view.schemas.deprecated
    ):
        yield from _of_query(intent.query, address.type, address.resource)


def _sent(intent: Intent) -> Names:
    """The properties that are deprecated, of those that a request writes."""
    body = intent.body
    names = deprecated_properties(intent.address.type) if body else ()
    return [name for name in names if body.get(name) not in (None, [])]


@cache
def deprecated_properties(schema: Schema) -> Names:
    """Return the names of the deprecated properties of a type."""
    return [name for name, each in schema.properties().items() if each.deprecated is not None]


def _of_query(query: Query, schema: Schema, resource: Resource) -> Iterator[Revision]:
    for option in (query.filter, query.orderby, query.select):
        for path in () if option is None else option.paths():
            yield from _along(path, schema, resource)
    for each in query.expand:
        if each.resource.deprecated is not None:
            yield each.resource.deprecated
        yield from _of_query(each.query, each.resource.type, each.resource)


def _along(path: Names, schema: Schema, resource: Resource | None) -> Iterator[Revision]:
    """Give the revisions that deprecate what a path leads through."""
    left = list(path)
    while left:
        led = None if resource is None else resource.led_to(schema.type_name, left)
        if led is not None:
            resource, count = led
            schema, left = resource.type, left[count:]
            if resource.deprecated is not None:
                yield resource.deprecated
            continue
        name = left.pop(0)
        declared = schema.properties().get(name)
        if declared is None:
            return
        if declared.deprecated is not None:
            yield declared.deprecated
        item = edm.item_of(declared)
        if not isinstance(item, edm.Complex):
            return
        schema, resource = item.schema, None


@cache
def _headers(revision: Revision) -> Headers:
    if revision.date is None:
        return ()
    sunset = revision.removal or _in_two_years(revision.date)
    dates = (datetime.combine(each, time(), UTC) for each in (revision.date, sunset))
    since, removal = (format_datetime(each, usegmt=True) for each in dates)
    link = f'<{_CHANGELOG}>; rel="deprecation"; type="text/html"'
    return ("Deprecation", since), ("Sunset", removal), ("Link", link)


def _in_two_years(day: date) -> date:
    """Return the day two years on; of 29 February the last one of the month."""
    last = 28 if day.month == 2 else 31
    return day.replace(year=min(day.year + 2, MAXYEAR), day=min(day.day, last))
