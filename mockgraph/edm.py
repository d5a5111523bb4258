"""The Entity Data Model as marshmallow: Edm types as fields, structured types as schemas.

A Graph type is declared once, as a subclass of :class:`EntityType`, :class:`ComplexType` or
:class:`Enumeration` whose attributes bear the names of the metadata. Loading such a schema
validates without coercing and gives plain JSON values in the declared order; loading with
``partial=True`` gives only what was sent, for a PATCH to merge.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, ClassVar, cast

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, pre_load

from mockgraph import instants
from mockgraph.errors import BadRequest

NAMESPACE = "microsoft.graph"

# OData JSON readers stop at this depth by default (OData .NET, MaxNestingDepth).
MAX_DEPTH = 100

Json = Any

_TOLD_BY_JSON = frozenset({"Edm.String", "Edm.Boolean", "Edm.Double"})
_IDENTIFIER = re.compile(r"[^\W\d]\w{0,127}")
_ANNOTATION = re.compile(r"[^@]*@[^@]+")


def is_identifier(name: str) -> bool:
    """Whether the text can name a property (OData's SimpleIdentifier)."""
    return _IDENTIFIER.fullmatch(name) is not None


def qualified(name: str) -> str:
    """``microsoft.graph.alert`` for ``alert``."""
    return f"{NAMESPACE}.{name}"


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
        return self._deserialize(value, None, None, partial=partial)

    def refuse(self, value: Json) -> ValidationError:
        return ValidationError(f"Cannot convert {_shown(value)} to the type '{self.type_name}'.")


class String(Property):
    edm = "Edm.String"

    def _deserialize(self, value: Json, *_: Any, **__: Any) -> str:
        if type(value) is not str:
            raise self.refuse(value)
        return value


class Boolean(Property):
    edm = "Edm.Boolean"

    def _deserialize(self, value: Json, *_: Any, **__: Any) -> bool:
        if type(value) is not bool:
            raise self.refuse(value)
        return value


class _Integer(Property):
    limit: ClassVar[int]

    def _deserialize(self, value: Json, *_: Any, **__: Any) -> int:
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

    def _deserialize(self, value: Json, *_: Any, **__: Any) -> float | int | str:
        if type(value) is int or (type(value) is float and math.isfinite(value)):
            return value
        if type(value) is str and value in self.words:
            return value
        raise self.refuse(value)


class DateTimeOffset(Property):
    """An instant, kept in UTC with the fraction digits that were sent."""

    edm = "Edm.DateTimeOffset"

    def _deserialize(self, value: Json, *_: Any, **__: Any) -> str:
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

    def _deserialize(self, value: Json, *_: Any, **__: Any) -> str:
        if type(value) is not str:
            raise self.refuse(value)
        if value not in self.members.__members__:
            names = ", ".join(self.members.__members__)
            raise ValidationError(
                f"{_shown(value)} is not a member of '{self.type_name}'; its members are {names}."
            )
        return value


class Complex(Property):
    """A value of a structured type."""

    def __init__(self, schema: type[StructuredType], **facets: Any):
        super().__init__(**facets)
        self.schema = schema

    @property
    def type_name(self) -> str:
        return qualified(self.schema.edm_name())

    def _deserialize(
        self, value: Json, *_: Any, partial: bool | None = None, **__: Any
    ) -> dict[str, Json]:
        return instance(self.schema).load_object(value, partial=bool(partial))


class Collection(Property):
    """A collection of values; never null, its items neither.

    A PATCH replaces a collection whole, so its items are loaded whole. ``partial`` is for
    the parameters of actions that take changes: items of which only what was sent counts.
    """

    default_error_messages = {"null": "A collection cannot be null; send [] to empty it."}

    def __init__(self, item: Property, *, partial: bool = False):
        super().__init__(nullable=False)
        self.allow_none = False
        self.load_default = list
        self.item = item
        self.partial = partial
        item.allow_none = False

    @property
    def type_name(self) -> str:
        return f"Collection({self.item.type_name})"

    def unset(self) -> Json:
        return []

    def _deserialize(self, value: Json, *_: Any, **__: Any) -> list[Json]:
        if type(value) is not list:
            raise self.refuse(value)
        items = []
        for index, item in enumerate(value):
            try:
                if item is None:
                    raise self.item.make_error("null")
                items.append(self.item.read(item, self.partial))
            except ValidationError as error:
                raise ValidationError({index: error.messages}) from None
        return items


class StructuredType(Schema):
    """What entity and complex types share: declared properties, and dynamic ones if open."""

    class Meta:
        register = False
        unknown = EXCLUDE

    is_open: ClassVar[bool] = False

    @classmethod
    def edm_name(cls) -> str:
        return cls.__name__[0].lower() + cls.__name__[1:]

    @classmethod
    def properties(cls) -> Mapping[str, Property]:
        """The declared properties by name, inherited ones first."""
        return cast("Mapping[str, Property]", cls._declared_fields)

    def load_object(self, value: Json, *, partial: bool = False) -> dict[str, Json]:
        """The validated value; raises marshmallow's ValidationError where it does not fit."""
        if type(value) is not dict:
            name = qualified(self.edm_name())
            raise ValidationError(f"Cannot convert {_shown(value)} to the type '{name}'.")
        if self._has_only_own_hooks:
            try:
                return self._load_valid(value, partial)
            except ValidationError:
                pass  # marshmallow says what is wrong, and where
        return cast("dict[str, Json]", self.load(value, partial=partial))

    @cached_property
    def _has_only_own_hooks(self) -> bool:
        return self._hooks == StructuredType._hooks

    def _load_valid(self, value: dict[str, Json], partial: bool) -> dict[str, Json]:
        """What ``load`` gives, at a fraction of its cost; any ValidationError where it refuses.

        A property test holds the two against each other.
        """
        self._check_names(value)
        loaded: dict[str, Json] = {}
        for name, declared in self.properties().items():
            if name in value:
                item = value[name]
                if item is None and not declared.allow_none:
                    raise ValidationError("null")
                loaded[name] = None if item is None else declared.read(item, partial)
            elif not partial:
                loaded[name] = declared.unset()
        self._keep_dynamic(loaded, value)
        return loaded

    @pre_load
    def _check_names(self, data: dict[str, Json], **_: Any) -> dict[str, Json]:
        declared = self.properties()
        for name, value in data.items():
            if name in declared:
                continue
            if "@" in name and _ANNOTATION.fullmatch(name):
                if name == "@odata.type":
                    self._check_type(value)
            elif not self.is_open:
                raise ValidationError(
                    f"The property '{name}' does not exist on type '{qualified(self.edm_name())}'.",
                    name,
                )
            else:
                _check_dynamic(name, value)
        return data

    def _check_type(self, value: Json) -> None:
        own = qualified(self.edm_name())
        if value not in (own, f"#{own}"):
            raise ValidationError(
                f"{_shown(value)} does not name the type '{own}' expected here.", "@odata.type"
            )

    @post_load(pass_original=True)
    def _keep_dynamic(
        self, data: dict[str, Json], original: dict[str, Json], **_: Any
    ) -> dict[str, Json]:
        if self.is_open:
            declared = self.properties()
            for name, value in original.items():
                if name not in declared and "@" not in name:
                    data[name] = value
        return data


class ComplexType(StructuredType):
    """A structured value without a key."""


class EntityType(StructuredType):
    """A structured value with the key ``id``."""

    id = String(nullable=False, computed=True)


@cache
def instance(schema: type[StructuredType]) -> StructuredType:
    """The one instance of a schema: making one costs as much as a load."""
    return schema()


def load(
    schema: type[StructuredType], value: Json, *, partial: bool = False, root: str = ""
) -> dict[str, Json]:
    """Validate a JSON object against a schema.

    Gives the object with every declared property in order, or with ``partial`` only those
    sent. Raises BadRequest that says what is wrong and, as a path, where.
    """
    try:
        return instance(schema).load_object(value, partial=partial)
    except ValidationError as error:
        path, message = _first_fault(error.messages)
        where = "/".join([root, *path] if root else path)
        raise BadRequest(f"{where}: {message}" if where else message) from None


def load_value(declared: Property, value: Json, name: str) -> Json:
    """Validate one property's value; raises BadRequest as :func:`load` does."""
    try:
        return declared.deserialize(value, name, partial=True)
    except ValidationError as error:
        path, message = _first_fault(error.messages)
        raise BadRequest(f"{'/'.join([name, *path])}: {message}") from None


def merge(
    schema: type[StructuredType], current: Mapping[str, Json], changes: Mapping[str, Json]
) -> dict[str, Json]:
    """A PATCH: what was left out stays, complex values merge, all else is replaced."""
    merged = {**current, **changes}
    for name, value in changes.items():
        declared = schema.properties().get(name)
        if isinstance(declared, Complex) and value is not None:
            before = current.get(name) or whole(declared.schema, {})
            merged[name] = merge(declared.schema, before, value)
    return merged


def whole(schema: type[StructuredType], value: Mapping[str, Json]) -> dict[str, Json]:
    """The value with every declared property, unset ones as null or ``[]``, in order."""
    filled = {name: declared.unset() for name, declared in schema.properties().items()}
    return merge(schema, filled, value)


def typed(schema: type[StructuredType], value: Mapping[str, Json]) -> dict[str, Json]:
    """The value with ``@odata.type`` at each level, as the pages of ``localtest`` print it."""
    mark = "#" if issubclass(schema, EntityType) else ""
    named: dict[str, Json] = {"@odata.type": mark + qualified(schema.edm_name())}
    declared = schema.properties()
    for name, item in value.items():
        inner = declared.get(name)
        if isinstance(inner, Complex) and item is not None:
            item = typed(inner.schema, item)
        elif isinstance(inner, Collection) and isinstance(inner.item, Complex):
            item = [typed(inner.item.schema, each) for each in item]
        named[name] = item
    return named


def fully_typed(schema: type[StructuredType], value: Mapping[str, Json]) -> dict[str, Json]:
    """The value as ``odata.metadata=full`` wants it: its type, and that of each property
    whose JSON does not tell it (OData JSON format, 4.5.3)."""
    named: dict[str, Json] = {"@odata.type": f"#{qualified(schema.edm_name())}"}
    declared = schema.properties()
    for name, item in value.items():
        inner = declared.get(name)
        if isinstance(inner, Complex):
            item = item if item is None else fully_typed(inner.schema, item)
        elif inner is not None and inner.edm not in _TOLD_BY_JSON:
            named[f"{name}@odata.type"] = f"#{inner.type_name.replace('Edm.', '')}"
            if isinstance(inner, Collection) and isinstance(inner.item, Complex):
                item = [fully_typed(inner.item.schema, each) for each in item]
        named[name] = item
    return named


def bare(value: Mapping[str, Json]) -> dict[str, Json]:
    """The value without a single annotation, as ``odata.metadata=none`` wants it."""
    return {name: _bare(item) for name, item in value.items() if "@" not in name}


def _bare(value: Json) -> Json:
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return bare(value) if isinstance(value, Mapping) else value


def property_at(schema: type[StructuredType], path: Sequence[str]) -> Property | None:
    """The declared property at a path of names; None where the path is dynamic."""
    declared: Property | None = None
    for name in path:
        declared = schema.properties().get(name)
        if not isinstance(declared, Complex):
            break
        schema = declared.schema
    return declared


def _check_dynamic(name: str, value: Json) -> None:
    if not is_identifier(name):
        raise ValidationError(f"{_shown(name)} is not a property name.", name)
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _children(outer)]
        if not level:
            return
    raise ValidationError(f"The value is nested more than {MAX_DEPTH} levels deep.", name)


def _children(value: Json) -> Iterator[Json]:
    if type(value) is dict:
        yield from value.values()
    elif type(value) is list:
        yield from value


def _first_fault(messages: Json) -> tuple[list[str], str]:
    """The path and the text of the first fault in marshmallow's tree of messages."""
    path: list[str] = []
    while isinstance(messages, dict):
        key, messages = next(iter(messages.items()))
        if key != "_schema":
            path.append(str(key))
    return path, messages[0] if isinstance(messages, list) else str(messages)


def _shown(value: Json) -> str:
    """A value for a message: short, whatever it is."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    text = str(value)
    text = text if len(text) <= 64 else f"{text[:64]}..."
    return f"'{text}'" if isinstance(value, str) else text
