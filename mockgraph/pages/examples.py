"""The documented examples, read against the service: what each one asks, and needs, and shows.

Pages have habits: a word stands for a value, keys are ``{placeholders}``, a single object comes
wrapped in ``value``. Here they become exchanges that a server can be held to, and the state that
they show together.
"""

from __future__ import annotations

import logging
import os
import re
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest, GraphError, MockGraphError
from mockgraph.metadata.elements import TypeRef
from mockgraph.metadata.entries import read_entry
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import ResourceKind, Service
from mockgraph.odata import addressing
from mockgraph.pages import Example, ReferencePage, bundled_pages, read_pages, reference_pages
from mockgraph.pages.example_state import put_rows, put_target, referred, state_needed
from mockgraph.pages.fitting import Fitting, Misfit, is_placeholder
from mockgraph.pages.needed_state import NeededState, entity_key
from mockgraph.pages.page_operations import answers_what_is_kept, gives_what_it_is_bound_to
from mockgraph.pages.url_tree import is_path
from mockgraph.state.documents import SECURITY, read_document
from mockgraph.state.intent import Address, RequestKind, Step
from mockgraph.state.table_rules import check_key

Structured = type[edm.StructuredSchema]

# The operations whose answers show entities as they are stored.
_SHOWING = frozenset([RequestKind.READ, RequestKind.LIST, RequestKind.UPDATE, RequestKind.CREATE])
# The request headers of a page that say something of the answer.
_SENT = frozenset(["prefer", "consistencylevel", "accept", "if-match", "if-none-match"])

_MOST_TOLD = 10  # pages
_MOST_LEFT_OUT = 50  # entities
_MOST_CHARACTERS = 300  # of a line about one
_logger = logging.getLogger("mockgraph")

_PLACEHOLDER = re.compile(r"\{[^}/]*\}|<[^>/]*>")
_SAFE = "/$&=(),'@:;!*+?%-._~"


class DocumentedExchange(NamedTuple):
    """A documented request made sendable, what it is answered, and the state it needs.

    ``path`` goes from the root on; ``body`` and ``answer`` are JSON values, None where there
    is no body, fitted to their types; ``state`` is a state document. ``notes`` say what the page
    has wrong. ``words`` are the paths in the answer where it prints a word for any value, in small
    letters, ``/value/0/code``. ``made`` are the properties that the service gives an entity,
    ``now`` is the time at which the answer is due, None for any.
    """

    method: str
    path: str
    body: Json
    status: int
    answer: Json
    address: Address
    state: Mapping[str, Any]
    headers: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()
    made: frozenset[str] = frozenset()
    now: str | None = None
    truncated: bool = False
    words: frozenset[str] = frozenset()


def pages_of(docs: Iterable[str | os.PathLike[str]]) -> tuple[ReferencePage, ...]:
    """Return the pages in these directories, the bundled ones where there are none."""
    read = tuple(page for directory in docs for page in read_pages(directory))
    return read or bundled_pages()


def replayed_pages(docs: Sequence[str | os.PathLike[str]]) -> tuple[ReferencePage, ...]:
    """Return the pages that a replay takes: those in directories, or all that are bundled."""
    return pages_of(docs) if docs else (*bundled_pages(), *reference_pages())


# -- the state that pages show ------------------------------------------------------------------


def documented(service: Service, pages: Iterable[ReferencePage]) -> dict[str, Any]:
    """Return the state document that the pages' responses show, with what is below its sets.

    Of pages with blocks that cannot be used the log says so, for the first 10 of them.
    """
    unused: list[str] = []
    state = NeededState()
    for page in pages:
        faults = list(page.skipped)
        for example in page.examples:
            try:
                _show(read_exchange(example, service, page), state)
            except (GraphError, MockGraphError) as error:
                faults.append(f"{example.request.method} {example.request.target}: {error}")
        if faults:
            unused.append(_summary(page, faults))
    unused += [f"What pages show is not used: {told}" for told in _left_out(state, service)]
    for line in unused[:_MOST_TOLD]:
        _logger.info("%s", line)
    if len(unused) > _MOST_TOLD:
        _logger.info("... and %d more pages; mockgraph replay lists all", len(unused) - _MOST_TOLD)
    return state.document


