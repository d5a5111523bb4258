"""Entity and complex types as marshmallow schemas, and the properties that hold them."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from functools import cache, cached_property, lru_cache
from typing import Any, ClassVar, cast

from marshmallow import EXCLUDE, Schema, ValidationError, post_load, pre_load

from mockgraph.errors import NotEmulated
from mockgraph.metadata.names import Json, is_identifier, shown
from mockgraph.metadata.primitives import PropertyField, type_as_is
from mockgraph.spelling import suggestion

# OData JSON readers stop at this depth by default (OData .NET, MaxNestingDepth).
MAX_DEPTH = 100
TOO_DEEP = f"The value is nested more than {MAX_DEPTH} levels deep."

_ANNOTATION = re.compile(r"[^@]*@[^@]+")
_TYPE = "@odata.type"
# The annotations by which a body asks for more than the values of its properties.
_CHANGES = ("@odata.bind", "@delta", "@removed")


class Complex(PropertyField):
    """A value of a structured type, or of one that derives from it.

    The schema may be given by a function, since types refer to one another in circles.
    """

    def __init__(
        self, schema: type[StructuredSchema] | Callable[[], type[StructuredSchema]], **facets: Any
    ):
        super().__init__(**facets)
        self._given = schema
        self._is_made = False

    @cached_property
    def schema(self) -> type[StructuredSchema]:
        """The schema of the declared type."""
        given = self._given
        return given if isinstance(given, type) else given()

    @property
    def type_name(self) -> str:
        return self.schema.type_name

    def start_at_zero(self) -> None:
        self._starts_at_zero = True
        self.load_default = self.unset

    def unset(self) -> Json:
        """Return null or, where that will not do, a value of which nothing is set.

        Null, too, where the type is abstract, or would have to have a value of itself in it.
        """
        if not self._starts_at_zero or self._is_made or self.schema.is_abstract:
            return None
        self._is_made = True
        try:
            return unset(self.schema)
        finally:
            self._is_made = False

    def read(self, value: Json, partial: bool) -> dict[str, Json]:
        return load_value(self.schema, value, partial=partial)


class Collection(PropertyField):
    """A collection of values; never null, its items neither.

    A PATCH replaces a collection whole, so its items are loaded whole. ``partial`` is for
    the parameters of actions that take changes: items of which only what was sent counts.
    """

    default_error_messages = {"null": "A collection cannot be null; send [] to empty it."}

    def __init__(self, item: PropertyField, *, partial: bool = False, **attributes: Any):
        super().__init__(nullable=False, **attributes)
        self.allow_none = False
        self.load_default = list
        self.item = item
        self.partial = partial
        item.allow_none = False
        self._as_is = type_as_is(item)

    @property
    def type_name(self) -> str:
        return f"Collection({self.item.type_name})"

    def start_at_zero(self) -> None:
        """Do nothing: it is empty where nothing was written."""

    def unset(self) -> Json:
        return []

    def read(self, value: Json, _: bool) -> list[Json]:
        if type(value) is not list:
            raise self.refuse(value)
        if self._as_is is not None and {*map(type, value)} == {self._as_is}:
            return value.copy()
        items = []
        for index, item in enumerate(value):
            try:
                if item is None:
                    raise self.item.make_error("null")
                items.append(self.item.read(item, self.partial))
            except ValidationError as error:
                raise ValidationError({index: error.messages}) from None
        return items


def item_of(declared: PropertyField) -> PropertyField:
    """Return a property itself, of a collection that of its items."""
    return declared.item if isinstance(declared, Collection) else declared


class StructuredSchema(Schema):
    """The base of the schemas of entity and complex types.

    A value has the declared properties, and of an open type dynamic ones, too.

    ``type_name`` is qualified. ``schemas`` finds the schema of another type of the same model, None
    where the model has no structured type of the name; of an abstract type there are no values
    but those of the types that derive from it. ``field_of`` makes the field of the type that an
    ``@odata.type`` names, ``#Int64``, None where there is none; ``elsewhere`` finds the property
    that another root of the service declares where this one does not; ``navigation`` names the
    navigation properties of a complex type. ``key`` names the properties that are the key of an
    entity type, or their aliases; ``key_paths`` are the paths of these where they are no properties
    of the type itself.
    """

    class Meta:
        register = False
        unknown = EXCLUDE

    type_name: ClassVar[str] = ""
    is_open: ClassVar[bool] = False
    is_abstract: ClassVar[bool] = False
    any_case: ClassVar[bool] = False
    echoed: ClassVar[frozenset[str]] = frozenset()
    navigation: ClassVar[frozenset[str]] = frozenset()
    key: ClassVar[tuple[str, ...]] = ()
    key_paths: ClassVar[tuple[tuple[str, ...], ...]] = ()
    schemas: ClassVar[Callable[[str], type[StructuredSchema] | None]] = staticmethod(lambda _: None)
    field_of: ClassVar[Callable[[str], PropertyField | None]] = staticmethod(lambda _: None)
    elsewhere: ClassVar[Callable[[str], PropertyField | None]] = staticmethod(lambda _: None)

    @classmethod
    def properties(cls) -> Mapping[str, PropertyField]:
        """Return the declared properties by name, inherited ones first."""
        declared: Any = cls._declared_fields
        fields: Mapping[str, PropertyField] = declared  # of marshmallow's, all are ours
        return fields

    @classmethod
    def declared_name(cls, name: str) -> str | None:
        """Return the declared name of a property, in any case where the service takes that."""
        if name in cls.properties():
            return name
        return folded_names(cls).get(name.lower()) if cls.any_case else None

    @classmethod
    def named_by(cls, value: Mapping[str, Json]) -> type[StructuredSchema]:
        """Return the schema that a value's ``@odata.type`` names: this one, or a derived one's.

        Raises ValidationError where it names no type that derives from this one, or none at all
        and this one is abstract.
        """
        if "@odata.type" not in value:
            if cls.is_abstract:
                raise _fault(
                    "@odata.type",
                    f"The type '{cls.type_name}' is abstract: the annotation must name a type "
                    "that derives from it.",
                )
            return cls
        name = value["@odata.type"]
        if type(name) is not str:
            raise _misnamed(cls, name)
        return _named(cls, name)

    def load_object(self, value: Json, *, partial: bool = False) -> dict[str, Json]:
        """Return the validated value; raises marshmallow's ValidationError where it does not fit.

        It is what ``load`` gives, or refuses, at a fraction of its cost; a property test holds the
        two against each other.
        """
        if type(value) is not dict:
            raise ValidationError(f"Cannot convert {shown(value)} to the type '{self.type_name}'.")
        if not self._has_only_own_hooks:
            return cast("dict[str, Json]", self.load(value, partial=partial))
        properties, as_is, common = self._reading
        is_common = value.keys() <= common
        if not is_common:
            value = self._check_names(value)
        loaded = {} if partial else unset(type(self), value)
        faults: dict[str, Any] = {}
        for name, item in value.items():
            if type(item) is as_is.get(name):
                loaded[name] = item
                continue
            declared = properties.get(name)
            if declared is not None:
                try:
                    if item is None and not declared.allow_none:
                        raise declared.make_error("null")
                    if item is not None:
                        loaded[name] = declared.read(item, partial)
                    else:
                        loaded[name] = None if partial else declared.nothing
                except ValidationError as error:
                    faults[name] = error.messages
        if faults:
            raise ValidationError({name: faults[name] for name in properties if name in faults})
        if not is_common:
            self._keep_dynamic(loaded, value)
        return loaded

    @cached_property
    def _reading(self) -> tuple[Mapping[str, PropertyField], Mapping[str, type], frozenset[str]]:
        """The properties, the JSON types of which any value will do for one, the common names."""
        properties = self.properties()
        types = ((name, type_as_is(declared)) for name, declared in properties.items())
        as_is = {name: each for name, each in types if each is not None}
        return properties, as_is, common_names(type(self))

    @cached_property
    def _has_only_own_hooks(self) -> bool:
        return self._hooks == StructuredSchema._hooks

    @pre_load
    def _check_names(self, data: dict[str, Json], **_: Any) -> dict[str, Json]:
        declared = self.properties()
        for name, value in data.items():
            if name in declared:
                continue
            if name.partition("@")[0] in self.navigation:
                raise NotEmulated(f"'{name}' here")
            if "@" in name and _ANNOTATION.fullmatch(name):
                if name.endswith(_CHANGES):  # an entity's references are read before this
                    raise NotEmulated(f"'{name}' here")
                continue
            if self.is_open:
                _check_dynamic(name, value)
                self._dynamic(name, data)
            elif name not in self.echoed and not self.type_name:  # MockGraph's own, not Graph's
                near = suggestion(name, declared)
                raise _fault(name, f"The property {shown(name)} does not exist here.{near}")
            elif name not in self.echoed:
                raise _fault(
                    name, f"The property '{name}' does not exist on type '{self.type_name}'."
                )
        return data

    @post_load(pass_original=True)
    def _keep_dynamic(
        self, data: dict[str, Json], original: dict[str, Json], **_: Any
    ) -> dict[str, Json]:
        if self.is_open:
            declared = self.properties()
            for name in original:
                if name in declared or "@" in name:
                    continue
                if f"{name}{_TYPE}" in original:
                    data[f"{name}{_TYPE}"] = original[f"{name}{_TYPE}"]
                data[name] = self._dynamic(name, original)
        return data

    def _dynamic(self, name: str, data: Mapping[str, Json]) -> Json:
        """Return the value of a dynamic property, of the type that is known of it.

        That is the one which is given beside it, or that which another root declares.
        """
        value = data[name]
        declared = type(self).elsewhere(name)
        if f"{name}{_TYPE}" in data:
            type_name = data[f"{name}{_TYPE}"]
            given = type(self).field_of(type_name) if type(type_name) is str else None
            if given is None:
                raise _fault(f"{name}{_TYPE}", f"{shown(type_name)} is not the name of a type.")
            declared = declared or given
        if declared is None or (value is None and declared.allow_none):
            return value
        try:
            if value is None:
                raise declared.make_error("null")
            return declared.read(value, False)
        except ValidationError as error:
            raise ValidationError({name: error.messages}) from None


class ComplexSchema(StructuredSchema):
    """A structured value without a key."""


class EntitySchema(StructuredSchema):
    """A structured value with a key.

    ``echoed`` are what the service writes of an entity: clients send them back as they were
    answered, for types, too, that do not declare them; they are left aside.
    """

    echoed = frozenset({"createdDateTime", "lastModifiedDateTime"})
    key: ClassVar[tuple[str, ...]] = ("id",)


@cache
def common_names(schema: type[StructuredSchema]) -> frozenset[str]:
    """Return the names in values of a type about which there is nothing to ask."""
    return frozenset((*schema.properties(), "@odata.type"))


@lru_cache(maxsize=4096)
def _named(schema: type[StructuredSchema], name: str) -> type[StructuredSchema]:
    """The schema that a name in an annotation is of: this one, or a derived one's."""
    bare = name.removeprefix("#")
    if bare == schema.type_name and not schema.is_abstract:
        return schema
    found = schema.schemas(bare)
    if found is None or not issubclass(found, schema) or found.is_abstract:
        raise _misnamed(schema, name)
    return found


