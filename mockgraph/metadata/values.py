"""Values of structured types: loaded, made whole, annotated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from marshmallow import ValidationError

from mockgraph import work
from mockgraph.errors import BadRequest
from mockgraph.metadata.names import Json
from mockgraph.metadata.primitives import PropertyField
from mockgraph.metadata.structures import (
    MAX_DEPTH,
    TOO_DEEP,
    Collection,
    Complex,
    EntitySchema,
    StructuredSchema,
    is_deeper,
    load_value,
    unset,
)

if TYPE_CHECKING:
    from mockgraph.metadata.schemas import Schemas

T = TypeVar("T")
_NOTHING: Mapping[str, Json] = {}  # a dict: others are slower to unpack
_STEPS = 10  # of work that an item of an array takes, about
_TOLD_BY_JSON = frozenset({"Edm.String", "Edm.Boolean", "Edm.Double"})


def load(
    schema: type[StructuredSchema],
    value: Json,
    *,
    partial: bool = False,
    root: str = "",
    is_shallow: bool = False,
) -> dict[str, Json]:
    """Validate a JSON object against a schema.

    Gives the object with every declared property in order, or with ``partial`` only those
    sent; ``is_shallow`` tells that it is known not to be too deep. Raises BadRequest that says
    what is wrong and, as a path, where.
    """
    try:
        if not is_shallow and is_deeper(value, MAX_DEPTH + 1):
            raise ValidationError(TOO_DEEP)
        return load_value(schema, value, partial=partial)
    except ValidationError as error:
        raise _refusal(error, root) from None


def is_shallow(text: bytes) -> bool:
    """Return whether a JSON text is surely not too deep: it begins few objects and arrays."""
    return text.count(b"{") + text.count(b"[") <= MAX_DEPTH


def load_as(declared: PropertyField, value: Json, root: str) -> Json:
    """Validate a value that is not null against a property's type, as ``load`` does."""
    try:
        if is_deeper(value, MAX_DEPTH + 1):
            raise ValidationError(TOO_DEEP)
        return declared.read(value, False)
    except ValidationError as error:
        raise _refusal(error, root) from None


def _refusal(error: ValidationError, root: str) -> BadRequest:
    path, message = _first_fault(error.messages)
    where = "/".join([root, *path] if root else path)
    return BadRequest(f"{where}: {message}" if where else message)


def typed(schema: type[StructuredSchema], value: Mapping[str, Json]) -> dict[str, Json]:
    """Return the value with ``@odata.type`` at each level, as the ``localtest`` pages print it."""
    mark, structured = _marks(schema.named_by(value))
    named: dict[str, Json] = {"@odata.type": mark, **value}
    for name, inner in _within(structured, value).items():
        item = named.get(name)
        if isinstance(item, dict):
            named[name] = typed(inner, item)
        elif item:
            named[name] = [typed(inner, each) for each in item]
    return named


@cache
def _marks(schema: type[StructuredSchema]) -> tuple[str, Mapping[str, type[StructuredSchema]]]:
    """The annotations that the pages of ``localtest`` print for a type and its properties."""
    mark = "#" if issubclass(schema, EntitySchema) else ""
    structured = {}
    for name, declared in schema.properties().items():
        item = declared.item if isinstance(declared, Collection) else declared
        if isinstance(item, Complex):
            structured[name] = item.schema
    return mark + schema.type_name, structured


def _within(properties: Mapping[str, T], value: Mapping[str, Json]) -> Mapping[str, T]:
    """Return some properties of a type: all that a value has, and few where it has few."""
    if len(properties) <= len(value):
        return properties
    return {name: properties[name] for name in value if name in properties}


def fully_typed(schema: type[StructuredSchema], value: Mapping[str, Json]) -> dict[str, Json]:
    """Return the value as ``odata.metadata=full`` wants it.

    With its type, and that of each property whose JSON does not tell it (OData JSON format,
    4.5.3).
    """
    schema = schema.named_by(value)
    named: dict[str, Json] = {"@odata.type": f"#{schema.type_name}"}
    declared = schema.properties()
    for name, item in value.items():
        inner = declared.get(name)
        if isinstance(inner, Complex):
            item = item if item is None else fully_typed(inner.schema, item)
        elif inner is not None and inner.edm not in _TOLD_BY_JSON:
            named[f"{name}@odata.type"] = f"#{inner.type_name.replace('Edm.', '')}"
            if isinstance(inner, Collection) and isinstance(inner.item, Complex):
                items = work.current().on_each(item, _STEPS)
                item = [fully_typed(inner.item.schema, each) for each in items]
        named[name] = item
    return named


