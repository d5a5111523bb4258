"""Entity and complex types as marshmallow schemas, and the properties that hold them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Any, ClassVar, cast

from marshmallow import EXCLUDE, Schema, ValidationError, post_load, pre_load

from mockgraph.metadata.names import Json, is_identifier, qualified, shown
from mockgraph.metadata.primitives import Property, String

# OData JSON readers stop at this depth by default (OData .NET, MaxNestingDepth).
MAX_DEPTH = 100

_ANNOTATION = re.compile(r"[^@]*@[^@]+")


class Complex(Property):
    """A value of a structured type."""

    def __init__(self, schema: type[StructuredType], **facets: Any):
        super().__init__(**facets)
        self.schema = schema

    @property
    def type_name(self) -> str:
        return qualified(self.schema.edm_name())

    def read(self, value: Json, partial: bool) -> dict[str, Json]:
        return instance(self.schema).load_object(value, partial=partial)


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

    def read(self, value: Json, _: bool) -> list[Json]:
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
    echoed: ClassVar[frozenset[str]] = frozenset()

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
            raise ValidationError(f"Cannot convert {shown(value)} to the type '{name}'.")
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
            elif self.is_open:
                _check_dynamic(name, value)
            elif name not in self.echoed:
                raise ValidationError(
                    f"The property '{name}' does not exist on type '{qualified(self.edm_name())}'.",
                    name,
                )
        return data

    def _check_type(self, value: Json) -> None:
        own = qualified(self.edm_name())
        if value not in (own, f"#{own}"):
            raise ValidationError(
                f"{shown(value)} does not name the type '{own}' expected here.", "@odata.type"
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
    """A structured value with the key ``id``.

    ``echoed`` are what the service writes of an entity: clients send them back as they were
    answered, for types, too, that do not declare them; they are left aside.
    """

    echoed = frozenset({"createdDateTime", "lastModifiedDateTime"})

    id = String(nullable=False, computed=True)


@cache
def instance(schema: type[StructuredType]) -> StructuredType:
    """The one instance of a schema: making one costs as much as a load."""
    return schema()


def _check_dynamic(name: str, value: Json) -> None:
    if not is_identifier(name):
        raise ValidationError(f"{shown(name)} is not a property name.", name)
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
