"""The documented examples, read against the service: what each one asks, and needs, and shows.

The pages were generated, and their generator has habits: the word "String" stands for any
member of an enumeration, keys are ``{placeholders}``, a single object comes wrapped in
``value``. Here they become exchanges that a server can be held to, and the state that they
show together.
"""

from __future__ import annotations

import logging
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from mockgraph import metadata as edm
from mockgraph.errors import GraphError, MockGraphError
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Service
from mockgraph.odata import addressing
from mockgraph.pages import Example, ReferencePage, bundled_pages, read_pages
from mockgraph.service import BEHAVIOURS
from mockgraph.state.intent import Address, RequestKind

Structured = type[edm.StructuredSchema]

# The operations whose answers show entities as they are stored.
_SHOWING = frozenset([RequestKind.READ, RequestKind.LIST, RequestKind.UPDATE, RequestKind.CREATE])

# Of the state that pages show, what stands directly below the singleton is taken.
_DEPTH = 2
_SOME_INSTANT = "2017-01-01T00:00:00Z"
_MOST_TOLD = 10  # pages
_MOST_CHARACTERS = 300  # of a line about one
_logger = logging.getLogger("mockgraph")

_PLACEHOLDER = re.compile(r"\{[^}/]*\}")


class DocumentedExchange(NamedTuple):
    """A documented request made sendable, what it is answered, and the state it needs.

    ``path`` goes from the root on; ``body`` and ``answer`` are JSON values, None where there
    is no body; ``state`` is a state document.
    """

    method: str
    path: str
    body: Json
    status: int
    answer: Json
    address: Address
    state: Mapping[str, Any]


def pages_of(docs: Iterable[str | os.PathLike[str]]) -> tuple[ReferencePage, ...]:
    """The pages in these directories, the bundled ones where there are none."""
    read = tuple(page for directory in docs for page in read_pages(directory))
    return read or bundled_pages()


def documented(service: Service, pages: Iterable[ReferencePage]) -> dict[str, Any]:
    """The singleton's properties and the sets' entities, as the pages' responses show them.

    Of pages with blocks that cannot be used the log says so, for the first 10 of them. Raises
    MockGraphError that names the page whose response does not fit.
    """
    unused: list[str] = []
    singleton: dict[str, Any] = {}
    sets: dict[str, dict[str, Any]] = {}
    for page in pages:
        faults = list(page.skipped)
        for example in page.examples:
            try:
                exchange = read_exchange(example, service)
            except (GraphError, MockGraphError) as error:
                faults.append(f"{example.request.method} {example.request.target}: {error}")
                continue
            if len(exchange.address.steps) > _DEPTH:
                continue
            resource = exchange.address.resource
            for entity in _entities(exchange, page):
                if resource.is_collection:
                    sets.setdefault(resource.name, {})[entity["id"]] = entity
                else:
                    singleton.update(entity)
        if faults:
            unused.append(_summary(page, faults))
    for line in unused[:_MOST_TOLD]:
        _logger.info("%s", line)
    if len(unused) > _MOST_TOLD:
        _logger.info("... and %d more pages; mockgraph replay lists all", len(unused) - _MOST_TOLD)
    return {**singleton, **{name: list(entities.values()) for name, entities in sets.items()}}


def _summary(page: ReferencePage, faults: Sequence[str]) -> str:
    """Return the faults of a page in one line."""
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    text = f"The page {page.name} is not used in whole: {faults[0]}"
    return " ".join(text.split())[:_MOST_CHARACTERS] + more


def read_exchange(example: Example, service: Service) -> DocumentedExchange:
    """An example as an exchange. Raises GraphError where its request leads nowhere here,
    MockGraphError where the page cannot be understood."""
    request, response = example.request, example.response
    if response is None:
        raise MockGraphError("the page shows no response")
    url = urlsplit(request.target)
    address = addressing.resolve(request.method, url.path, service)
    asked, shown = schemas(address)
    body = _concrete(asked, request.json())
    answer = _concrete(shown, response.unwrapped())
    keys = iter(_keys(address, answer))
    steps = [step if step.key is None else step._replace(key=next(keys)) for step in address.steps]
    state = _state_needed(address.at(tuple(steps)), body, answer)
    given = (
        quote(each.key or "", safe="")
        for each, asked in zip(steps, address.steps, strict=True)
        if asked.key is not None and _PLACEHOLDER.search(asked.key)
    )
    path = _PLACEHOLDER.sub(lambda _: next(given, ""), url.path)
    query = f"?{url.query}" if url.query else ""
    return DocumentedExchange(
        request.method, path + query, body, response.status, answer, address, state
    )


def _keys(address: Address, answer: Json) -> Iterator[str]:
    """The keys of the entities along a path: those given, the one shown, or new ones."""
    shown = answer.get("id") if isinstance(answer, dict) else None
    for step in address.steps:
        if step.key is None:
            continue
        is_last = step is address.steps[-1] and address.call is None
        if not _PLACEHOLDER.search(step.key):
            yield step.key
        elif is_last and isinstance(shown, str) and shown and not address.path:
            yield shown
        else:
            yield str(uuid.uuid4())


