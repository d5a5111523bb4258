"""Keys of entities: as URLs have them, and as the ids of stored documents.

A stored key is the value of the key property as text, ``a1``, or of several properties their names
and values, ``a=1,b=x``, quoted within. Two spellings of one value, Guids in other letters, are one
key (OData URL Conventions 4.01, 4.3.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from marshmallow import ValidationError

from mockgraph.metadata.names import Json, Properties
from mockgraph.metadata.primitives import PropertyField
from mockgraph.metadata.structures import Complex, StructuredSchema

# Between the keys in the id of a stored entity; no key has it.
SEPARATOR: Final = "/"

_PARENTHESES = re.compile(r"([\w.]+)\((.*)\)", re.DOTALL)
_OPENED = re.compile(r"[\w.]+\(")
# A name and a value in parentheses, the value quoted with its quotes doubled, or bare.
_PAIR = re.compile(r"\s*(?:(\w+)\s*=\s*)?((?:[\w.]+)?'(?:[^']|'')*'|[^',]*?)\s*(?:,|$)", re.DOTALL)
# The prefixes of the literals that stand between quotes in URLs (OData ABNF, primitiveLiteral).
_QUOTED = {"": "", "Edm.String": "", "Edm.Binary": "binary", "Edm.Duration": "duration"}


class Segment(NamedTuple):
    """A path segment: a name, and what stands in parentheses behind it, None without those."""

    text: str
    name: str
    arguments: Mapping[str, str] | None = None


def split_path(path: str) -> list[str]:
    """Return the segments of a path; a slash between quotes in parentheses is none of the path.

    It is percent-encoded in a URL, which who reads decoded paths no longer sees.
    """
    parts = path.split("/")
    return list(_joined(parts)) if "'" in path and "(" in path else parts


def _joined(parts: Sequence[str]) -> Iterator[str]:
    at = 0
    while at < len(parts):
        end = at + 1
        if _OPENED.match(parts[at]):
            open_quotes = 0
            for number, each in enumerate(parts[at:], at + 1):
                open_quotes = (open_quotes + each.count("'")) % 2
                if not open_quotes:
                    end = number
                    break
        yield "/".join(parts[at:end])
        at = end


def read_segment(text: str) -> Segment | None:
    """Return a segment taken apart, None where what is in parentheses is no list of values."""
    match = _PARENTHESES.fullmatch(text) if text.endswith(")") else None
    if match is None:
        return Segment(text, text)
    arguments = _arguments(match[2])
    return None if arguments is None else Segment(text, match[1], arguments)


def _arguments(inner: str) -> Mapping[str, str] | None:
    """Return the values in parentheses by their names; a single one may have none."""
    found: dict[str, str] = {}
    at = 0
    while at < len(inner):
        match = _PAIR.match(inner, at)
        if match is None or match.end() == at or (match[1] or "") in found:
            return None
        found[match[1] or ""] = match[2]
        at = match.end()
    return None if "" in found and len(found) > 1 else found


def literal_text(literal: str) -> str:
    """Return the text of a literal: what is between its quotes, or all of it without those."""
    _, opening, rest = literal.partition("'")
    return rest[:-1].replace("''", "'") if opening and rest.endswith("'") else literal


def key_names(schema: type[StructuredSchema]) -> tuple[str, ...]:
    """Return the names of the properties that an entity's key consists of, or their aliases."""
    return schema.key


def key_holders(schema: type[StructuredSchema]) -> frozenset[str]:
    """Return the properties of a type that are parts of its key, or have parts of it in them."""
    return frozenset(path[0] for path, _ in _parts(schema).values())


@cache
def _parts(
    schema: type[StructuredSchema],
) -> Mapping[str, tuple[tuple[str, ...], PropertyField | None]]:
    """The path of each part of a key by its name, and the property at it."""
    paths = schema.key_paths or tuple((name,) for name in schema.key)
    return {
        name: (path, _property_at(schema, path))
        for name, path in zip(schema.key, paths, strict=True)
    }


