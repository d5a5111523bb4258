"""Hypothesis strategies for random models: everything that CSDL can say, well referenced."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

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
from mockgraph.metadata.elements import (
    INTEGERS,
    NO_FACETS,
    PRIMITIVES,
    Annotations,
    ComplexType,
    EntityContainer,
    EntitySet,
    EntityType,
    EnumType,
    Facets,
    KeyProperty,
    Member,
    NamedType,
    NavigationBinding,
    NavigationProperty,
    OnDelete,
    Operation,
    OperationImport,
    Parameter,
    Property,
    ReferentialConstraint,
    ReturnType,
    Singleton,
    Term,
    TypeDefinition,
    TypeRef,
    namespace_of,
)
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.namespaces import Schema

# Names that words of the notation, primitive types and literals could be taken for.
NAMES = (
    *("alpha", "beta", "gamma", "_d", "größe", "名前", "key", "contains", "links", "on", "path"),
    *("null", "true", "INF", "with", "String", "Int32", "optional", "namespace", "Default"),
)
NAMESPACES = ("one", "one.two", "Core", "microsoft.graph", "microsoft.graph.security", "Org.X.V1")
TERMS = (
    "Org.OData.Core.V1.Description",
    "Org.OData.Core.V1.OptionalParameter",
    "Org.OData.Capabilities.V1.TopSupported",
    "Core.Tagged",
    "one.two.Said",
)

names = st.sampled_from(NAMES)
# What XML can hold, and what the notation could stumble over.
texts = st.text(
    st.characters(min_codepoint=0x20, exclude_categories=["Cs", "Cc", "Cn"])
    | st.sampled_from("\n\t\r\"'<&{}[]@#:,"),
    max_size=12,
)
stripped_texts = texts.map(str.strip)
paths = st.lists(names, min_size=1, max_size=3).map("/".join)


def _tuples(items: SearchStrategy[Value], least: int = 0) -> SearchStrategy[tuple[Value, ...]]:
    return st.lists(items, min_size=least, max_size=3).map(tuple)


def _literals() -> SearchStrategy[Value]:
    kinds = st.sampled_from(sorted({*CONSTANTS} - {"Float"}))
    members = st.lists(names, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.none(),
        st.booleans(),
        st.floats(allow_nan=False),
        st.integers(-(10**30), 10**30),
        texts,
        st.builds(Constant, kinds, stripped_texts),
        st.just(Constant("Float", "NaN")),
        st.builds(PathExpression, st.sampled_from(PATHS), paths),
        st.builds(EnumMembers, st.sampled_from(TERMS), members),
    )


def _composed(inner: SearchStrategy[Value]) -> SearchStrategy[Value]:
    about = st.lists(_annotations_of(inner), max_size=1).map(tuple)
    stated = st.builds(PropertyValue, names, inner | st.just(DEFAULT), about)
    operators = st.sampled_from(["If", "And", "Eq", "Not", "Has"])
    types = st.sampled_from(["Edm.String", "Collection(one.X)"]).map(lambda t: (("Type", t),))
    return st.one_of(
        _tuples(inner),
        st.builds(
            Record,
            st.lists(stated, max_size=3, unique_by=lambda each: each.name).map(tuple),
            st.none() | st.sampled_from(TERMS),
            about,
        ),
        st.builds(DynamicExpression, operators, st.just(()), _tuples(inner, 1), about),
        st.builds(DynamicExpression, st.just("Cast"), types, st.tuples(inner), about),
    )


def _annotations_of(values: SearchStrategy[Value]) -> SearchStrategy[Annotation]:
    return st.builds(
        Annotation, st.sampled_from(TERMS), values | st.just(DEFAULT), st.none() | names
    )


values: SearchStrategy[Value] = st.recursive(_literals(), _composed, max_leaves=5)
_annotation = st.builds(
    Annotation,
    st.sampled_from(TERMS),
    values | st.just(DEFAULT),
    st.none() | names,
    st.lists(_annotations_of(_literals()), max_size=1).map(tuple),
)
# Mostly none: it is the elements that a model has many of.
something_said: SearchStrategy[Annotations] = st.lists(
    _annotation, min_size=1, max_size=2, unique_by=lambda each: each.key
).map(tuple)
said = st.just(()) | something_said
facets = st.just(NO_FACETS) | st.builds(
    Facets,
    st.none() | st.integers(1, 9) | st.just("max"),
    st.none() | st.integers(0, 9),
    st.none() | st.integers(0, 9) | st.sampled_from(["variable", "floating"]),
    st.none() | st.booleans(),
    st.none() | st.integers(0, 9999) | st.just("variable"),
)


def enums(name: str) -> SearchStrategy[EnumType]:
    """Return enumerations of any underlying type, with flags or without, evolvable or not."""

    def of(underlying: str) -> SearchStrategy[EnumType]:
        members = st.builds(
            Member,
            names | st.just("unknownFutureValue"),
            st.integers(*INTEGERS[underlying]),
            said,
        )
        several = st.lists(members, max_size=4, unique_by=lambda each: each.name).map(tuple)
        return st.builds(EnumType, st.just(name), several, st.just(underlying), st.booleans(), said)

    return st.sampled_from(sorted(INTEGERS)).flatmap(of)


def definitions(name: str) -> SearchStrategy[TypeDefinition]:
    """Return type definitions over any primitive type."""
    underlying = st.sampled_from(sorted(PRIMITIVES))
    return st.builds(TypeDefinition, st.just(name), underlying, facets, said)


@st.composite
def structures(
    draw: st.DrawFn,
    name: str,
    entity: bool,
    bases: Sequence[str],
    types: Sequence[str],
    entities: Sequence[str],
) -> ComplexType:
    """Return entity or complex types with bases and properties of the types that are named."""
    drawn = draw(st.lists(names, max_size=5, unique=True))
    split = draw(st.integers(0, len(drawn)))
    reference = st.builds(TypeRef, st.sampled_from(types), st.booleans())
    properties = tuple(
        Property(
            each,
            draw(reference),
            draw(st.booleans()),
            draw(facets),
            draw(st.none() | texts),
            draw(said),
        )
        for each in drawn[:split]
    )
    related = drawn[split:] if entities else []
    navigation = tuple(draw(_navigations(each, entities)) for each in related)
    base = draw(st.none() | st.sampled_from(bases)) if bases else None
    complex_type = ComplexType(
        name,
        base,
        draw(st.booleans()),
        draw(st.booleans()),
        properties,
        navigation,
        draw(said),
    )
    if not entity:
        return complex_type
    key = tuple(KeyProperty(each.name, draw(st.none() | names)) for each in properties[:2])
    return EntityType(
        name,
        base,
        complex_type.abstract,
        complex_type.open,
        properties,
        navigation,
        complex_type.annotations,
        draw(st.just(()) | st.just(key)),
        draw(st.booleans()),
    )


def _navigations(name: str, entities: Sequence[str]) -> SearchStrategy[NavigationProperty]:
    constraint = st.builds(ReferentialConstraint, paths, paths, said)
    actions = st.sampled_from(["Cascade", "None", "SetNull", "SetDefault"])
    return st.builds(
        NavigationProperty,
        st.just(name),
        st.builds(TypeRef, st.sampled_from(entities), st.booleans()),
        st.booleans(),
        st.booleans(),
        st.none() | paths,
        st.lists(constraint, max_size=1).map(tuple),
        st.none() | st.builds(OnDelete, actions, said),
        said,
    )


@st.composite
def operations(draw: st.DrawFn, name: str, types: Sequence[str]) -> Operation:
    """Return actions and functions, bound or not, with parameters of which some are optional."""
    function, bound = draw(st.booleans()), draw(st.booleans())
    reference = st.builds(TypeRef, st.sampled_from(types), st.booleans())
    parameters = st.lists(
        names | st.just("bindingParameter"), min_size=int(bound), max_size=4, unique=True
    )
    results = st.builds(ReturnType, reference, st.booleans(), facets, said)
    return Operation(
        name,
        "function" if function else "action",
        bound,
        tuple(
            Parameter(each, draw(reference), draw(st.booleans()), draw(facets), draw(said))
            for each in draw(parameters)
        ),
        draw(results if function else st.none() | results),
        draw(st.none() | paths),
        draw(st.booleans()),
        draw(said),
    )


def _container(
    draw: st.DrawFn, name: str, entities: Sequence[str], several: Sequence[Operation]
) -> EntityContainer:
    """Return a container with sets, singletons and imports, each of a name of its own."""
    bindings = st.lists(
        st.builds(NavigationBinding, paths, paths), max_size=2, unique_by=lambda each: each.path
    ).map(tuple)
    sets: list[EntitySet] = []
    singletons: list[Singleton] = []
    imports: list[OperationImport] = []
    for index, child in enumerate(draw(st.lists(names, max_size=6, unique=True))):
        flag, bound, about = draw(st.booleans()), draw(bindings), draw(said)
        if entities and index % 3 == 0:
            sets.append(EntitySet(child, draw(st.sampled_from(entities)), flag, bound, about))
        elif entities and index % 3 == 1:
            singletons.append(Singleton(child, draw(st.sampled_from(entities)), flag, bound, about))
        elif several:
            imported = draw(st.sampled_from(several))
            listed = flag and imported.kind == "function"
            found = draw(st.none() | paths)
            imports.append(
                OperationImport(child, imported.kind, imported.name, found, listed, about)
            )
    imports.sort(key=lambda each: each.kind)  # of CSDL the action imports are read first
    return EntityContainer(name, None, tuple(sets), tuple(singletons), tuple(imports), draw(said))


@st.composite
def models(draw: st.DrawFn) -> Model:
    """Return models of several namespaces that refer to, and derive from, each other."""
    namespaces = draw(st.lists(st.sampled_from(NAMESPACES), min_size=1, max_size=3, unique=True))
    aliases = draw(st.permutations(["self", "graph", "Capabilities"]))
    qualified = st.builds("{}.{}".format, st.sampled_from(namespaces), names)
    type_names = draw(st.lists(qualified, min_size=1, max_size=6, unique=True))
    kinds = [draw(st.sampled_from(["entity", "complex", "enum", "type"])) for _ in type_names]
    entities = [name for name, kind in zip(type_names, kinds, strict=True) if kind == "entity"]
    known = [*type_names, "Edm.String", "Edm.Int64", "Edm.GeographyPoint", "Edm.Untyped"]
    types: list[NamedType] = []
    for index, (name, kind) in enumerate(zip(type_names, kinds, strict=True)):
        if kind == "enum":
            types.append(draw(enums(name)))
        elif kind == "type":
            types.append(draw(definitions(name)))
        else:
            before = zip(type_names[:index], kinds[:index], strict=True)
            bases = [each for each, other in before if other == kind]
            types.append(draw(structures(name, kind == "entity", bases, known, entities)))
    several = draw(
        st.lists(
            qualified.flatmap(lambda name: operations(name, known)),
            max_size=4,
            unique_by=lambda each: (each.name, each.signature),
        )
    )
    schemas = [
        _schema(draw, namespace, alias, types, several, entities)
        for namespace, alias in zip(namespaces, aliases, strict=False)
    ]
    return Model(schemas)


def _schema(
    draw: st.DrawFn,
    namespace: str,
    alias: str,
    types: Sequence[NamedType],
    several: Sequence[Operation],
    entities: Sequence[str],
) -> Schema:
    targets = st.sampled_from(["one.alpha", "one.two.beta/key", "one.f(Edm.String)/x", "x.y/z/a"])
    applies = st.lists(st.sampled_from(["EntitySet", "Property"]), max_size=2).map(tuple)
    terms = [
        Term(
            f"{namespace}.{name}",
            TypeRef("Edm.String", True),
            draw(st.booleans()),
            draw(facets),
            draw(st.none() | texts),
            draw(st.none() | st.sampled_from(TERMS)),
            draw(applies),
            draw(said),
        )
        for name in draw(st.lists(names, max_size=1))
    ]
    services = [f"{namespace}.Service"] if draw(st.booleans()) else []
    return Schema.of(
        namespace,
        draw(st.none() | st.just(alias)),
        types=[each for each in types if namespace_of(each.name) == namespace],
        operations=[each for each in several if namespace_of(each.name) == namespace],
        terms=terms,
        containers=[_container(draw, name, entities, several) for name in services],
        targets=draw(st.dictionaries(targets, something_said, max_size=2)),
        annotations=draw(said),
    )