def projected(
    schema: type[StructuredSchema], value: Mapping[str, Json], stored: Schemas
) -> Mapping[str, Json]:
    """Return of a stored value what its type has in this model, which may have less of it.

    ``stored`` are the schemas that the value was stored by: what they declare and an open type
    here does not is a dynamic property, once it has been set.
    """
    own = own_type(schema, value)
    narrowing = _narrowing(own, stored)
    if narrowing.is_in_order:
        shown = dict(value)
        for name, default in _within(narrowing.gone, value).items():
            item = shown.pop(name, default)
            if own.is_open and item != default:
                shown[name] = item
    else:
        shown = {name: value[name] for name in narrowing.names if name in value}
    for name, inner in _within(_marks(own)[1], shown).items():
        item = shown.get(name)
        if item and not _is_same(inner, stored):
            shown[name] = (
                [projected(inner, each, stored) for each in item]
                if isinstance(item, list)
                else projected(inner, item, stored)
            )
    if own.is_open and not narrowing.is_in_order:
        for name, default in narrowing.gone.items():
            if value.get(name, default) != default:
                shown[name] = value[name]
        if not value.keys() <= narrowing.known:
            shown.update(
                (name, item) for name, item in value.items() if name not in narrowing.known
            )
    return shown


def documented(
    schema: type[StructuredSchema],
    value: Mapping[str, Json],
    stored: Schemas,
    control: Mapping[str, Json] = _NOTHING,
) -> dict[str, Json]:
    """Return ``typed(schema, projected(schema, value, stored))``, in one pass where it can.

    ``control`` is the control information that comes before it.
    """
    own = own_type(schema, value)
    printed = _printed(own, stored)
    if printed is None:
        return {**control, **typed(own, projected(own, value, stored))}
    mark, structured, gone = printed
    shown: dict[str, Json] = {**control, "@odata.type": mark, **value}
    if gone:
        for name, default in _within(gone, value).items():
            item = shown.pop(name, default)
            if own.is_open and item != default:
                shown[name] = item
    if structured:
        for name, inner in _within(structured, value).items():
            item = shown.get(name)
            if isinstance(item, dict):
                shown[name] = documented(inner, item, stored)
            elif item:
                shown[name] = [documented(inner, each, stored) for each in item]
    return shown


@cache
def _printed(
    own: type[StructuredSchema], stored: Schemas
) -> tuple[str, Mapping[str, type[StructuredSchema]], Mapping[str, Json]] | None:
    """The marks of a type, and what is gone of its values; None where their order is another."""
    narrowing = _narrowing(own, stored)
    return (*_marks(own), narrowing.gone) if narrowing.is_in_order else None


class _Narrowing(NamedTuple):
    """A projection of values that are stored by one type and shown by another, with less.

    ``names`` are those shown, in order, ``gone`` what the other type has beyond them, unset, and
    ``known`` all that either declares. ``is_in_order`` tells that nothing but what is gone has to
    be left out: the rest is in order already, and what neither declares is dynamic in both.
    """

    names: Sequence[str]
    gone: Mapping[str, Json]
    known: frozenset[str]
    is_in_order: bool


@cache
def _narrowing(own: type[StructuredSchema], stored: Schemas) -> _Narrowing:
    other = stored[own.type_name]
    names = ("@odata.type", *own.properties())
    gone = {name: item for name, item in unset(other).items() if name not in own.properties()}
    rest = [name for name in other.properties() if name not in gone]
    is_in_order = rest == list(own.properties()) and own.is_open == other.is_open
    return _Narrowing(names, gone, frozenset((*names, *gone)), is_in_order)


@cache
def _is_same(schema: type[StructuredSchema], stored: Schemas) -> bool:
    """Whether the values of a type are surely shown as they are stored.

    Of one that others derive from, or that has values of structured types in it, that is left
    open: nobody who reads one value has to wait for all the types that may be in others.
    """
    if _marks(schema)[1] or stored.model.derived(schema.type_name):
        return False
    narrowing = _narrowing(schema, stored)
    return narrowing.is_in_order and not narrowing.gone


def own_type(schema: type[StructuredSchema], value: Mapping[str, Json]) -> type[StructuredSchema]:
    """Return the schema of a stored value: the declared one where the model lacks its own."""
    if "@odata.type" not in value:
        return schema
    try:
        return schema.named_by(value)
    except ValidationError:
        return schema


def bare(value: Mapping[str, Json]) -> dict[str, Json]:
    """Return the value without a single annotation, as ``odata.metadata=none`` wants it."""
    return {name: _bare(item) for name, item in value.items() if "@" not in name}


def _bare(value: Json) -> Json:
    if isinstance(value, list):
        return [_bare(item) for item in work.current().on_each(value, _STEPS)]
    return bare(value) if isinstance(value, Mapping) else value


def property_at(schema: type[StructuredSchema], path: Sequence[str]) -> PropertyField | None:
    """Return the declared property at a path of names; None where the path is dynamic."""
    declared: PropertyField | None = None
    for name in path:
        declared = schema.properties().get(name)
        if not isinstance(declared, Complex):
            break
        schema = declared.schema
    return declared


def _first_fault(messages: Json) -> tuple[list[str], str]:
    """The path and the text of the first fault in marshmallow's tree of messages."""
    path: list[str] = []
    while isinstance(messages, dict):
        key, messages = next(iter(messages.items()))
        if key != "_schema":
            path.append(str(key))
    return path, messages[0] if isinstance(messages, list) else str(messages)
