"""The values of annotations in the notation of metadata, read and written.

A value is ``null``, ``true``, a number, a string as JSON has it; ``[a, b]`` a collection;
``{Name: value}`` a record, with the type before the brace where it states one;
``Core.RevisionKind'Deprecated'`` members of an enumeration; ``Date(2024-04-10)`` a literal of
another type; ``Path(owner/id)`` a path, and a bare name the path of a property;
``%If(a, b)`` an expression. ``@Term: value`` in a record is an annotation of it, and
``with {@Term: value}`` behind a value annotates whatever the value is of.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Final

from mockgraph.metadata.annotations import (
    CONSTANTS,
    DEFAULT,
    PATHS,
    Annotation,
    Constant,
    DynamicExpression,
    EnumMembers,
    PathExpression,
    PropertyValue,
    Record,
    Value,
)

_WIDTH: Final = 98
_BLANKS: Final = re.compile(r"\s*")
_NUMBER: Final = re.compile(r"-?(?:INF\b|\d+(\.\d+)?([eE][+-]?\d+)?)")
_WORD: Final = re.compile(r"[^\W\d][\w.]*(?:/[^\W\d][\w.]*)*")
_NAME: Final = re.compile(r"[^\W\d]\w*")
_PROPERTY_PATH: Final = re.compile(r"[^\W\d]\w*(?:/[^\W\d]\w*)*")
_BARE: Final = re.compile(r"[\w./@:+-]+")
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]+')
_WORDS: Final[dict[str, Value]] = {"null": None, "true": True, "false": False}
_RESERVED: Final = frozenset({*_WORDS, "INF", "with"})
_STRINGS: Final = json.JSONDecoder()


class Malformed(ValueError):
    """The text at a position is not of the notation."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position


def as_token(text: str) -> str:
    """Return a text as one token: as it is, or quoted where it would not be one."""
    return text if _BARE.fullmatch(text) else json.dumps(text)


def untoken(text: str) -> str:
    """Return the text of a token."""
    if not text.startswith('"'):
        return text
    value = json.loads(text)
    assert isinstance(value, str)
    return value


def tokens(line: str) -> list[str]:
    """Return the tokens of a line, those in quotes still in them."""
    return _TOKEN.findall(line) if '"' in line else line.split()


