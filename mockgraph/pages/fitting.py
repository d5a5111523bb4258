"""Documented values fitted to the types that they are of.

Pages print words in place of values (``"String"``, ``"Int32"``, ``"state-value"``), members in
another case, and properties that a type does not have. Here a word becomes a value of the
declared type; whatever cannot be of the type is left out, and said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from marshmallow import ValidationError

from mockgraph import metadata as edm
from mockgraph.metadata.elements import short_name
from mockgraph.metadata.names import Json
from mockgraph.metadata.primitives import Text
from mockgraph.metadata.resources import Resource, View
from mockgraph.metadata.schemas import Parameters

Structured = type[edm.StructuredSchema]

# A value of each primitive type, in place of a word.
_SOME: Final[Mapping[str, Json]] = {
    "Edm.Binary": "AAEC",
    "Edm.Boolean": True,
    "Edm.Date": "2017-01-01",
    "Edm.DateTimeOffset": "2017-01-01T00:00:00Z",
    "Edm.Duration": "PT1H",
    "Edm.Guid": "8f2d1f4e-0d3c-4b6a-9c57-2b1f0e6a7d11",
    "Edm.TimeOfDay": "08:00:00",
}
_SOME_NUMBER: Final = 1
_NUMBER: Final = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?")
# The words that pages print for values; a text with a blank or a mark stands for any, as well.
_WORDS: Final = re.compile(
    r"(?i)(?:edm\.)?(?:string|bool|boolean|true|false|integer|int|int16|int32|int64|number|double|"
    r"single|float|decimal|guid|byte|binary|stream|duration|timestamp|date|datetime|datetimeoffset|"
    r"timeofday|object|enum)(?: .*)?"
)
_MEMBER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STANDS: Final = re.compile(r"(?i).*[-_. ]value|.*[-_.]?values?$|\.{2,}|x{3,}|.*\.\.\.|\{.*\}|<.*>")
_MOST_NOTES: Final = 6


def is_placeholder(value: Json) -> bool:
    """Return whether a page prints a word for any value, and none in particular."""
    if not isinstance(value, str):
        return False
    text = value.strip()
    return (
        _WORDS.fullmatch(text) is not None
        or text.startswith(("@odata.type", "microsoft.graph.", "#microsoft.graph."))
        or _STANDS.fullmatch(text) is not None
    )


class Misfit(Exception):
    """A documented value that cannot be of its type; the text says why."""


class Fitting:
    """Fits the values of one example; ``notes`` says what the page has wrong.

    Members of enumerations and types are looked up in ``view``.
    """

    def __init__(self, view: View):
        self._view = view
        self.notes: dict[str, None] = {}

    def note(self, text: str) -> None:
        """Say that the page has something wrong; of very many things the first ones."""
        if len(self.notes) < _MOST_NOTES:
            self.notes.setdefault(text)

    # -- entities and what they contain ---------------------------------------------------------

    def entity(self, resource: Resource, schema: Structured, value: Json) -> Json:
        """Return an entity fitted to its type, and those that are shown within it."""
        if not isinstance(value, dict):
            return self.structured(schema, value)
        own = self._named(schema, value) or schema
        known = resource.navigation_names(own.type_name)
        below = {name: value[name] for name in value.keys() & known.keys()}
        rest = {name: item for name, item in value.items() if name not in below}
        fitted = self.structured(schema, rest)
        for name, item in below.items():
            child = known[name]
            if child.is_collection and isinstance(item, list):
                items = [self.entity(child, child.type, each) for each in item]
                fitted[name] = [self._constrained(child, each, fitted) for each in items]
            elif not child.is_collection and isinstance(item, dict):
                fitted[name] = self.entity(child, child.type, item)
        return fitted

    def _constrained(self, child: Resource, value: Json, owner: Mapping[str, Json]) -> Json:
        """A related entity with the values by which it is related to the one it is shown in."""
        for each in child.navigation.constraints if child.navigation else ():
            mine, due = value.get(each.referenced), owner.get(each.property)
            if mine is not None and due is not None and mine != due:
                self.note(f"'{each.referenced}' of {child.type_name} is not that of its owner")
                value = {**value, each.referenced: due}
        return value

    # -- values ---------------------------------------------------------------------------------

    def structured(self, schema: Structured | None, value: Json) -> Json:
        """Return a value of a structured type, or a list of such, with what its type has."""
        if schema is None:
            return value
        if isinstance(value, list):
            return [self.structured(schema, each) for each in value]
        if not isinstance(value, dict):
            return value
        own = self._named(schema, value)
        fitted: dict[str, Json] = {}
        if own is not None and (own is not schema or "@odata.type" in value):
            fitted["@odata.type"] = value.get("@odata.type", f"#{own.type_name}")
        own = own or schema
        declared = own.properties()
        folded = {each.lower(): each for each in declared}
        for printed, item in value.items():
            name = printed.strip()
            if name.startswith("@odata."):
                continue
            if "@" in name:
                if name.endswith("@odata.bind") and item:
                    fitted[name] = item
                elif name.endswith("@odata.bind"):
                    self.note(f"'{name}' refers to nothing")
                continue
            other = folded.get(name.lower(), name)
            if name not in declared and other not in value and other != name:
                if not issubclass(own, Parameters):  # whose names are read in any case
                    self.note(f"'{printed}' is spelt '{other}'")
                name = other
            if name in declared:
                try:
                    fitted[name] = self.value(declared[name], item)
                except Misfit as misfit:
                    self.note(f"'{name}' of {own.type_name} {misfit}")
            elif own.is_open and edm.is_identifier(name):
                fitted[name] = item
            else:
                self.note(f"'{name}' is no property of {own.type_name}")
        return fitted

    def _named(self, schema: Structured, value: Mapping[str, Json]) -> Structured | None:
        """The type that a value's ``@odata.type`` names; None where it names none that fits."""
        name = value.get("@odata.type")
        try:
            return schema.named_by(value)
        except ValidationError:
            pass
        heirs = [self._view.schemas[each] for each in self._view.model.derived(schema.type_name)]
        if isinstance(name, str):
            short = short_name(name.removeprefix("#")).lower()
            near = [each for each in heirs if short_name(each.type_name).lower() == short]
            if short_name(schema.type_name).lower() != short:
                self.note(f"'{name}' names no type that is or derives from {schema.type_name}")
            if near:
                return near[0]
        if not schema.is_abstract:
            return None
        if name is None:
            self.note(f"{schema.type_name} is abstract, and no type is named")
        known = value.keys()
        fitting = sorted(
            (each for each in heirs if not each.is_abstract),
            key=lambda each: -len(known & each.properties().keys()),
        )
        return fitting[0] if fitting else None

    def value(self, declared: edm.PropertyField, value: Json) -> Json:
        """Return a value of a property. Raises Misfit where it can be none."""
        if isinstance(declared, edm.Collection):
            return self._collection(declared, value)
        if value is None:
            if not declared.nullable:
                raise Misfit("is null, which its type does not allow")
            return None
        if isinstance(declared, edm.Complex):
            if not isinstance(value, dict):
                raise Misfit(f"is an object, and not {_kind(value)}")
            if declared.schema.is_abstract and self._named(declared.schema, value) is None:
                raise Misfit("is of an abstract type, and no other one is named")
            return self.structured(declared.schema, value)
        if isinstance(declared, edm.Enum):
            return self._member(declared, value)
        if _is_read(declared, value):
            return value
        return self._primitive(declared, value)

    def _collection(self, declared: edm.Collection, value: Json) -> Json:
        if value is None:
            self.note("null stands for an empty collection")
            return []
        if isinstance(value, list):
            if any(each is None for each in value):
                raise Misfit("holds null, which a collection cannot")
            return [self.value(declared.item, each) for each in value]
        if is_placeholder(value):
            return [self.value(declared.item, value)]
        raise Misfit(f"is a collection, and not {_kind(value)}")

    def _member(self, declared: edm.Enum, value: Json) -> Json:
        """A member as it is declared; the first one in place of a word."""
        members = declared.values.members
        if not isinstance(value, str):
            raise Misfit(f"is a member of an enumeration, and not {_kind(value)}")
        if _is_read(declared, value):
            folded = {each.lower(): each for each in members}
            given = [each.strip() for each in value.split(",")]
            return ",".join(folded.get(each.lower(), each) for each in given)
        folded = {each.lower(): each for each in members}
        if value.strip().lower() in folded:
            self.note(f"'{value}' is spelt '{folded[value.strip().lower()]}'")
            return folded[value.strip().lower()]
        is_word = is_placeholder(value) or not _MEMBER.fullmatch(value)
        if is_word or value.lower() == short_name(declared.type_name).lower():
            return next(iter(members))
        raise Misfit(f"has no member '{value[:80]}'")

    def _primitive(self, declared: edm.PropertyField, value: Json) -> Json:
        kind = declared.edm
        if isinstance(declared, (edm.Integer, edm.Double)):
            return self._number(declared, value)
        if kind == "Edm.String":
            if isinstance(value, (bool, int, float)):
                self.note(f"{_kind(value)} stands for a text")
                return str(value).lower() if isinstance(value, bool) else str(value)
            raise Misfit(f"is a text, and not {_kind(value)}")
        if isinstance(value, str):
            if kind == "Edm.Boolean" and value.lower() in ("true", "false"):
                self.note("a text stands for true or false")
                return value.lower() == "true"
            if is_placeholder(value) or isinstance(declared, (Text, edm.DateTimeOffset)):
                if not is_placeholder(value) and _NUMBER.match(value):
                    self.note(f"'{value[:40]}' is no {kind}")
                return _SOME.get(kind, value)
        raise Misfit(f"is {kind}, and not {_kind(value)}")

    def _number(self, declared: edm.PropertyField, value: Json) -> Json:
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            self.note("a text stands for a number")
            value = float(value) if "." in value else int(value)
        if isinstance(value, float) and value == int(value):
            value = int(value)
        if _is_read(declared, value):
            return value
        if is_placeholder(value):
            return _SOME_NUMBER
        raise Misfit(f"is {declared.edm}, and not {_kind(value)}")


def _is_read(declared: edm.PropertyField, value: Json) -> bool:
    try:
        declared.read(value, False)
    except (ValidationError, ValueError, OverflowError):
        return False
    return True


def _kind(value: Json) -> str:
    """A JSON value as a reason names it."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f"'{value[:60]}'"
    return "an object" if isinstance(value, dict) else "null" if value is None else "an array"
