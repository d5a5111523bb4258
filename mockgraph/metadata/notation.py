r"""The notation of metadata: a model as plain text, one line a property, parsed when first used.

A document is made of blocks. A block begins with a line at the margin and has indented lines;
lines that begin with ``#`` are comments. A type of the namespace or a primitive type is
written without its namespace, ``TYPE[]`` is a collection, and whatever is nullable, not
abstract and so on by default is left unsaid::

    using Core = Org.OData.Core.V1        an abbreviation, for this document
    namespace microsoft.graph.security    whatever follows is declared in it
      alias self

    enum alertSeverity [: Int64] [flags]
      high 4

    entity alert [: BASE] [abstract] [open] [stream]     (or complex)
      key id
      title: String not null MaxLength=80 Default="x"
      contains comments: alertComment[]   navigation; what it contains lives and dies with it
      links incident: incident partner alerts
        where incidentId = id
        on delete Cascade

    type code = String MaxLength=8
    term Rank: Int32 Default="1"
      applies to EntitySet
    action close on case                  (or function) bound to a type; its own parameters
      reason: String optional
      => closeResult
    container Service [: EXTENDED]
      singleton security: security
      set users: user
        bind manager -> users
      action reset = resetAll in users
    annotate microsoft.graph.security.alert/title
      @Core.Computed: true

An annotation is a line of its own below whatever it is of; :mod:`notation_values` has the
values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from mockgraph.errors import MockGraphError
from mockgraph.metadata.annotations import Annotation, merged_annotations
from mockgraph.metadata.elements import (
    NO_FACETS,
    OPTIONAL_PARAMETER,
    PRIMITIVES,
    Annotations,
    ComplexType,
    EntityContainer,
    EntitySet,
    EntityType,
    EnumType,
    Facets,
    KeyProperty,
    Member,
    NamedType,
    NavigationBinding,
    NavigationProperty,
    OnDelete,
    Operation,
    OperationImport,
    OperationKind,
    Parameter,
    Property,
    ReferentialConstraint,
    ReturnType,
    Singleton,
    Term,
    TypeDefinition,
    TypeRef,
)
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.immutable import Immutable
from mockgraph.metadata.namespaces import Deferred, Schema
from mockgraph.metadata.notation_values import Malformed, ValueReader, tokens, untoken

T = TypeVar("T")

BINDING_PARAMETER: Final = "bindingParameter"
SHORT_PRIMITIVES: Final = {name.removeprefix("Edm."): name for name in PRIMITIVES}
# A line of a block that declares a navigation property.
_NAVIGATES = re.compile(r"^ +(?:contains|links) ", re.MULTILINE)
_BLOCK: Final = re.compile(r"^([a-z]+)(?: (.*))?$", re.MULTILINE)
_LINE: Final = re.compile(r"( *)([^\n]*)\n?")
_COLLECTION: Final = "[]"


def parse(documents: Iterable[tuple[str, str]]) -> Model:
    """Return the model of documents, given as names for messages and texts.

    Only the first lines of the blocks are read at once. Raises MockGraphError, one line that
    names document and line, for a block that cannot be; a fault inside of a block is told of
    when it is first used.
    """
    parts: dict[str, _Part] = {}
    for name, text in documents:
        _NotationDocument(name, text).index(parts)
    return Model(part.schema() for part in parts.values())


class _NotationBlock(NamedTuple):
    """The text of a block: its first line without the keyword, and where its lines are."""

    document: _NotationDocument
    namespace: str
    kind: str
    head: str
    start: int
    end: int

    def words(self) -> list[str]:
        return tokens(self.head)

    def type(self, text: str) -> TypeRef:
        return self.document.type(text, self.namespace)

    def error(self, message: str, position: int | None = None) -> MockGraphError:
        return self.document.error(self.start if position is None else position, message)


class _Part:
    """The declarations of a namespace, by qualified name, as blocks."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.alias: str | None = None
        self.annotations: Annotations = ()
        self.types: dict[str, _NotationBlock] = {}
        self.terms: dict[str, _NotationBlock] = {}
        self.containers: dict[str, _NotationBlock] = {}
        self.operations: dict[str, list[_NotationBlock]] = {}
        self.targets: dict[str, list[_NotationBlock]] = {}
        self.bases: dict[str, str] = {}
        self.bindings: dict[str, tuple[TypeRef | None, ...]] = {}
        self.navigating: set[str] = set()

    def schema(self) -> Schema:
        return Schema(
            self.namespace,
            self.alias,
            Deferred(self.types, _type),
            Deferred(self.operations, _operations),
            Deferred(self.terms, _term),
            Deferred(self.containers, _container),
            Deferred(self.targets, _target),
            self.annotations,
            self.bases,
            self.bindings,
            frozenset(self.navigating),
        )