class ValueReader:
    """Reads annotations from a text; ``expand`` puts namespaces in place of abbreviations."""

    def __init__(self, text: str, expand: Callable[[str], str]) -> None:
        self._text = text
        self._expand = expand

    def annotation(self, position: int) -> tuple[Annotation, int]:
        """Return the annotation that begins at an ``@``, and the position behind it."""
        position = self._expect(position, "@")
        term, position = self._name(position)
        qualifier = None
        if self._text.startswith("#", position):
            match = _NAME.match(self._text, position + 1)
            if match is None:
                raise Malformed(position, "a name is missing behind '#'")
            qualifier, position = match[0], match.end()
        value, annotations, position = self._rest(position)
        return Annotation(term, value, qualifier, annotations), position

    def _name(self, position: int) -> tuple[str, int]:
        """Return a qualified name; one in quotes has no abbreviation."""
        if self._text.startswith('"', position):
            return self._string(position)
        match = _WORD.match(self._text, position)
        if match is None:
            raise Malformed(position, "a name is missing")
        return self._expand(match[0]), match.end()

    def _rest(self, position: int) -> tuple[Value, tuple[Annotation, ...], int]:
        """Return the value and the annotations behind a name, if there are any."""
        value: Value = DEFAULT
        if self._text.startswith(":", position):
            value, position = self.value(position + 1)
        annotations: tuple[Annotation, ...] = ()
        if self._text.startswith(" with {", position):
            record, position = self._record(position + 6, None)
            annotations = record.annotations
        return value, annotations, position

    def _skip(self, position: int) -> int:
        match = _BLANKS.match(self._text, position)
        return position if match is None else match.end()

    def _expect(self, position: int, text: str) -> int:
        if not self._text.startswith(text, position):
            raise Malformed(position, f"'{text}' is missing")
        return position + len(text)

    def _string(self, position: int) -> tuple[str, int]:
        try:
            text, end = _STRINGS.raw_decode(self._text, position)
        except ValueError:
            raise Malformed(position, "a string is not closed") from None
        if not isinstance(text, str):
            raise Malformed(position, "a string is missing")
        return text, end

    def value(self, position: int) -> tuple[Value, int]:
        """Return the value at a position, and the position behind it."""
        position = self._skip(position)
        first = self._text[position : position + 1]
        if first == '"':
            return self._string(position)
        if first == "[":
            return self._items(position, "[", "]")
        if first == "{":
            return self._record(position, None)
        if first == "%":
            return self._expression(position)
        match = _NUMBER.match(self._text, position)
        if match is not None:
            number = match[0]
            if "INF" in number or match[1] or match[2]:
                return float(number), match.end()
            return int(number), match.end()
        return self._worded(position, first)

    def _worded(self, position: int, first: str) -> tuple[Value, int]:
        if first == "(":  # a type in quotes: ("Core.X"){...}
            name, position = self._string(position + 1)
            position = self._expect(position, ")")
        else:
            match = _WORD.match(self._text, position)
            if match is None:
                raise Malformed(position, "a value is missing")
            word, position = match[0], match.end()
            if word in _WORDS:
                return _WORDS[word], position
            if self._text.startswith("(", position):
                return self._literal(word, position + 1)
            name = self._expand(word)
        if self._text.startswith("{", position):
            return self._record(position, name)
        if self._text.startswith("'", position):
            end = self._text.find("'", position + 1)
            if end < 0:
                raise Malformed(position, "a quote is not closed")
            members = self._text[position + 1 : end].split(",")
            return EnumMembers(name, tuple(members)), end + 1
        if first == "(":
            raise Malformed(position, "a record or members are missing")
        return PathExpression("PropertyPath", word), position

    def _literal(self, kind: str, position: int) -> tuple[Value, int]:
        match = _BARE.match(self._text, position)
        if match is None:
            text, position = self._string(position)
        else:
            text, position = match[0], match.end()
        position = self._expect(position, ")")
        if kind in CONSTANTS:
            return Constant(kind, text), position
        if kind in PATHS:
            return PathExpression(kind, text), position
        raise Malformed(position, f"there is no literal {kind}(...)")

    def _items(self, position: int, begin: str, end: str) -> tuple[tuple[Value, ...], int]:
        position = self._skip(self._expect(position, begin))
        items = []
        while not self._text.startswith(end, position):
            item, position = self.value(position)
            items.append(item)
            position = self._comma(position, end)
        return tuple(items), position + len(end)

    def _comma(self, position: int, end: str) -> int:
        position = self._skip(position)
        if self._text.startswith(",", position):
            return self._skip(position + 1)
        if not self._text.startswith(end, position):
            raise Malformed(position, f"',' or '{end}' is missing")
        return position

    def _record(self, position: int, type_: str | None) -> tuple[Record, int]:
        position = self._skip(self._expect(position, "{"))
        values = []
        annotations = []
        while not self._text.startswith("}", position):
            if self._text.startswith("@", position):
                annotation, position = self.annotation(position)
                annotations.append(annotation)
            else:
                match = _NAME.match(self._text, position)
                if match is None:
                    raise Malformed(position, "the name of a property is missing")
                value, about, position = self._rest(match.end())
                values.append(PropertyValue(match[0], value, about))
            position = self._comma(position, "}")
        return Record(tuple(values), type_, tuple(annotations)), position + 1

    def _expression(self, position: int) -> tuple[DynamicExpression, int]:
        match = _NAME.match(self._text, position + 1)
        if match is None:
            raise Malformed(position, "the name of an expression is missing")
        position = match.end()
        record = Record()
        if self._text.startswith("{", position):
            record, position = self._record(position, None)
        operands, position = self._items(position, "(", ")")
        attributes = tuple((each.name, str(each.value)) for each in record.values)
        return DynamicExpression(match[0], attributes, operands, record.annotations), position


