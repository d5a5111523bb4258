"""Properties of primitive and enumeration types, as marshmallow fields that do not coerce."""

from __future__ import annotations

import enum
import math
from typing import Any, ClassVar

from marshmallow import ValidationError, fields

from mockgraph import instants
from mockgraph.metadata.names import Json, qualified, shown


class Property(fields.Field[Any]):
    """A declared property: its Edm type, and whether null may take the place of a value.

    Loading takes null for whatever is not a collection, since answers show null where nothing
    was written and clients send back what they were answered; the state sees to it that
    a value that must not be null does not become so. ``computed`` marks what the server writes
    by itself; what a client sends for it is checked and left aside
    (Org.OData.Core.V1.Computed).
    """

    edm: ClassVar[str] = ""
    default_error_messages = {"null": "An item of a collection cannot be null."}

    def __init__(self, *, nullable: bool = True, computed: bool = False):
        super().__init__(allow_none=True, load_default=None)
        self.nullable = nullable
        self.computed = computed

    @property
    def type_name(self) -> str:
        """The type as ``$metadata`` spells it, ``Edm.String`` or ``microsoft.graph.alert``."""
        return self.edm

    def unset(self) -> Json:
        """What an answer shows where nothing was written."""
        return None

    def read(self, value: Json, partial: bool) -> Json:
        """A value that is not null, validated; raises ValidationError."""
        raise NotImplementedError

    def _deserialize(self, value: Json, *_: Any, partial: Any = None, **__: Any) -> Json:
        return self.read(value, bool(partial))

    def refuse(self, value: Json) -> ValidationError:
        return ValidationError(f"Cannot convert {shown(value)} to the type '{self.type_name}'.")


class String(Property):
    edm = "Edm.String"

    def read(self, value: Json, _: bool) -> str:
        if type(value) is not str:
            raise self.refuse(value)
        return value


class Boolean(Property):
    edm = "Edm.Boolean"

    def read(self, value: Json, _: bool) -> bool:
        if type(value) is not bool:
            raise self.refuse(value)
        return value


class _Integer(Property):
    limit: ClassVar[int]

    def read(self, value: Json, _: bool) -> int:
        if type(value) is not int or not -self.limit <= value < self.limit:
            raise self.refuse(value)
        return value


class Int32(_Integer):
    edm = "Edm.Int32"
    limit = 2**31


class Int64(_Integer):
    edm = "Edm.Int64"
    limit = 2**63


class Double(Property):
    """A number, or one of the three words of OData's JSON format for what JSON cannot say."""

    edm = "Edm.Double"
    words = ("INF", "-INF", "NaN")

    def read(self, value: Json, _: bool) -> float | int | str:
        if type(value) is int or (type(value) is float and math.isfinite(value)):
            return value
        if type(value) is str and value in self.words:
            return value
        raise self.refuse(value)


class DateTimeOffset(Property):
    """An instant, kept in UTC with the fraction digits that were sent."""

    edm = "Edm.DateTimeOffset"

    def read(self, value: Json, _: bool) -> str:
        if type(value) is not str:
            raise self.refuse(value)
        try:
            return instants.to_utc(value)
        except ValueError:
            raise self.refuse(value) from None


class Enumeration(enum.Enum):
    """An enumeration type: members by name in JSON, by value where they are ordered."""

    @classmethod
    def edm_name(cls) -> str:
        return cls.__name__[0].lower() + cls.__name__[1:]


class Enum(Property):
    """A member of an enumeration, by its name."""

    def __init__(self, members: type[Enumeration], **facets: Any):
        super().__init__(**facets)
        self.members = members

    @property
    def type_name(self) -> str:
        return qualified(self.members.edm_name())

    def read(self, value: Json, _: bool) -> str:
        if type(value) is not str:
            raise self.refuse(value)
        if value not in self.members.__members__:
            names = ", ".join(self.members.__members__)
            raise ValidationError(
                f"{shown(value)} is not a member of '{self.type_name}'; its members are {names}."
            )
        return value