def _left_out(state: NeededState, service: Service) -> Iterator[str]:
    """Take out of a state what does not fit together, though each entity does; say what it was."""
    for _ in range(_MOST_LEFT_OUT):
        try:
            read_document(state.document, service)
        except BadRequest as error:
            yield error.message[:_MOST_CHARACTERS]
            if not _take_out(state.document, error.message.partition(":")[0].split("/")):
                break
        else:
            return
    state.document = {SECURITY: {}}


def _take_out(document: dict[str, Any], path: Sequence[str]) -> bool:
    """Take the innermost entity on a path out of a document; whether there was one."""
    at: Any = document
    found: tuple[list[Any], int] | None = None
    for name in path:
        if isinstance(at, list) and name.isdecimal() and int(name) < len(at):
            found, at = (at, int(name)), at[int(name)]
        elif isinstance(at, dict) and name in at:
            at = at[name]
        else:
            break
    if found is not None:
        del found[0][found[1]]
    return found is not None


def _show(exchange: DocumentedExchange, state: NeededState) -> None:
    """Put the entities that a response shows with their keys where they are."""
    address = exchange.address
    if address.kind not in _SHOWING or exchange.status >= 300:
        return
    *above, last = address.steps
    for step in above:
        if step.key is not None and _PLACEHOLDER.search(step.key):
            return
        if step.key is not None:
            check_key(step.key, step.resource, "")
    shown = exchange.answer
    if isinstance(shown, dict) and isinstance(shown.get("value"), list):
        shown = shown["value"]
    for entity in shown if isinstance(shown, list) else [shown]:
        if not isinstance(entity, dict):
            continue
        key = entity_key(last.resource, entity) if last.resource.is_collection else None
        if last.resource.is_collection and key is None:
            continue
        _check_stored(entity, address)
        state.put([*above, Step(last.resource, key)], entity, address.cast or "")


def _check_stored(entity: Mapping[str, Json], address: Address) -> None:
    """Raise BadRequest where the state, which has all roots' types, would refuse an entity."""
    resource = address.view.stored.resource(address.resource.path) or address.resource
    known = resource.children()
    contained = {
        name: item
        for name, item in entity.items()
        if name.lower() not in known or known[name.lower()].kind is ResourceKind.CONTAINED
    }
    schema = address.view.stored.schemas.find(address.cast) if address.cast else None
    read_entry(resource, contained, schema)


def _summary(page: ReferencePage, faults: Sequence[str]) -> str:
    """Return the faults of a page in one line."""
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    text = f"The page {page.name} is not used in whole: {faults[0]}"
    return " ".join(text.split())[:_MOST_CHARACTERS] + more


# -- one example --------------------------------------------------------------------------------


