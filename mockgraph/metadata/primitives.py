"""Properties of primitive and enumeration types, as marshmallow fields that do not coerce.

Values are those of OData's JSON format (OData JSON Format 4.01, 7.1).
"""

from __future__ import annotations

import base64
import binascii
import decimal
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, time
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, ClassVar, Final

from marshmallow import ValidationError, fields

from mockgraph import instants
from mockgraph.metadata.names import Json, shown

if TYPE_CHECKING:
    from mockgraph.metadata.vocabulary import Revision

# The member of an evolvable enumeration that stands for those that came later.
UNKNOWN_MEMBER: Final = "unknownFutureValue"


class PropertyField(fields.Field[Any]):
    """A declared property: its Edm type, and whether null may take the place of a value.

    Loading takes null for whatever is not a collection, since answers show null where nothing
    was written and clients send back what they were answered; the state sees to it that
    a value that must not be null does not become so. ``computed`` marks what the server writes
    by itself; what a client sends for it is checked and left aside
    (Org.OData.Core.V1.Computed). ``immutable`` marks what only a create may set
    (Org.OData.Core.V1.Immutable); ``default`` is the value where a create sets none. ``zero`` is
    the value of the type where there is none and null will not do, as .NET has it. ``time_of``
    names another property and its value, of which this one tells the time (MockGraph.V1.TimeOf);
    ``deprecated`` is the revision that deprecates the property (Org.OData.Core.V1.Revisions);
    ``initial`` is the value that the service gives it where a create gives none, or may give none
    (MockGraph.V1.InitialValue).
    """

    edm: ClassVar[str] = ""
    zero: ClassVar[Json] = None
    time_of: tuple[str, str] | None = None
    initial: Json = None
    default_error_messages = {"null": "An item of a collection cannot be null."}

    def __init__(
        self,
        *,
        nullable: bool = True,
        computed: bool = False,
        immutable: bool = False,
        default: Json = None,
    ):
        super().__init__(allow_none=True, load_default=default)
        self.nullable = nullable
        self.computed = computed
        self.immutable = immutable
        self.default = default
        self.deprecated: Revision | None = None
        self._starts_at_zero = False

    @property
    def type_name(self) -> str:
        """The type as ``$metadata`` spells it, ``Edm.String`` or ``microsoft.graph.alert``."""
        return self.edm

    def unset(self) -> Json:
        """Return what an answer shows where nothing was written."""
        return self.default

    def start_at_zero(self) -> None:
        """Have the property unset be the zero of its type, in place of null."""
        self.default = self.load_default = self.zero
        self._starts_at_zero = True

    @property
    def nothing(self) -> Json:
        """The value that takes the place of a null in a create: null, where that will do."""
        return self.unset() if self._starts_at_zero else None

    def deserialize(
        self, value: Json, attr: str | None = None, data: Any = None, **options: Any
    ) -> Json:
        """Return a value validated: as marshmallow has it, but for null where it will not do."""
        loaded = super().deserialize(value, attr, data, **options)
        return self.nothing if loaded is None and not options.get("partial") else loaded

    def read(self, value: Json, partial: bool) -> Json:
        """Return a value that is not null, validated. Raises ValidationError."""
        raise NotImplementedError

    def from_text(self, text: str) -> Json:
        """Return the value that a text, of a default or a key, stands for.

        Raises ValidationError.
        """
        return self.read(text, False)

    def key_text(self, value: Json) -> str:
        """Return a value as keys have it: of one that may be spelt in several ways, one of them."""
        return str(value)

    def _deserialize(self, value: Json, *_: Any, partial: Any = None, **__: Any) -> Json:
        return self.read(value, bool(partial))

    def refuse(self, value: Json) -> ValidationError:
        """Make the refusal of a value that is not of this type."""
        return ValidationError(f"Cannot convert {shown(value)} to the type '{self.type_name}'.")


