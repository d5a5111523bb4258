"""Values of structured types: loaded, merged, made whole, annotated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from marshmallow import ValidationError

from mockgraph.errors import BadRequest
from mockgraph.metadata.names import Json, qualified
from mockgraph.metadata.primitives import Property
from mockgraph.metadata.structures import Collection, Complex, EntityType, StructuredType, instance

_TOLD_BY_JSON = frozenset({"Edm.String", "Edm.Boolean", "Edm.Double"})


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
    mark, structured = _marks(schema)
    named: dict[str, Json] = {"@odata.type": mark, **value}
    for name, inner in structured.items():
        item = named.get(name)
        if isinstance(item, dict):
            named[name] = typed(inner, item)
        elif item:
            named[name] = [typed(inner, each) for each in item]
    return named


@cache
def _marks(schema: type[StructuredType]) -> tuple[str, Mapping[str, type[StructuredType]]]:
    """How the pages of ``localtest`` name a type, and its properties of structured types."""
    mark = "#" if issubclass(schema, EntityType) else ""
    structured = {}
    for name, declared in schema.properties().items():
        item = declared.item if isinstance(declared, Collection) else declared
        if isinstance(item, Complex):
            structured[name] = item.schema
    return mark + qualified(schema.edm_name()), structured


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


def _first_fault(messages: Json) -> tuple[list[str], str]:
    """The path and the text of the first fault in marshmallow's tree of messages."""
    path: list[str] = []
    while isinstance(messages, dict):
        key, messages = next(iter(messages.items()))
        if key != "_schema":
            path.append(str(key))
    return path, messages[0] if isinstance(messages, list) else str(messages)