def read_exchange(
    example: Example, service: Service, page: ReferencePage | None = None
) -> DocumentedExchange:
    """Return an example as an exchange. Raises GraphError where its request leads nowhere here,
    MockGraphError where the page cannot be understood."""
    request, response = example.request, example.response
    if response is None:
        raise MockGraphError("the page shows no response")
    target = _rooted(request.target, service, page)
    path, _, query = target.partition("?")
    if _PLACEHOLDER.search(unquote(query)) or "..." in query:
        raise MockGraphError("the query of the request holds a placeholder")
    if not is_path(path):
        raise MockGraphError("the URL of the request is none")
    address = addressing.resolve(request.method, unquote(path), service)
    fitting = Fitting(address.view)
    for note in (*request.faults(), *response.faults()):
        fitting.note(f"the body is not quite JSON: {note}")
    body = _fitted_request(address, request.json(), fitting)
    answer = _fitted_answer(address, response.status, response.unwrapped(), fitting)
    steps = tuple(_keyed(address, answer, fitting))
    words = frozenset(_words(response.unwrapped(), ""))
    answer = _by_request(address, steps, answer, body, words, fitting)
    answer = _selected(query, answer, fitting)
    headers = {k: v for k, v in request.headers if k.lower() in _SENT and v.isascii()}
    if _lacks_preference(example, address, page):
        fitting.note("the request lacks the header 'Prefer', by which 200 is answered")
        headers["Prefer"] = "return=representation"
    shown = answer if response.status < 300 else None
    needed = state_needed(address.at(steps), body, shown)
    for url in referred(body):
        put_target(url, address, service, needed)
    now = put_rows(address, body, answer, needed)
    if address.kind in _SHOWING and response.status < 300:
        answer = _collapsed(query, address, answer, fitting)
    return DocumentedExchange(
        method=request.method,
        path=_filled(path, address, steps) + (f"?{quote(query, safe=_SAFE)}" if query else ""),
        body=body,
        status=response.status,
        answer=answer,
        address=address,
        state=needed.document,
        headers=headers,
        notes=tuple(fitting.notes),
        made=_made(page) if address.kind is RequestKind.CREATE else frozenset(),
        now=now,
        truncated=response.truncated,
        words=words,
    )


def _lacks_preference(example: Example, address: Address, page: ReferencePage | None) -> bool:
    """Whether an update shows what only a preference brings, which its text tells of."""
    response, statuses = example.response, page.statuses if page is not None else frozenset()
    return (
        address.kind is RequestKind.UPDATE
        and address.resource.rules.update.answers == 204
        and {200, 204} <= statuses
        and response is not None
        and response.status == 200
        and example.request.header("prefer") is None
    )


def _rooted(target: str, service: Service, page: ReferencePage | None) -> str:
    """The target of a request with the root in front, which some pages leave out."""
    try:
        first = urlsplit(target).path.strip("/").partition("/")[0].lower()
    except ValueError:
        raise MockGraphError("the URL of the request is none") from None
    if first in service.views:
        return target
    near = "beta" if page is not None and "beta" in page.name.split("/") else "v1.0"
    for name in (near, *service.views):
        if name in service.views and first in service.views[name].children:
            return f"/{name}{target}"
    return target


def _filled(path: str, address: Address, steps: Sequence[Step]) -> str:
    """The path with a key in place of each placeholder."""
    keys = iter(
        quote(step.key or "", safe="")
        for step, asked in zip(steps, address.steps, strict=True)
        if asked.key is not None and _PLACEHOLDER.search(asked.key)
    )
    filled = _PLACEHOLDER.sub(lambda _: next(keys, "1"), unquote(path))
    return quote(filled, safe=_SAFE)


def _fitted_request(address: Address, body: Json, fitting: Fitting) -> Json:
    asked, _ = schemas(address)
    if address.kind in (RequestKind.CREATE, RequestKind.UPDATE) and isinstance(body, dict):
        return fitting.entity(address.resource, address.type, body)
    if address.path:
        return fitting.structured(asked, body)
    return fitting.structured(asked, body) if address.call is not None else body