def _property_at(schema: type[StructuredSchema], path: Sequence[str]) -> PropertyField | None:
    *above, last = path
    for name in above:
        declared = schema.properties().get(name)
        if not isinstance(declared, Complex):
            return None
        schema = declared.schema
    return schema.properties().get(last)


@cache
def _text_key(schema: type[StructuredSchema]) -> str | None:
    """The property that is a key by itself, and text as it is, as most are; None without one."""
    parts = [*_parts(schema).items()]
    if len(parts) != 1:
        return None
    ((name, (path, declared)),) = parts
    return (
        name if path == (name,) and declared is not None and declared.edm == "Edm.String" else None
    )


@cache
def key_property(schema: type[StructuredSchema]) -> PropertyField | None:
    """Return the property that is the first part of a key."""
    return next((declared for _, declared in _parts(schema).values()), None)


def key_of(schema: type[StructuredSchema], properties: Properties) -> str | None:
    """Return the key that properties make, None where they have no key, or not all of it."""
    only = _text_key(schema)
    if only is not None:
        return properties.get(only) or None
    texts: dict[str, str] = {}
    for name, (path, declared) in _parts(schema).items():
        value = _at(path, properties)
        if value is None or value == "":
            return None
        texts[name] = str(value) if declared is None else declared.key_text(value)
    if len(texts) > 1:
        return composite_key(texts)
    return next(iter(texts.values()), None)


def missing_part(schema: type[StructuredSchema], properties: Properties) -> str:
    """Return the path of the first part of a key that properties lack; empty where none is."""
    paths = (path for path, _ in _parts(schema).values())
    return next(("/".join(path) for path in paths if _at(path, properties) in (None, "")), "")


def _at(path: Sequence[str], properties: Properties) -> Json:
    value: Json = properties
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def composite_key(values: Mapping[str, str]) -> str:
    """Return the text of a key of several properties, ``a=1,b=x``, quoted within."""
    return ",".join(f"{name}={quote(value, safe='')}" for name, value in values.items())


def key_in_segment(schema: type[StructuredSchema], text: str) -> str:
    """Return the key that stands in a URL as a segment of its own."""
    parts = _parts(schema)
    return _canonical(key_property(schema), text) if len(parts) == 1 else text


def key_in_parentheses(schema: type[StructuredSchema], arguments: Mapping[str, str]) -> str | None:
    """Return the key that a URL has in parentheses: a literal, or several by their names.

    None where these are not the names of the key's parts, or where a part is empty.
    """
    parts = _parts(schema)
    if len(parts) == 1 and arguments.keys() in ({""}, {*parts}):
        (literal,) = arguments.values()
        return _canonical(key_property(schema), literal_text(literal)) or None
    if len(parts) < 2 or arguments.keys() != {*parts}:
        return None
    texts = {
        name: _canonical(part, literal_text(arguments[name])) for name, (_, part) in parts.items()
    }
    return composite_key(texts) if all(texts.values()) else None


def _canonical(declared: PropertyField | None, text: str) -> str:
    """Return the text of a value in the one spelling that keys have; of no value as it is."""
    if declared is None or declared.edm == "Edm.String":
        return text
    try:
        return declared.key_text(declared.from_text(text))
    except ValidationError:
        return text


def predicate(schema: type[StructuredSchema], key: str) -> str:
    """Return a stored key as URLs have it in parentheses: ``('a1')``, ``(7)``, ``(a=1,b='x')``."""
    parts = _parts(schema)
    if len(parts) < 2:
        declared = next((each for _, each in parts.values()), None)
        return f"({_literal(declared, key)})"
    texts = dict(each.partition("=")[::2] for each in key.split(","))
    literals = (
        f"{name}={_literal(declared, unquote(texts.get(name, '')))}"
        for name, (_, declared) in parts.items()
    )
    return f"({','.join(literals)})"


def _literal(declared: PropertyField | None, text: str) -> str:
    prefix = _QUOTED.get("" if declared is None else declared.edm)
    if prefix is None:
        return quote(text, safe=":+")
    return f"{prefix}'{quote(text.replace(chr(39), chr(39) * 2), safe=chr(39))}'"