class _NotationDocument:
    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self._abbreviations: dict[str, str] = {}
        self._types: dict[tuple[str, str], TypeRef] = {}
        self.values = ValueReader(text, self.expand)

    def error(self, position: int, message: str) -> MockGraphError:
        line = self.text.count("\n", 0, position) + 1
        return MockGraphError(f"{self.name}, line {line}: {message}.")

    def expand(self, name: str) -> str:
        """Return a qualified name with a namespace in place of its abbreviation."""
        prefix, dot, short = name.rpartition(".")
        return f"{self._abbreviations.get(prefix, prefix)}.{short}" if dot else name

    def type(self, text: str, namespace: str) -> TypeRef:
        made = self._types.get((text, namespace))
        if made is None:
            name = text.removesuffix(_COLLECTION)
            made = TypeRef(self.qualified(name, namespace), name != text)
            self._types[text, namespace] = made
        return made

    def qualified(self, name: str, namespace: str) -> str:
        if name.startswith('"'):
            return untoken(name)
        if "." in name:
            return self.expand(name)
        return SHORT_PRIMITIVES.get(name) or f"{namespace}.{name}"

    def index(self, parts: dict[str, _Part]) -> None:
        """Add the blocks of the document to those of its namespaces."""
        part: _Part | None = None
        matches = list(_BLOCK.finditer(self.text))
        ends = [*(match.start() for match in matches[1:]), len(self.text)]
        for match, end in zip(matches, ends, strict=True):
            keyword, head, start = match[1], match[2] or "", match.end() + 1
            if keyword == "using":
                abbreviation, _, namespace = head.partition(" = ")
                self._abbreviations[abbreviation] = namespace
                continue
            if keyword == "namespace":
                part = parts.setdefault(head, _Part(head))
                block = _NotationBlock(self, head, keyword, head, start, end)
                _namespace(part, block)
                continue
            if part is None:
                raise self.error(match.start(), "a namespace is missing before it")
            block = _NotationBlock(self, part.namespace, keyword, head, start, end)
            if not self._declare(part, block):
                raise self.error(match.start(), f"the notation has no '{keyword}'")

    def _declare(self, part: _Part, block: _NotationBlock) -> bool:
        words = block.words()
        if not words:
            raise block.error("a name is missing", block.start - 1)
        name = f"{part.namespace}.{words[0].removesuffix(':')}"
        kind = block.kind
        if kind in ("entity", "complex", "enum", "type"):
            _once(part.types, name, block)
            if kind in ("entity", "complex") and words[1:2] == [":"]:
                part.bases[name] = block.type(words[2]).name
            if kind == "complex" and _NAVIGATES.search(self.text, block.start, block.end):
                part.navigating.add(name)
        elif kind in ("action", "function"):
            binding = block.type(words[2]) if words[1:2] == ["on"] else None
            part.operations.setdefault(name, []).append(block)
            part.bindings[name] = (*part.bindings.get(name, ()), binding)
        elif kind == "annotate":
            part.targets.setdefault(untoken(words[0]), []).append(block)
        elif kind in ("term", "container"):
            _once(part.terms if kind == "term" else part.containers, name, block)
        else:
            return False
        return True