def _fitted_answer(address: Address, status: int, answer: Json, fitting: Fitting) -> Json:
    """The answer with what its type has; one object where one is answered, else a collection."""
    if status >= 400 or answer is None:
        return answer
    if address.kind in _SHOWING:
        items = answer.get("value") if isinstance(answer, dict) else answer
        resource = address.resource
        if address.kind is RequestKind.LIST:
            if not isinstance(items, list):
                fitting.note("one object is shown where a collection is answered")
                items = [answer]
            if not all(isinstance(each, dict) for each in items):
                raise MockGraphError("the collection that is shown holds no objects")
            keys = [key for each in items if (key := entity_key(resource, each)) is not None]
            if len(set(keys)) < len(keys):
                fitting.note("two of the entities that are shown have the same key")
            return {"value": [fitting.entity(resource, address.type, each) for each in items]}
        if isinstance(items, list) and "value" not in address.type.properties():
            fitting.note("a collection is shown where one object is answered")
            answer = items[0] if items else None
        return fitting.entity(resource, address.type, answer)
    _, shown = schemas(address)
    if gives_what_it_is_bound_to(address):
        resource = address.resource
        items = answer.get("value") if isinstance(answer, dict) else None
        if isinstance(items, list):
            return {"value": [fitting.entity(resource, address.type, each) for each in items]}
        return fitting.entity(resource, address.type, answer)
    if isinstance(answer, dict) and "value" in answer and _is_wrapped(address, shown):
        return {"value": _fitted_value(address, shown, answer["value"], fitting)}
    return fitting.structured(shown, answer)


def _is_wrapped(address: Address, shown: Structured | None) -> bool:
    """Whether the answer has its value in ``value``: a collection, or no structured one."""
    return shown is None or _returns(address).collection


def _returns(address: Address) -> TypeRef:
    if address.call is not None:
        returns = address.call.overloads[0].returns
        return returns.type if returns else TypeRef("Edm.Untyped")
    declared = edm.property_at(address.type, address.path) if address.path else None
    return TypeRef("Edm.Untyped", isinstance(declared, edm.Collection))


def _fitted_value(
    address: Address, shown: Structured | None, value: Json, fitting: Fitting
) -> Json:
    if shown is not None:
        return fitting.structured(shown, value)
    declared: edm.PropertyField | None = None
    if address.call is not None:
        declared = address.view.schemas.property(_returns(address))
    elif address.path:
        declared = edm.property_at(address.type, address.path)
    try:
        return value if declared is None else fitting.value(declared, value)
    except Misfit as misfit:
        fitting.note(f"the value {misfit}")
        return value


def _keyed(address: Address, answer: Json, fitting: Fitting) -> Iterator[Step]:
    """The steps of a path with their keys: those given, the one shown, or new ones."""
    reads = answers_what_is_kept(address)
    for step in address.steps:
        if step.key is None:
            yield step
            continue
        is_last = step is address.steps[-1] and (address.call is None or reads)
        shown = entity_key(step.resource, answer) if is_last and not address.path else None
        if not _PLACEHOLDER.search(step.key):
            if shown not in (None, step.key):
                fitting.note(f"'{step.key[:40]}' is asked for, and '{str(shown)[:40]}' shown")
            yield step
        else:
            yield step._replace(key=shown or str(uuid.uuid4()))


def _by_request(
    address: Address,
    steps: Sequence[Step],
    answer: Json,
    body: Json,
    words: Collection[str],
    fitting: Fitting,
) -> Json:
    """The answer with the key that was asked for, and with what was sent in place of a word."""
    if not isinstance(answer, dict) or not steps or address.path:
        return answer
    if address.call is not None:
        _check_items(answer.get("value"), body, fitting)
        return answer
    answer = dict(answer)
    key, names = steps[-1].key, edm.key_names(address.resource.type)
    if key is not None and len(names) == 1 and names[0] in answer:
        answer[names[0]] = key
    if address.writes and isinstance(body, dict):
        for name, sent in body.items():
            is_text = isinstance(sent, str) and isinstance(answer.get(name), str)
            if name in answer and f"/{name.lower()}" in words:
                answer[name] = sent
            elif is_text and answer[name] != sent and answer[name].lower() == sent.lower():
                fitting.note(f"'{answer[name]}' is spelt '{sent}' by the request")
                answer[name] = sent
            elif name in answer:
                _check_shown(name, answer[name], sent, fitting)
    return answer


