"""Every operation that is served, as a method and a URL template."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import NamedTuple

from mockgraph.metadata.elements import Operation, TypeRef, namespace_of, short_name
from mockgraph.metadata.names import NAMESPACE
from mockgraph.metadata.resources import Resource, ResourceKind, Service, View
from mockgraph.odata import addressing
from mockgraph.state.intent import RequestKind


class Route(NamedTuple):
    """An operation: ``emulated`` is False where it answers 501 until somebody says what it does.

    ``resource`` is what it is about, None at the root; ``called`` the action or function, and
    ``name`` the property to which it adds.
    """

    method: str
    template: str
    kind: RequestKind
    resource: Resource | None = None
    emulated: bool = True
    called: Operation | None = None
    name: str = ""


def routes(service: Service, emulated: Container[str]) -> Iterator[Route]:
    """Give every operation served, in the order of the metadata."""
    for view in service.views.values():
        yield from routes_of(view, emulated)


def routes_of(view: View, emulated: Container[str]) -> Iterator[Route]:
    """Give every operation of a root, in the order of its metadata.

    ``emulated`` has the qualified names of the actions and functions that do something.
    A resource below one of its own type is left out: there would be no end to it.
    """
    top = f"/{view.name}"
    yield Route("GET", top, RequestKind.SERVICE_DOCUMENT)
    yield Route("GET", f"{top}/$metadata", RequestKind.METADATA)
    yield Route("POST", f"{top}/$batch", RequestKind.BATCH)
    for resource in view.children.values():
        yield from _resource_routes(resource, f"{top}/{resource.name}", emulated, frozenset())


def _resource_routes(
    resource: Resource, at: str, emulated: Container[str], above: frozenset[str]
) -> Iterator[Route]:
    entity = at
    if resource.is_collection:
        yield from _each(resource, addressing.set_methods, at)
        yield from _each(resource, addressing.count_methods, f"{at}/$count")
        yield from _each(resource, addressing.reference_methods, f"{at}/$ref")
        yield from _operations(resource, at, emulated, of_collection=True)
        entity = f"{at}/{{id}}"
    yield from _each(resource, addressing.entity_methods, entity)
    if resource.is_collection or resource.owner is not None:
        yield from _each(resource, addressing.one_reference_methods, f"{entity}/$ref")
    yield Route("GET", f"{entity}/{{property}}", RequestKind.READ_PROPERTY, resource)
    if resource.is_collection:
        yield Route("GET", f"{entity}/{{property}}/$value", RequestKind.READ_VALUE, resource)
    for name in sorted(resource.appendable):
        yield Route("POST", f"{entity}/{name}", RequestKind.APPEND, resource, name=name)
    yield from _operations(resource, entity, emulated, of_collection=False)
    if resource.type_name in above or resource.kind is not ResourceKind.CONTAINED:
        return
    for child in resource.children().values():
        inner = above | {resource.type_name}
        yield from _resource_routes(child, f"{entity}/{child.name}", emulated, inner)


def _each(
    resource: Resource, methods: Callable[[Resource], addressing.Methods], template: str
) -> Iterator[Route]:
    for method, kind in methods(resource).items():
        yield Route(method, template, kind, resource)


def _operations(
    resource: Resource, at: str, emulated: Container[str], *, of_collection: bool
) -> Iterator[Route]:
    view: View = resource.view
    bound = view.model.bound_operations(TypeRef(resource.type_name, of_collection))
    for name, overloads in bound.items():
        method = "POST" if overloads[0].kind == "action" else "GET"
        short = short_name(name) if namespace_of(name) == NAMESPACE else name
        for each in overloads[:1] if method == "POST" else overloads:
            arguments = ",".join(f"{one.name}={{{one.name}}}" for one in each.own_parameters)
            call = f"({arguments})" if method == "GET" and arguments else ""
            kind = RequestKind.ACT if method == "POST" else RequestKind.CALL
            yield Route(method, f"{at}/{short}{call}", kind, resource, name in emulated, each)