class String(PropertyField):
    """Text, of at most ``max_length`` characters where that is not None."""

    edm = "Edm.String"
    zero = ""

    def __init__(self, *, max_length: int | None = None, **facets: Any):
        super().__init__(**facets)
        self.max_length = max_length

    def read(self, value: Json, _: bool) -> str:
        if type(value) is not str:
            raise self.refuse(value)
        if self.max_length is not None and len(value) > self.max_length:
            raise ValidationError(f"The text is longer than {self.max_length} characters.")
        return value


class Boolean(PropertyField):
    """``true`` or ``false``."""

    edm = "Edm.Boolean"
    zero = False

    def read(self, value: Json, _: bool) -> bool:
        if type(value) is not bool:
            raise self.refuse(value)
        return value

    def from_text(self, text: str) -> Json:
        return self.read({"true": True, "false": False}.get(text.lower(), text), False)

    def key_text(self, value: Json) -> str:
        return str(value).lower()


class Integer(PropertyField):
    """A whole number within the bounds of its type."""

    zero = 0
    least: ClassVar[int]
    most: ClassVar[int]

    def read(self, value: Json, _: bool) -> int:
        if type(value) is not int or not self.least <= value <= self.most:
            raise self.refuse(value)
        return value

    def from_text(self, text: str) -> Json:
        return self.read(int(text) if re.fullmatch("[+-]?[0-9]{1,19}", text) else text, False)


class Byte(Integer):
    """0 to 255."""

    edm, least, most = "Edm.Byte", 0, 2**8 - 1


class SByte(Integer):
    """A whole number of 8 bits."""

    edm, least, most = "Edm.SByte", -(2**7), 2**7 - 1


class Int16(Integer):
    """A whole number of 16 bits."""

    edm, least, most = "Edm.Int16", -(2**15), 2**15 - 1


class Int32(Integer):
    """A whole number of 32 bits."""

    edm, least, most = "Edm.Int32", -(2**31), 2**31 - 1


class Int64(Integer):
    """A whole number of 64 bits."""

    edm, least, most = "Edm.Int64", -(2**63), 2**63 - 1


class Double(PropertyField):
    """A number, or one of the three words of OData's JSON format for what JSON cannot say."""

    edm = "Edm.Double"
    zero = 0
    words: ClassVar[tuple[str, ...]] = ("INF", "-INF", "NaN")

    def read(self, value: Json, _: bool) -> float | int | str:
        if type(value) is int or (type(value) is float and math.isfinite(value)):
            return value
        if type(value) is str and value in self.words:
            return value
        raise self.refuse(value)

    def from_text(self, text: str) -> Json:
        is_number = re.fullmatch(r"[+-]?[0-9]{1,64}(\.[0-9]{1,64})?([eE][+-]?[0-9]{1,3})?", text)
        return self.read(float(text) if is_number else text, False)


class Single(Double):
    """A number as Double has it, of 32 bits."""

    edm = "Edm.Single"

    def read(self, value: Json, partial: bool) -> float | int | str:
        number = super().read(value, partial)
        if not isinstance(number, str) and abs(number) > 3.4028235e38:
            raise self.refuse(value)
        return number


class Decimal(Double):
    """A decimal number, as a JSON number; there is no word for an infinite one.

    It has at most ``precision`` digits, and ``scale`` of them to the right of the point, where
    these are not None (OData CSDL 4.01, 7.2.3 and 7.2.4).
    """

    edm = "Edm.Decimal"
    words = ()

    def __init__(self, *, precision: int | None = None, scale: int | None = None, **facets: Any):
        super().__init__(**facets)
        self.precision = precision
        self.scale = scale

    def read(self, value: Json, partial: bool) -> float | int | str:
        number = super().read(value, partial)
        if number and (self.precision is not None or self.scale is not None):
            self._check_digits(decimal.Decimal(repr(number)).normalize())
        return number

    def _check_digits(self, number: decimal.Decimal) -> None:
        exponent = number.adjusted()
        before, behind = max(exponent + 1, 0), max(len(number.as_tuple().digits) - exponent - 1, 0)
        if self.scale is not None and behind > self.scale:
            raise ValidationError(f"The number has more than {self.scale} decimal places.")
        digits = before + (behind if self.scale is None else self.scale)
        if self.precision is not None and digits > self.precision:
            raise ValidationError(f"The number has more than {self.precision} digits.")