def _once(blocks: dict[str, _NotationBlock], name: str, block: _NotationBlock) -> None:
    if name in blocks:
        raise block.error(f"{name} is declared already", block.start - 1)
    blocks[name] = block


class _Lines:
    """The lines of a block, from which one after another is taken."""

    def __init__(self, block: _NotationBlock) -> None:
        self._block = block
        self._text = block.document.text
        self._position = block.start
        self._taken = block.start
        self._line = (0, "")  # at the position, once it was looked at
        self._behind = 0  # the position behind that

    def next(self, deeper_than: int = 0) -> tuple[int, str] | None:
        """Return the indentation and the text of the next line, if it is indented enough."""
        while self._position < self._block.end:
            if self._behind <= self._position:
                match = _LINE.match(self._text, self._position)
                assert match is not None
                self._line, self._behind = (len(match[1]), match[2]), match.end()
            indent, text = self._line
            if text and not text.startswith("#"):
                return self._line if indent > deeper_than else None
            self._position = self._behind
        return None

    def take(self, deeper_than: int = 0) -> Iterator[tuple[int, str]]:
        """Take lines as long as they are indented enough and are no annotations."""
        while (line := self.next(deeper_than)) is not None and not line[1].startswith("@"):
            self._taken = self._position
            self._position = self._behind
            yield line

    def annotations(self, deeper_than: int = 0) -> Annotations:
        """Take the annotations at an indentation."""
        found: list[Annotation] = []
        while (line := self.next(deeper_than)) is not None and line[1].startswith("@"):
            try:
                annotation, end = self._block.document.values.annotation(self._position + line[0])
            except Malformed as error:
                raise self._block.error(str(error), error.position) from None
            if self._text[end : end + 1] not in ("\n", ""):
                raise self._block.error("the annotation should end here", end)
            self._position = end + 1
            found.append(annotation)
        return tuple(found)

    def end(self) -> None:
        """See to it that no line is left over."""
        line = self.next()
        if line is not None:
            self._taken = self._position
            raise self.error(f"'{line[1]:.60}' is not understood")

    def error(self, message: str) -> MockGraphError:
        """Return an error about the line that was taken last."""
        return self._block.error(message, self._taken)


def _block_reader(
    read: Callable[[str, _NotationBlock, _Lines], T],
) -> Callable[[str, _NotationBlock], T]:
    """Return the reader of a whole block; a line that lacks a word is told of."""

    def whole(name: str, block: _NotationBlock) -> T:
        lines = _Lines(block)
        try:
            made = read(name, block, lines)
        except (IndexError, ValueError) as error:
            raise lines.error(f"the line is not understood ({error})") from None
        lines.end()
        return made

    return whole


def _namespace(part: _Part, block: _NotationBlock) -> None:
    lines = _Lines(block)
    for _, text in lines.take():
        keyword, _, alias = text.partition(" ")
        if keyword != "alias" or not alias:
            raise lines.error("a namespace has an alias and annotations only")
        part.alias = alias
    part.annotations = merged_annotations(part.annotations, lines.annotations())
    lines.end()


# Types


@_block_reader
def _type(name: str, block: _NotationBlock, lines: _Lines) -> NamedType:
    words = block.words()[1:]
    if block.kind == "enum":
        underlying = block.type(words[1]).name if words[:1] == [":"] else "Edm.Int32"
        members = tuple(_members(lines))
        return EnumType(name, members, underlying, "flags" in words, lines.annotations())
    if block.kind == "type":
        use = _use(block, words[1:])
        return TypeDefinition(name, use.type.name, use.facets, lines.annotations())
    base = block.type(words[1]).name if words[:1] == [":"] else None
    flags = words[2:] if base is not None else words
    key: tuple[KeyProperty, ...] = ()
    properties: list[Property] = []
    navigation: list[NavigationProperty] = []
    for indent, text in lines.take():
        first, _, rest = text.partition(" ")
        if first.endswith(":"):
            use = _use(block, tokens(rest))
            properties.append(use.property(first[:-1], lines.annotations(indent)))
        elif first in ("contains", "links"):
            navigation.append(_navigation(block, lines, indent, text))
        elif first == "key":
            key = tuple(_key(each) for each in rest.split(", "))
        else:
            raise lines.error(f"'{text:.60}' is not understood")
    said = (name, base, "abstract" in flags, "open" in flags)
    declared = (tuple(properties), tuple(navigation), lines.annotations())
    if block.kind == "complex":
        return ComplexType(*said, *declared)
    return EntityType(*said, *declared, key, "stream" in flags)


