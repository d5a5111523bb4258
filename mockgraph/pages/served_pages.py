"""Pages as what a server serves: their service, and what the operations that they show answer."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from mockgraph import metadata as edm
from mockgraph.errors import GraphError, MockGraphError
from mockgraph.metadata import roots
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Service
from mockgraph.pages.examples import DocumentedExchange, pages_of, read_exchange, schemas
from mockgraph.pages.page_operations import (
    ShownAnswer,
    ShownCreation,
    answers_what_is_kept,
    given_at_creation,
    is_of_pages,
    shown_answers,
)
from mockgraph.pages.page_service import page_models
from mockgraph.service import service_of
from mockgraph.state.behaviours import Behaviour
from mockgraph.state.intent import RequestKind


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

    Their parameters are validated, and what they are bound to has to be there. Types that pages
    alone declare are among them: of what a new entity of theirs is given.
    """
    found: dict[str, list[ShownAnswer]] = {}
    given: dict[str, list[ShownCreation]] = {}
    for page in pages_of(docs) if docs else ():
        for example in page.examples:
            try:
                exchange = read_exchange(example, service, page)
            except (GraphError, MockGraphError):
                continue
            if is_of_pages(exchange.address) and exchange.status < 300:
                found.setdefault(exchange.address.call_name or "", []).append(_shown(exchange))
            elif exchange.address.kind is RequestKind.CREATE and exchange.status == 201:
                name, creation = _creation(exchange)
                given.setdefault(name, []).append(creation)
    made = {
        name: given_at_creation(name, several)
        for name, several in given.items()
        if any(each.given for each in several)
    }
    return {**made, **{name: shown_answers(several) for name, several in found.items()}}


def _creation(exchange: DocumentedExchange) -> tuple[str, ShownCreation]:
    """The type of a new entity, and what of it is shown and was not sent: words and numbers."""
    shown = exchange.answer if isinstance(exchange.answer, dict) else {}
    sent = exchange.body if isinstance(exchange.body, dict) else {}
    own = edm.own_type(exchange.address.type, shown)
    declared = own.properties()
    given = {
        name: value
        for name, value in shown.items()
        if name in declared
        and name not in sent
        and name not in edm.key_names(own)
        and f"/{name.lower()}" not in exchange.words
        and isinstance(value, (str, int, float))
        and not isinstance(declared[name], edm.DateTimeOffset)
        and value != ""
    }
    return own.type_name, ShownCreation(sent, given)


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
        answers_what_is_kept(address) and exchange.status == 200,
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
