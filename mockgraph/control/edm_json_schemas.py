"""Types of a model as JSON Schemas of OData's JSON format, as the OpenAPI description has them.

They follow OASIS's mapping of OData to OpenAPI 1.0, 4.6, where answers allow it: MockGraph, as
Graph, shows null where nothing was written, whatever ``Nullable`` says.
"""

from __future__ import annotations

from functools import singledispatchmethod
from typing import Any

from mockgraph.control.json_schemas import JsonSchema
from mockgraph.metadata.elements import TypeRef
from mockgraph.metadata.primitives import (
    Boolean,
    DateTimeOffset,
    Decimal,
    Double,
    Enum,
    Geography,
    Guid,
    Integer,
    PropertyField,
    String,
    Text,
)
from mockgraph.metadata.resources import View
from mockgraph.metadata.schemas import Parameters
from mockgraph.metadata.structures import Collection, Complex, EntitySchema, StructuredSchema

# Control information, ``@odata.type`` and ``alerts@odata.count``, may stand in each object.
_ANNOTATIONS: JsonSchema = {"@": {}}
_ITSELF = "-itself"


class TypeSchemas:
    """The schemas of the types of a root, each made when something refers to it.

    ``components`` has those that are referred to by now, and all that these refer to.
    """

    def __init__(self, view: View):
        self._view = view
        self._known: set[str] = set()
        self._waiting: list[str] = []
        self._made: dict[str, JsonSchema] = {}

    @property
    def components(self) -> dict[str, JsonSchema]:
        """The schemas by their names among the components of a description."""
        while self._waiting:
            self._make(self._waiting.pop())
        return dict(sorted(self._made.items()))

    def reference(self, type_name: str) -> JsonSchema:
        """Return the schema of the values of a structured type, and of those derived from it."""
        if type_name not in self._known:
            self._known.add(type_name)
            self._waiting.append(type_name)
        return {"$ref": f"#/components/schemas/{_component(type_name)}"}

    def of(self, type_: TypeRef) -> JsonSchema:
        """Return the schema of the values of a type."""
        return self.schema(self._view.schemas.property(type_))

    def or_null(self, field: PropertyField) -> JsonSchema:
        """Return the schema of the values of a property, null being one but of a collection."""
        schema = self.schema(field)
        if isinstance(field, Collection) or not schema:
            return schema
        return {"anyOf": [schema, {"type": "null"}]}

    def parameters(self, schema: type[Parameters]) -> JsonSchema:
        """Return the schema of the body that calls an action."""
        return _object(
            {name: self.or_null(each) for name, each in schema.properties().items()},
            required=sorted(schema.required),
        )

    @singledispatchmethod
    def schema(self, field: PropertyField) -> JsonSchema:  # noqa: ARG002
        """Return the schema of the values of a field but null: any value where nothing is said."""
        return {}

    @schema.register
    def _(self, field: Collection) -> JsonSchema:
        return {"type": "array", "items": self.schema(field.item)}

    @schema.register
    def _(self, field: Complex) -> JsonSchema:
        return self.reference(field.type_name)

    @schema.register
    def _(self, field: Enum) -> JsonSchema:
        members = [*field.values.members]
        if field.values.is_flags:
            one = f"({'|'.join(members)})"
            return {"type": "string", "pattern": f"^{one}(,{one})*$"}
        return {"type": "string", "enum": members}

    @schema.register
    def _(self, field: String) -> JsonSchema:
        bound = {} if field.max_length is None else {"maxLength": field.max_length}
        return {"type": "string", **bound}

    @schema.register
    def _(self, _: Boolean) -> JsonSchema:
        return {"type": "boolean"}

    @schema.register
    def _(self, field: Integer) -> JsonSchema:
        return {"type": "integer", "minimum": field.least, "maximum": field.most}

    @schema.register
    def _(self, field: Double) -> JsonSchema:
        number = {"type": "number"}
        return {"anyOf": [number, {"enum": [*field.words]}]} if field.words else number

    @schema.register
    def _(self, _: Decimal) -> JsonSchema:
        return {"type": "number"}

    @schema.register
    def _(self, field: Text) -> JsonSchema:
        return {"type": "string", "pattern": f"^(?:{field.form.pattern})$"}

    @schema.register
    def _(self, _: Guid) -> JsonSchema:
        return {"type": "string", "format": "uuid"}

    @schema.register
    def _(self, _: DateTimeOffset) -> JsonSchema:
        return {"type": "string", "format": "date-time"}

    @schema.register
    def _(self, _: Geography) -> JsonSchema:
        return {"type": "object"}

    def _make(self, type_name: str) -> None:
        """Make the component of a type: its own values, or those of any type derived from it."""
        name, schema = _component(type_name), self._view.schemas[type_name]
        heirs = [
            self._view.schemas[each]
            for each in self._view.model.derived(type_name)
            if not self._view.model.structured(each).abstract
        ]
        if not heirs:
            self._made[name] = self._itself(schema)
            return
        own = [] if schema.is_abstract else [schema]
        for each in (*own, *heirs):
            itself = self._itself(each)
            if each is not schema:
                itself["properties"]["@odata.type"] = {"const": f"#{each.type_name}"}
                itself["required"] = ["@odata.type"]
            self._made[_component(each.type_name) + _ITSELF] = itself
        names = [_component(each.type_name) + _ITSELF for each in (*own, *heirs)]
        self._made[name] = {"anyOf": [{"$ref": f"#/components/schemas/{each}"} for each in names]}

    def _itself(self, schema: type[StructuredSchema]) -> JsonSchema:
        properties = {name: self.or_null(each) for name, each in schema.properties().items()}
        keys = schema.key if issubclass(schema, EntitySchema) else ()
        for name in properties.keys() & set(keys):
            properties[name] = self.schema(schema.properties()[name])
        for name, each in self._view.model.navigation(schema.type_name).items():
            is_known = self._view.model.type(each.type.name) is not None
            one = self.reference(each.type.name) if is_known else {}
            properties[name] = (
                {"type": "array", "items": one}
                if each.type.collection
                else {"anyOf": [one, {"type": "null"}]}
            )
        return _object(properties, is_open=schema.is_open)


def _object(
    properties: dict[str, Any], *, required: list[str] | None = None, is_open: bool = False
) -> JsonSchema:
    schema: JsonSchema = {
        "type": "object",
        "properties": properties,
        "patternProperties": _ANNOTATIONS,
        "additionalProperties": is_open,
    }
    if required:
        schema["required"] = required
    return schema


def _component(type_name: str) -> str:
    """Return the name of a type with letters that the names of components may have."""
    return "".join(each if each.isascii() else f"_{ord(each):x}" for each in type_name)