def _members(lines: _Lines) -> Iterator[Member]:
    for indent, text in lines.take():
        name, value = text.split()
        yield Member(name, int(value), lines.annotations(indent))


def _key(text: str) -> KeyProperty:
    path, _, alias = text.partition(" as ")
    return KeyProperty(path, alias or None)


def _navigation(block: _NotationBlock, lines: _Lines, indent: int, text: str) -> NavigationProperty:
    words = tokens(text)
    constraints: list[ReferentialConstraint] = []
    on_delete: OnDelete | None = None
    for inner, line in lines.take(indent):
        parts = tokens(line)
        if parts[0] == "where":
            constraints.append(
                ReferentialConstraint(
                    untoken(parts[1]), untoken(parts[3]), lines.annotations(inner)
                )
            )
        elif parts[:2] == ["on", "delete"]:
            on_delete = OnDelete(parts[2], lines.annotations(inner))
        else:
            raise lines.error(f"'{line:.60}' is not understood")
    return NavigationProperty(
        words[1].removesuffix(":"),
        block.type(words[2]),
        words[3:5] != ["not", "null"],
        words[0] == "contains",
        untoken(words[words.index("partner", 3) + 1]) if "partner" in words[3:] else None,
        tuple(constraints),
        on_delete,
        lines.annotations(indent),
    )


# Uses of types


class _Use(Immutable):
    """A type as it is used: nullability, facets, default."""

    type: TypeRef
    nullable: bool = True
    facets: Facets = NO_FACETS
    default: str | None = None
    optional: bool = False

    def property(self, name: str, annotations: Annotations) -> Property:
        return Property(name, self.type, self.nullable, self.facets, self.default, annotations)

    def parameter(self, name: str, annotations: Annotations) -> Parameter:
        if self.optional:
            annotations = (Annotation(OPTIONAL_PARAMETER), *annotations)
        return Parameter(name, self.type, self.nullable, self.facets, annotations)


def _use(block: _NotationBlock, words: list[str]) -> _Use:
    type_ = block.type(words[0])
    if len(words) == 1:
        return _Use(type_)
    is_required = words[1:3] == ["not", "null"]
    rest = words[3:] if is_required else words[1:]
    facets: dict[str, Any] = {}
    default: str | None = None
    is_optional = False
    position = 0
    while position < len(rest):
        name, equals, value = rest[position].partition("=")
        position += 1
        if name == "optional":
            is_optional = True
        elif name == "Default" and equals:
            default = untoken(value or rest[position])
            position += not value
        elif name in _FACETS and value:
            field_name, convert = _FACETS[name]
            facets[field_name] = convert(value)
        else:
            raise ValueError(rest[position - 1])
    stated = Facets(**facets) if facets else NO_FACETS
    return _Use(type_, not is_required, stated, default, is_optional)


def _number_or_word(text: str) -> int | str:
    return text if text.isalpha() else int(text)


_FACETS: Final[Mapping[str, tuple[str, Callable[[str], int | str | bool]]]] = {
    "MaxLength": ("max_length", _number_or_word),
    "Precision": ("precision", int),
    "Scale": ("scale", _number_or_word),
    "Unicode": ("unicode", "true".__eq__),
    "SRID": ("srid", _number_or_word),
}


# Operations, terms, containers


def _operations(name: str, blocks: list[_NotationBlock]) -> tuple[Operation, ...]:
    return tuple(_operation(name, block) for block in blocks)


