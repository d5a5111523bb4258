"""Every operation that is served, as a method and a URL template."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

from mockgraph.metadata.elements import TypeRef, namespace_of, short_name
from mockgraph.metadata.names import NAMESPACE
from mockgraph.metadata.resources import Resource, ResourceKind, Service, View
from mockgraph.odata import addressing


class Route(NamedTuple):
    """An operation: ``emulated`` is False where it answers 501 until somebody says what it does."""

    method: str
    template: str
    emulated: bool = True


def routes(service: Service, emulated: Container[str]) -> Iterator[Route]:
    """Give every operation served, in the order of the metadata.

    ``emulated`` has the qualified names of the actions and functions that do something.
    A resource below one of its own type is left out: there would be no end to it.
    """
    for view in service.views.values():
        top = f"/{view.name}"
        yield Route("GET", top)
        yield Route("GET", f"{top}/$metadata")
        yield Route("POST", f"{top}/$batch")
        for resource in view.children.values():
            yield from _resource_routes(resource, f"{top}/{resource.name}", emulated, frozenset())


def _resource_routes(
    resource: Resource, at: str, emulated: Container[str], above: frozenset[str]
) -> Iterator[Route]:
    entity = at
    if resource.is_collection:
        yield from _each(addressing.set_methods(resource), at)
        yield from _each(addressing.count_methods(resource), f"{at}/$count")
        yield from _each(addressing.reference_methods(resource), f"{at}/$ref")
        yield from _operations(resource, at, emulated, of_collection=True)
        entity = f"{at}/{{id}}"
    yield from _each(addressing.entity_methods(resource), entity)
    if resource.is_collection or resource.owner is not None:
        yield from _each(addressing.one_reference_methods(resource), f"{entity}/$ref")
    yield Route("GET", f"{entity}/{{property}}")
    if resource.is_collection:
        yield Route("GET", f"{entity}/{{property}}/$value")
    for name in sorted(resource.appendable):
        yield Route("POST", f"{entity}/{name}")
    yield from _operations(resource, entity, emulated, of_collection=False)
    if resource.type_name in above or resource.kind is not ResourceKind.CONTAINED:
        return
    for child in resource.children().values():
        inner = above | {resource.type_name}
        yield from _resource_routes(child, f"{entity}/{child.name}", emulated, inner)


def _each(methods: addressing.Methods, template: str) -> Iterator[Route]:
    for method in methods:
        yield Route(method, template)


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
            yield Route(method, f"{at}/{short}{call}", name in emulated)