def _misnamed(schema: type[StructuredSchema], name: Json) -> ValidationError:
    return _fault(
        "@odata.type", f"{shown(name)} does not name the type '{schema.type_name}' expected here."
    )


@cache
def folded_names(schema: type[StructuredSchema]) -> Mapping[str, str]:
    """Return the names of the declared properties by their small letters."""
    return {name.lower(): name for name in schema.properties()}


@cache
def instance(schema: type[StructuredSchema]) -> StructuredSchema:
    """Return the one instance of a schema: making one costs as much as a load."""
    return schema()


def unset(schema: type[StructuredSchema], given: Container[str] = ()) -> dict[str, Json]:
    """Return a value of which nothing is set: every declared property in order, null or ``[]``.

    The collections in it are nobody else's, but for those ``given``, which are to be replaced.
    """
    value, collections, nested = _unset(schema)
    made = {**value}
    for name in collections:
        if name not in given:
            made[name] = []
    for name in nested:
        if name not in given:
            made[name] = schema.properties()[name].unset()
    return made


@cache
def _unset(
    schema: type[StructuredSchema],
) -> tuple[Mapping[str, Json], tuple[str, ...], tuple[str, ...]]:
    value = {name: declared.unset() for name, declared in schema.properties().items()}
    collections = tuple(name for name, item in value.items() if item == [])
    return value, collections, tuple(name for name, item in value.items() if type(item) is dict)


