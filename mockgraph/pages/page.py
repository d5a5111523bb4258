"""A reference page as values: operations, properties, permissions, examples, representations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from mockgraph.errors import MockGraphError
from mockgraph.metadata.names import Json
from mockgraph.pages.blocks import (
    Fence,
    Heading,
    Paragraph,
    Table,
    closed,
    plain_text,
    read_blocks,
    split_front_matter,
)
from mockgraph.pages.documented_examples import Example, block_type, is_true, paired, text_of
from mockgraph.pages.messages import parse_json, parse_request_line

# In characters. Pages have tens of thousands; the worst text of this length takes seconds.
MAX_PAGE = 512 * 1024

_HTTP_LANGUAGES = frozenset({"", "http", "msgraph-interactive"})
_NAME = re.compile(r"[A-Za-z_]\w*")
_PRIMITIVE = re.compile(
    r"(?:Edm\.)?(?:String|Boolean|Int\d+|DateTimeOffset|Double)\b", re.IGNORECASE
)
_TYPE = re.compile(r"(?:Collection\()?[A-Za-z][\w.]*\)?(?: \w+)?", re.IGNORECASE)
_PERMISSION = re.compile(r"\b[A-Z][\w-]*(?:\.[A-Z][\w-]*){1,3}\b")
_RESOURCE_LINK = re.compile(r"\]\([^()#\s]*?([\w-]+)(?:\.md)?(?:#[\w-]*)?\)")
_NAMESPACE = re.compile(r"^[^:\n]{1,30}:\s*(microsoft\.graph[\w.]*)\s*$", re.MULTILINE)
_INHERITS = re.compile(r"(?i)(?:inherit(?:s|ed)|derive[sd]) from (\[[^\]]*\]\([^)]*\))")
_STATUS = re.compile(r"`\s*([1-5]\d\d)\b[^`]*`")
_MEMBERS = re.compile(r"possible values(?: are)?:?", re.IGNORECASE)
_MEMBER = re.compile(r"[\s,;]*(?:(?:and|or)\s+)?`([^`]+)`")


class DocumentedOperation(NamedTuple):
    """A method and a URL template, from the section "HTTP request"."""

    method: str
    url: str


class DocumentedProperty(NamedTuple):
    """A row of a property table; ``members`` where the description lists possible values.

    ``target`` is the name of the page that its type links to, in small letters, without ``.md``.
    """

    name: str
    type: str
    description: str
    members: tuple[str, ...] = ()
    target: str = ""


class Representation(NamedTuple):
    """A resource's JSON representation, and what its annotation says of the type."""

    type_name: str | None
    key_property: str | None
    base_type: str | None
    open_type: bool
    body: str

    def json(self) -> Json:
        """Return the representation parsed; MockGraphError where the page prints no JSON."""
        return parse_json(self.body)


