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
from mockgraph.pages.page_operations import (
    ShownAnswer,
    answers_what_is_kept,
    is_of_pages,
    shown_answers,
)
from mockgraph.pages.page_service import page_models
from mockgraph.service import service_of
from mockgraph.state.behaviours import Behaviour


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

    Their parameters are validated, and what they are bound to has to be there.
    """
    found: dict[str, list[ShownAnswer]] = {}
    for page in pages_of(docs) if docs else ():
        for example in page.examples:
            try:
                exchange = read_exchange(example, service, page)
            except (GraphError, MockGraphError):
                continue
            if is_of_pages(exchange.address) and exchange.status < 300:
                found.setdefault(exchange.address.call_name or "", []).append(_shown(exchange))
    return {name: shown_answers(several) for name, several in found.items()}


def _shown(exchange: DocumentedExchange) -> ShownAnswer:
    address, answer = exchange.address, exchange.answer
    _, schema = schemas(address)
    value: Json = answer
    if (
        isinstance(answer, dict)
        and "value" in answer
        and (schema is None or isinstance(answer["value"], list))
    ):
        value = answer["value"]
    bound = address.bound_to
    return ShownAnswer(
        "" if bound is None else bound.path,
        "" if bound is None else bound.type_name,
        exchange.body,
        value,
        exchange.status,
        answers_what_is_kept(address),
    )


def merged_behaviours(
    docs: Sequence[str | os.PathLike[str]],
    service: Service,
    behaviours: Mapping[str, Behaviour],
) -> Mapping[str, Behaviour]:
    """Return behaviours, and beside them the documented answers of operations that have none.

    Where behaviours are for some resources only, the documented answers are for the others.
    """
    answers = documented_answers(docs, service) if docs else {}
    either = {
        name: each._replace(otherwise=answers.get(name)) if each.applies else each
        for name, each in behaviours.items()
    }
    return {**answers, **either}
