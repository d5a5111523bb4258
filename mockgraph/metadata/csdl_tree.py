"""A CSDL document as a tree of its elements, read with bounds on whatever could be hostile.

The parser is expat of the standard library, which is kept with Python itself. A CSDL document
has no use for a document type, so one is refused where it begins, and with it every entity;
bytes, elements, depth and lengths are bounded, and reading ends at the first bound passed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.parsers import expat

from mockgraph.errors import MockGraphError
from mockgraph.metadata.annotations import CONSTANTS, PATHS

EDM: Final = "http://docs.oasis-open.org/odata/ns/edm"
EDMX: Final = "http://docs.oasis-open.org/odata/ns/edmx"

# The whole of Graph's metadata has 3.4 MB and some 60,000 elements.
MAX_BYTES: Final = 32 * 1024 * 1024
MAX_ELEMENTS: Final = 300_000
MAX_DEPTH: Final = 64
MAX_ATTRIBUTES: Final = 32
MAX_NAME: Final = 512
MAX_TEXT: Final = 65_536
_CHUNK: Final = 65_536
_SHOWN: Final = 64
_TAG: Final = re.compile(rb"<([^\s\0<>/!?]+)")
_TEXTUAL: Final = frozenset(
    {*CONSTANTS, *PATHS, "Bool", "EnumMember", "Int", "LabeledElementReference", "String"}
)


def shortened(text: str) -> str:
    """Return a text from a document as a message shows it: one line of at most 64 characters."""
    text = "".join(each if each.isprintable() else " " for each in text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


@dataclass(slots=True)
class XmlElement:
    """An element of the EDM or EDMX namespace: its local name, attributes, text and children."""

    tag: str
    attributes: Mapping[str, str]
    line: int
    children: list[XmlElement] = field(default_factory=list)
    text: str = ""

    def __str__(self) -> str:
        for key in ("Name", "Namespace", "Target", "Term", "Property", "Action", "Path"):
            if key in self.attributes:
                return f'<{self.tag} {key}="{shortened(self.attributes[key])}">'
        return f"<{self.tag}>"


class SourceDocument:
    """The document that an error is about."""

    def __init__(self, name: str) -> None:
        self.name = name

    def error(self, at: XmlElement | int, message: str) -> MockGraphError:
        """Return an error of one line that names the file, the line and the element."""
        if isinstance(at, XmlElement):
            return MockGraphError(f"{self.name}, line {at.line}, {at}: {message}")
        return MockGraphError(f"{self.name}, line {at}: {message}")


def read_bytes(path: Path) -> bytes:
    """Return the content of a metadata file. Raises MockGraphError where it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise MockGraphError(f"Cannot read {path}: {error.strerror or error}.") from error
    if len(data) > MAX_BYTES:
        raise MockGraphError(f"{path}: a metadata file of more than {MAX_BYTES} bytes is not read.")
    return data


def tree(data: bytes, source: SourceDocument) -> XmlElement:
    """Return the root element of a document.

    Raises MockGraphError where it is not well-formed XML, holds a document type, has elements
    of no CSDL, or passes a bound.
    """
    return _TreeReader(source).read(data)


class _TreeReader:
    def __init__(self, source: SourceDocument) -> None:
        self._source = source
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        if hasattr(parser, "SetReparseDeferralEnabled"):
            # It would not tell where it is, and :meth:`read` bounds what is read again.
            parser.SetReparseDeferralEnabled(False)
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        self._open: list[XmlElement] = []
        self._foreign = 0
        self._count = 0
        self._root: XmlElement | None = None

    def read(self, data: bytes) -> XmlElement:
        parser = self._parser
        try:
            for begin in range(0, len(data), _CHUNK):
                parser.Parse(data[begin : begin + _CHUNK], False)
                if begin + _CHUNK - parser.CurrentByteIndex > _CHUNK + 2 * MAX_TEXT:
                    raise self._endless(data[parser.CurrentByteIndex :][:MAX_NAME])
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            message = expat.ErrorString(error.code).removeprefix("not well-formed ").strip("()")
            raise self._source.error(error.lineno, f"not well-formed XML: {message}.") from error
        except (LookupError, ValueError) as error:
            raise self._error(f"not well-formed XML: {error}.") from error
        if self._root is None:
            raise self._error("not CSDL: there is no <edmx:Edmx>.")
        return self._root

    def _error(self, message: str) -> MockGraphError:
        return self._source.error(self._parser.CurrentLineNumber, message)

    def _endless(self, beginning: bytes) -> MockGraphError:
        """Return the error of what begins so and does not end; it names an element that does."""
        line = self._parser.CurrentLineNumber
        tag = _TAG.match(beginning)
        at = XmlElement(shortened(tag[1].decode(errors="replace")), {}, line) if tag else line
        return self._source.error(at, f"a name or value is longer than {MAX_TEXT} characters.")

    def _doctype(self, *_: object) -> None:
        raise self._error("a document type is not read: CSDL has none.")

    def _start(self, qualified: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise self._error(f"more than {MAX_ELEMENTS} elements are not read.")
        if len(self._open) + self._foreign >= MAX_DEPTH:
            raise self._error(f"elements deeper than {MAX_DEPTH} are not read.")
        if len(attributes) > MAX_ATTRIBUTES:
            raise self._error(f"more than {MAX_ATTRIBUTES} attributes are not read.")
        namespace, _, tag = qualified.rpartition(" ")
        if len(qualified) > MAX_NAME:
            raise self._error(f"the element <{shortened(tag)}> has a name that is too long.")
        if self._root is None and (namespace, tag) != (EDMX, "Edmx"):
            raise self._error(
                f"not CSDL 4.0: the document begins with <{shortened(tag)}> and not with "
                f"<edmx:Edmx> of {EDMX}."
            )
        if self._foreign or namespace not in (EDM, EDMX):
            self._foreign += 1  # extensions of others, which say nothing of the model
            return
        node = XmlElement(tag, attributes, self._parser.CurrentLineNumber)
        for name, value in attributes.items():
            # Only the texts of annotations are longer than a name.
            if len(value) > (MAX_TEXT if name in ("String", "Binary") else MAX_NAME):
                raise self._source.error(node.line, f"{name} of <{tag}> is too long.")
        if self._open:
            self._open[-1].children.append(node)
        else:
            self._root = node
        self._open.append(node)

    def _end(self, _: str) -> None:
        if self._foreign:
            self._foreign -= 1
        else:
            self._open.pop()

    def _text(self, text: str) -> None:
        if self._open and not self._foreign:
            node = self._open[-1]
            if node.tag not in _TEXTUAL:
                return  # blanks between elements
            if len(node.text) + len(text) > MAX_TEXT:
                raise self._source.error(node, f"its text is longer than {MAX_TEXT} characters.")
            node.text += text