def schemas(address: Address) -> tuple[Structured | None, Structured | None]:
    """The types of what a request sends to an address and of what it is answered.

    Where a collection is answered, the type is its items'.
    """
    call = address.call
    if call is not None:
        operation, known = call.overloads[0], address.view.schemas
        answered = known.find(operation.returns.type.name) if operation.returns else None
        return known.parameters(operation), answered
    if address.path:
        declared = edm.property_at(address.resource.type, address.path)
        item = declared.item if isinstance(declared, edm.Collection) else declared
        schema = item.schema if isinstance(item, edm.Complex) else None
        return schema, schema
    return address.type, address.type


def _entities(exchange: DocumentedExchange, page: ReferencePage) -> list[dict[str, Any]]:
    """The entities that a response shows with their keys."""
    if exchange.address.kind not in _SHOWING:
        return []
    shown = exchange.answer
    if isinstance(shown, dict) and isinstance(shown.get("value"), list):
        shown = shown["value"]
    found = shown if isinstance(shown, list) else [shown]
    entities = [each for each in found if isinstance(each, dict) and each.get("id")]
    for entity in entities:
        try:
            edm.load(exchange.address.type, entity)
        except GraphError as error:
            raise MockGraphError(
                f"The response on the page {page.name} does not fit: {error}"
            ) from None
    return entities


def _state_needed(address: Address, body: Json, answer: Json) -> dict[str, Any]:
    """The singleton of a state in which the request can have the documented answer.

    What a write sets is left out, so that the answer shows the write and not the seed.
    """
    if address.call is not None:
        return _state_for_call(address, body, answer)
    if address.kind is RequestKind.CREATE or not address.steps:
        return _placed(address, [])
    if address.kind is RequestKind.LIST and isinstance(answer, dict):
        return _placed(address, answer.get("value", []))
    shown = dict(answer) if isinstance(answer, dict) and not address.path else {}
    if address.writes and isinstance(body, dict):
        shown = {name: value for name, value in shown.items() if name not in body}
    if address.key is not None:
        shown["id"] = address.key
    return _placed(address, shown)


def _placed(address: Address, value: Any) -> dict[str, Any]:
    """The singleton of a state that has an entity, or a list, where an address points to."""
    inner = value
    for step in reversed(address.steps[1:]):
        if step.resource.is_collection and step.key is not None:
            given = inner if isinstance(inner, dict) else {}
            inner = [{**given, "id": step.key}]
        inner = {step.resource.name: inner}
    return inner if isinstance(inner, dict) else {}


def _state_for_call(address: Address, body: Json, answer: Json) -> dict[str, Any]:
    """The entities that an action's parameters name, by key or, as text, by external id.

    Of an entity that is shown as it is afterwards, what the action does not set is there before.
    """
    if address.key is not None or not address.resource.is_collection:
        return _placed(address, {})
    values = body.get("value", []) if isinstance(body, dict) else []
    shown = answer.get("value", []) if isinstance(answer, dict) else []
    before = {each["id"]: each for each in shown if isinstance(each, dict) and each.get("id")}
    external = "externalId" in address.type.properties()
    entities = []
    for value in values:
        if isinstance(value, str):
            entities.append({"id": value, **({"externalId": value} if external else {})})
        elif name := value.get("id"):
            kept = {key: item for key, item in before.get(name, {}).items() if key not in value}
            entities.append({"id": name, **kept})
    behaviour = BEHAVIOURS.get(address.call.name) if address.call else None
    return _placed(address, [] if behaviour is not None and behaviour.creates else entities)


def _concrete(schema: Structured | None, value: Json) -> Json:
    """The value with a member, or an instant, where the page prints a word for any."""
    if schema is None:
        return value
    if isinstance(value, list):
        return [_concrete(schema, item) for item in value]
    if not isinstance(value, dict):
        return value
    declared = schema.properties()
    return {
        name: _concrete_value(declared[name], item)
        if name in declared
        else (_concrete(schema, item) if name == "value" else item)
        for name, item in value.items()
    }


def _is_placeholder(value: Json) -> bool:
    """Whether a page prints a word for any value: "String", "String (timestamp)", "{status}"."""
    if not isinstance(value, str):
        return False
    return value == "String" or not re.fullmatch(r"[\w.:+-]+", value)


def _concrete_value(declared: edm.PropertyField, value: Json) -> Json:
    if isinstance(declared, edm.Enum) and _is_placeholder(value):
        return next(iter(declared.values.members))
    if isinstance(declared, edm.DateTimeOffset) and _is_placeholder(value):
        return _SOME_INSTANT
    if isinstance(declared, edm.Complex):
        return _concrete(declared.schema, value)
    if isinstance(declared, edm.Collection) and isinstance(value, list):
        return [_concrete_value(declared.item, item) for item in value]
    return value