def _check_items(shown: Json, body: Json, fitting: Fitting) -> None:
    """Note where an action shows the entities that it was sent otherwise than they were."""
    sent = body.get("value") if isinstance(body, dict) else None
    pairs = zip(shown, sent, strict=False) if isinstance(shown, list) and sent else ()
    for item, given in pairs:
        if not isinstance(item, dict) or not isinstance(given, dict):
            continue
        if "id" in given and given["id"] != item.get("id"):
            continue
        for name in item.keys() & given.keys():
            _check_shown(name, item[name], given[name], fitting)


def _check_shown(name: str, shown: Json, sent: Json, fitting: Fitting) -> None:
    if not name.startswith("@") and _contradicts(shown, sent):
        fitting.note(f"'{name}' is shown with another value than the request writes")


def _contradicts(shown: Json, sent: Json) -> bool:
    """Whether a value that is shown is not what was sent; of an object, what both have counts."""
    if isinstance(shown, dict) and isinstance(sent, dict):
        both = (name for name in shown.keys() & sent.keys() if not name.startswith("@"))
        return any(_contradicts(shown[name], sent[name]) for name in both)
    return bool(shown != sent)


def _selected(query: str, answer: Json, fitting: Fitting) -> Json:
    """The answer with the properties that ``$select`` asks for, where it asks for any."""
    names = {
        each.strip().lower()
        for option in unquote(query).replace("+", " ").split("&")
        if option.lower().startswith("$select=")
        for each in option.partition("=")[2].split(",")
    }
    if not names or "*" in names or any("/" in each for each in names):
        return answer
    expanded = "$expand" in query.lower()

    def narrowed(item: Json) -> Json:
        if not isinstance(item, dict) or expanded:
            return item
        kept = ("id", "value", "@odata.type")
        more = [each for each in item if each.lower() not in names and each not in kept]
        for name in more:
            fitting.note(f"'{name}' is shown, which $select does not ask for")
        return {name: value for name, value in item.items() if name not in more}

    if isinstance(answer, dict) and isinstance(answer.get("value"), list):
        return {**answer, "value": [narrowed(each) for each in answer["value"]]}
    return narrowed(answer)


def _collapsed(query: str, address: Address, answer: Json, fitting: Fitting) -> Json:
    """The answer without the entities that are answered where ``$expand`` asks for them."""
    known = {each.name: each for each in address.resource.children(address.cast).values()}
    options = unquote(query).replace("+", " ")
    expanded = {
        name.strip().lower()
        for option in re.findall(r"(?i)\$expand=([^&]*)", options)
        for name in re.split(r"\([^()]*\)|,", option)
    }

    def narrowed(item: Json) -> Json:
        if not isinstance(item, dict):
            return item
        more = [name for name in item if name in known and name.lower() not in expanded]
        for name in more:
            fitting.note(f"'{name}' is shown, which is answered where $expand asks for it")
        return {name: value for name, value in item.items() if name not in more}

    if "*" in expanded:
        return answer
    if address.kind is RequestKind.LIST and isinstance(answer, dict):
        return {**answer, "value": [narrowed(each) for each in answer["value"]]}
    return narrowed(answer)


def _words(value: Json, path: str) -> Iterator[str]:
    """The paths at which a value is a word for any, or nothing but the name of its type."""
    if path and isinstance(value, dict) and value.keys() == {"@odata.type"}:
        yield path
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _words(item, f"{path}/{name.strip().lower()}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _words(item, f"{path}/{index}")
    elif is_placeholder(value):
        yield path


def _made(page: ReferencePage | None) -> frozenset[str]:
    """The properties that no request may send, where a page lists those that one may.

    They are all that are not among these; ``*`` stands for them, with ``!`` before each other.
    """
    if page is None or not page.properties or page.representations:
        return frozenset()
    return frozenset({"*", *(f"!{each.name}" for each in page.properties)})


def schemas(address: Address) -> tuple[Structured | None, Structured | None]:
    """Return the types of what a request sends to an address and of what it is answered.

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
    if not address.steps:
        return None, None
    return address.type, address.type
