"""The types of a model as marshmallow schemas, each made when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from marshmallow import ValidationError, pre_load

from mockgraph.metadata import elements
from mockgraph.metadata.elements import EnumType, TypeDefinition, TypeRef, short_name
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.names import Json
from mockgraph.metadata.primitives import (
    PRIMITIVES,
    DateTimeOffset,
    Enum,
    EnumValues,
    Geography,
    PropertyField,
)
from mockgraph.metadata.structures import (
    Collection,
    Complex,
    ComplexSchema,
    EntitySchema,
    StructuredSchema,
)
from mockgraph.metadata.vocabulary import (
    LENIENT_INSTANTS,
    default_of,
    deprecated,
    initial_value,
    is_computed,
    is_immutable,
    read_only,
    tagged,
    time_of,
)

# The facets that bound the values of primitive types (OData CSDL 4.01, 7.2).
_BOUNDS = {
    "Edm.String": ("max_length",),
    "Edm.Binary": ("max_length",),
    "Edm.Decimal": ("precision", "scale"),
}
# A stream is read and written by a URL of its own; JSON has links to it at most.
_STREAM = "Edm.Stream"


class Parameters(ComplexSchema):
    """The parameters of an action or function."""

    required: ClassVar[frozenset[str]] = frozenset()
    folded: ClassVar[Mapping[str, str]] = {}

    def load_object(self, value: Json, *, partial: bool = False) -> dict[str, Json]:
        if type(value) is dict:
            value = self._check_names(value)  # those that are missing, too
        return super().load_object(value, partial=partial)

    @pre_load
    def _check_names(self, data: dict[str, Json], **_: Any) -> dict[str, Json]:
        declared, folded = self.properties(), self.folded
        named = {
            name if name in declared else folded.get(name.lower(), name): value
            for name, value in data.items()
        }
        for name in declared:
            if name in self.required and name not in named:
                raise ValidationError(f"The parameter '{name}' is missing.")
        super()._check_names(named)
        return named


class Schemas:
    """Finds the schema of a type by its qualified name.

    With ``any_case`` the members of enumerations are read without regard to case, as the live
    service does. ``shows_null`` tells the types whose properties are null where nothing was
    written, be they nullable or not: those of others are the zero of their type, as in .NET;
    ``stored`` gives the schemas that the state is checked against, which values that are dynamic
    here must fit, too. ``deprecated`` has the names of the deprecated properties of the schemas
    that were made so far.
    """

    def __init__(
        self,
        model: Model,
        *,
        any_case: bool = False,
        shows_null: Callable[[str], bool] = lambda _: True,
        stored: Callable[[], Schemas] | None = None,
    ):
        self.model = model
        self._any_case = any_case
        self._shows_null = shows_null
        self._stored = stored
        self.deprecated: set[str] = set()
        self._made: dict[str, type[StructuredSchema]] = {}
        self._enumerations: dict[str, EnumValues] = {}
        self._parameters: dict[tuple[object, ...], type[Parameters]] = {}

    def __getitem__(self, name: str) -> type[StructuredSchema]:
        """Return the schema of an entity or complex type. Raises KeyError for any other name."""
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(name)
        return made

    def find(self, name: str) -> type[StructuredSchema] | None:
        """Return the schema of a name without regard to case, None where there is none."""
        made = self._made.get(name)
        if made is not None:
            return made
        found = self.model.find_type(name)
        return self[found.name] if isinstance(found, elements.ComplexType) else None

    def field_of(self, text: str) -> PropertyField | None:
        """Return the field of a type as ``@odata.type`` names it, ``#Collection(Edm.Int64)``.

        The namespace ``Edm`` may be left out. None where there is no such type.
        """
        name = text.removeprefix("#")
        collection = name.startswith("Collection(") and name.endswith(")")
        if collection:
            name = name[11:-1]
        if "." not in name:
            name = f"Edm.{name}"
        is_known = name in PRIMITIVES or name in elements.GEOGRAPHY or self.model.type(name)
        return self.property(TypeRef(name, collection)) if is_known else None

    def _elsewhere(self, type_name: str, name: str) -> PropertyField | None:
        """Return a property that another root declares of a type, where this one does not."""
        stored = self._stored() if self._stored is not None else self
        return None if stored is self else stored[type_name].properties().get(name)

    def property(
        self, type_: TypeRef, facets: elements.Facets = elements.NO_FACETS, **attributes: Any
    ) -> PropertyField:
        """Return the field of a type, of a collection too; ``attributes`` are a Property's."""
        if type_.collection:
            item = self.property(TypeRef(type_.name), facets)
            kept = {
                name: attributes[name] for name in ("computed", "immutable") if name in attributes
            }
            return Collection(item, **kept)
        name = type_.name
        if name in PRIMITIVES:
            return PRIMITIVES[name](**_bounds(name, facets), **attributes)
        if name in elements.GEOGRAPHY:
            return Geography(name, **attributes)
        declared = self.model.type(name)
        if isinstance(declared, EnumType):
            return Enum(self._values(declared), **attributes)
        if isinstance(declared, TypeDefinition):
            return self.property(TypeRef(declared.underlying), declared.facets, **attributes)
        if isinstance(declared, elements.ComplexType):
            return Complex(lambda: self[declared.name], **attributes)
        return PRIMITIVES["Edm.Untyped"](**attributes)

    def parameters(
        self, operation: elements.Operation, *, changes: bool = False
    ) -> type[Parameters]:
        """Return the schema of what a caller sends to an action or function.

        A parameter has to be there unless it is optional, or may be null. With ``changes`` the
        items of collections hold only what is to change. Names are read without regard to case
        where the members of enumerations are.
        """
        which = (operation.name, *operation.signature, changes)
        known = self._parameters.get(which)
        if known is not None:
            return known
        fields: dict[str, PropertyField] = {}
        required: set[str] = set()
        for each in operation.own_parameters:
            field = self.property(each.type, each.facets, nullable=each.nullable)
            if isinstance(field, Collection):
                field.partial = changes
            if not each.optional and (each.type.collection or not each.nullable):
                required.add(each.name)
            fields[each.name] = _with_default(field, default_of(each.annotations))
        made: Any = type("Parameters", (Parameters,), {"__module__": __name__})
        made._declared_fields = {**fields}
        schema: type[Parameters] = made
        schema.type_name = operation.name
        schema.required = frozenset(required)
        schema.folded = {name.lower(): name for name in fields} if self._any_case else {}
        schema.schemas = staticmethod(self.find)
        self._parameters[which] = schema
        return schema

    def _make(self, name: str) -> type[StructuredSchema]:
        declared = self.model.structured(name)
        is_entity = isinstance(declared, elements.EntityType)
        base: type[StructuredSchema] = EntitySchema if is_entity else ComplexSchema
        if declared.base is not None:
            base = self[declared.base]
        key = self.model.key(name)
        of_key = {part.path.partition("/")[0] for part in key}
        fields = {
            each.name: self._property(name, each, is_key=each.name in of_key)
            for each in declared.properties
            if each.type.name != _STREAM
        }
        made: Any = type(short_name(name), (base,), {"__module__": __name__, "__doc__": name})
        # Given so, and not as attributes: a property may be named as one of marshmallow's.
        made._declared_fields = {**base._declared_fields, **fields}
        schema: type[StructuredSchema] = made
        schema.type_name = declared.name
        schema.is_open = self.model.is_open(name)
        # Where a part of a model has no other type to take its place, it is one like any other.
        heirs = self.model.derived(name) if declared.abstract else ()
        schema.any_case = self._any_case
        schema.is_abstract = any(not self.model.structured(each).abstract for each in heirs)
        schema.schemas = staticmethod(self.find)
        schema.field_of = staticmethod(self.field_of)
        schema.elsewhere = staticmethod(partial(self._elsewhere, name))
        if not is_entity:
            schema.navigation = frozenset(self.model.navigation(name))
        if issubclass(schema, EntitySchema):
            schema.key = tuple(part.name for part in key)
            schema.key_paths = tuple(tuple(part.path.split("/")) for part in key)
        return schema

    def _property(self, owner: str, declared: elements.Property, *, is_key: bool) -> PropertyField:
        annotations = self.model.annotations(f"{owner}/{declared.name}")
        field = self.property(
            declared.type,
            declared.facets,
            nullable=declared.nullable and not is_key,
            computed=is_key or is_computed(annotations) or read_only(annotations),
            immutable=is_immutable(annotations),
        )
        field.time_of = time_of(annotations)
        field.deprecated = deprecated(annotations)
        if field.deprecated is not None:
            self.deprecated.add(declared.name)
        if not field.nullable and not is_key and not self._shows_null(owner):
            field.start_at_zero()
        if isinstance(field, DateTimeOffset):
            field.is_lenient = tagged(self.model.annotations(owner), LENIENT_INSTANTS)
        field.initial = initial_value(annotations)
        return _with_default(field, declared.default)

    def _values(self, declared: EnumType) -> EnumValues:
        known = self._enumerations.get(declared.name)
        if known is None:
            known = self._enumerations[declared.name] = EnumValues(
                declared.name,
                {each.name: each.value for each in declared.members},
                is_flags=declared.flags,
                any_case=self._any_case,
            )
        return known


def _bounds(name: str, facets: elements.Facets) -> dict[str, int]:
    """The facets that bound the values of a primitive type, those that are numbers."""
    named = {each: getattr(facets, each) for each in _BOUNDS.get(name, ())}
    return {each: bound for each, bound in named.items() if isinstance(bound, int)}


def _with_default(field: PropertyField, text: str | None) -> PropertyField:
    """The field with a default value; complex ones and collections have none (CSDL 4.01, 7.2.7)."""
    if text is not None and not isinstance(field, Collection | Complex):
        field.default = field.load_default = _literal(field, text)
    return field


def _literal(field: PropertyField, text: str) -> Any:
    """The JSON value of a default value, which CSDL has as text; null where it is none."""
    if isinstance(field, Enum):
        return field.values.find(text)
    try:
        return field.from_text(text)
    except ValidationError:
        return None
