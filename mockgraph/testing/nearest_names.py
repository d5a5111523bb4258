"""The names nearest to one that a request misspelt, for the journal and the control plane.

Answers of Graph's have Graph's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mockgraph import spelling
from mockgraph.errors import GraphError
from mockgraph.metadata.elements import TypeRef, short_name
from mockgraph.metadata.resources import Resource, Service, View
from mockgraph.odata import addressing

_SEGMENT = re.compile(r"Resource not found for the segment '(.*)'\.")
_PROPERTY = re.compile(r"[Tt]he property '([^']*)' does not exist on type '([\w.]+)'")


def meant_names(message: str, path: str, service: Service) -> tuple[str, ...]:
    """Return the names that may have been meant, by the message of the refusal of a request.

    ``path`` is that of the request. None are returned where nothing was misspelt.
    """
    view = service.views.get(path[1:].partition("/")[0].lower())
    if view is None:
        return ()
    if match := _SEGMENT.match(message):
        name = match[1].partition("(")[0]
        return tuple(spelling.nearest(name, _below(match[1], path, view, service)))
    return tuple(_meant_properties(message, view))


def with_meant_properties(message: str, view: View) -> str:
    """Return a message, and behind one that says that a property is none those near it."""
    near = [] if message.endswith("?") else _meant_properties(message, view)
    return f"{message} Did you mean {' or '.join(near)}?" if near else message


def _meant_properties(message: str, view: View) -> list[str]:
    match = _PROPERTY.search(message)
    schema = view.schemas.find(match[2]) if match else None
    return spelling.nearest(match[1], schema.properties()) if match and schema else []


def _below(segment: str, path: str, view: View, service: Service) -> Iterable[str]:
    """Give what may stand in the place of a segment."""
    found = re.search(rf"(?<=[^/])/{re.escape(segment)}(?=/|$)", path)  # below the root
    if found is None:
        return ()
    above = path[: found.start()]
    if above.strip("/").lower() == view.name:
        return (each.name for each in view.children.values())
    try:
        address = addressing.resolve("GET", above, service)
    except GraphError:
        return ()
    return _names(address.resource) if address.steps else ()


def _names(resource: Resource) -> Iterable[str]:
    for is_collection in (False, True):
        bound = resource.view.model.bound_operations(TypeRef(resource.type_name, is_collection))
        yield from map(short_name, bound)
    yield from (each.name for each in resource.children().values())
    yield from resource.type.properties()
