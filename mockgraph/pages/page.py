"""A reference page as values: operations, properties, permissions, examples, representations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from mockgraph.errors import MockGraphError
from mockgraph.pages.blocks import Fence, Heading, Table, plain, read_blocks, split_front_matter
from mockgraph.pages.messages import (
    DocumentedRequest,
    DocumentedResponse,
    Json,
    parse_json,
    parse_request,
    parse_request_line,
    parse_response,
)

# In characters. Pages have tens of thousands; the worst text of this length takes seconds.
MAX_PAGE = 512 * 1024

_HTTP_LANGUAGES = frozenset({"", "http", "msgraph-interactive"})
_COLLECTION = re.compile(r"collection\((.*)\)", re.IGNORECASE)
_MEMBERS = re.compile(r"possible values(?: are)?:?", re.IGNORECASE)
_MEMBER = re.compile(r"[\s,;]*(?:(?:and|or)\s+)?`([^`]+)`")


class DocumentedOperation(NamedTuple):
    """A method and a URL template, from the section "HTTP request"."""

    method: str
    url: str


class DocumentedProperty(NamedTuple):
    """A row of a property table; ``members`` where the description lists possible values."""

    name: str
    type: str
    description: str
    members: tuple[str, ...] = ()


class Example(NamedTuple):
    """A request and the response after it; ``response`` is None where the page shows none."""

    name: str
    request: DocumentedRequest
    response: DocumentedResponse | None


class Representation(NamedTuple):
    """A resource's JSON representation, and what its annotation says of the type."""

    type_name: str | None
    key_property: str | None
    base_type: str | None
    open_type: bool
    body: str

    def json(self) -> Json:
        """The representation parsed; MockGraphError where the page prints no JSON."""
        return parse_json(self.body)


@dataclass(frozen=True, kw_only=True)
class ReferencePage:
    """A reference page as data.

    ``permissions`` maps a permission type to the text beside it. ``skipped`` says, of each
    request and response block that could not be used, where it is and why.
    """

    name: str
    title: str
    description: str
    doc_type: str
    operations: tuple[DocumentedOperation, ...]
    properties: tuple[DocumentedProperty, ...]
    permissions: Mapping[str, str]
    examples: tuple[Example, ...]
    representations: tuple[Representation, ...]
    skipped: tuple[str, ...]


def read_page(text: str, name: str) -> ReferencePage:
    """The values of one page; ``name`` is what errors and reports call it.

    Raises MockGraphError for a page that is too long, or whose rest is commented out by mistake.
    """
    if len(text) > MAX_PAGE:
        raise MockGraphError(f"{name}: longer than the {MAX_PAGE} characters a page may have")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    fields, markdown = split_front_matter(text)
    try:
        blocks = list(read_blocks(markdown))
    except MockGraphError as error:
        raise MockGraphError(f"{name}, {error}") from None
    fences = [block for block in blocks if isinstance(block, Fence)]
    tables = [block for block in blocks if isinstance(block, Table)]
    headings = (block.text for block in blocks if isinstance(block, Heading))
    examples, skipped = _examples(fences)
    return ReferencePage(
        name=name,
        title=fields.get("title") or next(headings, ""),
        description=fields.get("description", ""),
        doc_type=fields.get("doc_type", ""),
        operations=tuple(_operations(fences)),
        properties=tuple(_properties(tables)),
        permissions=_permissions(tables),
        examples=examples,
        representations=tuple(_representations(fences)),
        skipped=skipped,
    )


def _operations(fences: Iterable[Fence]) -> Iterator[DocumentedOperation]:
    for fence in fences:
        if fence.language in _HTTP_LANGUAGES and _is_under(fence.section, "http request"):
            for line in fence.text.split("\n"):
                if parsed := parse_request_line(line):
                    yield DocumentedOperation(*parsed)


def _properties(tables: Iterable[Table]) -> Iterator[DocumentedProperty]:
    """Rows of the tables headed "Property", or, for the body of an action, "Parameter"."""
    for table in tables:
        header = [plain(cell).lower() for cell in table.header]
        if header[0] == "property" or (
            header[0] == "parameter" and _is_under(table.section, "request body")
        ):
            for row in table.rows:
                cells = dict(zip(header, row, strict=False))
                description = cells.get("description", "")
                if name := plain(row[0]):
                    yield DocumentedProperty(
                        name,
                        plain(cells.get("type", "")),
                        plain(description),
                        tuple(_members(description)),
                    )


def _members(description: str) -> Iterator[str]:
    """The run of names in code marks after "Possible values are:"."""
    at = _MEMBERS.search(description)
    while at and (at := _MEMBER.match(description, at.end())):
        yield at[1]


def _permissions(tables: Iterable[Table]) -> Mapping[str, str]:
    """The table of permission types; newer pages split the permissions into two columns."""
    found: dict[str, str] = {}
    for table in tables:
        if plain(table.header[0]).lower() == "permission type":
            for kind, *permissions in table.rows:
                text = ", ".join(filter(None, map(plain, permissions)))
                found.setdefault(plain(kind), text)
    return MappingProxyType(found)


def _examples(fences: Iterable[Fence]) -> tuple[tuple[Example, ...], tuple[str, ...]]:
    """Requests, each with the response right after it, and what was left out."""
    examples: list[Example] = []
    skipped: list[str] = []
    is_open = False  # the last request can be read, and its response is yet to come
    for fence in fences:
        kind = _block_type(fence)
        if kind == "request":
            request = parse_request(fence.text)
            is_open = request is not None
            if request is None:
                skipped.append(f"line {fence.line}: the request does not start with a request line")
            else:
                examples.append(Example(_text(fence, "name") or "", request, None))
        elif kind == "response":
            response = _response(fence)
            if response is None:
                skipped.append(f"line {fence.line}: the response does not start with a status line")
            elif not is_open:
                skipped.append(f"line {fence.line}: the response follows no request")
            else:
                examples[-1] = examples[-1]._replace(response=response)
            is_open = False
    return tuple(examples), tuple(skipped)


def _response(fence: Fence) -> DocumentedResponse | None:
    type_name = _text(fence, "@odata.type")
    collection = _COLLECTION.fullmatch(type_name or "")
    return parse_response(
        fence.text,
        truncated=_is_true(fence, "truncated"),
        type_name=collection[1] if collection else type_name,
        is_collection=collection is not None or _is_true(fence, "isCollection"),
    )


def _representations(fences: Iterable[Fence]) -> Iterator[Representation]:
    for fence in fences:
        if _block_type(fence) == "resource":
            yield Representation(
                type_name=_text(fence, "@odata.type"),
                key_property=_text(fence, "keyProperty"),
                base_type=_text(fence, "baseType"),
                open_type=_is_true(fence, "openType"),
                body=fence.text.strip(),
            )


def _block_type(fence: Fence) -> str:
    return (_text(fence, "blockType") or "").lower()


def _text(fence: Fence, key: str) -> str | None:
    """A string of the annotation; None where it is empty or no string."""
    value = fence.annotation.get(key.lower())
    return value if isinstance(value, str) and value else None


def _is_true(fence: Fence, key: str) -> bool:
    """Pages write true, and "true" as a string."""
    return str(fence.annotation.get(key.lower())).lower() == "true"


def _is_under(section: Iterable[str], heading: str) -> bool:
    return any(text.lower().startswith(heading) for text in section)