@dataclass(frozen=True, kw_only=True)
class ReferencePage:
    """A reference page as data.

    ``permissions`` maps a permission type to the text beside it, ``enumerations`` the name of an
    enumeration to the members that a table lists. ``statuses`` are those that the prose of the
    section "Response" names, and ``returns`` the page of the resource that it links to.
    ``skipped`` says, of each block that could not be used, where it is and why.
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
    namespace: str = ""
    relationships: tuple[DocumentedProperty, ...] = ()
    enumerations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    statuses: frozenset[int] = frozenset()
    returns: str = ""
    base: str = ""


def unread(name: str, reason: str) -> ReferencePage:
    """Return a page of which nothing could be read, and why."""
    return ReferencePage(
        name=name, title="", description="", doc_type="", operations=(), properties=(),
        permissions=MappingProxyType({}), examples=(), representations=(), skipped=(reason,),
    )  # fmt: skip


def read_page(text: str, name: str) -> ReferencePage:
    """Return the values of one page; ``name`` is what errors and reports call it.

    Raises MockGraphError for a page that is too long.
    """
    if len(text) > MAX_PAGE:
        raise MockGraphError(f"{name}: longer than the {MAX_PAGE} characters a page may have")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    fields, markdown = split_front_matter(text)
    markdown, unclosed = closed(markdown)
    blocks = list(read_blocks(markdown))
    fences = [block for block in blocks if isinstance(block, Fence)]
    tables = [block for block in blocks if isinstance(block, Table)]
    prose = [block for block in blocks if isinstance(block, Paragraph)]
    headings = (block.text for block in blocks if isinstance(block, Heading))
    answers = "\n".join(each.text for each in prose if _is_under(each.section, "response"))
    statuses = frozenset(int(each) for each in _STATUS.findall(answers))
    representations = tuple(_representations(fences))
    examples, skipped = paired(fences, statuses)
    properties, relationships = _properties(tables, bool(representations))
    hidden = (f"line {line}: a comment is opened and never closed" for line in unclosed)
    return ReferencePage(
        name=name,
        title=fields.get("title") or next(headings, ""),
        description=fields.get("description", ""),
        doc_type=fields.get("doc_type", ""),
        operations=tuple(_operations(fences)),
        properties=properties,
        permissions=_permissions(tables),
        examples=examples,
        representations=representations,
        skipped=(*hidden, *skipped),
        namespace=_first(_NAMESPACE, (each.text for each in prose)),
        relationships=relationships,
        enumerations=_enumerations(tables),
        statuses=statuses,
        returns=_target(answers),
        base=_target(_first(_INHERITS, (each.text for each in prose))),
    )


def _first(pattern: re.Pattern[str], texts: Iterable[str]) -> str:
    """The group of the first text that has one."""
    return next((found[1] for text in texts if (found := pattern.search(text))), "")


def _target(markdown: str) -> str:
    """The page of the first resource that a text links to."""
    found = _RESOURCE_LINK.search(markdown)
    return found[1].lower() if found else ""


def _operations(fences: Iterable[Fence]) -> Iterator[DocumentedOperation]:
    for fence in fences:
        if fence.language in _HTTP_LANGUAGES and _is_under(fence.section, "http request"):
            for line in fence.text.split("\n"):
                if parsed := parse_request_line(line):
                    yield DocumentedOperation(*parsed)


def _properties(
    tables: Iterable[Table], is_resource: bool
) -> tuple[tuple[DocumentedProperty, ...], tuple[DocumentedProperty, ...]]:
    """The properties and the relationships that the tables list.

    Tables are known by the heads "Property" and "Relationship" and, for the body of an action,
    "Parameter"; those of resources, whose heads are in any language, by what is in them.
    """
    properties: list[DocumentedProperty] = []
    relationships: list[DocumentedProperty] = []
    for table in tables:
        header = [plain_text(cell).lower() for cell in table.header]
        is_relation = header[0] == "relationship" or _is_under(table.section[-1:], "relation")
        is_known = (
            is_relation
            or header[0] == "property"
            or (header[0] == "parameter" and _is_under(table.section, "request body"))
        )
        if is_known or (is_resource and _lists_properties(table)):
            named = header if is_known and "type" in header else ["name", "type", "description"]
            rows = (_row(row, named) for row in table.rows)
            (relationships if is_relation else properties).extend(
                each for each in rows if each.name
            )
    return tuple(properties), tuple(relationships)


def _row(row: tuple[str, ...], header: list[str]) -> DocumentedProperty:
    cells = dict(zip(header, row, strict=False))
    kind, description = cells.get("type", ""), cells.get("description", "")
    return DocumentedProperty(
        plain_text(row[0]),
        plain_text(kind),
        plain_text(description),
        tuple(_members(description)),
        _target(kind),
    )


def _lists_properties(table: Table) -> bool:
    """Whether each row begins with a name and a type, and one of them with a primitive type."""
    cells = [(plain_text(row[0]), plain_text(row[1])) for row in table.rows if len(row) > 1]
    return (
        bool(cells)
        and all(_NAME.fullmatch(name) and _TYPE.fullmatch(kind) for name, kind in cells)
        and any(_PRIMITIVE.match(kind) for _, kind in cells)
    )


def _members(description: str) -> Iterator[str]:
    """The run of names in code marks after "Possible values are:"."""
    at = _MEMBERS.search(description)
    while at and (at := _MEMBER.match(description, at.end())):
        yield at[1]


def _enumerations(tables: Iterable[Table]) -> Mapping[str, tuple[str, ...]]:
    """The members that tables below a heading such as "alertStatus values" list."""
    found: dict[str, tuple[str, ...]] = {}
    for table in tables:
        name = table.section[-1].partition(" ")[0] if table.section else ""
        head = plain_text(table.header[0]).lower()
        cells = [plain_text(row[0]) for row in table.rows]
        is_named = _NAME.fullmatch(name) and table.section[-1].lower().endswith(" values")
        if cells and (is_named or head == "member") and all(map(_NAME.fullmatch, cells)):
            found[name] = tuple(dict.fromkeys(cells))
    return MappingProxyType(found)


def _permissions(tables: Iterable[Table]) -> Mapping[str, str]:
    """The table of permission types; newer pages split the permissions into two columns.

    Its head is in any language: names of permissions tell it.
    """
    found: dict[str, str] = {}
    for table in tables:
        is_named = plain_text(table.header[0]).lower() == "permission type"
        if is_named or (not found and _lists_permissions(table)):
            for kind, *permissions in table.rows:
                text = ", ".join(filter(None, map(plain_text, permissions)))
                found.setdefault(plain_text(kind), text)
    return MappingProxyType(found)


def _lists_permissions(table: Table) -> bool:
    cells = [plain_text(cell) for row in table.rows for cell in row[1:]]
    return (
        len(table.rows) in (2, 3)
        and any(permission_names(cell) for cell in cells)
        and not any(" " in cell and permission_names(cell) and "," not in cell for cell in cells)
    )


def permission_names(text: str) -> tuple[str, ...]:
    """Return the permissions that a text names: ``SecurityAlert.Read.All``."""
    return tuple(dict.fromkeys(_PERMISSION.findall(text)))


def _representations(fences: Iterable[Fence]) -> Iterator[Representation]:
    for fence in fences:
        if block_type(fence) == "resource":
            yield Representation(
                type_name=text_of(fence, "@odata.type"),
                key_property=text_of(fence, "keyProperty"),
                base_type=text_of(fence, "baseType"),
                open_type=is_true(fence, "openType"),
                body=fence.text.strip(),
            )


def _is_under(section: Iterable[str], heading: str) -> bool:
    return any(text.lower().startswith(heading) for text in section)