class Text(PropertyField):
    """A value that JSON has as text of a given form."""

    form: ClassVar[re.Pattern[str]]

    def read(self, value: Json, _: bool) -> str:
        if type(value) is not str or not self.form.fullmatch(value) or not self.holds(value):
            raise self.refuse(value)
        return value

    def holds(self, text: str) -> bool:  # noqa: ARG002
        """Return whether a text of the form is a value: there is no 30 February."""
        return True


class Guid(Text):
    """32 hexadecimal digits in groups of 8, 4, 4, 4 and 12."""

    edm = "Edm.Guid"
    zero = "00000000-0000-0000-0000-000000000000"
    form = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

    def key_text(self, value: Json) -> str:
        return str(value).lower()


class Date(Text):
    """A day, ``2024-02-29``."""

    edm = "Edm.Date"
    zero = "0001-01-01"
    form = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

    def holds(self, text: str) -> bool:
        return _succeeds(date.fromisoformat, text)


class TimeOfDay(Text):
    """A time of day, ``07:59:59.999``."""

    edm = "Edm.TimeOfDay"
    zero = "00:00:00"
    form = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,12})?)?")

    def holds(self, text: str) -> bool:
        return _succeeds(time.fromisoformat, text[:8])


class Duration(Text):
    """A length of time in days, hours, minutes and seconds, ``P1DT12H`` (ISO 8601)."""

    edm = "Edm.Duration"
    zero = "PT0S"
    form = re.compile(
        r"-?P(?=[0-9T])([0-9]{1,9}D)?(T(?=[0-9])([0-9]{1,9}H)?([0-9]{1,9}M)?"
        r"([0-9]{1,9}(\.[0-9]{1,12})?S)?)?"
    )


class Binary(Text):
    """Bytes as base64url, or as base64, which Graph answers and clients send.

    There are at most ``max_length`` bytes where that is not None.
    """

    edm = "Edm.Binary"
    zero = ""
    form = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")

    def __init__(self, *, max_length: int | None = None, **facets: Any):
        super().__init__(**facets)
        self.max_length = max_length

    def read(self, value: Json, partial: bool) -> str:
        text = super().read(value, partial)
        if self.max_length is not None and len(text.rstrip("=")) * 3 // 4 > self.max_length:
            raise ValidationError(f"The value is longer than {self.max_length} bytes.")
        return text

    def holds(self, text: str) -> bool:
        plain = text.rstrip("=").translate(_TO_BASE64)
        return _succeeds(base64.b64decode, plain + "=" * (-len(plain) % 4))


class DateTimeOffset(PropertyField):
    """An instant, kept in UTC with the fraction digits that were sent.

    Where ``is_lenient`` a day alone is read as well, a blank for the ``T``, and no offset.
    """

    edm = "Edm.DateTimeOffset"
    zero = "0001-01-01T00:00:00Z"
    is_lenient = False

    def read(self, value: Json, _: bool) -> str:
        if type(value) is not str:
            raise self.refuse(value)
        try:
            return (instants.to_utc_leniently if self.is_lenient else instants.to_utc)(value)
        except ValueError:
            raise self.refuse(value) from None


class Untyped(PropertyField):
    """Any JSON value."""

    edm = "Edm.Untyped"

    def read(self, value: Json, _: bool) -> Json:
        return value


class Geography(PropertyField):
    """A shape on the earth or on a plane, as GeoJSON has it (RFC 7946, 3.1)."""

    def __init__(self, edm_type: str, **facets: Any):
        super().__init__(**facets)
        self._edm_type = edm_type
        shape = re.sub("^Edm.(Geography|Geometry)", "", edm_type)
        self._shape = {"": None, "Collection": "GeometryCollection"}.get(shape, shape)

    @property
    def type_name(self) -> str:
        return self._edm_type

    def read(self, value: Json, _: bool) -> Json:
        shape = value.get("type") if type(value) is dict else None
        content = "geometries" if shape == "GeometryCollection" else "coordinates"
        if type(shape) is not str or type(value.get(content)) is not list:
            raise self.refuse(value)
        if self._shape not in (None, shape):
            raise self.refuse(value)
        return value


