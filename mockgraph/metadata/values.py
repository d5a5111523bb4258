"""Values of structured types: loaded, and annotated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    StructuredSchema,
    is_deeper,
    load_value,
)

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


def fully_typed(schema: type[StructuredSchema], value: Mapping[str, Json]) -> dict[str, Json]:
    """Return the value as ``odata.metadata=full`` wants it.

    With its type, and that of each property whose JSON does not tell it (OData JSON format,
    4.5.3).
    """
    schema = own_type(schema, value)
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