def load_value(
    schema: type[StructuredSchema], value: Json, *, partial: bool = False
) -> dict[str, Json]:
    """Return a validated value of a type, or of one that derives from it.

    The latter keeps its ``@odata.type``. Raises marshmallow's ValidationError.
    """
    if type(value) is not dict or (
        "@odata.type" not in value
        and (
            not schema.is_abstract
            or (partial and issubclass(schema, EntitySchema))  # of an entity that has its type
        )
    ):
        return instance(schema).load_object(value, partial=partial)
    own = schema.named_by(value)
    loaded = instance(own).load_object(value, partial=partial)
    return loaded if own is schema else {"@odata.type": f"#{own.type_name}", **loaded}


def _fault(name: str, message: str) -> ValidationError:
    """A refusal with its place in it, which a value around this one puts its own before."""
    return ValidationError({name: [message]})


def _check_dynamic(name: str, value: Json) -> None:
    if not is_identifier(name):
        raise _fault(name, f"{shown(name)} is not a property name.")
    if is_deeper(value, MAX_DEPTH):
        raise _fault(name, TOO_DEEP)


def is_deeper(value: Json, most: int) -> bool:
    """Return whether a value has more levels of arrays and objects in it than so many."""
    level = [value]
    for _ in range(most):
        below: list[Json] = []
        for each in level:
            if type(each) is dict:
                below += each.values()
            elif type(each) is list:
                below += each
        if not below:
            return False
        level = below
    return True
