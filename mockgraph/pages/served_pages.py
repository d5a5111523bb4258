"""Pages as what a server serves: their service, and what the operations that they show answer."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from mockgraph.errors import GraphError, MockGraphError
from mockgraph.metadata import roots
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Service
from mockgraph.pages.examples import DocumentedExchange, pages_of, read_exchange, schemas
from mockgraph.pages.page_service import page_models
from mockgraph.service import service_of
from mockgraph.state.behaviours import Behaviour, Effect, Invocation, Result
from mockgraph.state.transactions import Transaction


def service_with(
    docs: Sequence[str | os.PathLike[str]], csdl: Sequence[str | os.PathLike[str]] = ()
) -> Service:
    """Return the service of the bundled metadata and of what pages in directories describe.

    Where CSDL files are given, they say the types, and the pages the examples alone.
    """
    if not docs or csdl:
        return service_of(csdl)
    return service_of((), page_models(pages_of(docs), _bundled))


def _bundled(root: str) -> Model | None:
    return roots.served(root) if root in roots.DECLARED else None


def documented_answers(
    docs: Sequence[str | os.PathLike[str]], service: Service
) -> dict[str, Behaviour]:
    """Return behaviours for the operations that pages alone declare: they answer as is shown.

    Their parameters are validated, and what they are bound to has to be there; what they change
    no page says, and nothing is changed.
    """
    found: dict[str, Behaviour] = {}
    for page in pages_of(docs) if docs else ():
        for example in page.examples:
            try:
                exchange = read_exchange(example, service, page)
            except (GraphError, MockGraphError):
                continue
            name = exchange.address.call_name
            if name is not None and name not in found and is_of_pages(name, service):
                found[name] = Behaviour(_answering(exchange))
    return found


def is_of_pages(name: str, service: Service) -> bool:
    """Return whether pages alone declare an operation, and no bundled metadata."""
    declared = any(view.model.operations(name) for view in service.views.values())
    return declared and not any(roots.served(root).operations(name) for root in roots.DECLARED)


def _answering(exchange: DocumentedExchange) -> Effect:
    answer, status = exchange.answer, exchange.status
    _, schema = schemas(exchange.address)
    value: Json = answer
    if (
        isinstance(answer, dict)
        and "value" in answer
        and (schema is None or isinstance(answer["value"], list))
    ):
        value = answer["value"]

    def effect(_: Transaction, __: Invocation) -> Result:
        return Result(value, status)

    return effect


def merged_behaviours(
    docs: Sequence[str | os.PathLike[str]],
    service: Service,
    behaviours: Mapping[str, Behaviour],
) -> Mapping[str, Behaviour]:
    """Return behaviours, and beside them the documented answers of operations that have none."""
    return {**documented_answers(docs, service), **behaviours} if docs else behaviours
