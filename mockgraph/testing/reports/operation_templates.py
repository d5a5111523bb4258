"""Operations as URL templates: those that are served, and the one that an exchange called."""

from __future__ import annotations

from collections.abc import Container

from mockgraph.metadata.elements import namespace_of, short_name
from mockgraph.metadata.names import NAMESPACE
from mockgraph.metadata.resources import Service
from mockgraph.odata.routes import routes
from mockgraph.state.intent import Address, RequestKind
from mockgraph.testing.exchange import Exchange

_ENDINGS = {
    RequestKind.METADATA: ["$metadata"],
    RequestKind.BATCH: ["$batch"],
    RequestKind.COUNT: ["$count"],
    RequestKind.LIST_REFERENCES: ["$ref"],
    RequestKind.ADD_REFERENCE: ["$ref"],
    RequestKind.SET_REFERENCE: ["$ref"],
    RequestKind.REMOVE_REFERENCE: ["$ref"],
    RequestKind.READ_REFERENCE: ["$ref"],
    RequestKind.READ_PROPERTY: ["{property}"],
    RequestKind.COUNT_PROPERTY: ["{property}", "$count"],
    RequestKind.READ_VALUE: ["{property}", "$value"],
}


def served_operations(service: Service, emulated: Container[str]) -> list[str]:
    """Return the operations that are served and do something, ``GET /v1.0/security/alerts``."""
    return [f"{each.method} {each.template}" for each in routes(service, emulated) if each.emulated]


def called(exchange: Exchange) -> str | None:
    """Return the operation that an exchange called; None where its path leads nowhere."""
    address = exchange.address
    return None if address is None else f"{exchange.method} {_template(address)}"


def resource_of(operation: str) -> str:
    """Return the resource that an operation is about: its template up to the first key."""
    path = operation.partition(" ")[2]
    parts = path.strip("/").split("/")
    kept = parts[:3] if len(parts) > 2 else parts
    return "/".join(each for each in kept if not each.startswith(("{", "$")))


def _template(address: Address) -> str:
    parts = [address.view.name]
    for step in address.steps:
        parts.append(step.resource.name)
        parts += [] if step.key is None else ["{id}"]
    if address.call is not None:
        name = address.call.name
        short = short_name(name) if namespace_of(name) == NAMESPACE else name
        own = address.call.overloads[0].own_parameters if address.kind is RequestKind.CALL else ()
        arguments = ",".join(f"{each.name}={{{each.name}}}" for each in own)
        parts.append(f"{short}({arguments})" if arguments else short)
    elif address.kind is RequestKind.APPEND:
        parts += address.path
    parts += _ENDINGS.get(address.kind, [])
    return "/" + "/".join(parts)