class EnumValues:
    """The members of an enumeration by name, with their values, as metadata declares them.

    With ``any_case`` members are read without regard to case, as the live service does, and
    kept as they are declared. ``later`` are those declared after ``unknownFutureValue``.
    """

    __slots__ = ("_folded", "is_flags", "later", "members", "type_name")

    def __init__(
        self,
        type_name: str,
        members: Mapping[str, int],
        *,
        is_flags: bool = False,
        any_case: bool = False,
    ):
        self.type_name = type_name
        self.members = members
        self.is_flags = is_flags
        self._folded = {name.lower(): name for name in members} if any_case else None
        _, known, later = " ".join(members).partition(f"{UNKNOWN_MEMBER} ")
        self.later = frozenset(later.split()) if known else frozenset()

    def value(self, text: str) -> int | None:
        """Return the value of a member, or of several with commas between; None for other text."""
        numbers = [self.members.get(each.strip()) for each in text.split(",")]
        known = [each for each in numbers if each is not None]
        return reduce(or_, known) if len(known) == len(numbers) else None

    @property
    def any_case(self) -> bool:
        """Whether members are read without regard to case."""
        return self._folded is not None

    def name_of(self, value: int) -> str:
        """Return the name of a member by its value; of flags, of all that are set, with commas."""
        exact = (name for name, number in self.members.items() if number == value)
        if (name := next(exact, None)) is not None or not self.is_flags:
            return name or ""
        single = (
            (name, number) for name, number in self.members.items() if number.bit_count() == 1
        )
        return ",".join(name for name, number in single if value & number)

    def find(self, text: str) -> str | None:
        """Return the declared name of a member; of flags, of several with commas between."""
        if self.is_flags and "," in text:
            found = [self.find(each.strip()) for each in text.split(",")]
            return None if None in found else ",".join(each for each in found if each)
        if text in self.members:
            return text
        return None if self._folded is None else self._folded.get(text.lower())


class Enum(PropertyField):
    """A member of an enumeration, by its name."""

    def __init__(self, values: EnumValues, **facets: Any):
        super().__init__(**facets)
        self.values = values

    @property
    def type_name(self) -> str:
        return self.values.type_name

    def start_at_zero(self) -> None:
        members = self.values.members
        first = next((name for name, value in members.items() if value == 0), None)
        self.default = self.load_default = first or next(iter(members), None)
        self._starts_at_zero = True

    def read(self, value: Json, _: bool) -> str:
        if type(value) is not str:
            raise self.refuse(value)
        if value in self.values.members:
            return value
        found = self.values.find(value)
        if found is None:
            names = ", ".join(self.values.members)
            raise ValidationError(
                f"{shown(value)} is not a member of '{self.type_name}'; its members are {names}."
            )
        return found


PRIMITIVES: Mapping[str, Callable[..., PropertyField]] = {
    each.edm: each
    for each in (
        *(Binary, Boolean, Byte, SByte, Int16, Int32, Int64, Single, Double, Decimal, String, Guid),
        *(Date, TimeOfDay, Duration, DateTimeOffset, Untyped),
    )
}

_TO_BASE64 = str.maketrans("-_", "+/")


def type_as_is(declared: PropertyField) -> type | None:
    """Return the JSON type of which any value will do for a property as it is.

    None where its values have to be looked at.
    """
    if type(declared) is String and declared.max_length is None:
        return str
    return bool if type(declared) is Boolean else None


def _succeeds(read: Callable[[str], Any], text: str) -> bool:
    try:
        read(text)
    except (ValueError, binascii.Error):
        return False
    return True