class ValueWriter:
    """Writes annotations; ``shorten`` puts abbreviations in place of namespaces, else quotes."""

    def __init__(self, shorten: Callable[[str], str]) -> None:
        self._shorten = shorten

    def annotation(self, annotation: Annotation, indent: int) -> str:
        """Return an annotation, over several lines where one would be long."""
        term = self._shorten(annotation.term)
        qualifier = "" if annotation.qualifier is None else f"#{annotation.qualifier}"
        return self._stated(f"@{term}{qualifier}", annotation.value, annotation.annotations, indent)

    def _stated(
        self, name: str, value: Value, annotations: tuple[Annotation, ...], indent: int
    ) -> str:
        text = name
        if value is not DEFAULT:
            text = f"{name}: {self.value(value, indent, len(name) + 2)}"
        if annotations:
            text += f" with {self._braces(self._about(annotations, indent + 2), indent, 0)}"
        return text

    def _about(self, annotations: tuple[Annotation, ...], indent: int) -> Iterator[str]:
        return (self.annotation(each, indent) for each in annotations)

    def value(self, value: Value, indent: int = 0, used: int = 0) -> str:
        """Return a value; ``used`` is how much of the line stands before it."""
        if value is None or isinstance(value, bool | int | str):
            return json.dumps(value)
        if isinstance(value, float):
            return repr(value).replace("inf", "INF") if math.isinf(value) else repr(value)
        if isinstance(value, tuple):
            items = [self.value(each, indent + 2) for each in value]
            return self._enclosed("[", items, "]", indent, used)
        if isinstance(value, Record):
            type_ = "" if value.type is None else self._typed(value.type)
            return type_ + self._braces(self._members(value, indent + 2), indent, used)
        if isinstance(value, EnumMembers):
            return f"{self._typed(value.type)}'{','.join(value.members)}'"
        if isinstance(value, DynamicExpression):
            return self._expression(value, indent)
        assert isinstance(value, Constant | PathExpression)
        if value.kind == "PropertyPath" and _PROPERTY_PATH.fullmatch(value.text):
            reserved = value.text.partition("/")[0] in _RESERVED
            return f"PropertyPath({value.text})" if reserved else value.text
        return f"{value.kind}({as_token(value.text)})"

    def _typed(self, name: str) -> str:
        short = self._shorten(name)
        return f"({short})" if short.startswith('"') else short

    def _members(self, record: Record, indent: int) -> Iterator[str]:
        for each in record.values:
            yield self._stated(each.name, each.value, each.annotations, indent)
        yield from self._about(record.annotations, indent)

    def _expression(self, value: DynamicExpression, indent: int) -> str:
        attributes = [f"{name}: {json.dumps(text)}" for name, text in value.attributes]
        about = [*attributes, *self._about(value.annotations, indent)]
        operands = ", ".join(self.value(each, indent) for each in value.operands)
        return f"%{value.operator}{'{' + ', '.join(about) + '}' if about else ''}({operands})"

    def _braces(self, members: Iterator[str], indent: int, used: int) -> str:
        return self._enclosed("{", list(members), "}", indent, used)

    def _enclosed(self, begin: str, items: list[str], end: str, indent: int, used: int) -> str:
        line = f"{begin}{', '.join(items)}{end}"
        if indent + used + len(line) <= _WIDTH and "\n" not in line:
            return line
        blanks = " " * (indent + 2)
        inner = "".join(f"{blanks}{each},\n" for each in items)
        return f"{begin}\n{inner}{' ' * indent}{end}"
