"""The elements of the Entity Data Model: types, properties, operations, sets (OData CSDL 4.0).

All are immutable and compare by what they say. Names of types, operations and terms are
qualified, with the namespace and not an alias of it; names of members, properties and
parameters are simple.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from mockgraph.metadata.annotations import Annotation, find_annotation
from mockgraph.metadata.immutable import Immutable

INTEGERS: Final = {
    "Edm.Byte": (0, 2**8 - 1),
    "Edm.SByte": (-(2**7), 2**7 - 1),
    "Edm.Int16": (-(2**15), 2**15 - 1),
    "Edm.Int32": (-(2**31), 2**31 - 1),
    "Edm.Int64": (-(2**63), 2**63 - 1),
}
GEOGRAPHY: Final = frozenset(
    f"Edm.{space}{shape}"
    for space in ("Geography", "Geometry")
    for shape in (
        "",
        "Point",
        "LineString",
        "Polygon",
        "MultiPoint",
        "MultiLineString",
        "MultiPolygon",
        "Collection",
    )
)
PRIMITIVES: Final = GEOGRAPHY | frozenset(
    {
        *INTEGERS,
        "Edm.Binary",
        "Edm.Boolean",
        "Edm.Date",
        "Edm.DateTimeOffset",
        "Edm.Decimal",
        "Edm.Double",
        "Edm.Duration",
        "Edm.Guid",
        "Edm.Single",
        "Edm.Stream",
        "Edm.String",
        "Edm.TimeOfDay",
    }
)
# Types that stand for any type of a kind: for parameters, terms and, untyped, for properties.
ABSTRACT: Final = frozenset(
    {
        "Edm.AnnotationPath",
        "Edm.AnyPropertyPath",
        "Edm.ComplexType",
        "Edm.EntityType",
        "Edm.ModelElementPath",
        "Edm.NavigationPropertyPath",
        "Edm.PrimitiveType",
        "Edm.PropertyPath",
        "Edm.Untyped",
    }
)

OPTIONAL_PARAMETER: Final = "Org.OData.Core.V1.OptionalParameter"

Annotations: TypeAlias = tuple[Annotation, ...]


def namespace_of(name: str) -> str:
    """Return ``microsoft.graph`` for ``microsoft.graph.alert``."""
    return name.rpartition(".")[0]


def short_name(name: str) -> str:
    """Return ``alert`` for ``microsoft.graph.alert``."""
    return name.rpartition(".")[2]


class TypeRef(Immutable):
    """A type by its qualified name, or a collection of it."""

    name: str
    collection: bool = False

    def __str__(self) -> str:
        return f"Collection({self.name})" if self.collection else self.name


class Facets(Immutable):
    """The facets that a use of a primitive type narrows; None is as the type itself has it.

    ``max_length`` may be ``max``, ``scale`` may be ``variable`` or ``floating``, ``srid`` may be
    ``variable``.
    """

    max_length: int | str | None = None
    precision: int | None = None
    scale: int | str | None = None
    unicode: bool | None = None
    srid: int | str | None = None


NO_FACETS: Final = Facets()


class Member(Immutable):
    """A member of an enumeration."""

    name: str
    value: int
    annotations: Annotations = ()


class EnumType(Immutable):
    """An enumeration; of flags a value may be several members at once."""

    name: str
    members: tuple[Member, ...] = ()
    underlying: str = "Edm.Int32"
    flags: bool = False
    annotations: Annotations = ()


class TypeDefinition(Immutable):
    """A name for a primitive type with facets."""

    name: str
    underlying: str
    facets: Facets = NO_FACETS
    annotations: Annotations = ()


class Property(Immutable):
    """A structural property; of a collection ``nullable`` speaks of the items."""

    name: str
    type: TypeRef
    nullable: bool = True
    facets: Facets = NO_FACETS
    default: str | None = None
    annotations: Annotations = ()


class ReferentialConstraint(Immutable):
    """A property that must equal a property of the related entity."""

    property: str
    referenced: str
    annotations: Annotations = ()


class OnDelete(Immutable):
    """The fate of related entities: ``Cascade``, ``None``, ``SetNull`` or ``SetDefault``."""

    action: str
    annotations: Annotations = ()


class NavigationProperty(Immutable):
    """A relation to one entity or many; ``contains_target`` where they live and die with it."""

    name: str
    type: TypeRef
    nullable: bool = True
    contains_target: bool = False
    partner: str | None = None
    constraints: tuple[ReferentialConstraint, ...] = ()
    on_delete: OnDelete | None = None
    annotations: Annotations = ()


class KeyProperty(Immutable):
    """A property of a key: its path, and the alias that a path longer than a name has."""

    path: str
    alias: str | None = None

    @property
    def name(self) -> str:
        """The name that stands for it in a key in parentheses."""
        return self.alias or self.path


class ComplexType(Immutable):
    """A structured type without a key, as a type itself says it: without what it inherits."""

    name: str
    base: str | None = None
    abstract: bool = False
    open: bool = False
    properties: tuple[Property, ...] = ()
    navigation: tuple[NavigationProperty, ...] = ()
    annotations: Annotations = ()


class EntityType(ComplexType):
    """A structured type with a key, its own or that of a base type."""

    key: tuple[KeyProperty, ...] = ()
    stream: bool = False


NamedType: TypeAlias = EntityType | ComplexType | EnumType | TypeDefinition


class Parameter(Immutable):
    """A parameter of an action or function."""

    name: str
    type: TypeRef
    nullable: bool = True
    facets: Facets = NO_FACETS
    annotations: Annotations = ()

    @property
    def optional(self) -> bool:
        """Whether a caller may leave it out (Org.OData.Core.V1.OptionalParameter)."""
        return find_annotation(self.annotations, OPTIONAL_PARAMETER) is not None


class ReturnType(Immutable):
    """The type that an action or function returns."""

    type: TypeRef
    nullable: bool = True
    facets: Facets = NO_FACETS
    annotations: Annotations = ()


OperationKind: TypeAlias = Literal["action", "function"]


class Operation(Immutable):
    """One overload of an action or function; where it is bound the first parameter says to what."""

    name: str
    kind: OperationKind
    bound: bool = False
    parameters: tuple[Parameter, ...] = ()
    returns: ReturnType | None = None
    entity_set_path: str | None = None
    composable: bool = False
    annotations: Annotations = ()

    @property
    def binding(self) -> TypeRef | None:
        """The type that the operation is bound to, None of an unbound one."""
        return self.parameters[0].type if self.bound and self.parameters else None

    @property
    def own_parameters(self) -> tuple[Parameter, ...]:
        """The parameters that a caller sends: all but the binding parameter."""
        return self.parameters[1:] if self.bound else self.parameters

    @property
    def signature(self) -> tuple[object, ...]:
        """The signature among the overloads of one name (OData CSDL 4.0, 12.1.1 and 12.2.1)."""
        names = frozenset(each.name for each in self.own_parameters)
        return self.kind, self.binding, names if self.kind == "function" else None


class Term(Immutable):
    """A term that annotations may use."""

    name: str
    type: TypeRef = TypeRef("Edm.Boolean")
    nullable: bool = True
    facets: Facets = NO_FACETS
    default: str | None = None
    base: str | None = None
    applies_to: tuple[str, ...] = ()
    annotations: Annotations = ()


class NavigationBinding(Immutable):
    """The set or singleton where the entities at a navigation path are found."""

    path: str
    target: str


class EntitySet(Immutable):
    """A collection of entities at the root of a service."""

    name: str
    type: str
    in_service_document: bool = True
    bindings: tuple[NavigationBinding, ...] = ()
    annotations: Annotations = ()


class Singleton(Immutable):
    """An entity at the root of a service."""

    name: str
    type: str
    nullable: bool = False
    bindings: tuple[NavigationBinding, ...] = ()
    annotations: Annotations = ()


class OperationImport(Immutable):
    """An unbound action or function at the root of a service; ``operation`` is qualified."""

    name: str
    kind: OperationKind
    operation: str
    entity_set: str | None = None
    in_service_document: bool = False
    annotations: Annotations = ()


Child: TypeAlias = EntitySet | Singleton | OperationImport


class EntityContainer(Immutable):
    """The entity sets, singletons and imports of a service; ``extends`` names another container."""

    name: str
    extends: str | None = None
    sets: tuple[EntitySet, ...] = ()
    singletons: tuple[Singleton, ...] = ()
    imports: tuple[OperationImport, ...] = ()
    annotations: Annotations = ()

    @property
    def children(self) -> tuple[Child, ...]:
        """All that it holds: sets, singletons and imports."""
        return (*self.sets, *self.singletons, *self.imports)