@_block_reader
def _operation(name: str, block: _NotationBlock, lines: _Lines) -> Operation:
    words = block.words()[1:]
    bound = words[:1] == ["on"]
    binding = [Parameter(BINDING_PARAMETER, block.type(words[1]))] if bound else []
    flags = words[2:] if bound else words
    parameters: list[Parameter] = []
    returns: ReturnType | None = None
    for indent, text in lines.take():
        parts = tokens(text)
        if parts[0] == "=>":
            use = _use(block, parts[1:])
            returns = ReturnType(use.type, use.nullable, use.facets, lines.annotations(indent))
        elif parts[0] == "on":
            use = _use(block, parts[2:])
            binding = [use.parameter(parts[1].removesuffix(":"), lines.annotations(indent))]
        else:
            use = _use(block, parts[1:])
            parameters.append(use.parameter(parts[0].removesuffix(":"), lines.annotations(indent)))
    kind: OperationKind = "action" if block.kind == "action" else "function"
    return Operation(
        name,
        kind,
        bound,
        (*binding, *parameters),
        returns,
        untoken(flags[flags.index("path") + 1]) if "path" in flags else None,
        "composable" in flags,
        lines.annotations(),
    )


@_block_reader
def _term(name: str, block: _NotationBlock, lines: _Lines) -> Term:
    use = _use(block, block.words()[1:])
    term = Term(name, use.type, use.nullable, use.facets, use.default)
    for _, text in lines.take():
        parts = tokens(text)
        if parts[0] == "base":
            term = term.replaced(base=untoken(parts[1]))
        elif parts[:2] == ["applies", "to"]:
            term = term.replaced(applies_to=tuple(untoken(each) for each in parts[2:]))
        else:
            raise lines.error(f"'{text:.60}' is not understood")
    return term.replaced(annotations=lines.annotations())


@_block_reader
def _container(name: str, block: _NotationBlock, lines: _Lines) -> EntityContainer:
    words = block.words()
    sets: list[EntitySet] = []
    singletons: list[Singleton] = []
    imports: list[OperationImport] = []
    for indent, text in lines.take():
        parts = tokens(text)
        child, flags = parts[1].removesuffix(":"), parts[3:]
        if parts[0] == "set":
            bindings = tuple(_bindings(lines, indent))
            type_ = block.type(parts[2]).name
            annotations = lines.annotations(indent)
            sets.append(EntitySet(child, type_, "unlisted" not in flags, bindings, annotations))
        elif parts[0] == "singleton":
            bindings = tuple(_bindings(lines, indent))
            type_ = block.type(parts[2]).name
            annotations = lines.annotations(indent)
            singletons.append(Singleton(child, type_, "nullable" in flags, bindings, annotations))
        elif parts[0] in ("action", "function"):
            imports.append(
                OperationImport(
                    child,
                    "action" if parts[0] == "action" else "function",
                    block.document.qualified(parts[3], block.namespace),
                    untoken(parts[5]) if parts[4:5] == ["in"] else None,
                    "listed" in parts[4:],
                    lines.annotations(indent),
                )
            )
        else:
            raise lines.error(f"'{text:.60}' is not understood")
    extends = untoken(words[2]) if words[1:2] == [":"] else None
    return EntityContainer(
        name, extends, tuple(sets), tuple(singletons), tuple(imports), lines.annotations()
    )


def _bindings(lines: _Lines, indent: int) -> Iterator[NavigationBinding]:
    for _, line in lines.take(indent):
        parts = tokens(line)
        if parts[0] != "bind":
            raise lines.error(f"'{line:.60}' is not understood")
        yield NavigationBinding(untoken(parts[1]), untoken(parts[3]))


# Annotations out of line


def _target(_: str, blocks: list[_NotationBlock]) -> Annotations:
    return merged_annotations((), [each for block in blocks for each in _annotate("", block)])


@_block_reader
def _annotate(_: str, block: _NotationBlock, lines: _Lines) -> Annotations:
    del block
    return lines.annotations()
